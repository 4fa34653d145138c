//! What a run came to: figures of each step, as JSON, as text, and as one page.

mod chart;
mod page;
mod text;

pub use page::page;

use std::{collections::BTreeMap, path::Path};

use anyhow::Context;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    database::Engine,
    figures::{Latency, batch_commands, busy_us, per_second, steal_per_cent},
    gateway::Audit,
    host::Host,
    machine::Batches,
    run::{drive::Pace, errand::Scenario, record::Record},
};

/// Everything there is to say of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The load test's version.
    pub version: &'static str,
    /// The command, without secrets.
    pub command: Vec<String>,
    /// When it began.
    pub started_at: String,
    /// What was asked of the gateway.
    pub scenario: Scenario,
    /// The gateway.
    pub gateway: String,
    /// The kind of its database, if it is known.
    pub database: Option<Engine>,
    /// The programme whose cards were signed.
    pub programme: String,
    /// Members whose cards were shown.
    pub phones: usize,
    /// Members in the database, as far as the command line says; else those enrolled by this run.
    pub members: u64,
    /// Tills that shared the load.
    pub tills: usize,
    /// The machine that made the load.
    pub machine: Host,
    /// What was measured, in this order.
    pub steps: Vec<Step>,
    /// What a search for the highest rate found.
    pub search: Option<Found>,
    /// What `gateway audit` found after the run; none if it was not asked.
    pub audit: Option<Audit>,
    /// What the reader has to know of it.
    pub notes: Vec<String>,
}

/// What a search found.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Found {
    /// The bound of the 99th percentile, in milliseconds.
    pub p99_ms: u64,
    /// The highest rate that kept it, errands a second; none if none did.
    pub per_s: Option<u32>,
}

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Errands a second that were begun; none in a closed loop.
    pub asked_per_s: Option<u32>,
    /// Callers of a closed loop.
    pub concurrency: Option<usize>,
    /// Seconds in which load was made; the pauses to sign are not in it.
    pub seconds: f64,
    /// Errands carried out.
    pub errands: u64,
    /// Errands a second.
    pub errands_per_s: f64,
    /// Requests answered.
    pub requests: u64,
    /// Requests a second.
    pub requests_per_s: f64,
    /// Approvals a second.
    pub approvals_per_s: f64,
    /// Answers of each kind.
    pub outcomes: BTreeMap<String, u64>,
    /// Of all answers. In an open loop it counts from the time an errand was due.
    pub latency: Latency,
    /// By kind of request.
    pub operations: BTreeMap<&'static str, OperationFigures>,
    /// How latency is spread over all answers.
    pub percentiles: Vec<Percentile>,
    /// How late errands were begun; none in a closed loop.
    pub late: Option<Latency>,
    /// Connections in use.
    pub connections: usize,
    /// Errands that had to wait for a connection.
    pub waited_for_connection: u64,
    /// Commands of a batch, on average.
    pub batch_commands: Option<f64>,
    /// Processor time of everything that ran on the load test's machine, for each answer, in microseconds.
    pub machine_cpu_us: Option<f64>,
    /// Share of the processors' time that other guests of the host took, per cent.
    pub steal_per_cent: Option<f64>,
    /// Second by second.
    pub timeline: Vec<Moment>,
}

/// One kind of request.
#[derive(Debug, Clone, Serialize)]
pub struct OperationFigures {
    /// Answers.
    pub requests: u64,
    /// Answers of each kind.
    pub outcomes: BTreeMap<String, u64>,
    /// How long they took.
    pub latency: Latency,
}

/// A point of the curve.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Percentile {
    /// The share of answers, from 0 to 1.
    pub quantile: f64,
    /// That took at most so long.
    pub us: u64,
}

/// One second.
#[derive(Debug, Clone, Serialize)]
pub struct Moment {
    /// Answers in it.
    pub requests: u64,
    /// Approvals among them.
    pub approved: u64,
    /// How long they took; none if none came.
    pub latency: Option<Latency>,
    /// Commands of a batch, on average; none if there was none.
    pub batch_commands: Option<f64>,
}

impl Report {
    /// Whether an audit found something.
    #[must_use]
    pub fn broken(&self) -> bool {
        self.audit.as_ref().is_some_and(|audit| !audit.clean)
    }

    /// Writes the files that are wanted: JSON, and the page.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn write(&self, json: Option<&Path>, html: Option<&Path>) -> anyhow::Result<()> {
        let told = |path: &Path| format!("cannot write {}", path.display());
        if let Some(path) = json {
            std::fs::write(path, serde_json::to_vec_pretty(self)?).with_context(|| told(path))?;
        }
        if let Some(path) = html {
            std::fs::write(path, page(self)?).with_context(|| told(path))?;
        }
        Ok(())
    }
}

/// Shares of the curve, as far as there are answers enough.
const QUANTILES: [f64; 13] = [
    0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999,
];

impl Step {
    /// The figures of what was measured.
    ///
    /// # Errors
    /// Never, with the constants of this crate.
    pub fn of(pace: Pace, connections: usize, record: &Record) -> anyhow::Result<Self> {
        let all = record.all()?;
        let (asked_per_s, concurrency) = match pace {
            Pace::Open(per_s) => (Some(per_s.get()), None),
            Pace::Closed(callers) => (None, Some(callers)),
        };
        let batches = record.batches.last().map(|(_, batches)| *batches);
        let operations = record.operations.iter().map(|(operation, answers)| {
            let figures = OperationFigures {
                requests: answers.latency_us.len(),
                outcomes: answers.outcomes.clone(),
                latency: Latency::of(&answers.latency_us),
            };
            (operation.word(), figures)
        });
        Ok(Self {
            asked_per_s,
            concurrency,
            seconds: record.elapsed.as_secs_f64(),
            errands: record.errands,
            errands_per_s: per_second(record.errands, record.elapsed),
            requests: all.latency_us.len(),
            requests_per_s: per_second(all.latency_us.len(), record.elapsed),
            approvals_per_s: per_second(all.approved(), record.elapsed),
            latency: Latency::of(&all.latency_us),
            operations: operations.collect(),
            percentiles: percentiles(&all.latency_us),
            late: asked_per_s.map(|_| Latency::of(&record.late_us)),
            connections,
            waited_for_connection: record.waited,
            batch_commands: batches.and_then(batch_commands),
            machine_cpu_us: record
                .cpu
                .and_then(|cpu| busy_us(cpu, all.latency_us.len())),
            steal_per_cent: record.cpu.and_then(steal_per_cent),
            timeline: timeline(record),
            outcomes: all.outcomes,
        })
    }

    /// Answers that are no approvals.
    #[must_use]
    pub fn others(&self) -> u64 {
        let others = self.outcomes.iter().filter(|(kind, _)| *kind != "approved");
        others.map(|(_, count)| count).sum()
    }

    /// What the step is called: its rate, or its callers.
    #[must_use]
    pub fn name(&self) -> String {
        match (self.asked_per_s, self.concurrency) {
            (Some(per_s), _) => format!("{per_s}/s"),
            (None, Some(callers)) => format!("{callers} callers"),
            (None, None) => String::new(),
        }
    }

    /// Whether the gateway kept up: 99 of 100 answers within so many milliseconds, and all but one in a
    /// thousand approvals.
    #[must_use]
    pub fn keeps(&self, p99_ms: u64) -> bool {
        self.latency.p99_us <= p99_ms.saturating_mul(1_000)
            && self.others().saturating_mul(1_000) <= self.requests
            && self.requests > 0
    }
}

fn percentiles(latency_us: &Histogram<u64>) -> Vec<Percentile> {
    let worst = latency_us.max();
    let mut curve: Vec<_> = QUANTILES
        .into_iter()
        .map(|quantile| Percentile {
            quantile,
            us: latency_us.value_at_quantile(quantile),
        })
        // Beyond the slowest answer the curve would only repeat it.
        .take_while(|point| point.us < worst)
        .collect();
    if !latency_us.is_empty() {
        curve.push(Percentile {
            quantile: 1.0,
            us: worst,
        });
    }
    curve
}

fn timeline(record: &Record) -> Vec<Moment> {
    let mut batches = record.batches.iter().peekable();
    let (mut before, mut moments) = (Batches::default(), Vec::new());
    for (number, second) in (1_u64..).zip(&record.seconds) {
        let mut now = before;
        while let Some((_, seen)) =
            batches.next_if(|(at, _)| at.as_millis() < u128::from(number) * 1_000 + 500)
        {
            now = *seen;
        }
        let latency = (!second.latency_us.is_empty()).then(|| Latency::of(&second.latency_us));
        moments.push(Moment {
            requests: second.latency_us.len(),
            approved: second.approved,
            latency,
            batch_commands: batch_commands(now.since(before)),
        });
        before = now;
    }
    moments
}

/// The command line without what opens doors: secrets, and the passwords in URLs.
#[must_use]
pub fn without_secrets(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut said = Vec::new();
    let mut secret = false;
    for argument in arguments {
        let shown = match (secret, argument.split_once('=')) {
            (true, _) => "…".to_owned(),
            (false, Some(("--secret", _))) => "--secret=…".to_owned(),
            (false, _) => without_password(&argument),
        };
        secret = !secret && argument == "--secret";
        said.push(shown);
    }
    said
}

fn without_password(argument: &str) -> String {
    let Some((scheme, rest)) = argument.split_once("://") else {
        return argument.to_owned();
    };
    // A query may hold a password as well.
    let (rest, query) = match rest.split_once('?') {
        Some((rest, _)) => (rest, "?…"),
        None => (rest, ""),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority
        .rsplit_once('@')
        .map(|(user, host)| (user.split_once(':'), host))
    {
        Some((Some((user, _)), host)) => format!("{scheme}://{user}:…@{host}{path}{query}"),
        _ => format!("{scheme}://{rest}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{run::errand::Operation, wire::Answer};

    #[test]
    fn secrets_are_not_repeated() {
        let command = [
            "loadtest",
            "--secret",
            "s3cret",
            "--secret=s3cret",
            "--database-url",
            "postgres://me:s3cret@host/db",
            "--database-url=postgres://me:s3cret@host",
            "sqlite:///tmp/a@b",
            "http://127.0.0.1:8080",
        ];
        let shown = without_secrets(command.map(str::to_owned));
        assert!(
            !shown.iter().any(|part| part.contains("s3cret")),
            "{shown:?}"
        );
        assert_eq!(shown[1], "--secret");
        assert_eq!(shown[5], "postgres://me:…@host/db");
        assert_eq!(shown[7..], command[7..]);
    }

    #[test]
    fn a_step_has_the_figures_of_its_record() {
        let mut record = Record::nothing().unwrap();
        let answer = |body: &'static str| {
            Ok(Answer {
                status: 200,
                retry_after_s: None,
                body: body.as_bytes().into(),
            })
        };
        let yes = answer(r#"{"outcome":"approved"}"#);
        let no = answer(r#"{"outcome":"declined","reason":"x"}"#);
        let ms = Duration::from_millis;
        for number in 0..1_000 {
            let at = ms(number * 2);
            record.begun(Some(ms(1)), number < 3);
            record.answer(Operation::Purchase, &yes, ms(5), at).unwrap();
        }
        let batches = |count, commands| Batches { count, commands };
        record.batches = vec![
            (ms(1_010), batches(10, 100)),
            (ms(2_000), batches(110, 1_100)),
        ];
        record.segment(Duration::from_secs(2), None);
        let pace = crate::run::stage::open(500).unwrap();
        let step = Step::of(pace, 4, &record).unwrap();
        assert_eq!((step.requests_per_s, step.errands_per_s), (500.0, 500.0));
        assert_eq!(
            (step.approvals_per_s, step.waited_for_connection),
            (500.0, 3)
        );
        assert_eq!(step.batch_commands, Some(10.0));
        assert_eq!(step.timeline.len(), 2);
        assert_eq!(step.timeline[0].batch_commands, Some(10.0));
        assert_eq!(step.timeline[1].batch_commands, Some(10.0));
        assert_eq!(step.timeline[1].requests, 500);
        assert_eq!(step.name(), "500/s");
        assert!(step.keeps(6) && !step.keeps(4));
        for _ in 0..2 {
            record
                .answer(Operation::Purchase, &no, ms(5), ms(0))
                .unwrap();
        }
        let step = Step::of(pace, 4, &record).unwrap();
        assert!(!step.keeps(6), "2 of 1,002 declined");
        assert_eq!(step.operations["purchase"].requests, 1_002);
    }

    #[test]
    fn a_curve_ends_with_the_slowest() {
        let mut histogram = Histogram::new_with_bounds(1, 1_000_000, 3).unwrap();
        assert!(percentiles(&histogram).is_empty());
        for us in 1..=100 {
            histogram.record(us).unwrap();
        }
        let curve = percentiles(&histogram);
        let last = curve.last().unwrap();
        assert_eq!((last.quantile, last.us), (1.0, 100));
        assert!(curve.is_sorted_by(|one, two| one.us < two.us));
    }
}
