//! How far the till's clock is off the gateway's, from the `Date` of its answers.
//!
//! `Date` has whole seconds: an answer says that the gateway's clock was within that second at some
//! moment between question and answer. Each answer so gives bounds for the difference; what all have in
//! common is narrower than any one of them, and a short round trip counts most.

use jiff::{SignedDuration, Timestamp};

/// A clock that is further off than this is worth a notice.
const NOTICED: SignedDuration = SignedDuration::from_secs(3);

/// What answers have said of the difference: gateway's clock less till's.
#[derive(Debug, Default)]
pub(crate) struct Skew {
    bounds: Option<(SignedDuration, SignedDuration)>,
    /// The difference that was last given notice of.
    noticed: SignedDuration,
}

impl Skew {
    /// Takes in the `date` of an answer to what was asked at `sent` and was here at `received`.
    pub(crate) fn heard(&mut self, date: Timestamp, sent: Timestamp, received: Timestamp) {
        if received < sent {
            // The till's clock was set back in between.
            return;
        }
        let least = date.duration_since(received);
        let most = date
            .duration_since(sent)
            .saturating_add(SignedDuration::from_secs(1));
        let common = self
            .bounds
            .map(|(low, high)| (low.max(least), high.min(most)));
        // Nothing in common: one of the clocks was set, and only the newest answer counts.
        let common = common.filter(|(low, high)| low <= high);
        self.bounds = Some(common.unwrap_or((least, most)));
    }

    /// What to add to the till's clock; nothing while it may be right.
    pub(crate) fn correction(&self) -> SignedDuration {
        match self.bounds {
            Some((low, high)) if low > SignedDuration::ZERO || high < SignedDuration::ZERO => {
                low.saturating_add(high) / 2
            }
            _ => SignedDuration::ZERO,
        }
    }

    /// The correction, if it is large and nobody was told of it yet.
    pub(crate) fn news(&mut self) -> Option<SignedDuration> {
        let correction = self.correction();
        let change = correction.saturating_sub(self.noticed).abs();
        if change <= NOTICED {
            return None;
        }
        self.noticed = correction;
        (correction.abs() > NOTICED).then_some(correction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
    }

    /// What a gateway `ahead` of the till answers when it is asked at `sent` for `trip` milliseconds.
    fn hear(skew: &mut Skew, ahead: i64, sent: i64, trip: i64) {
        let there = sent + trip / 2 + ahead;
        skew.heard(
            at(there.div_euclid(1_000) * 1_000),
            at(sent),
            at(sent + trip),
        );
    }

    #[test]
    fn a_clock_that_may_be_right_is_left_alone() {
        let mut skew = Skew::default();
        for sent in (0..10_000).step_by(370) {
            hear(&mut skew, 0, sent, 40);
            assert_eq!(
                (skew.correction(), skew.news()),
                (SignedDuration::ZERO, None)
            );
        }
    }

    #[test]
    fn many_answers_tell_the_difference_closely() {
        for ahead in [-3_600_000, -31_415, 4_321, 90_000] {
            let mut skew = Skew::default();
            hear(&mut skew, ahead, 0, 800);
            let first = skew.correction().as_millis() - i128::from(ahead);
            assert!(first.abs() <= 900, "{first} ms");
            for sent in (1_000..60_000).step_by(1_370) {
                hear(&mut skew, ahead, sent, 30);
            }
            let rest = skew.correction().as_millis() - i128::from(ahead);
            assert!(rest.abs() <= 60, "{rest} ms");
        }
    }

    #[test]
    fn notice_is_given_once_and_again_when_a_clock_is_set() {
        let mut skew = Skew::default();
        hear(&mut skew, 90_000, 0, 30);
        assert!(skew.news().is_some());
        hear(&mut skew, 90_000, 1_500, 30);
        assert_eq!(skew.news(), None);
        hear(&mut skew, 0, 3_000, 30);
        assert_eq!(
            (skew.correction(), skew.news()),
            (SignedDuration::ZERO, None)
        );
        hear(&mut skew, -60_000, 4_000, 30);
        assert!(skew.news().is_some_and(|off| off.is_negative()));
    }
}
