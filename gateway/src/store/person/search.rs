//! Finding people: by keyed hashes of what they wrote, and records that may be one person's.

use std::sync::LazyLock;

use ledger::{
    identity::{Identity, IdentityKey},
    profile::Profile,
};
use pos_protocol::MemberId;

use crate::store::{
    Store, StoreError,
    connection::Connection,
    load::by_key,
    row::{Cell as _, FromRow, Reader, cells},
    rows::PROFILES,
    sql::{Sql, Value},
};

/// A keyed hash to find profiles by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchTerm {
    /// Of an e-mail address.
    Email([u8; 32]),
    /// Of a phone number.
    Phone([u8; 32]),
    /// Of a name in kana.
    Kana([u8; 32]),
    /// Of a name in kana and a birthday.
    Person([u8; 32]),
}

const BY_EMAIL: Sql =
    Sql::both("SELECT member_id FROM profiles WHERE email_term = $1 ORDER BY member_id LIMIT $2");
const BY_PHONE: Sql =
    Sql::both("SELECT member_id FROM profiles WHERE phone_term = $1 ORDER BY member_id LIMIT $2");
const BY_KANA: Sql =
    Sql::both("SELECT member_id FROM profiles WHERE kana_term = $1 ORDER BY member_id LIMIT $2");
const BY_PERSON: Sql =
    Sql::both("SELECT member_id FROM profiles WHERE person_term = $1 ORDER BY member_id LIMIT $2");

/// Records with the same hash of one column, after a hash ($1), hash by hash, row by row.
const SAME_PERSON: Sql = Sql::both(
    "\
SELECT person_term, member_id FROM profiles WHERE person_term IN (
    SELECT person_term FROM profiles WHERE person_term > $1
    GROUP BY person_term HAVING count(*) > 1 ORDER BY person_term LIMIT $2
) ORDER BY person_term, member_id",
);
const SAME_EMAIL: Sql = Sql::both(
    "\
SELECT email_term, member_id FROM profiles WHERE email_term IN (
    SELECT email_term FROM profiles WHERE email_term > $1
    GROUP BY email_term HAVING count(*) > 1 ORDER BY email_term LIMIT $2
) ORDER BY email_term, member_id",
);
const SAME_PHONE: Sql = Sql::both(
    "\
SELECT phone_term, member_id FROM profiles WHERE phone_term IN (
    SELECT phone_term FROM profiles WHERE phone_term > $1
    GROUP BY phone_term HAVING count(*) > 1 ORDER BY phone_term LIMIT $2
) ORDER BY phone_term, member_id",
);
/// Profiles after a member ($1) that another key than $2 wraps. Emptied ones name no key.
static WRAPPED_BY_OTHERS: LazyLock<Sql> = LazyLock::new(|| {
    let these =
        "WHERE member_id > $1 AND key_id <> $2 AND key_id <> '' ORDER BY member_id LIMIT $3";
    PROFILES.select(these, these)
});
const WRAPPED_BY_OTHERS_COUNT: Sql =
    Sql::both("SELECT count(*) FROM profiles WHERE key_id <> $1 AND key_id <> ''");
/// Only the wrapping changes: what is sealed, its version and its terms stay.
const REWRAP: Sql = Sql::both(
    "UPDATE profiles SET key_id = $3, wrapped_key = $4 \
     WHERE member_id = $1 AND version = $2 AND key_id <> $3 AND key_id <> '' RETURNING member_id",
);

pub(super) fn statements() -> Vec<Sql> {
    vec![
        BY_EMAIL,
        BY_PHONE,
        BY_KANA,
        BY_PERSON,
        SAME_PERSON,
        SAME_EMAIL,
        SAME_PHONE,
        *WRAPPED_BY_OTHERS,
        WRAPPED_BY_OTHERS_COUNT,
        REWRAP,
    ]
}

struct Found(MemberId);

impl FromRow for Found {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

struct Same([u8; 32], MemberId);

impl FromRow for Same {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self(row.get()?, row.get()?))
    }
}

struct Count(i64);

impl FromRow for Count {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

/// Which hashes are compared to find records of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameTerm {
    /// Of the name in kana and the birthday.
    Person,
    /// Of the e-mail address.
    Email,
    /// Of the phone number.
    Phone,
}

impl Store {
    /// Records whose profile has this term, at most `limit`, by id.
    ///
    /// # Errors
    /// As any read.
    pub async fn members_by_term(
        &self,
        term: SearchTerm,
        limit: u32,
    ) -> Result<Vec<MemberId>, StoreError> {
        let (sql, hash) = match &term {
            SearchTerm::Email(hash) => (BY_EMAIL, hash),
            SearchTerm::Phone(hash) => (BY_PHONE, hash),
            SearchTerm::Kana(hash) => (BY_KANA, hash),
            SearchTerm::Person(hash) => (BY_PERSON, hash),
        };
        let mut connection = Connection::brief(self).await?;
        let values = [hash.to_value(), Value::Int(limit.into())];
        let found: Vec<Found> = connection.fetch(sql, &values).await?;
        Ok(found.into_iter().map(|found| found.0).collect())
    }

    /// The record that an identity leads to, if it stands.
    ///
    /// # Errors
    /// As any read.
    pub async fn member_by_identity(
        &self,
        key: IdentityKey,
    ) -> Result<Option<MemberId>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<Identity> = by_key(&mut connection, &[cells([&key])]).await?;
        let stands = |row: &Identity| row.revoked_at.is_none();
        Ok(found.into_iter().find(stands).map(|row| row.member_id))
    }

    /// Groups of records with the same term, at most `limit` groups after the term `after`, in order of
    /// the terms.
    ///
    /// # Errors
    /// As any read.
    pub async fn members_alike(
        &self,
        term: SameTerm,
        after: [u8; 32],
        limit: u32,
    ) -> Result<Vec<([u8; 32], Vec<MemberId>)>, StoreError> {
        let sql = match term {
            SameTerm::Person => SAME_PERSON,
            SameTerm::Email => SAME_EMAIL,
            SameTerm::Phone => SAME_PHONE,
        };
        let mut connection = Connection::reading(self).await?;
        let values = [after.to_value(), Value::Int(limit.into())];
        let found: Vec<Same> = connection.fetch(sql, &values).await?;
        let mut groups = Vec::<([u8; 32], Vec<MemberId>)>::new();
        for Same(term, member_id) in found {
            match groups.last_mut().filter(|group| group.0 == term) {
                Some(group) => group.1.push(member_id),
                None => groups.push((term, vec![member_id])),
            }
        }
        Ok(groups)
    }

    /// Profiles after a record's whose key another master key than `key_id` wraps, by record.
    ///
    /// # Errors
    /// As any read.
    pub async fn profiles_to_rewrap(
        &self,
        key_id: &str,
        after: Option<MemberId>,
        limit: u32,
    ) -> Result<Vec<Profile>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let after = after.map_or(uuid::Uuid::nil(), MemberId::as_uuid);
        let values = [
            Value::Uuid(after),
            Value::Text(key_id.into()),
            Value::Int(limit.into()),
        ];
        connection.fetch(*WRAPPED_BY_OTHERS, &values).await
    }

    /// How many of them there are.
    ///
    /// # Errors
    /// As any read.
    pub async fn profiles_to_rewrap_count(&self, key_id: &str) -> Result<i64, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let values = [Value::Text(key_id.into())];
        let found: Vec<Count> = connection.fetch(WRAPPED_BY_OTHERS_COUNT, &values).await?;
        Ok(found.first().map_or(0, |count| count.0))
    }

    /// Puts another wrapping in the place of a profile's, unless the profile was changed meanwhile; says
    /// whether it did. The ledger does not care: what is sealed stays the same.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn rewrap_profile(
        &self,
        profile: &Profile,
        key_id: &str,
        wrapped_key: &[u8],
    ) -> Result<bool, StoreError> {
        let mut connection = Connection::writing(self).await?;
        let values = [
            profile.member_id.to_value(),
            Value::Int(profile.version),
            Value::Text(key_id.into()),
            Value::Bytes(wrapped_key),
        ];
        let done: Vec<Found> = connection.fetch(REWRAP, &values).await?;
        Ok(!done.is_empty())
    }
}
