//! The one place that reads time and draws ids.
//!
//! Everything further in takes `now` and ids as arguments, so that the same command always decides
//! the same. Tests hold a clock of their own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// A source of time and of time-ordered ids. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    /// Microseconds since 1970 that only a test moves.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `start` until it is moved.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(
            start.as_microsecond(),
        ))))
    }

    /// The time now, to the microsecond: what a database keeps.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the wall clock"
    )]
    pub fn now(&self) -> Timestamp {
        let micros = match &self.0 {
            Source::System => Timestamp::now().as_microsecond(),
            Source::Manual(micros) => micros.load(Ordering::Relaxed),
        };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a manual clock; the machine's clock is left alone.
    pub fn advance(&self, by: SignedDuration) {
        if let Source::Manual(micros) = &self.0 {
            let step = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            micros.fetch_add(step, Ordering::Relaxed);
        }
    }

    /// A fresh UUID v7 for now whose low 16 bits are zero: room to derive the ids of what it makes.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place that draws ids")]
    pub fn new_id(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos));
        Uuid::from_u128(id.as_u128() & !0xFFFF)
    }
}

/// A point on the monotonic clock, to measure spans with.
#[must_use]
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the monotonic clock"
)]
pub fn instant() -> Instant {
    Instant::now()
}
