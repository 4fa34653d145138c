//! Finding people, and records that may be one person's.
//!
//! The database holds keyed hashes: an address or a name finds its owner, and cannot be listed.

use std::collections::BTreeMap;

use clap::Args;
use ledger::calendar;
use pos_protocol::MemberId;
use serde_json::json;

use super::super::super::{
    Failure, Settings, database::DatabaseArgs, desk::Desk, output, secrets::SecretsArgs,
};
use crate::{
    desk::finding::{self, Told, numbers},
    store::{SameTerm, Store},
};

#[derive(Debug, Args)]
pub(crate) struct FindArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    secrets: SecretsArgs,
    #[command(flatten)]
    told: ToldArgs,
    /// Date of birth, with --kana
    #[arg(long, value_name = "DATE", requires = "kana")]
    birthday: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ToldArgs {
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
        let told = match (args.told.email, args.told.phone, args.told.kana) {
            (Some(email), ..) => Told::Email(email),
            (_, Some(phone), _) => Told::Phone(phone),
            (.., Some(kana)) => Told::Kana(kana, args.birthday),
            _ => return Err(Failure::Usage("say --email, --phone or --kana".into())),
        };
        let found = finding::by_told(&desk.store, index, today, &told).await;
        let found = found.map_err(|error| match error {
            finding::FindError::Store(error) => error.into(),
            finding::FindError::Field(error) => Failure::Usage(error.to_string()),
        })?;
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

pub(super) async fn candidates(args: CandidatesArgs, settings: &Settings) -> Result<(), Failure> {
    let desk = Desk::open(&args.database, settings).await?;
    let outcome = list_candidates(&desk.store, args.json).await;
    desk.close().await;
    outcome
}

async fn list_candidates(store: &Store, json: bool) -> Result<(), Failure> {
    let mut any = false;
    let mut told = Ok(());
    finding::candidates(store, None, usize::MAX, |term, people| {
        any = true;
        let why = match term {
            SameTerm::Person => "same name in kana and same birthday",
            SameTerm::Email => "same e-mail address in the profile",
            SameTerm::Phone => "same phone number in the profile",
        };
        let people: Vec<_> = people.into_keys().collect();
        told = if json {
            output::json(&json!({ "reason": why, "members": people }))
        } else {
            output::line(format!("{}: {why}", people.join(", ")))
        };
        told.is_ok()
    })
    .await?;
    told?;
    if any || json {
        return Ok(());
    }
    output::line("no members look like one person")
}
