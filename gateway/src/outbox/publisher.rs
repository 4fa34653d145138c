//! Messages to the broker, and what became of them.
//!
//! Every message is mandatory and confirmed. The broker confirms a message that no queue took as well,
//! and returns it before. The driver does not say which confirmation a returned message belongs to: it
//! hangs the oldest one on whichever confirmation it completes next. So:
//!
//! - Answers are collected until one look at all that is in flight finds none new. Every answer that
//!   the driver completed before one of those collected is among them then.
//! - As long as no returned message hangs on an answer, none waited in the driver when it completed
//!   them: they are what they seem.
//! - When one does, nothing more is sent, and no answer is believed, until nothing is in flight. By
//!   then every returned message hangs on some answer, and is known by its message id.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;
use lapin::{
    BasicProperties, Channel, Confirmation, Event, PublisherConfirm,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use member_card::ProgrammeId;
use pos_protocol::EventId;

use super::{
    broker::{Broker, BrokerError, Open},
    topology::{self, Declared, EXCHANGE},
};
use crate::{clock, cloud_event::CloudEvent, limits, store::StoredEvent};

/// The content type of a CloudEvent in structured form.
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// Survives a restart of the broker.
const PERSISTENT: u8 = 2;
/// AMQP's word for a normal end.
const REPLY_SUCCESS: u16 = 200;
/// How long a connection may take to end in an orderly way.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(1_000);

/// An event as the broker gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    id: EventId,
    kind: String,
    at: Timestamp,
    body: Vec<u8>,
}

impl Message {
    /// The event as the gateway of `programme` tells it.
    ///
    /// # Errors
    /// If it cannot be told; which is then so for ever.
    pub fn new(event: StoredEvent, programme: &ProgrammeId) -> Result<Self, serde_json::Error> {
        let (id, kind, at) = (event.id, event.kind.clone(), event.at);
        let body = serde_json::to_vec(&CloudEvent::new(event, programme)?)?;
        Ok(Self { id, kind, at, body })
    }

    fn properties(&self) -> BasicProperties {
        let seconds = u64::try_from(self.at.as_second()).unwrap_or_default();
        BasicProperties::default()
            .with_content_type(short(CONTENT_TYPE))
            .with_delivery_mode(PERSISTENT)
            .with_message_id(short(&self.id.to_string()))
            .with_timestamp(seconds)
            .with_type(short(&self.kind))
            .with_app_id(short("point-gateway"))
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// The broker has taken charge of it.
    Confirmed,
    /// No queue takes it; the broker's words.
    Returned(String),
    /// The broker could not keep it.
    Nacked,
}

/// A sent message whose answer is awaited.
struct Sent {
    tag: i64,
    id: EventId,
    at: Instant,
    answer: Pin<Box<dyn Future<Output = lapin::Result<Confirmation>> + Send>>,
}

/// An answer that is not believed yet.
struct Answer {
    tag: i64,
    id: EventId,
    taken: bool,
}

/// A connection to the broker that messages are sent over.
pub struct Publisher {
    channel: Channel,
    events: Pin<Box<dyn Stream<Item = Event> + Send>>,
    sent: Vec<Sent>,
    answers: Vec<Answer>,
    /// Messages that came back, by their ids, with the broker's words; a message without an id by none.
    returned: HashMap<String, String>,
    blocked: bool,
    /// When the broker last said that it is not blocked any more.
    unblocked_at: Option<Instant>,
    /// Dropped last: it ends the connection.
    open: Open,
}

impl Publisher {
    /// Connects, signs in and opens a channel. Declares nothing: see [`declare`](Self::declare).
    ///
    /// # Errors
    /// [`BrokerError`].
    pub async fn connect(broker: &Broker) -> Result<Self, BrokerError> {
        let open = broker.open().await?;
        let opening = async {
            let channel = open.connection.create_channel().await?;
            channel
                .confirm_select(ConfirmSelectOptions::default())
                .await?;
            Ok(channel)
        };
        let channel = within(opening).await?;
        Ok(Self {
            channel,
            events: Box::pin(open.connection.events_listener()),
            sent: Vec::new(),
            answers: Vec::new(),
            returned: HashMap::new(),
            blocked: open.connection.status().blocked(),
            unblocked_at: None,
            open,
        })
    }

    /// Sees to it that exchange, queues and bindings are there.
    ///
    /// # Errors
    /// [`BrokerError`] if there is no exchange that can be published to.
    pub fn declare(&self) -> impl Future<Output = Result<Declared, BrokerError>> + Send + use<> {
        let connection = self.open.connection.clone();
        async move { within_broker(topology::declare(&connection)).await }
    }

    /// What [`declare`](Self::declare) would find, without making anything.
    ///
    /// # Errors
    /// [`BrokerError`] if there is an exchange that cannot be published to.
    pub async fn inspect(&self) -> Result<Declared, BrokerError> {
        within_broker(topology::inspect(&self.open.connection)).await
    }

    /// Sends a message. `tag` names it in what [`settled`](Self::settled) gives; no two in flight may
    /// have the same.
    pub fn publish(&mut self, tag: i64, message: Message) {
        let channel = self.channel.clone();
        let id = message.id;
        let mut answer: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(async move {
            let properties = message.properties();
            let options = BasicPublishOptions {
                mandatory: true,
                ..BasicPublishOptions::default()
            };
            let key = short(&message.kind);
            let sending =
                channel.basic_publish(short(EXCHANGE), key, options, &message.body, properties);
            let confirm: PublisherConfirm = sending.await?;
            confirm.await
        });
        // Looked at once, it is on its way; what comes of it is asked for later.
        let begun = answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(outcome) = begun {
            answer = Box::pin(std::future::ready(outcome));
        }
        self.sent.push(Sent {
            tag,
            id,
            at: clock::instant(),
            answer,
        });
    }

    /// Messages whose fate is not known.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.sent.len() + self.answers.len()
    }

    /// Whether messages may be sent: not while it sorts out which ones came back, and not while the
    /// broker is blocked.
    #[must_use]
    pub fn accepts(&self) -> bool {
        self.returned.is_empty() && !self.blocked
    }

    /// Whether the broker has said that it takes no messages for now: short of memory or disk.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// The tags of messages whose fate is known, some time; each is told once. Also comes back, with
    /// none, when [`accepts`](Self::accepts) may say something else. Nothing is lost if it is not
    /// waited for to the end.
    ///
    /// # Errors
    /// [`BrokerError`] if the connection is lost, and with it the fate of all that is in flight.
    pub async fn settled(&mut self) -> Result<Vec<(i64, Fate)>, BrokerError> {
        poll_fn(|cx| self.poll_settled(cx)).await
    }

    /// Ends the connection in an orderly way.
    pub async fn close(self) {
        let closing = self.open.connection.close(REPLY_SUCCESS, short("OK"));
        // A broker that does not answer is left all the same.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, closing).await;
    }

    fn poll_settled(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Vec<(i64, Fate)>, BrokerError>> {
        let changed = self.poll_events(cx)?;
        let mut found = false;
        while self.collect(cx)? {
            found = true;
        }
        if found && (self.returned.is_empty() || self.sent.is_empty()) {
            return Poll::Ready(Ok(self.believe()));
        }
        if changed {
            return Poll::Ready(Ok(Vec::new()));
        }
        Poll::Pending
    }

    /// What the connection says of itself; whether anything changed.
    fn poll_events(&mut self, cx: &mut Context<'_>) -> Result<bool, BrokerError> {
        let mut changed = false;
        while let Poll::Ready(event) = self.events.poll_next_unpin(cx) {
            match event {
                Some(Event::ConnectionBlocked(reason)) => {
                    tracing::warn!(broker.reason = reason, "broker.blocked");
                    self.blocked = true;
                    changed = true;
                }
                Some(Event::ConnectionUnblocked) => {
                    tracing::info!("broker.unblocked");
                    self.blocked = false;
                    self.unblocked_at = Some(clock::instant());
                    changed = true;
                }
                // Of any channel, also of one that only declared something.
                Some(Event::Error(error)) if !self.stands() => {
                    return Err(BrokerError::from_lapin(&error));
                }
                Some(_) => {}
                None => return Err(BrokerError::Away("the connection is gone".into())),
            }
        }
        Ok(changed)
    }

    /// Looks once at all that is in flight; whether there was any answer.
    fn collect(&mut self, cx: &mut Context<'_>) -> Result<bool, BrokerError> {
        let before = self.sent.len();
        let mut failed = None;
        let (answers, returned) = (&mut self.answers, &mut self.returned);
        self.sent.retain_mut(|sent| {
            let Poll::Ready(outcome) = sent.answer.as_mut().poll(cx) else {
                return true;
            };
            let (taken, back) = match outcome {
                Ok(Confirmation::Ack(back)) => (true, back),
                Ok(Confirmation::Nack(back)) => (false, back),
                // Never on a channel in confirm mode.
                Ok(Confirmation::NotRequested) => (false, None),
                Err(error) => {
                    failed = Some(BrokerError::from_lapin(&error));
                    return false;
                }
            };
            if let Some(message) = back {
                let id = message.delivery.properties.message_id();
                let id = id.as_ref().map(ToString::to_string).unwrap_or_default();
                returned.insert(id, message.reply_text.to_string());
            }
            let Sent { tag, id, .. } = *sent;
            answers.push(Answer { tag, id, taken });
            false
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(self.sent.len() < before),
        }
    }

    fn believe(&mut self) -> Vec<(i64, Fate)> {
        let returned = std::mem::take(&mut self.returned);
        let nameless = returned.get("");
        let answers = std::mem::take(&mut self.answers).into_iter();
        let fate = |answer: &Answer| {
            let back = returned.get(&answer.id.to_string()).or(nameless);
            match back {
                Some(words) => Fate::Returned(words.clone()),
                None if answer.taken => Fate::Confirmed,
                None => Fate::Nacked,
            }
        };
        answers.map(|answer| (answer.tag, fate(&answer))).collect()
    }

    fn stands(&self) -> bool {
        self.open.connection.status().connected() && self.channel.status().connected()
    }

    /// Whether the connection stands and the broker answers. Ask now and then.
    ///
    /// # Errors
    /// [`BrokerError`] if not.
    pub fn check(&self, now: Instant) -> Result<(), BrokerError> {
        if !self.stands() {
            return Err(BrokerError::Away("the connection is gone".into()));
        }
        let oldest = self.sent.iter().map(|sent| sent.at).min();
        let waited = oldest.map_or(Duration::ZERO, |oldest| {
            let since = self.unblocked_at.map_or(oldest, |at| at.max(oldest));
            now.saturating_duration_since(since)
        });
        if !self.blocked && waited > Duration::from_millis(limits::BROKER_CONFIRM_TIMEOUT_MS) {
            let seconds = waited.as_secs();
            return Err(BrokerError::Away(format!(
                "no confirmation for {seconds} s"
            )));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher")
            .field("in_flight", &self.in_flight())
            .field("blocked", &self.blocked)
            .finish_non_exhaustive()
    }
}

async fn within<T>(answer: impl Future<Output = lapin::Result<T>>) -> Result<T, BrokerError> {
    within_broker(async {
        answer
            .await
            .map_err(|error| BrokerError::from_lapin(&error))
    })
    .await
}

/// Waits for the broker's answer, but not for ever.
async fn within_broker<T>(
    answer: impl Future<Output = Result<T, BrokerError>>,
) -> Result<T, BrokerError> {
    let limit = Duration::from_millis(limits::BROKER_CONNECT_TIMEOUT_MS);
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(BrokerError::Away("it does not answer".into())),
    }
}

/// A short text of AMQP. What is too long, which none of ours is, is cut off.
pub(super) fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap_or_default()
}
