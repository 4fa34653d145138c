//! `loadtest gateways`: two gateways on one PostgreSQL against one, in alternating rounds of one run.
//!
//! A balancer hands each caller's connection to the next gateway, so all tills and members use both. In
//! each round a second load goes to a few members only, so that one member is decided on by both
//! gateways at once. No answer may be lost or be anything else than an approval, and the audit has to
//! find nothing.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;

use crate::{
    balance::Balancer,
    compare::database::{Databases, Which},
    crowd::Crowd,
    figures::{Figures, median, ms, ratio},
    gateway::{Installation, PROGRAMME_ID, Running},
    load::{self, Callers},
    machine,
    till::{Client, Till},
    wire::Place,
};

/// Pairs of rounds that make a comparison.
const PAIRS_MIN: usize = 3;
/// Tills that share the load.
const TILLS: usize = 16;
/// Holds one member may have at once.
const HOLDS_PER_MEMBER: usize = 20;
/// So that no till is told to slow down.
const NO_RATE_LIMIT: &str = "--client-requests-per-second=1000000";
/// Batches that ran again because another gateway made the same key first.
const CONFLICTS: &str = "gateway_writer_conflicts_total";
/// Batches whose commands ran alone because the database refused one.
const SPLITS: &str = "gateway_writer_batches_split_total";

/// Options of `loadtest gateways`.
#[derive(Debug, Args)]
pub struct GatewaysArgs {
    /// The gateway's program
    #[arg(long, value_name = "PATH")]
    pub gateway: PathBuf,
    /// postgres://…; databases beside it are made, copied and dropped
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Pairs of rounds, at least 3
    #[arg(long, value_name = "N", default_value_t = PAIRS_MIN)]
    pub pairs: usize,
    /// Members to enrol
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub members: usize,
    /// Members that all callers use at once, at most so many as there are callers
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub shared_members: usize,
    /// Callers at once
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub concurrency: usize,
    /// Authorizations to measure in each round
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub requests: usize,
    /// More options for each gateway, for example --gateway-option=--lanes=4
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    pub gateway_option: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// One round.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    /// How many gateways shared the load.
    pub gateways: usize,
    /// What callers saw, with many members.
    pub spread: Figures,
    /// What they saw with a few, all at once.
    pub shared: Figures,
    /// Deadlocks that PostgreSQL found.
    pub deadlocks: u64,
    /// Batches that ran again because another one made the same key first.
    pub conflicts: u64,
    /// Batches whose commands ran alone.
    pub splits: u64,
    /// Approved authorizations that each gateway answered.
    pub answered: Vec<u64>,
}

/// All rounds, and what they come to.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// Median approvals a second of one gateway.
    pub one_per_s: f64,
    /// The same of two.
    pub two_per_s: f64,
    /// Median over the pairs of two ÷ one.
    pub throughput_ratio: f64,
    /// Deadlocks in all rounds.
    pub deadlocks: u64,
    /// Answers in all rounds that were no approvals, or never came.
    pub lost_or_failed: u64,
    /// Every round, in the order they ran.
    pub rounds: Vec<Round>,
}

/// Runs all rounds.
///
/// # Errors
/// If a gateway cannot be run, an answer is lost or is no approval, or the audit finds something.
pub async fn run(args: &GatewaysArgs) -> anyhow::Result<Comparison> {
    ensure!(args.pairs >= PAIRS_MIN, "at least {PAIRS_MIN} pairs");
    ensure!(
        (1..=args.concurrency).contains(&args.shared_members),
        "from one shared member to as many as callers"
    );
    let databases: Databases = args.database_url.parse()?;
    ensure!(databases.is_postgres(), "two gateways need PostgreSQL");
    databases.create_base().await?;
    let comparison = compare(args, &databases).await;
    databases.drop_all().await?;
    comparison
}

async fn compare(args: &GatewaysArgs, databases: &Databases) -> anyhow::Result<Comparison> {
    let base = Installation::new(&args.gateway, &databases.url(Which::Base)).await?;
    let mut bench = Bench::fill(args, databases, &base).await?;
    let mut rounds = Vec::new();
    for pair in 0..args.pairs {
        let order = if pair % 2 == 0 { [1, 2] } else { [2, 1] };
        for gateways in order {
            let round = bench.round(gateways, rounds.len()).await?;
            eprintln!("{}", round.line());
            rounds.push(round);
        }
    }
    let comparison = Comparison::of(rounds);
    ensure!(
        comparison.lost_or_failed == 0,
        "{} answers were lost or are no approvals\n{comparison}",
        comparison.lost_or_failed
    );
    Ok(comparison)
}

/// All that rounds need.
struct Bench<'a> {
    args: &'a GatewaysArgs,
    databases: &'a Databases,
    clients: Vec<Client>,
    crowd: Crowd,
    shared: Crowd,
}

impl<'a> Bench<'a> {
    async fn fill(
        args: &'a GatewaysArgs,
        databases: &'a Databases,
        base: &Installation,
    ) -> anyhow::Result<Self> {
        let mut clients = Vec::new();
        for number in 0..TILLS {
            clients.push(base.client(&format!("loadtest-{number}")).await?);
        }
        let mut crowd = Crowd::new(PROGRAMME_ID, args.members)?;
        let mut shared = Crowd::new(PROGRAMME_ID, args.shared_members)?;
        let gateway = base.serve(&[NO_RATE_LIMIT.to_owned()]).await?;
        let till = Till::sign_in(&gateway.place, clients.first().context("a till")?).await?;
        eprintln!("enrolling {} members", args.members + args.shared_members);
        crowd.join(&gateway.place, &till, "spread").await?;
        shared.join(&gateway.place, &till, "shared").await?;
        gateway.stop().await?;
        databases.settle(Which::Base).await?;
        Ok(Self {
            args,
            databases,
            clients,
            crowd,
            shared,
        })
    }

    async fn round(&mut self, count: usize, number: usize) -> anyhow::Result<Round> {
        let args = self.args;
        self.databases.copy(Which::Base, Which::Copy).await?;
        let url = self.databases.url(Which::Copy);
        let installation = Installation::new(&args.gateway, &url).await?;
        let mut options = vec![NO_RATE_LIMIT.to_owned()];
        options.extend(args.gateway_option.iter().cloned());
        let mut gateways: Vec<Running> = Vec::new();
        for _ in 0..count {
            gateways.push(installation.serve(&options).await?);
        }
        let authorities = gateways.iter().map(|gateway| gateway.place.base());
        let authorities = authorities.map(|base| base.replacen("http://", "", 1));
        let balancer = Balancer::start(authorities.collect()).await?;
        let mut tills = Vec::new();
        for client in &self.clients {
            tills.push(Till::sign_in(&balancer.place, client).await?);
        }
        let callers = |what: &str| Callers {
            place: balancer.place.clone(),
            tills: tills.clone(),
            concurrency: args.concurrency,
            run: format!("gateways-{number}-{what}"),
            per_s: None,
            holds_per_member: HOLDS_PER_MEMBER,
        };
        load::authorize(&callers("w"), &mut self.crowd, args.requests / 10).await?;
        let before = answered(&gateways).await?;
        let spread = load::measure(&callers("l"), &mut self.crowd, args.requests).await?;
        let together = args.shared_members * HOLDS_PER_MEMBER;
        let shared = load::measure(&callers("s"), &mut self.shared, together).await?;
        let after = answered(&gateways).await?;
        let (mut conflicts, mut splits) = (0, 0);
        for gateway in &gateways {
            conflicts += machine::counter(&gateway.place, CONFLICTS, "").await?;
            splits += machine::counter(&gateway.place, SPLITS, "").await?;
        }
        for gateway in gateways {
            gateway.stop().await?;
        }
        let audit = installation.audit().await?;
        let broken = audit.first_broken.unwrap_or_default();
        ensure!(audit.clean, "the audit found a broken row: {broken}");
        Ok(Round {
            gateways: count,
            spread,
            shared,
            deadlocks: self.deadlocks().await?,
            conflicts,
            splits,
            answered: after
                .iter()
                .zip(before)
                .map(|(after, before)| after - before)
                .collect(),
        })
    }

    async fn deadlocks(&self) -> anyhow::Result<u64> {
        let query =
            "SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()";
        let told = self.databases.texts(Which::Copy, query).await?;
        Ok(told.first().context("a count of deadlocks")?.parse()?)
    }
}

/// How many authorizations each gateway has answered.
async fn answered(gateways: &[Running]) -> anyhow::Result<Vec<u64>> {
    let mut answered = Vec::new();
    for gateway in gateways {
        let place: &Place = &gateway.place;
        let count = "http_request_seconds_count";
        answered.push(machine::counter(place, count, "/v1/pos/authorizations\"").await?);
    }
    Ok(answered)
}

impl Round {
    /// The round in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let steal = self.spread.steal_per_cent;
        let steal = steal.map_or("unknown".into(), |steal| format!("{steal:.1} %"));
        format!(
            "{} gateway(s) {:>6.0}/s p50 {:>9} p99 {:>9}   shared members {:>6.0}/s p99 {:>9}   lost or failed {}   deadlocks {}   conflicts {}   splits {}   answered {:?}   steal {steal}",
            self.gateways,
            self.spread.approvals_per_s,
            ms(self.spread.latency.p50_us),
            ms(self.spread.latency.p99_us),
            self.shared.approvals_per_s,
            ms(self.shared.latency.p99_us),
            self.spread.others() + self.shared.others(),
            self.deadlocks,
            self.conflicts,
            self.splits,
            self.answered,
        )
    }
}

impl Comparison {
    /// What rounds come to: pairs of one with one gateway and one with two, in either order.
    #[must_use]
    pub fn of(rounds: Vec<Round>) -> Self {
        let over = |gateways: usize| {
            let those = rounds.iter().filter(|round| round.gateways == gateways);
            median(those.map(|round| round.spread.approvals_per_s))
        };
        let paired = rounds.chunks(2).filter_map(|pair| {
            let by_gateways: BTreeMap<usize, f64> = pair
                .iter()
                .map(|round| (round.gateways, round.spread.approvals_per_s))
                .collect();
            ratio(*by_gateways.get(&2)?, *by_gateways.get(&1)?)
        });
        let others = rounds
            .iter()
            .map(|round| round.spread.others() + round.shared.others());
        Self {
            one_per_s: over(1),
            two_per_s: over(2),
            throughput_ratio: median(paired),
            deadlocks: rounds.iter().map(|round| round.deadlocks).sum(),
            lost_or_failed: others.sum(),
            rounds,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "medians of {} pairs: one gateway {:.0}/s, two gateways {:.0}/s; ratio inside a pair {:.2}",
            self.rounds.len() / 2,
            self.one_per_s,
            self.two_per_s,
            self.throughput_ratio
        )?;
        write!(
            f,
            "lost or failed answers {}; deadlocks {}; each round audited, nothing found",
            self.lost_or_failed, self.deadlocks
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Measured;

    fn round(gateways: usize, approved: u64, lost: u64) -> Round {
        let mut measured = Measured::nothing().unwrap();
        measured.outcomes = [
            ("approved".to_owned(), approved),
            ("no_answer".to_owned(), lost),
        ]
        .into();
        measured.elapsed = std::time::Duration::from_secs(1);
        let nothing = Measured::nothing().unwrap();
        Round {
            gateways,
            spread: Figures::of(8, &measured),
            shared: Figures::of(8, &nothing),
            deadlocks: 1,
            conflicts: 0,
            splits: 0,
            answered: Vec::new(),
        }
    }

    #[test]
    fn a_round_is_compared_with_the_one_beside_it_in_either_order() {
        let comparison = Comparison::of(vec![
            round(1, 100, 0),
            round(2, 150, 0),
            round(2, 2_000, 0),
            round(1, 1_000, 3),
            round(1, 10, 0),
            round(2, 18, 0),
        ]);
        assert_eq!(comparison.throughput_ratio, 1.8);
        assert_eq!((comparison.one_per_s, comparison.two_per_s), (100.0, 150.0));
        assert_eq!((comparison.deadlocks, comparison.lost_or_failed), (6, 3));
    }
}
