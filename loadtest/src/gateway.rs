//! Gateways that the load test starts itself.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use tokio::process::{Child, Command};

use crate::{
    ownership,
    till::Client,
    wire::{Place, Wire, get},
};

/// How long a gateway may take to become ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// The pause between two looks at whether it is.
const READY_POLL: Duration = Duration::from_millis(20);
/// The programme of the load test's own database.
const PROGRAMME: &str = include_str!("../programme.toml");

/// The id of the programme that the load test puts in force.
pub const PROGRAMME_ID: &str = "loadtest";

/// A gateway program and a database that belongs to the load test.
#[derive(Debug)]
pub struct Installation {
    program: PathBuf,
    database_url: String,
    programme: tempfile::NamedTempFile,
}

impl Installation {
    /// Brings the schema up to date, in a database that is empty or the load test's own.
    ///
    /// # Errors
    /// If the database is somebody else's, or the program cannot be run or refuses.
    pub async fn new(program: &Path, database_url: &str) -> anyhow::Result<Self> {
        ownership::ensure_ours(database_url).await?;
        let programme = tempfile::NamedTempFile::with_suffix(".toml")?;
        std::fs::write(programme.path(), PROGRAMME)?;
        let installation = Self {
            program: program.to_owned(),
            database_url: database_url.to_owned(),
            programme,
        };
        installation.command(&["migrate"]).await?;
        Ok(installation)
    }

    /// Puts the load test's programme in force.
    ///
    /// # Errors
    /// If the program refuses.
    pub async fn apply_programme(&self) -> anyhow::Result<()> {
        let file = self.programme.path().display().to_string();
        let arguments = ["admin", "programme", "apply", "--yes", &file];
        self.command(&arguments).await?;
        Ok(())
    }

    /// A program and a database for [`Installation::audit`] alone: nothing is brought up to date.
    ///
    /// # Errors
    /// If no file can be made.
    pub fn for_audit(program: &Path, database_url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            program: program.to_owned(),
            database_url: database_url.to_owned(),
            programme: tempfile::NamedTempFile::new()?,
        })
    }

    /// Makes a till.
    ///
    /// # Errors
    /// If the program refuses.
    pub async fn client(&self, id: &str) -> anyhow::Result<Client> {
        let arguments = [
            "admin",
            "client",
            "create",
            "--id",
            id,
            "--scope",
            "pos",
            "--terminal",
            id,
            "--store",
            "load",
            "--json",
        ];
        let output = self.command(&arguments).await?;
        let made: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let secret = made["client_secret"].as_str().context("a secret")?;
        Ok(Client {
            id: id.to_owned(),
            secret: secret.to_owned(),
        })
    }

    /// Starts a gateway with some more options, and waits until it is ready.
    ///
    /// # Errors
    /// If it does not become ready.
    pub async fn serve(&self, more: &[String]) -> anyhow::Result<Running> {
        let mut running = self.launch(more)?;
        running.ready().await?;
        Ok(running)
    }

    /// Starts a gateway with some more options, and waits for nothing.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub fn launch(&self, more: &[String]) -> anyhow::Result<Running> {
        let address = free_address()?;
        // An overloaded gateway says so in every answer; a line for each would bury the figures.
        let log = std::env::var("GATEWAY_LOG").unwrap_or_else(|_| "off".into());
        let child = Command::new(&self.program)
            .args(["serve", "--trusted-proxies", "1", "--listen"])
            .arg(address.to_string())
            .arg("--programme")
            .arg(self.programme.path())
            .args(more)
            .env("DATABASE_URL", &self.database_url)
            .env("GATEWAY_LOG", log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let place = Place::parse(&format!("http://{address}"))?;
        Ok(Running { child, place })
    }

    /// Rechecks the whole database with `gateway audit`.
    ///
    /// # Errors
    /// If it cannot be checked. That something is broken is no error.
    pub async fn audit(&self) -> anyhow::Result<Audit> {
        let output = self.output(&["audit", "--quiet", "--json"]).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        ensure!(matches!(code, Some(0 | 1)), "the audit failed: {said}");
        let found: serde_json::Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("the audit says nothing: {said}"))?;
        let clean = found["clean"].as_bool().context("a verdict")?;
        ensure!(clean == output.status.success(), "two verdicts: {found}");
        Ok(Audit {
            clean,
            members: found["members"].as_u64().unwrap_or(0),
            transfers: found["transfers"].as_u64().unwrap_or(0),
            first_broken: (!clean).then(|| found["first_broken"].to_string()),
        })
    }

    async fn command(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let output = self.output(arguments).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?} failed: {said}");
        Ok(output)
    }

    async fn output(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        Command::new(&self.program)
            .args(arguments)
            .env("DATABASE_URL", &self.database_url)
            .stdin(Stdio::null())
            .output()
            .await
            .with_context(|| format!("cannot run {}", self.program.display()))
    }
}

/// What `gateway audit` found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Audit {
    /// Whether every invariant holds.
    pub clean: bool,
    /// Members checked.
    pub members: u64,
    /// Transfers replayed.
    pub transfers: u64,
    /// The first row that breaks one.
    pub first_broken: Option<String>,
}

/// A gateway that runs. It ends with its handle.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Where it listens.
    pub place: Place,
}

impl Running {
    /// Its process id; none once it has ended.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let (child, place) = (&mut self.child, &self.place);
        let ready = async {
            loop {
                let answer = Wire::new(place).send(get("/readyz")?).await;
                if answer.is_ok_and(|answer| answer.status == 200) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(READY_POLL).await;
            }
        };
        tokio::select! {
            ended = child.wait() => bail!("the gateway ended with {}", ended?),
            ready = tokio::time::timeout(READY_WITHIN, ready) => {
                ready.context("the gateway does not become ready")?
            }
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// If the system does not let it be ended.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?)
}
