//! Lots: points of one member that share class, expiry, funding and scope.
//!
//! Lots with the same key merge, so a member's open lots are bounded by the calendar and the
//! classes, not by the number of purchases. Spending takes the soonest expiry first, then the
//! oldest; what does not expire goes last.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use pos_protocol::{LotId, MemberId, PendingId, Points, PurchaseId, Receipt, StoreId};
use serde::{Deserialize, Serialize};

use crate::{
    account::words,
    calendar,
    programme::{Expiry, Programme},
};

words! {
    /// How a lot's last day comes about.
    LotExpiry {
        /// It has none.
        Never = "never",
        /// Set at the grant.
        Fixed = "fixed",
        /// Moves with the member's purchases.
        Activity = "activity",
    }
}

/// Where the points of a lot may be spent. Empty sets do not limit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Scope {
    /// Only at these stores.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub stores: BTreeSet<StoreId>,
    /// Only for goods of these categories.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub categories: BTreeSet<String>,
}

/// What makes two grants one lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotKey {
    /// Class of the programme.
    pub class: String,
    /// How the last day comes about.
    pub expiry: LotExpiry,
    /// The last day they can be spent.
    pub expires_on: Option<Date>,
    /// Who pays for the points.
    pub funding: String,
    /// Where they may be spent.
    pub scope: Scope,
    /// The lot of another record of the same person that these points come from. Such a lot holds what
    /// a basket took from there; what is not spent goes back at once.
    pub lender: Option<Lender>,
}

/// A lot of another record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lender {
    /// Whose.
    pub member_id: MemberId,
    /// The lot.
    pub lot_id: LotId,
}

impl LotKey {
    /// The key of points of `class` granted on `day`; `None` if the programme has no such class.
    #[must_use]
    pub fn granted(programme: &Programme, class: &str, day: Date, scope: Scope) -> Option<Self> {
        let rule = programme.classes.get(class)?.expiry;
        let expiry = match rule {
            Expiry::Never => LotExpiry::Never,
            Expiry::Fixed { .. } => LotExpiry::Fixed,
            Expiry::Activity { .. } => LotExpiry::Activity,
        };
        let expires_on = calendar::last_day(rule, day);
        Some(Self {
            class: class.to_owned(),
            expiry,
            expires_on,
            funding: FUNDED_BY_PROGRAMME.to_owned(),
            scope,
            lender: None,
        })
    }
}

/// Open lots at which staff can grant a member no further one. Purchases open at most one a day.
pub const LOTS_PER_MEMBER_MAX: usize = 1_000;
/// Points paid for by the programme itself.
pub const FUNDED_BY_PROGRAMME: &str = "programme";

/// A lot. `granted` grows with every grant; `available`, `held` and `pending` follow the transfers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// The lot.
    pub id: LotId,
    /// Whose.
    pub member_id: MemberId,
    /// What its points have in common.
    pub key: LotKey,
    /// All that was ever granted into it.
    pub granted: Points,
    /// Spendable now.
    pub available: Points,
    /// Promised to open baskets.
    pub held: Points,
    /// Not yet spendable.
    pub pending: Points,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// What opened it, for example `purchase:0198…` or `adjustment:0198…`.
    pub origin: String,
    /// The programme version that opened it.
    pub programme_version: i64,
}

impl Lot {
    /// Whether any points are in it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !(self.available.is_zero() && self.held.is_zero() && self.pending.is_zero())
    }

    /// Whether its last day lies before `today`.
    #[must_use]
    pub fn is_expired(&self, today: Date) -> bool {
        self.key.expires_on.is_some_and(|last| last < today)
    }
}

/// Points of one lot, as part of a hold or a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The lot.
    pub lot_id: LotId,
    /// How many of its points.
    pub points: Points,
}

/// A grant of pending points: part of a lot, not spendable until it matures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The grant.
    pub id: PendingId,
    /// Whose.
    pub member_id: MemberId,
    /// The lot its points lie in.
    pub lot_id: LotId,
    /// The purchase that earned it.
    pub purchase_id: PurchaseId,
    /// Points still pending.
    pub points: Points,
    /// First day they can be spent; `None` until an act releases them.
    pub matures_on: Option<Date>,
}

/// Where points are about to be spent.
#[derive(Debug, Clone)]
pub struct Spending<'a> {
    store: &'a StoreId,
    /// Yen left per category, where the receipt is known.
    by_category: Option<BTreeMap<&'a str, i64>>,
    yen_per_point: i64,
}

impl<'a> Spending<'a> {
    /// Spending at `store`; lots limited to categories need the receipt, without it they stay shut.
    #[must_use]
    pub fn at(programme: &Programme, store: &'a StoreId, receipt: Option<&'a Receipt>) -> Self {
        let by_category = receipt.map(|receipt| {
            let mut yen = BTreeMap::<&str, i64>::new();
            for line in &receipt.lines {
                let sum = yen.entry(&line.category).or_default();
                *sum = sum.saturating_add(line.amount.get());
            }
            yen
        });
        Self {
            store,
            by_category,
            yen_per_point: i64::from(programme.yen_per_point.get()),
        }
    }

    /// How many of `points` a lot of this scope may pay; takes the categories' yen it uses.
    fn take(&mut self, scope: &Scope, points: Points) -> Points {
        if !scope.stores.is_empty() && !scope.stores.contains(self.store) {
            return Points::ZERO;
        }
        if scope.categories.is_empty() {
            return points;
        }
        let Some(by_category) = &mut self.by_category else {
            return Points::ZERO;
        };
        let mut left = points;
        for category in &scope.categories {
            let Some(yen) = by_category.get_mut(category.as_str()) else {
                continue;
            };
            let payable = Points::new(yen.checked_div(self.yen_per_point).unwrap_or(0))
                .unwrap_or(Points::ZERO);
            let taken = left.min(payable);
            *yen = yen.saturating_sub(taken.get().saturating_mul(self.yen_per_point));
            left = left.saturating_sub(taken);
        }
        points.saturating_sub(left)
    }
}

/// The parts that pay `wanted` points, soonest expiry first; fewer if the lots do not hold enough.
#[must_use]
pub fn select<'a>(
    lots: impl Iterator<Item = &'a Lot>,
    mut spending: Spending<'_>,
    today: Date,
    wanted: Points,
) -> Vec<Part> {
    pick(lots, today, wanted, |scope, points| {
        spending.take(scope, points)
    })
}

fn pick<'a>(
    lots: impl Iterator<Item = &'a Lot>,
    today: Date,
    wanted: Points,
    mut take: impl FnMut(&Scope, Points) -> Points,
) -> Vec<Part> {
    let mut open: Vec<&Lot> = lots
        .filter(|lot| !lot.available.is_zero() && !lot.is_expired(today))
        .collect();
    open.sort_by_key(|lot| {
        (
            lot.key.expires_on.unwrap_or(Date::MAX),
            lot.opened_at,
            lot.id,
        )
    });
    let mut left = wanted;
    let mut parts = Vec::new();
    for lot in open {
        let points = take(&lot.key.scope, lot.available.min(left));
        if !points.is_zero() {
            left = left.saturating_sub(points);
            parts.push(Part {
                lot_id: lot.id,
                points,
            });
        }
    }
    parts
}

/// As [`select`], from lots of any scope: what staff takes is not spent anywhere.
#[must_use]
pub fn select_any<'a>(
    lots: impl Iterator<Item = &'a Lot>,
    today: Date,
    wanted: Points,
) -> Vec<Part> {
    pick(lots, today, wanted, |_, points| points)
}

/// The points of all parts.
#[must_use]
pub fn sum(parts: &[Part]) -> Points {
    Points::total(parts.iter().map(|part| part.points))
}

/// The first `points` of `parts`, and the rest.
#[must_use]
pub fn split(parts: &[Part], points: Points) -> (Vec<Part>, Vec<Part>) {
    let (mut head, mut tail, mut left) = (Vec::new(), Vec::new(), points);
    for part in parts {
        let taken = part.points.min(left);
        left = left.saturating_sub(taken);
        let rest = part.points.saturating_sub(taken);
        for (side, points) in [(&mut head, taken), (&mut tail, rest)] {
            if !points.is_zero() {
                side.push(Part {
                    lot_id: part.lot_id,
                    points,
                });
            }
        }
    }
    (head, tail)
}
