//! From counts to figures: rates, ratios, percentiles. The one place that divides.

#![allow(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "figures for people; no points are computed here"
)]

use std::{collections::BTreeMap, fmt, num::NonZeroU32, ops::Range, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    load::Measured,
    machine::{Batches, CpuTime},
};

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
#[allow(missing_docs, reason = "the names are the percentiles")]
pub struct Latency {
    pub p50_us: u64,
    pub p90_us: u64,
    pub p99_us: u64,
    pub p999_us: u64,
    pub max_us: u64,
}

/// What one measurement came to.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Callers at once.
    pub concurrency: usize,
    /// Answers of each kind.
    pub outcomes: BTreeMap<String, u64>,
    /// Seconds in which load was made.
    pub seconds: f64,
    /// Approvals a second.
    pub approvals_per_s: f64,
    /// Of all answers.
    pub latency: Latency,
    /// Commands in a batch, on average; none if the gateway ran no batch.
    pub batch_commands: Option<f64>,
    /// Share of the processors' time that other guests of the host took, per cent.
    pub steal_per_cent: Option<f64>,
}

impl Latency {
    /// Of a histogram in microseconds.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile);
        Self {
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: histogram.max(),
        }
    }
}

impl Figures {
    /// The figures of a measurement.
    #[must_use]
    pub fn of(concurrency: usize, measured: &Measured) -> Self {
        Self {
            concurrency,
            outcomes: measured.outcomes.clone(),
            seconds: measured.elapsed.as_secs_f64(),
            approvals_per_s: per_second(measured.approved(), measured.elapsed),
            latency: Latency::of(&measured.latency_us),
            batch_commands: batch_commands(measured.batches),
            steal_per_cent: measured.cpu.and_then(steal_per_cent),
        }
    }

    /// Answers that are no approvals.
    #[must_use]
    pub fn others(&self) -> u64 {
        let others = self.outcomes.iter().filter(|(kind, _)| *kind != "approved");
        others.map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency {
            p50_us,
            p90_us,
            p99_us,
            p999_us,
            max_us,
        } = self.latency;
        writeln!(
            f,
            "{:.0} approvals/s from {} callers over {:.1} s",
            self.approvals_per_s, self.concurrency, self.seconds
        )?;
        writeln!(
            f,
            "latency p50 {} p90 {} p99 {} p99.9 {} max {}",
            ms(p50_us),
            ms(p90_us),
            ms(p99_us),
            ms(p999_us),
            ms(max_us)
        )?;
        write!(f, "answers {:?}", self.outcomes)?;
        if let Some(batch) = self.batch_commands {
            write!(f, "\naverage batch {batch:.1} commands")?;
        }
        if let Some(steal) = self.steal_per_cent {
            write!(f, "\nsteal {steal:.1} %")?;
        }
        Ok(())
    }
}

/// Share of the processors' time that other guests took.
#[must_use]
pub fn steal_per_cent(cpu: CpuTime) -> Option<f64> {
    ratio(100.0 * cpu.steal as f64, cpu.total as f64)
}

/// What this machine's processes used for each of so many answers, in microseconds; none without any.
#[must_use]
pub fn busy_us(cpu: CpuTime, answers: u64) -> Option<f64> {
    ratio(cpu.busy_us() as f64, answers as f64)
}

/// Commands of a batch, on average; none if there was no batch.
#[must_use]
pub fn batch_commands(batches: Batches) -> Option<f64> {
    ratio(batches.commands as f64, batches.count as f64)
}

/// Milliseconds, for people.
#[must_use]
pub fn ms(micros: u64) -> String {
    format!("{:.2} ms", micros as f64 / 1_000.0)
}

/// Milliseconds, as a figure.
#[must_use]
pub fn as_ms(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

/// So many in that time, a whole number a second.
#[must_use]
pub fn rate(count: u64, time: Duration) -> u64 {
    whole(&format!("{:.0}", per_second(count, time))).unwrap_or(0)
}

/// A number as a figure.
#[must_use]
pub fn count(count: u64) -> f64 {
    count as f64
}

/// A range that shows all values, from 0 up.
#[must_use]
pub fn from_nothing(values: impl IntoIterator<Item = f64>) -> Range<f64> {
    let most = values.into_iter().fold(0.0, f64::max);
    0.0..if most > 0.0 { most * 1.1 } else { 1.0 }
}

/// A range that shows all values above 0 on a logarithmic scale, with at least one power of ten.
#[must_use]
pub fn from_least(values: impl IntoIterator<Item = f64>) -> Range<f64> {
    let values: Vec<f64> = values.into_iter().filter(|value| *value > 0.0).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    if values.is_empty() {
        return 1.0..10.0;
    }
    least * 0.8..(most * 1.25).max(least * 10.0)
}

/// Of 2, 10 and 100: 50 %, 90 % and 99 %.
#[must_use]
pub fn share_below(one_in: f64) -> String {
    format!("{} %", rounded(100.0 - 100.0 / one_in.max(1.0), 4))
}

/// A number for people, without needless digits.
#[must_use]
pub fn rounded(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// How many fit one that lies so high: 2 for the median, 100 for the 99th percentile.
#[must_use]
pub fn one_in(quantile: f64) -> f64 {
    1.0 / (1.0 - quantile).max(1e-9)
}

/// Seconds as milliseconds.
#[must_use]
pub fn millis(seconds: f64) -> f64 {
    seconds * 1_000.0
}

/// So many in that time, a second; 0 for no time.
#[must_use]
pub fn per_second(count: u64, time: Duration) -> f64 {
    ratio(count as f64, time.as_secs_f64()).unwrap_or(0.0)
}

/// `a` ÷ `b`; none where `b` is nothing.
#[must_use]
pub fn ratio(a: f64, b: f64) -> Option<f64> {
    (b > 0.0).then(|| a / b)
}

/// So much for each of so many; none of nothing.
#[must_use]
pub fn each(amount: u64, count: u64) -> Option<f64> {
    ratio(amount as f64, count as f64)
}

/// Kibibytes as mebibytes.
#[must_use]
pub fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1_024.0
}

/// How many come in that time at so many a second, at least one.
#[must_use]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of requests, far below the largest"
)]
pub fn requests_in(per_s: f64, time: Duration) -> usize {
    (per_s * time.as_secs_f64()).ceil().max(1.0) as usize
}

/// The middle one; the mean of both where there are two; 0 of nothing.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(0.0);
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => at(length / 2),
        length => (at(length / 2 - 1) + at(length / 2)) / 2.0,
    }
}

/// When each of so many requests is due, at so many a second on average: gaps as chance makes them
/// (exponential), the same in every run. `pgbench --rate` draws them so as well.
#[must_use]
pub fn dues(per_s: NonZeroU32, count: usize) -> Vec<Duration> {
    let mean_s = 1.0 / f64::from(per_s.get());
    let (mut state, mut due) = (0_u64, Duration::ZERO);
    let mut next = || {
        // SplitMix64
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let uniform = ((mixed ^ (mixed >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0;
        due += Duration::from_secs_f64(-mean_s * (1.0 - uniform).ln());
        due
    };
    (0..count).map(|_| next()).collect()
}

/// Microseconds as a figure.
#[must_use]
pub fn micros(micros: u64) -> f64 {
    micros as f64
}

/// A whole number that may be written with a point or an exponent.
#[must_use]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and in range"
)]
pub fn whole(text: &str) -> Option<u64> {
    let number: f64 = text.parse().ok()?;
    let fits = number >= 0.0 && number.fract() == 0.0 && number < 9_007_199_254_740_992.0;
    fits.then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_by_chance_and_at_the_rate() {
        let per_s = NonZeroU32::new(1_000).unwrap();
        let dues = dues(per_s, 20_000);
        let all = dues.last().unwrap().as_secs_f64();
        assert!((19.0..21.0).contains(&all), "{all} s for 20 s");
        assert!(dues.is_sorted());
        let gaps = dues.windows(2).map(|pair| pair[1] - pair[0]);
        let long = gaps.filter(|gap| *gap > Duration::from_millis(2)).count();
        assert!((2_400..3_000).contains(&long), "{long} of 20,000 × e⁻²");
    }

    #[test]
    fn a_median_is_the_middle() {
        for (values, middle) in [
            (vec![], 0.0),
            (vec![3.0], 3.0),
            (vec![9.0, 1.0], 5.0),
            (vec![5.0, 100.0, 1.0], 5.0),
            (vec![4.0, 1.0, 3.0, 2.0], 2.5),
        ] {
            assert_eq!(median(values), middle);
        }
    }

    #[test]
    fn nothing_is_divided_by_nothing() {
        assert_eq!(per_second(10, Duration::ZERO), 0.0);
        assert_eq!(per_second(10, Duration::from_millis(2_500)), 4.0);
        assert_eq!(ratio(1.0, 0.0), None);
        assert_eq!(ratio(1.0, 4.0), Some(0.25));
    }

    #[test]
    fn whole_numbers_have_many_spellings() {
        for (text, number) in [("12", 12), ("12.0", 12), ("1.2e1", 12), ("0", 0)] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for wrong in ["-1", "1.5", "NaN", "inf", "1e300", ""] {
            assert_eq!(whole(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ranges_show_everything() {
        assert_eq!(from_nothing([]), 0.0..1.0);
        assert!(from_nothing([3.0, 7.0]).contains(&7.0));
        assert_eq!(from_least([0.0]), 1.0..10.0);
        let range = from_least([0.0, 2.0, 3.0]);
        assert!(range.start > 0.0 && range.start < 2.0 && range.end >= 20.0);
        assert!(from_least([1.0, 900.0]).contains(&900.0));
    }

    #[test]
    fn figures_have_no_needless_digits() {
        for (value, digits, text) in [
            (1.50, 2, "1.5"),
            (100.0, 0, "100"),
            (2.0, 3, "2"),
            (0.125, 2, "0.12"),
        ] {
            assert_eq!(rounded(value, digits), text);
        }
        assert_eq!(share_below(2.0), "50 %");
        assert_eq!(share_below(1_000.0), "99.9 %");
    }

    #[test]
    fn rates_are_whole_and_quantiles_are_one_in_so_many() {
        assert_eq!(rate(10, Duration::from_secs(4)), 2);
        assert_eq!(rate(0, Duration::ZERO), 0);
        assert_eq!(one_in(0.5), 2.0);
        assert!((99.9..100.1).contains(&one_in(0.99)));
        assert_eq!(as_ms(1_500), 1.5);
    }

    #[test]
    fn figures_count_only_approvals_as_throughput() {
        let mut measured = Measured::nothing().unwrap();
        measured.outcomes = [
            ("approved".to_owned(), 30),
            ("429 rate_limited".to_owned(), 70),
        ]
        .into();
        measured.elapsed = Duration::from_secs(3);
        let idle = Figures::of(8, &measured);
        assert_eq!((idle.batch_commands, idle.steal_per_cent), (None, None));
        measured.batches = Batches {
            count: 4,
            commands: 30,
        };
        measured.cpu = Some(CpuTime {
            total: 200,
            idle: 95,
            steal: 5,
        });
        assert_eq!(
            measured.cpu.and_then(|cpu| busy_us(cpu, 500)),
            Some(2_000.0)
        );
        let figures = Figures::of(8, &measured);
        assert_eq!(figures.approvals_per_s, 10.0);
        assert_eq!(figures.others(), 70);
        assert_eq!(figures.batch_commands, Some(7.5));
        assert_eq!(figures.steal_per_cent, Some(2.5));
    }
}
