//! Finding people, and records that may be one person's.
//!
//! The database holds keyed hashes: an address or a name finds its owner, and cannot be listed.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use ledger::calendar;
use personal_data::{BirthDate, Email, FieldError, Kana, Phone};
use pos_protocol::MemberId;
use serde_json::json;

use super::super::super::{
    Failure, Settings, database::DatabaseArgs, desk::Desk, output, secrets::SecretsArgs,
};
use crate::{
    claims,
    store::{SameTerm, SearchTerm, Store, StoreError},
};

/// Members found, at most.
const FOUND_MAX: u32 = 100;
/// Groups read at once.
const PAGE_GROUPS: u32 = 200;

#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    secrets: SecretsArgs,
    #[command(flatten)]
    told: Told,
    /// Date of birth, with --kana
    #[arg(long, value_name = "DATE", requires = "kana")]
    birthday: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Told {
    /// An e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// A telephone number
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// A name in kana
    #[arg(long, value_name = "NAME")]
    kana: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CandidatesArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print JSON, a line for each group
    #[arg(long)]
    json: bool,
}

pub(super) async fn find(args: FindArgs, settings: &Settings) -> Result<(), Failure> {
    let index = &args.secrets.read(settings)?.index;
    let desk = Desk::open(&args.database, settings).await?;
    let outcome = async {
        let today = calendar::today(&desk.programme().await?.programme, desk.clock.now());
        let wrong = |error: FieldError| Failure::Usage(error.to_string());
        let (term, proved) = match (&args.told.email, &args.told.phone, &args.told.kana) {
            (Some(text), ..) => {
                let email = Email::parse(text).map_err(wrong)?;
                let key = claims::email(index, &email).key;
                (SearchTerm::Email(index.email_term(&email)), Some(key))
            }
            (_, Some(text), _) => {
                let phone = Phone::parse(text).map_err(wrong)?;
                let key = claims::phone(index, &phone).key;
                (SearchTerm::Phone(index.phone_term(&phone)), Some(key))
            }
            (.., Some(text)) => {
                let kana = Kana::parse(text).map_err(wrong)?;
                let term = match &args.birthday {
                    Some(text) => {
                        let day = BirthDate::parse(text, today).map_err(wrong)?;
                        SearchTerm::Person(index.person_term(&kana, day))
                    }
                    None => SearchTerm::Kana(index.kana_term(&kana)),
                };
                (term, None)
            }
            _ => return Err(Failure::Usage("say --email, --phone or --kana".into())),
        };
        let told = desk.store.members_by_term(term, FOUND_MAX).await?;
        let mut found = BTreeMap::<MemberId, &str>::new();
        found.extend(told.into_iter().map(|id| (id, "told")));
        if let Some(key) = proved {
            let proved = desk.store.member_by_identity(key).await?;
            found.extend(proved.map(|id| (id, "proved")));
        }
        show_found(&desk.store, &found, args.json).await
    };
    let outcome = outcome.await;
    desk.close().await;
    outcome
}

async fn show_found(
    store: &Store,
    found: &BTreeMap<MemberId, &str>,
    json: bool,
) -> Result<(), Failure> {
    let mut rows = Vec::with_capacity(found.len());
    for (id, how) in found {
        let (number, person) = numbers(store, *id).await?;
        rows.push([number, id.to_string(), person, (*how).to_owned()]);
    }
    if json {
        let rows = rows.iter().map(|[number, id, person, how]| {
            json!({ "member_no": number, "member_id": id, "person_no": person, "how": how })
        });
        return output::json(&rows.collect::<Vec<_>>());
    }
    if rows.is_empty() {
        return output::line("nobody is found");
    }
    output::table(["NUMBER", "ID", "PERSON", "HOW"], rows)
}

/// The number of a record, and that of its person.
async fn numbers(store: &Store, id: MemberId) -> Result<(String, String), StoreError> {
    let records = store.records_of(id).await?;
    let number = |record: Option<&ledger::member::Member>| {
        record.map_or_else(String::new, |record| record.number.to_string())
    };
    let own = records.iter().find(|record| record.id == id);
    Ok((number(own), number(records.first())))
}

pub(super) async fn candidates(args: CandidatesArgs, settings: &Settings) -> Result<(), Failure> {
    let desk = Desk::open(&args.database, settings).await?;
    let outcome = list_candidates(&desk.store, args.json).await;
    desk.close().await;
    outcome
}

async fn list_candidates(store: &Store, json: bool) -> Result<(), Failure> {
    let mut any = false;
    for (term, why) in [
        (SameTerm::Person, "same name in kana and same birthday"),
        (SameTerm::Email, "same e-mail address in the profile"),
        (SameTerm::Phone, "same phone number in the profile"),
    ] {
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
                // Merged already.
                if people.len() < 2 {
                    continue;
                }
                any = true;
                if json {
                    output::json(&json!({ "reason": why, "members": people }))?;
                } else {
                    let people: Vec<_> = people.into_iter().collect();
                    output::line(format!("{}: {why}", people.join(", ")))?;
                }
            }
        }
    }
    if any || json {
        return Ok(());
    }
    output::line("no members look like one person")
}
