//! Merging two members, and parting them again.

use std::collections::BTreeSet;

use clap::Args;
use ledger::{
    command::{Merging, Operation, Unmerging},
    decision::Answer,
    lot::Lot,
};
use pos_protocol::MemberId;
use serde_json::{Value, json};

use super::{
    super::super::{
        Failure, Settings,
        database::DatabaseArgs,
        desk::{self, Desk},
        output,
        who::Who,
    },
    refused,
};
use crate::{
    desk::merging::{Lent, lent_across, side_of},
    person::export,
    store::{Person, Store},
};

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The member that becomes an alias, by number or id
    #[arg(long, value_name = "MEMBER")]
    member: Who,
    /// The member that stays
    #[arg(long, value_name = "MEMBER")]
    into: Who,
    /// Why, in words; kept and told to the CRM: nothing personal
    #[arg(long, value_parser = desk::remark)]
    reason: String,
    /// Who does it, for the record [default: cli:USER]
    #[arg(long, value_name = "NAME", value_parser = desk::remark)]
    actor: Option<String>,
    /// Only show both sides
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UnmergeArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The member that was merged into another, by number or id
    #[arg(long, value_name = "MEMBER")]
    member: Who,
    /// Why, in words; kept and told to the CRM: nothing personal
    #[arg(long, value_parser = desk::remark)]
    reason: String,
    /// Who does it, for the record [default: cli:USER]
    #[arg(long, value_name = "NAME", value_parser = desk::remark)]
    actor: Option<String>,
    /// Only show what would be parted
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn merge(args: MergeArgs, settings: &Settings) -> Result<(), Failure> {
    let desk = Desk::open(&args.database, settings).await?;
    let outcome = merge_at(&desk, args).await;
    desk.close().await;
    outcome
}

async fn merge_at(desk: &Desk, args: MergeArgs) -> Result<(), Failure> {
    let member_id = args.member.find(&desk.store).await?;
    let into = args.into.find(&desk.store).await?;
    let sides = [
        ("alias", person(&desk.store, member_id).await?),
        ("stays", person(&desk.store, into).await?),
    ];
    if args.json {
        let [alias, stays] = &sides;
        output::json(&json!({ "alias": side_json(&alias.1), "stays": side_json(&stays.1) }))?;
    } else {
        for (role, person) in &sides {
            show_side(role, person)?;
        }
    }
    if args.dry_run {
        return Ok(());
    }
    let merging = Merging {
        member_id,
        into,
        reason: args.reason,
        actor: desk::actor(args.actor),
    };
    let operation = Operation::Merge(Box::new(merging));
    match desk.submit(operation, Some(into)).await? {
        Answer::Linked { member_id, .. } if args.json => {
            output::json(&json!({ "merged_into": member_id }))
        }
        Answer::Linked { member_id, .. } => output::line(format!("both are {member_id} now")),
        other => Err(refused(other)),
    }
}

async fn person(store: &Store, id: MemberId) -> Result<Person, Failure> {
    let person = store.person(id).await?;
    person.ok_or_else(|| Failure::Refused("there is no such member".into()))
}

fn side_json(person: &Person) -> Value {
    json!({
        "person": super::whole_json(person),
        "cards": person.cards.len(),
        "lots": person.lots.iter().map(export::lot).collect::<Vec<_>>(),
    })
}

fn show_side(role: &str, person: &Person) -> Result<(), Failure> {
    output::line(format!(
        "{role:9} {} ({}), {}, rank {}, {} records, {} cards, {} identities",
        person.root.number,
        person.root.id,
        person.root.status.word(),
        person.root.rank,
        person.records().count(),
        person.cards.len(),
        person.identities.len()
    ))?;
    output::line(format!(
        "          {} available, {} held, {} pending, {} owed",
        person.total(|record| record.available),
        person.total(|record| record.held),
        person.total(|record| record.pending),
        person.total(|record| record.owed)
    ))?;
    let lots = person.lots.iter().map(|lot| {
        [
            lot.id.to_string(),
            lot.key.class.clone(),
            lot.available.to_string(),
            lot.held.to_string(),
            lot.pending.to_string(),
            last_day(lot),
        ]
    });
    output::table(
        ["LOT", "CLASS", "AVAILABLE", "HELD", "PENDING", "EXPIRES"],
        lots,
    )
}

fn last_day(lot: &Lot) -> String {
    lot.key
        .expires_on
        .map_or("never".into(), |day| day.to_string())
}

pub(super) async fn unmerge(args: UnmergeArgs, settings: &Settings) -> Result<(), Failure> {
    let desk = Desk::open(&args.database, settings).await?;
    let outcome = unmerge_at(&desk, args).await;
    desk.close().await;
    outcome
}

async fn unmerge_at(desk: &Desk, args: UnmergeArgs) -> Result<(), Failure> {
    let member_id = args.member.find(&desk.store).await?;
    let whole = person(&desk.store, member_id).await?;
    let alias = whole
        .record(member_id)
        .filter(|row| row.merged_into.is_some());
    if alias.is_none() {
        return Err(Failure::Refused("refused: not_merged".into()));
    }
    let side = side_of(member_id, &whole);
    let lent = lent_across(&desk.store, &whole, member_id, &side).await?;
    if !args.dry_run {
        let unmerging = Unmerging {
            member_id,
            reason: args.reason.clone(),
            actor: desk::actor(args.actor.clone()),
        };
        let operation = Operation::Unmerge(Box::new(unmerging));
        let answer = desk.submit(operation, Some(member_id)).await?;
        if answer != Answer::Done {
            return Err(refused(answer));
        }
    }
    // What fell due was settled before both were parted.
    let parted = person(&desk.store, member_id).await?;
    report(&parted, &side, &lent, &args)
}

fn report(
    parted: &Person,
    side: &BTreeSet<MemberId>,
    lent: &[Lent],
    args: &UnmergeArgs,
) -> Result<(), Failure> {
    let of_side = |lot: &&Lot| side.contains(&lot.member_id);
    let left: Vec<&Lot> = parted.lots.iter().filter(of_side).collect();
    if args.json {
        let lots = left.iter().map(|lot| export::lot(lot));
        let lent = lent.iter().map(|row| {
            json!({
                "lot_id": row.lot_id, "of_member_id": row.lender, "by_member_id": row.borrower,
                "points": row.points, "by_the_parted": side.contains(&row.borrower),
            })
        });
        return output::json(&json!({
            "parted": !args.dry_run,
            "records": side,
            "lots": lots.collect::<Vec<_>>(),
            "spent_across": lent.collect::<Vec<_>>(),
        }));
    }
    output::line(if args.dry_run {
        "what would be parted: lots that stay with the member"
    } else {
        "parted; lots that stay with the member"
    })?;
    let lots = left.iter().map(|lot| {
        [
            lot.id.to_string(),
            lot.key.class.clone(),
            lot.granted.to_string(),
            lot.available.to_string(),
            lot.held.to_string(),
            lot.pending.to_string(),
            last_day(lot),
        ]
    });
    output::table(
        [
            "LOT",
            "CLASS",
            "GRANTED",
            "AVAILABLE",
            "HELD",
            "PENDING",
            "EXPIRES",
        ],
        lots,
    )?;
    output::line("spent or held across the two since the merge; it is not moved back")?;
    let rows = lent.iter().map(|row| {
        let who = if side.contains(&row.borrower) {
            "it spent of theirs"
        } else {
            "they spent of its"
        };
        [
            row.lot_id.to_string(),
            row.lender.to_string(),
            row.borrower.to_string(),
            row.points.to_string(),
            who.to_owned(),
        ]
    });
    output::table(["LOT", "OF", "BY", "POINTS", "WHICH WAY"], rows)
}
