//! `loadtest batching`: what natural batching is worth, against one command per transaction.
//!
//! Both are the same program on the same database, measured in alternating rounds of one run, so that
//! a busy machine hurts both alike. Medians over the rounds are compared.

use std::{fmt, path::PathBuf};

use anyhow::ensure;
use clap::Args;
use serde::Serialize;

use crate::{
    clock,
    crowd::Crowd,
    figures::{Figures, median, micros, ms, ratio},
    gateway::{Installation, PROGRAMME_ID},
    load::{self, Callers},
    till::{Client, Till},
};

/// Rounds that make a comparison.
const ROUNDS_MIN: usize = 3;

/// Options of `loadtest batching`.
#[derive(Debug, Args)]
pub struct BatchingArgs {
    /// The gateway's program
    #[arg(long, value_name = "PATH")]
    pub gateway: PathBuf,
    /// A database for this alone: postgres://… or sqlite://PATH
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Rounds of each kind, at least 3
    #[arg(long, value_name = "N", default_value_t = ROUNDS_MIN)]
    pub rounds: usize,
    /// Members to enrol
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub members: usize,
    /// Callers at once; each is a till of its own
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub concurrency: usize,
    /// Authorizations to measure in each round
    #[arg(long, value_name = "N", default_value_t = 6_000)]
    pub requests: usize,
    /// Authorizations of one caller alone in each round
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub requests_alone: usize,
    /// More options for the gateway, for example --gateway-option=--lanes=4
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub gateway_option: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How a gateway forms its transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// As many commands as are waiting.
    Natural,
    /// One command each.
    Single,
}

/// One round.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    /// How the gateway formed its transactions.
    pub kind: Kind,
    /// One caller on an idle gateway.
    pub alone: Figures,
    /// All callers.
    pub loaded: Figures,
}

/// All rounds, and what they come to.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// Median p50 of one caller on an idle gateway with natural batching, in microseconds.
    pub natural_alone_p50_us: f64,
    /// The same with one command per transaction.
    pub single_alone_p50_us: f64,
    /// Median approvals a second with natural batching.
    pub natural_approvals_per_s: f64,
    /// The same with one command per transaction.
    pub single_approvals_per_s: f64,
    /// The first divided by the second.
    pub throughput_ratio: Option<f64>,
    /// Median of the average batch under load.
    pub natural_batch_commands: f64,
    /// Every round, in the order they ran.
    pub rounds: Vec<Round>,
}

/// Runs all rounds.
///
/// # Errors
/// If the gateway cannot be run or refuses.
pub async fn run(args: &BatchingArgs) -> anyhow::Result<Comparison> {
    ensure!(args.rounds >= ROUNDS_MIN, "at least {ROUNDS_MIN} rounds");
    let installation = Installation::new(&args.gateway, &args.database_url).await?;
    let run = format!("b{}", clock::now().as_millisecond());
    let mut clients = Vec::new();
    for number in 0..args.concurrency {
        clients.push(installation.client(&format!("{run}-{number}")).await?);
    }
    let mut crowd = Crowd::new(PROGRAMME_ID, args.members)?;
    let mut rounds = Vec::new();
    for round in 0..args.rounds {
        let order = match round % 2 {
            0 => [Kind::Natural, Kind::Single],
            _ => [Kind::Single, Kind::Natural],
        };
        for kind in order {
            let name = format!("{run}-{}", rounds.len());
            let done = one_round(args, &installation, &clients, &mut crowd, (kind, &name)).await?;
            eprintln!("{}", done.line());
            rounds.push(done);
        }
    }
    Ok(Comparison::of(rounds))
}

async fn one_round(
    args: &BatchingArgs,
    installation: &Installation,
    clients: &[Client],
    crowd: &mut Crowd,
    (kind, name): (Kind, &str),
) -> anyhow::Result<Round> {
    let mut options = args.gateway_option.clone();
    if kind == Kind::Single {
        options.extend(["--batch-commands-max", "1"].map(str::to_owned));
    }
    let gateway = installation.serve(&options).await?;
    let mut tills = Vec::new();
    for client in clients {
        tills.push(Till::sign_in(&gateway.place, client).await?);
    }
    let callers = |concurrency: usize, what: &str| Callers {
        place: gateway.place.clone(),
        tills: tills.clone(),
        concurrency,
        run: format!("{name}-{what}"),
        per_s: None,
        holds_per_member: 20,
    };
    if let Some(till) = tills.first().filter(|_| name.ends_with("-0")) {
        crowd.join(&gateway.place, till, name).await?;
    }
    let warm_up = args.requests / 10;
    load::authorize(&callers(args.concurrency, "w"), crowd, warm_up).await?;
    let alone = load::measure(&callers(1, "i"), crowd, args.requests_alone).await?;
    let loaded = callers(args.concurrency, "l");
    let loaded = load::measure(&loaded, crowd, args.requests).await?;
    gateway.stop().await?;
    Ok(Round {
        kind,
        alone,
        loaded,
    })
}

impl Round {
    /// The round in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let steal = self.loaded.steal_per_cent;
        let steal = steal.map_or("unknown".into(), |steal| format!("{steal:.1} %"));
        let batch = self.loaded.batch_commands.unwrap_or(0.0);
        let others = match self.alone.others() + self.loaded.others() {
            0 => String::new(),
            others => format!("   {others} answers are no approvals"),
        };
        format!(
            "{:<8} alone p50 {:>9}   {} callers {:>6.0}/s p50 {:>9} p99 {:>9}   batch {batch:>5.1}   steal {steal}{others}",
            format!("{:?}", self.kind).to_lowercase(),
            ms(self.alone.latency.p50_us),
            self.loaded.concurrency,
            self.loaded.approvals_per_s,
            ms(self.loaded.latency.p50_us),
            ms(self.loaded.latency.p99_us),
        )
    }
}

impl Comparison {
    /// What rounds come to.
    #[must_use]
    pub fn of(rounds: Vec<Round>) -> Self {
        let over = |kind: Kind, figure: fn(&Round) -> f64| {
            let of_kind = rounds.iter().filter(|round| round.kind == kind);
            median(of_kind.map(figure))
        };
        let alone: fn(&Round) -> f64 = |round| micros(round.alone.latency.p50_us);
        let rate: fn(&Round) -> f64 = |round| round.loaded.approvals_per_s;
        let batch: fn(&Round) -> f64 = |round| round.loaded.batch_commands.unwrap_or(0.0);
        let (natural, single) = (over(Kind::Natural, rate), over(Kind::Single, rate));
        Self {
            natural_alone_p50_us: over(Kind::Natural, alone),
            single_alone_p50_us: over(Kind::Single, alone),
            natural_approvals_per_s: natural,
            single_approvals_per_s: single,
            throughput_ratio: ratio(natural, single),
            natural_batch_commands: over(Kind::Natural, batch),
            rounds,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "medians of {} rounds each: natural batching and one command per transaction",
            self.rounds.len() / 2
        )?;
        writeln!(
            f,
            "one caller, idle gateway: p50 {:.0} µs and {:.0} µs",
            self.natural_alone_p50_us, self.single_alone_p50_us
        )?;
        writeln!(
            f,
            "under load: {:.0} and {:.0} approvals/s; average batch {:.1}",
            self.natural_approvals_per_s, self.single_approvals_per_s, self.natural_batch_commands
        )?;
        match self.throughput_ratio {
            Some(ratio) => write!(f, "ratio {ratio:.2}"),
            None => write!(f, "no ratio"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Measured;

    fn round(kind: Kind, approvals: u64, alone_us: u64) -> Round {
        let mut alone = Measured::nothing().unwrap();
        alone.latency_us.record(alone_us).unwrap();
        let mut loaded = Measured::nothing().unwrap();
        loaded.outcomes.insert("approved".into(), approvals);
        loaded.elapsed = std::time::Duration::from_secs(1);
        loaded.batches.count = 10;
        loaded.batches.commands = approvals;
        Round {
            kind,
            alone: Figures::of(1, &alone),
            loaded: Figures::of(64, &loaded),
        }
    }

    #[test]
    fn medians_of_each_kind_are_compared() {
        let comparison = Comparison::of(vec![
            round(Kind::Natural, 300, 10),
            round(Kind::Single, 100, 9),
            round(Kind::Single, 120, 11),
            round(Kind::Natural, 360, 12),
            round(Kind::Natural, 5_000, 900),
            round(Kind::Single, 1, 1),
        ]);
        assert_eq!(comparison.natural_approvals_per_s, 360.0);
        assert_eq!(comparison.single_approvals_per_s, 100.0);
        assert_eq!(comparison.throughput_ratio, Some(3.6));
        assert_eq!(comparison.natural_alone_p50_us, 12.0);
        assert_eq!(comparison.single_alone_p50_us, 9.0);
        assert_eq!(comparison.natural_batch_commands, 36.0);
    }
}
