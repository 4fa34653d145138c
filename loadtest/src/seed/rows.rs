//! What a seeded member is: the same rows that an enrolment and a grant of points leave.

use std::{borrow::Cow, ops::Range};

use jiff::{Timestamp, tz::Offset};
use uuid::Uuid;

use super::keys::{Keys, SeededCard};

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// None.
    Null,
    /// A UUID.
    Id(Uuid),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(Cow<'static, str>),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A table and the columns that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns, in the order of the values.
    pub columns: &'static [&'static str],
}

const MEMBERS: Table = Table {
    name: "members",
    columns: &[
        "member_id",
        "member_no",
        "enrolled_at",
        "status",
        "rank",
        "available",
        "held",
        "pending",
        "owed",
        "open_holds",
        "event_sequence",
        "last_activity_on",
    ],
};
const CARDS: Table = Table {
    name: "cards",
    columns: &[
        "card_id",
        "member_id",
        "public_key",
        "enrolled_at",
        "status",
        "revoked_at",
    ],
};
const LOTS: Table = Table {
    name: "lots",
    columns: &[
        "lot_id",
        "member_id",
        "class",
        "expiry",
        "funding",
        "scope",
        "opened_at",
        "origin",
        "programme_version",
        "expires_on",
        "granted",
        "available",
        "held",
        "pending",
    ],
};
const TRANSFERS: Table = Table {
    name: "transfers",
    columns: &[
        "member_id",
        "transfer_id",
        "lot_id",
        "debit",
        "credit",
        "points",
        "motive",
        "source",
        "store_id",
        "business_date",
        "at",
    ],
};
const EVENTS: Table = Table {
    name: "events",
    columns: &[
        "event_id",
        "member_id",
        "member_sequence",
        "kind",
        "subject",
        "at",
        "data",
    ],
};
const EVENT_STREAM: Table = Table {
    name: "event_stream",
    columns: &["stream_sequence", "event_id", "member_id"],
};

/// Every table that is written.
pub const TABLES: [Table; 6] = [MEMBERS, CARDS, LOTS, TRANSFERS, EVENTS, EVENT_STREAM];

/// Some members' rows: for each of [`TABLES`], the values of its rows, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// How many members.
    pub members: u64,
    /// In the order of [`TABLES`].
    pub values: [Vec<Value>; TABLES.len()],
}

/// What all seeded members have in common.
#[derive(Debug, Clone)]
pub struct Seeding {
    /// Gives keys and ids.
    pub keys: Keys,
    /// How many members there will be.
    pub members: u64,
    /// The points of each.
    pub points: i64,
    /// When the first of them came, in microseconds since 1970.
    pub from_us: i64,
    /// When the last of them came.
    pub until_us: i64,
    /// The version of the programme in force.
    pub programme_version: i64,
    /// Whether members have the events of their enrolment and their grant.
    pub events: bool,
    /// The last place that is taken in the published stream.
    pub stream_sequence: i64,
}

/// Numbers that member numbers are made of: eleven digits and a check digit.
const MEMBER_NUMBERS: u64 = 100_000_000_000;
/// The zone of the load test's programme, which has no summer time.
const TOKYO: Offset = Offset::constant(9);
/// What an id is for: part of the bits it is made of, and its rank among those of one millisecond.
#[derive(Clone, Copy)]
enum Purpose {
    Member = 1,
    Lot,
    Transfer,
    Adjustment,
    MemberEnrolled,
    CardEnrolled,
    PointsAdjusted,
}

impl Seeding {
    /// The rows of the members with these numbers.
    #[must_use]
    pub fn chunk(&self, numbers: Range<u64>) -> Chunk {
        let mut chunk = Chunk {
            members: numbers.end.saturating_sub(numbers.start),
            ..Chunk::default()
        };
        let cards = self.keys.cards(numbers.clone());
        for (number, card) in numbers.zip(cards) {
            self.member(number, &card, &mut chunk.values);
        }
        chunk
    }

    /// When a member came: evenly spread, in the order of the numbers.
    #[must_use]
    pub fn enrolled_at(&self, number: u64) -> i64 {
        let span = i128::from(self.until_us) - i128::from(self.from_us);
        let after = span * i128::from(number) / i128::from(self.members.max(1));
        self.from_us
            .saturating_add(i64::try_from(after).unwrap_or(0))
    }

    fn id(&self, number: u64, purpose: Purpose, at_us: i64) -> Uuid {
        let mut bytes = [0; 10];
        bytes[1] = purpose as u8;
        bytes[2..].copy_from_slice(&self.keys.bits(number, purpose as u64).to_be_bytes());
        let millis = u64::try_from(at_us / 1_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }

    fn member(&self, number: u64, card: &SeededCard, values: &mut [Vec<Value>; TABLES.len()]) {
        let at = self.enrolled_at(number);
        let member = self.id(number, Purpose::Member, at);
        let [members, cards, lots, transfers, _, _] = &mut *values;
        let events = match (self.events, self.points) {
            (false, _) => 0,
            (true, 0) => 2,
            (true, _) => 3,
        };
        members.extend([
            Value::Id(member),
            Value::Text(self.member_no(number).into()),
            Value::Int(at),
            text("active"),
            text("regular"),
            Value::Int(self.points),
            Value::Int(0),
            Value::Int(0),
            Value::Int(0),
            Value::Int(0),
            Value::Int(events),
            Value::Null,
        ]);
        cards.extend([
            Value::Int(card.card_id),
            Value::Id(member),
            Value::Bytes(card.public_key.to_vec()),
            Value::Int(at),
            text("active"),
            Value::Null,
        ]);
        if self.points > 0 {
            self.points(number, member, at, lots, transfers);
        }
        if self.events {
            self.events(number, member, card, values);
        }
    }

    fn points(
        &self,
        number: u64,
        member: Uuid,
        at: i64,
        lots: &mut Vec<Value>,
        transfers: &mut Vec<Value>,
    ) {
        let (lot, adjustment) = (
            self.id(number, Purpose::Lot, at),
            self.id(number, Purpose::Adjustment, at),
        );
        lots.extend([
            Value::Id(lot),
            Value::Id(member),
            text("base"),
            text("never"),
            text("programme"),
            text("{}"),
            Value::Int(at),
            Value::Text(format!("adjustment:{adjustment}").into()),
            Value::Int(self.programme_version),
            Value::Null,
            Value::Int(self.points),
            Value::Int(self.points),
            Value::Int(0),
            Value::Int(0),
        ]);
        transfers.extend([
            Value::Id(member),
            Value::Id(self.id(number, Purpose::Transfer, at)),
            Value::Id(lot),
            text("programme.issued"),
            text("member.available"),
            Value::Int(self.points),
            text("adjustment"),
            Value::Id(adjustment),
            Value::Null,
            Value::Text(day(at).into()),
            Value::Int(at),
        ]);
    }

    fn events(
        &self,
        number: u64,
        member: Uuid,
        card: &SeededCard,
        values: &mut [Vec<Value>; TABLES.len()],
    ) {
        let at = self.enrolled_at(number);
        let adjustment = self.id(number, Purpose::Adjustment, at);
        let card_id = data_encoding::HEXLOWER.encode(&card.card_id.to_be_bytes());
        let (points, nothing) = (balance(self.points), balance(0));
        let told = [
            (
                Purpose::MemberEnrolled,
                "member.enrolled",
                format!(r#"{{"balance":{nothing},"member_id":"{member}","rank":"regular"}}"#),
            ),
            (
                Purpose::CardEnrolled,
                "card.enrolled",
                format!(r#"{{"balance":{nothing},"card_id":"{card_id}","member_id":"{member}"}}"#),
            ),
            (
                Purpose::PointsAdjusted,
                "points.adjusted",
                format!(
                    r#"{{"actor":"loadtest","adjustment_id":"{adjustment}","balance":{points},"class":"base","direction":"grant","member_id":"{member}","points":{},"reason":"load test"}}"#,
                    self.points
                ),
            ),
        ];
        let many = if self.points > 0 { 3 } else { 2 };
        let first = i64::try_from(number)
            .unwrap_or(i64::MAX)
            .saturating_mul(many)
            .saturating_add(self.stream_sequence);
        let [_, _, _, _, events, stream] = values;
        for (sequence, (purpose, kind, data)) in (1..=many).zip(told) {
            let id = Value::Id(self.id(number, purpose, at));
            events.extend([
                id.clone(),
                Value::Id(member),
                Value::Int(sequence),
                text(kind),
                Value::Text(format!("member/{member}").into()),
                Value::Int(at),
                Value::Text(data.into()),
            ]);
            stream.extend([
                Value::Int(first.saturating_add(sequence)),
                id,
                Value::Id(member),
            ]);
        }
    }

    /// Member numbers of one text follow each other, from a place that the text decides.
    fn member_no(&self, number: u64) -> String {
        let number = (self.keys.word() % MEMBER_NUMBERS + number) % MEMBER_NUMBERS;
        let digits = format!("{number:011}");
        let check = luhn(&digits);
        format!("{digits}{check}")
    }
}

fn balance(available: i64) -> String {
    format!(r#"{{"available":{available},"held":0,"owed":0,"pending":0}}"#)
}

fn text(text: &'static str) -> Value {
    Value::Text(Cow::Borrowed(text))
}

fn day(at_us: i64) -> String {
    let at = Timestamp::from_microsecond(at_us).unwrap_or(Timestamp::UNIX_EPOCH);
    TOKYO.to_datetime(at).date().to_string()
}

/// The check digit of ISO/IEC 7812-1.
fn luhn(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit.saturating_sub(b'0'));
            match place % 2 {
                0 => digit * 2 / 10 + digit * 2 % 10,
                _ => digit,
            }
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn seeding(points: i64, events: bool) -> Seeding {
        Seeding {
            keys: Keys::of("rows"),
            members: 1_000,
            points,
            from_us: 1_600_000_000_000_000,
            until_us: 1_700_000_000_000_000,
            programme_version: 3,
            events,
            stream_sequence: 40,
        }
    }

    #[test]
    fn every_row_is_whole() {
        for (points, events, rows) in [
            (5, true, [1, 1, 1, 1, 3, 3]),
            (0, true, [1, 1, 0, 0, 2, 2]),
            (5, false, [1, 1, 1, 1, 0, 0]),
        ] {
            let chunk = seeding(points, events).chunk(0..7);
            assert_eq!(chunk.members, 7);
            for ((table, values), rows) in TABLES.iter().zip(&chunk.values).zip(rows) {
                assert_eq!(values.len(), 7 * rows * table.columns.len(), "{table:?}");
            }
        }
    }

    #[test]
    fn chunks_make_the_same_rows_wherever_they_are_cut() {
        let seeding = seeding(5, true);
        let (whole, mut parts) = (seeding.chunk(0..9), seeding.chunk(0..4));
        let rest = seeding.chunk(4..9);
        parts.members += rest.members;
        for (part, rest) in parts.values.iter_mut().zip(rest.values) {
            part.extend(rest);
        }
        assert_eq!(whole, parts);
    }

    #[test]
    fn ids_are_in_the_order_of_time_and_none_comes_twice() {
        let chunk = seeding(5, true).chunk(0..1_000);
        let ids = |table: usize, column: usize| -> Vec<Uuid> {
            let width = TABLES[table].columns.len();
            let rows = chunk.values[table].chunks(width);
            rows.map(|row| match &row[column] {
                Value::Id(id) => *id,
                other => panic!("{other:?}"),
            })
            .collect()
        };
        for (table, column, count) in [(0, 0, 1_000), (2, 0, 1_000), (3, 1, 1_000), (4, 0, 3_000)] {
            let ids = ids(table, column);
            assert!(ids.is_sorted(), "{}", TABLES[table].name);
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), count);
            assert!(ids.iter().all(|id| id.get_version_num() == 7));
        }
    }

    #[test]
    fn places_in_the_stream_follow_each_other() {
        let chunk = seeding(5, true).chunk(1..3);
        let places: Vec<_> = chunk.values[5]
            .chunks(3)
            .map(|row| row[0].clone())
            .collect();
        let expected: Vec<_> = (44..50).map(Value::Int).collect();
        assert_eq!(places, expected);
    }

    #[test]
    fn check_digits_are_those_of_the_standard() {
        for (digits, check) in [("7992739871", 3), ("00000000000", 0), ("00000000001", 8)] {
            assert_eq!(luhn(digits), check, "{digits}");
        }
    }

    #[test]
    fn a_day_is_that_of_tokyo() {
        assert_eq!(day(1_767_193_199_999_999), "2025-12-31");
        assert_eq!(day(1_767_193_200_000_000), "2026-01-01");
    }
}
