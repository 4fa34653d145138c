//! What was written down about an entry.

use std::collections::BTreeSet;

use ledger::{
    account::{Motive, Transfer},
    lot::Lot,
    order::Order,
    records::{Purchase, Refund},
};
use pos_protocol::{LotId, PendingId, PurchaseId, RefundId, TransferId};
use serde_json::Value;
use uuid::Uuid;

use super::is_of_sale;
use crate::store::{Person, Store, StoreError, StoredEvent};

/// Everything that is known about an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What was asked about.
    pub entry: Uuid,
    /// The movement, if one was asked about.
    pub transfer: Option<Transfer>,
    /// The lot its points lie in, or the one that was asked about.
    pub lot: Option<Lot>,
    /// The purchase behind it.
    pub purchase: Option<Purchase>,
    /// What its store is called.
    pub store_name: Option<String>,
    /// The refund behind it.
    pub refund: Option<Refund>,
    /// The order behind it.
    pub order: Option<Order>,
    /// What staff did.
    pub adjusted: Option<Adjusted>,
    /// Where a lent lot comes from.
    pub lent: Option<Lent>,
    /// Whether the person was erased.
    pub erased: bool,
}

/// What staff did, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// Why, in words.
    pub reason: String,
    /// Who.
    pub actor: String,
}

/// The lot of another record of the same person that points were lent from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// The other record's number, most of it hidden.
    pub number: String,
    /// The lot, as long as it can be read.
    pub lot: Option<Lot>,
}

/// What is known about a movement, a lot or a purchase of a person; none if the person has no such thing.
///
/// # Errors
/// As any read.
pub async fn gather(
    store: &Store,
    person: &Person,
    entry: Uuid,
) -> Result<Option<Facts>, StoreError> {
    let ids = person.ids();
    let mut facts = Facts {
        entry,
        erased: person.root.erased_at.is_some(),
        ..Facts::default()
    };
    if let Some(transfer) = store.transfer_of(&ids, TransferId::new(entry)).await? {
        of_transfer(store, &transfer, &mut facts).await?;
        facts.transfer = Some(transfer);
    } else if let Some(lot) = lot(store, LotId::new(entry))
        .await?
        .filter(|lot| ids.contains(&lot.member_id))
    {
        of_origin(store, &lot, &mut facts).await?;
        facts.lot = Some(lot);
    } else {
        let sold = store.purchase(PurchaseId::new(entry)).await?;
        let Some(sold) = sold.filter(|sold| ids.contains(&sold.member_id)) else {
            return Ok(None);
        };
        facts.purchase = Some(sold);
    }
    if let Some(sold) = &facts.purchase {
        let orders = store.orders_of(&ids).await?;
        facts.order = orders.into_iter().find(|order| stands_for(sold, order));
    }
    if let Some(sold) = &facts.purchase {
        let place = store.store_row(&sold.store_id).await?;
        facts.store_name = place
            .map(|place| place.name)
            .filter(|name| !name.is_empty());
    }
    facts.lent = lent(store, person, facts.lot.as_ref()).await?;
    Ok(Some(facts))
}

async fn lot(store: &Store, id: LotId) -> Result<Option<Lot>, StoreError> {
    let found = store.lots_by_id(&BTreeSet::from([id])).await?;
    Ok(found.into_iter().next())
}

/// A changed order has another purchase than before; both have its name as their basket.
fn stands_for(sold: &Purchase, order: &Order) -> bool {
    let same_name = order.id.as_str() == sold.basket_id.as_str();
    order.purchase_id == Some(sold.id) || (same_name && order.terminal_id == sold.terminal_id)
}

async fn of_transfer(
    store: &Store,
    transfer: &Transfer,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if let Some(id) = transfer.lot_id {
        facts.lot = lot(store, id).await?;
    }
    let source = transfer.source;
    match transfer.motive {
        Motive::Restoration | Motive::Clawback | Motive::Grace => {
            of_refund(store, source, facts).await?;
        }
        Motive::Maturity => {
            let grant = store.grant(PendingId::new(source)).await?;
            if let Some(grant) = grant {
                facts.purchase = store.purchase(grant.purchase_id).await?;
            }
        }
        Motive::Adjustment => {
            let events = store.events_of_decision(source).await?;
            facts.adjusted = adjusted(&events, source);
        }
        motive if is_of_sale(motive) => {
            let events = store.events_of_decision(transfer.id.as_uuid()).await?;
            if let Some(id) = bought(&events) {
                facts.purchase = store.purchase(id).await?;
            }
        }
        _ => {}
    }
    Ok(())
}

async fn of_refund(store: &Store, source: Uuid, facts: &mut Facts) -> Result<(), StoreError> {
    facts.refund = store.refund(RefundId::new(source)).await?;
    if let Some(refund) = &facts.refund {
        facts.purchase = store.purchase(refund.purchase_id).await?;
    }
    Ok(())
}

/// What opened a lot.
async fn of_origin(store: &Store, lot: &Lot, facts: &mut Facts) -> Result<(), StoreError> {
    let Some((kind, id)) = lot.origin.split_once(':') else {
        return Ok(());
    };
    let Ok(id) = id.parse::<Uuid>() else {
        return Ok(());
    };
    match kind {
        "purchase" => facts.purchase = store.purchase(PurchaseId::new(id)).await?,
        "refund" => of_refund(store, id, facts).await?,
        "adjustment" => {
            let events = store.events_of_decision(id).await?;
            facts.adjusted = adjusted(&events, id);
        }
        _ => {}
    }
    Ok(())
}

async fn lent(
    store: &Store,
    person: &Person,
    lot_of: Option<&Lot>,
) -> Result<Option<Lent>, StoreError> {
    let Some(lender) = lot_of.and_then(|lot| lot.key.lender) else {
        return Ok(None);
    };
    let number = match person.record(lender.member_id) {
        Some(record) => record.number.masked(),
        // Parted since.
        None => store
            .member(lender.member_id)
            .await?
            .map_or_else(String::new, |record| record.member.number.masked()),
    };
    let lot = lot(store, lender.lot_id).await?;
    Ok(Some(Lent { number, lot }))
}

/// The purchase that a decision completed.
fn bought(events: &[StoredEvent]) -> Option<PurchaseId> {
    let told = events
        .iter()
        .find(|event| event.kind == "purchase.completed")?;
    told.subject.strip_prefix("purchase/")?.parse().ok()
}

/// Why staff did it, as it was told.
fn adjusted(events: &[StoredEvent], id: Uuid) -> Option<Adjusted> {
    let told = events
        .iter()
        .filter(|event| event.kind == "points.adjusted");
    let mut data = told.filter_map(|event| serde_json::from_str::<Value>(&event.data).ok());
    let data = data.find(|data| data["adjustment_id"] == id.to_string())?;
    let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
    Some(Adjusted {
        reason: text("reason"),
        actor: text("actor"),
    })
}
