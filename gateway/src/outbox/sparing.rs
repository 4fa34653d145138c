//! Saying what happens often only now and then.

use std::time::{Duration, Instant};

/// At most so often is one thing said.
const APART: Duration = Duration::from_secs(10);

/// Counts what was not said.
#[derive(Debug, Default)]
pub(super) struct Sparing {
    told_at: Option<Instant>,
    untold: u64,
}

impl Sparing {
    /// How often it happened since it was last said, this time included; none if it was said just now.
    pub(super) fn tell(&mut self, now: Instant) -> Option<u64> {
        self.untold = self.untold.saturating_add(1);
        if self.told_at.is_some_and(|at| now < at + APART) {
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_often_is_said_now_and_then_and_counted() {
        let start = crate::clock::instant();
        let mut sparing = Sparing::default();
        assert_eq!(sparing.tell(start), Some(1));
        for _ in 0..5 {
            assert_eq!(sparing.tell(start + APART / 2), None);
        }
        assert_eq!(sparing.tell(start + APART), Some(6));
    }
}
