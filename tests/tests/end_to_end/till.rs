//! A till: the example program of `pos-protocol`, fed by a script, killed and started again on the same
//! journal.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use acceptance::{
    program::{program, settings_around},
    till::Till,
};
use pos_protocol::{
    Outcome, RequestId,
    client::{Book, Entry, Line, decode},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// How long a till may take for a command, or to settle all it has.
const WITHIN: Duration = Duration::from_secs(600);

/// What is special about a till.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// It loses, delays and doubles its own traffic, after this seed.
    pub(crate) chaos: Option<u64>,
    /// Its cashier cannot wait.
    pub(crate) impatient: bool,
}

/// A till program and its journal. Killed when dropped.
pub(crate) struct TillProgram {
    client: Till,
    manner: Manner,
    folder: TempDir,
    running: Running,
    pid: Arc<AtomicU32>,
}

struct Running {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The till was killed.
#[derive(Debug)]
pub(crate) struct Killed;

impl TillProgram {
    /// Starts a till that asks as `client`.
    pub(crate) async fn start(client: Till, manner: Manner) -> Self {
        let folder = TempDir::new().unwrap();
        let running = spawn(&client, manner, &folder);
        let pid = Arc::new(AtomicU32::new(running.child.id().unwrap()));
        let mut till = Self {
            client,
            manner,
            folder,
            running,
            pid,
        };
        till.opened().await.unwrap();
        till
    }

    /// Its process, now and after it was started again.
    pub(crate) fn pid(&self) -> Arc<AtomicU32> {
        self.pid.clone()
    }

    /// Starts it again, on the journal it left.
    pub(crate) async fn restart(&mut self) {
        loop {
            // Only when it is gone is its journal free.
            self.running.child.kill().await.unwrap();
            self.running = spawn(&self.client, self.manner, &self.folder);
            let pid = self.running.child.id().unwrap();
            self.pid.store(pid, Ordering::SeqCst);
            if self.opened().await.is_ok() {
                return;
            }
        }
    }

    async fn opened(&mut self) -> Result<(), Killed> {
        loop {
            let line = self.line().await?;
            if line["ready"] == true {
                // No record was ever damaged: a crash can only tear the last one.
                assert_eq!(line["damaged_records"], 0, "{line}");
                return Ok(());
            }
        }
    }

    /// Types a command; every line up to and with the one that ends it.
    pub(crate) async fn command(&mut self, command: &str) -> Result<Vec<Value>, Killed> {
        let word = command.split(' ').next().unwrap_or_default().to_owned();
        let typed = format!("{command}\n");
        let stdin = &mut self.running.stdin;
        stdin
            .write_all(typed.as_bytes())
            .await
            .map_err(|_| Killed)?;
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            // Goods that are typed are answered by the basket as it is then.
            let ends = line["command"] == word || (word == "item" && line["command"] == "basket");
            assert!(line["error"].is_null(), "{command}: {line}");
            lines.push(line);
            if ends {
                return Ok(lines);
            }
        }
    }

    async fn line(&mut self) -> Result<Value, Killed> {
        let next = tokio::time::timeout(WITHIN, self.running.lines.next_line()).await;
        let line = next.expect("the till says something").map_err(|_| Killed)?;
        let line = line.ok_or(Killed)?;
        Ok(serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}")))
    }

    /// Its journal agrees with the gateway: every answer it holds is the one that is stored, what it
    /// dropped has no effect, nothing is unsettled, and its totals are the gateway's. How many entries
    /// it has.
    pub(crate) async fn check(mut self) -> usize {
        // Once more from its journal, with nothing in its way.
        self.manner = Manner::default();
        self.restart().await;
        let settled = self.command("settle").await.expect("nothing is killed now");
        let last = settled.last().unwrap();
        assert_eq!(last["verdict"], "approved", "{last}");
        assert_eq!(
            last["answer"]["differences"],
            serde_json::json!([]),
            "{last}"
        );
        let entries = self.entries();
        let mut book = Book::default();
        for entry in &entries {
            book.apply(entry);
            match entry {
                Entry::Answer {
                    request_id, answer, ..
                } => {
                    let stored = self.stored(request_id).await;
                    assert_eq!(stored.as_ref(), Some(answer), "{request_id}");
                }
                Entry::Dropped { request_id, .. } => {
                    let stored = self.stored(request_id).await;
                    let approved = stored.filter(is_sale);
                    assert_eq!(approved, None, "{request_id} was dropped");
                }
                _ => {}
            }
        }
        assert_eq!(book.unsettled(), 0, "of {}", self.client.client_id);
        entries.len()
    }

    /// The journal's entries, oldest first.
    fn entries(&self) -> Vec<Entry> {
        let journal = std::fs::read(self.folder.path().join("journal")).unwrap();
        let lines = journal
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let entry = |line| match decode(line) {
            Line::Entry(entry) => *entry,
            other => panic!("a damaged journal: {other:?}"),
        };
        lines.map(entry).collect()
    }

    /// What the gateway has stored under a request id.
    async fn stored(&self, request_id: &RequestId) -> Option<Value> {
        let reply = self.client.insist_on_status(request_id.as_str()).await;
        (reply.status == 200).then(|| reply.parse())
    }
}

/// Whether an answer says that a sale was made.
fn is_sale(answer: &Value) -> bool {
    answer["outcome"] == serde_json::json!(Outcome::Approved) && !answer["purchase"].is_null()
}

fn spawn(client: &Till, manner: Manner, folder: &TempDir) -> Running {
    let mut command = Command::new(program("till"));
    settings_around().for_each(|name| {
        command.env_remove(name);
    });
    command
        .args(["--gateway", client.base(), "--client-id", &client.client_id])
        .env("TILL_CLIENT_SECRET", client.secret())
        .arg("--journal")
        .arg(folder.path())
        .args(["--json", "--backoff-max-ms", "1000"]);
    if let Some(seed) = manner.chaos {
        command.args(["--chaos", &seed.to_string()]);
    }
    if manner.impatient {
        command.args(["--deadline-ms", "250", "--attempt-ms", "100"]);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the till starts");
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    Running {
        stdin: child.stdin.take().unwrap(),
        lines,
        child,
    }
}
