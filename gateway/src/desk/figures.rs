//! Figures that people look at: what the sums of the store mean, as tables.
//!
//! Each figure is a table with named columns, so that it is the same as JSON and as CSV. What each counts is
//! told in `docs/console.md`.

mod csv;
mod periods;

pub(crate) use csv::to_csv;
pub(crate) use periods::Range;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};
use ledger::account::{Account, Motive};
use serde_json::Value;

use crate::store::{MovedRow, Period, Store, StoreError};

/// A day far before any programme.
const EVER: jiff::civil::Date = jiff::civil::date(1, 1, 1);
/// Ages of lots that are told apart: from, to, name.
const AGES: [(i64, i64, &str); 5] = [
    (0, 30, "0-30"),
    (31, 90, "31-90"),
    (91, 180, "91-180"),
    (181, 365, "181-365"),
    (366, i64::MAX, "366-"),
];

/// What can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Figure {
    Members,
    Activity,
    Points,
    Liability,
    LiabilityAge,
    Channels,
    Redemption,
}

impl Figure {
    pub(crate) const ALL: [Self; 7] = [
        Self::Members,
        Self::Activity,
        Self::Points,
        Self::Liability,
        Self::LiabilityAge,
        Self::Channels,
        Self::Redemption,
    ];

    /// Its word in paths, and its heading in the document.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Activity => "activity",
            Self::Points => "points",
            Self::Liability => "liability",
            Self::LiabilityAge => "liability-age",
            Self::Channels => "channels",
            Self::Redemption => "redemption",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.word() == word)
    }

    /// Name and kind of each column.
    pub(crate) const fn columns(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Members => &[
                ("period", "period"),
                ("channel", "text"),
                ("place", "text"),
                ("place_name", "text"),
                ("new_members", "count"),
                ("members", "count"),
            ],
            Self::Activity => &[
                ("period", "period"),
                ("channel", "text"),
                ("place", "text"),
                ("place_name", "text"),
                ("members", "count"),
                ("purchases", "count"),
                ("yen", "yen"),
            ],
            Self::Points => &[
                ("period", "period"),
                ("granted", "points"),
                ("used", "points"),
                ("expired", "points"),
                ("clawed_back", "points"),
                ("taken", "points"),
                ("outstanding_change", "points"),
            ],
            Self::Liability => &[("expires_in", "text"), ("points", "points")],
            Self::LiabilityAge => &[("age", "text"), ("points", "points")],
            Self::Channels => &[
                ("first_channel", "text"),
                ("first_place", "text"),
                ("channel", "text"),
                ("place", "text"),
                ("members", "count"),
                ("purchases", "count"),
                ("yen", "yen"),
                ("earned", "points"),
                ("redeemed", "points"),
            ],
            Self::Redemption => &[
                ("period", "period"),
                ("granted", "points"),
                ("used", "points"),
                ("rate", "rate"),
                ("granted_total", "points"),
                ("used_total", "points"),
                ("total_rate", "rate"),
            ],
        }
    }
}

/// A row of a figure, a cell for each column.
pub(crate) type Row = Vec<Value>;

/// The rows of a figure as they are now.
pub(crate) async fn rows(
    store: &Store,
    figure: Figure,
    range: &Range,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Vec<Row>, StoreError> {
    match figure {
        Figure::Members => members(store, range, zone, now).await,
        Figure::Activity => activity(store, range).await,
        Figure::Points => points(store, range).await,
        Figure::Liability => {
            let rows = store.held_by_expiry().await?.into_iter();
            Ok(rows
                .map(|(month, points)| vec![month.into(), points.into()])
                .collect())
        }
        Figure::LiabilityAge => liability_age(store, now).await,
        Figure::Channels => channels(store).await,
        Figure::Redemption => redemption(store, range).await,
    }
}

/// What people call each store and shop.
async fn names(store: &Store) -> Result<BTreeMap<(String, String), String>, StoreError> {
    let stores = store.list_stores().await?.into_iter();
    let stores = stores.map(|row| (("store".to_owned(), row.id.to_string()), row.name));
    let shops = store.list_shops().await?.into_iter();
    let shops = shops.map(|row| (("shop".to_owned(), row.id.to_string()), row.name));
    Ok(stores.chain(shops).collect())
}

async fn members(
    store: &Store,
    range: &Range,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Vec<Row>, StoreError> {
    let ahead = i64::from(zone.to_offset(now).seconds()).saturating_mul(1_000_000);
    let names = names(store).await?;
    let mut came = BTreeMap::<(String, String), BTreeMap<String, i64>>::new();
    for row in store.reached(ahead).await? {
        let period = range.period_of_day(row.day);
        let place = came.entry((row.channel, row.place)).or_default();
        let count = place.entry(period).or_default();
        *count = count.saturating_add(row.members);
    }
    let mut rows = Vec::new();
    for period in range.periods() {
        for (place, by_period) in &came {
            let until = by_period.range(..=period.clone());
            let members: i64 = until.map(|(_, count)| *count).sum();
            if members == 0 {
                continue;
            }
            let new = by_period.get(&period).copied().unwrap_or_default();
            rows.push(vec![
                period.clone().into(),
                place.0.clone().into(),
                place.1.clone().into(),
                names.get(place).cloned().unwrap_or_default().into(),
                new.into(),
                members.into(),
            ]);
        }
    }
    Ok(rows)
}

async fn activity(store: &Store, range: &Range) -> Result<Vec<Row>, StoreError> {
    let names = names(store).await?;
    let rows = store.activity(range.by, range.from, range.to).await?;
    let row = |row: crate::store::ActivityRow| {
        let place = (row.channel, row.place);
        let name = names.get(&place).cloned().unwrap_or_default();
        vec![
            row.period.into(),
            place.0.into(),
            place.1.into(),
            name.into(),
            row.members.into(),
            row.purchases.into(),
            row.yen.into(),
        ]
    };
    Ok(rows.into_iter().map(row).collect())
}

/// What became of points within a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Moved {
    granted: i64,
    used: i64,
    expired: i64,
    clawed_back: i64,
    taken: i64,
}

impl Moved {
    /// What members have more than before.
    fn change(self) -> i64 {
        let less = [self.used, self.expired, self.clawed_back, self.taken];
        less.into_iter().fold(self.granted, i64::saturating_sub)
    }

    fn add(&mut self, row: &MovedRow) {
        let points = row.points;
        let (other, sign) = match (is_members(row.debit), is_members(row.credit)) {
            (true, false) => (row.credit, 1),
            (false, true) => (row.debit, -1),
            // Within what members have, or nothing of theirs.
            _ => return,
        };
        let (sum, signed) = match other {
            Account::ProgrammeIssued if sign < 0 => (&mut self.granted, points),
            Account::ProgrammeIssued if row.motive == Motive::Adjustment => {
                (&mut self.taken, points)
            }
            Account::ProgrammeIssued => (&mut self.clawed_back, points),
            Account::ProgrammeBreakage => (&mut self.expired, points.saturating_mul(sign)),
            _ => (&mut self.used, points.saturating_mul(sign)),
        };
        *sum = sum.saturating_add(signed);
    }
}

/// A debt counts against what members have; what is on its way between records of a person is theirs.
fn is_members(account: Account) -> bool {
    use Account::{MemberAvailable, MemberHeld, MemberOwed, MemberPending, ProgrammeClearing};
    matches!(
        account,
        MemberAvailable | MemberHeld | MemberPending | MemberOwed | ProgrammeClearing
    )
}

fn by_period(rows: &[MovedRow]) -> BTreeMap<&str, Moved> {
    let mut sums = BTreeMap::<&str, Moved>::new();
    for row in rows {
        sums.entry(&row.period).or_default().add(row);
    }
    sums
}

async fn points(store: &Store, range: &Range) -> Result<Vec<Row>, StoreError> {
    let moved = store.moved(range.by, range.from, range.to).await?;
    let sums = by_period(&moved);
    let row = |period: String| {
        let sum = sums.get(period.as_str()).copied().unwrap_or_default();
        let Moved {
            granted,
            used,
            expired,
            clawed_back,
            taken,
        } = sum;
        let mut row: Row = vec![period.into()];
        let all = [granted, used, expired, clawed_back, taken, sum.change()];
        row.extend(all.map(Value::from));
        row
    };
    Ok(range.periods().into_iter().map(row).collect())
}

async fn redemption(store: &Store, range: &Range) -> Result<Vec<Row>, StoreError> {
    let ever = store.moved(Period::Day, EVER, range.to).await?;
    let mut before = Moved::default();
    let mut within = BTreeMap::<String, Moved>::new();
    for row in &ever {
        match range.period_of(&row.period) {
            Some(period) => within.entry(period).or_default().add(row),
            None => before.add(row),
        }
    }
    let (mut granted, mut used) = (before.granted, before.used);
    let mut rows = Vec::new();
    for period in range.periods() {
        let sum = within.get(&period).copied().unwrap_or_default();
        granted = granted.saturating_add(sum.granted);
        used = used.saturating_add(sum.used);
        rows.push(vec![
            period.into(),
            sum.granted.into(),
            sum.used.into(),
            rate(sum.used, sum.granted),
            granted.into(),
            used.into(),
            rate(used, granted),
        ]);
    }
    Ok(rows)
}

/// `part` of `whole` with four decimals; null where nothing divides.
fn rate(part: i64, whole: i64) -> Value {
    let scaled = part.saturating_mul(10_000).checked_div(whole);
    let Some(scaled) = scaled.filter(|_| whole > 0) else {
        return Value::Null;
    };
    let sign = if scaled < 0 { "-" } else { "" };
    let (ones, rest) = (
        scaled.unsigned_abs() / 10_000,
        scaled.unsigned_abs() % 10_000,
    );
    // Written in decimals, so that no rounding of a float shows.
    let text = format!("{sign}{ones}.{rest:04}");
    text.parse::<f64>().map_or(Value::Null, Value::from)
}

async fn liability_age(store: &Store, now: Timestamp) -> Result<Vec<Row>, StoreError> {
    let held = store.held_by_age(now).await?;
    let row = |(from, to, name): (i64, i64, &str)| {
        let own = held
            .iter()
            .filter(|(days, _)| (from..=to).contains(&(*days).max(0)));
        let points = own.fold(0_i64, |sum, (_, points)| sum.saturating_add(*points));
        vec![name.into(), points.into()]
    };
    Ok(AGES.into_iter().map(row).collect())
}

async fn channels(store: &Store) -> Result<Vec<Row>, StoreError> {
    let rows = store.channels(None).await?.into_iter();
    let rows: BTreeSet<_> = rows
        .map(|row| {
            let text = [row.first_channel, row.first_place, row.channel, row.place];
            let sums = [
                row.members,
                row.purchases,
                row.yen,
                row.earned,
                row.redeemed,
            ];
            (text, sums)
        })
        .collect();
    let row = |(text, sums): ([String; 4], [i64; 5])| {
        let text = text.into_iter().map(Value::from);
        text.chain(sums.into_iter().map(Value::from)).collect()
    };
    Ok(rows.into_iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_told_apart_and_explained() {
        let document = include_str!("../../../docs/console.md");
        for figure in Figure::ALL {
            assert_eq!(Figure::from_word(figure.word()), Some(figure));
            let heading = format!("\n### {}\n", figure.word());
            let told = document.split(&heading).nth(1).unwrap_or_default();
            let told = told.split("\n#").next().unwrap_or_default();
            for (column, _) in figure.columns() {
                assert!(told.contains(&format!("`{column}`")), "{figure:?} {column}");
            }
        }
    }

    #[test]
    fn points_are_counted_by_where_they_came_from_and_went() {
        use Account::*;
        let rows = [
            (ProgrammeIssued, MemberAvailable, Motive::Accrual, 100),
            (ProgrammeIssued, MemberAvailable, Motive::Adjustment, 50),
            (MemberHeld, StoreRedeemed, Motive::Capture, 30),
            (StoreRedeemed, MemberAvailable, Motive::Restoration, 10),
            (MemberAvailable, ProgrammeBreakage, Motive::Expiry, 5),
            (MemberAvailable, ProgrammeIssued, Motive::Clawback, 7),
            (MemberOwed, ProgrammeIssued, Motive::Clawback, 3),
            (MemberAvailable, ProgrammeIssued, Motive::Adjustment, 4),
            (MemberAvailable, MemberOwed, Motive::DebtSettlement, 3),
            (StoreShortfall, StoreRedeemed, Motive::Shortfall, 9),
        ];
        let mut sum = Moved::default();
        for (debit, credit, motive, points) in rows {
            sum.add(&MovedRow {
                period: "2026-11".into(),
                debit,
                credit,
                motive,
                points,
            });
        }
        let expected = Moved {
            granted: 150,
            used: 20,
            expired: 5,
            clawed_back: 10,
            taken: 4,
        };
        assert_eq!((sum, sum.change()), (expected, 111));
    }

    #[test]
    fn a_rate_divides_by_something() {
        assert_eq!(rate(1, 3), Value::from(0.3333));
        assert_eq!(rate(0, 3), Value::from(0.0));
        assert_eq!(rate(3, 0), Value::Null);
    }
}
