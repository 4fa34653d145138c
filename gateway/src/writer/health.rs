//! Whether the write path works, as far as its last batches tell.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::clock;

/// How long a failure is remembered if no batch succeeds meanwhile. Afterwards traffic may try again:
/// without a request there is no batch that could find the database well.
const FAILURE_REMEMBERED: Duration = Duration::from_secs(5);

/// Shared by all lanes of a writer.
#[derive(Debug)]
pub(super) struct Health {
    began: Instant,
    /// Milliseconds after `began` at which the newest batch failed, and 0 if it did not.
    failed_at_ms: AtomicU64,
}

impl Health {
    pub(super) fn new() -> Self {
        Self {
            began: clock::instant(),
            failed_at_ms: AtomicU64::new(0),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn succeeded(&self) {
        self.failed_at_ms.store(0, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed_at_ms
            .store(self.now_ms().max(1), Ordering::Relaxed);
    }

    pub(super) fn is_good(&self) -> bool {
        let failed_at_ms = self.failed_at_ms.load(Ordering::Relaxed);
        let age_ms = self.now_ms().saturating_sub(failed_at_ms);
        failed_at_ms == 0 || Duration::from_millis(age_ms) > FAILURE_REMEMBERED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_counts_until_a_success() {
        let health = Health::new();
        assert!(health.is_good());
        health.failed();
        assert!(!health.is_good());
        health.succeeded();
        assert!(health.is_good());
    }
}
