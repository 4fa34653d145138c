//! The CRM: the example consumer, and whether it counted what it should.

use std::{collections::BTreeSet, path::PathBuf, process::Stdio, time::Duration};

use acceptance::{databases::Database, gateway_process::run_well};
use gateway::store::PoolSizes;
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// How long the relay and the CRM may take to catch up.
const WITHIN: Duration = Duration::from_secs(600);
/// How often they are looked at: nothing tells when they are done.
const LOOK: Duration = Duration::from_millis(200);

/// The example consumer, as a process. Killed when dropped; its books stay.
pub(crate) struct Crm {
    folder: TempDir,
    process: Option<Child>,
}

impl Crm {
    /// With empty books; not running.
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            process: None,
        }
    }

    /// Starts it, on the books it left.
    pub(crate) fn start(&mut self, amqp_url: &str) {
        let run = Command::new(env!("CARGO_BIN_EXE_crm-consumer"))
            .args(["run", "--amqp-url", amqp_url, "--database"])
            .arg(self.database())
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        self.process = Some(run.expect("the consumer starts"));
    }

    /// SIGKILL, now.
    pub(crate) async fn kill(&mut self) {
        self.process.take().unwrap().kill().await.unwrap();
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("crm.db")
    }

    /// The message ids it has counted.
    async fn counted(&self) -> BTreeSet<String> {
        let url = format!("sqlite://{}?mode=ro", self.database().display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let ids = sqlx::query_scalar("SELECT message_id FROM counted").fetch_all(&mut connection);
        let ids: Vec<String> = ids.await.unwrap();
        ids.into_iter().collect()
    }

    /// What its books say of the stream.
    async fn stream(&self) -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_crm-consumer"))
            .args(["report", "--json", "--database"])
            .arg(self.database())
            .output()
            .await
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["stream"].clone()
    }
}

/// Waits until the outbox is empty and the CRM has counted every event, each once and no other; the
/// events, as the gateway's own log has them.
pub(crate) async fn drain(database: &Database, crm: &Crm) -> Vec<Value> {
    let store = database.open(PoolSizes { write: 1, read: 1 }).await;
    let drained = async {
        while store.outbox_status().await.unwrap().waiting > 0 {
            tokio::time::sleep(LOOK).await;
        }
    };
    let drained = tokio::time::timeout(WITHIN, drained).await;
    drained.expect("the outbox drains");
    store.close().await;
    let said = run_well("gateway", &["events", "--database-url", database.url()]).await;
    let said = said.unwrap();
    let events: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let wanted = events
        .iter()
        .map(|event| event["id"].as_str().unwrap().to_owned());
    let wanted: BTreeSet<String> = wanted.collect();
    let counted = async {
        while crm.counted().await.len() < wanted.len() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let counted = tokio::time::timeout(WITHIN, counted).await;
    counted.expect("the CRM catches up");
    assert_eq!(
        crm.counted().await,
        wanted,
        "the CRM counted other messages"
    );
    let stream = crm.stream().await;
    assert_eq!(stream["highest"], wanted.len(), "{stream}");
    assert_eq!(
        (&stream["missing"], &stream["refused"]),
        (&0.into(), &0.into()),
        "{stream}"
    );
    println!("the CRM: {stream}");
    events
}
