//! What is written down while load is made.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use hdrhistogram::Histogram;

use super::errand::Operation;
use crate::{
    load::{LATENCY_DIGITS, LATENCY_MAX_US, outcome},
    machine::{Batches, CpuTime},
    wire::Answer,
};

/// Significant digits of a second's latencies: there may be thousands of seconds.
const SECOND_DIGITS: u8 = 2;

/// Answers of one kind of request.
#[derive(Debug)]
pub struct Answers {
    /// Latencies, in microseconds.
    pub latency_us: Histogram<u64>,
    /// How many answers of each kind.
    pub outcomes: BTreeMap<String, u64>,
}

/// Answers that came within one second.
#[derive(Debug)]
pub struct Second {
    /// Latencies, in microseconds.
    pub latency_us: Histogram<u64>,
    /// Approvals among them.
    pub approved: u64,
}

/// All that was measured at one rate.
#[derive(Debug)]
pub struct Record {
    /// By kind of request.
    pub operations: BTreeMap<Operation, Answers>,
    /// By the second in which the answer came; pauses between segments are cut out.
    pub seconds: Vec<Second>,
    /// How long after its time each errand was begun, in microseconds. Only where errands have a time.
    pub late_us: Histogram<u64>,
    /// Errands begun.
    pub errands: u64,
    /// Errands that had to wait for a connection, because all there may be were busy.
    pub waited: u64,
    /// Batches until some moments of the timed time.
    pub batches: Vec<(Duration, Batches)>,
    /// Time in which load was made.
    pub elapsed: Duration,
    /// Processor time of the machine in that time, where the system says.
    pub cpu: Option<CpuTime>,
}

fn histogram(digits: u8) -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, LATENCY_MAX_US, digits)?)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros())
        .unwrap_or(LATENCY_MAX_US)
        .max(1)
}

impl Record {
    /// Nothing yet.
    ///
    /// # Errors
    /// Never, with the constants of this file.
    pub fn nothing() -> anyhow::Result<Self> {
        Ok(Self {
            operations: BTreeMap::new(),
            seconds: Vec::new(),
            late_us: histogram(LATENCY_DIGITS)?,
            errands: 0,
            waited: 0,
            batches: Vec::new(),
            elapsed: Duration::ZERO,
            cpu: None,
        })
    }

    /// An answer: to what, how long it took, and when it came, counted from the segment's beginning.
    ///
    /// # Errors
    /// Never, with the constants of this file.
    pub fn answer(
        &mut self,
        operation: Operation,
        answer: &anyhow::Result<Answer>,
        took: Duration,
        at: Duration,
    ) -> anyhow::Result<()> {
        let word = outcome(answer);
        let second = usize::try_from((self.elapsed + at).as_secs())?;
        while self.seconds.len() <= second {
            self.seconds.push(Second {
                latency_us: histogram(SECOND_DIGITS)?,
                approved: 0,
            });
        }
        if let Some(second) = self.seconds.get_mut(second) {
            second.latency_us.saturating_record(micros(took));
            second.approved += u64::from(word == "approved");
        }
        let answers = match self.operations.entry(operation) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(place) => place.insert(Answers {
                latency_us: histogram(LATENCY_DIGITS)?,
                outcomes: BTreeMap::new(),
            }),
        };
        answers.latency_us.saturating_record(micros(took));
        *answers.outcomes.entry(word).or_default() += 1;
        Ok(())
    }

    /// An errand was begun so long after its time.
    pub fn begun(&mut self, late: Option<Duration>, waited: bool) {
        self.errands += 1;
        self.waited += u64::from(waited);
        if let Some(late) = late {
            self.late_us.saturating_record(micros(late));
        }
    }

    /// A segment is over.
    pub fn segment(&mut self, elapsed: Duration, cpu: Option<CpuTime>) {
        self.elapsed += elapsed;
        self.cpu = match (self.cpu, cpu) {
            (Some(one), Some(two)) => Some(one.plus(two)),
            (one, two) => one.or(two),
        };
    }

    /// Answers of every kind of request together.
    ///
    /// # Errors
    /// Never, with the constants of this file.
    pub fn all(&self) -> anyhow::Result<Answers> {
        let mut all = Answers {
            latency_us: histogram(LATENCY_DIGITS)?,
            outcomes: BTreeMap::new(),
        };
        for answers in self.operations.values() {
            all.latency_us.add(&answers.latency_us)?;
            for (word, count) in &answers.outcomes {
                *all.outcomes.entry(word.clone()).or_default() += count;
            }
        }
        Ok(all)
    }
}

impl Answers {
    /// Approvals among them.
    #[must_use]
    pub fn approved(&self) -> u64 {
        self.outcomes.get("approved").copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use hyper::body::Bytes;

    use super::*;

    fn said(body: &'static str) -> anyhow::Result<Answer> {
        Ok(Answer {
            status: 200,
            retry_after_s: None,
            body: Bytes::from_static(body.as_bytes()),
        })
    }

    #[test]
    fn answers_are_kept_by_operation_and_by_second_without_the_pauses() {
        let mut record = Record::nothing().unwrap();
        let yes = said(r#"{"outcome":"approved"}"#);
        let no = said(r#"{"outcome":"declined","reason":"unknown_card"}"#);
        let (ms, s) = (Duration::from_millis, Duration::from_secs);
        record
            .answer(Operation::Purchase, &yes, ms(2), ms(100))
            .unwrap();
        record.segment(ms(1_500), None);
        record
            .answer(Operation::Purchase, &no, ms(4), ms(400))
            .unwrap();
        record
            .answer(Operation::Inquiry, &yes, ms(6), ms(600))
            .unwrap();
        record.segment(s(1), None);
        let counts: Vec<_> = record
            .seconds
            .iter()
            .map(|second| (second.latency_us.len(), second.approved))
            .collect();
        assert_eq!(counts, [(1, 1), (1, 0), (1, 1)]);
        let all = record.all().unwrap();
        assert_eq!(all.approved(), 2);
        assert_eq!(all.outcomes.get("declined unknown_card"), Some(&1));
        assert_eq!(all.latency_us.len(), 3);
        assert_eq!(record.operations[&Operation::Purchase].latency_us.len(), 2);
        assert_eq!(record.elapsed, ms(2_500));
    }
}
