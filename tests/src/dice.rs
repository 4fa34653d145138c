//! Random choices that a printed seed repeats.

/// A small pseudo-random source (SplitMix64). Good enough to choose what a till does next; no secret
/// comes from it.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always fall the same for one seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice for one run: the seed comes from `TEST_SEED` or the clock, and is printed, so that a
    /// failure can be tried again.
    ///
    /// # Panics
    /// If `TEST_SEED` is set and is no number.
    #[must_use]
    pub fn for_run(what: &str) -> Self {
        let seed = match std::env::var("TEST_SEED") {
            Ok(text) => text.parse().expect("TEST_SEED is a number"),
            Err(_) => gateway::clock::Clock::system()
                .now()
                .as_microsecond()
                .unsigned_abs(),
        };
        println!("{what}: TEST_SEED={seed}");
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; zero where `end` is zero.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next_u64().checked_rem(end).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).saturating_add(1).max(1);
        let step = self.below(span.unsigned_abs());
        low.saturating_add(i64::try_from(step).unwrap_or(0))
    }

    /// True once in `n` throws, on average.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let length = u64::try_from(from.len()).unwrap_or(u64::MAX);
        let at = usize::try_from(self.below(length)).unwrap_or(0);
        &from[at]
    }

    /// Dice of their own for somebody else, so that what one does never changes what another throws.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_falls_one_way_and_every_side_comes_up() {
        let (mut a, mut b) = (Dice::from_seed(7), Dice::from_seed(7));
        let mut seen = [0_u32; 6];
        for _ in 0..6_000 {
            let side = a.below(6);
            assert_eq!(side, b.below(6));
            seen[usize::try_from(side).unwrap()] += 1;
        }
        assert!(
            seen.iter().all(|count| (800..1_200).contains(count)),
            "{seen:?}"
        );
        for _ in 0..100 {
            assert!((-3..=3).contains(&a.between(-3, 3)));
        }
    }
}
