//! Reading what a batch of commands may read.
//!
//! First what is named by key, following from row to row until nothing is added; then the members
//! with their open lots, and, only where a member's own row says there are any, their pending grants
//! and those of their holds that can matter. A kind of row without keys costs no round trip.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jiff::{Timestamp, civil::Date};
use ledger::{
    lot::{Lot, Pending},
    member::Member,
    records::Authorization,
    state::{InForce, Keys, State},
};
use pos_protocol::{MemberId, Points, SettlementTotals, TerminalId, Yen};

use super::{
    StoreError,
    batch::Batch,
    connection::Connection,
    row::{Cell, FromRow, Reader, Row, cells},
    rows::{AUTHORIZATIONS, LOTS, PENDING},
    sql::{Cells, Sql},
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
    vec![*OPEN_LOTS, *HOLDS_UNTIL, *OPEN_GRANTS, TOTALS]
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
        let mut asked = Keys::default();
        while *keys != asked {
            load_named(&mut self.connection, &mut state, keys, &asked).await?;
            asked = keys.clone();
            keys.follow(&state);
        }
        self.load_members(&mut state, keys).await?;
        load_totals(&mut self.connection, &mut state, keys).await?;
        Ok(state)
    }

    async fn load_members(&mut self, state: &mut State, keys: &Keys) -> Result<(), StoreError> {
        let connection = &mut self.connection;
        state.members = std::mem::take(&mut self.members);
        let others = fresh(&keys.members, &state.members.keys().copied().collect());
        for member in by_key::<Member>(connection, &[cells(others)]).await? {
            state.members.insert(member.id, member);
        }
        let ids = |wanted: fn(&Member) -> bool| {
            let chosen = state.members.values().filter(move |member| wanted(member));
            [cells(chosen.map(|member| &member.id))]
        };
        let mut lots: Vec<Lot> = connection.fetch_each(*OPEN_LOTS, &ids(|_| true)).await?;
        let has_holds = |member: &Member| member.open_holds > 0 || !member.held.is_zero();
        let (all, due): (Vec<_>, Vec<_>) = state
            .members
            .values()
            .filter(|member| has_holds(member))
            .map(|member| &member.id)
            .partition(|id| keys.holders.contains(id));
        let mut holds: Vec<Authorization> = Vec::new();
        for (members, until) in [(due, keys.until), (all, Timestamp::MAX)] {
            let until = cells(std::iter::repeat_n(&until, members.len()));
            let of_members = [cells(members), until];
            holds.extend(
                connection
                    .fetch_each::<Authorization>(*HOLDS_UNTIL, &of_members)
                    .await?,
            );
        }
        let grants: Vec<Pending> = connection
            .fetch_each(*OPEN_GRANTS, &ids(|member| !member.pending.is_zero()))
            .await?;
        let open = lots.iter().map(|lot| lot.id).collect();
        let named = fresh(&keys.lots, &open);
        lots.extend(by_key::<Lot>(connection, &[cells(named)]).await?);

        state.lots = lots
            .into_iter()
            .map(|lot| ((lot.member_id, lot.id), lot))
            .collect();
        state
            .authorizations
            .extend(holds.into_iter().map(|hold| (hold.id, hold)));
        state.pending = grants
            .into_iter()
            .map(|grant| ((grant.member_id, grant.id), grant))
            .collect();
        Ok(())
    }
}

/// Reads what `keys` names and `asked` did not.
async fn load_named(
    connection: &mut Connection,
    state: &mut State,
    keys: &Keys,
    asked: &Keys,
) -> Result<(), StoreError> {
    let wanted = fresh(&keys.requests, &asked.requests);
    load(
        connection,
        &mut state.requests,
        &pair_cells(wanted),
        |row| (row.terminal_id.clone(), row.request_id.clone()),
    )
    .await?;
    let wanted = fresh(&keys.cards, &asked.cards);
    load(connection, &mut state.cards, &[cells(wanted)], |row| row.id).await?;
    let wanted = fresh(&keys.card_uses, &asked.card_uses);
    load(
        connection,
        &mut state.card_uses,
        &pair_cells(wanted),
        |row| (row.card_id, row.issued_at),
    )
    .await?;
    let wanted = fresh(&keys.short_codes, &asked.short_codes);
    load(
        connection,
        &mut state.short_codes,
        &[cells(wanted)],
        |row| row.hash,
    )
    .await?;
    let wanted = fresh(&keys.authorizations, &asked.authorizations);
    load(
        connection,
        &mut state.authorizations,
        &[cells(wanted)],
        |row| row.id,
    )
    .await?;
    let wanted = fresh(&keys.purchases, &asked.purchases);
    load(connection, &mut state.purchases, &[cells(wanted)], |row| {
        row.id
    })
    .await
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

async fn load<K: Ord, R: Row + FromRow>(
    connection: &mut Connection,
    into: &mut BTreeMap<K, R>,
    wanted: &[Cells<'_>],
    key: impl Fn(&R) -> K,
) -> Result<(), StoreError> {
    let found = by_key(connection, wanted).await?;
    into.extend(found.into_iter().map(|row| (key(&row), row)));
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
