//! What processes cost: processor time and memory, as Linux tells them in `/proc`.
//!
//! A process' own time is exact to one tick (10 ms), so a figure for each request wants a span in which
//! many were answered. Elsewhere than on Linux nothing is told.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, bail};

/// Ticks of the processor times in `/proc`: 100 a second on every Linux that is in use.
pub(crate) const TICK_US: u64 = 10_000;

/// One process, as its line `/proc/PID/stat` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// The process that started it.
    pub parent: u32,
    /// Its program's name, cut to 15 characters by the system.
    pub command: String,
    /// Processor time of all its threads, also of those that ended, in microseconds.
    pub own_us: u64,
    /// The same of its children that ended, theirs included.
    pub ended_children_us: u64,
}

impl Process {
    /// Reads one; none if it has ended or the system does not say.
    #[must_use]
    pub fn read(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name stands in brackets and may itself hold blanks and brackets; the fields count from
    /// behind the last one: state, parent, …, utime (12th), stime, cutime, cstime.
    fn parse(line: &str) -> Option<Self> {
        let (pid, rest) = line.split_once(" (")?;
        let (command, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            pid: pid.parse().ok()?,
            parent: fields.get(1)?.parse().ok()?,
            command: command.to_owned(),
            own_us: (ticks(11)? + ticks(12)?) * TICK_US,
            ended_children_us: (ticks(13)? + ticks(14)?) * TICK_US,
        })
    }

    /// Its own time and that of its children that ended.
    #[must_use]
    pub const fn with_ended_children_us(&self) -> u64 {
        self.own_us + self.ended_children_us
    }
}

/// Processor time of this process, in microseconds; none where the system does not say.
#[must_use]
pub fn own_us() -> Option<u64> {
    Process::read(std::process::id()).map(|process| process.own_us)
}

/// Processor time of one process, in microseconds; none where the system does not say.
#[must_use]
pub fn cpu_us(pid: u32) -> Option<u64> {
    Process::read(pid).map(|process| process.own_us)
}

/// The most memory that a process has had at once, in kibibytes; none where the system does not say.
#[must_use]
pub fn memory_peak_kib(pid: u32) -> Option<u64> {
    memory(pid, "VmHWM:")
}

/// The memory that a process has now, in kibibytes; none where the system does not say.
#[must_use]
pub fn memory_kib(pid: u32) -> Option<u64> {
    memory(pid, "VmRSS:")
}

fn memory(pid: u32, field: &str) -> Option<u64> {
    kibibytes(
        &fs::read_to_string(format!("/proc/{pid}/status")).ok()?,
        field,
    )
}

fn kibibytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// All processes of a PostgreSQL server on this machine: its first one and whatever that one started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    first: u32,
}

impl Server {
    /// The server to which the process `backend` of a connection belongs.
    ///
    /// # Errors
    /// If no such process of PostgreSQL runs on this machine: the server runs elsewhere.
    pub fn of_backend(backend: u32) -> anyhow::Result<Self> {
        let process = Process::read(backend).context("the server runs on another machine")?;
        let first = Process::read(process.parent).context("the server's processes are hidden")?;
        for process in [&process, &first] {
            if !process.command.starts_with("postgres") {
                bail!("the server runs on another machine, or behind a pooler");
            }
        }
        Ok(Self { first: first.pid })
    }

    /// Processor time of all its processes since it was started, in microseconds: those that run and,
    /// through the first one, those that have ended. None where the system does not say.
    #[must_use]
    pub fn cpu_us(self) -> Option<u64> {
        Process::read(self.first)?;
        Some(tree_us(&all(), self.first))
    }
}

fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(Process::read)
        .collect()
}

/// The time of `first` and of all that descend from it.
fn tree_us(processes: &[Process], first: u32) -> u64 {
    let parents: BTreeMap<u32, u32> = processes.iter().map(|one| (one.pid, one.parent)).collect();
    let descends = |pid: u32| {
        let ancestors = std::iter::successors(Some(pid), |pid| parents.get(pid).copied());
        ancestors.take(parents.len() + 1).any(|pid| pid == first)
    };
    let those = processes.iter().filter(|process| descends(process.pid));
    those.map(Process::with_ended_children_us).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(pid: u32, command: &str, parent: u32, times: [u64; 4]) -> String {
        let [user, system, children_user, children_system] = times;
        format!(
            "{pid} ({command}) S {parent} 1 1 0 -1 4194560 9 9 9 9 {user} {system} {children_user} {children_system} 20 0 1 0 77 0 0\n"
        )
    }

    #[test]
    fn a_line_is_read_behind_the_last_bracket() {
        let read = Process::parse(&line(42, "a b) S 9 (c", 7, [1, 2, 30, 40])).unwrap();
        assert_eq!((read.pid, read.parent), (42, 7));
        assert_eq!(read.command, "a b) S 9 (c");
        assert_eq!((read.own_us, read.ended_children_us), (30_000, 700_000));
        assert_eq!(read.with_ended_children_us(), 730_000);
        assert_eq!(Process::parse("42 (postgres) S 7 1 1"), None);
        assert_eq!(Process::parse(""), None);
    }

    #[test]
    fn a_server_is_its_first_process_and_all_below_it() {
        let process = |pid, parent, times| {
            let line = line(pid, "postgres", parent, times);
            Process::parse(&line).unwrap()
        };
        let processes = [
            process(1, 0, [1_000, 0, 1_000, 0]),
            process(10, 1, [1, 1, 5, 5]),
            process(11, 10, [2, 2, 0, 0]),
            process(12, 10, [0, 3, 0, 0]),
            process(13, 12, [1, 0, 1, 0]),
            process(20, 1, [7, 7, 7, 7]),
        ];
        // 12 of the first, 4 and 3 of its children, 2 of a child's child.
        assert_eq!(tree_us(&processes, 10), 21 * TICK_US);
        assert_eq!(tree_us(&processes, 99), 0);
    }

    #[test]
    fn memory_is_told_in_kibibytes() {
        let status = "Name:\tgateway\nVmHWM:\t   51200 kB\nVmRSS:\t   40960 kB\n";
        assert_eq!(kibibytes(status, "VmHWM:"), Some(51_200));
        assert_eq!(kibibytes(status, "VmRSS:"), Some(40_960));
        assert_eq!(kibibytes(status, "VmSwap:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_told_and_is_no_server() {
        let own = Process::read(std::process::id()).unwrap();
        assert_eq!(own.pid, std::process::id());
        assert!(memory_peak_kib(own.pid).unwrap() >= 1_000);
        assert!(Server::of_backend(own.pid).is_err());
    }
}
