//! What the machine and the gateway say of themselves: stolen time, batches, the relay.

use anyhow::{Context, ensure};

use crate::{
    processes::TICK_US,
    wire::{Place, Wire, get},
};

/// Processor time since the machine started, in ticks over all cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CpuTime {
    /// All of it, idle time included.
    pub total: u64,
    /// What nobody wanted, waiting for the disk included.
    pub idle: u64,
    /// What other guests of the host took.
    pub steal: u64,
}

impl CpuTime {
    /// Reads it; `None` where the system does not say.
    #[must_use]
    pub fn now() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal; what
    /// follows is counted in user and nice already.
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line
            .split_whitespace()
            .map_while(|field| field.parse().ok())
            .take(8)
            .collect();
        Some(Self {
            total: ticks.iter().sum(),
            idle: ticks.get(3)? + ticks.get(4)?,
            steal: *ticks.get(7)?,
        })
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            total: self.total.saturating_add(other.total),
            idle: self.idle.saturating_add(other.idle),
            steal: self.steal.saturating_add(other.steal),
        }
    }

    /// Time since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            idle: self.idle.saturating_sub(earlier.idle),
            steal: self.steal.saturating_sub(earlier.steal),
        }
    }

    /// What this machine's processes used, in microseconds.
    #[must_use]
    pub const fn busy_us(self) -> u64 {
        let unused = self.idle.saturating_add(self.steal);
        self.total.saturating_sub(unused).saturating_mul(TICK_US)
    }
}

/// Batches the writer has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Batches {
    /// How many.
    pub count: u64,
    /// Commands in them.
    pub commands: u64,
}

const COUNT: &str = "gateway_writer_batch_commands_count";
const SUM: &str = "gateway_writer_batch_commands_sum";

impl Batches {
    /// Reads `/metrics`.
    ///
    /// # Errors
    /// If the gateway does not say.
    pub async fn read(place: &Place) -> anyhow::Result<Self> {
        let answer = Wire::new(place).send(get("/metrics")?).await?;
        ensure!(answer.status == 200, "/metrics says {}", answer.status);
        Self::parse(std::str::from_utf8(&answer.body)?)
    }

    /// Adds up both series over all labels. A gateway that has run no batch yet names neither.
    fn parse(text: &str) -> anyhow::Result<Self> {
        Ok(Self {
            count: sum_of(text, COUNT)?,
            commands: sum_of(text, SUM)?,
        })
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            commands: self.commands.saturating_add(other.commands),
        }
    }

    /// Batches since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            count: self.count.saturating_sub(earlier.count),
            commands: self.commands.saturating_sub(earlier.commands),
        }
    }
}

const WAITING: &str = "gateway_outbox_waiting_events";
const CONFIRMED: &str = "gateway_relay_confirmed_total";
const CONFIRM_BUCKET: &str = "gateway_relay_commit_to_confirm_seconds_bucket";

/// How far a gateway's relay is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Relayed {
    /// Events in the outbox, as the gateway last looked; none if it has not looked yet.
    pub waiting: Option<u64>,
    /// Events the broker has confirmed.
    pub confirmed: u64,
    /// Seconds from an event to its confirm, and how many took at most so long; rising.
    pub within: Vec<(f64, u64)>,
}

impl Relayed {
    /// Reads `/metrics`.
    ///
    /// # Errors
    /// If the gateway does not say.
    pub async fn read(place: &Place) -> anyhow::Result<Self> {
        let answer = Wire::new(place).send(get("/metrics")?).await?;
        ensure!(answer.status == 200, "/metrics says {}", answer.status);
        Self::parse(std::str::from_utf8(&answer.body)?)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut within = Vec::new();
        for line in text
            .lines()
            .filter_map(|line| line.strip_prefix(CONFIRM_BUCKET))
        {
            let (_, bound) = line
                .split_once("le=\"")
                .context("a bucket without a bound")?;
            let (bound, _) = bound.split_once('"').context("a bucket without a bound")?;
            let bound = match bound {
                "+Inf" => f64::INFINITY,
                bound => bound.parse()?,
            };
            let count = line.rsplit(' ').next().and_then(crate::figures::whole);
            within.push((bound, count.with_context(|| format!("no number: {line}"))?));
        }
        within.sort_by(|(one, _), (two, _)| one.total_cmp(two));
        Ok(Self {
            waiting: match text.lines().any(|line| line.starts_with(WAITING)) {
                true => Some(sum_of(text, WAITING)?),
                false => None,
            },
            confirmed: sum_of(text, CONFIRMED)?,
            within,
        })
    }

    /// The bound, in milliseconds, that all but `one_in` of the events since `earlier` kept; none if
    /// there were none.
    #[must_use]
    pub fn all_but_one_in(&self, one_in: u64, earlier: &Self) -> Option<f64> {
        let before = |bound: f64| {
            let found = earlier.within.iter().find(|(other, _)| *other == bound);
            found.map_or(0, |(_, count)| *count)
        };
        let since: Vec<(f64, u64)> = self
            .within
            .iter()
            .map(|(bound, count)| (*bound, count.saturating_sub(before(*bound))))
            .collect();
        let (_, all) = since.last().filter(|(_, all)| *all > 0)?;
        let enough = all - all / one_in;
        let kept = since.iter().find(|(_, count)| *count >= enough)?;
        Some(crate::figures::millis(kept.0))
    }
}

/// One figure of a gateway's `/metrics`, added up over the labels that contain `label`; 0 if it is not
/// named.
///
/// # Errors
/// If the gateway does not say.
pub async fn counter(place: &Place, name: &str, label: &str) -> anyhow::Result<u64> {
    let answer = Wire::new(place).send(get("/metrics")?).await?;
    ensure!(answer.status == 200, "/metrics says {}", answer.status);
    let text = std::str::from_utf8(&answer.body)?;
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(label)).collect();
    sum_of(&lines.join("\n"), name)
}

fn sum_of(text: &str, name: &str) -> anyhow::Result<u64> {
    let mut sum = 0_u64;
    for line in text.lines() {
        let Some(rest) = line.strip_prefix(name) else {
            continue;
        };
        if !rest.starts_with([' ', '{']) {
            continue;
        }
        let value = rest.rsplit(' ').next().unwrap_or_default();
        // Sums of whole numbers may be written as `12`, `12.0` or `1.2e1`.
        let whole = crate::figures::whole(value).with_context(|| format!("no number: {line}"))?;
        sum = sum.saturating_add(whole);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steal_is_the_eighth_field_and_guests_are_not_counted_twice() {
        let text = "cpu  10 1 5 80 2 0 1 3 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        let read = CpuTime::parse(text).unwrap();
        assert_eq!(
            read,
            CpuTime {
                total: 102,
                idle: 82,
                steal: 3
            }
        );
        assert_eq!(CpuTime::parse("intr 1 2"), None);
        assert_eq!(CpuTime::parse("cpu  1 2 3"), None);
        let later = CpuTime {
            total: 202,
            idle: 152,
            steal: 13,
        };
        assert_eq!(
            later.since(read),
            CpuTime {
                total: 100,
                idle: 70,
                steal: 10
            }
        );
        assert_eq!(later.since(read).busy_us(), 200_000);
    }

    #[test]
    fn a_bound_is_that_of_the_events_since() {
        let text = "gateway_outbox_waiting_events 7\n\
            gateway_relay_confirmed_total 300\n\
            gateway_relay_commit_to_confirm_seconds_bucket{le=\"0.01\"} 100\n\
            gateway_relay_commit_to_confirm_seconds_bucket{le=\"0.2\"} 299\n\
            gateway_relay_commit_to_confirm_seconds_bucket{le=\"+Inf\"} 300\n";
        let relayed = Relayed::parse(text).unwrap();
        assert_eq!((relayed.waiting, relayed.confirmed), (Some(7), 300));
        assert_eq!(Relayed::parse("").unwrap().waiting, None);
        let nothing = Relayed::default();
        assert_eq!(relayed.all_but_one_in(2, &nothing), Some(200.0));
        assert_eq!(relayed.all_but_one_in(100, &nothing), Some(200.0));
        assert_eq!(relayed.all_but_one_in(1_000, &nothing), Some(f64::INFINITY));
        assert_eq!(relayed.all_but_one_in(2, &relayed), None);
        let earlier = Relayed {
            within: vec![(0.01, 0), (0.2, 199), (f64::INFINITY, 200)],
            ..nothing
        };
        assert_eq!(relayed.all_but_one_in(100, &earlier), Some(10.0));
    }

    #[test]
    fn batches_are_summed_over_labels() {
        let text = "# TYPE gateway_writer_batch_commands summary\n\
            gateway_writer_batch_commands{quantile=\"0.5\"} 3\n\
            gateway_writer_batch_commands_sum{lane=\"0\"} 30\n\
            gateway_writer_batch_commands_count{lane=\"0\"} 10\n\
            gateway_writer_batch_commands_sum{lane=\"1\"} 1.2e1\n\
            gateway_writer_batch_commands_count{lane=\"1\"} 2\n\
            gateway_writer_batch_commands_count_other 99\n";
        let batches = Batches::parse(text).unwrap();
        assert_eq!(
            batches,
            Batches {
                count: 12,
                commands: 42
            }
        );
        assert_eq!(Batches::parse("").unwrap(), Batches::default());
    }
}
