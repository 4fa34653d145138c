//! Reading what a batch of commands may read.
//!
//! What is named by key, following from row to row until nothing is added; and for each member its open
//! lots, and, only where the member's own row says there are any, its pending grants and those of its
//! holds that can matter. What can be asked for at the same time is one round trip.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jiff::{Timestamp, civil::Date};
use ledger::{
    card_use::{CardUse, ShortCode},
    identity::{Identity, LinkCode, Verification},
    keys::Keys,
    lot::{Lot, Pending},
    member::{Card, Member},
    order::Order,
    profile::Profile,
    proposal::Proposal,
    records::{Authorization, Purchase, StoredRequest},
    state::{InForce, State},
};
use pos_protocol::{MemberId, Points, SettlementTotals, TerminalId, Yen};

use super::{
    StoreError,
    batch::Batch,
    connection::Connection,
    row::{Cell, FromRow, Reader, Row, cells},
    rows::{AUTHORIZATIONS, IDENTITIES, LOTS, ORDERS, PENDING},
    sql::{Cells, Sql},
    together::{Found, Reads},
};

static OPEN_LOTS: LazyLock<Sql> = LazyLock::new(|| {
    LOTS.select_asked(
        "WHERE member_id = ANY($1) AND is_open",
        1,
        "member_id = asked.column1 AND is_open",
    )
});
/// Open holds of members ($1) that run out by a time ($2, the same for each).
static HOLDS_UNTIL: LazyLock<Sql> = LazyLock::new(|| {
    AUTHORIZATIONS.select_asked(
        "WHERE member_id = ANY($1) AND state = 'held' AND expires_at <= ($2::bigint[])[1]",
        2,
        "member_id = asked.column1 AND state = 'held' AND expires_at <= asked.column2",
    )
});
static LOCK_ORDERS: LazyLock<Sql> = LazyLock::new(|| {
    ORDERS.select(
        "WHERE (shop_id, order_id) IN (SELECT unnest($1::text[]), unnest($2::text[])) \
         ORDER BY shop_id, order_id FOR UPDATE",
        "WHERE shop_id = $1 AND order_id = $2",
    )
});
/// All identities of members ($1).
static IDENTITIES_OF: LazyLock<Sql> = LazyLock::new(|| {
    IDENTITIES.select_asked("WHERE member_id = ANY($1)", 1, "member_id = asked.column1")
});
static OPEN_GRANTS: LazyLock<Sql> = LazyLock::new(|| {
    PENDING.select_asked(
        "WHERE member_id = ANY($1) AND points > 0",
        1,
        "member_id = asked.column1 AND points > 0",
    )
});

/// One terminal's day: purchases in the first four columns, refunds in the last three.
const TOTALS: Sql = Sql {
    postgres: "\
SELECT day.terminal_id, day.business_date,
    sold.purchases, sold.total, sold.redeemed, sold.earned, back.refunds, back.restored, back.clawed_back
FROM UNNEST($1::text[], $2::text[]) AS day (terminal_id, business_date),
LATERAL (
    SELECT count(*) AS purchases, CAST(coalesce(sum(total), 0) AS BIGINT) AS total,
        CAST(coalesce(sum(redeemed + shortfall), 0) AS BIGINT) AS redeemed,
        CAST(coalesce(sum(earned_points), 0) AS BIGINT) AS earned
    FROM purchases
    WHERE purchases.terminal_id = day.terminal_id AND purchases.business_date = day.business_date
) AS sold,
LATERAL (
    SELECT count(*) AS refunds, CAST(coalesce(sum(restored), 0) AS BIGINT) AS restored,
        CAST(coalesce(sum(clawed_back), 0) AS BIGINT) AS clawed_back
    FROM refunds
    WHERE refunds.terminal_id = day.terminal_id AND refunds.business_date = day.business_date
) AS back",
    sqlite: "\
SELECT $1, $2,
    sold.purchases, sold.total, sold.redeemed, sold.earned, back.refunds, back.restored, back.clawed_back
FROM (
    SELECT count(*) AS purchases, coalesce(sum(total), 0) AS total,
        coalesce(sum(redeemed + shortfall), 0) AS redeemed, coalesce(sum(earned_points), 0) AS earned
    FROM purchases WHERE terminal_id = $1 AND business_date = $2
) AS sold,
(
    SELECT count(*) AS refunds, coalesce(sum(restored), 0) AS restored,
        coalesce(sum(clawed_back), 0) AS clawed_back
    FROM refunds WHERE terminal_id = $1 AND business_date = $2
) AS back",
};

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![
        *OPEN_LOTS,
        *HOLDS_UNTIL,
        *LOCK_ORDERS,
        *IDENTITIES_OF,
        *OPEN_GRANTS,
        TOTALS,
    ]
}

struct DayTotals {
    key: (TerminalId, Date),
    totals: SettlementTotals,
}

impl FromRow for DayTotals {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        // The ledger holds its sums at the largest amount.
        let yen = |sum: i64| Yen::new(sum.min(Yen::MAX.get())).unwrap_or_default();
        let points = |sum: i64| Points::new(sum.min(Points::MAX.get())).unwrap_or_default();
        Ok(Self {
            key: (row.get()?, row.get()?),
            totals: SettlementTotals {
                purchases: row.get()?,
                purchase_total: yen(row.get()?),
                points_redeemed: points(row.get()?),
                points_earned: points(row.get()?),
                refunds: row.get()?,
                points_restored: points(row.get()?),
                points_clawed_back: points(row.get()?),
            },
        })
    }
}

impl Batch {
    /// Reads all that the commands behind `keys` may read. `keys` grows by what the rows lead to.
    ///
    /// Look at [`unlocked`](Self::unlocked) afterwards.
    ///
    /// # Errors
    /// [`StoreError::NoProgramme`] before the first programme was applied; otherwise as any read.
    pub async fn load(&mut self, keys: &mut Keys) -> Result<State, StoreError> {
        self.load_or(keys, None).await
    }

    /// The same, deciding by `fallback` where no programme was ever applied: for the command that
    /// applies the first.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn load_or(
        &mut self,
        keys: &mut Keys,
        fallback: Option<InForce>,
    ) -> Result<State, StoreError> {
        let mut state = State::new(self.in_force(fallback).await?);
        self.lock_orders(keys).await?;
        state.members = std::mem::take(&mut self.members);
        let mut asked = Asked::default();
        loop {
            let reads = asked.next(&state, keys);
            if reads.is_empty() {
                break;
            }
            let found = self.connection.fetch_together(&reads).await?;
            put(&mut state, &found)?;
            keys.follow(&state);
        }
        load_totals(&mut self.connection, &mut state, keys).await?;
        Ok(state)
    }
}

impl Batch {
    /// Locks orders that are there already: one that nobody was named for has no member to lock. After the
    /// members, and in order of their keys.
    async fn lock_orders(&mut self, keys: &Keys) -> Result<(), StoreError> {
        if keys.orders.is_empty() || !self.connection.is_postgres() {
            return Ok(());
        }
        let wanted = pair_cells(keys.orders.iter().collect());
        let _: Vec<Order> = self.connection.fetch_each(*LOCK_ORDERS, &wanted).await?;
        Ok(())
    }
}

/// What was asked for already.
#[derive(Debug, Default)]
struct Asked {
    keys: Keys,
    /// Members whose lots, grants and due holds were.
    members: BTreeSet<MemberId>,
    /// Members whose holds all were.
    holders: BTreeSet<MemberId>,
}

impl Asked {
    /// Asks for what `keys` names and for what belongs to the members that are known by now.
    fn next<'a>(&mut self, state: &'a State, keys: &'a Keys) -> Reads<'a> {
        let had = &self.keys;
        let mut reads = Reads::default();
        let wanted = fresh(&keys.requests, &had.requests);
        reads.add_by_key::<StoredRequest, 2>(pair_cells(wanted));
        reads.add_by_key::<Card, 1>([cells(fresh(&keys.cards, &had.cards))]);
        let wanted = fresh(&keys.card_uses, &had.card_uses);
        reads.add_by_key::<CardUse, 2>(pair_cells(wanted));
        let wanted = fresh(&keys.short_codes, &had.short_codes);
        reads.add_by_key::<ShortCode, 1>([cells(wanted)]);
        let wanted = fresh(&keys.authorizations, &had.authorizations);
        reads.add_by_key::<Authorization, 1>([cells(wanted)]);
        let wanted = fresh(&keys.purchases, &had.purchases);
        reads.add_by_key::<Purchase, 1>([cells(wanted)]);
        reads.add_by_key::<Lot, 1>([cells(fresh(&keys.lots, &had.lots))]);
        self.of_persons(&mut reads, keys);
        let wanted = fresh(&keys.members, &had.members).into_iter();
        let unknown = wanted.filter(|id| !state.members.contains_key(id));
        reads.add_by_key::<Member, 1>([cells(unknown)]);
        self.of_members(&mut reads, state, keys);
        self.keys.clone_from(keys);
        reads
    }

    fn of_persons<'a>(&self, reads: &mut Reads<'a>, keys: &'a Keys) {
        let had = &self.keys;
        let wanted = fresh(&keys.identities, &had.identities);
        reads.add_by_key::<Identity, 1>([cells(wanted)]);
        let wanted = fresh(&keys.erased, &had.erased);
        reads.add::<Identity, 1>(*IDENTITIES_OF, [cells(wanted)]);
        let wanted = fresh(&keys.link_codes, &had.link_codes);
        reads.add_by_key::<LinkCode, 1>([cells(wanted)]);
        let wanted = fresh(&keys.verifications, &had.verifications);
        reads.add_by_key::<Verification, 1>([cells(wanted)]);
        let wanted = fresh(&keys.proposals, &had.proposals);
        reads.add_by_key::<Proposal, 1>([cells(wanted)]);
        reads.add_by_key::<Order, 2>(pair_cells(fresh(&keys.orders, &had.orders)));
        reads.add_by_key::<Profile, 1>([cells(fresh(&keys.profiles, &had.profiles))]);
    }

    fn of_members<'a>(&mut self, reads: &mut Reads<'a>, state: &'a State, keys: &'a Keys) {
        let known = state.members.values();
        let (mut lots, mut grants, mut due, mut all) = (vec![], vec![], vec![], vec![]);
        for member in known {
            let holds = member.open_holds > 0 || !member.held.is_zero();
            let all_count = keys.holders.contains(&member.id);
            if self.members.insert(member.id) {
                lots.push(&member.id);
                grants.extend((!member.pending.is_zero()).then_some(&member.id));
                due.extend((holds && !all_count).then_some(&member.id));
            }
            if holds && all_count && self.holders.insert(member.id) {
                all.push(&member.id);
            }
        }
        reads.add::<Lot, 1>(*OPEN_LOTS, [cells(lots)]);
        reads.add::<Pending, 1>(*OPEN_GRANTS, [cells(grants)]);
        for (members, until) in [(due, &keys.until), (all, &Timestamp::MAX)] {
            let until = cells(std::iter::repeat_n(until, members.len()));
            reads.add::<Authorization, 2>(*HOLDS_UNTIL, [cells(members), until]);
        }
    }
}

/// Puts into the state what was found.
fn put(state: &mut State, found: &Found) -> Result<(), StoreError> {
    fn rows<K: Ord, R: Row + FromRow>(
        into: &mut BTreeMap<K, R>,
        found: &Found,
        key: impl Fn(&R) -> K,
    ) -> Result<(), StoreError> {
        let records = found.records::<R>()?.into_iter();
        into.extend(records.map(|record| (key(&record), record)));
        Ok(())
    }
    rows(&mut state.requests, found, |row| {
        (row.terminal_id.clone(), row.request_id.clone())
    })?;
    rows(&mut state.cards, found, |row| row.id)?;
    rows(&mut state.card_uses, found, |row| {
        (row.card_id, row.issued_at)
    })?;
    rows(&mut state.short_codes, found, |row| row.hash)?;
    rows(&mut state.authorizations, found, |row| row.id)?;
    rows(&mut state.purchases, found, |row| row.id)?;
    rows(&mut state.identities, found, |row| row.key)?;
    rows(&mut state.link_codes, found, |row| row.hash)?;
    rows(&mut state.verifications, found, |row| row.id)?;
    rows(&mut state.proposals, found, |row| row.id)?;
    rows(&mut state.orders, found, |row: &Order| {
        (row.shop_id.clone(), row.id.clone())
    })?;
    rows(&mut state.profiles, found, |row| row.member_id)?;
    rows(&mut state.members, found, |row| row.id)?;
    rows(&mut state.lots, found, |row| (row.member_id, row.id))?;
    rows(&mut state.pending, found, |row| (row.member_id, row.id))
}

async fn load_totals(
    connection: &mut Connection,
    state: &mut State,
    keys: &Keys,
) -> Result<(), StoreError> {
    let days = pair_cells(keys.totals.iter().collect());
    let found: Vec<DayTotals> = connection.fetch_each(TOTALS, &days).await?;
    state.totals = found.into_iter().map(|day| (day.key, day.totals)).collect();
    Ok(())
}

/// The rows with the given keys.
pub(super) async fn by_key<R: Row + FromRow>(
    connection: &mut Connection,
    wanted: &[Cells<'_>],
) -> Result<Vec<R>, StoreError> {
    connection
        .fetch_each(R::table().statements().by_key, wanted)
        .await
}

/// Keys of two columns.
pub(super) fn pair_cells<'a, A: Cell, B: Cell>(pairs: Vec<&'a (A, B)>) -> [Cells<'a>; 2] {
    let first = cells(pairs.iter().map(|pair| &pair.0));
    [first, cells(pairs.iter().map(|pair| &pair.1))]
}

fn fresh<'a, K: Ord>(wanted: &'a BTreeSet<K>, had: &BTreeSet<K>) -> Vec<&'a K> {
    wanted.iter().filter(|key| !had.contains(key)).collect()
}

/// A member's open lots.
pub(super) async fn open_lots(
    connection: &mut Connection,
    member_id: MemberId,
) -> Result<Vec<Lot>, StoreError> {
    connection
        .fetch_each(*OPEN_LOTS, &[cells([&member_id])])
        .await
}
