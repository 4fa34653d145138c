//! Points and yen: bounded, non-negative integers with checked operations only.
//!
//! Direction is never a sign: a transfer says which account loses and which gains. So no amount on
//! the wire or in a row is negative, and a subtraction that would go below zero is `None`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number that is negative or above the largest amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AmountOutOfRange(
    /// The refused number.
    pub i64,
);

impl fmt::Display for AmountOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not between 0 and {}", self.0, Points::MAX.get())
    }
}

impl std::error::Error for AmountOutOfRange {}

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = i64, minimum = 0, maximum = 1_000_000_000_000_i64))]
        pub struct $name(i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest amount: 10^12. Any product of two numbers the rules multiply fits `i128`.
            pub const MAX: Self = Self(1_000_000_000_000);

            /// An amount from a plain number.
            ///
            /// # Errors
            /// [`AmountOutOfRange`] if `value` is negative or above [`Self::MAX`].
            pub const fn new(value: i64) -> Result<Self, AmountOutOfRange> {
                if value < 0 || value > Self::MAX.0 { Err(AmountOutOfRange(value)) } else { Ok(Self(value)) }
            }

            /// The plain number, 0 to 10^12.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }

            /// Whether there is nothing.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// The sum, or `None` above [`Self::MAX`].
            #[must_use]
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                // Two amounts of at most 10^12 cannot overflow i64.
                match Self::new(self.0.wrapping_add(other.0)) { Ok(sum) => Some(sum), Err(_) => None }
            }

            /// The difference, or `None` below zero.
            #[must_use]
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match Self::new(self.0.wrapping_sub(other.0)) { Ok(rest) => Some(rest), Err(_) => None }
            }

            /// The sum, held at [`Self::MAX`].
            #[must_use]
            pub const fn saturating_add(self, other: Self) -> Self {
                match self.checked_add(other) { Some(sum) => sum, None => Self::MAX }
            }

            /// The difference, held at zero.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                match self.checked_sub(other) { Some(rest) => rest, None => Self::ZERO }
            }

            /// The sum of many, held at [`Self::MAX`].
            #[must_use]
            pub fn total(amounts: impl IntoIterator<Item = Self>) -> Self {
                amounts.into_iter().fold(Self::ZERO, Self::saturating_add)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(i64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

amount! {
    /// Loyalty points, 0 to 10^12.
    Points
}

amount! {
    /// Japanese yen, 0 to 10^12. Yen has no minor unit.
    Yen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_in_range_are_amounts() {
        for (json, fits) in [
            ("0", true),
            ("1000000000000", true),
            ("1000000000001", false),
            ("-1", false),
            ("1.0", false),
            ("1e3", false),
            ("\"5\"", false),
            ("99999999999999999999", false),
        ] {
            assert_eq!(serde_json::from_str::<Points>(json).is_ok(), fits, "{json}");
        }
    }

    proptest::proptest! {
        #[test]
        fn operations_never_leave_the_range(a in 0..=Points::MAX.get(), b in 0..=Points::MAX.get()) {
            let (x, y) = (Points::new(a).unwrap(), Points::new(b).unwrap());
            proptest::prop_assert_eq!(x.checked_add(y).map(Points::get), Some(a + b).filter(|s| *s <= Points::MAX.get()));
            proptest::prop_assert_eq!(x.checked_sub(y).map(Points::get), Some(a - b).filter(|s| *s >= 0));
        }
    }
}
