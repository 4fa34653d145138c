//! Dates of birth.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::field::{Fault, Field, FieldError};
use crate::fold::{is_hyphen, nfkc, trim};

/// A date of birth, from 1900 on. `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Date", into = "Date")]
pub struct BirthDate(Date);

const WRITTEN_CHARS_MAX: usize = 32;
const YEAR_MIN: i16 = 1900;

impl BirthDate {
    /// Reads `1980-01-02`, `1980/1/2`, `1980.1.2`, `1980年1月2日` or `19800102`, in digits of either width.
    pub fn parse(text: &str, today: Date) -> Result<Self, FieldError> {
        let fault = |fault| FieldError::new(Field::Birthday, fault);
        let text = trim(text);
        if text.is_empty() {
            return Err(fault(Fault::Empty));
        }
        if text.chars().count() > WRITTEN_CHARS_MAX {
            return Err(fault(Fault::TooLong {
                chars_max: WRITTEN_CHARS_MAX,
            }));
        }
        let date = read(&nfkc(text)).ok_or(fault(Fault::NoDate))?;
        if date > today {
            return Err(fault(Fault::InTheFuture));
        }
        Self::try_from(date)
    }

    /// The day.
    pub fn date(self) -> Date {
        self.0
    }
}

/// The day, in one of the written forms.
fn read(text: &str) -> Option<Date> {
    let (year, month, day) = if text.chars().all(|c| c.is_ascii_digit()) {
        if text.len() != 8 {
            return None;
        }
        (text.get(..4)?, text.get(4..6)?, text.get(6..)?)
    } else if let Some(rest) = text.strip_suffix('日') {
        let (year, rest) = rest.split_once('年')?;
        let (month, day) = rest.split_once('月')?;
        (year, month, day)
    } else {
        // One kind of separator, twice.
        let folded: String = text
            .chars()
            .map(|c| if is_hyphen(c) { '-' } else { c })
            .collect();
        return ['-', '/', '.'].into_iter().find_map(|separator| {
            let (year, rest) = folded.split_once(separator)?;
            let (month, day) = rest.split_once(separator)?;
            date(year, month, day)
        });
    };
    date(year, month, day)
}

fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    if year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    if ![year, month, day]
        .iter()
        .all(|part| part.chars().all(|c| c.is_ascii_digit()))
    {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

impl TryFrom<Date> for BirthDate {
    type Error = FieldError;

    /// Takes a day that was checked against the calendar before: only the year is looked at.
    fn try_from(date: Date) -> Result<Self, FieldError> {
        if date.year() < YEAR_MIN {
            return Err(FieldError::new(Field::Birthday, Fault::TooEarly));
        }
        Ok(Self(date))
    }
}

impl From<BirthDate> for Date {
    fn from(birth_date: BirthDate) -> Self {
        birth_date.0
    }
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = Date::constant(2026, 4, 1);

    #[test]
    fn dates_are_read_in_the_forms_people_write() {
        for written in [
            "1980-01-02",
            "1980/1/2",
            "1980/01/02",
            "1980.1.2",
            "19800102",
            "１９８００１０２",
            "１９８０／１／２",
            "１９８０－０１－０２",
            "1980ー1ー2",
            "1980年1月2日",
            "１９８０年０１月０２日",
            "\u{3000}1980-1-2 ",
        ] {
            let date = BirthDate::parse(written, TODAY).unwrap().date();
            assert_eq!(date, Date::constant(1980, 1, 2), "{written}");
        }
        for edge in ["1900-01-01", "2026-04-01", "2024-02-29"] {
            let date = BirthDate::parse(edge, TODAY).unwrap().date();
            assert_eq!(date.to_string(), edge);
        }
    }

    #[test]
    fn what_is_no_date_of_birth_is_refused() {
        for (written, fault) in [
            ("", Fault::Empty),
            ("2026-04-02", Fault::InTheFuture),
            ("1899-12-31", Fault::TooEarly),
            ("2023-02-29", Fault::NoDate),
            ("1980-13-01", Fault::NoDate),
            ("1980-00-01", Fault::NoDate),
            ("1980-1", Fault::NoDate),
            ("1980-1/2", Fault::NoDate),
            ("1980--1", Fault::NoDate),
            ("1980-1-2-3", Fault::NoDate),
            ("80-1-2", Fault::NoDate),
            ("+980-1-2", Fault::NoDate),
            ("1980-+1-2", Fault::NoDate),
            ("1980-1-002", Fault::NoDate),
            ("1980012", Fault::NoDate),
            ("198001023", Fault::NoDate),
            ("昭和55年1月2日", Fault::NoDate),
            ("1980-01-02T00:00", Fault::NoDate),
            (&"1".repeat(33), Fault::TooLong { chars_max: 32 }),
        ] {
            let error = BirthDate::parse(written, TODAY).unwrap_err();
            assert_eq!(error.fault, fault, "{written}");
        }
    }
}
