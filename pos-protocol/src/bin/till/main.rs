//! `till`: sells baskets against a running gateway, from a keyboard, a scanner or a script.
//!
//! An example for people who build tills, and a till for tests: it holds nothing that the journal does
//! not, and can be killed at any moment. Exit codes: 0 all commands were understood, 1 one was not, 2
//! it could not start.

mod basket;
mod command;
mod output;
mod session;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{civil::Time, tz::TimeZone};
use pos_protocol::client::{
    Account, BusinessDay, Chaos, Client, Language, Line, OfflineSpending, Settings, decode,
};
use tokio::sync::mpsc;

use output::Output;
use session::Session;

/// Lines that were read and not yet carried out.
const LINES_MAX: usize = 16;

#[derive(Parser)]
#[command(name = "till", version, about = "Sell baskets with points, as a till does.", after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

const EXAMPLES: &str = "\
Against `gateway demo` (member-card comes with this project):
  till --client-id till-1 --client-secret demo-till-1-secret --journal till-1
  till journal --journal till-1

Type `help` for the commands. A scanned card is a command by itself.
Exit codes: 0 all commands were understood; 1 one was not; 2 it could not start.";

#[derive(Subcommand)]
enum Command {
    /// Print a journal's entries, one JSON object a line. The till may be running.
    Journal {
        /// The journal's folder
        #[arg(long, value_name = "DIR")]
        journal: PathBuf,
    },
}

#[derive(Args)]
struct Run {
    /// The gateway
    #[arg(
        long,
        env = "TILL_GATEWAY",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    gateway: String,
    /// The till's client id; it names the terminal
    #[arg(
        long,
        env = "TILL_CLIENT_ID",
        value_name = "ID",
        default_value = "till-1"
    )]
    client_id: String,
    /// The client's secret
    #[arg(
        long,
        env = "TILL_CLIENT_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    client_secret: String,
    /// Folder of the journal; made if it is not there
    #[arg(
        long,
        env = "TILL_JOURNAL",
        value_name = "DIR",
        default_value = "till-journal"
    )]
    journal: PathBuf,
    /// Read commands from this file instead of standard input
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Print one JSON object for each result
    #[arg(long)]
    json: bool,
    /// The cashier's language
    #[arg(long, value_enum, default_value_t = Speech::En)]
    language: Speech,
    /// Take points also while the gateway is away; the shop bears what the member turns out not to have
    #[arg(long)]
    spend_offline: bool,
    /// The gateway is the journal's at a new address
    #[arg(long)]
    gateway_moved: bool,
    /// How long a cashier waits for an answer
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    deadline_ms: u64,
    /// How long one attempt waits for its answer
    #[arg(long, value_name = "MS", default_value_t = 2_000)]
    attempt_ms: u64,
    /// The longest pause between two tries of the queue
    #[arg(long, value_name = "MS", default_value_t = 60_000)]
    backoff_max_ms: u64,
    /// When a business day begins
    #[arg(long, value_name = "HH:MM", default_value = "05:00")]
    cut_over: Time,
    /// The calendar of business days
    #[arg(long, value_name = "ZONE", default_value = "Asia/Tokyo", value_parser = zone)]
    time_zone: TimeZone,
    /// Lose, delay and double this till's own traffic, the same way for the same seed
    #[arg(long, value_name = "SEED", num_args = 0..=1, default_missing_value = "1")]
    chaos: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Speech {
    /// English
    En,
    /// 日本語
    Ja,
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.command {
        Some(Command::Journal { journal }) => print_journal(&journal.join("journal")),
        None => sell(cli.run),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}

fn print_journal(file: &std::path::Path) -> anyhow::Result<ExitCode> {
    for entry in journal_lines(file)? {
        println!("{entry}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The entries of a journal file as JSON; a record that is damaged or half written is left out.
fn journal_lines(file: &std::path::Path) -> anyhow::Result<Vec<String>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let whole = lines.filter_map(|line| line.strip_suffix(b"\n"));
    let entries = whole.filter_map(|line| match decode(line) {
        Line::Entry(entry) => serde_json::to_string(&entry).ok(),
        Line::Unknown(_) | Line::Damaged => None,
    });
    Ok(entries.collect())
}

#[tokio::main(flavor = "current_thread")]
async fn sell(run: Run) -> anyhow::Result<ExitCode> {
    let language = match run.language {
        Speech::En => Language::English,
        Speech::Ja => Language::Japanese,
    };
    let output = Output::new(run.json, language);
    let input: Box<dyn Read + Send> = match &run.script {
        Some(file) => {
            let opened = File::open(file);
            Box::new(opened.with_context(|| format!("cannot read {}", file.display()))?)
        }
        None => Box::new(io::stdin()),
    };
    let settings = settings(&run);
    let account = Account {
        gateway: run.gateway,
        client_id: run.client_id,
        client_secret: run.client_secret,
    };
    let chaos = run.chaos.map(Chaos::new);
    let (client, opening, mut notices) = Client::open_over(&run.journal, account, settings, chaos)?;
    output.opened(&opening);
    output.untold(&opening.untold);
    let noticed = output.clone();
    tokio::spawn(async move {
        while let Some(notice) = notices.recv().await {
            noticed.notice(&notice);
        }
    });
    let mut session = Session::new(client, output, run.journal);
    session.let_go(opening.open_holds);
    let mut lines = lines_of(input);
    while let Some(line) = lines.recv().await {
        if !session.line(&line).await {
            break;
        }
    }
    Ok(if session.close().await {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn settings(run: &Run) -> Settings {
    let defaults = Settings::default();
    let backoff_max = Duration::from_millis(run.backoff_max_ms);
    Settings {
        deadline: Duration::from_millis(run.deadline_ms),
        attempt: Duration::from_millis(run.attempt_ms),
        deadline_away: defaults
            .deadline_away
            .min(Duration::from_millis(run.deadline_ms)),
        backoff_first: defaults.backoff_first.min(backoff_max),
        backoff_max,
        offline_spending: if run.spend_offline {
            OfflineSpending::StoreBearsRisk
        } else {
            OfflineSpending::Refuse
        },
        gateway_moved: run.gateway_moved,
        business_day: BusinessDay {
            zone: run.time_zone.clone(),
            cut_over: run.cut_over,
        },
        ..defaults
    }
}

/// Lines as they are typed. A thread of its own reads them: reading a keyboard cannot be awaited.
fn lines_of(input: Box<dyn Read + Send>) -> mpsc::Receiver<String> {
    let (typed, lines) = mpsc::channel(LINES_MAX);
    std::thread::spawn(move || {
        for line in BufReader::new(input).lines().map_while(Result::ok) {
            if typed.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}
