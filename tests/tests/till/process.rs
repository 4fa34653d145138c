//! The program `till` in a process of its own, fed line by line.

use std::{path::Path, process::Stdio};

use acceptance::{
    phone::Phone,
    program::{program, settings_around},
};
use pos_protocol::client::Account;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{PATIENCE, scan};

/// A till at work. It is killed with its handle.
pub(crate) struct TillProcess {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl TillProcess {
    /// Starts it; `prelude` is what the shell does first.
    pub(crate) async fn start(
        account: &Account,
        folder: &Path,
        options: &[&str],
        prelude: &str,
    ) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{prelude}\nexec \"$0\" \"$@\"")])
            .arg(program("till"))
            .args(["--json", "--deadline-ms", "3000", "--backoff-max-ms", "200"])
            .arg("--journal")
            .arg(folder)
            .args([
                "--gateway",
                &account.gateway,
                "--client-id",
                &account.client_id,
            ])
            .args(options)
            .env("TILL_CLIENT_SECRET", &account.client_secret)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        for name in settings_around() {
            command.env_remove(name);
        }
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut till = Self {
            child,
            input,
            lines,
        };
        till.until(|line| line["ready"] == true).await;
        till
    }

    /// What it says next.
    pub(crate) async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("the till says something").unwrap();
        serde_json::from_str(&line.expect("the till runs")).unwrap()
    }

    /// The next line that `wanted` takes.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.line().await;
            if wanted(&line) {
                return line;
            }
        }
    }

    pub(crate) async fn type_in(&mut self, lines: &str) {
        self.input.write_all(lines.as_bytes()).await.unwrap();
    }

    /// Types in a basket of one article and pays it, with so many points in the sale's own message.
    pub(crate) async fn type_basket(&mut self, phone: &Phone, redeem: Option<u32>) {
        let card = scan(phone).await.text;
        let pay = redeem.map_or_else(|| "pay".to_owned(), |points| format!("pay {points}"));
        self.type_in(&format!("scan {card}\nitem tea 2000\n{pay}\n"))
            .await;
    }

    /// Sells one basket; the sale's verdict. What could not be sold is put away.
    pub(crate) async fn sell(&mut self, phone: &Phone, redeem: Option<u32>) -> Value {
        self.type_basket(phone, redeem).await;
        let sold = self.until(|line| line["command"] == "pay").await;
        if !matches!(sold["verdict"].as_str(), Some("approved" | "queued")) {
            self.type_in("void\n").await;
        }
        sold
    }

    /// Kills it (SIGKILL); what it had said by then.
    pub(crate) async fn kill(mut self) -> Vec<Value> {
        self.child.kill().await.unwrap();
        let mut said = Vec::new();
        while let Ok(Some(line)) = self.lines.next_line().await {
            // A line may be cut in the middle.
            said.extend(serde_json::from_str(&line).ok());
        }
        said
    }

    /// Lets it come to its end.
    pub(crate) async fn end(mut self) {
        drop(self.input);
        while self.lines.next_line().await.unwrap().is_some() {}
        self.child.wait().await.unwrap();
    }
}
