//! Corrupted rows of persons, each with the check that has to notice, and whose row it is.

use ledger::{
    account::{Account, Motive},
    identity::{Identity, IdentityKey, IdentityKind, Proof},
    records::PurchaseState,
};
use pos_protocol::{Points, PurchaseId, TerminalId};
use uuid::Uuid;

use super::{
    super::super::rows::MemberRows,
    persons::{BORROWER, CUSTOMER, FORGOTTEN, LENDER},
    play::{points, yen},
};

pub(super) type Corruption = (&'static str, u8, fn(&mut MemberRows));

fn order<'r>(rows: &'r mut MemberRows, id: &str) -> &'r mut ledger::order::Order {
    let mut orders = rows.orders.iter_mut();
    orders.find(|row| row.id.as_str() == id).unwrap()
}

/// The purchase that stands for an order.
fn purchase<'r>(rows: &'r mut MemberRows, id: &str) -> &'r mut ledger::records::Purchase {
    let mut purchases = rows.purchases.iter_mut();
    purchases
        .find(|row| row.basket_id.as_str() == id && row.state == PurchaseState::Completed)
        .unwrap()
}

pub(super) const PERSONS_CORRUPTED: &[Corruption] = &[
    ("balances.lots", BORROWER, |rows| {
        // What was lent and is free has to go back.
        let mut lots = rows.lots.iter_mut();
        let lent = lots.find(|lot| lot.key.lender.is_some()).unwrap();
        lent.available = points(1);
    }),
    ("balances.lots", BORROWER, |rows| {
        let mut lots = rows.lots.iter_mut();
        let lent = lots.find(|lot| lot.key.lender.is_some()).unwrap();
        lent.granted = Points::ZERO;
    }),
    ("balances.lots", LENDER, |rows| {
        rows.transfers.retain(|row| row.motive != Motive::Pooling);
    }),
    ("balances.members", BORROWER, |rows| {
        rows.transfers
            .retain(|row| row.motive != Motive::DebtSettlement);
    }),
    ("transfers.balanced", LENDER, |rows| {
        let mut transfers = rows.transfers.iter_mut();
        let lent = transfers.find(|row| row.motive == Motive::Pooling).unwrap();
        lent.credit = Account::ProgrammeBreakage;
    }),
    ("cards.named_by_key", BORROWER, |rows| {
        let mut cards = rows.cards.iter_mut();
        let wallet = cards.find(|card| card.public_key.len() == 32).unwrap();
        wallet.public_key.pop();
    }),
    ("requests.named_once", CUSTOMER, |rows| rows.orders.clear()),
    ("purchases.moved", CUSTOMER, |rows| {
        purchase(rows, "o3").redeemed = points(1);
    }),
    ("holds.captured_by_one", CUSTOMER, |rows| {
        purchase(rows, "o3").redeemed = points(1);
    }),
    ("orders.purchases", CUSTOMER, |rows| {
        order(rows, "o1").purchase_id = Some(PurchaseId::new(Uuid::nil()));
    }),
    ("orders.purchases", CUSTOMER, |rows| {
        order(rows, "o1").purchase_id = None;
    }),
    ("orders.purchases", CUSTOMER, |rows| {
        let other = order(rows, "o1").purchase_id;
        order(rows, "o4").purchase_id = other;
    }),
    ("orders.purchases", CUSTOMER, |rows| {
        purchase(rows, "o1").terminal_id = TerminalId::new("till-1").unwrap();
    }),
    ("orders.purchases", CUSTOMER, |rows| {
        let id = purchase(rows, "o1").id;
        let mut purchases = rows.purchases.iter_mut();
        purchases.find(|row| row.id == id).unwrap().state = PurchaseState::Reversed;
    }),
    ("orders.purchases", CUSTOMER, |rows| {
        let described = order(rows, "o1").facts.described.as_mut().unwrap();
        described.placed.total = yen(1);
    }),
    ("orders.purchases", CUSTOMER, |rows| {
        order(rows, "o1").facts.described = None;
    }),
    ("orders.returned", CUSTOMER, |rows| {
        order(rows, "o1").facts.refunds.clear();
    }),
    ("orders.returned", CUSTOMER, |rows| {
        order(rows, "o4").facts.cancelled = true;
    }),
    ("orders.returned", CUSTOMER, |rows| {
        order(rows, "o2").facts.cancelled = false;
    }),
    ("persons.forgotten", FORGOTTEN, |rows| {
        rows.member.available = points(1);
    }),
    ("persons.forgotten", FORGOTTEN, |rows| {
        rows.profiles[0].sealed.wrapped_key = vec![1];
    }),
    ("persons.forgotten", FORGOTTEN, |rows| {
        rows.identities.push(Identity {
            key: IdentityKey([1; 32]),
            kind: IdentityKind::Email,
            issuer: String::new(),
            member_id: rows.member.id,
            label: "a***@example.com".into(),
            proof: Proof::OneTimeCode,
            actor: "test".into(),
            proven_at: rows.member.enrolled_at,
            revoked_at: None,
        });
    }),
];
