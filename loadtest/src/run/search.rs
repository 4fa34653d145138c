//! Rates one after the other: a list, or a search for the highest that keeps a bound.

/// Steps of a search, at most.
pub const STEPS_MAX: usize = 14;

/// A search for the highest rate that keeps a bound: doubling until one does not, then halving the
/// gap until it is a twentieth of the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    start: u32,
    kept: Option<u32>,
    broken: Option<u32>,
}

impl Search {
    /// Begins with a rate, at least 1.
    #[must_use]
    pub fn new(start: u32) -> Self {
        Self {
            start: start.max(1),
            kept: None,
            broken: None,
        }
    }

    /// The rate to try next; none when the answer is close enough.
    #[must_use]
    pub fn next(&self) -> Option<u32> {
        match (self.kept, self.broken) {
            (None, None) => Some(self.start),
            (Some(kept), None) => kept.checked_mul(2),
            (kept, Some(broken)) => {
                let low = kept.unwrap_or(0);
                let gap = broken.saturating_sub(low);
                (gap > 1 && gap > low / 20).then(|| low + gap / 2)
            }
        }
    }

    /// What came of a rate.
    #[must_use]
    pub fn tried(self, per_s: u32, kept: bool) -> Self {
        match kept {
            true => Self {
                kept: Some(self.kept.map_or(per_s, |other| other.max(per_s))),
                ..self
            },
            false => Self {
                broken: Some(self.broken.map_or(per_s, |other| other.min(per_s))),
                ..self
            },
        }
    }

    /// The highest rate that kept the bound, if one did.
    #[must_use]
    pub fn highest(&self) -> Option<u32> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(limit: u32, start: u32) -> (Option<u32>, usize) {
        let (mut search, mut steps) = (Search::new(start), 0);
        while let Some(per_s) = search.next() {
            search = search.tried(per_s, per_s <= limit);
            steps += 1;
        }
        (search.highest(), steps)
    }

    #[test]
    fn the_highest_rate_is_found_within_a_twentieth() {
        for (limit, start) in [
            (1_234, 200),
            (1_234, 5_000),
            (57, 1),
            (9_999, 9_999),
            (3, 100),
        ] {
            let (found, steps) = search(limit, start);
            let found = found.unwrap();
            assert!(
                found <= limit && limit - found <= found / 20 + 1,
                "{found} of {limit}"
            );
            assert!(steps <= STEPS_MAX, "{steps} steps to {limit} from {start}");
        }
        assert_eq!(search(0, 200).0, None);
        assert_eq!(search(u32::MAX, 1 << 31).0, Some(1 << 31));
    }
}
