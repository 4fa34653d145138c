//! What `loadtest run` can be asked for.

use std::{num::NonZeroU32, path::PathBuf};

use anyhow::{Context, ensure};
use clap::Args;

use super::{drive::Pace, errand::Scenario, stage::Amount};
use crate::till::Client;

/// Where a gateway listens if nothing else is said.
const HERE: &str = "http://127.0.0.1:8080";
/// Callers of a closed loop if nothing else is said.
const CONCURRENCY: usize = 16;
/// Errands of a step if nothing else is said.
const ERRANDS: u64 = 2_000;
/// Seconds of a step of several, if nothing else is said.
const SECONDS: u64 = 10;

/// Options of `loadtest run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// A gateway that runs: http://HOST:PORT [default: http://127.0.0.1:8080, unless one is started]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The gateway's program: started on --database-url if there is no --url, and asked for an audit in the end
    #[arg(long, value_name = "PATH", requires = "database_url")]
    pub gateway: Option<PathBuf>,
    /// The gateway's database: postgres://… or sqlite://PATH
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// More options for the gateway that is started, for example --gateway-option=--lanes=4
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub gateway_option: Vec<String>,
    /// Do not have the database audited after the run
    #[arg(long)]
    pub no_audit: bool,

    /// A till's client id; several share the load, which one alone may not be allowed to make
    #[arg(long, value_name = "ID")]
    pub client: Vec<String>,
    /// The secret of each client, in the same order
    #[arg(
        allow_hyphen_values = true,
        long,
        value_name = "SECRET",
        env = "LOADTEST_SECRET",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub secret: Vec<String>,
    /// Tills that `loadtest seed` made, instead of --client and --secret
    #[arg(long, value_name = "PATH", conflicts_with = "client")]
    pub tills_file: Option<PathBuf>,
    /// Tills to make for a gateway that is started
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub tills: usize,
    /// The programme whose cards are signed [default: demo; loadtest at a gateway that is started]
    #[arg(long, value_name = "ID")]
    pub programme: Option<String>,

    /// Members to enrol
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        conflicts_with = "seeded"
    )]
    pub members: usize,
    /// Enrol nobody: show cards of the members that `loadtest seed` made from this text
    #[arg(long, value_name = "TEXT", requires = "seeded_members")]
    pub seeded: Option<String>,
    /// How many members it made
    #[arg(long, value_name = "N", requires = "seeded")]
    pub seeded_members: Option<u64>,
    /// How many of them show their cards, spread evenly over all
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub real_cards: u64,
    /// Open holds that the programme lets one member have
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub holds_per_member: usize,

    /// What is asked of the gateway
    #[arg(long, value_enum, default_value_t = Scenario::Authorize)]
    pub scenario: Scenario,
    /// Open loop: errands a second, begun at their times whatever the gateway does
    #[arg(long, value_name = "N", conflicts_with_all = ["concurrency", "rates"])]
    pub per_s: Option<NonZeroU32>,
    /// Open loop at several rates, one after the other: 500,1000,2000
    #[arg(long, value_name = "N,…", value_delimiter = ',', conflicts_with_all = ["concurrency", "find_rate"])]
    pub rates: Vec<NonZeroU32>,
    /// Open loop: search for the highest rate that keeps --p99-ms, beginning with --per-s
    #[arg(long, conflicts_with = "concurrency")]
    pub find_rate: bool,
    /// The bound of the search: 99 of 100 answers within so many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 20)]
    pub p99_ms: u64,
    /// Closed loop: callers that each wait for their answer [default: 16, where no rate is given]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub concurrency: Option<u32>,
    /// Connections of an open loop, at most
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub connections_max: usize,
    /// Seconds of load to measure [default: 10 for each of several rates]
    #[arg(long, value_name = "N", conflicts_with = "requests")]
    pub seconds: Option<u64>,
    /// Errands to measure instead [default: 2000]
    #[arg(long, value_name = "N")]
    pub requests: Option<u64>,
    /// Errands before that, which do not count [default: 200, and two seconds of the rate]
    #[arg(long, value_name = "N")]
    pub warm_up: Option<u64>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Write the same JSON to a file
    #[arg(long, value_name = "PATH")]
    pub json_file: Option<PathBuf>,
    /// Write a report to read in a browser: one file, needs no network
    #[arg(long, value_name = "PATH")]
    pub html: Option<PathBuf>,
}

/// The gateway that is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// It runs here.
    Runs(String),
    /// It has to be started.
    Start,
}

impl RunArgs {
    pub(super) fn target(&self) -> anyhow::Result<Target> {
        let given = !self.client.is_empty() || self.tills_file.is_some();
        match (&self.url, &self.gateway, given) {
            (Some(url), _, _) => Ok(Target::Runs(url.clone())),
            (None, None, true) => Ok(Target::Runs(HERE.to_owned())),
            (None, Some(_), false) => Ok(Target::Start),
            (None, Some(_), true) => {
                anyhow::bail!(
                    "a gateway that is started gets tills of its own; say --url for one that runs"
                )
            }
            (None, None, false) => {
                anyhow::bail!(
                    "say --client and --secret, or --tills-file, or --gateway and --database-url"
                )
            }
        }
    }

    pub(super) fn clients(&self) -> anyhow::Result<Vec<Client>> {
        if let Some(path) = &self.tills_file {
            let text = std::fs::read(path).with_context(|| path.display().to_string())?;
            return serde_json::from_slice(&text).context("no file of tills");
        }
        let (ids, secrets) = (self.client.len(), self.secret.len());
        ensure!(ids == secrets, "{ids} clients, {secrets} secrets");
        let pairs = self.client.iter().cloned().zip(self.secret.iter().cloned());
        Ok(pairs.map(|(id, secret)| Client { id, secret }).collect())
    }

    /// The steps, unless they are searched for.
    pub(super) fn paces(&self) -> anyhow::Result<Vec<Pace>> {
        if !self.rates.is_empty() {
            return Ok(self.rates.iter().copied().map(Pace::Open).collect());
        }
        let callers = self.concurrency.map_or(Ok(CONCURRENCY), usize::try_from)?;
        Ok(vec![self.per_s.map_or(Pace::Closed(callers), Pace::Open)])
    }

    pub(super) fn amount(&self) -> Amount {
        let several = self.find_rate || !self.rates.is_empty();
        match (self.seconds, self.requests) {
            (Some(seconds), _) => Amount::Seconds(seconds),
            (None, Some(errands)) => Amount::Errands(errands),
            (None, None) if several => Amount::Seconds(SECONDS),
            (None, None) => Amount::Errands(ERRANDS),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        run: RunArgs,
    }

    fn args(line: &str) -> Result<RunArgs, clap::Error> {
        let words = std::iter::once("run").chain(line.split_whitespace());
        Program::try_parse_from(words).map(|program| program.run)
    }

    #[test]
    fn rates_callers_and_amounts_follow_the_options() {
        let open = |per_s| Pace::Open(NonZeroU32::new(per_s).unwrap());
        for (line, paces, amount) in [
            ("", vec![Pace::Closed(16)], Amount::Errands(2_000)),
            (
                "--concurrency 3 --seconds 4",
                vec![Pace::Closed(3)],
                Amount::Seconds(4),
            ),
            (
                "--per-s 50 --requests 7",
                vec![open(50)],
                Amount::Errands(7),
            ),
            (
                "--rates 500,1000",
                vec![open(500), open(1_000)],
                Amount::Seconds(10),
            ),
        ] {
            let args = args(line).unwrap();
            assert_eq!(args.paces().unwrap(), paces, "{line}");
            assert_eq!(args.amount(), amount, "{line}");
        }
        for wrong in [
            "--rates 0",
            "--per-s 5 --concurrency 5",
            "--concurrency 0",
            "--seeded a",
            "--gateway g",
            "--rates 5 --find-rate",
            "--seconds 1 --requests 1",
        ] {
            assert!(args(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_gateway_runs_or_is_started() {
        for (line, target) in [
            ("--client a --secret b", Target::Runs(HERE.into())),
            (
                "--url http://a --client a --secret b",
                Target::Runs("http://a".into()),
            ),
            (
                "--url http://a --gateway g --database-url sqlite://a --client a --secret b",
                Target::Runs("http://a".into()),
            ),
            ("--gateway g --database-url sqlite://a", Target::Start),
        ] {
            assert_eq!(args(line).unwrap().target().unwrap(), target, "{line}");
        }
        for wrong in [
            "",
            "--gateway g --database-url sqlite://a --client a --secret b",
        ] {
            assert!(args(wrong).unwrap().target().is_err(), "{wrong}");
        }
        assert!(
            args("--client a --client b --secret c")
                .unwrap()
                .clients()
                .is_err()
        );
    }
}
