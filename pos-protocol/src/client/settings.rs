//! How a till is set up: times, and what the shop decides.

use std::time::Duration;

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

use super::message::OfflineSpending;

/// Every time and choice of the till's half. [`Settings::default`] is what the documents describe.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How long a cashier waits for an answer, retries included.
    pub deadline: Duration,
    /// The same while the gateway has not answered for a while.
    pub deadline_away: Duration,
    /// How long one attempt waits for its answer. A lost answer leaves time to ask what became of it.
    pub attempt: Duration,
    /// The first pause before a request is tried again while the cashier waits; it doubles.
    pub pause_first: Duration,
    /// The longest such pause.
    pub pause_max: Duration,
    /// The first pause before the queue tries again while the gateway is away; it doubles.
    pub backoff_first: Duration,
    /// The longest such pause.
    pub backoff_max: Duration,
    /// How long a journal that could not be written is left alone before it is tried again.
    pub unwritable_pause: Duration,
    /// Requests of the queue that may be under way at once when the gateway answers.
    pub queue_at_once: usize,
    /// What to do with points that the gateway could not be asked for.
    pub offline_spending: OfflineSpending,
    /// Whether the account's gateway is the journal's at a new address. Without it a journal with
    /// unsettled requests opens only for the address it was written for.
    pub gateway_moved: bool,
    /// When a business day begins.
    pub business_day: BusinessDay,
    /// How long settled sales stay in the journal, for returns and totals.
    pub keep: jiff::SignedDuration,
    /// The journal is made smaller when it has grown past this and nothing is unsettled.
    pub compact_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            deadline_away: Duration::from_secs(1),
            attempt: Duration::from_secs(2),
            pause_first: Duration::from_millis(50),
            pause_max: Duration::from_millis(500),
            backoff_first: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
            unwritable_pause: Duration::from_secs(1),
            queue_at_once: 4,
            offline_spending: OfflineSpending::Refuse,
            gateway_moved: false,
            business_day: BusinessDay::default(),
            keep: jiff::SignedDuration::from_hours(31 * 24),
            compact_bytes: 1_024 * 1_024,
        }
    }
}

/// The store's calendar: before the cut-over it is still yesterday.
#[derive(Debug, Clone, PartialEq)]
pub struct BusinessDay {
    /// The programme's time zone.
    pub zone: TimeZone,
    /// When a new business day begins.
    pub cut_over: Time,
}

impl Default for BusinessDay {
    /// Japan, 05:00.
    fn default() -> Self {
        Self {
            zone: TimeZone::get("Asia/Tokyo").unwrap_or(TimeZone::UTC),
            cut_over: Time::constant(5, 0, 0, 0),
        }
    }
}

impl BusinessDay {
    /// The business day of a moment.
    #[must_use]
    pub fn of(&self, at: Timestamp) -> Date {
        let local = self.zone.to_datetime(at);
        if local.time() < self.cut_over {
            local.date().yesterday().unwrap_or(Date::MIN)
        } else {
            local.date()
        }
    }
}
