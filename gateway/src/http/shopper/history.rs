//! `GET /v1/me/history`

use std::sync::Arc;

use axum::{Json as Body, extract::State};
use jiff::{Timestamp, civil::Date};
use ledger::account::{Account, Transfer};
use pos_protocol::{Points, StoreId, TransferId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{App, Query, Shopper, openapi::Problems, problem::Problem};
use crate::limits;

/// Which page of a history.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Only what happened before this entry: `next` of the page before.
    #[serde(default)]
    #[param(value_type = Option<Uuid>)]
    before: Option<Uuid>,
    /// Entries on the page: 1 to 100, 20 if absent.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// A page of what happened to the member's points.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct HistoryAnswer {
    /// Newest first. Points held for a basket and let go again are left out.
    entries: Vec<Entry>,
    /// `before` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<TransferId>,
}

/// Points that moved.
#[derive(Serialize, utoipa::ToSchema)]
struct Entry {
    /// The entry.
    id: TransferId,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The store's business day, or the programme's day where no store is involved.
    #[schema(value_type = String, format = Date)]
    business_date: Date,
    /// Why, a stable word: `accrual`, `capture`, `restoration`, `clawback`, `expiry`, …
    motive: &'static str,
    /// How many points moved.
    points: Points,
    /// What the member gained, or lost if below zero; 0 when points only changed their state.
    change: i64,
    /// The store, where one is involved.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<StoreId>,
    /// What the store is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    store_name: Option<Arc<str>>,
    /// The purchase, refund or other thing that caused it.
    source: Uuid,
}

/// What happened to my points?
///
/// Where records were merged: to the points of all of them. Points that went from one record to a basket
/// of another are left out: the person lost none.
#[utoipa::path(
    get, path = "/v1/me/history", tag = "shopper", security(("card" = [])),
    params(HistoryQuery),
    responses((status = 200, description = "A page, newest first", body = HistoryAnswer), Problems),
)]
pub(super) async fn history(
    State(app): State<App>,
    shopper: Shopper,
    Query(query): Query<HistoryQuery>,
) -> Result<Body<HistoryAnswer>, Problem> {
    let limit = query.limit.unwrap_or(limits::HISTORY_PAGE_EVENTS_DEFAULT);
    let limit = limit.clamp(1, limits::HISTORY_PAGE_EVENTS_MAX);
    let before = query.before.map(TransferId::new);
    // One more than is shown tells whether there is another page.
    let ask = limit.saturating_add(1);
    let records = app.records_of(&shopper).await?;
    let records: Vec<_> = records.iter().map(|record| record.id).collect();
    let mut transfers = app.store().person_history(&records, before, ask).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = transfers.len() > limit;
    transfers.truncate(limit);
    let next = transfers.last().filter(|_| more).map(|last| last.id);
    let mut entries = Vec::with_capacity(transfers.len());
    for transfer in transfers {
        let store_name = match &transfer.store_id {
            Some(store) => app.place_names.of(store).await?,
            None => None,
        };
        entries.push(entry(transfer, store_name));
    }
    Ok(Body(HistoryAnswer { entries, next }))
}

fn entry(transfer: Transfer, store_name: Option<Arc<str>>) -> Entry {
    Entry {
        id: transfer.id,
        at: transfer.at,
        business_date: transfer.business_date,
        motive: transfer.motive.word(),
        points: transfer.points,
        change: change(&transfer),
        store: transfer.store_id,
        store_name,
        source: transfer.source,
    }
}

/// What the member gained over all of its accounts.
fn change(transfer: &Transfer) -> i64 {
    let points = transfer.points.get();
    match (is_members(transfer.debit), is_members(transfer.credit)) {
        (false, true) => points,
        (true, false) => points.saturating_neg(),
        _ => 0,
    }
}

fn is_members(account: Account) -> bool {
    use Account::{MemberAvailable, MemberHeld, MemberOwed, MemberPending};
    matches!(
        account,
        MemberAvailable | MemberHeld | MemberPending | MemberOwed
    )
}
