//! From the broker to the books: take, count, acknowledge; and begin again whatever breaks.
//!
//! The order is what matters. A message is acknowledged after it is counted for good, never before. What
//! was not acknowledged comes again, to this process or the next.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _};
use lapin::{
    Channel, Connection, ConnectionProperties, Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions},
    types::FieldTable,
    uri::AMQPUri,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::MissedTickBehavior,
};

use crate::{
    books::{Books, Outcome},
    gaps::Gap,
    message::Message,
};

/// Messages counted in one transaction. A transaction costs a write to the disk, however many are in it.
const BATCH_MESSAGES_MAX: usize = 500;
/// Messages the broker sends ahead: the next batch waits while this one is counted.
const PREFETCH_MESSAGES: u16 = 1_000;
/// How soon a broker that froze is noticed.
const HEARTBEAT_S: u16 = 10;
/// How long the broker may take to let us in.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// The first pause before another attempt; it doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How often the gaps are looked at. One that is there twice is told: the relay has long sent its
/// neighbours.
const GAPS_LOOK: Duration = Duration::from_secs(5);

/// Why listening ended.
enum End {
    /// Somebody asked for it.
    Asked,
    /// The connection, the channel or the queue is gone.
    Broker(String),
}

impl From<lapin::Error> for End {
    fn from(error: lapin::Error) -> Self {
        Self::Broker(error.to_string())
    }
}

/// Listens until SIGTERM or Ctrl-C. A broker that is away is waited for, for ever. A failure of the
/// books ends the program: nothing was acknowledged, so nothing is lost.
pub(crate) async fn run(mut broker: AMQPUri, queue: &str, books: Books) -> anyhow::Result<()> {
    broker.query.heartbeat.get_or_insert(HEARTBEAT_S);
    let mut asked = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = asked.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    tokio::pin!(stop);
    let mut listener = Listener {
        broker,
        queue,
        books,
        pause: PAUSE_FIRST,
        seen: BTreeSet::new(),
        told: BTreeSet::new(),
    };
    loop {
        // Asked in the middle of a batch, it comes again: the batch is not acknowledged yet, or counted.
        let end = tokio::select! {
            end = listener.listen() => end?,
            () = &mut stop => End::Asked,
        };
        let End::Broker(why) = end else {
            tracing::info!("consumer.stopped");
            return Ok(());
        };
        let pause = listener.pause;
        tracing::warn!(why, pause_ms = pause.as_millis(), "broker.away");
        listener.pause = (pause * 2).min(PAUSE_MAX);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = &mut stop => return Ok(()),
        }
    }
}

struct Listener<'a> {
    broker: AMQPUri,
    queue: &'a str,
    books: Books,
    pause: Duration,
    /// The gaps at the last look.
    seen: BTreeSet<Gap>,
    /// Those of them that were told.
    told: BTreeSet<Gap>,
}

impl Listener<'_> {
    /// Listens on one connection until it ends.
    async fn listen(&mut self) -> anyhow::Result<End> {
        let connected = tokio::time::timeout(CONNECT_WITHIN, self.connect()).await;
        let (_connection, channel, mut consumer) = match connected {
            Ok(Ok(connected)) => connected,
            Ok(Err(end)) => return Ok(end),
            Err(_) => return Ok(End::Broker("it does not answer".into())),
        };
        tracing::info!(queue = self.queue, "broker.listening");
        self.pause = PAUSE_FIRST;
        let mut look = tokio::time::interval(GAPS_LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let first = tokio::select! {
                first = consumer.next() => first,
                _ = look.tick() => {
                    self.look_at_gaps().await?;
                    continue;
                }
            };
            let (batch, end) = batch(first, &mut consumer);
            let messages = batch.iter().map(read).collect();
            let outcomes = self.books.count(messages).await?;
            if let Err(error) = settle(&channel, &batch, &outcomes).await {
                return Ok(error.into());
            }
            if let Some(end) = end {
                return Ok(end);
            }
        }
    }

    async fn connect(&self) -> Result<(Connection, Channel, Consumer), End> {
        let name = ConnectionProperties::default().with_connection_name("crm-consumer".into());
        let connection = Connection::connect_uri(self.broker.clone(), name).await?;
        let channel = connection.create_channel().await?;
        channel
            .basic_qos(PREFETCH_MESSAGES, BasicQosOptions::default())
            .await?;
        // The gateway makes the queue. Until it has, this fails and is tried again.
        let consumer = channel
            .basic_consume(
                self.queue.into(),
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await?;
        Ok((connection, channel, consumer))
    }

    /// Tells of gaps that stay, and of told ones that closed.
    async fn look_at_gaps(&mut self) -> anyhow::Result<()> {
        let now: BTreeSet<Gap> = self.books.gaps().await?.into_iter().collect();
        for gap in now.intersection(&self.seen) {
            if self.told.insert(*gap) {
                tracing::warn!(gap.first, gap.last, "stream.gap_stays");
            }
        }
        for gap in self.told.difference(&now) {
            tracing::info!(gap.first, gap.last, "stream.gap_changed");
        }
        self.told.retain(|gap| now.contains(gap));
        self.seen = now;
        Ok(())
    }
}

/// A message and those behind it that are there already; and the end, if that is there.
fn batch(
    first: Option<lapin::Result<Delivery>>,
    consumer: &mut Consumer,
) -> (Vec<Delivery>, Option<End>) {
    let mut batch = Vec::new();
    let mut next = Some(first);
    loop {
        match next {
            Some(Some(Ok(delivery))) => batch.push(delivery),
            Some(Some(Err(error))) => return (batch, Some(error.into())),
            Some(None) => return (batch, Some(End::Broker("the queue is gone".into()))),
            None => return (batch, None),
        }
        if batch.len() == BATCH_MESSAGES_MAX {
            return (batch, None);
        }
        next = consumer.next().now_or_never();
    }
}

fn read(delivery: &Delivery) -> Result<Message, String> {
    let message_id = delivery.properties.message_id().as_ref();
    Message::read(&delivery.data, message_id.map(|id| id.as_str()))
}

/// Tells the broker what became of a batch that is counted for good.
async fn settle(channel: &Channel, batch: &[Delivery], outcomes: &[Outcome]) -> lapin::Result<()> {
    let mut done = None;
    for (delivery, outcome) in batch.iter().zip(outcomes) {
        if let Outcome::Refused(why) = outcome {
            let message_id = delivery.properties.message_id().as_ref();
            let message_id = message_id.map(|id| id.as_str());
            tracing::error!(message.id = message_id, why, "message.refused");
            // Without requeue: it goes to the dead letters. It would be as unreadable the next time.
            let requeue = BasicRejectOptions { requeue: false };
            channel.basic_reject(delivery.delivery_tag, requeue).await?;
        } else {
            done = Some(delivery.delivery_tag);
        }
    }
    if let Some(newest) = done {
        // One answer for all before it that are not answered yet.
        let multiple = BasicAckOptions { multiple: true };
        channel.basic_ack(newest, multiple).await?;
    }
    Ok(())
}
