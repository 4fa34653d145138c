//! The values that settings are made of: numbers in ranges, names, time zones, times of day.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident($int:ty), $min:literal..=$max:literal, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(pub(super) $int);

        impl $name {
            /// The value if it is in range.
            #[must_use]
            pub fn new(value: $int) -> Option<Self> {
                if ($min..=$max).contains(&value) { Some(Self(value)) } else { None }
            }

            #[doc = concat!("The number of ", $unit, ".")]
            #[must_use]
            pub const fn get(self) -> $int {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = String;
            fn try_from(value: i64) -> Result<Self, String> {
                <$int>::try_from(value)
                    .ok()
                    .and_then(Self::new)
                    .ok_or_else(|| format!("{value} is not between {} and {} {}", $min, $max, $unit))
            }
        }

        impl From<$name> for i64 {
            fn from(value: $name) -> i64 {
                i64::from(value.0)
            }
        }
    };
}

ranged! {
    /// A span in minutes, 1 minute to 30 days.
    Minutes(u32), 1..=43_200, "minutes"
}
ranged! {
    /// A span in seconds, 0 to 1 hour.
    Seconds(u32), 0..=3_600, "seconds"
}
ranged! {
    /// A span in days, 0 to 10 years.
    Days(u32), 0..=3_660, "days"
}
ranged! {
    /// A span in hours, 0 to 30 days.
    Hours(u32), 0..=720, "hours"
}
ranged! {
    /// A span in months, 1 month to 20 years.
    Months(u32), 1..=240, "months"
}
ranged! {
    /// How many holds one member may have open at once.
    OpenHolds(u32), 1..=100, "holds"
}

ranged! {
    /// How often something may be tried.
    Attempts(u32), 1..=20, "attempts"
}

/// A time zone of the IANA database, for example `Asia/Tokyo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone's rules.
    #[must_use]
    pub fn time_zone(&self) -> &TimeZone {
        &self.0
    }
}

impl TryFrom<String> for Zone {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        TimeZone::get(&name)
            .map(Self)
            .map_err(|_| format!("\"{name}\" is no time zone of the IANA database"))
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.0.iana_name().unwrap_or("UTC").to_owned()
    }
}

/// A programme's name, 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProgrammeName(String);

impl TryFrom<String> for ProgrammeName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
            Ok(Self(name))
        } else {
            Err("a programme's name has 1 to 100 characters and no control characters".into())
        }
    }
}

impl From<ProgrammeName> for String {
    fn from(name: ProgrammeName) -> String {
        name.0
    }
}

/// A time of day as `HH:MM`.
pub(super) mod clock_time {
    use jiff::civil::Time;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in super::super) fn serialize<S: Serializer>(
        time: &Time,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time.strftime("%H:%M").to_string())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        Time::strptime("%H:%M", &text)
            .map_err(|_| D::Error::custom(format!("\"{text}\" is no time of day: HH:MM")))
    }
}
