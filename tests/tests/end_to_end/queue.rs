//! A second queue on the exchange: what was delivered, in which order, how often.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use acceptance::schemas;
use futures_util::StreamExt as _;
use lapin::{
    Connection, ConnectionProperties,
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use serde_json::Value;

/// The exchange of all events.
pub(crate) const EXCHANGE: &str = "loyalty.events";
/// The queue that sees all of them.
pub(crate) const WITNESS: &str = "test.witness";
/// How long a message may take to come.
const WITHIN: Duration = Duration::from_secs(120);
/// Messages that are taken at once.
const AT_ONCE: u16 = 1_000;

/// Every delivery, in order.
pub(crate) struct Witness {
    deliveries: Vec<Value>,
    events: usize,
}

impl Witness {
    /// Reads the queue until every one of so many events was seen.
    pub(crate) async fn read(amqp_url: &str, events: usize) -> Self {
        let options = ConnectionProperties::default();
        let connection = Connection::connect(amqp_url, options).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let qos = channel.basic_qos(AT_ONCE, BasicQosOptions::default());
        qos.await.unwrap();
        let consumer = channel.basic_consume(
            WITNESS.into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let mut consumer = consumer.await.unwrap();
        let (mut deliveries, mut seen) = (Vec::new(), BTreeSet::new());
        while seen.len() < events {
            let next = tokio::time::timeout(WITHIN, consumer.next()).await;
            let delivery = next.unwrap_or_else(|_| {
                panic!("{} of {events} events were delivered", seen.len());
            });
            let delivery = delivery.unwrap().unwrap();
            schemas::check(&delivery.data);
            let event: Value = serde_json::from_slice(&delivery.data).unwrap();
            let id = event["id"].as_str().unwrap().to_owned();
            let message_id = delivery.properties.message_id().as_ref();
            assert_eq!(message_id.map(|id| id.as_str()), Some(id.as_str()));
            delivery
                .acker
                .ack(lapin::options::BasicAckOptions::default())
                .await
                .unwrap();
            seen.insert(id);
            deliveries.push(event);
        }
        Self { deliveries, events }
    }

    /// What was delivered is what the log has; places are without a gap; and first deliveries keep the
    /// order of each member.
    pub(crate) fn check(&self, events: &[Value]) {
        let log: BTreeMap<&str, &Value> = events.iter().map(|event| (id(event), event)).collect();
        let (mut seen, mut places) = (BTreeSet::new(), BTreeSet::new());
        let mut members = BTreeMap::<&str, u64>::new();
        for event in &self.deliveries {
            assert_eq!(log.get(id(event)), Some(&event), "not as the log has it");
            if !seen.insert(id(event)) {
                continue;
            }
            places.insert(number(event, "streamsequence"));
            if let Some(member) = event["partitionkey"].as_str() {
                let last = members.entry(member).or_default();
                let sequence = number(event, "membersequence");
                assert_eq!(sequence, *last + 1, "of member {member}: {event}");
                *last = sequence;
            }
        }
        let all = u64::try_from(events.len()).unwrap();
        assert!(places.into_iter().eq(1..=all), "a place is missing");
    }

    /// How much came twice.
    pub(crate) fn summary(&self) -> String {
        let again = self.deliveries.len() - self.events;
        format!("{} events, {again} of them delivered again", self.events)
    }
}

fn id(event: &Value) -> &str {
    event["id"].as_str().unwrap()
}

fn number(event: &Value, attribute: &str) -> u64 {
    event[attribute].as_str().unwrap().parse().unwrap()
}
