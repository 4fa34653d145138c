//! When a phone shows its next text. Pure: the time comes in, the decision goes out.
//!
//! Invariants: `issued_at` strictly increases, so no second has two texts and no text meets the
//! one-use rule twice; a text never runs more than [`Rotation::LEAD_S_MAX`] ahead of the clock, so
//! a shopper who plays with the switch cannot make texts "from the future".

use crate::card::{CardFields, SpendLimit};

/// The rotation of one card on one phone.
///
/// ```
/// use member_card::{Rotation, SpendLimit, Step};
/// let mut rotation = Rotation::new(SpendLimit::EarnOnly);
/// let Step::Show(first) = rotation.step(1_000) else { panic!() };
/// assert_eq!(first.issued_at, 1_000);
/// assert_eq!(rotation.step(1_014), Step::Keep { until: 1_015 });
/// rotation.set_spend(SpendLimit::UpTo(500));
/// assert!(matches!(rotation.step(1_014), Step::Show(_)));
/// ```
#[derive(Clone, Debug)]
pub struct Rotation {
    spend: SpendLimit,
    /// The last text shown, none before the first.
    shown: Option<CardFields>,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Sign and show this.
    Show(CardFields),
    /// Keep what is shown and ask again at `until`, Unix seconds. A change of the spend limit may be
    /// waiting for the clock; see [`Rotation::LEAD_S_MAX`].
    Keep {
        /// When the next text is due.
        until: u32,
    },
}

impl Rotation {
    /// How long a text is shown, in seconds.
    pub const PERIOD_S: u32 = 15;
    /// How far `issued_at` may run ahead of the clock while the shopper changes the limit, in seconds.
    /// Well inside what the gateway tolerates (15 s), so that clock error still fits.
    pub const LEAD_S_MAX: u32 = 5;

    /// A rotation that has shown nothing yet.
    pub fn new(spend: SpendLimit) -> Self {
        Self { spend, shown: None }
    }

    /// A rotation that goes on after a restart of the phone, when the last text is still known.
    pub fn resume(spend: SpendLimit, last: CardFields) -> Self {
        Self {
            spend,
            shown: Some(last),
        }
    }

    /// The shopper changed the switch or the limit; the next step shows it at once.
    pub fn set_spend(&mut self, spend: SpendLimit) {
        self.spend = spend;
    }

    /// What to do at `now`, Unix seconds on the phone's clock as corrected by the gateway's.
    ///
    /// If the clock was set back, the last text stays until the clock has caught up: another text of a
    /// second already used would be refused at the till.
    pub fn step(&mut self, now: u32) -> Step {
        let Some(shown) = self.shown else {
            return self.show(now);
        };
        let next_free = shown.issued_at.saturating_add(1);
        let due = if self.spend == shown.spend {
            shown.issued_at.saturating_add(Self::PERIOD_S)
        } else {
            next_free.saturating_sub(Self::LEAD_S_MAX)
        };
        if now < due || shown.issued_at == u32::MAX {
            return Step::Keep { until: due };
        }
        self.show(now.max(next_free))
    }

    fn show(&mut self, issued_at: u32) -> Step {
        let fields = CardFields {
            issued_at,
            spend: self.spend,
        };
        self.shown = Some(fields);
        Step::Show(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_stays_fifteen_seconds() {
        let mut rotation = Rotation::new(SpendLimit::EarnOnly);
        let shown: Vec<u32> = (100..160)
            .filter_map(|now| match rotation.step(now) {
                Step::Show(fields) => Some(fields.issued_at),
                Step::Keep { .. } => None,
            })
            .collect();
        assert_eq!(shown, [100, 115, 130, 145]);
    }

    #[test]
    fn a_change_shows_at_once_and_takes_its_own_second() {
        let mut rotation = Rotation::new(SpendLimit::EarnOnly);
        rotation.step(100);
        for (limit, expected) in [(1, 101), (2, 102), (3, 103), (4, 104), (5, 105)] {
            rotation.set_spend(SpendLimit::UpTo(limit));
            let expected = CardFields {
                issued_at: expected,
                spend: SpendLimit::UpTo(limit),
            };
            assert_eq!(rotation.step(100), Step::Show(expected));
        }
        rotation.set_spend(SpendLimit::Unlimited);
        assert_eq!(rotation.step(100), Step::Keep { until: 101 });
        let waited = CardFields {
            issued_at: 106,
            spend: SpendLimit::Unlimited,
        };
        assert_eq!(rotation.step(101), Step::Show(waited));
        assert_eq!(rotation.step(102), Step::Keep { until: 121 });
    }

    #[test]
    fn a_clock_set_back_reuses_no_second() {
        let mut rotation = Rotation::new(SpendLimit::EarnOnly);
        rotation.step(1000);
        assert_eq!(rotation.step(400), Step::Keep { until: 1015 });
        assert!(matches!(rotation.step(1015), Step::Show(_)));
    }

    #[test]
    fn a_restart_goes_on_where_it_stopped() {
        let last = CardFields {
            issued_at: 100,
            spend: SpendLimit::EarnOnly,
        };
        let mut rotation = Rotation::resume(SpendLimit::Unlimited, last);
        let next = CardFields {
            issued_at: 101,
            spend: SpendLimit::Unlimited,
        };
        assert_eq!(rotation.step(100), Step::Show(next));
    }

    proptest! {
        #[test]
        fn issued_at_strictly_increases_and_stays_near_the_clock(
            steps in prop::collection::vec((-40i64..40, prop::option::of(0u32..4)), 1..80),
        ) {
            let mut rotation = Rotation::new(SpendLimit::EarnOnly);
            let (mut now, mut last) = (1_000_000_i64, None);
            for (passed, change) in steps {
                now += passed;
                if let Some(limit) = change {
                    rotation.set_spend(SpendLimit::UpTo(limit));
                }
                if let Step::Show(fields) = rotation.step(u32::try_from(now).unwrap()) {
                    prop_assert!(last.is_none_or(|last| fields.issued_at > last));
                    prop_assert!(i64::from(fields.issued_at) <= now + i64::from(Rotation::LEAD_S_MAX));
                    prop_assert!(i64::from(fields.issued_at) >= now);
                    last = Some(fields.issued_at);
                }
            }
        }
    }
}
