//! Days and months that a figure tells of.

use jiff::{ToSpan as _, civil::Date};

use crate::{limits::FIGURE_PERIODS_MAX, store::Period};

/// A span of days, told by day or by month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub(crate) by: Period,
    pub(crate) from: Date,
    pub(crate) to: Date,
}

impl Range {
    /// From the first to the last day; without them the newest 12 months or 31 days up to `today`.
    pub(crate) fn new(
        by: Period,
        from: Option<Date>,
        to: Option<Date>,
        today: Date,
    ) -> Result<Self, &'static str> {
        let to = to.unwrap_or(today);
        let usual = match by {
            Period::Day => to.saturating_sub(30.days()),
            Period::Month => to.first_of_month().saturating_sub(11.months()),
        };
        let from = from.unwrap_or(usual);
        if from > to {
            return Err("the first day comes after the last");
        }
        let range = Self { by, from, to };
        if range.periods().len() > FIGURE_PERIODS_MAX {
            return Err("these are more days or months than a figure tells of");
        }
        Ok(range)
    }

    /// Every period, oldest first; one more than the limit at most.
    pub(crate) fn periods(&self) -> Vec<String> {
        let (mut day, step) = match self.by {
            Period::Day => (self.from, 1.day()),
            Period::Month => (self.from.first_of_month(), 1.month()),
        };
        let mut all = Vec::new();
        while day <= self.to && all.len() <= FIGURE_PERIODS_MAX {
            all.push(self.name(day));
            match day.checked_add(step) {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        all
    }

    fn name(&self, day: Date) -> String {
        match self.by {
            Period::Day => day.to_string(),
            Period::Month => day.strftime("%Y-%m").to_string(),
        }
    }

    /// The period of a day as `YYYY-MM-DD`, if it is one of these.
    pub(crate) fn period_of(&self, day: &str) -> Option<String> {
        let day: Date = day.parse().ok()?;
        (self.from <= day && day <= self.to).then(|| self.name(day))
    }

    /// The period of a day since 1970, whether or not it is one of these.
    pub(crate) fn period_of_day(&self, day: i64) -> String {
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = day.clamp(0, 2_000_000);
        self.name(epoch.saturating_add(days.days()))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn ranges_have_every_period_and_an_end() {
        let today = date(2026, 3, 15);
        let year = Range::new(Period::Month, None, None, today).unwrap();
        let months = year.periods();
        assert_eq!(months.len(), 12);
        assert_eq!(
            (months[0].as_str(), months[11].as_str()),
            ("2025-04", "2026-03")
        );
        let days = Range::new(Period::Day, None, None, today)
            .unwrap()
            .periods();
        assert_eq!(days.len(), 31);
        assert_eq!(days[30], "2026-03-15");
        let from = Some(date(2026, 1, 31));
        let two = Range::new(Period::Month, from, Some(date(2026, 2, 1)), today).unwrap();
        assert_eq!(two.periods(), ["2026-01", "2026-02"]);
        assert_eq!(two.period_of("2026-01-30"), None);
        assert_eq!(two.period_of("2026-02-01").as_deref(), Some("2026-02"));
        assert_eq!(two.period_of_day(20_486), "2026-02");
        assert!(Range::new(Period::Day, Some(today), Some(date(2026, 3, 14)), today).is_err());
        assert!(Range::new(Period::Day, Some(date(1990, 1, 1)), None, today).is_err());
    }
}
