//! Dates on the programme's calendar: business days, ends of months, whole days since.

use jiff::{Span, Timestamp, civil::Date};
use pos_protocol::StoreId;

use crate::programme::{Expiry, Months, Programme};

/// The calendar day of `now` in the programme's time zone.
#[must_use]
pub fn today(programme: &Programme, now: Timestamp) -> Date {
    programme.time_zone.time_zone().to_datetime(now).date()
}

/// The business day of `store` at `now`: before the cut-over it is still yesterday's.
#[must_use]
pub fn business_date(programme: &Programme, store: &StoreId, now: Timestamp) -> Date {
    let local = programme.time_zone.time_zone().to_datetime(now);
    if local.time() < programme.business_day.cut_over(store) {
        local.date().yesterday().unwrap_or(Date::MIN)
    } else {
        local.date()
    }
}

/// The day `days` after `date`, held at the calendar's end.
#[must_use]
pub fn days_after(date: Date, days: u32) -> Date {
    date.saturating_add(Span::new().days(i64::from(days)))
}

fn months_after(date: Date, months: Months) -> Date {
    date.saturating_add(Span::new().months(i64::from(months.get())))
}

/// The last day on which points granted or renewed on `day` can be spent; `None` for ever.
#[must_use]
pub fn last_day(expiry: Expiry, day: Date) -> Option<Date> {
    match expiry {
        Expiry::Never => None,
        Expiry::Fixed { months } => Some(months_after(day, months).last_of_month()),
        Expiry::Activity { months } => Some(months_after(day, months)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_expiry_is_the_end_of_a_month_and_an_activity_expiry_keeps_the_day() {
        let months = |n| Months::new(n).unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        for (granted, expiry, last) in [
            (
                "2026-11-22",
                Expiry::Fixed { months: months(12) },
                Some("2027-11-30"),
            ),
            (
                "2027-01-31",
                Expiry::Fixed { months: months(1) },
                Some("2027-02-28"),
            ),
            (
                "2027-08-31",
                Expiry::Activity { months: months(6) },
                Some("2028-02-29"),
            ),
            ("2026-11-22", Expiry::Never, None),
        ] {
            assert_eq!(
                last_day(expiry, day(granted)),
                last.map(day),
                "{granted} {expiry:?}"
            );
        }
    }
}
