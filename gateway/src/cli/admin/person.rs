//! `gateway admin member`: persons. Merging and parting records, finding people, their personal data.
//!
//! Nothing is merged here without a reason, and no personal data is opened without a purpose; both stay on
//! record.

mod data;
mod find;
mod merge;

use clap::Subcommand;
use ledger::decision::Answer;
use pos_protocol::MemberId;
use serde_json::{Value, json};

use super::super::{Failure, Settings, output};
use crate::store::Person;

#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Merge a member into another: from then on they are one person
    Merge(merge::MergeArgs),
    /// Part a merged member again from the one it was merged into
    Unmerge(merge::UnmergeArgs),
    /// List members that may be one person; merges none
    Candidates(find::CandidatesArgs),
    /// Find members by what they told of themselves
    Find(find::FindArgs),
    /// Open a member's personal data; who did and what for stays on record
    Profile(data::OpenArgs),
    /// Print everything that is kept of a person; who did and what for stays on record
    Export(data::OpenArgs),
    /// Forget the person behind a member, for ever
    Erase(data::EraseArgs),
}

pub(super) async fn run(command: PersonCommand, settings: &Settings) -> Result<(), Failure> {
    match command {
        PersonCommand::Merge(args) => merge::merge(args, settings).await,
        PersonCommand::Unmerge(args) => merge::unmerge(args, settings).await,
        PersonCommand::Candidates(args) => find::candidates(args, settings).await,
        PersonCommand::Find(args) => find::find(args, settings).await,
        PersonCommand::Profile(args) => data::profile(args, settings).await,
        PersonCommand::Export(args) => data::export(args, settings).await,
        PersonCommand::Erase(args) => data::erase(args, settings).await,
    }
}

/// What the ledger says, for staff.
fn refused(answer: Answer) -> Failure {
    match answer {
        Answer::Denied(denial) => Failure::Refused(format!("refused: {}", denial.word())),
        Answer::Refused(reason) => Failure::Refused(format!("refused: {}", reason.word())),
        Answer::NotFound => Failure::Refused("there is no such member".into()),
        other => Failure::Refused(format!("unexpected answer: {other:?}")),
    }
}

/// What goes beyond the one record that is shown: the other records, and what leads to all of them.
pub(super) fn show_whole(shown: MemberId, person: &Person) -> Result<(), Failure> {
    if let Some(at) = person.root.erased_at {
        output::line(format!("erased    {at}"))?;
    }
    for record in person.records().filter(|record| record.id != shown) {
        let role = if record.id == person.root.id {
            "merged into"
        } else {
            "of the same person"
        };
        output::line(format!(
            "record    {} ({}), {role}: {} available, {} held, {} pending, {} owed",
            record.number, record.id, record.available, record.held, record.pending, record.owed
        ))?;
    }
    if person.others.is_empty() {
        return identities(person);
    }
    output::line(format!(
        "person    {} available, {} held, {} pending, {} owed in {} records",
        person.total(|record| record.available),
        person.total(|record| record.held),
        person.total(|record| record.pending),
        person.total(|record| record.owed),
        person.records().count()
    ))?;
    identities(person)
}

fn identities(person: &Person) -> Result<(), Failure> {
    for row in &person.identities {
        let state = row
            .revoked_at
            .map_or_else(String::new, |at| format!(", given up {at}"));
        let issuer = if row.issuer.is_empty() {
            String::new()
        } else {
            format!(" of {}", row.issuer)
        };
        output::line(format!(
            "identity  {}{issuer} {}, {} by {} at {}{state}",
            row.kind.word(),
            row.label,
            row.proof.word(),
            row.actor,
            row.proven_at
        ))?;
    }
    Ok(())
}

/// The person behind a record, as JSON.
pub(super) fn whole_json(person: &Person) -> Value {
    let records = person.records().map(|record| {
        json!({
            "member_id": record.id, "member_no": record.number.as_str(),
            "merged_into": record.merged_into, "available": record.available, "held": record.held,
            "pending": record.pending, "owed": record.owed, "earn_only_until": record.earn_only_until,
            "erased_at": record.erased_at,
        })
    });
    let identities = person.identities.iter().map(|row| {
        json!({
            "member_id": row.member_id, "kind": row.kind.word(), "issuer": row.issuer,
            "label": row.label, "proof": row.proof.word(), "actor": row.actor,
            "proven_at": row.proven_at, "revoked_at": row.revoked_at,
        })
    });
    json!({
        "member_no": person.root.number.as_str(),
        "records": records.collect::<Vec<_>>(),
        "identities": identities.collect::<Vec<_>>(),
    })
}
