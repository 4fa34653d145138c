//! Finding people and cards, and records that may be one person's.
//!
//! The database holds keyed hashes: an address or a name finds its owner, and cannot be listed.

use std::collections::{BTreeMap, BTreeSet};

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

/// Tells `each` of members that may be one person, by number, until it says false. Merges none.
pub(crate) async fn candidates(
    store: &Store,
    mut each: impl FnMut(SameTerm, BTreeSet<String>) -> bool,
) -> Result<(), StoreError> {
    for term in [SameTerm::Person, SameTerm::Email, SameTerm::Phone] {
        let mut after = [0; 32];
        loop {
            let groups = store.members_alike(term, after, PAGE_GROUPS).await?;
            let Some(last) = groups.last() else { break };
            after = last.0;
            for (_, members) in groups {
                let mut people = BTreeSet::new();
                for id in members {
                    people.insert(numbers(store, id).await?.1);
                }
                // Fewer were merged already.
                if people.len() >= 2 && !each(term, people) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}
