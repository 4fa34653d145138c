//! The one place that reads time.

use std::time::Instant;

/// A point on the monotonic clock, to measure spans with.
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the monotonic clock"
)]
pub fn instant() -> Instant {
    Instant::now()
}

/// The time now, on the wall clock.
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock"
)]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Unix seconds now.
#[must_use]
pub fn unix_now() -> u32 {
    u32::try_from(now().as_second()).unwrap_or(u32::MAX)
}
