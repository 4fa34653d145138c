//! `gateway events`: the event log as CloudEvents, one JSON text a line.

use std::{collections::BTreeSet, time::Duration};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use member_card::ProgrammeId;
use pos_protocol::EventId;
use uuid::Uuid;

use super::{Failure, Settings, database::DatabaseArgs, output, who::Who};
use crate::{
    clock::Clock,
    cloud_event::CloudEvent,
    store::{EventFilter, PoolSizes, Store, StoreError, StoredEvent},
};

/// Events read at once.
const PAGE_EVENTS: u32 = 500;
/// How often `--follow` looks for new ones.
const POLL: Duration = Duration::from_millis(500);
/// An event's id tells when its command arrived; it is committed at most so much later.
const COMMIT_DELAY_S_MAX: i64 = 60;

#[derive(Debug, Args)]
pub(super) struct EventsArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Only this one, whole
    #[arg(long, value_name = "ID", conflicts_with_all = ["member", "kind", "since", "after", "limit", "follow"])]
    id: Option<EventId>,
    /// Only this member's (number or id)
    #[arg(long, value_name = "MEMBER")]
    member: Option<Who>,
    /// Only types that begin so, for example `purchase.`
    #[arg(
        long = "type",
        value_name = "PREFIX",
        default_value = "",
        hide_default_value = true
    )]
    kind: String,
    /// Only what happened then or later (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only what comes after this event
    #[arg(long, value_name = "ID")]
    after: Option<EventId>,
    /// At most so many: the first after --since or --after, else the newest [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Go on with what happens from now, until Ctrl-C
    #[arg(long)]
    follow: bool,
}

pub(super) async fn run(args: EventsArgs, settings: Settings) -> Result<(), Failure> {
    let sizes = PoolSizes { write: 1, read: 1 };
    let store = args.database.open(&settings, sizes).await?;
    let outcome = list(&store, args).await;
    store.close().await;
    outcome
}

async fn list(store: &Store, args: EventsArgs) -> Result<(), Failure> {
    let from_somewhere = args.after.is_some() || args.since.is_some();
    if args.follow && args.limit.is_some() && from_somewhere {
        return Err(Failure::Usage(
            "--follow goes on for ever: with --limit it starts at the newest events, not at --after or --since".into(),
        ));
    }
    let in_force = store.programme().await?.ok_or(StoreError::NoProgramme)?;
    if let Some(id) = args.id {
        let event = store.event(id).await?;
        let event = event.ok_or_else(|| Failure::Refused("there is no such event".into()))?;
        return output::json(&whole(event, &in_force.programme.id)?);
    }
    let member_id = match &args.member {
        Some(who) => Some(who.find(store).await?),
        None => None,
    };
    let mut filter = EventFilter {
        member_id,
        kind_prefix: args.kind,
        after: args.after,
        since: args.since,
    };
    let clock = Clock::system();
    let mut printer = Printer {
        programme: in_force.programme.id.clone(),
        told: BTreeSet::new(),
        late_from: late_from(clock.now()),
    };
    match args.limit {
        Some(limit) if !from_somewhere => {
            let began = first_id(clock.now());
            let newest = store.newest_events(&filter, limit).await?;
            // Events before those shown were not asked for, however late they come.
            filter.after = Some(newest.first().map_or(began, |event| before(event.id)));
            newest
                .into_iter()
                .try_for_each(|event| printer.print(event))?;
        }
        limit => {
            let given = filter.after;
            list_from(store, &mut filter, limit.unwrap_or(u32::MAX), &mut printer).await?;
            filter.after = given;
        }
    }
    if args.follow {
        follow(store, filter, printer, &clock).await?;
    }
    Ok(())
}

async fn list_from(
    store: &Store,
    filter: &mut EventFilter,
    mut left: u32,
    printer: &mut Printer,
) -> Result<(), Failure> {
    while left > 0 {
        let page = store.events(filter, left.min(PAGE_EVENTS)).await?;
        let count = u32::try_from(page.len()).unwrap_or(u32::MAX);
        filter.after = page.last().map(|event| event.id).or(filter.after);
        page.into_iter()
            .try_for_each(|event| printer.print(event))?;
        left = left.saturating_sub(count);
        if count < PAGE_EVENTS {
            break;
        }
    }
    Ok(())
}

fn whole(event: StoredEvent, programme: &ProgrammeId) -> Result<CloudEvent, StoreError> {
    let id = event.id;
    CloudEvent::whole(event, programme)
        .map_err(|error| StoreError::Corrupt(format!("the data of event {id}: {error}")))
}

/// Prints each event once.
struct Printer {
    programme: ProgrammeId,
    /// Ids that were printed and may be read again.
    told: BTreeSet<EventId>,
    /// Ids before this one are not read again.
    late_from: EventId,
}

impl Printer {
    fn print(&mut self, event: StoredEvent) -> Result<(), Failure> {
        let id = event.id;
        if id >= self.late_from && !self.told.insert(id) {
            return Ok(());
        }
        output::json(&whole(event, &self.programme)?)
    }

    /// Forgets what cannot be read again.
    fn forget_before(&mut self, late_from: EventId) {
        self.late_from = late_from;
        self.told = self.told.split_off(&late_from);
    }
}

/// Prints what comes. Reads again what may have been committed late, so that nothing is missed, and
/// tells nothing twice.
async fn follow(
    store: &Store,
    filter: EventFilter,
    mut printer: Printer,
    clock: &Clock,
) -> Result<(), Failure> {
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => return Ok(()),
            () = tokio::time::sleep(POLL) => {}
        }
        let late_from = late_from(clock.now());
        printer.forget_before(late_from);
        let mut page = EventFilter {
            after: filter.after.max(Some(before(late_from))),
            ..filter.clone()
        };
        list_from(store, &mut page, u32::MAX, &mut printer).await?;
    }
}

/// The first id that may still be committed.
fn late_from(now: Timestamp) -> EventId {
    let delay = SignedDuration::from_secs(COMMIT_DELAY_S_MAX);
    first_id(now.checked_sub(delay).unwrap_or(now))
}

/// The smallest id of its millisecond.
fn first_id(time: Timestamp) -> EventId {
    let ms = u128::try_from(time.as_millisecond()).unwrap_or_default();
    EventId::new(Uuid::from_u128(ms << 80))
}

fn before(id: EventId) -> EventId {
    EventId::new(Uuid::from_u128(id.as_uuid().as_u128().saturating_sub(1)))
}
