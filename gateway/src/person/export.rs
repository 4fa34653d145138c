//! Everything that is kept of a person, as JSON: what its owner may take away, and staff may hand out.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ledger::{
    account::Transfer,
    identity::{Identity, Merge},
    lot::Lot,
    member::{Card, Member},
    order::Order,
    records::{Purchase, Refund},
};
use personal_data::OpenError;
use pos_protocol::{LotId, MemberId, TransferId};
use serde_json::{Value, json};

use super::profile;
use crate::{
    secrets::Secrets,
    store::{Access, Person, Store, StoreError},
};

/// Movements read at once.
const PAGE_TRANSFERS: u32 = 500;

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is personal data, and no key to it.
    #[error("there is personal data, and no file of secrets to open it with")]
    NoSecrets,
    /// Personal data does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Everything that is kept of a person.
///
/// # Errors
/// [`ExportError`]
pub async fn of(
    store: &Store,
    secrets: Option<&Secrets>,
    person: &Person,
    now: Timestamp,
) -> Result<Value, ExportError> {
    let ids = person.ids();
    let profiles = profiles(store, secrets, &ids).await?;
    let history = history(store, &ids).await?;
    let lot_ids: BTreeSet<LotId> = history.iter().filter_map(|row| row.lot_id).collect();
    let lots = store.lots_by_id(&lot_ids).await?;
    let mut purchases = Vec::new();
    for id in &ids {
        let all = store.purchases_of(*id).await?;
        purchases.extend(all.iter().map(|(sold, refunds)| purchase(sold, refunds)));
    }
    let orders = store.orders_of(&ids).await?;
    let merges = store.merges_of(&ids).await?;
    let accesses = store.accesses(&ids).await?;
    Ok(json!({
        "exported_at": now,
        "member_no": person.root.number.as_str(),
        "profiles": profiles,
        "records": person.records().map(record).collect::<Vec<_>>(),
        "cards": person.cards.iter().map(card).collect::<Vec<_>>(),
        "identities": person.identities.iter().map(identity).collect::<Vec<_>>(),
        "lots": lots.iter().map(lot).collect::<Vec<_>>(),
        "history": history.iter().map(transfer).collect::<Vec<_>>(),
        "purchases": purchases,
        "orders": orders.iter().map(order).collect::<Vec<_>>(),
        "merges": merges.iter().map(merge).collect::<Vec<_>>(),
        "access_log": accesses.iter().map(access).collect::<Vec<_>>(),
    }))
}

async fn profiles(
    store: &Store,
    secrets: Option<&Secrets>,
    ids: &[MemberId],
) -> Result<Vec<Value>, ExportError> {
    let rows = store.profiles(ids).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let secrets = secrets.ok_or(ExportError::NoSecrets)?;
        let opened = profile::open(secrets, &row)?;
        all.push(json!({
            "member_id": row.member_id,
            "version": row.version,
            "changed_at": row.changed_at,
            "profile": opened.to_export(),
        }));
    }
    Ok(all)
}

/// All movements, newest first.
async fn history(store: &Store, ids: &[MemberId]) -> Result<Vec<Transfer>, StoreError> {
    let (mut all, mut before) = (Vec::new(), None::<TransferId>);
    loop {
        let page = store.person_history(ids, before, PAGE_TRANSFERS).await?;
        let full = page.len() >= usize::try_from(PAGE_TRANSFERS).unwrap_or(usize::MAX);
        before = page.last().map(|last| last.id);
        all.extend(page);
        if !full {
            return Ok(all);
        }
    }
}

fn record(member: &Member) -> Value {
    json!({
        "member_id": member.id, "member_no": member.number.as_str(), "status": member.status.word(),
        "rank": member.rank, "enrolled_at": member.enrolled_at, "merged_into": member.merged_into,
        "points": {
            "available": member.available, "held": member.held,
            "pending": member.pending, "owed": member.owed,
        },
        "last_activity_on": member.last_activity_on, "earn_only_until": member.earn_only_until,
        "erased_at": member.erased_at,
    })
}

pub(crate) fn card(card: &Card) -> Value {
    json!({
        "card_id": card.id, "member_id": card.member_id, "kind": card.kind.word(), "name": card.name,
        "status": card.status.word(), "enrolled_at": card.enrolled_at, "revoked_at": card.revoked_at,
    })
}

pub(crate) fn identity(row: &Identity) -> Value {
    json!({
        "member_id": row.member_id, "kind": row.kind.word(), "issuer": row.issuer, "label": row.label,
        "proof": row.proof.word(), "actor": row.actor, "proven_at": row.proven_at,
        "revoked_at": row.revoked_at,
    })
}

pub(crate) fn lot(lot: &Lot) -> Value {
    json!({
        "lot_id": lot.id, "member_id": lot.member_id, "class": lot.key.class,
        "expires_on": lot.key.expires_on, "scope": lot.key.scope, "granted": lot.granted,
        "available": lot.available, "held": lot.held, "pending": lot.pending, "origin": lot.origin,
        "opened_at": lot.opened_at, "programme_version": lot.programme_version,
        "lent_by": lot.key.lender.map(|lender| lender.member_id),
    })
}

fn transfer(transfer: &Transfer) -> Value {
    json!({
        "transfer_id": transfer.id, "member_id": transfer.member_id, "at": transfer.at,
        "business_date": transfer.business_date, "motive": transfer.motive.word(),
        "points": transfer.points, "debit": transfer.debit.word(), "credit": transfer.credit.word(),
        "lot_id": transfer.lot_id, "source": transfer.source, "store_id": transfer.store_id,
    })
}

fn purchase(sold: &Purchase, refunds: &[Refund]) -> Value {
    json!({
        "purchase_id": sold.id, "member_id": sold.member_id, "store_id": sold.store_id,
        "terminal_id": sold.terminal_id, "basket_id": sold.basket_id, "state": sold.state.word(),
        "receipt": sold.receipt.as_ref(), "points_redeemed": sold.redeemed,
        "points_earned": sold.earned_points, "earned": sold.earned,
        "programme_version": sold.programme_version, "recorded_at": sold.recorded_at,
        "refunds": refunds.iter().map(refund).collect::<Vec<_>>(),
    })
}

fn refund(refund: &Refund) -> Value {
    json!({
        "refund_id": refund.id, "at": refund.at, "store_id": refund.store_id, "lines": refund.lines,
        "amount": refund.amount, "points_restored": refund.restored, "points_lapsed": refund.lapsed,
        "points_clawed_back": refund.clawed_back, "points_owed": refund.owed,
        "shortfall_yen": refund.shortfall, "reversal": refund.reversal,
    })
}

fn order(order: &Order) -> Value {
    json!({
        "shop_id": order.shop_id, "order_id": order.id, "member_id": order.member_id,
        "state": order.state.word(), "facts": order.facts, "purchase_id": order.purchase_id,
        "remark": order.remark, "first_at": order.first_at, "changed_at": order.changed_at,
    })
}

pub(crate) fn merge(merge: &Merge) -> Value {
    json!({
        "merge_id": merge.id, "act": merge.act.word(), "member_id": merge.member_id,
        "into_member_id": merge.into, "proof": merge.proof.word(), "reason": merge.reason,
        "actor": merge.actor, "at": merge.at,
    })
}

pub(crate) fn access(access: &Access) -> Value {
    json!({
        "at": access.at, "member_id": access.member_id, "actor": access.actor, "what": access.what,
        "purpose": access.purpose,
    })
}
