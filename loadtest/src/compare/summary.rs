//! From rounds to a result: ratios inside each round, medians over the rounds.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use super::{
    part::{Kind, Part, per_cent},
    quiet::{STEAL_MAX_PER_CENT, is_quiet},
};
use crate::figures::{median, micros, ratio};

/// One round: every part once, one right after the other.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    /// Whether little was stolen from the machine in each of its parts.
    pub quiet: bool,
    /// The most that was stolen in one of its parts, per cent.
    pub steal_per_cent: Option<f64>,
    /// In the order they ran.
    pub parts: Vec<Part>,
}

impl Round {
    /// A round of these parts. One noisy part spoils the ratios of all.
    #[must_use]
    pub fn of(parts: Vec<Part>) -> Self {
        let steals = parts.iter().map(|part| part.steal_per_cent);
        Self {
            quiet: parts.iter().all(|part| is_quiet(part.steal_per_cent)),
            steal_per_cent: steals.flatten().max_by(f64::total_cmp),
            parts,
        }
    }

    fn part(&self, kind: Kind) -> Option<&Part> {
        self.parts.iter().find(|part| part.kind == kind)
    }

    /// The figure of one part divided by that of another, of this round.
    fn paired(&self, (one, two): (Kind, Kind), figure: fn(&Part) -> Option<f64>) -> Option<f64> {
        ratio(figure(self.part(one)?)?, figure(self.part(two)?)?)
    }
}

/// Medians over rounds of the ratios inside each round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratios {
    /// How many rounds.
    pub rounds: usize,
    /// Authorizations a second of the gateway ÷ those of what it is compared with.
    pub throughput: Option<f64>,
    /// The same ÷ those of pgbench with single statements; none on SQLite.
    pub throughput_to_statements: Option<f64>,
    /// Processor time of gateway and PostgreSQL ÷ that of what it is compared with, each for one
    /// authorization at full load.
    pub cpu: Option<f64>,
    /// Processor time of PostgreSQL alone, behind the gateway ÷ behind the function; none on SQLite.
    pub database_cpu: Option<f64>,
    /// The 99th percentile of the latency at the given rate ÷ the other's.
    pub p99_at_rate: Option<f64>,
}

impl Ratios {
    /// Of these rounds.
    #[must_use]
    pub fn of<'a>(rounds: impl Iterator<Item = &'a Round> + Clone) -> Self {
        let over = |kinds: (Kind, Kind), figure: fn(&Part) -> Option<f64>| {
            let ratios: Vec<f64> = rounds
                .clone()
                .filter_map(|round| round.paired(kinds, figure))
                .collect();
            (!ratios.is_empty()).then(|| median(ratios))
        };
        let per_s: fn(&Part) -> Option<f64> = |part| Some(part.per_s);
        let cpu = Part::serving_cpu_us;
        let server: fn(&Part) -> Option<f64> = |part| {
            let used = part.costs.server_us?;
            crate::figures::each(used, part.requests)
        };
        // Only one of the two was run.
        let to_direct = |figure| {
            let function = over((Kind::Gateway, Kind::Function), figure);
            function.or_else(|| over((Kind::Gateway, Kind::Direct), figure))
        };
        let at_rate = (Kind::GatewayAtRate, Kind::DirectAtRate);
        Self {
            rounds: rounds.clone().count(),
            throughput: to_direct(per_s),
            throughput_to_statements: over((Kind::Gateway, Kind::Statements), per_s),
            cpu: to_direct(cpu),
            database_cpu: over((Kind::Gateway, Kind::Function), server),
            p99_at_rate: over(at_rate, |part| Some(micros(part.p99_us))),
        }
    }
}

/// How many clients one part asks with, and what that was chosen from.
#[derive(Debug, Clone, Serialize)]
pub struct Choice {
    /// The one that was chosen.
    pub clients: usize,
    /// All that were tried.
    pub tried: Vec<Part>,
}

impl Choice {
    /// The one with the most throughput; of equals the fewest clients.
    #[must_use]
    pub fn of(tried: Vec<Part>) -> Self {
        let best = tried
            .iter()
            .rev()
            .max_by(|one, two| one.per_s.total_cmp(&two.per_s));
        Self {
            clients: best.map_or(1, |part| part.clients),
            tried,
        }
    }
}

/// All rounds, and what they come to.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// What is compared with what, and how.
    pub method: Vec<String>,
    /// Authorizations a second in the parts at a given rate.
    pub per_s: u32,
    /// Over all rounds.
    pub all: Ratios,
    /// Over the quiet rounds only; none if there was none.
    pub quiet: Option<Ratios>,
    /// Medians over all rounds of each part's own figures.
    pub medians: Vec<Part>,
    /// How clients were chosen.
    pub choices: Vec<Choice>,
    /// Every round, in the order they ran.
    pub rounds: Vec<Round>,
}

impl Comparison {
    /// What rounds come to.
    #[must_use]
    pub fn of(method: Vec<String>, per_s: u32, choices: Vec<Choice>, rounds: Vec<Round>) -> Self {
        let quiet = || rounds.iter().filter(|round| round.quiet);
        Self {
            all: Ratios::of(rounds.iter()),
            quiet: quiet().next().map(|_| Ratios::of(quiet())),
            medians: medians(&rounds),
            method,
            per_s,
            choices,
            rounds,
        }
    }
}

/// Of each kind a part in the middle of its rounds, figure by figure.
fn medians(rounds: &[Round]) -> Vec<Part> {
    let parts = || rounds.iter().flat_map(|round| &round.parts);
    let kinds: BTreeSet<Kind> = parts().map(|part| part.kind).collect();
    let middle = |kind: Kind| {
        let of_kind: Vec<&Part> = parts().filter(|part| part.kind == kind).collect();
        let mut part = (*of_kind.first()?).clone();
        let over = |figure: fn(&Part) -> f64| median(of_kind.iter().map(|part| figure(part)));
        let whole = |figure: fn(&Part) -> u64| middle_of(of_kind.iter().map(|part| figure(part)));
        part.per_s = over(|part| part.per_s);
        part.p50_us = whole(|part| part.p50_us);
        part.p99_us = whole(|part| part.p99_us);
        part.others.clear();
        for (kind, count) in of_kind.iter().flat_map(|part| &part.others) {
            *part.others.entry(kind.clone()).or_default() += count;
        }
        part.steal_per_cent = part
            .steal_per_cent
            .map(|_| over(|part| part.steal_per_cent.unwrap_or(0.0)));
        // Sums: so that the line shows the mean for each authorization.
        part.requests = of_kind.iter().map(|part| part.requests).sum();
        let sum = |figure: fn(&Part) -> Option<u64>| of_kind.iter().map(|part| figure(part)).sum();
        part.costs.gateway_us = sum(|part| part.costs.gateway_us);
        part.costs.server_us = sum(|part| part.costs.server_us);
        part.costs.client_us = sum(|part| part.costs.client_us);
        let peaks = of_kind
            .iter()
            .map(|part| part.costs.gateway_memory_peak_kib);
        part.costs.gateway_memory_peak_kib = peaks.max().flatten();
        Some(part)
    };
    kinds.into_iter().filter_map(middle).collect()
}

/// The middle one; the upper one of two.
fn middle_of(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.method {
            writeln!(f, "{line}")?;
        }
        writeln!(
            f,
            "\nmedians of {} rounds; processor time: mean for one authorization",
            self.rounds.len()
        )?;
        writeln!(f, "{}", Part::heading())?;
        for part in &self.medians {
            writeln!(f, "{}", part.line())?;
        }
        let quiet = self.rounds.iter().filter(|round| round.quiet).count();
        writeln!(
            f,
            "\n{quiet} of {} rounds were quiet (steal below {STEAL_MAX_PER_CENT} %): {}",
            self.rounds.len(),
            self.rounds.iter().map(mark).collect::<Vec<_>>().join("  ")
        )?;
        writeln!(
            f,
            "medians of the ratios inside each round:{:>13} {:>12}",
            "all rounds", "quiet rounds"
        )?;
        let rate = format!("p99 at {}/s", self.per_s);
        let rows: [(&str, RatioOf); 5] = [
            ("authorizations/s", |ratios| ratios.throughput),
            ("authorizations/s ÷ single statements", |ratios| {
                ratios.throughput_to_statements
            }),
            ("processor time, gateway + database", |ratios| ratios.cpu),
            ("processor time, PostgreSQL alone", |ratios| {
                ratios.database_cpu
            }),
            (&rate, |ratios| ratios.p99_at_rate),
        ];
        for (name, figure) in rows {
            let told =
                |ratio: Option<f64>| ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
            let quiet = self.quiet.as_ref().and_then(figure);
            if let Some(all) = figure(&self.all) {
                writeln!(f, "  {name:<38}{:>13} {:>12}", told(Some(all)), told(quiet))?;
            }
        }
        Ok(())
    }
}

type RatioOf = fn(&Ratios) -> Option<f64>;

/// A round in a few characters.
fn mark(round: &Round) -> String {
    let noisy = if round.quiet { "" } else { " noisy" };
    format!("{}{noisy}", per_cent(round.steal_per_cent))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::compare::part::Costs;

    fn part(kind: Kind, per_s: f64, p99_us: u64, cpu: (Option<u64>, u64), steal: f64) -> Part {
        Part {
            kind,
            clients: 8,
            requests: 10,
            others: BTreeMap::new(),
            per_s,
            p50_us: 1,
            p99_us,
            costs: Costs {
                gateway_us: cpu.0,
                server_us: Some(cpu.1),
                client_us: Some(1),
                gateway_memory_peak_kib: cpu.0,
            },
            steal_per_cent: Some(steal),
        }
    }

    fn round(gateway: f64, function: f64, steal: f64) -> Round {
        Round::of(vec![
            part(Kind::Gateway, gateway, 1, (Some(500), 1_000), steal),
            part(Kind::Function, function, 1, (None, 3_000), 0.1),
            part(Kind::Statements, function, 1, (None, 3_000), 0.1),
            part(Kind::GatewayAtRate, 1.0, 300, (Some(500), 1_000), 0.1),
            part(Kind::DirectAtRate, 1.0, 200, (None, 3_000), 0.1),
        ])
    }

    #[test]
    fn ratios_are_formed_inside_a_round() {
        let rounds = vec![
            round(200.0, 100.0, 1.0),
            round(30.0, 10.0, 1.0),
            round(1_000.0, 1_000.0, 40.0),
        ];
        let comparison = Comparison::of(Vec::new(), 1_000, Vec::new(), rounds);
        // Of the medians it would be 200 ÷ 100.
        assert_eq!(comparison.all.throughput, Some(2.0));
        let quiet = comparison.quiet.unwrap();
        assert_eq!((comparison.all.rounds, quiet.rounds), (3, 2));
        assert_eq!(quiet.throughput, Some(2.5));
        assert_eq!(quiet.throughput_to_statements, Some(2.5));
        assert_eq!(quiet.cpu, Some(0.5));
        assert_eq!(quiet.p99_at_rate, Some(1.5));
        assert_eq!(comparison.medians.len(), 5);
        let text = comparison.to_string();
        assert!(text.contains("2 of 3 rounds were quiet"), "{text}");
        assert!(text.contains("40.0 % noisy"), "{text}");
    }

    #[test]
    fn one_noisy_part_makes_a_round_noisy_and_so_does_an_unknown_one() {
        assert!(round(1.0, 1.0, 4.9).quiet);
        assert!(!round(1.0, 1.0, 5.0).quiet);
        assert_eq!(round(1.0, 1.0, 7.5).steal_per_cent, Some(7.5));
        let mut unknown = part(Kind::Gateway, 1.0, 1, (None, 1), 0.0);
        unknown.steal_per_cent = None;
        assert!(!Round::of(vec![unknown]).quiet);
        let none = Comparison::of(Vec::new(), 1, Vec::new(), vec![round(1.0, 1.0, 9.0)]);
        assert_eq!(none.quiet, None);
    }

    #[test]
    fn the_direct_writer_stands_in_for_the_function_and_pays_as_the_client() {
        let mut direct = part(Kind::Direct, 10.0, 1, (None, 0), 0.0);
        direct.costs.server_us = None;
        direct.costs.client_us = Some(1_000);
        let mut gateway = part(Kind::Gateway, 5.0, 1, (Some(2_000), 0), 0.0);
        gateway.costs.server_us = None;
        let ratios = Ratios::of([Round::of(vec![direct, gateway])].iter());
        assert_eq!((ratios.throughput, ratios.cpu), (Some(0.5), Some(2.0)));
        assert_eq!((ratios.database_cpu, ratios.p99_at_rate), (None, None));
    }

    #[test]
    fn the_best_is_chosen_and_of_equals_the_smaller() {
        let tried = [(1, 10.0), (2, 30.0), (4, 30.0), (8, 20.0)].map(|(clients, per_s)| Part {
            clients,
            ..part(Kind::Function, per_s, 1, (None, 1), 0.0)
        });
        assert_eq!(Choice::of(tried.to_vec()).clients, 2);
        assert_eq!(Choice::of(Vec::new()).clients, 1);
    }
}
