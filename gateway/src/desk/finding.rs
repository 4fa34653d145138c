//! Finding people and cards, and records that may be one person's.
//!
//! The database holds keyed hashes: an address or a name finds its owner, and cannot be listed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use data_encoding::HEXLOWER;
use jiff::civil::Date;
use ledger::member::{Card, CardKind};
use personal_data::{BirthDate, Email, FieldError, IndexKey, Kana, Phone};
use pos_protocol::MemberId;
use wallet_pass::CardNumber;

use crate::{
    claims,
    limits::MEMBERS_FOUND_MAX,
    store::{SameTerm, SearchTerm, Store, StoreError},
};

/// Groups read at once.
const PAGE_GROUPS: u32 = 200;

/// What a member told of itself.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    /// An e-mail address.
    Email(String),
    /// A telephone number.
    Phone(String),
    /// A name in kana, and perhaps a birthday.
    Kana(String, Option<String>),
}

/// Why nothing could be looked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    /// What is looked for is no address, number, name or day.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who told this, and who proved it.
pub(crate) async fn by_told(
    store: &Store,
    index: &IndexKey,
    today: Date,
    told: &Told,
) -> Result<BTreeMap<MemberId, &'static str>, FindError> {
    let (term, proved) = match told {
        Told::Email(text) => {
            let email = Email::parse(text)?;
            let key = claims::email(index, &email).key;
            (SearchTerm::Email(index.email_term(&email)), Some(key))
        }
        Told::Phone(text) => {
            let phone = Phone::parse(text)?;
            let key = claims::phone(index, &phone).key;
            (SearchTerm::Phone(index.phone_term(&phone)), Some(key))
        }
        Told::Kana(text, birthday) => {
            let kana = Kana::parse(text)?;
            let term = match birthday {
                Some(text) => {
                    let day = BirthDate::parse(text, today)?;
                    SearchTerm::Person(index.person_term(&kana, day))
                }
                None => SearchTerm::Kana(index.kana_term(&kana)),
            };
            (term, None)
        }
    };
    let told = store.members_by_term(term, MEMBERS_FOUND_MAX).await?;
    let mut found = BTreeMap::new();
    found.extend(told.into_iter().map(|id| (id, "told")));
    if let Some(key) = proved {
        let proved = store.member_by_identity(key).await?;
        found.extend(proved.map(|id| (id, "proved")));
    }
    Ok(found)
}

/// The card of a number: plastic, or a wallet pass.
pub(crate) async fn card_of_number(
    store: &Store,
    index: &IndexKey,
    number: &str,
) -> Result<Option<Card>, StoreError> {
    let plastic = claims::plastic(index, number);
    let pass = CardNumber::parse(number);
    let pass = pass.map(|pass| claims::wallet(index, pass.as_str()));
    let wanted: Vec<_> = [(Some(plastic), CardKind::Plastic), (pass, CardKind::Wallet)]
        .into_iter()
        .filter_map(|(card, kind)| card.map(|card| (card, kind)))
        .collect();
    let ids: BTreeSet<_> = wanted.iter().map(|(card, _)| card.card_id).collect();
    let found = store.cards(&ids).await?;
    let is = |row: &Card| {
        let same = |(card, kind): &(claims::NumberCard, CardKind)| {
            row.id == card.card_id && row.kind == *kind && row.public_key == card.key
        };
        wanted.iter().any(same)
    };
    Ok(found.into_iter().find(is))
}

/// The number of a record, and that of its person.
pub(crate) async fn numbers(store: &Store, id: MemberId) -> Result<(String, String), StoreError> {
    let records = store.records_of(id).await?;
    let number = |record: Option<&ledger::member::Member>| {
        record.map_or_else(String::new, |record| record.number.to_string())
    };
    let own = records.iter().find(|record| record.id == id);
    Ok((number(own), number(records.first())))
}

/// Where a list of members that may be one person goes on: after this group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupAfter {
    term: SameTerm,
    hash: [u8; 32],
}

const TERMS: [(SameTerm, &str); 3] = [
    (SameTerm::Person, "person"),
    (SameTerm::Email, "email"),
    (SameTerm::Phone, "phone"),
];

impl fmt::Display for GroupAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = TERMS.iter().find(|(term, _)| *term == self.term);
        let word = word.map_or("", |(_, word)| word);
        write!(f, "{word}-{}", HEXLOWER.encode(&self.hash))
    }
}

impl FromStr for GroupAfter {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let misread = "it is not the `next` of a list";
        let (word, hash) = text.split_once('-').ok_or(misread)?;
        let term = TERMS.iter().find(|(_, known)| *known == word);
        let hash = HEXLOWER.decode(hash.as_bytes()).map_err(|_| misread)?;
        Ok(Self {
            term: term.ok_or(misread)?.0,
            hash: hash.try_into().map_err(|_| misread)?,
        })
    }
}

/// Members that may be one person: their numbers, and the roots of their persons.
pub(crate) type Group = BTreeMap<String, MemberId>;

/// Tells `each` of members that may be one person, until it says false or so many groups were looked at. Says after
/// which group there may be more. Merges none.
pub(crate) async fn candidates(
    store: &Store,
    after: Option<GroupAfter>,
    groups_max: usize,
    mut each: impl FnMut(SameTerm, Group) -> bool,
) -> Result<Option<GroupAfter>, StoreError> {
    let mut looked_at = 0_usize;
    let begun = |term: &SameTerm| after.is_none_or(|after| after.term == *term);
    let terms = TERMS.iter().map(|(term, _)| *term);
    for term in terms.skip_while(|term| !begun(term)) {
        let mut hash = after
            .filter(|after| after.term == term)
            .map_or([0; 32], |after| after.hash);
        loop {
            let groups = store.members_alike(term, hash, PAGE_GROUPS).await?;
            if groups.is_empty() {
                break;
            }
            for (group, members) in groups {
                hash = group;
                let mut people = Group::new();
                for id in members {
                    let (root, number) = root(store, id).await?;
                    people.insert(number, root);
                }
                looked_at = looked_at.saturating_add(1);
                // Fewer were merged already.
                let go_on = people.len() < 2 || each(term, people);
                if !go_on || looked_at >= groups_max {
                    return Ok(Some(GroupAfter { term, hash }));
                }
            }
        }
    }
    Ok(None)
}

/// The root of a record's person, and its number.
async fn root(store: &Store, id: MemberId) -> Result<(MemberId, String), StoreError> {
    let records = store.records_of(id).await?;
    let root = records.first();
    Ok(root.map_or_else(
        || (id, String::new()),
        |root| (root.id, root.number.to_string()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_is_read_as_it_was_told() {
        for (term, _) in TERMS {
            let after = GroupAfter {
                term,
                hash: [171; 32],
            };
            assert_eq!(after.to_string().parse(), Ok(after));
        }
        for wrong in ["", "person", "person-00", "name-00", "person-zz"] {
            assert!(wrong.parse::<GroupAfter>().is_err(), "{wrong}");
        }
    }
}
