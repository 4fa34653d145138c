//! An example of a CRM that listens to the point gateway: it keeps a tally for each store and member.
//!
//! It shows what every consumer needs, and nothing else:
//!
//! - It never counts a message twice: what it counted is written down with the message's id, in one
//!   transaction, and acknowledged afterwards ([`books`]).
//! - It never misses one unnoticed: `streamsequence` counts all events without a gap ([`gaps`]).
//! - It knows which records are one person's, and what a person has and buys over all of them ([`persons`]).
//! - It refuses what it cannot read, and goes on ([`message`]).
//! - It may be killed at any moment, and so may the broker ([`listen`]).
//!
//! `docs/events.md` explains the same without Rust.

mod books;
mod gaps;
mod listen;
mod message;
mod persons;
mod report;

use std::{io::IsTerminal as _, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use lapin::uri::AMQPUri;
use tracing_subscriber::EnvFilter;

use crate::books::Books;

/// Keeps a tally of what the point gateway tells.
#[derive(Debug, Parser)]
#[command(name = "crm-consumer", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Listen to the queue, until Ctrl-C or SIGTERM
    Run(Run),
    /// Print the tallies, and what is missing
    Report(Report),
}

#[derive(Debug, Args)]
struct Run {
    /// The broker, for example amqp://guest:guest@127.0.0.1:5672 (a virtual host follows a slash)
    #[arg(long, value_name = "URL", env = "AMQP_URL", hide_env_values = true)]
    amqp_url: String,
    /// The queue; the gateway makes it
    #[arg(long, value_name = "NAME", default_value = "crm.purchases")]
    queue: String,
    /// The SQLite file of the tallies; made if it is not there
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
}

#[derive(Debug, Args)]
struct Report {
    /// The SQLite file of the tallies
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let level =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,lapin=off"));
    tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match Cli::parse().command {
        Command::Run(run) => {
            // The driver's own message might repeat the password.
            let broker: AMQPUri = run.amqp_url.parse().ok().context("not an AMQP URL")?;
            let books = Books::open(&run.database).await?;
            listen::run(broker, &run.queue, books).await
        }
        Command::Report(report) => {
            let report_of = Books::read(&report.database).await?.report().await?;
            report::print(&report_of, report.json)
        }
    }
}
