//! All rows of one member, as one moment saw them.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{
    account::{Account, Motive, Transfer},
    card_use::{Binding, CardUse, ShortCode, UseKey},
    identity::Identity,
    lot::{Lot, Pending},
    member::{Card, Member},
    order::Order,
    profile::Profile,
    records::{Authorization, Purchase, Refund, RequestKind, StoredRequest},
};
use pos_protocol::{LotId, PurchaseId};
use uuid::Uuid;

use crate::store::EventHead;

/// A member with everything that is the member's.
#[derive(Debug, Clone)]
pub struct MemberRows {
    /// The member.
    pub member: Member,
    /// Every card, revoked ones too.
    pub cards: Vec<Card>,
    /// Every lot, open and closed.
    pub lots: Vec<Lot>,
    /// Every pending grant, matured ones too.
    pub pending: Vec<Pending>,
    /// Every transfer.
    pub transfers: Vec<Transfer>,
    /// Every authorization.
    pub authorizations: Vec<Authorization>,
    /// Every purchase.
    pub purchases: Vec<Purchase>,
    /// Every refund.
    pub refunds: Vec<Refund>,
    /// Every request that touched the member.
    pub requests: Vec<StoredRequest>,
    /// Every card text used.
    pub card_uses: Vec<CardUse>,
    /// Every short code made.
    pub short_codes: Vec<ShortCode>,
    /// Every identity.
    pub identities: Vec<Identity>,
    /// Every order of an EC shop.
    pub orders: Vec<Order>,
    /// The personal data, if there is any.
    pub profiles: Vec<Profile>,
    /// Every event.
    pub events: Vec<EventHead>,
}

impl MemberRows {
    /// A member with no rows yet.
    #[must_use]
    pub fn new(member: Member) -> Self {
        Self {
            member,
            cards: Vec::new(),
            lots: Vec::new(),
            pending: Vec::new(),
            transfers: Vec::new(),
            authorizations: Vec::new(),
            purchases: Vec::new(),
            refunds: Vec::new(),
            requests: Vec::new(),
            card_uses: Vec::new(),
            short_codes: Vec::new(),
            identities: Vec::new(),
            orders: Vec::new(),
            profiles: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The purchases that stand, or stood, for an order: at its terminal, in its basket, and asked for by
    /// no till's request.
    pub(super) fn of_orders(&self) -> BTreeSet<PurchaseId> {
        let orders = self.orders.iter();
        let baskets: BTreeSet<_> = orders
            .map(|order| (&order.terminal_id, order.id.as_str()))
            .collect();
        let asked = |request: &StoredRequest| match request.kind {
            RequestKind::Purchase => request.effect,
            _ => None,
        };
        let asked: BTreeSet<Uuid> = self.requests.iter().filter_map(asked).collect();
        let of_order = |row: &&Purchase| {
            baskets.contains(&(&row.terminal_id, row.basket_id.as_str()))
                && !asked.contains(&row.id.as_uuid())
        };
        let purchases = self.purchases.iter().filter(of_order);
        purchases.map(|row| row.id).collect()
    }

    /// The binding of a use, if the use was ever made; `Some(None)` for a code made and not used.
    pub(super) fn bindings(&self) -> BTreeMap<UseKey, Option<&Binding>> {
        let texts = self.card_uses.iter().map(|row| {
            let key = UseKey::Text {
                card_id: row.card_id,
                issued_at: row.issued_at,
            };
            (key, Some(&row.binding))
        });
        let codes = self
            .short_codes
            .iter()
            .map(|row| (UseKey::ShortCode(row.hash), row.binding.as_ref()));
        texts.chain(codes).collect()
    }

    /// The transfers, added up by what caused them.
    pub(super) fn by_source(&self) -> BySource {
        let mut sums = BTreeMap::new();
        for transfer in &self.transfers {
            let key = (
                transfer.source,
                transfer.motive,
                transfer.debit,
                transfer.credit,
                transfer.lot_id,
            );
            let sum: &mut i128 = sums.entry(key).or_default();
            *sum += i128::from(transfer.points.get());
        }
        BySource(sums)
    }
}

type SourceKey = (Uuid, Motive, Account, Account, Option<LotId>);

/// Points moved, by what caused them.
pub(super) struct BySource(BTreeMap<SourceKey, i128>);

impl BySource {
    fn of(&self, source: Uuid) -> impl Iterator<Item = (&SourceKey, &i128)> {
        let first = (
            source,
            Motive::Accrual,
            Account::MemberAvailable,
            Account::MemberAvailable,
            None,
        );
        self.0
            .range(first..)
            .take_while(move |((found, ..), _)| *found == source)
    }

    /// Points that `source` moved for `motive`.
    pub(super) fn sum(&self, source: Uuid, motive: Motive) -> i128 {
        self.sum_where(source, |key| key.1 == motive)
    }

    /// Points that `source` moved for `motive` out of `debit` into `credit`.
    pub(super) fn moved(
        &self,
        source: Uuid,
        motive: Motive,
        debit: Account,
        credit: Account,
    ) -> i128 {
        self.sum_where(source, |key| {
            (key.1, key.2, key.3) == (motive, debit, credit)
        })
    }

    /// Points of one lot that `source` moved for `motive`.
    pub(super) fn of_lot(&self, source: Uuid, motive: Motive, lot_id: LotId) -> i128 {
        self.sum_where(source, |key| key.1 == motive && key.4 == Some(lot_id))
    }

    fn sum_where(&self, source: Uuid, wanted: impl Fn(&SourceKey) -> bool) -> i128 {
        self.of(source)
            .filter(|(key, _)| wanted(key))
            .map(|(_, sum)| sum)
            .sum()
    }
}
