//! How long to wait before trying again.

use std::time::Duration;

/// `min`, twice as long for each of `times`, at most `max`.
pub(super) fn doubled(min: Duration, max: Duration, times: u32) -> Duration {
    let factor = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
    min.saturating_mul(factor).min(max)
}

/// Pauses between tries that double up to a limit, each shortened by up to a half at random, so that
/// many gateways do not come back in the same moment.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    times: u32,
}

impl Backoff {
    /// From `min` up to `max`.
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, times: 0 }
    }

    /// The next pause. `chance` is any number, each equally likely.
    pub(super) fn next(&mut self, chance: u16) -> Duration {
        let pause = doubled(self.min, self.max, self.times);
        self.times = self.times.saturating_add(1);
        spread(pause, chance)
    }

    /// After a success pauses are short again.
    pub(super) fn reset(&mut self) {
        self.times = 0;
    }
}

/// Between a half of `pause` and all of it.
pub(super) fn spread(pause: Duration, chance: u16) -> Duration {
    let half = pause / 2;
    half + half.saturating_mul(chance.into()) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_are_spread() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(200), ms(1_000));
        let pauses: Vec<_> = (0..5).map(|_| backoff.next(u16::MAX)).collect();
        assert_eq!(pauses, [200, 400, 800, 1_000, 1_000].map(ms));
        assert_eq!(backoff.next(0), ms(500));
        backoff.reset();
        assert_eq!(backoff.next(0), ms(100));
        assert_eq!(doubled(ms(1), ms(u64::MAX), 400), ms(u32::MAX.into()));
    }
}
