//! Which numbers are cards: the ranges of an older system's plastic cards, and the one that fixed numbers
//! of wallet passes are drawn from.
//!
//! A number in no range is nobody's, without a look-up. Ranges never hold a text that this system gives
//! another meaning, and none of them touches another: a number has one range or none.

use serde::{Deserialize, Serialize};

/// Fewest digits of a number: shorter ones are typed by accident.
const DIGITS_MIN: usize = 6;
/// Most digits of a number. ISO/IEC 7812 ends at 19; some systems go on.
const DIGITS_MAX: usize = 32;
/// Most ranges.
const RANGES_MAX: usize = 64;
/// Fewest numbers that passes may be drawn from: one that is guessed has to be nobody's.
const DRAWN_MIN: u128 = 1_000_000_000;
/// What member cards, short codes and wallet passes begin with.
const OWN_PREFIXES: [&str; 3] = ["7001", "7002", "7003"];

/// What the last digit of a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberCheck {
    /// A digit like the others.
    #[default]
    None,
    /// The check digit of ISO/IEC 7812-1.
    Luhn,
    /// The check digit of JAN and EAN: modulus 10, weights 3 and 1.
    Mod10,
}

impl NumberCheck {
    /// The digit that completes `digits`; none where the last digit checks nothing.
    fn digit(self, digits: &str) -> Option<u32> {
        let weighed = |place: usize, digit: u32| match (self, place % 2) {
            // Twice the digit, its two digits added up.
            (Self::Luhn, 0) if digit > 4 => digit.saturating_mul(2).saturating_sub(9),
            (Self::Luhn, 0) => digit.saturating_mul(2),
            (Self::Mod10, 0) => digit.saturating_mul(3),
            _ => digit,
        };
        let from_the_right = digits.chars().rev().filter_map(|digit| digit.to_digit(10));
        let sum: u32 = from_the_right
            .enumerate()
            .map(|(place, digit)| weighed(place, digit))
            .sum();
        (self != Self::None).then_some(10_u32.saturating_sub(sum % 10) % 10)
    }

    /// Whether the last digit is what it has to be.
    fn holds(self, number: &str) -> bool {
        let Some((digits, last)) = number.split_at_checked(number.len().saturating_sub(1)) else {
            return false;
        };
        self.digit(digits)
            .is_none_or(|digit| last == digit.to_string())
    }
}

/// Numbers of one length, from one to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RangeForm", into = "RangeForm")]
pub struct NumberRange {
    from: String,
    to: String,
    check: NumberCheck,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeForm {
    from: String,
    to: String,
    #[serde(default)]
    check: NumberCheck,
}

impl TryFrom<RangeForm> for NumberRange {
    type Error = String;
    fn try_from(form: RangeForm) -> Result<Self, String> {
        let RangeForm { from, to, check } = form;
        for number in [&from, &to] {
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            if !digits || !(DIGITS_MIN..=DIGITS_MAX).contains(&number.len()) {
                return Err(format!(
                    "\"{number}\" is no card number: {DIGITS_MIN} to {DIGITS_MAX} digits"
                ));
            }
        }
        if from.len() != to.len() || from > to {
            return Err(format!(
                "{from} to {to} is no range: both ends have as many digits, the smaller first"
            ));
        }
        let own = |prefix: &str| {
            let begins = |number: &str| number.get(..prefix.len()).unwrap_or_default().to_owned();
            (begins(&from)..=begins(&to)).contains(&prefix.to_owned())
        };
        if let Some(prefix) = OWN_PREFIXES.into_iter().find(|prefix| own(prefix)) {
            return Err(format!(
                "{from} to {to} holds numbers that begin with {prefix}: those are this system's own"
            ));
        }
        Ok(Self { from, to, check })
    }
}

impl From<NumberRange> for RangeForm {
    fn from(range: NumberRange) -> Self {
        let NumberRange { from, to, check } = range;
        Self { from, to, check }
    }
}

/// What is wrong with a number that is in a range, or that it is in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberFault {
    /// It is in no range.
    OutsideRanges,
    /// Its check digit is wrong.
    CheckDigit,
}

impl NumberRange {
    fn holds(&self, number: &str) -> bool {
        // Digits of one length are in the order of their texts.
        number.len() == self.from.len() && *self.from <= *number && *number <= *self.to
    }

    fn touches(&self, other: &Self) -> bool {
        self.from.len() == other.from.len() && self.from <= other.to && other.from <= self.to
    }

    /// Whether it is a number of this range, check digit and all.
    #[must_use]
    pub fn has(&self, number: &str) -> bool {
        self.holds(number) && self.check.holds(number)
    }

    /// How many different numbers [`Self::draw`] gives.
    #[must_use]
    pub fn count(&self) -> u128 {
        let (first, last) = self.drawn();
        last.saturating_sub(first).saturating_add(1)
    }

    /// The ends of what can be drawn: the numbers themselves, or what a check digit completes.
    fn drawn(&self) -> (u128, u128) {
        let number = |text: &str| text.parse::<u128>().unwrap_or(0);
        let (from, to) = (number(&self.from), number(&self.to));
        match self.check {
            NumberCheck::None => (from, to),
            // The first and the last ten may hold no number with the right digit.
            _ => (
                from.div_ceil(10),
                (to.saturating_add(1) / 10).saturating_sub(1),
            ),
        }
    }

    /// A number of the range, by a random seed.
    #[must_use]
    pub fn draw(&self, seed: u128) -> String {
        let (first, _) = self.drawn();
        let drawn = first.saturating_add(seed.checked_rem(self.count()).unwrap_or(0));
        let width = self.from.len();
        match self.check {
            NumberCheck::None => format!("{drawn:0width$}"),
            check => {
                let digits = format!("{drawn:0width$}", width = width.saturating_sub(1));
                let last = check.digit(&digits).unwrap_or(0);
                format!("{digits}{last}")
            }
        }
    }
}

/// The ranges of plastic cards.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<NumberRange>", into = "Vec<NumberRange>")]
pub struct NumberRanges(Vec<NumberRange>);

impl NumberRanges {
    /// Whether this is the number of a plastic card, as far as its digits tell.
    ///
    /// # Errors
    /// [`NumberFault`].
    pub fn check(&self, number: &str) -> Result<(), NumberFault> {
        let range = self.0.iter().find(|range| range.holds(number));
        match range {
            None => Err(NumberFault::OutsideRanges),
            Some(range) if range.check.holds(number) => Ok(()),
            Some(_) => Err(NumberFault::CheckDigit),
        }
    }

    /// Whether one of them shares a number with `other`.
    #[must_use]
    pub fn touch(&self, other: &NumberRange) -> bool {
        self.0.iter().any(|range| range.touches(other))
    }
}

impl TryFrom<Vec<NumberRange>> for NumberRanges {
    type Error = String;
    fn try_from(ranges: Vec<NumberRange>) -> Result<Self, String> {
        if ranges.len() > RANGES_MAX {
            return Err(format!("more than {RANGES_MAX} ranges"));
        }
        for (place, range) in ranges.iter().enumerate() {
            let before = ranges.iter().take(place);
            if let Some(other) = before.into_iter().find(|other| other.touches(range)) {
                return Err(format!(
                    "{} to {} and {} to {} share numbers",
                    other.from, other.to, range.from, range.to
                ));
            }
        }
        Ok(Self(ranges))
    }
}

impl From<NumberRanges> for Vec<NumberRange> {
    fn from(ranges: NumberRanges) -> Self {
        ranges.0
    }
}

/// The range that the fixed numbers of Apple's passes are drawn from. Large, so that a guess hits nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "NumberRange", into = "NumberRange")]
pub struct PassRange(NumberRange);

impl PassRange {
    /// The range.
    #[must_use]
    pub fn range(&self) -> &NumberRange {
        &self.0
    }
}

impl TryFrom<NumberRange> for PassRange {
    type Error = String;
    fn try_from(range: NumberRange) -> Result<Self, String> {
        if range.check == NumberCheck::None {
            return Err("passes need a check digit: \"luhn\" or \"mod10\"".into());
        }
        if range.count() < DRAWN_MIN {
            return Err(format!(
                "passes are drawn from at least {DRAWN_MIN} numbers, so that one that is guessed is nobody's"
            ));
        }
        Ok(Self(range))
    }
}

impl From<PassRange> for NumberRange {
    fn from(range: PassRange) -> Self {
        range.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str, check: NumberCheck) -> Result<NumberRange, String> {
        let (from, to) = (from.to_owned(), to.to_owned());
        NumberRange::try_from(RangeForm { from, to, check })
    }

    #[test]
    fn check_digits_are_those_of_the_standards() {
        // The sample of ISO/IEC 7812-1, and a JAN code off a shelf.
        assert_eq!(NumberCheck::Luhn.digit("7992739871"), Some(3));
        assert_eq!(NumberCheck::Mod10.digit("400638133393"), Some(1));
        assert_eq!(NumberCheck::None.digit("123456"), None);
    }

    #[test]
    fn a_range_is_held_to_its_form() {
        let none = NumberCheck::None;
        for (from, to) in [
            ("12345", "99999"),
            ("123456", "1234567"),
            ("200000", "100000"),
            ("12345a", "123460"),
            ("", ""),
            // They hold 7001…, 7002… or 7003….
            ("7001000000", "7001999999"),
            ("7000999999", "7001000000"),
            ("7003999999", "7004000000"),
            ("000000", "999999"),
        ] {
            assert!(range(from, to, none).is_err(), "{from} {to}");
        }
        for (from, to) in [
            ("7000000000", "7000999999"),
            ("7004000000", "7999999999"),
            ("000000", "000000"),
        ] {
            assert!(range(from, to, none).is_ok(), "{from} {to}");
        }
    }

    #[test]
    fn a_number_is_in_one_range_or_none() {
        let of = |from, to, check| range(from, to, check).unwrap();
        let ranges = NumberRanges::try_from(vec![
            of("2999000000000", "2999999999999", NumberCheck::Mod10),
            of("100000", "199999", NumberCheck::None),
        ])
        .unwrap();
        for (number, found) in [
            ("100000", Ok(())),
            ("199999", Ok(())),
            ("200000", Err(NumberFault::OutsideRanges)),
            ("1000000", Err(NumberFault::OutsideRanges)),
            ("2999000000005", Ok(())),
            ("2999000000007", Err(NumberFault::CheckDigit)),
            ("3000000000000", Err(NumberFault::OutsideRanges)),
            ("", Err(NumberFault::OutsideRanges)),
        ] {
            assert_eq!(ranges.check(number), found, "{number}");
        }
        let sharing = vec![
            of("100000", "150000", NumberCheck::None),
            of("150000", "160000", NumberCheck::None),
        ];
        assert!(NumberRanges::try_from(sharing).is_err());
        assert!(ranges.touch(&of("199999", "300000", NumberCheck::None)));
        assert!(!ranges.touch(&of("200000", "300000", NumberCheck::None)));
    }

    #[test]
    fn what_is_drawn_is_in_the_range() {
        for check in [NumberCheck::Luhn, NumberCheck::Mod10, NumberCheck::None] {
            let range = range("298000000005", "298999999994", check).unwrap();
            for seed in [0, 1, range.count() - 1, range.count(), u128::MAX] {
                let number = range.draw(seed);
                assert!(range.has(&number), "{check:?} {number}");
            }
            assert_ne!(range.draw(0), range.draw(1));
            assert_eq!(range.draw(0), range.draw(range.count()));
        }
    }

    #[test]
    fn passes_are_drawn_from_many_numbers() {
        let of = |from, to, check| range(from, to, check).unwrap();
        let (luhn, none) = (NumberCheck::Luhn, NumberCheck::None);
        for (wrong, right) in [
            (of("2980000000", "2989999999", luhn), false),
            (of("29800000000000", "29899999999999", none), false),
            (of("29800000000000", "29899999999999", luhn), true),
        ] {
            assert_eq!(PassRange::try_from(wrong).is_ok(), right);
        }
    }
}
