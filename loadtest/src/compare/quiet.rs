//! Waiting for a moment in which the machine belongs to this program.

use std::time::Duration;

use crate::{clock, figures::steal_per_cent, machine::CpuTime};

/// Steal above this makes a figure one to distrust, per cent.
pub const STEAL_MAX_PER_CENT: f64 = 5.0;
/// How long it has to be quiet.
const WINDOW: Duration = Duration::from_secs(2);

/// Whether so much steal is little; where the system does not say, nobody can tell.
#[must_use]
pub fn is_quiet(steal_per_cent: Option<f64>) -> bool {
    steal_per_cent.is_some_and(|steal| steal < STEAL_MAX_PER_CENT)
}

/// Waits until little is stolen, but not longer than `most`. Whether it has become so.
pub async fn wait(most: Duration) -> bool {
    let begun = clock::instant();
    loop {
        let before = CpuTime::now();
        tokio::time::sleep(WINDOW.min(most)).await;
        let during = CpuTime::now().zip(before);
        let steal = during.and_then(|(now, then)| steal_per_cent(now.since(then)));
        if is_quiet(steal) {
            return true;
        }
        if steal.is_none() || begun.elapsed() >= most {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_below_the_bound_and_unknown_is_not_little() {
        assert!(is_quiet(Some(0.0)));
        assert!(is_quiet(Some(4.9)));
        assert!(!is_quiet(Some(STEAL_MAX_PER_CENT)));
        assert!(!is_quiet(None));
    }
}
