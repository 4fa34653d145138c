//! `gateway admin member`: looking at members, granting and taking points, blocking.

use clap::{Args, Subcommand};
use ledger::{
    account::Transfer,
    command::{Adjustment, Direction, Operation},
    decision::Answer,
    lot::Lot,
    programme::BASE_CLASS,
};
use pos_protocol::{Points, StoreId};
use serde_json::json;

use super::super::{
    Failure, Settings,
    database::DatabaseArgs,
    desk::{self, Desk},
    output,
    who::Who,
};
use super::person::{self, PersonCommand};
use crate::{
    desk::{ScopeError, scope},
    store::{MemberRecord, Person},
};

/// Movements shown with a member.
const HISTORY_SHOWN: u32 = 20;

#[derive(Debug, Subcommand)]
pub(crate) enum MemberCommand {
    /// Show a member's points, lots, cards and newest movements
    Show(ShowArgs),
    /// Grant or take points
    Adjust(AdjustArgs),
    /// Block a member: earns nothing, spends nothing
    Block(BlockArgs),
    /// Let a blocked member take part again
    Unblock(BlockArgs),
    #[command(flatten)]
    Person(PersonCommand),
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The member, by number or id
    #[arg(long, value_name = "MEMBER")]
    member: Who,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AdjustArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The member, by number or id
    #[arg(long, value_name = "MEMBER")]
    member: Who,
    #[command(flatten)]
    amount: Amount,
    /// Class of the points granted
    #[arg(long, default_value = BASE_CLASS, conflicts_with = "take")]
    class: String,
    /// Only to be spent at these stores; several with commas
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "ID",
        conflicts_with = "take"
    )]
    only_stores: Vec<StoreId>,
    /// Only to be spent on goods of these categories; several with commas
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "NAME",
        conflicts_with = "take"
    )]
    only_categories: Vec<String>,
    /// Why, in words; kept with the movement and told to the CRM: nothing personal
    #[arg(long, value_parser = desk::remark)]
    reason: String,
    /// Who does it, for the record [default: cli:USER]
    #[arg(long, value_name = "NAME", value_parser = desk::remark)]
    actor: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Amount {
    /// Points to grant
    #[arg(long, value_name = "POINTS")]
    grant: Option<i64>,
    /// Points to take, soonest expiry first
    #[arg(long, value_name = "POINTS")]
    take: Option<i64>,
}

#[derive(Debug, Args)]
pub(crate) struct BlockArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The member, by number or id
    #[arg(long, value_name = "MEMBER")]
    member: Who,
    /// Why, in words; kept in the log and told to the CRM: nothing personal
    #[arg(long, value_parser = desk::remark)]
    reason: String,
    /// Who does it, for the record [default: cli:USER]
    #[arg(long, value_name = "NAME", value_parser = desk::remark)]
    actor: Option<String>,
}

pub(super) async fn run(command: MemberCommand, settings: &Settings) -> Result<(), Failure> {
    let command = match command {
        MemberCommand::Person(command) => return person::run(command, settings).await,
        command => command,
    };
    let database = match &command {
        MemberCommand::Show(args) => &args.database,
        MemberCommand::Adjust(args) => &args.database,
        MemberCommand::Block(args) | MemberCommand::Unblock(args) => &args.database,
        MemberCommand::Person(_) => return Ok(()),
    };
    let desk = Desk::open(database, settings).await?;
    let outcome = match command {
        MemberCommand::Show(args) => show(&desk, args).await,
        MemberCommand::Adjust(args) => adjust(&desk, args).await,
        MemberCommand::Block(args) => set_blocked(&desk, args, true).await,
        MemberCommand::Unblock(args) => set_blocked(&desk, args, false).await,
        MemberCommand::Person(_) => Ok(()),
    };
    desk.close().await;
    outcome
}

async fn show(desk: &Desk, args: ShowArgs) -> Result<(), Failure> {
    let id = args.member.find(&desk.store).await?;
    let record = desk.store.member(id).await?;
    let record = record.ok_or_else(|| Failure::Refused("there is no such member".into()))?;
    let history = desk.store.history(id, None, HISTORY_SHOWN).await?;
    let whole = desk.store.person(id).await?;
    if args.json {
        return show_json(&record, whole.as_ref(), &history);
    }
    show_head(&record)?;
    whole
        .as_ref()
        .map_or(Ok(()), |whole| person::show_whole(id, whole))?;
    output::line("")?;
    show_lots(&record.lots)?;
    output::line("")?;
    show_history(&history)
}

fn show_head(record: &MemberRecord) -> Result<(), Failure> {
    let MemberRecord { member, cards, .. } = record;
    output::line(format!("member    {} ({})", member.number, member.id))?;
    output::line(format!(
        "status    {}, rank {}",
        member.status.word(),
        member.rank
    ))?;
    output::line(format!(
        "points    {} available, {} held in {} baskets, {} pending, {} owed",
        member.available, member.held, member.open_holds, member.pending, member.owed
    ))?;
    for card in cards {
        output::line(format!(
            "card      {} ({} {}) since {}",
            card.id,
            card.status.word(),
            card.kind.word(),
            card.enrolled_at
        ))?;
    }
    Ok(())
}

fn show_lots(lots: &[Lot]) -> Result<(), Failure> {
    output::table(
        [
            "LOT",
            "CLASS",
            "AVAILABLE",
            "HELD",
            "PENDING",
            "EXPIRES",
            "ONLY",
        ],
        lots.iter().map(|lot| {
            [
                lot.id.to_string(),
                lot.key.class.clone(),
                lot.available.to_string(),
                lot.held.to_string(),
                lot.pending.to_string(),
                lot.key
                    .expires_on
                    .map_or("never".into(), |day| day.to_string()),
                scope_words(lot),
            ]
        }),
    )
}

fn show_history(history: &[Transfer]) -> Result<(), Failure> {
    output::table(
        ["TIME", "WHY", "POINTS", "FROM", "TO", "STORE"],
        history.iter().map(|transfer| {
            [
                transfer.at.to_string(),
                transfer.motive.word().to_owned(),
                transfer.points.to_string(),
                transfer.debit.word().to_owned(),
                transfer.credit.word().to_owned(),
                transfer
                    .store_id
                    .as_ref()
                    .map_or("-".into(), ToString::to_string),
            ]
        }),
    )
}

fn scope_words(lot: &Lot) -> String {
    let stores = lot.key.scope.stores.iter().map(ToString::to_string);
    let all: Vec<_> = stores
        .chain(lot.key.scope.categories.iter().cloned())
        .collect();
    if all.is_empty() {
        "-".into()
    } else {
        all.join(", ")
    }
}

fn show_json(
    record: &MemberRecord,
    whole: Option<&Person>,
    history: &[Transfer],
) -> Result<(), Failure> {
    let MemberRecord {
        member,
        lots,
        cards,
    } = record;
    let lots: Vec<_> = lots
        .iter()
        .map(|lot| {
            json!({
                "lot_id": lot.id, "class": lot.key.class, "expires_on": lot.key.expires_on,
                "scope": lot.key.scope, "granted": lot.granted, "available": lot.available,
                "held": lot.held, "pending": lot.pending, "origin": lot.origin,
                "programme_version": lot.programme_version,
            })
        })
        .collect();
    let cards: Vec<_> = cards
        .iter()
        .map(|card| {
            json!({
                "card_id": card.id, "kind": card.kind.word(), "status": card.status.word(),
                "enrolled_at": card.enrolled_at, "revoked_at": card.revoked_at,
            })
        })
        .collect();
    let history: Vec<_> = history
        .iter()
        .map(|transfer| {
            json!({
                "transfer_id": transfer.id, "at": transfer.at, "motive": transfer.motive.word(),
                "points": transfer.points, "debit": transfer.debit.word(),
                "credit": transfer.credit.word(), "lot_id": transfer.lot_id,
                "source": transfer.source, "store_id": transfer.store_id,
                "business_date": transfer.business_date,
            })
        })
        .collect();
    output::json(&json!({
        "member_id": member.id,
        "member_no": member.number.as_str(),
        "status": member.status.word(),
        "rank": member.rank,
        "points": {
            "available": member.available, "held": member.held,
            "pending": member.pending, "owed": member.owed,
        },
        "open_holds": member.open_holds,
        "enrolled_at": member.enrolled_at,
        "lots": lots,
        "cards": cards,
        "person": whole.map(person::whole_json),
        "history": history,
    }))
}

async fn adjust(desk: &Desk, args: AdjustArgs) -> Result<(), Failure> {
    let (direction, number) = match (args.amount.grant, args.amount.take) {
        (Some(number), None) => (Direction::Grant, number),
        (None, Some(number)) => (Direction::Take, number),
        _ => return Err(Failure::Usage("say --grant or --take".into())),
    };
    let points = Points::new(number).map_err(|error| Failure::Usage(error.to_string()))?;
    let member_id = args.member.find(&desk.store).await?;
    let class = args.class;
    let unknown = direction == Direction::Grant
        && desk
            .programme()
            .await?
            .programme
            .classes
            .get(&class)
            .is_none();
    if unknown {
        return Err(Failure::Refused(format!(
            "the programme has no class \"{class}\""
        )));
    }
    let scope = scope(&desk.store, args.only_stores, args.only_categories).await;
    let scope = scope.map_err(|error| match error {
        ScopeError::Store(error) => Failure::from(error),
        why => Failure::Refused(why.to_string()),
    })?;
    let operation = Operation::Adjust(Adjustment {
        member_id,
        direction,
        points,
        class,
        scope,
        reason: args.reason,
        actor: desk::actor(args.actor),
    });
    done(desk.submit(operation, Some(member_id)).await?)?;
    let record = desk.store.member(member_id).await?;
    let available = record.map_or(Points::ZERO, |record| record.member.available);
    let verb = match direction {
        Direction::Grant => "granted",
        Direction::Take => "taken",
    };
    output::line(format!(
        "{points} points {verb}; {available} are available now"
    ))
}

async fn set_blocked(desk: &Desk, args: BlockArgs, blocked: bool) -> Result<(), Failure> {
    let member_id = args.member.find(&desk.store).await?;
    let operation = Operation::SetBlocked {
        member_id,
        blocked,
        reason: args.reason,
        actor: desk::actor(args.actor),
    };
    done(desk.submit(operation, Some(member_id)).await?)?;
    output::line(if blocked {
        "the member is blocked"
    } else {
        "the member takes part"
    })
}

fn done(answer: Answer) -> Result<(), Failure> {
    match answer {
        Answer::Done => Ok(()),
        Answer::Refused(reason) => Err(Failure::Refused(format!("refused: {}", reason.word()))),
        Answer::Denied(denial) => Err(Failure::Refused(format!("refused: {}", denial.word()))),
        Answer::NotFound => Err(Failure::Refused("there is no such member or class".into())),
        other => Err(Failure::Refused(format!("unexpected answer: {other:?}"))),
    }
}
