//! Personal data for staff: opened with a purpose, handed out, or destroyed.

use clap::Args;
use ledger::{
    command::{Erasure, Operation},
    decision::Answer,
};
use serde_json::json;

use super::{
    super::super::{
        Failure, Settings,
        database::DatabaseArgs,
        desk::{self, Desk},
        output,
        secrets::SecretsArgs,
        who::Who,
    },
    refused,
};
use crate::{
    person::{export, profile},
    secrets::Secrets,
    store::{Access, Person},
};

#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    secrets: SecretsArgs,
    /// The member, by number or id
    #[arg(long, value_name = "MEMBER")]
    member: Who,
    /// What for, in words; kept for ever and shown to the member: nothing personal
    #[arg(long, value_parser = desk::remark)]
    purpose: String,
    /// Who does it, for the record [default: cli:USER]
    #[arg(long, value_name = "NAME", value_parser = desk::remark)]
    actor: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The member, by number or id
    #[arg(long, value_name = "MEMBER")]
    member: Who,
    /// Why, in words; kept and told to the CRM: nothing personal
    #[arg(long, value_parser = desk::remark)]
    reason: String,
    /// Who does it, for the record [default: cli:USER]
    #[arg(long, value_name = "NAME", value_parser = desk::remark)]
    actor: Option<String>,
    /// That you mean it: it cannot be undone
    #[arg(long)]
    yes: bool,
}

pub(super) async fn profile(args: OpenArgs, settings: &Settings) -> Result<(), Failure> {
    let secrets = args.secrets.read(settings)?;
    let desk = Desk::open(&args.database, settings).await?;
    let outcome = async {
        let person = opened(&desk, args, "profile").await?;
        let mut all = Vec::new();
        for row in desk.store.profiles(&person.ids()).await? {
            let open = profile::open(&secrets, &row);
            let open = open.map_err(|error| Failure::Refused(error.to_string()))?;
            all.push(json!({
                "member_id": row.member_id,
                "version": row.version,
                "changed_at": row.changed_at,
                "profile": open.to_export(),
            }));
        }
        output::json(&json!({ "member_no": person.root.number.as_str(), "profiles": all }))
    };
    let outcome = outcome.await;
    desk.close().await;
    outcome
}

pub(super) async fn export(args: OpenArgs, settings: &Settings) -> Result<(), Failure> {
    let secrets = args.secrets.read(settings)?;
    let desk = Desk::open(&args.database, settings).await?;
    let outcome = export_at(&desk, args, &secrets).await;
    desk.close().await;
    outcome
}

async fn export_at(desk: &Desk, args: OpenArgs, secrets: &Secrets) -> Result<(), Failure> {
    let person = opened(desk, args, "export").await?;
    let all = export::of(&desk.store, Some(secrets), &person, desk.clock.now()).await;
    let all = all.map_err(|error| match error {
        export::ExportError::Store(error) => Failure::Store(error),
        error => Failure::Refused(error.to_string()),
    })?;
    output::json(&all)
}

/// The person, once it is on record who opens its data and what for.
async fn opened(desk: &Desk, args: OpenArgs, what: &str) -> Result<Person, Failure> {
    let id = args.member.find(&desk.store).await?;
    let person = desk.store.person(id).await?;
    let person = person.ok_or_else(|| Failure::Refused("there is no such member".into()))?;
    let actor = desk::actor(args.actor);
    for member_id in person.ids() {
        let access = Access {
            id: desk.clock.new_id(),
            at: desk.clock.now(),
            member_id,
            actor: actor.clone(),
            what: what.to_owned(),
            purpose: args.purpose.clone(),
        };
        desk.store.note_access(&access).await?;
    }
    Ok(person)
}

pub(super) async fn erase(args: EraseArgs, settings: &Settings) -> Result<(), Failure> {
    if !args.yes {
        return Err(Failure::Usage(
            "what is erased cannot be brought back; say --yes".into(),
        ));
    }
    let desk = Desk::open(&args.database, settings).await?;
    let outcome = async {
        let member_id = args.member.find(&desk.store).await?;
        let erasure = Erasure {
            member_id,
            reason: args.reason,
            actor: desk::actor(args.actor),
        };
        let operation = Operation::Erase(Box::new(erasure));
        match desk.submit(operation, Some(member_id)).await? {
            Answer::Done => output::line("the person is forgotten; what was booked stays"),
            other => Err(refused(other)),
        }
    };
    let outcome = outcome.await;
    desk.close().await;
    outcome
}
