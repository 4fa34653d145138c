//! Whether a text is young enough for its first use. Later uses by the same basket are not aged.

use serde::{Deserialize, Serialize};

/// How far `issued_at` may lie from the gateway's clock at first use. Both ends are included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreshnessWindow {
    /// How old a text may be, in seconds.
    pub before_s: u32,
    /// How far ahead of the gateway the phone's clock may run, in seconds.
    pub after_s: u32,
}

impl Default for FreshnessWindow {
    /// 45 s old, 15 s ahead: three texts of age and one of clock error.
    fn default() -> Self {
        Self {
            before_s: 45,
            after_s: 15,
        }
    }
}

/// How a text's age looks at first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Within the window.
    Fresh,
    /// Too old: a photograph, or a phone that stopped.
    Stale,
    /// Made too far ahead of the gateway's clock.
    FromTheFuture,
}

/// Judges a text made at `issued_at` when the gateway's clock says `now`, both in Unix seconds.
pub fn freshness(issued_at: u32, now: i64, window: FreshnessWindow) -> Freshness {
    let age_s = now.saturating_sub(i64::from(issued_at));
    if age_s > i64::from(window.before_s) {
        Freshness::Stale
    } else if age_s < -i64::from(window.after_s) {
        Freshness::FromTheFuture
    } else {
        Freshness::Fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_the_window_are_fresh() {
        let window = FreshnessWindow::default();
        for (now, expected) in [
            (i64::MIN, Freshness::FromTheFuture),
            (0, Freshness::FromTheFuture),
            (1_000_000 - 16, Freshness::FromTheFuture),
            (1_000_000 - 15, Freshness::Fresh),
            (1_000_000, Freshness::Fresh),
            (1_000_000 + 45, Freshness::Fresh),
            (1_000_000 + 46, Freshness::Stale),
            (i64::MAX, Freshness::Stale),
        ] {
            assert_eq!(freshness(1_000_000, now, window), expected, "{now}");
        }
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_overflow() {
        let window = FreshnessWindow {
            before_s: u32::MAX,
            after_s: u32::MAX,
        };
        assert_eq!(freshness(u32::MAX, 0, window), Freshness::Fresh);
        assert_eq!(freshness(0, i64::from(u32::MAX), window), Freshness::Fresh);
    }
}
