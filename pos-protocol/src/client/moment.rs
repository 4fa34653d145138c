//! The one place of the till's half that reads clocks and draws randomness.
//!
//! Everything further in is told the [`Moment`]; tests hold moments of their own.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use uuid::Uuid;

/// Thirty years: no till runs as long, and every clock can say it.
const UPTIME_MAX: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// What the till's half is told about now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The till's wall clock; goes into records and messages, never into a deadline.
    pub at: Timestamp,
    /// Time since the client was opened, by a clock that nobody sets; deadlines are measured with it.
    pub uptime: Duration,
    /// Fresh random bits, for names and for spreading retries.
    pub noise: u64,
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    opened: Instant,
}

impl Clock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place of the till's half that reads the monotonic clock"
    )]
    pub(crate) fn start() -> Self {
        Self {
            opened: Instant::now(),
        }
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "the one place of the till's half that reads clocks and draws randomness"
    )]
    pub(crate) fn now(&self) -> Moment {
        let micros = Timestamp::now().as_microsecond();
        Moment {
            at: Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH),
            uptime: self.uptime(),
            noise: noise(),
        }
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.opened.elapsed()
    }

    /// The instant that lies `uptime` after the start; not further away than a clock can say.
    pub(crate) fn instant(&self, uptime: Duration) -> Instant {
        let uptime = uptime.min(UPTIME_MAX);
        self.opened.checked_add(uptime).unwrap_or(self.opened)
    }
}

/// 62 random bits, spread over 64.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place of the till's half that draws randomness"
)]
fn noise() -> u64 {
    let (_, low) = Uuid::now_v7().as_u64_pair();
    // The two highest bits are the UUID's variant, the same in every one.
    low.rotate_left(2).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_that_no_clock_can_say_is_far_away() {
        let clock = Clock::start();
        let (soon, never) = (Duration::from_secs(60), Duration::MAX);
        assert!(clock.instant(never) > clock.instant(soon));
    }
}
