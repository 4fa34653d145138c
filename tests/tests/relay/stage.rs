//! What every case needs: members to whom something happens, a relay, the CRM that reads, and the
//! books that must agree in the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use acceptance::{databases::Database, gateway_process::GatewayProcess, till::http_client};
use futures_util::StreamExt as _;
use gateway::{
    clock::Clock,
    limits,
    outbox::{Broker, QUEUE, Relay},
    store::{EventFilter, Store, StoredEvent},
};
use lapin::{
    Connection, ConnectionProperties,
    options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions},
    types::FieldTable,
};
use ledger::{event::EventKind, records::Event, state::Changes};
use member_card::ProgrammeId;
use pos_protocol::{EventId, MemberId};
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long anything may take before the test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);
/// How often the database is asked whether it has come to rest: nothing tells.
const POLL: Duration = Duration::from_millis(50);
/// Messages the CRM takes ahead.
const PREFETCH: u16 = 200;

pub(crate) fn programme() -> ProgrammeId {
    ProgrammeId::new("demo").unwrap()
}

/// Waits, but not for ever.
pub(crate) async fn patiently<T>(what: &str, waited: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, waited).await;
    waited.unwrap_or_else(|_| panic!("{what} takes too long"))
}

/// A database, and members to whom something happens.
pub(crate) struct Stage {
    pub(crate) store: Store,
    sequences: BTreeMap<u128, i64>,
    clock: Clock,
}

impl Stage {
    pub(crate) async fn new(database: &Database) -> Self {
        database.holds_samples();
        Self {
            store: database.migrated().await,
            sequences: BTreeMap::new(),
            clock: Clock::system(),
        }
    }

    /// One event of each of these members, in one transaction; 0 is nobody.
    pub(crate) async fn happen(
        &mut self,
        kind: &'static str,
        members: impl IntoIterator<Item = u128>,
    ) {
        let events = members.into_iter().map(|member| {
            let sequence = self.sequences.entry(member).or_default();
            *sequence += 1;
            let id = MemberId::new(Uuid::from_u128(member));
            Event {
                id: EventId::new(self.clock.new_id()),
                member_id: (member > 0).then_some(id),
                member_sequence: if member > 0 { *sequence } else { 0 },
                kind: EventKind::from_word(kind).expect("a kind of event"),
                subject: format!("member/{id}"),
                at: self.clock.now(),
                data: r#"{"points":1}"#.into(),
            }
        });
        let changes = Changes {
            events: events.collect(),
            ..Changes::default()
        };
        let mut batch = self.store.begin(&BTreeSet::new()).await.unwrap();
        batch.write(&changes).await.unwrap();
        batch.commit().await.unwrap();
    }

    /// Much happens: `rounds` events of each of `members`.
    pub(crate) async fn much_happens(&mut self, rounds: usize, members: u128) {
        for _ in 0..rounds {
            self.happen("points.adjusted", 1..=members).await;
        }
    }

    /// Every event, in order of places.
    pub(crate) async fn events(&self) -> Vec<StoredEvent> {
        let mut all = Vec::new();
        let mut filter = EventFilter::default();
        loop {
            let page = self.store.events(&filter, 1_000).await.unwrap();
            let Some(last) = page.last() else { break };
            filter.after = Some(last.id);
            all.extend(page);
        }
        all.sort_by_key(|event| event.stream_sequence);
        all
    }

    /// Events the broker has not confirmed, as far as the database knows.
    pub(crate) async fn waiting(&self) -> u64 {
        self.store.outbox_status().await.unwrap().waiting
    }

    /// Waits until the broker has confirmed everything and the database knows.
    pub(crate) async fn drained(&self) {
        self.waiting_below(1).await;
    }

    /// Waits until fewer than `count` events wait.
    pub(crate) async fn waiting_below(&self, count: u64) {
        patiently("draining the outbox", async {
            while self.waiting().await >= count {
                tokio::time::sleep(POLL).await;
            }
        })
        .await;
    }

    /// Waits until so many events have a place in the stream.
    pub(crate) async fn placed(&self, count: usize) {
        patiently("giving places", async {
            while self
                .events()
                .await
                .iter()
                .filter(|event| event.stream_sequence.is_some())
                .count()
                < count
            {
                tokio::time::sleep(POLL).await;
            }
        })
        .await;
    }

    /// Everything that happened was received: under its own id, with the place the database says, the
    /// places without a gap, and each member's events for the first time in their order.
    pub(crate) async fn agrees_with(&self, crm: &mut Crm) {
        crm.has(self.events().await.len()).await;
        self.drained().await;
        let events = self.events().await;
        let mut places = Vec::new();
        for event in &events {
            let seen = crm.seen.get(&event.id.to_string());
            let seen = seen.unwrap_or_else(|| panic!("event {} was not received", event.id));
            let place = event.stream_sequence.expect("a place");
            assert_eq!(seen["streamsequence"], place.to_string());
            assert_eq!(seen["type"], event.kind);
            places.push(place);
        }
        assert_eq!(crm.seen.len(), events.len(), "something never happened");
        let expected: Vec<i64> = (1..).take(places.len()).collect();
        assert_eq!(places, expected, "the places have no gap");
        for (member, sequences) in &crm.first {
            let expected: Vec<i64> = (1..).take(sequences.len()).collect();
            assert_eq!(
                *sequences, expected,
                "member {member}'s events come in order"
            );
        }
    }
}

/// A relay in this process.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(store: &Store, amqp_url: &str) -> Self {
        Self::with(store, amqp_url.parse().unwrap())
    }

    pub(crate) fn with(store: &Store, broker: Broker) -> Self {
        // Shown if the test fails.
        let log = tracing_subscriber::fmt()
            .with_test_writer()
            .with_target(false);
        let _ = log.with_env_filter("info,lapin=off").try_init();
        let relay = Relay::new(store.clone(), Clock::system(), programme(), broker);
        let stop = CancellationToken::new();
        let task = tokio::spawn(relay.run(stop.clone()));
        Self { stop, task }
    }

    /// Lets it end in its own way.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        patiently("stopping the relay", self.task).await.unwrap();
    }
}

/// The CRM: reads the queue for ever, over a new connection whenever one breaks.
pub(crate) struct Crm {
    messages: mpsc::UnboundedReceiver<(String, Value)>,
    task: JoinHandle<()>,
    /// What was received, by message id.
    pub(crate) seen: BTreeMap<String, Value>,
    /// Each member's sequence numbers in the order they were received for the first time.
    pub(crate) first: BTreeMap<String, Vec<i64>>,
    /// Messages received, again ones counted.
    pub(crate) deliveries: usize,
}

impl Crm {
    pub(crate) fn reading(amqp_url: &str) -> Self {
        Self::reading_from(amqp_url, QUEUE)
    }

    pub(crate) fn reading_from(amqp_url: &str, queue: &'static str) -> Self {
        #[allow(clippy::disallowed_methods, reason = "a test's messages are few")]
        let (sender, messages) = mpsc::unbounded_channel();
        let url = amqp_url.to_owned();
        let task = tokio::spawn(async move {
            loop {
                if let Err(error) = read(&url, queue, &sender).await {
                    eprintln!("the CRM connects again: {error}");
                }
                tokio::time::sleep(POLL).await;
            }
        });
        Self {
            messages,
            task,
            seen: BTreeMap::new(),
            first: BTreeMap::new(),
            deliveries: 0,
        }
    }

    /// Waits for the next message.
    pub(crate) async fn next(&mut self) -> String {
        let message = patiently("a message", self.messages.recv()).await;
        let (id, event) = message.expect("the CRM reads");
        self.take(id.clone(), event);
        id
    }

    /// Waits until so many different events were received.
    pub(crate) async fn has(&mut self, count: usize) {
        while self.seen.len() < count {
            self.next().await;
        }
    }

    fn take(&mut self, id: String, event: Value) {
        self.deliveries += 1;
        assert_eq!(event["id"], id.as_str(), "the message id is the event's");
        if let Some(before) = self.seen.get(&id) {
            assert_eq!(
                *before, event,
                "the same event again is the same, byte for byte"
            );
            return;
        }
        if let Some(member) = event["partitionkey"].as_str() {
            let sequence = event["membersequence"].as_str().expect("a sequence");
            let sequence = sequence.parse().expect("a number");
            self.first
                .entry(member.to_owned())
                .or_default()
                .push(sequence);
        }
        self.seen.insert(id, event);
    }
}

impl Drop for Crm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(
    url: &str,
    queue: &str,
    sender: &mpsc::UnboundedSender<(String, Value)>,
) -> lapin::Result<()> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .basic_qos(PREFETCH, BasicQosOptions::default())
        .await?;
    let mut consumer = channel
        .basic_consume(
            queue.into(),
            "crm".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    while let Some(delivery) = consumer.next().await {
        let delivery = delivery?;
        let properties = &delivery.properties;
        let id = properties
            .message_id()
            .as_ref()
            .expect("a message id")
            .to_string();
        let event: Value = serde_json::from_slice(&delivery.data).expect("JSON");
        assert_eq!(
            *properties.delivery_mode(),
            Some(2),
            "messages are persistent"
        );
        assert_eq!(
            properties
                .kind()
                .as_ref()
                .map(ToString::to_string)
                .as_deref(),
            event["type"].as_str()
        );
        assert_eq!(
            delivery.routing_key.as_str(),
            event["type"].as_str().unwrap_or_default()
        );
        if sender.send((id, event)).is_err() {
            break;
        }
        delivery.ack(BasicAckOptions::default()).await?;
    }
    Ok(())
}

/// Fails at a message as often as the queue lets it.
pub(crate) async fn fail_at(amqp_url: &str, queue: &str) {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default());
    let connection = connection.await.expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    let options = BasicConsumeOptions::default();
    let consuming =
        channel.basic_consume(queue.into(), "fails".into(), options, FieldTable::default());
    let mut consumer = consuming.await.expect("a consumer");
    for _ in 0..=limits::BROKER_DELIVERIES_MAX {
        let delivery = patiently("a delivery", consumer.next()).await;
        let delivery = delivery.expect("a delivery").expect("a message");
        let requeue = BasicNackOptions {
            requeue: true,
            ..BasicNackOptions::default()
        };
        delivery.nack(requeue).await.expect("the broker listens");
    }
}

/// Waits until a gateway measures what is wanted.
pub(crate) async fn metric(gateway: &GatewayProcess, name: &str, wanted: impl Fn(f64) -> bool) {
    let url = format!("{}/metrics", gateway.base());
    patiently(name, async {
        loop {
            let shown = http_client().get(&url).send().await;
            let shown = shown.expect("an answer").text().await.expect("a text");
            let value = shown.lines().find_map(|line| {
                let (of, value) = line.split_once(' ')?;
                (of == name).then(|| value.parse().ok()).flatten()
            });
            if value.is_some_and(&wanted) {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
}
