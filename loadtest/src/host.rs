//! What machine the load was made on.

use serde::Serialize;

/// A machine, as far as the system tells.
#[derive(Debug, Clone, Serialize)]
pub struct Host {
    /// Processors that this program may use.
    pub cores: usize,
    /// Their model.
    pub cpu: Option<String>,
    /// Memory, in MiB.
    pub memory_mib: Option<u64>,
    /// The kernel's release.
    pub kernel: Option<String>,
}

impl Host {
    /// Reads it.
    #[must_use]
    pub fn read() -> Self {
        let text = |path: &str| std::fs::read_to_string(path).ok();
        let cpu = text("/proc/cpuinfo").and_then(|text| field(&text, "model name"));
        let memory = text("/proc/meminfo").and_then(|text| field(&text, "MemTotal"));
        let kib = memory.and_then(|memory| memory.split(' ').next()?.parse::<u64>().ok());
        Self {
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            cpu,
            memory_mib: kib.map(|kib| kib / 1_024),
            kernel: text("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
        }
    }
}

fn field(text: &str, name: &str) -> Option<String> {
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    let mut named = fields.filter(|(found, _)| found.trim() == name);
    named.next().map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_name() {
        let text = "processor\t: 0\nmodel name\t: A CPU: fast\nMemTotal:  2048 kB\n";
        assert_eq!(field(text, "model name").as_deref(), Some("A CPU: fast"));
        assert_eq!(field(text, "MemTotal").as_deref(), Some("2048 kB"));
        assert_eq!(field(text, "model"), None);
    }
}
