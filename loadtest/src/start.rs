//! `loadtest start`: how long a gateway takes from nothing to its first answer, and what memory it has then.

use std::{fmt, path::PathBuf, time::Duration};

use anyhow::{Context, bail, ensure};
use clap::Args;
use serde::Serialize;

use crate::{
    clock,
    crowd::{Crowd, POINTS_HELD},
    figures::{mebibytes, median, micros, ms},
    gateway::{Installation, PROGRAMME_ID, Running},
    processes,
    till::Till,
    wire::{Wire, get},
};

/// The pause between two looks at whether a gateway is ready.
const POLL: Duration = Duration::from_millis(1);
/// How long a gateway may take to become ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Options of `loadtest start`.
#[derive(Debug, Args)]
pub struct StartArgs {
    /// The gateway's program
    #[arg(long, value_name = "PATH")]
    pub gateway: PathBuf,
    /// A database for this alone: postgres://… or sqlite://PATH
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// How often to start it
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub times: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// One start.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Start {
    /// From the start of the process to the first 200 of `/readyz`, in microseconds.
    pub ready_us: u64,
    /// From the start of the process to the answer to the first authorization, in microseconds.
    pub approved_us: u64,
    /// Memory after that answer, in kibibytes; none where the system does not say.
    pub memory_kib: Option<u64>,
}

/// All starts, and what they come to.
#[derive(Debug, Clone, Serialize)]
pub struct Starts {
    /// Median to the first 200 of `/readyz`, in microseconds.
    pub ready_median_us: f64,
    /// The longest.
    pub ready_max_us: u64,
    /// Median to the first approved authorization, in microseconds.
    pub approved_median_us: f64,
    /// The longest.
    pub approved_max_us: u64,
    /// Each, in order.
    pub starts: Vec<Start>,
}

/// Starts the gateway again and again.
///
/// # Errors
/// If it does not become ready, or does not approve.
pub async fn run(args: &StartArgs) -> anyhow::Result<Starts> {
    ensure!(args.times > 0, "at least once");
    let installation = Installation::new(&args.gateway, &args.database_url).await?;
    let run = format!("start-{}", clock::now().as_millisecond());
    let client = installation.client(&run).await?;
    let mut crowd = Crowd::new(PROGRAMME_ID, 1)?;
    // A till keeps its token while a gateway restarts: the keys that sign them are in the database.
    let gateway = installation.serve(&[]).await?;
    let till = Till::sign_in(&gateway.place, &client).await?;
    crowd.join(&gateway.place, &till, &run).await?;
    gateway.stop().await?;
    let mut starts = Vec::new();
    for number in 0..args.times {
        let texts = crowd.texts(1).await?;
        let text = texts.first().context("a text")?;
        let request = till.authorization(&format!("{run}-{number}"), text, POINTS_HELD)?;
        let begun = clock::instant();
        let gateway = installation.launch(&[])?;
        let mut wire = tokio::time::timeout(READY_WITHIN, ready(&gateway))
            .await
            .context("the gateway does not become ready")??;
        let ready = begun.elapsed();
        let answer = wire.send(request).await?;
        let approved = begun.elapsed();
        if answer.json()?["outcome"] != "approved" {
            bail!("not approved: {}", String::from_utf8_lossy(&answer.body));
        }
        let memory_kib = gateway.pid().and_then(processes::memory_kib);
        gateway.stop().await?;
        starts.push(Start {
            ready_us: u64::try_from(ready.as_micros())?,
            approved_us: u64::try_from(approved.as_micros())?,
            memory_kib,
        });
    }
    Ok(Starts::of(starts))
}

/// Asks until the gateway says that it is ready, as often as it can be asked.
async fn ready(gateway: &Running) -> anyhow::Result<Wire> {
    let mut wire = Wire::new(&gateway.place);
    loop {
        match wire.send(get("/readyz")?).await {
            Ok(answer) if answer.status == 200 => return Ok(wire),
            _ => tokio::time::sleep(POLL).await,
        }
        ensure!(gateway.pid().is_some(), "the gateway ended");
    }
}

impl Starts {
    /// What starts come to.
    #[must_use]
    pub fn of(starts: Vec<Start>) -> Self {
        let (ready, approved) = (
            |start: &Start| start.ready_us,
            |start: &Start| start.approved_us,
        );
        Self {
            ready_median_us: median(starts.iter().map(ready).map(micros)),
            ready_max_us: starts.iter().map(ready).max().unwrap_or(0),
            approved_median_us: median(starts.iter().map(approved).map(micros)),
            approved_max_us: starts.iter().map(approved).max().unwrap_or(0),
            starts,
        }
    }
}

impl fmt::Display for Starts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for start in &self.starts {
            let memory = start.memory_kib.map(mebibytes);
            let memory = memory.map_or("?".to_owned(), |memory| format!("{memory:.0} MiB"));
            let (ready, approved) = (ms(start.ready_us), ms(start.approved_us));
            writeln!(
                f,
                "ready {ready:>10}   approved {approved:>10}   memory {memory:>8}"
            )?;
        }
        writeln!(
            f,
            "from the start of the process, {} times:",
            self.starts.len()
        )?;
        writeln!(
            f,
            "ready to serve: median {:.0} µs, max {} µs",
            self.ready_median_us, self.ready_max_us
        )?;
        write!(
            f,
            "first approved authorization: median {:.0} µs, max {} µs",
            self.approved_median_us, self.approved_max_us
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_come_to_medians_and_the_longest() {
        let start = |ready_us, approved_us| Start {
            ready_us,
            approved_us,
            memory_kib: Some(2_048),
        };
        let starts = Starts::of(vec![start(10, 15), start(90, 91), start(20, 40)]);
        assert_eq!((starts.ready_median_us, starts.ready_max_us), (20.0, 90));
        assert_eq!(
            (starts.approved_median_us, starts.approved_max_us),
            (40.0, 91)
        );
        assert!(starts.to_string().contains("2 MiB"));
    }
}
