//! `loadtest relay`: what telling a broker costs the tills, and how fast the broker hears.
//!
//! The same gateway on the same database, without and with a broker, in alternating rounds of one
//! run. What a round without a broker leaves in the outbox is the backlog that the next one drains.

use std::{fmt, num::NonZeroU32, path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;

use crate::{
    clock,
    crowd::Crowd,
    figures::{Figures, median, micros, ms, per_second, ratio},
    gateway::{Installation, PROGRAMME_ID, Running},
    load::{self, Callers},
    machine::Relayed,
    till::{Client, Till},
};

/// Pairs of rounds that make a comparison.
const PAIRS_MIN: usize = 3;
/// How often a gateway is asked how far its relay is.
const POLL: Duration = Duration::from_millis(50);
/// How long a backlog may take without one confirmed event.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// Options of `loadtest relay`.
#[derive(Debug, Args)]
pub struct RelayArgs {
    /// The gateway's program
    #[arg(long, value_name = "PATH")]
    pub gateway: PathBuf,
    /// A database for this alone: postgres://… or sqlite://PATH
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// A virtual host for this alone: amqp://USER:PASSWORD@HOST/VIRTUAL-HOST; its queue keeps what comes
    #[arg(long, value_name = "URL", env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: String,
    /// Pairs of rounds, at least 3
    #[arg(long, value_name = "N", default_value_t = PAIRS_MIN)]
    pub pairs: usize,
    /// Members to enrol
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub members: usize,
    /// Callers at once; each is a till of its own
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub concurrency: usize,
    /// Authorizations a second, all callers together; each makes an event
    #[arg(long, value_name = "N", default_value = "1000")]
    pub per_s: NonZeroU32,
    /// Authorizations to measure in each round
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub requests: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// One round.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    /// What the tills saw.
    pub tills: Figures,
    /// What the relay did; none in a round without a broker.
    pub relay: Option<RelayFigures>,
}

/// What a relay did in one round.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RelayFigures {
    /// Events that were waiting when it began.
    pub backlog_events: u64,
    /// How fast it drained them, confirmed.
    pub drained_per_s: f64,
    /// From an event's command to the broker's confirm: what half of the events kept, in milliseconds.
    /// A bound of the gateway's histogram, so the figure itself is at most that.
    pub confirm_p50_ms: f64,
    /// The same for 99 of 100 events.
    pub confirm_p99_ms: f64,
}

/// All rounds, and what they come to.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// Authorizations a second that were asked for.
    pub per_s: u32,
    /// Median p50 of an authorization without a broker, in microseconds.
    pub alone_p50_us: f64,
    /// The same with one.
    pub relayed_p50_us: f64,
    /// Median over the pairs of p50 with a broker ÷ p50 without.
    pub p50_ratio: f64,
    /// The same of the 99th percentile.
    pub p99_ratio: f64,
    /// Median rate at which a backlog was drained, confirmed.
    pub drained_per_s: f64,
    /// Median of the rounds' p99 from command to confirm, in milliseconds.
    pub confirm_p99_ms: f64,
    /// Every round, in the order they ran.
    pub rounds: Vec<Round>,
}

/// Runs all rounds.
///
/// # Errors
/// If the gateway cannot be run or refuses, or its relay stands still.
pub async fn run(args: &RelayArgs) -> anyhow::Result<Comparison> {
    ensure!(args.pairs >= PAIRS_MIN, "at least {PAIRS_MIN} pairs");
    let installation = Installation::new(&args.gateway, &args.database_url).await?;
    let run = format!("r{}", clock::now().as_millisecond());
    let mut clients = Vec::new();
    for number in 0..args.concurrency {
        clients.push(installation.client(&format!("{run}-{number}")).await?);
    }
    let mut crowd = Crowd::new(PROGRAMME_ID, args.members)?;
    let mut rounds = Vec::new();
    for pair in 0..args.pairs {
        for with_broker in [false, true] {
            let name = format!("{run}-{pair}-{}", u8::from(with_broker));
            let round = one_round(
                args,
                &installation,
                &clients,
                &mut crowd,
                &name,
                with_broker,
            );
            let round = round.await?;
            eprintln!("{}", round.line());
            rounds.push(round);
        }
    }
    Ok(Comparison::of(args.per_s.get(), rounds))
}

async fn one_round(
    args: &RelayArgs,
    installation: &Installation,
    clients: &[Client],
    crowd: &mut Crowd,
    name: &str,
    with_broker: bool,
) -> anyhow::Result<Round> {
    let options = match with_broker {
        true => vec!["--amqp-url".to_owned(), args.amqp_url.clone()],
        false => Vec::new(),
    };
    let gateway = installation.serve(&options).await?;
    let drained = match with_broker {
        true => Some(drain(&gateway).await?),
        false => None,
    };
    let mut tills = Vec::new();
    for client in clients {
        tills.push(Till::sign_in(&gateway.place, client).await?);
    }
    if let Some(till) = tills.first().filter(|_| name.ends_with("-0-0")) {
        crowd.join(&gateway.place, till, name).await?;
    }
    let callers = |what: &str| Callers {
        place: gateway.place.clone(),
        tills: tills.clone(),
        concurrency: args.concurrency,
        run: format!("{name}-{what}"),
        per_s: Some(args.per_s),
        holds_per_member: 20,
    };
    load::authorize(&callers("w"), crowd, args.requests / 10).await?;
    let before = Relayed::read(&gateway.place).await?;
    let figures = load::measure(&callers("m"), crowd, args.requests).await?;
    let after = Relayed::read(&gateway.place).await?;
    let relay = match drained {
        None => None,
        Some((backlog_events, drained_per_s)) => {
            let kept = |one_in| after.all_but_one_in(one_in, &before).context("no confirms");
            Some(RelayFigures {
                backlog_events,
                drained_per_s,
                confirm_p50_ms: kept(2)?,
                confirm_p99_ms: kept(100)?,
            })
        }
    };
    gateway.stop().await?;
    Ok(Round {
        tills: figures,
        relay,
    })
}

/// Waits until nothing is left in the outbox: how many events there were, and how many a second.
async fn drain(gateway: &Running) -> anyhow::Result<(u64, f64)> {
    let (mut first, mut last_progress) = (None, (clock::instant(), 0));
    loop {
        let now = clock::instant();
        let relayed = Relayed::read(&gateway.place).await?;
        if relayed.confirmed > last_progress.1 {
            first.get_or_insert((now, relayed.confirmed));
            last_progress = (now, relayed.confirmed);
        } else if relayed.waiting == Some(0) {
            let (begun, before) = first.unwrap_or((now, 0));
            let (ended, confirmed) = last_progress;
            let rate = per_second(confirmed - before, ended.saturating_duration_since(begun));
            return Ok((confirmed, rate));
        }
        let stalled = now.saturating_duration_since(last_progress.0) > STALLED_AFTER;
        ensure!(!stalled, "the relay confirms nothing: {relayed:?}");
        tokio::time::sleep(POLL).await;
    }
}

impl Round {
    /// The round in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let steal = self.tills.steal_per_cent;
        let steal = steal.map_or("unknown".into(), |steal| format!("{steal:.1} %"));
        let tills = format!(
            "{:>6.0}/s p50 {:>9} p99 {:>9}   steal {steal}",
            self.tills.approvals_per_s,
            ms(self.tills.latency.p50_us),
            ms(self.tills.latency.p99_us),
        );
        match &self.relay {
            None => format!("without broker {tills}"),
            Some(relay) => format!(
                "with broker    {tills}   backlog of {} drained at {:.0}/s   confirm p50 ≤ {:.1} ms p99 ≤ {:.1} ms",
                relay.backlog_events,
                relay.drained_per_s,
                relay.confirm_p50_ms,
                relay.confirm_p99_ms
            ),
        }
    }
}

impl Comparison {
    /// What rounds come to: pairs of one without and one with a broker.
    #[must_use]
    pub fn of(per_s: u32, rounds: Vec<Round>) -> Self {
        let over = |relayed: bool, figure: fn(&Round) -> u64| {
            let of_kind = rounds
                .iter()
                .filter(|round| round.relay.is_some() == relayed);
            median(of_kind.map(|round| micros(figure(round))))
        };
        let paired = |figure: fn(&Round) -> u64| {
            let ratios = rounds.chunks(2).filter_map(|pair| match pair {
                [alone, relayed] => ratio(micros(figure(relayed)), micros(figure(alone))),
                _ => None,
            });
            median(ratios)
        };
        let of_relay = |figure: fn(&RelayFigures) -> f64| {
            median(
                rounds
                    .iter()
                    .filter_map(|round| round.relay.as_ref())
                    .map(figure),
            )
        };
        let p50: fn(&Round) -> u64 = |round| round.tills.latency.p50_us;
        Self {
            per_s,
            alone_p50_us: over(false, p50),
            relayed_p50_us: over(true, p50),
            p50_ratio: paired(p50),
            p99_ratio: paired(|round| round.tills.latency.p99_us),
            drained_per_s: of_relay(|relay| relay.drained_per_s),
            confirm_p99_ms: of_relay(|relay| relay.confirm_p99_ms),
            rounds,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "medians of {} pairs at {} authorizations/s: without and with a broker",
            self.rounds.len() / 2,
            self.per_s
        )?;
        writeln!(
            f,
            "authorization p50 {:.0} µs and {:.0} µs; ratio of p50 {:.2}, of p99 {:.2}",
            self.alone_p50_us, self.relayed_p50_us, self.p50_ratio, self.p99_ratio
        )?;
        write!(
            f,
            "backlog drained at {:.0} events/s, confirmed; command to confirm p99 ≤ {:.1} ms",
            self.drained_per_s, self.confirm_p99_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Measured;

    fn round(latency_us: u64, drained_per_s: Option<f64>) -> Round {
        let mut measured = Measured::nothing().unwrap();
        measured.latency_us.record(latency_us).unwrap();
        Round {
            tills: Figures::of(64, &measured),
            relay: drained_per_s.map(|drained_per_s| RelayFigures {
                backlog_events: 1,
                drained_per_s,
                confirm_p50_ms: 1.0,
                confirm_p99_ms: 2.0,
            }),
        }
    }

    #[test]
    fn a_round_is_compared_with_the_one_beside_it() {
        let comparison = Comparison::of(
            1_000,
            vec![
                round(100, None),
                round(110, Some(9.0)),
                round(1_000, None),
                round(1_000, Some(11.0)),
                round(200, None),
                round(400, Some(10.0)),
            ],
        );
        assert_eq!(comparison.p50_ratio, 1.1);
        assert_eq!(comparison.alone_p50_us, 200.0);
        assert_eq!(comparison.relayed_p50_us, 400.0);
        assert_eq!(comparison.drained_per_s, 10.0);
        assert_eq!(comparison.confirm_p99_ms, 2.0);
    }
}
