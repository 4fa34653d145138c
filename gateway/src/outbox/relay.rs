//! The relay: takes events from the outbox in order, sends them, and removes them when the broker has
//! them.
//!
//! One task does it all. While a transaction runs, answers are taken and events sent; the next
//! transaction carries what was confirmed meanwhile. What was given a place in a transaction is sent
//! only after its COMMIT.
//!
//! Only the gateway with the lease does this, and only one with a connection to the broker asks for
//! the lease, so a gateway that cannot reach the broker does not keep others from it. A holder that
//! cannot reach the database stops sending, and gives way when it finds its lease gone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use member_card::ProgrammeId;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    broker::Broker,
    lease::Watch,
    link::{Link, LinkEvent},
    measures,
    publisher::{Fate, Message},
    sparing::Sparing,
    turn::{Plan, Turn, Turned, resume, take_turn, turned, within},
    window::{Window, WindowLimits},
};
use crate::{
    clock::{self, Clock},
    limits,
    store::{LeaseName, Placed, Store, StoreError, StoredEvent, Term},
    writer::Committed,
};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The relay's parts.
#[derive(Debug, Clone)]
pub struct Relay {
    store: Store,
    clock: Clock,
    programme: ProgrammeId,
    broker: Broker,
    page_events_max: usize,
    woken: Arc<Notify>,
}

impl Relay {
    /// A relay that tells the broker what the gateways of `programme` commit to `store`.
    #[must_use]
    pub fn new(store: Store, clock: Clock, programme: ProgrammeId, broker: Broker) -> Self {
        let page_events_max = match store {
            Store::Postgres { .. } => limits::RELAY_PAGE_EVENTS_MAX,
            Store::Sqlite { .. } => limits::RELAY_PAGE_EVENTS_SQLITE_MAX,
        };
        Self {
            store,
            clock,
            programme,
            broker,
            page_events_max,
            woken: Arc::new(Notify::new()),
        }
    }

    /// What to give the writer, so that events leave as soon as they are committed.
    #[must_use]
    pub fn committed(&self) -> Committed {
        let woken = self.woken.clone();
        Arc::new(move |_| woken.notify_one())
    }

    /// Relays until `stop` is cancelled; then sends what is waiting, for at most
    /// [`limits::RELAY_STOP_GRACE_MS`], and gives the lease back. Run it as a task.
    pub async fn run(self, stop: CancellationToken) {
        measures::lease(false);
        let holder = self.clock.new_id();
        let mut link = Link::new(self.broker.clone(), self.clock.clone());
        while let Some(term) = self.contend(&mut link, holder, &stop).await {
            tracing::info!("relay.lease_taken");
            measures::lease(true);
            let ended = Shift::new(&self, &mut link, term).run(&stop).await;
            measures::lease(false);
            measures::window(0, 0);
            match ended {
                Ended::Lost => {
                    tracing::warn!("relay.lease_lost");
                    // What is still on its way is nobody's any more.
                    link.renew();
                }
                Ended::Done => {
                    match within(self.store.release_lease(LeaseName::Relay, holder)).await {
                        Ok(_) => tracing::info!("relay.lease_released"),
                        Err(error) => tracing::warn!(error = %error, "relay.lease_not_released"),
                    }
                }
            }
        }
        link.close().await;
    }

    /// Waits for the lease; none if the relay is to stop.
    async fn contend(
        &self,
        link: &mut Link,
        holder: Uuid,
        stop: &CancellationToken,
    ) -> Option<Term> {
        let mut watch = Watch::default();
        let mut failed = Sparing::default();
        let mut look_at = clock::instant();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                _ = link.event() => continue,
                () = tokio::time::sleep_until(look_at.into()), if link.is_up() => {}
            }
            let looked = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                looked = within(self.look(&mut watch, holder)) => looked,
            };
            match looked {
                Ok(true) => {
                    return Some(Term {
                        holder,
                        mark: 0,
                        last_place: 0,
                    });
                }
                Ok(false) => {}
                Err(error) => {
                    if let Some(times) = failed.tell(clock::instant()) {
                        tracing::warn!(error = %error, relay.times = times, "relay.look_failed");
                    }
                }
            }
            look_at = clock::instant() + ms(limits::RELAY_CONTEND_MS);
        }
    }

    /// Looks at the lease once, and takes it if it may be taken.
    async fn look(&self, watch: &mut Watch, holder: Uuid) -> Result<bool, StoreError> {
        let asked = clock::instant();
        let lease = self.store.lease(LeaseName::Relay).await?;
        if !watch.may_take(lease, holder, asked, clock::instant()) {
            return Ok(false);
        }
        let name = LeaseName::Relay;
        let taken = self.store.take_lease(name, lease.beat, holder).await?;
        Ok(taken.is_some())
    }
}

/// How a time with the lease ended.
enum Ended {
    /// Another gateway has the lease.
    Lost,
    /// It can be given back.
    Done,
}

/// The time for which this gateway has the lease.
struct Shift<'a> {
    relay: &'a Relay,
    link: &'a mut Link,
    window: Window,
    term: Term,
    turn: Option<Turn>,
    /// What the database has written is not known: ask before anything else.
    unsure: bool,
    /// When the last transaction began that showed that the lease is held.
    shown_at: Instant,
    /// When the outbox was last looked at.
    looked_at: Instant,
    /// When it is looked at from its very beginning again.
    full_look_at: Instant,
    /// Events to take on in the next transaction, at most.
    page: usize,
    /// How long to wait with the next look, unless something happens.
    pause: Duration,
    /// Something was committed since then.
    news: bool,
    /// Since when there is no connection to the broker.
    down_since: Option<Instant>,
    /// The last look at the outbox found nothing that was left.
    drained: bool,
    returned: Sparing,
    store_failed: Sparing,
}

impl<'a> Shift<'a> {
    fn new(relay: &'a Relay, link: &'a mut Link, term: Term) -> Self {
        let now = clock::instant();
        let down_since = (!link.is_up()).then_some(now);
        Self {
            relay,
            link,
            window: Window::new(WindowLimits::default()),
            term,
            turn: None,
            unsure: true,
            // Nothing is sent before the first transaction.
            shown_at: now,
            looked_at: now,
            full_look_at: now,
            page: limits::RELAY_PAGE_EVENTS_MIN,
            pause: Duration::ZERO,
            news: false,
            down_since,
            drained: false,
            returned: Sparing::default(),
            store_failed: Sparing::default(),
        }
    }

    async fn run(mut self, stop: &CancellationToken) -> Ended {
        let mut stop_by = None;
        loop {
            let now = clock::instant();
            if self.gives_way(now, stop_by) {
                return Ended::Done;
            }
            self.begin_turn(now);
            self.send(now);
            measures::window(self.window.in_flight(), self.window.parked());
            let wake_at = self.wake_at(now, stop_by);
            tokio::select! {
                biased;
                () = stop.cancelled(), if stop_by.is_none() => {
                    stop_by = Some(now + ms(limits::RELAY_STOP_GRACE_MS));
                    self.drained = false;
                    self.news = true;
                }
                outcome = turned(&mut self.turn) => {
                    if let Some(ended) = self.end_turn(outcome) {
                        return ended;
                    }
                }
                event = self.link.event() => self.hear(event),
                () = self.relay.woken.notified() => self.news = true,
                () = tokio::time::sleep_until(wake_at.into()) => {}
            }
        }
    }

    /// Whether to give the lease back: there is no broker, or nothing is left to do before the end.
    fn gives_way(&self, now: Instant, stop_by: Option<Instant>) -> bool {
        if self.turn.is_some() {
            return false;
        }
        let keep = ms(limits::RELAY_KEEP_LEASE_MS);
        let alone = self.down_since.is_some_and(|since| now >= since + keep);
        let done = stop_by.is_some_and(|by| {
            let idle = self.drained && self.window.is_empty() && !self.window.has_confirmed();
            now >= by || idle || self.down_since.is_some()
        });
        alone || done
    }

    /// When the outbox is looked at next. Not at once after news, so that more comes together.
    fn look_at(&self) -> Instant {
        let news = self.news || self.window.has_confirmed();
        let pause = ms(limits::RELAY_PAUSE_MS);
        // After a failure news do not help.
        let pause = if news && !self.unsure {
            self.pause.min(pause)
        } else {
            self.pause
        };
        self.looked_at + pause
    }

    /// Begins the next transaction if it is time for one.
    fn begin_turn(&mut self, now: Instant) {
        if self.turn.is_some() || now < self.look_at() {
            return;
        }
        self.looked_at = now;
        self.news = false;
        let (store, term) = (self.relay.store.clone(), self.term);
        if self.unsure {
            self.turn = Some(Turn {
                began: now,
                confirmed: Vec::new(),
                future: Box::pin(within(resume(store, term))),
            });
            return;
        }
        let plan = Plan {
            limit: self.room().min(self.page),
            after: self.look_after(now),
            confirmed: self.window.take_confirmed(),
            beat: now >= self.shown_at + ms(limits::RELAY_BEAT_MS),
        };
        self.turn = Some(Turn {
            began: now,
            confirmed: plan.confirmed.clone(),
            future: Box::pin(within(take_turn(store, term, plan))),
        });
    }

    /// The position after which events are looked for.
    fn look_after(&mut self, now: Instant) -> i64 {
        if now < self.full_look_at {
            return self
                .term
                .mark
                .saturating_sub(limits::RELAY_LOOK_BACK_POSITIONS);
        }
        self.full_look_at = now + ms(limits::RELAY_FULL_LOOK_MS);
        0
    }

    /// Makes the next page smaller after one that was heavy, larger after one that was full.
    fn fit_page(&mut self, placed: &[Placed]) {
        let bytes: usize = placed.iter().map(|row| row.event.data.len()).sum();
        if bytes > limits::RELAY_PAGE_BYTES_MAX {
            self.page = (self.page / 2).max(1);
        } else if placed.len() >= self.page {
            self.page = (self.page * 2).min(self.relay.page_events_max);
        }
    }

    /// How many events may be taken on: none while they could not be sent.
    fn room(&self) -> usize {
        if self.link.is_up() {
            self.window.room()
        } else {
            0
        }
    }

    /// Takes what a transaction brought. How the shift ends, if it does.
    fn end_turn(&mut self, outcome: Result<Turned, StoreError>) -> Option<Ended> {
        let turn = self.turn.take()?;
        self.pause = ms(limits::RELAY_POLL_MS);
        match outcome {
            Ok(Turned::Nothing { drained }) => self.drained = drained,
            Ok(Turned::Placed {
                term,
                placed,
                drained,
            }) => {
                self.term = term;
                self.unsure = false;
                self.shown_at = turn.began;
                self.drained = drained;
                self.fit_page(&placed);
                self.window.take_on(placed);
                if !drained {
                    let ample = self.room() >= self.page / 2;
                    let pause = if ample { 0 } else { limits::RELAY_PAUSE_MS };
                    self.pause = ms(pause);
                }
            }
            Ok(Turned::Lost) => return Some(Ended::Lost),
            Err(error) => {
                self.window.give_back_confirmed(turn.confirmed);
                self.unsure = true;
                self.drained = false;
                if let Some(times) = self.store_failed.tell(clock::instant()) {
                    tracing::warn!(error = %error, relay.times = times, "relay.store_failed");
                }
            }
        }
        None
    }

    /// Whether the broker takes messages, and it is certain that the lease is held.
    fn may_send(&self, now: Instant) -> bool {
        let held = now < self.shown_at + ms(limits::RELAY_HOLD_MS);
        held && !self.unsure && self.link.accepts()
    }

    /// Sends what may be sent.
    fn send(&mut self, now: Instant) {
        while self.may_send(now) {
            let Some((place, event)) = self.window.next(now) else {
                return;
            };
            match Message::new(event.clone(), &self.relay.programme) {
                Ok(message) => {
                    self.link.publish(place, message);
                    measures::published();
                }
                Err(error) => {
                    let id = event.id;
                    if self.window.fail(place, now) == Some(1) {
                        tracing::error!(
                            event.id = %id, error = %error,
                            "relay.untellable: the event cannot be told; its member's later events wait"
                        );
                    }
                }
            }
        }
    }

    fn hear(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Changed => {
                self.down_since = None;
                self.news = true;
            }
            LinkEvent::Down => {
                self.window.disconnect();
                self.down_since = Some(clock::instant());
            }
            LinkEvent::Settled(fates) => {
                for (place, fate) in fates {
                    self.settle(place, fate);
                }
            }
        }
    }

    fn settle(&mut self, place: i64, fate: Fate) {
        let now = clock::instant();
        match fate {
            Fate::Confirmed => {
                if let Some(event) = self.window.confirm(place) {
                    measures::confirmed(self.age(&event));
                }
            }
            Fate::Returned(words) => {
                measures::returned();
                self.link.returned();
                let failures = self.window.fail(place, now);
                if let Some(times) = self.returned.tell(now) {
                    tracing::warn!(
                        relay.place = place,
                        relay.failures = failures,
                        relay.times = times,
                        broker.words = words,
                        "relay.returned: no queue takes the event; it is sent again, and its member's later events wait"
                    );
                }
            }
            Fate::Nacked => {
                measures::nacked();
                let failures = self.window.fail(place, now);
                if let Some(times) = self.returned.tell(now) {
                    tracing::warn!(
                        relay.place = place,
                        relay.failures = failures,
                        relay.times = times,
                        "relay.nacked: the broker could not keep the event; it is sent again"
                    );
                }
            }
        }
    }

    fn age(&self, event: &StoredEvent) -> Duration {
        let age = self.relay.clock.now().duration_since(event.at);
        age.try_into().unwrap_or_default()
    }

    /// When to go on if nothing happens before.
    fn wake_at(&self, now: Instant, stop_by: Option<Instant>) -> Instant {
        let mut wake_at = now + ms(limits::RELAY_BEAT_MS);
        if self.turn.is_none() {
            wake_at = wake_at.min(self.look_at());
        }
        if let Some(due) = self.window.next_due()
            && self.may_send(now)
        {
            wake_at = wake_at.min(due.max(now + ms(1)));
        }
        if let Some(by) = stop_by {
            wake_at = wake_at.min(by);
        }
        wake_at
    }
}
