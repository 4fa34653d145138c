//! Amounts as platforms write them: decimal texts and JSON numbers, read digit by digit.

use pos_protocol::Yen;

/// An exact decimal with six places, between -10^12 and 10^12.
///
/// Six places are what WooCommerce keeps while it computes. Whatever has more is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Decimal {
    micro: i128,
}

const PLACES: usize = 6;
const ONE: i128 = 1_000_000;
const MAX: i128 = 1_000_000_000_000 * ONE;

impl Decimal {
    pub(crate) const ZERO: Self = Self { micro: 0 };

    /// Reads `1980`, `1980.00`, `-10.00`, `1,980` and the same in full-width characters.
    ///
    /// Commas stand only between groups of three, so that a decimal comma is never taken for one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain: String = text.trim().chars().map(half_width).collect();
        let (negative, digits) = match plain.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, plain.as_str()),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let mut micro: i128 = 0;
        for digit in ungrouped(whole)?.chars() {
            micro = micro * 10 + i128::from(digit.to_digit(10)?) * ONE;
            if micro > MAX {
                return None;
            }
        }
        if fraction.is_empty() {
            return None;
        }
        let mut place = ONE;
        for (at, digit) in fraction.chars().enumerate() {
            let digit = i128::from(digit.to_digit(10)?);
            if at >= PLACES && digit != 0 {
                return None;
            }
            place /= 10;
            micro += digit * place;
        }
        if micro > MAX {
            return None;
        }
        Some(Self {
            micro: if negative { -micro } else { micro },
        })
    }

    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        Self::bounded(self.micro + other.micro)
    }

    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        Self::bounded(self.micro - other.micro)
    }

    pub(crate) fn times(self, pieces: u32) -> Option<Self> {
        Self::bounded(self.micro * i128::from(pieces))
    }

    /// The part of it that `pieces` of `of` make up.
    pub(crate) fn share(self, pieces: u32, of: u32) -> Option<Self> {
        let micro = (self.micro * i128::from(pieces)).checked_div(i128::from(of))?;
        Self::bounded(micro)
    }

    pub(crate) fn magnitude(self) -> Self {
        Self {
            micro: self.micro.abs(),
        }
    }

    pub(crate) fn negated(self) -> Self {
        Self { micro: -self.micro }
    }

    /// The number, if it has no fraction.
    pub(crate) fn whole(self) -> Option<i64> {
        if self.micro % ONE != 0 {
            return None;
        }
        i64::try_from(self.micro / ONE).ok()
    }

    /// Whole yen, zero or more.
    pub(crate) fn yen(self) -> Option<Yen> {
        self.whole().and_then(|number| Yen::new(number).ok())
    }

    /// The nearest whole yen, halves up; zero if negative.
    pub(crate) fn nearest_yen(self) -> Yen {
        let number = (self.micro.max(0) + ONE / 2) / ONE;
        i64::try_from(number)
            .ok()
            .and_then(|number| Yen::new(number).ok())
            .unwrap_or(Yen::MAX)
    }

    /// How much it weighs among others: its millionths, or nothing if negative.
    pub(crate) fn weight(self) -> i128 {
        self.micro.max(0)
    }

    fn bounded(micro: i128) -> Option<Self> {
        (micro.abs() <= MAX).then_some(Self { micro })
    }
}

impl From<Yen> for Decimal {
    fn from(yen: Yen) -> Self {
        Self {
            micro: i128::from(yen.get()) * ONE,
        }
    }
}

fn half_width(c: char) -> char {
    match c {
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
        '．' => '.',
        '，' => ',',
        '－' | '\u{2212}' => '-',
        _ => c,
    }
}

/// The digits without the commas between groups of three; none if the groups are wrong.
fn ungrouped(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let first_legal = !first.is_empty() && (rest.is_empty() || first.len() <= 3);
    let legal = first_legal && rest.iter().all(|group| group.len() == 3);
    legal.then(|| whole.replace(',', ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn odd_forms_of_yen() {
        for (text, yen) in [
            ("1980", Some(1980)),
            ("1980.00", Some(1980)),
            ("1980.0", Some(1980)),
            ("1980.0000000000", Some(1980)),
            ("1,980", Some(1980)),
            ("1,234,567.00", Some(1_234_567)),
            ("１９８０", Some(1980)),
            ("１，９８０．００", Some(1980)),
            (" 1980 ", Some(1980)),
            ("0", Some(0)),
            ("-10.00", Some(-10)),
            ("－１０", Some(-10)),
            ("1000000000000", Some(1_000_000_000_000)),
            ("1000000000000.5", None),
            ("1000000000001", None),
            ("1980.5", None),
            ("1980.0000001", None),
            ("1,98", None),
            ("19,80", None),
            ("1980,000", None),
            (",980", None),
            ("1.980,00", None),
            ("1980.", None),
            (".5", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("+1", None),
            ("1e3", None),
            ("¥1980", None),
            ("NaN", None),
            ("١٩٨٠", None),
        ] {
            let read = Decimal::parse(text).and_then(Decimal::whole);
            assert_eq!(read, yen, "{text}");
        }
    }

    #[test]
    fn fractions_are_kept_until_they_are_whole() {
        let sum = |a: &str, b: &str| Decimal::parse(a)?.plus(Decimal::parse(b)?)?.whole();
        assert_eq!(sum("909.090909", "90.909091"), Some(1000));
        assert_eq!(sum("909.09", "90.9"), None);
        assert_eq!(Decimal::parse("0.5").unwrap().nearest_yen().get(), 1);
        assert_eq!(Decimal::parse("0.499999").unwrap().nearest_yen().get(), 0);
        assert_eq!(Decimal::parse("-7").unwrap().nearest_yen().get(), 0);
    }

    proptest! {
        #[test]
        fn reading_is_total(text in "\\PC{0,40}") {
            let _ = Decimal::parse(&text);
        }

        #[test]
        fn what_is_written_is_read(number in -1_000_000_000_000_i64..=1_000_000_000_000, zeros in 0_usize..9) {
            let text = if zeros == 0 { number.to_string() } else { format!("{number}.{}", "0".repeat(zeros)) };
            let read = Decimal::parse(&text);
            prop_assert_eq!(read.and_then(Decimal::whole), Some(number));
            prop_assert!(read.unwrap().magnitude().yen().is_some());
        }
    }
}
