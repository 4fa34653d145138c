//! What stands in a cell: card numbers, points, days, texts. Everything is read strictly: a value that
//! is not plainly what it should be is refused, for a wrong balance is worse than a missing one.

use std::borrow::Cow;

use jiff::civil::Date;
use pos_protocol::{Points, TEXT_CHARS_MAX};

use crate::{CardNumber, Reason};

/// The longest card number, in digits.
const NUMBER_DIGITS_MAX: usize = 64;

/// The eras in which dates are written: letter, name, year 0 and first day.
const ERAS: [(char, &str, i16, Date); 3] = [
    ('R', "令和", 2018, Date::constant(2019, 5, 1)),
    ('H', "平成", 1988, Date::constant(1989, 1, 8)),
    ('S', "昭和", 1925, Date::constant(1926, 12, 25)),
];

/// A card's number: the digits, all of them, with the leading zeros.
pub(crate) fn number(cell: &str) -> Result<CardNumber, Reason> {
    let cell = cell.trim();
    // Spreadsheets keep leading zeros in this form.
    let formula = cell.strip_prefix("=\"");
    let text = formula
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(cell);
    let text: String = text
        .chars()
        .map(narrow)
        .filter(|c| !is_spacing(*c))
        .collect();
    if text.is_empty() {
        return Err(Reason::NumberMissing);
    }
    let joined: String = text.chars().filter(|c| !is_hyphen(*c)).collect();
    if !joined.is_empty() && joined.bytes().all(|byte| byte.is_ascii_digit()) {
        return if joined.len() > NUMBER_DIGITS_MAX {
            Err(Reason::NumberTooLong)
        } else {
            Ok(CardNumber::new(joined))
        };
    }
    Err(spreadsheet_damage(&text).unwrap_or(Reason::NumberNotDigits))
}

/// What a spreadsheet made of a number, if that is what it looks like.
fn spreadsheet_damage(text: &str) -> Option<Reason> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((mantissa, exponent)) = text.split_once(['E', 'e']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        return (digits(whole) && digits(fraction) && digits(exponent))
            .then_some(Reason::NumberInExponentForm);
    }
    let (whole, fraction) = text.split_once('.')?;
    (digits(whole) && digits(fraction)).then_some(Reason::NumberWithDecimals)
}

/// Points; none in an empty cell.
pub(crate) fn points(cell: &str) -> Result<Points, Reason> {
    let text: Cow<'_, str> = folded(cell);
    if text.is_empty() {
        return Ok(Points::ZERO);
    }
    let (negative, amount) = match text.strip_prefix(['-', '−', '‐', '▲', '△']) {
        Some(amount) => (true, amount),
        None => (false, text.as_ref()),
    };
    let (whole, fraction) = match amount.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (amount, None),
    };
    let digits = grouped_digits(whole).ok_or(Reason::PointsNotANumber)?;
    if fraction.is_some_and(|text| !text.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(Reason::PointsNotANumber);
    }
    if negative {
        return Err(Reason::PointsNegative);
    }
    if fraction.is_some() {
        return Err(Reason::PointsFraction);
    }
    let value = digits
        .parse()
        .ok()
        .and_then(|value| Points::new(value).ok());
    value.ok_or(Reason::PointsTooLarge)
}

/// The digits of a whole number, which commas may part into groups of three.
fn grouped_digits(text: &str) -> Option<Cow<'_, str>> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((first, groups)) = text.split_once(',') else {
        return digits(text).then_some(Cow::Borrowed(text));
    };
    let sound = digits(first)
        && first.len() <= 3
        && groups
            .split(',')
            .all(|group| digits(group) && group.len() == 3);
    sound.then(|| Cow::Owned(text.replace(',', "")))
}

/// A day; none in an empty cell.
pub(crate) fn day(cell: &str) -> Result<Option<Date>, Reason> {
    let text = folded(cell);
    if text.is_empty() {
        return Ok(None);
    }
    let Some((year, month, day)) = western(&text) else {
        return era(&text).map(Some);
    };
    Date::new(year, month, day)
        .map(Some)
        .map_err(|_| Reason::DateDoesNotExist)
}

fn western(text: &str) -> Option<(i16, i8, i8)> {
    let mut parts = if text.contains('-') {
        text.split('-')
    } else {
        text.split('/')
    };
    let parts = (parts.next()?, parts.next(), parts.next(), parts.next());
    match parts {
        (year, Some(month), Some(day), None) if year.len() == 4 => {
            Some((small(year)?, one_or_two(month)?, one_or_two(day)?))
        }
        (digits, None, None, None) if digits.len() == 8 => {
            let (year, month_day) = digits.split_at_checked(4)?;
            let (month, day) = month_day.split_at_checked(2)?;
            Some((small(year)?, one_or_two(month)?, one_or_two(day)?))
        }
        _ => None,
    }
}

/// A day of a Japanese era. A year beyond the era's end still counts on from its beginning: what was
/// printed before the end was known says so.
fn era(text: &str) -> Result<Date, Reason> {
    let parts = ERAS.iter().find_map(|(letter, name, before, first)| {
        let (year, month, day) = if let Some(rest) = text.strip_prefix(name) {
            let (year, rest) = rest.split_once('年')?;
            let (month, rest) = rest.split_once('月')?;
            (year, month, rest.strip_suffix('日')?)
        } else {
            let rest = text.strip_prefix([*letter, letter.to_ascii_lowercase()])?;
            let (year, rest) = rest.split_once('.')?;
            let (month, day) = rest.split_once('.')?;
            (year, month, day)
        };
        let year = if year == "元" {
            1
        } else {
            small(year).filter(|year| *year <= 99)?
        };
        Some((before + year, one_or_two(month)?, one_or_two(day)?, *first))
    });
    let (year, month, day, first) = parts.ok_or(Reason::DateNotUnderstood)?;
    let date = Date::new(year, month, day)
        .ok()
        .filter(|date| *date >= first);
    date.ok_or(Reason::DateDoesNotExist)
}

/// A number of one to four digits.
fn small(text: &str) -> Option<i16> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn one_or_two(text: &str) -> Option<i8> {
    let value = (text.len() <= 2).then(|| small(text)).flatten();
    value.and_then(|value| value.try_into().ok())
}

/// A text as it stands, without the space around it; none in an empty cell.
pub(crate) fn text(cell: &str) -> Result<Option<String>, Reason> {
    let text = cell.trim();
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n'))
    {
        return Err(Reason::ControlCharacter);
    }
    // Bytes are never fewer than characters, and quicker to count.
    if text.len() > TEXT_CHARS_MAX && text.chars().count() > TEXT_CHARS_MAX {
        return Err(Reason::TextTooLong);
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// The cell with its full-width characters narrowed, without the space around it.
fn folded(cell: &str) -> Cow<'_, str> {
    let cell = cell.trim();
    if cell.is_ascii() {
        Cow::Borrowed(cell)
    } else {
        Cow::Owned(cell.chars().map(narrow).collect())
    }
}

/// The ASCII character of a full-width one. NFKC would go too far: it makes digits of ① and ².
fn narrow(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

fn is_spacing(c: char) -> bool {
    c.is_whitespace()
}

/// Hyphens, dashes, the minus sign, and the long-vowel marks that stand in for them.
fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '−' | 'ー' | 'ｰ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let longest = "0".repeat(64);
        let too_long = "0".repeat(65);
        for (cell, expected) in [
            ("0012", Ok("0012")),
            ("０１２３", Ok("0123")),
            (" 4901-2345 6789\u{3000}", Ok("490123456789")),
            ("４９０１ー２３４５－６", Ok("490123456")),
            ("=\"0012\"", Ok("0012")),
            (longest.as_str(), Ok(longest.as_str())),
            (too_long.as_str(), Err(Reason::NumberTooLong)),
            ("", Err(Reason::NumberMissing)),
            ("=\"\"", Err(Reason::NumberMissing)),
            ("--", Err(Reason::NumberNotDigits)),
            ("4.90123E+12", Err(Reason::NumberInExponentForm)),
            ("4E12", Err(Reason::NumberInExponentForm)),
            ("４．９Ｅ＋１２", Err(Reason::NumberInExponentForm)),
            ("4901234.0", Err(Reason::NumberWithDecimals)),
            ("4901234.", Err(Reason::NumberNotDigits)),
            ("=\"12", Err(Reason::NumberNotDigits)),
            ("12①", Err(Reason::NumberNotDigits)),
            ("12²", Err(Reason::NumberNotDigits)),
            ("A12", Err(Reason::NumberNotDigits)),
            ("#N/A", Err(Reason::NumberNotDigits)),
            ("12\0", Err(Reason::NumberNotDigits)),
        ] {
            let found = number(cell);
            let found = found
                .as_ref()
                .map(CardNumber::as_str)
                .map_err(|reason| *reason);
            assert_eq!(found, expected, "{cell}");
        }
    }

    #[test]
    fn amounts_of_points() {
        for (cell, expected) in [
            ("", Ok(0)),
            ("  ", Ok(0)),
            ("1980", Ok(1980)),
            ("1,980", Ok(1980)),
            ("１，９８０", Ok(1980)),
            ("1,234,567", Ok(1_234_567)),
            ("0012", Ok(12)),
            ("1000000000000", Ok(1_000_000_000_000)),
            ("1000000000001", Err(Reason::PointsTooLarge)),
            ("99999999999999999999999", Err(Reason::PointsTooLarge)),
            ("1,98", Err(Reason::PointsNotANumber)),
            ("1234,567", Err(Reason::PointsNotANumber)),
            (",123", Err(Reason::PointsNotANumber)),
            ("1e3", Err(Reason::PointsNotANumber)),
            ("五", Err(Reason::PointsNotANumber)),
            ("-", Err(Reason::PointsNotANumber)),
            ("-5", Err(Reason::PointsNegative)),
            ("－５", Err(Reason::PointsNegative)),
            ("▲1,980", Err(Reason::PointsNegative)),
            ("1.5", Err(Reason::PointsFraction)),
            ("1980.0", Err(Reason::PointsFraction)),
        ] {
            assert_eq!(points(cell).map(Points::get), expected, "{cell}");
        }
    }

    #[test]
    fn days() {
        let none = Err(Reason::DateDoesNotExist);
        let unread = Err(Reason::DateNotUnderstood);
        for (cell, expected) in [
            ("2027-03-31", Ok("2027-03-31")),
            ("2027/3/31", Ok("2027-03-31")),
            ("20270331", Ok("2027-03-31")),
            ("２０２７／３／３１", Ok("2027-03-31")),
            ("令和9年3月31日", Ok("2027-03-31")),
            ("令和９年３月３１日", Ok("2027-03-31")),
            ("R9.3.31", Ok("2027-03-31")),
            ("r09.03.31", Ok("2027-03-31")),
            ("令和元年5月1日", Ok("2019-05-01")),
            ("R1.4.30", none),
            ("H31.4.30", Ok("2019-04-30")),
            ("平成35年3月31日", Ok("2023-03-31")),
            ("H1.1.7", none),
            ("昭和64年1月7日", Ok("1989-01-07")),
            ("S1.12.24", none),
            ("2027-02-29", none),
            ("R0.3.31", none),
            ("R100.3.31", unread),
            ("2027-003-31", unread),
            ("27/3/31", unread),
            ("2027-3", unread),
            ("2027-3-31-1", unread),
            ("2027.3.31", unread),
            ("M45.7.29", unread),
            ("9999", unread),
            ("無期限", unread),
        ] {
            let found = day(cell).map(|day| day.map(|day| day.to_string()).unwrap_or_default());
            assert_eq!(found, expected.map(str::to_owned), "{cell}");
        }
        assert_eq!(day(" "), Ok(None));
    }

    #[test]
    fn texts() {
        let long = "あ".repeat(201);
        for (cell, expected) in [
            (" 山田　太郎 ", Ok(Some("山田　太郎"))),
            ("a\nb", Ok(Some("a\nb"))),
            ("", Ok(None)),
            ("\u{3000}", Ok(None)),
            ("a\0b", Err(Reason::ControlCharacter)),
            (long.as_str(), Err(Reason::TextTooLong)),
        ] {
            let found = text(cell);
            assert_eq!(
                found,
                expected.map(|text| text.map(str::to_owned)),
                "{cell}"
            );
        }
        assert!(text(&"あ".repeat(200)).is_ok());
    }
}
