//! Events once more to the exchange: the same messages, ids and places, so that consumers know them.
//!
//! Only what has a place in the stream is sent; the rest is the relay's. Nothing is written: neither
//! the outbox nor the places are touched, and a relay may run meanwhile. Every queue that is bound gets
//! the messages, not only the one that misses them.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use member_card::ProgrammeId;

use super::{super::output, Failure, PAGE_EVENTS};
use crate::{
    clock,
    limits::RELAY_IN_FLIGHT_EVENTS_MAX,
    outbox::{Broker, BrokerError, EXCHANGE, Fate, Message, Publisher},
    store::{EventFilter, Places, Store, StoreError, StoredEvent},
};

/// How often a connection is asked whether it stands.
const CHECK: Duration = Duration::from_millis(500);

/// What is replayed.
pub(super) struct Replay<'a> {
    pub(super) store: &'a Store,
    pub(super) programme: &'a ProgrammeId,
    pub(super) filter: EventFilter,
    pub(super) places: Places,
    pub(super) left: u32,
}

/// What became of the messages.
#[derive(Debug, Default)]
struct Tally {
    confirmed: u64,
    returned: u64,
    refused: u64,
    /// Places of messages whose fate is not known.
    in_flight: BTreeSet<i64>,
    /// Everything before this place was sent.
    next: i64,
}

impl Replay<'_> {
    /// Sends everything and says what became of it. A message that no queue took is a no.
    pub(super) async fn run(mut self, broker: &Broker) -> Result<(), Failure> {
        let mut publisher = Publisher::connect(broker).await.map_err(away)?;
        let mut tally = Tally {
            next: self.places.first,
            ..Tally::default()
        };
        let sent = self.send(&mut publisher, &mut tally).await;
        publisher.close().await;
        let (confirmed, returned, refused) = (tally.confirmed, tally.returned, tally.refused);
        output::line(format!(
            "{confirmed} confirmed, {returned} returned, {refused} refused"
        ))?;
        if let Err(failure) = sent {
            let from = tally.in_flight.first().copied().unwrap_or(tally.next);
            output::line(format!(
                "not finished; go on with --from-sequence {from}: what comes twice is known by its id"
            ))?;
            return Err(failure);
        }
        if returned > 0 {
            output::line(format!(
                "no queue is bound to {EXCHANGE} for what was returned"
            ))?;
        }
        if returned > 0 || refused > 0 {
            return Err(Failure::Told);
        }
        Ok(())
    }

    async fn send(&mut self, publisher: &mut Publisher, tally: &mut Tally) -> Result<(), Failure> {
        let mut page = VecDeque::new();
        loop {
            while page.is_empty() && self.left > 0 && !self.places.is_empty() {
                page = self.page().await?;
            }
            while publisher.accepts() && publisher.in_flight() < RELAY_IN_FLIGHT_EVENTS_MAX {
                let Some(event) = page.pop_front() else { break };
                let (id, place) = (event.id, event.stream_sequence.unwrap_or_default());
                let message = Message::new(event, self.programme).map_err(|error| {
                    StoreError::Corrupt(format!("the data of event {id}: {error}"))
                })?;
                tally.in_flight.insert(place);
                tally.next = place.saturating_add(1);
                publisher.publish(place, message);
            }
            if publisher.in_flight() == 0 && page.is_empty() {
                return Ok(());
            }
            tokio::select! {
                settled = publisher.settled() => {
                    settled.map_err(away)?.into_iter().for_each(|(place, fate)| tally.add(place, &fate));
                }
                () = tokio::time::sleep(CHECK) => publisher.check(clock::instant()).map_err(away)?,
            }
        }
    }

    /// The next events, perhaps none.
    async fn page(&mut self) -> Result<VecDeque<StoredEvent>, Failure> {
        let places = self.places.take(PAGE_EVENTS);
        let mut page = self.store.placed_events(&self.filter, places).await?;
        page.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = u32::try_from(page.len()).unwrap_or(u32::MAX);
        self.left = self.left.saturating_sub(count);
        Ok(page.into())
    }
}

fn away(error: BrokerError) -> Failure {
    Failure::Broker(error.to_string())
}

impl Tally {
    fn add(&mut self, place: i64, fate: &Fate) {
        self.in_flight.remove(&place);
        let count = match fate {
            Fate::Confirmed => &mut self.confirmed,
            Fate::Returned(_) => &mut self.returned,
            Fate::Nacked => &mut self.refused,
        };
        *count = count.saturating_add(1);
    }
}
