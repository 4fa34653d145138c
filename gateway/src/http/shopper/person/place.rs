//! How far a stream of a person's events has come: a number for each of its records.
//!
//! Each record counts its own events without gaps. A position says the number of the asking card's own
//! record, then those of the others: `12`, or `12,<record>=7`. So a phone whose member was never merged
//! sees plain numbers. A record that a position does not name begins at its newest event.

use std::{collections::BTreeMap, fmt, str::FromStr};

use ledger::member::Member;
use pos_protocol::MemberId;

/// Records that a position may name; a person has no more.
const RECORDS_MAX: usize = 32;

/// A number for each record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Places {
    own: MemberId,
    by_record: BTreeMap<MemberId, i64>,
}

/// What a phone says of an earlier stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Seen {
    own: i64,
    others: BTreeMap<MemberId, i64>,
}

/// A text is no position of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct NoPosition;

impl Places {
    /// Where the records are now.
    pub(in super::super) fn newest<'a>(
        own: MemberId,
        records: impl IntoIterator<Item = &'a Member>,
    ) -> Self {
        let records = records.into_iter();
        Self {
            own,
            by_record: records
                .map(|record| (record.id, record.event_sequence))
                .collect(),
        }
    }

    /// Back to where an earlier stream had come. A number that is not there yet is of another gateway's
    /// making or a guess; it counts as the newest.
    pub(in super::super) fn back_to(&mut self, seen: &Seen) {
        for (record, place) in &mut self.by_record {
            let seen = if *record == self.own {
                Some(&seen.own)
            } else {
                seen.others.get(record)
            };
            if let Some(seen) = seen.filter(|seen| *seen <= place) {
                *place = *seen;
            }
        }
    }

    /// Takes up the records that the person has now: those known stay where they are, new ones begin at
    /// their newest event, and parted ones go.
    pub(in super::super) fn regroup<'a>(&mut self, records: impl IntoIterator<Item = &'a Member>) {
        let now = Self::newest(self.own, records);
        let mut known = std::mem::replace(&mut self.by_record, now.by_record);
        for (record, place) in &mut self.by_record {
            if let Some(known) = known.remove(record) {
                *place = known;
            }
        }
    }

    /// Every record with its number.
    pub(in super::super) fn iter(&self) -> impl Iterator<Item = (MemberId, i64)> + '_ {
        self.by_record
            .iter()
            .map(|(record, place)| (*record, *place))
    }

    /// Goes on to an event of a record.
    pub(in super::super) fn advance(&mut self, record: MemberId, sequence: i64) {
        if let Some(place) = self.by_record.get_mut(&record) {
            *place = sequence.max(*place);
        }
    }

    /// The number of the asking card's own record.
    pub(in super::super) fn own(&self) -> i64 {
        self.by_record.get(&self.own).copied().unwrap_or(0)
    }
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.own())?;
        let others = self.iter().filter(|(record, _)| *record != self.own);
        others
            .into_iter()
            .try_for_each(|(record, place)| write!(f, ",{record}={place}"))
    }
}

impl FromStr for Seen {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let number = |text: &str| text.parse().ok().filter(|number: &i64| *number >= 0);
        let mut parts = text.split(',');
        let own = parts.next().and_then(number).ok_or(NoPosition)?;
        let mut others = BTreeMap::new();
        for part in parts {
            let (record, place) = part.split_once('=').ok_or(NoPosition)?;
            let record = record.parse().map_err(|_| NoPosition)?;
            others.insert(record, number(place).ok_or(NoPosition)?);
            if others.len() > RECORDS_MAX {
                return Err(NoPosition);
            }
        }
        Ok(Self { own, others })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use ledger::member::MemberNo;
    use uuid::Uuid;

    fn record(id: u128, sequence: i64) -> Member {
        let id = MemberId::new(Uuid::from_u128(id));
        let mut member = Member::new(id, MemberNo::from_seed(1), "regular", Timestamp::UNIX_EPOCH);
        member.event_sequence = sequence;
        member
    }

    #[test]
    fn one_record_is_a_plain_number() {
        let one = record(1, 12);
        let places = Places::newest(one.id, [&one]);
        assert_eq!(places.to_string(), "12");
        assert_eq!("12".parse::<Seen>().unwrap().own, 12);
    }

    #[test]
    fn what_is_written_is_read() {
        let (one, two) = (record(1, 12), record(2, 7));
        let places = Places::newest(one.id, [&one, &two]);
        assert_eq!(places.to_string(), format!("12,{}=7", two.id));
        let seen: Seen = format!("10,{}=3", two.id).parse().unwrap();
        let mut back = places;
        back.back_to(&seen);
        assert_eq!(back.to_string(), format!("10,{}=3", two.id));
        for wrong in ["", "x", "-1", "1,", "1,x=2", "1,2", "1 "] {
            assert_eq!(wrong.parse::<Seen>(), Err(NoPosition), "{wrong:?}");
        }
    }

    #[test]
    fn what_was_not_seen_begins_at_its_newest_and_nothing_lies_ahead() {
        let (one, two) = (record(1, 12), record(2, 7));
        let mut places = Places::newest(one.id, [&one, &two]);
        places.back_to(&"99".parse().unwrap());
        assert_eq!(places.to_string(), format!("12,{}=7", two.id));
        places.back_to(&"9".parse().unwrap());
        assert_eq!(places.own(), 9);
        let three = record(3, 5);
        places.regroup([&one, &three]);
        assert_eq!(places.to_string(), format!("9,{}=5", three.id));
        places.advance(two.id, 8);
        places.advance(three.id, 6);
        assert_eq!(places.to_string(), format!("9,{}=6", three.id));
    }
}
