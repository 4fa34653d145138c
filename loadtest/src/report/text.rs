//! The report in words, for a terminal.

use std::fmt;

use super::{Report, Step};
use crate::figures::ms;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self
            .database
            .map_or("unknown".into(), |engine| engine.to_string());
        writeln!(
            f,
            "{:?} at {}, database {database}; {} cards of {} members, {} tills",
            self.scenario, self.gateway, self.phones, self.members, self.tills
        )?;
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        if let Some(found) = self.search {
            match found.per_s {
                Some(per_s) => write!(f, "highest rate with p99 ≤ {} ms: {per_s}/s", found.p99_ms)?,
                None => write!(f, "no rate that was tried keeps p99 ≤ {} ms", found.p99_ms)?,
            }
            writeln!(f)?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        match &self.audit {
            None => write!(f, "not audited"),
            Some(audit) => match &audit.first_broken {
                None => write!(
                    f,
                    "audit: clean, {} members, {} transfers",
                    audit.members, audit.transfers
                ),
                Some(first) => write!(f, "audit: BROKEN, first {first}"),
            },
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let latency = self.latency;
        write!(
            f,
            "{:>12}  {:>6.0} requests/s  p50 {:>9} p99 {:>9} p99.9 {:>9} max {:>9}",
            self.name(),
            self.requests_per_s,
            ms(latency.p50_us),
            ms(latency.p99_us),
            ms(latency.p999_us),
            ms(latency.max_us),
        )?;
        if let Some(batch) = self.batch_commands {
            write!(f, "  batch {batch:.1}")?;
        }
        if let Some(late) = self.late {
            write!(f, "  late p99 {}", ms(late.p99_us))?;
        }
        if let Some(cpu_us) = self.machine_cpu_us {
            write!(f, "  cpu {cpu_us:.0} µs")?;
        }
        if let Some(steal) = self.steal_per_cent {
            write!(f, "  steal {steal:.1} %")?;
        }
        if self.others() > 0 {
            write!(f, "\n              answers {:?}", self.outcomes)?;
        }
        Ok(())
    }
}
