//! The header: which columns a file has, by name and in any order.

use std::{collections::BTreeMap, fmt};

use serde::{Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

/// The most columns a file may have.
const COLUMNS_MAX: usize = 1_000;
/// The most lots one row may tell of.
const LOTS_MAX: u8 = 100;

/// A column that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// The card's number.
    Number,
    /// All points of the card.
    Balance,
    /// The last day of a single lot.
    ExpiresOn,
    /// The class of a single lot.
    Class,
    /// The points of a lot, counted from 1.
    LotPoints(u8),
    /// The last day of a lot.
    LotExpiresOn(u8),
    /// The class of a lot.
    LotClass(u8),
    /// The member's name.
    Name,
    /// The name as it is read.
    Kana,
    /// The mail address.
    Email,
    /// The telephone number.
    Phone,
    /// The day of birth.
    Birthday,
    /// The postal code.
    PostalCode,
}

/// A header that no base can be read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Nothing but empty lines.
    #[error("the file is empty")]
    Empty,
    /// It is not in the file's encoding, its quotes do not close, or it is too long.
    #[error("the header in line {line} cannot be read")]
    Unreadable {
        /// Where it stands.
        line: u64,
    },
    /// There is no such column.
    #[error("the header has no column {0}")]
    Missing(Column),
    /// Two columns mean the same.
    #[error("the header has the column {0} twice")]
    Twice(Column),
    /// It has too many columns.
    #[error("the header has more than {COLUMNS_MAX} columns")]
    TooManyColumns,
}

/// Names of a column, in the folded form of [`fold`]. The first is the one this system writes.
const NAMES: [(Column, &[&str]); 10] = [
    (
        Column::Number,
        &[
            "card_number",
            "number",
            "会員番号",
            "カード番号",
            "会員no",
            "カードno",
            "会員コード",
        ],
    ),
    (
        Column::Balance,
        &[
            "balance",
            "points",
            "ポイント",
            "ポイント残高",
            "保有ポイント",
            "残ポイント",
            "残高",
        ],
    ),
    (
        Column::ExpiresOn,
        &["expires_on", "有効期限", "ポイント有効期限", "失効日"],
    ),
    (Column::Class, &["class", "区分", "ポイント区分"]),
    (Column::Name, &["name", "氏名", "名前", "お名前", "会員名"]),
    (
        Column::Kana,
        &["kana", "フリガナ", "ふりがな", "カナ", "氏名カナ"],
    ),
    (
        Column::Email,
        &["email", "e-mail", "mail", "メール", "メールアドレス"],
    ),
    (Column::Phone, &["phone", "tel", "電話", "電話番号"]),
    (Column::Birthday, &["birthday", "生年月日", "誕生日"]),
    (Column::PostalCode, &["postal_code", "zip", "郵便番号"]),
];

/// What begins the name of a lot's column, and the names of its parts after the lot's number.
const LOT_PREFIXES: [&str; 2] = ["lot", "ロット"];
type LotPart = (fn(u8) -> Column, &'static [&'static str]);
const LOT_PARTS: [LotPart; 3] = [
    (Column::LotPoints, &["points", "ポイント"]),
    (Column::LotExpiresOn, &["expires_on", "有効期限"]),
    (Column::LotClass, &["class", "区分"]),
];

/// Where the columns stand that are read.
#[derive(Debug)]
pub(crate) struct Header {
    /// How many columns there are, known or not.
    pub(crate) width: usize,
    pub(crate) number: usize,
    pub(crate) balance: Option<usize>,
    pub(crate) expires_on: Option<usize>,
    pub(crate) class: Option<usize>,
    pub(crate) lots: Vec<LotColumns>,
    /// Name, kana, e-mail, phone, birthday, postal code.
    pub(crate) profile: [Option<usize>; 6],
    /// The names of the others, once each.
    pub(crate) unknown: Vec<String>,
}

/// Where the columns of one lot stand.
#[derive(Debug)]
pub(crate) struct LotColumns {
    pub(crate) lot: u8,
    pub(crate) points: usize,
    pub(crate) expires_on: Option<usize>,
    pub(crate) class: Option<usize>,
}

/// The columns of a profile, in the order of [`Header::profile`].
pub(crate) const PROFILE: [Column; 6] = [
    Column::Name,
    Column::Kana,
    Column::Email,
    Column::Phone,
    Column::Birthday,
    Column::PostalCode,
];

impl Header {
    pub(crate) fn new<'a>(
        cells: impl Iterator<Item = impl AsRef<str> + 'a>,
    ) -> Result<Self, HeaderError> {
        let mut places = BTreeMap::new();
        let mut unknown = Vec::new();
        let mut width = 0;
        for (place, cell) in cells.enumerate() {
            if place >= COLUMNS_MAX {
                return Err(HeaderError::TooManyColumns);
            }
            width = place + 1;
            let cell = cell.as_ref().trim();
            if let Some(column) = column(&fold(cell)) {
                if places.insert(column, place).is_some() {
                    return Err(HeaderError::Twice(column));
                }
            } else if !cell.is_empty() && !unknown.iter().any(|name| name == cell) {
                unknown.push(cell.to_owned());
            }
        }
        let place = |column| places.get(&column).copied();
        let number = place(Column::Number).ok_or(HeaderError::Missing(Column::Number))?;
        let mut lots = Vec::new();
        for lot in 1..=LOTS_MAX {
            let expires_on = place(Column::LotExpiresOn(lot));
            let class = place(Column::LotClass(lot));
            match place(Column::LotPoints(lot)) {
                Some(points) => lots.push(LotColumns {
                    lot,
                    points,
                    expires_on,
                    class,
                }),
                None if expires_on.is_none() && class.is_none() => {}
                None => return Err(HeaderError::Missing(Column::LotPoints(lot))),
            }
        }
        let balance = place(Column::Balance);
        if balance.is_none() && lots.is_empty() {
            // A base without points is a misspelt header: read as such, it would take everybody's away.
            return Err(HeaderError::Missing(Column::Balance));
        }
        Ok(Self {
            width,
            number,
            balance,
            expires_on: place(Column::ExpiresOn),
            class: place(Column::Class),
            lots,
            profile: PROFILE.map(place),
            unknown,
        })
    }
}

/// The column of that folded name.
fn column(name: &str) -> Option<Column> {
    let plain = NAMES.iter().find(|(_, names)| names.contains(&name));
    plain
        .map(|(column, _)| *column)
        .or_else(|| lot_column(name))
}

fn lot_column(name: &str) -> Option<Column> {
    let mut prefixes = LOT_PREFIXES.iter();
    let rest = prefixes.find_map(|prefix| name.strip_prefix(prefix))?;
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    let (lot, part) = rest.split_at_checked(digits)?;
    let lot = lot
        .parse()
        .ok()
        .filter(|lot| (1..=LOTS_MAX).contains(lot))?;
    let part = part.trim_start_matches('_');
    let mut parts = LOT_PARTS.iter();
    let (column, _) = parts.find(|(_, names)| names.contains(&part))?;
    Some(column(lot))
}

/// A name with the widths of its characters, its case and its spaces made alike.
fn fold(name: &str) -> String {
    let folded = name.nfkc().flat_map(char::to_lowercase);
    folded.filter(|c| !c.is_whitespace()).collect()
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LotPoints(lot) => write!(f, "lot{lot}_points"),
            Self::LotExpiresOn(lot) => write!(f, "lot{lot}_expires_on"),
            Self::LotClass(lot) => write!(f, "lot{lot}_class"),
            plain => {
                let name = NAMES.iter().find(|(column, _)| column == plain);
                f.write_str(name.and_then(|(_, names)| names.first()).unwrap_or(&""))
            }
        }
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_by_many_names() {
        for (name, expected) in [
            ("会員番号", Some(Column::Number)),
            ("カード番号", Some(Column::Number)),
            ("ｶｰﾄﾞ番号", Some(Column::Number)),
            ("Card_Number", Some(Column::Number)),
            (" 会員　番号 ", Some(Column::Number)),
            ("ﾌﾘｶﾞﾅ", Some(Column::Kana)),
            ("Ｅｍａｉｌ", Some(Column::Email)),
            ("lot1_points", Some(Column::LotPoints(1))),
            ("LOT12_Expires_On", Some(Column::LotExpiresOn(12))),
            ("ロット３区分", Some(Column::LotClass(3))),
            ("lot0_points", None),
            ("lot101_points", None),
            ("lot_points", None),
            ("lot1", None),
            ("備考", None),
        ] {
            assert_eq!(column(&fold(name)), expected, "{name}");
        }
    }

    #[test]
    fn every_name_leads_back_to_its_column() {
        for (expected, names) in NAMES {
            assert_eq!(column(&expected.to_string()), Some(expected));
            for name in names {
                assert_eq!(column(&fold(name)), Some(expected), "{name}");
            }
        }
    }

    #[test]
    fn a_header_needs_a_number_and_points() {
        let read = |text: &str| Header::new(text.split(',')).map(|header| header.unknown);
        for (text, expected) in [
            ("number,balance", Ok(vec![])),
            ("number,lot1_points", Ok(vec![])),
            (
                "備考,number,balance,備考,x",
                Ok(vec!["備考".into(), "x".into()]),
            ),
            ("balance", Err(HeaderError::Missing(Column::Number))),
            ("number,残", Err(HeaderError::Missing(Column::Balance))),
            (
                "number,会員番号,balance",
                Err(HeaderError::Twice(Column::Number)),
            ),
            (
                "number,lot2_class",
                Err(HeaderError::Missing(Column::LotPoints(2))),
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
