//! A row of the file: a card with its points, or the reason why it is none.
//!
//! A row tells of one lot by `balance`, `expires_on` and `class`, or of several by `lot1_points` and
//! so on. Where it does the latter, `balance` may say the sum, to be checked, and the other two say
//! nothing. Points of zero make no lot.

use std::{borrow::Cow, fmt};

use jiff::civil::Date;
use pos_protocol::Points;
use serde::{Deserialize, Serialize};

use crate::{
    Column,
    columns::{Header, PROFILE},
    values,
};

/// A card of the base, as the file tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRow {
    /// The line of the file it begins in, from 1.
    pub line: u64,
    /// Which row it is, from 1, without the header and empty rows.
    pub row: u32,
    /// The card's number.
    pub number: CardNumber,
    /// Its points, each lot above zero; at most 10^12 together.
    pub lots: Vec<LotRow>,
    /// What is known of the member.
    pub profile: RawProfile,
}

/// A card's number: 1 to 64 digits. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CardNumber(String);

/// Points of a card that expire together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotRow {
    /// How many; above zero.
    pub points: Points,
    /// What the file calls their class.
    pub class: Option<String>,
    /// The last day they can be spent; none if they do not expire.
    pub expires_on: Option<Date>,
}

/// What the file says of a member, unchecked but for length and control characters. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RawProfile {
    /// The name.
    pub name: Option<String>,
    /// The name as it is read.
    pub kana: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The day of birth.
    pub birthday: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
}

/// A row that is no card. It holds nothing of what stands in the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// The line of the file it begins in, from 1.
    pub line: u64,
    /// Which row it is, from 1, without the header and empty rows.
    pub row: u32,
    /// The column at fault, if it is one.
    pub field: Option<Column>,
    /// What is wrong.
    pub reason: Reason,
    /// Where the same number stood first, if that is what is wrong.
    pub first_line: Option<u64>,
}

macro_rules! reasons {
    ($($name:ident $word:literal $detail:literal)*) => {
        /// Why a row is rejected.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reason {
            $(#[doc = $detail] #[serde(rename = $word)] $name,)*
        }

        impl Reason {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word that stands for it in reports; it does not change.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// The same in plain words.
            #[must_use]
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$name => $detail),* }
            }
        }
    };
}

reasons! {
    Undecodable "undecodable" "some bytes are no characters of the file's encoding"
    BrokenQuotes "broken_quotes" "a quoted cell does not close, or goes on after its closing quote; this line was passed over"
    TooLong "too_long" "the line is longer than 65536 bytes"
    CellCount "cell_count" "the row has fewer or more cells than the header"
    NumberMissing "number_missing" "there is no card number"
    NumberNotDigits "number_not_digits" "the card number has other characters than digits, spaces and hyphens"
    NumberTooLong "number_too_long" "the card number has more than 64 digits"
    NumberInExponentForm "number_in_exponent_form" "a spreadsheet has shortened the card number (such as 4.9E+12) and lost digits; export the column as text"
    NumberWithDecimals "number_with_decimals" "a spreadsheet has given the card number decimals (such as 12.0); export the column as text"
    NumberTwice "number_twice" "the card number has come before"
    PointsNotANumber "points_not_a_number" "the points are no whole number"
    PointsNegative "points_negative" "the points are below zero"
    PointsFraction "points_fraction" "the points have decimals"
    PointsTooLarge "points_too_large" "the points are more than 1000000000000"
    BalanceDiffers "balance_differs" "the points of the lots do not add up to the balance"
    LotsAmbiguous "lots_ambiguous" "the row tells of several lots and also has a date or a class for a single one"
    DateNotUnderstood "date_not_understood" "the date has none of the forms 2027-03-31, 2027/3/31, 20270331, R9.3.31 and the Japanese one of an era"
    DateDoesNotExist "date_does_not_exist" "there is no such day"
    ControlCharacter "control_character" "the text has a control character"
    TextTooLong "text_too_long" "the text has more than 200 characters"
}

/// What is wrong, and in which column.
pub(crate) type Fault = (Option<Column>, Reason);

/// The cells of a row, as many as the header has; `None` if all are blank.
pub(crate) fn cells<'a>(
    header: &Header,
    cells: impl Iterator<Item = Cow<'a, str>>,
) -> Result<Option<Vec<Cow<'a, str>>>, Fault> {
    let mut kept = Vec::with_capacity(header.width);
    let (mut all_blank, mut too_many) = (true, false);
    for cell in cells {
        let blank = cell.trim().is_empty();
        all_blank &= blank;
        if kept.len() < header.width {
            kept.push(cell);
        } else {
            // Spreadsheets write empty cells beyond the last column.
            too_many |= !blank;
        }
    }
    if all_blank {
        Ok(None)
    } else if too_many || kept.len() < header.width {
        Err((None, Reason::CellCount))
    } else {
        Ok(Some(kept))
    }
}

pub(crate) fn number(header: &Header, cells: &[Cow<'_, str>]) -> Result<CardNumber, Fault> {
    values::number(cell(cells, Some(header.number))).map_err(of(Column::Number))
}

pub(crate) fn lots(header: &Header, cells: &[Cow<'_, str>]) -> Result<Vec<LotRow>, Fault> {
    let balance_cell = cell(cells, header.balance);
    let balance = values::points(balance_cell).map_err(of(Column::Balance))?;
    let expires_on = values::day(cell(cells, header.expires_on)).map_err(of(Column::ExpiresOn))?;
    let class = values::text(cell(cells, header.class)).map_err(of(Column::Class))?;

    let (mut lots, mut sum, mut told) = (Vec::new(), Points::ZERO, false);
    for columns in &header.lots {
        let places = [Some(columns.points), columns.expires_on, columns.class];
        if places
            .iter()
            .all(|place| cell(cells, *place).trim().is_empty())
        {
            continue;
        }
        told = true;
        let [points, day, text] = places.map(|place| cell(cells, place));
        let column = Column::LotPoints(columns.lot);
        let points = values::points(points).map_err(of(column))?;
        let lot = LotRow {
            points,
            expires_on: values::day(day).map_err(of(Column::LotExpiresOn(columns.lot)))?,
            class: values::text(text).map_err(of(Column::LotClass(columns.lot)))?,
        };
        sum = sum
            .checked_add(points)
            .ok_or((Some(column), Reason::PointsTooLarge))?;
        if !points.is_zero() {
            lots.push(lot);
        }
    }
    if !told {
        let single = LotRow {
            points: balance,
            class,
            expires_on,
        };
        return Ok(if balance.is_zero() {
            Vec::new()
        } else {
            vec![single]
        });
    }
    if expires_on.is_some() || class.is_some() {
        return Err((None, Reason::LotsAmbiguous));
    }
    if !balance_cell.trim().is_empty() && balance != sum {
        return Err((Some(Column::Balance), Reason::BalanceDiffers));
    }
    Ok(lots)
}

pub(crate) fn profile(header: &Header, cells: &[Cow<'_, str>]) -> Result<RawProfile, Fault> {
    let mut texts = [const { None }; PROFILE.len()];
    for ((text, place), column) in texts.iter_mut().zip(header.profile).zip(PROFILE) {
        *text = values::text(cell(cells, place)).map_err(of(column))?;
    }
    let [name, kana, email, phone, birthday, postal_code] = texts;
    Ok(RawProfile {
        name,
        kana,
        email,
        phone,
        birthday,
        postal_code,
    })
}

/// The cell of a column; empty if the file has no such column.
fn cell<'a>(cells: &'a [Cow<'_, str>], place: Option<usize>) -> &'a str {
    place
        .and_then(|place| cells.get(place))
        .map_or("", |cell| cell.as_ref())
}

fn of(column: Column) -> impl FnOnce(Reason) -> Fault {
    move |reason| (Some(column), reason)
}

impl CardNumber {
    /// Digits that have been checked.
    pub(crate) fn new(digits: String) -> Self {
        Self(digits)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CardRow {
    /// All points of the card.
    #[must_use]
    pub fn points(&self) -> Points {
        Points::total(self.lots.iter().map(|lot| lot.points))
    }
}

impl Rejected {
    /// What is wrong, in plain words.
    #[must_use]
    pub fn detail(&self) -> Cow<'static, str> {
        match self.first_line {
            Some(line) => Cow::Owned(format!("{}, first in line {line}", self.reason.detail())),
            None => Cow::Borrowed(self.reason.detail()),
        }
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardNumber(..)")
    }
}

impl fmt::Debug for RawProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawProfile(..)")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
