//! A CRM that runs, and what stands around it: the broker's queues, and somebody who sends.

use std::{path::PathBuf, process::Stdio, time::Duration};

use acceptance::schemas;
use futures_util::StreamExt as _;
use gateway::outbox::{EXCHANGE, Publisher, QUEUE};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};

/// How long anything may take that the CRM does by itself.
pub(crate) const WITHIN: Duration = Duration::from_secs(180);
/// How often its report is asked for: nothing tells when it changes.
const LOOK: Duration = Duration::from_millis(100);
/// Makes the exchanges and queues as the gateway does.
pub(crate) async fn declare(amqp_url: &str) {
    let broker: gateway::outbox::Broker = amqp_url.parse().unwrap();
    let publisher = Publisher::connect(&broker).await.unwrap();
    let declared = publisher.declare().await.unwrap();
    assert_eq!(declared.remarks, [""; 0]);
    publisher.close().await;
}

/// The example consumer, as a process. Killed when dropped; its books stay.
pub(crate) struct Crm {
    folder: TempDir,
    process: Option<Child>,
    log: Option<Lines<BufReader<ChildStderr>>>,
}

impl Crm {
    /// With empty books; not running.
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            process: None,
            log: None,
        }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("crm.db")
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crm-consumer"));
        command
            .arg(name)
            .arg("--database")
            .arg(self.database())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    pub(crate) fn start(&mut self, amqp_url: &str) {
        let run = self.command("run").args(["--amqp-url", amqp_url]).spawn();
        self.process = Some(run.unwrap());
    }

    /// The same, with a log that [`logs`](Self::logs) reads. Read it, or it fills up.
    pub(crate) fn start_with_log(&mut self, amqp_url: &str) {
        let mut run = self.command("run");
        run.args(["--amqp-url", amqp_url]).stderr(Stdio::piped());
        let mut process = run.spawn().unwrap();
        let log = process.stderr.take().unwrap();
        self.log = Some(BufReader::new(log).lines());
        self.process = Some(process);
    }

    /// Waits for a line of its log.
    pub(crate) async fn logs(&mut self, words: &[&str]) {
        let log = self.log.as_mut().expect("it was started with a log");
        let read = async {
            while let Some(line) = log.next_line().await.unwrap() {
                if words.iter().all(|word| line.contains(word)) {
                    return;
                }
            }
            panic!("it ended and never said {words:?}");
        };
        let read = tokio::time::timeout(WITHIN, read).await;
        read.unwrap_or_else(|_| panic!("it does not say {words:?}"));
    }

    /// SIGKILL, now.
    pub(crate) async fn kill(&mut self) {
        self.process.take().unwrap().kill().await.unwrap();
    }

    /// SIGTERM; it has to end well.
    pub(crate) async fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        let id = process.id().expect("it runs").to_string();
        let mut ask = Command::new("sh");
        ask.args(["-c", "kill -TERM \"$0\"", &id]);
        assert!(ask.status().await.unwrap().success());
        let ended = tokio::time::timeout(WITHIN, process.wait()).await;
        assert!(ended.expect("it ends").unwrap().success());
    }

    /// Keeps it from writing until the lock is dropped.
    pub(crate) async fn lock(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.database());
        let mut db = SqliteConnection::connect_with(&options).await.unwrap();
        let lock = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut db);
        lock.await.unwrap();
        db
    }

    /// What its books say; none before it has any.
    pub(crate) async fn report(&self) -> Option<Value> {
        let output = self.command("report").arg("--json").output().await;
        let output = output.unwrap();
        let read = output.status.success();
        read.then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    /// The table it prints.
    pub(crate) async fn table(&self) -> String {
        let output = self.command("report").output().await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until its books say `wanted` of the stream, field by field; all they say then.
    pub(crate) async fn says(&self, wanted: Value) -> Value {
        let mut last = None;
        let look = async {
            loop {
                last = self.report().await;
                let said = |field: (&String, &Value)| {
                    last.as_ref()
                        .is_some_and(|report| report["stream"][field.0] == *field.1)
                };
                if wanted.as_object().unwrap().iter().all(said) {
                    return;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let looked = tokio::time::timeout(WITHIN, look).await;
        assert!(looked.is_ok(), "expected {wanted}, it says {last:?}");
        last.unwrap()
    }
}

/// A connection of the test's own.
pub(crate) struct Sender {
    connection: Connection,
    channel: Channel,
}

impl Sender {
    pub(crate) async fn connect(amqp_url: &str) -> Self {
        let options = ConnectionProperties::default();
        let connection = Connection::connect(amqp_url, options).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let confirm = ConfirmSelectOptions::default();
        channel.confirm_select(confirm).await.unwrap();
        Self {
            connection,
            channel,
        }
    }

    /// Sends events as the relay does.
    pub(crate) async fn send(&self, events: &[Value]) {
        for event in events {
            let body = serde_json::to_vec(event).unwrap();
            schemas::check(&body);
            let id = event["id"].as_str().unwrap();
            self.send_raw(event["type"].as_str().unwrap(), Some(id), &body)
                .await;
        }
        let returned = self.channel.wait_for_confirms().await.unwrap();
        assert!(returned.is_empty(), "no queue took {returned:?}");
    }

    pub(crate) async fn send_raw(&self, kind: &str, message_id: Option<&str>, body: &[u8]) {
        let mut properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/cloudevents+json; charset=utf-8".into());
        if let Some(id) = message_id {
            properties = properties.with_message_id(id.into());
        }
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        self.channel
            .basic_publish(EXCHANGE.into(), kind.into(), options, body, properties)
            .await
            .unwrap();
    }

    /// Waits until the CRM's queue has given out all it has.
    pub(crate) async fn all_are_delivered(&self) {
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let look = async {
            loop {
                let more = FieldTable::default();
                let queue = self.channel.queue_declare(QUEUE.into(), passive, more);
                if queue.await.unwrap().message_count() == 0 {
                    return;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let looked = tokio::time::timeout(WITHIN, look).await;
        looked.expect("the CRM takes its messages");
    }

    /// Leaves; what it took and did not acknowledge goes back.
    pub(crate) async fn close(self) {
        self.connection.close(200, "OK".into()).await.unwrap();
    }

    /// Listens to a queue with manual acknowledgement.
    pub(crate) async fn listen(&self, queue: &str) -> Consumer {
        let (options, more) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer = self
            .channel
            .basic_consume(queue.into(), "".into(), options, more);
        consumer.await.unwrap()
    }
}

/// The next message of a queue.
pub(crate) async fn next(consumer: &mut Consumer) -> lapin::message::Delivery {
    let next = tokio::time::timeout(WITHIN, consumer.next()).await;
    next.expect("a message comes").unwrap().unwrap()
}

/// Why the broker let a message die.
pub(crate) fn died_of(delivery: &lapin::message::Delivery) -> String {
    let headers = delivery.properties.headers().as_ref().unwrap();
    match headers.inner().get("x-first-death-reason") {
        Some(AMQPValue::LongString(reason)) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}
