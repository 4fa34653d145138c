//! What one part of a round came to, and what it cost each of the processes.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    figures::{each, mebibytes, ms, steal_per_cent},
    load::Moment,
    machine::CpuTime,
    processes::{self, Server},
};

/// What a part measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// pgbench, as many as it can: statements of one transaction.
    Statements,
    /// pgbench, as many as it can: one call of a function.
    Function,
    /// The direct writer of SQLite, as many as it can.
    Direct,
    /// The gateway, as many as it can.
    Gateway,
    /// What the gateway is compared with, at a given rate: the function, or the direct writer.
    DirectAtRate,
    /// The gateway at a given rate.
    GatewayAtRate,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Statements => "pgbench, statements",
            Self::Function => "pgbench, function",
            Self::Direct => "direct writer",
            Self::Gateway => "gateway",
            Self::DirectAtRate => "direct, at the rate",
            Self::GatewayAtRate => "gateway, at the rate",
        }
    }
}

/// What one part came to.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// What it measures.
    pub kind: Kind,
    /// Who asked at once.
    pub clients: usize,
    /// Authorizations that were approved and written.
    pub requests: u64,
    /// Whatever else came of a request, by kind.
    pub others: BTreeMap<String, u64>,
    /// A second.
    pub per_s: f64,
    /// Half took at most so long; at a given rate from the moment they were due. Microseconds.
    pub p50_us: u64,
    /// The same of 99 in 100.
    pub p99_us: u64,
    /// Processor time of the processes.
    #[serde(flatten)]
    pub costs: Costs,
    /// Share of the processors' time that other guests of the host took, per cent.
    pub steal_per_cent: Option<f64>,
}

impl Part {
    /// Processor time of the gateway and of the database's server for each authorization; of the direct
    /// writer, whose database runs inside it, that of its process.
    #[must_use]
    pub fn serving_cpu_us(&self) -> Option<f64> {
        let Costs {
            gateway_us,
            server_us,
            client_us,
            ..
        } = self.costs;
        let together = match (gateway_us, server_us) {
            // Of pgbench itself nobody asks; its server was not seen.
            (None, None) if matches!(self.kind, Kind::Statements | Kind::Function) => return None,
            (None, None) => client_us?,
            (gateway, server) => gateway.unwrap_or(0) + server.unwrap_or(0),
        };
        each(together, self.requests)
    }

    /// The heading of [`line`](Self::line)s.
    #[must_use]
    pub fn heading() -> String {
        format!(
            "{:<21} {:>7} {:>8} {:>10} {:>10} {:>8} {:>10} {:>8} {:>8} {:>6}",
            "",
            "clients",
            "per s",
            "p50",
            "p99",
            "gateway",
            "PostgreSQL",
            "client",
            "memory",
            "steal"
        )
    }

    /// The part in one line. Processor time is in microseconds for each authorization.
    #[must_use]
    pub fn line(&self) -> String {
        let cpu = |used: Option<u64>| match used.and_then(|used| each(used, self.requests)) {
            Some(each) => format!("{each:.0} µs"),
            None => "-".to_owned(),
        };
        let memory = self.costs.gateway_memory_peak_kib.map(mebibytes);
        let others = match self.others.is_empty() {
            true => String::new(),
            false => format!("   also {:?}", self.others),
        };
        format!(
            "{:<21} {:>7} {:>8.0} {:>10} {:>10} {:>8} {:>10} {:>8} {:>8} {:>6}{others}",
            self.kind.name(),
            self.clients,
            self.per_s,
            ms(self.p50_us),
            ms(self.p99_us),
            cpu(self.costs.gateway_us),
            cpu(self.costs.server_us),
            cpu(self.costs.client_us),
            memory.map_or("-".to_owned(), |memory| format!("{memory:.0} MiB")),
            per_cent(self.steal_per_cent),
        )
    }
}

/// Per cent, for people.
pub(super) fn per_cent(share: Option<f64>) -> String {
    share.map_or("?".to_owned(), |share| format!("{share:.1} %"))
}

/// Processor time that a part used, in microseconds; none where there is no such process or the
/// system does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Costs {
    /// Of the gateway.
    #[serde(rename = "gateway_cpu_us")]
    pub gateway_us: Option<u64>,
    /// Of all processes of the PostgreSQL server.
    #[serde(rename = "postgresql_cpu_us")]
    pub server_us: Option<u64>,
    /// Of whoever asked: this program, or pgbench.
    #[serde(rename = "client_cpu_us")]
    pub client_us: Option<u64>,
    /// The most memory that the gateway has had, in kibibytes.
    pub gateway_memory_peak_kib: Option<u64>,
}

/// Reads what processes have used when a part begins and when it ends.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meter {
    /// The gateway's process.
    pub gateway: Option<u32>,
    /// The database's server.
    pub server: Option<Server>,
    /// The process that asks.
    pub client: Option<u32>,
    begun: Option<Reading>,
    used: Reading,
}

#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    gateway: Option<u64>,
    server: Option<u64>,
    client: Option<u64>,
    machine: Option<CpuTime>,
}

impl Meter {
    /// For a part.
    #[must_use]
    pub fn new(gateway: Option<u32>, server: Option<Server>, client: Option<u32>) -> Self {
        Self {
            gateway,
            server,
            client,
            ..Self::default()
        }
    }

    /// Begins or ends a span. Spans add up.
    pub fn note(&mut self, moment: Moment) {
        let now = self.read();
        match moment {
            Moment::Begins => self.begun = Some(now),
            Moment::Ended => {
                let Some(then) = self.begun.take() else {
                    return;
                };
                let add = |sum: Option<u64>, now: Option<u64>, then: Option<u64>| {
                    Some(sum.unwrap_or(0) + now?.saturating_sub(then?))
                };
                let used = self.used;
                let machine = now.machine.zip(then.machine);
                let machine = machine.map(|(now, then)| now.since(then));
                self.used = Reading {
                    gateway: add(used.gateway, now.gateway, then.gateway),
                    server: add(used.server, now.server, then.server),
                    client: add(used.client, now.client, then.client),
                    machine: match (used.machine, machine) {
                        (Some(sum), Some(more)) => Some(sum.plus(more)),
                        (sum, more) => sum.or(more),
                    },
                };
            }
        }
    }

    fn read(&self) -> Reading {
        Reading {
            gateway: self.gateway.and_then(processes::cpu_us),
            server: self.server.and_then(Server::cpu_us),
            client: self.client.and_then(processes::cpu_us),
            machine: CpuTime::now(),
        }
    }

    /// What all spans used.
    #[must_use]
    pub fn costs(&self) -> Costs {
        Costs {
            gateway_us: self.used.gateway,
            server_us: self.used.server,
            client_us: self.used.client,
            gateway_memory_peak_kib: self.gateway.and_then(processes::memory_peak_kib),
        }
    }

    /// Share of the processors' time that other guests of the host took in all spans, per cent.
    #[must_use]
    pub fn steal_per_cent(&self) -> Option<f64> {
        self.used.machine.and_then(steal_per_cent)
    }
}
