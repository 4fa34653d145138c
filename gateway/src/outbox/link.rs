//! The connection to the broker, kept up for ever.
//!
//! A connection that is lost is made again after a pause that doubles, spread at random; one that the
//! broker refuses, after a long one, and said once. What was in flight on a lost connection is
//! forgotten here: whoever sent it sends it again.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;

use super::{
    backoff::{Backoff, spread},
    broker::{Broker, BrokerError},
    measures,
    publisher::{Fate, Message, Publisher},
    topology::Declared,
};
use crate::{
    clock::{self, Clock},
    limits,
};

/// How often a connection is asked whether it stands.
const CHECK: Duration = Duration::from_millis(500);
/// How often exchange and queues are declared again.
const REDECLARE: Duration = Duration::from_millis(limits::BROKER_REDECLARE_MS_MIN);

/// What happened on the link.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// Messages may be sent again: connected, or not blocked any more.
    Changed,
    /// The connection is gone.
    Down,
    /// What became of messages, by their tags.
    Settled(Vec<(i64, Fate)>),
}

enum State {
    /// Nothing is tried before then.
    Down(Instant),
    Connecting(BoxFuture<'static, Result<(Publisher, Declared), BrokerError>>),
    Up(Box<Up>),
}

struct Up {
    publisher: Publisher,
    since: Instant,
    /// When it is asked next whether it stands.
    check_at: Instant,
    /// Messages came back since exchange and queues were declared.
    returned: bool,
    /// When they may be declared again.
    declare_at: Instant,
    declaring: Option<Declaring>,
}

type Declaring = BoxFuture<'static, Result<Declared, BrokerError>>;

/// The connection to the broker, whether it stands or not.
pub(super) struct Link {
    broker: Broker,
    clock: Clock,
    backoff: Backoff,
    state: State,
    /// What was said about the broker already, until it has worked: confirmed something, or stood for a
    /// while.
    said: Option<BrokerError>,
    /// What was said about exchange and queues already.
    remarks: BTreeSet<String>,
}

impl Link {
    /// A link that is about to be made.
    pub(super) fn new(broker: Broker, clock: Clock) -> Self {
        measures::connected(false);
        measures::blocked(false);
        let ms = Duration::from_millis;
        Self {
            broker,
            clock,
            backoff: Backoff::new(
                ms(limits::BROKER_RECONNECT_MS_MIN),
                ms(limits::BROKER_RECONNECT_MS_MAX),
            ),
            state: State::Down(clock::instant()),
            said: None,
            remarks: BTreeSet::new(),
        }
    }

    /// What happens next. Drives the link: nothing is connected and no answer taken unless somebody
    /// waits here. Nothing is lost if it is not waited for to the end.
    pub(super) async fn event(&mut self) -> LinkEvent {
        loop {
            match &mut self.state {
                State::Down(until) => {
                    tokio::time::sleep_until((*until).into()).await;
                    let broker = self.broker.clone();
                    self.state = State::Connecting(Box::pin(connect(broker)));
                }
                State::Connecting(connecting) => match connecting.await {
                    Ok((publisher, declared)) => {
                        self.up(publisher, declared);
                        return LinkEvent::Changed;
                    }
                    Err(error) => self.down(error),
                },
                State::Up(up) => match up.event().await {
                    Ok(UpEvent::Settled(fates)) => {
                        measures::blocked(up.publisher.is_blocked());
                        if fates.is_empty() {
                            return LinkEvent::Changed;
                        }
                        self.backoff.reset();
                        if fates.iter().any(|(_, fate)| *fate == Fate::Confirmed) {
                            self.said = None;
                        }
                        return LinkEvent::Settled(fates);
                    }
                    Ok(UpEvent::Declared(declared)) => self.remark(declared),
                    Err(error) => {
                        self.down(error);
                        return LinkEvent::Down;
                    }
                },
            }
        }
    }

    /// Whether the connection stands.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// Whether messages may be sent now.
    pub(super) fn accepts(&self) -> bool {
        matches!(&self.state, State::Up(up) if up.publisher.accepts())
    }

    /// Sends a message, if the connection stands.
    pub(super) fn publish(&mut self, tag: i64, message: Message) {
        if let State::Up(up) = &mut self.state {
            up.publisher.publish(tag, message);
        }
    }

    /// Messages came back: what takes them may have been taken away.
    pub(super) fn returned(&mut self) {
        if let State::Up(up) = &mut self.state {
            up.returned = true;
        }
    }

    /// Gives the connection up, and makes another one.
    pub(super) fn renew(&mut self) {
        measures::connected(false);
        measures::blocked(false);
        self.state = State::Down(clock::instant());
    }

    /// Ends the connection.
    pub(super) async fn close(self) {
        if let State::Up(up) = self.state {
            up.publisher.close().await;
        }
        measures::connected(false);
        measures::blocked(false);
    }

    fn up(&mut self, publisher: Publisher, declared: Declared) {
        tracing::info!(broker.url = %self.broker, "broker.connected");
        measures::connected(true);
        measures::blocked(publisher.is_blocked());
        let now = clock::instant();
        self.state = State::Up(Box::new(Up {
            publisher,
            since: now,
            check_at: now + CHECK,
            returned: false,
            declare_at: now + REDECLARE,
            declaring: None,
        }));
        self.remark(declared);
    }

    /// Says it once, and again if it is something else.
    fn down(&mut self, error: BrokerError) {
        measures::connected(false);
        measures::blocked(false);
        let stood = Duration::from_millis(limits::BROKER_STOOD_MS);
        if matches!(&self.state, State::Up(up) if clock::instant() >= up.since + stood) {
            self.said = None;
        }
        let chance = chance(&self.clock);
        let refused = Duration::from_millis(limits::BROKER_REFUSED_RECONNECT_MS);
        let pause = match &error {
            BrokerError::Refused(_) => spread(refused, chance),
            BrokerError::Away(_) => self.backoff.next(chance),
        };
        let same_kind = |said: &BrokerError| match (said, &error) {
            (BrokerError::Away(_), BrokerError::Away(_)) => true,
            (said, error) => said == error,
        };
        let news = !self.said.as_ref().is_some_and(same_kind);
        let url = &self.broker;
        match &error {
            BrokerError::Refused(_) if news => tracing::error!(
                broker.url = %url, broker.error = %error,
                "broker.refused: events wait; check user, password, virtual host, rights and certificates. Tried again every half minute, without saying so"
            ),
            BrokerError::Away(_) if news => tracing::warn!(
                broker.url = %url, broker.error = %error,
                "broker.away: events wait; it is tried for ever, without saying so again"
            ),
            _ => tracing::debug!(broker.error = %error, "broker.still_away"),
        }
        self.said = Some(error);
        self.state = State::Down(clock::instant() + pause);
    }

    fn remark(&mut self, declared: Declared) {
        for remark in declared.remarks {
            if self.remarks.insert(remark.clone()) {
                tracing::warn!(broker.remark = remark, "broker.differs");
            }
        }
    }
}

enum UpEvent {
    /// None at all: it may take messages again, or no longer.
    Settled(Vec<(i64, Fate)>),
    Declared(Declared),
}

impl Up {
    async fn event(&mut self) -> Result<UpEvent, BrokerError> {
        loop {
            let now = clock::instant();
            if now >= self.check_at {
                self.publisher.check(now)?;
                self.check_at = now + CHECK;
            }
            if self.returned && self.declaring.is_none() && now >= self.declare_at {
                self.returned = false;
                self.declare_at = now + REDECLARE;
                self.declaring = Some(Box::pin(self.publisher.declare()));
            }
            let declaring = async {
                match &mut self.declaring {
                    Some(declaring) => declaring.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                settled = self.publisher.settled() => return settled.map(UpEvent::Settled),
                declared = declaring => {
                    self.declaring = None;
                    return declared.map(UpEvent::Declared);
                }
                () = tokio::time::sleep_until(self.check_at.into()) => {}
            }
        }
    }
}

async fn connect(broker: Broker) -> Result<(Publisher, Declared), BrokerError> {
    let publisher = Publisher::connect(&broker).await?;
    let declared = publisher.declare().await?;
    Ok((publisher, declared))
}

/// Any number, from the random bits of an id.
fn chance(clock: &Clock) -> u16 {
    let [high, low] = clock.new_id().as_u128().to_be_bytes()[12..14] else {
        return 0;
    };
    u16::from_be_bytes([high, low])
}
