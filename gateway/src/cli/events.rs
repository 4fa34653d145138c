//! `gateway events`: the event log as CloudEvents, one JSON text a line; or once more to the broker.

mod list;
mod replay;

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use member_card::ProgrammeId;
use pos_protocol::EventId;

use self::{
    list::{Printer, Sink},
    replay::Replay,
};
use super::{Failure, Settings, broker::BrokerArgs, database::DatabaseArgs, output, who::Who};
use crate::{
    cloud_event::CloudEvent,
    outbox::Broker,
    store::{EventFilter, Places, PoolSizes, Store, StoreError, StoredEvent},
};

/// Events read at once.
const PAGE_EVENTS: u32 = 500;

#[derive(Debug, Args)]
pub(super) struct EventsArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    #[command(flatten)]
    which: Which,
    /// At most so many: the first after --since, --after or --from-sequence, else the newest [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Go on with what happens from now, until Ctrl-C
    #[arg(long, conflicts_with_all = ["id", "until", "from_sequence", "to_sequence", "output", "replay"])]
    follow: bool,
    /// Write into this new file instead of standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "replay"])]
    output: Option<PathBuf>,
    /// Send them to the broker once more, with their ids and places, instead of printing them
    #[arg(long, conflicts_with = "after")]
    replay: bool,
}

#[derive(Debug, Args)]
struct Which {
    /// Only this one
    #[arg(long, value_name = "ID", conflicts_with_all = ["member", "kind", "since", "until", "after", "from_sequence", "to_sequence", "limit"])]
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
    /// Only what happened before then (RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Only what comes after this event
    #[arg(long, value_name = "ID")]
    after: Option<EventId>,
    /// Only from this place in the published stream on, in that order
    #[arg(long, value_name = "N", conflicts_with = "after", value_parser = clap::value_parser!(i64).range(1..))]
    from_sequence: Option<i64>,
    /// Only up to this place in the published stream, in that order
    #[arg(long, value_name = "N", conflicts_with = "after", value_parser = clap::value_parser!(i64).range(1..))]
    to_sequence: Option<i64>,
}

pub(super) async fn run(args: EventsArgs, settings: Settings) -> Result<(), Failure> {
    let broker = match args.replay {
        false => None,
        true => {
            let broker = args.broker.broker(&settings)?;
            Some(
                broker
                    .ok_or_else(|| Failure::Usage("replay to where? Say --amqp-url URL".into()))?,
            )
        }
    };
    let from_somewhere = args.which.after.is_some() || args.which.since.is_some();
    if args.follow && args.limit.is_some() && from_somewhere {
        return Err(Failure::Usage(
            "--follow goes on for ever: with --limit it starts at the newest events, not at --after or --since".into(),
        ));
    }
    let sizes = PoolSizes { write: 1, read: 1 };
    let store = args.database.open(&settings, sizes).await?;
    let outcome = tell(&store, args, broker.as_ref()).await;
    store.close().await;
    outcome
}

async fn tell(store: &Store, args: EventsArgs, broker: Option<&Broker>) -> Result<(), Failure> {
    let in_force = store.programme().await?.ok_or(StoreError::NoProgramme)?;
    let programme = in_force.programme.id.clone();
    if let (Some(id), None) = (args.which.id, broker) {
        return output::json(&whole(one(store, id).await?, &programme)?);
    }
    let places = args.which.places(store, args.replay).await?;
    let filter = args.which.filter(store).await?;
    if let Some(broker) = broker {
        let replay = Replay {
            store,
            programme: &programme,
            filter,
            places: places.unwrap_or(Places { first: 1, last: 0 }),
            left: args.limit.unwrap_or(u32::MAX),
        };
        return replay.run(broker).await;
    }
    let sink = Sink::open(args.output.as_deref())?;
    let mut printer = Printer::new(programme, sink);
    printer = match places {
        Some(places) => {
            list::by_place(store, &filter, places, args.limit, &mut printer).await?;
            printer
        }
        None => list::by_time(store, filter, args.limit, args.follow, printer).await?,
    };
    let count = printer.finish()?;
    match args.output {
        Some(file) => output::line(format!("{count} events in {}", file.display())),
        None => Ok(()),
    }
}

impl Which {
    async fn filter(self, store: &Store) -> Result<EventFilter, Failure> {
        let member_id = match &self.member {
            Some(who) => Some(who.find(store).await?),
            None => None,
        };
        Ok(EventFilter {
            member_id,
            kind_prefix: self.kind,
            after: self.after,
            since: self.since,
            until: self.until,
        })
    }

    /// The places that are asked for; none if the order is that of time. What gets a place meanwhile is
    /// not among them, so that there is an end.
    async fn places(&self, store: &Store, replay: bool) -> Result<Option<Places>, Failure> {
        if let (Some(id), true) = (self.id, replay) {
            let place = one(store, id).await?.stream_sequence;
            let place = place.ok_or_else(|| {
                Failure::Refused("this event was never sent; the relay will send it".into())
            })?;
            let (first, last) = (place, place);
            return Ok(Some(Places { first, last }));
        }
        if !replay && self.from_sequence.is_none() && self.to_sequence.is_none() {
            return Ok(None);
        }
        let newest = store.last_place().await?;
        Ok(Some(Places {
            first: self.from_sequence.unwrap_or(1),
            last: self.to_sequence.unwrap_or(newest).min(newest),
        }))
    }
}

async fn one(store: &Store, id: EventId) -> Result<StoredEvent, Failure> {
    let event = store.event(id).await?;
    event.ok_or_else(|| Failure::Refused("there is no such event".into()))
}

fn whole(event: StoredEvent, programme: &ProgrammeId) -> Result<CloudEvent, StoreError> {
    let id = event.id;
    CloudEvent::whole(event, programme)
        .map_err(|error| StoreError::Corrupt(format!("the data of event {id}: {error}")))
}
