//! What a decision reads and what it changes.
//!
//! [`State`] holds rows that were loaded (or, in tests, all rows there are); [`Keys`](crate::keys::Keys)
//! says which those are. [`Changes`] is what a decision leaves behind; applying it to a state and writing
//! it to a database are the same change.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use member_card::CardId;
use pos_protocol::{
    AuthorizationId, LotId, MemberId, OrderId, PendingId, PurchaseId, RequestId, SettlementTotals,
    ShopId, TerminalId,
};
use uuid::Uuid;

use crate::{
    account::Transfer,
    card_use::{CardUse, ShortCode, ShortCodeHash},
    identity::{CodeHash, Identity, IdentityKey, LinkCode, Merge, Verification},
    lot::{Lot, Pending},
    member::{Card, Member},
    order::Order,
    profile::Profile,
    programme::Programme,
    proposal::Proposal,
    records::{
        Authorization, Event, ProgrammeVersion, Purchase, Refund, Settlement, StoredRequest,
    },
};

/// The programme in force and its version.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The settings.
    pub programme: Arc<Programme>,
    /// Their version, from 1.
    pub version: i64,
}

/// Rows loaded for a batch of commands. Lots and pending grants are keyed by member first, so that
/// "all of a member's" is a range.
#[derive(Debug, Clone)]
pub struct State {
    /// The programme.
    pub in_force: InForce,
    /// Members.
    pub members: BTreeMap<MemberId, Member>,
    /// Cards.
    pub cards: BTreeMap<CardId, Card>,
    /// Used card texts.
    pub card_uses: BTreeMap<(CardId, u32), CardUse>,
    /// Short codes.
    pub short_codes: BTreeMap<ShortCodeHash, ShortCode>,
    /// Lots: every open lot of a loaded member, and closed ones that a loaded hold or purchase names.
    pub lots: BTreeMap<(MemberId, LotId), Lot>,
    /// Pending grants with points in them.
    pub pending: BTreeMap<(MemberId, PendingId), Pending>,
    /// Authorizations: every open one of a loaded member, and those that a command names.
    pub authorizations: BTreeMap<AuthorizationId, Authorization>,
    /// Purchases that a command names.
    pub purchases: BTreeMap<PurchaseId, Purchase>,
    /// Identities that a command names, and all of a member that is to be erased.
    pub identities: BTreeMap<IdentityKey, Identity>,
    /// Codes that link.
    pub link_codes: BTreeMap<CodeHash, LinkCode>,
    /// Addresses that are to be verified.
    pub verifications: BTreeMap<Uuid, Verification>,
    /// Proposals that a command decides.
    pub proposals: BTreeMap<Uuid, Proposal>,
    /// Orders of EC shops.
    pub orders: BTreeMap<(ShopId, OrderId), Order>,
    /// Personal data, where a command changes it.
    pub profiles: BTreeMap<MemberId, Profile>,
    /// Requests already answered.
    pub requests: BTreeMap<(TerminalId, RequestId), StoredRequest>,
    /// Totals of a terminal's business day, where a settlement asks for them.
    pub totals: BTreeMap<(TerminalId, Date), SettlementTotals>,
}

/// A row that a decision made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit<T> {
    /// The row as it is now.
    pub row: T,
    /// Whether the row was not there before.
    pub created: bool,
}

/// Rows made or changed, by key.
pub type Edits<K, T> = BTreeMap<K, Edit<T>>;

/// All that one decision, or a batch of them, leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Members made or changed.
    pub members: Edits<MemberId, Member>,
    /// Cards made or changed.
    pub cards: Edits<CardId, Card>,
    /// Card texts used.
    pub card_uses: Edits<(CardId, u32), CardUse>,
    /// Short codes made or used.
    pub short_codes: Edits<ShortCodeHash, ShortCode>,
    /// Lots opened or changed.
    pub lots: Edits<(MemberId, LotId), Lot>,
    /// Pending grants made or changed.
    pub pending: Edits<(MemberId, PendingId), Pending>,
    /// Authorizations made or changed.
    pub authorizations: Edits<AuthorizationId, Authorization>,
    /// Purchases made or changed.
    pub purchases: Edits<PurchaseId, Purchase>,
    /// Identities made or changed.
    pub identities: Edits<IdentityKey, Identity>,
    /// Identities that are deleted: their person was erased.
    pub forgotten: Vec<IdentityKey>,
    /// Codes that link, made or used.
    pub link_codes: Edits<CodeHash, LinkCode>,
    /// Verifications begun, tried or ended.
    pub verifications: Edits<Uuid, Verification>,
    /// Proposals made or decided.
    pub proposals: Edits<Uuid, Proposal>,
    /// Orders made or changed.
    pub orders: Edits<(ShopId, OrderId), Order>,
    /// Personal data set or erased.
    pub profiles: Edits<MemberId, Profile>,
    /// Merges and their undoing; never changed afterwards.
    pub merges: Vec<Merge>,
    /// Programme versions put in force; never changed afterwards.
    pub programmes: Vec<ProgrammeVersion>,
    /// Requests answered; never changed afterwards.
    pub requests: Vec<StoredRequest>,
    /// Refunds; never changed afterwards.
    pub refunds: Vec<Refund>,
    /// Settlements; never changed afterwards.
    pub settlements: Vec<Settlement>,
    /// Transfers; never changed afterwards.
    pub transfers: Vec<Transfer>,
    /// Events, in order per member; never changed afterwards.
    pub events: Vec<Event>,
}

impl Changes {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what a later decision left behind.
    pub fn absorb(&mut self, later: Self) {
        absorb(&mut self.members, later.members);
        absorb(&mut self.cards, later.cards);
        absorb(&mut self.card_uses, later.card_uses);
        absorb(&mut self.short_codes, later.short_codes);
        absorb(&mut self.lots, later.lots);
        absorb(&mut self.pending, later.pending);
        absorb(&mut self.authorizations, later.authorizations);
        absorb(&mut self.purchases, later.purchases);
        for key in &later.forgotten {
            self.identities.remove(key);
        }
        absorb(&mut self.identities, later.identities);
        self.forgotten.extend(later.forgotten);
        absorb(&mut self.link_codes, later.link_codes);
        absorb(&mut self.verifications, later.verifications);
        absorb(&mut self.proposals, later.proposals);
        absorb(&mut self.orders, later.orders);
        absorb(&mut self.profiles, later.profiles);
        self.merges.extend(later.merges);
        self.programmes.extend(later.programmes);
        self.requests.extend(later.requests);
        self.refunds.extend(later.refunds);
        self.settlements.extend(later.settlements);
        self.transfers.extend(later.transfers);
        self.events.extend(later.events);
    }
}

fn absorb<K: Ord, T>(into: &mut Edits<K, T>, later: Edits<K, T>) {
    for (key, edit) in later {
        let created = edit.created || into.get(&key).is_some_and(|earlier| earlier.created);
        into.insert(
            key,
            Edit {
                row: edit.row,
                created,
            },
        );
    }
}

impl State {
    /// A state with no rows.
    #[must_use]
    pub fn new(in_force: InForce) -> Self {
        Self {
            in_force,
            members: BTreeMap::new(),
            cards: BTreeMap::new(),
            card_uses: BTreeMap::new(),
            short_codes: BTreeMap::new(),
            lots: BTreeMap::new(),
            pending: BTreeMap::new(),
            authorizations: BTreeMap::new(),
            purchases: BTreeMap::new(),
            identities: BTreeMap::new(),
            link_codes: BTreeMap::new(),
            verifications: BTreeMap::new(),
            proposals: BTreeMap::new(),
            orders: BTreeMap::new(),
            profiles: BTreeMap::new(),
            requests: BTreeMap::new(),
            totals: BTreeMap::new(),
        }
    }

    /// Makes the state what it is after `changes`.
    pub fn apply(&mut self, changes: &Changes) {
        put_all(&mut self.members, &changes.members);
        put_all(&mut self.cards, &changes.cards);
        put_all(&mut self.card_uses, &changes.card_uses);
        put_all(&mut self.short_codes, &changes.short_codes);
        put_all(&mut self.lots, &changes.lots);
        put_all(&mut self.pending, &changes.pending);
        put_all(&mut self.authorizations, &changes.authorizations);
        put_all(&mut self.purchases, &changes.purchases);
        put_all(&mut self.identities, &changes.identities);
        for key in &changes.forgotten {
            self.identities.remove(key);
        }
        put_all(&mut self.link_codes, &changes.link_codes);
        put_all(&mut self.verifications, &changes.verifications);
        put_all(&mut self.proposals, &changes.proposals);
        put_all(&mut self.orders, &changes.orders);
        put_all(&mut self.profiles, &changes.profiles);
        if let Some(newest) = changes.programmes.last() {
            self.in_force = InForce {
                programme: newest.programme.clone(),
                version: newest.version,
            };
        }
        for request in &changes.requests {
            let key = (request.terminal_id.clone(), request.request_id.clone());
            self.requests.insert(key, request.clone());
        }
        for edit in changes.purchases.values().filter(|edit| edit.created) {
            let purchase = &edit.row;
            let key = (purchase.terminal_id.clone(), purchase.receipt.business_date);
            count_purchase(self.totals.entry(key).or_default(), purchase);
        }
        for refund in &changes.refunds {
            let key = (refund.terminal_id.clone(), refund.business_date);
            count_refund(self.totals.entry(key).or_default(), refund);
        }
    }
}

fn put_all<K: Ord + Clone, T: Clone>(rows: &mut BTreeMap<K, T>, edits: &Edits<K, T>) {
    for (key, edit) in edits {
        rows.insert(key.clone(), edit.row.clone());
    }
}

/// Adds a purchase to its terminal's day.
fn count_purchase(totals: &mut SettlementTotals, purchase: &Purchase) {
    totals.purchases = totals.purchases.saturating_add(1);
    totals.purchase_total = totals.purchase_total.saturating_add(purchase.receipt.total);
    totals.points_redeemed = totals
        .points_redeemed
        .saturating_add(purchase.redeemed)
        .saturating_add(purchase.shortfall);
    totals.points_earned = totals.points_earned.saturating_add(purchase.earned_points);
}

/// Adds a refund to the day it posts to.
fn count_refund(totals: &mut SettlementTotals, refund: &Refund) {
    totals.refunds = totals.refunds.saturating_add(1);
    totals.points_restored = totals.points_restored.saturating_add(refund.restored);
    totals.points_clawed_back = totals.points_clawed_back.saturating_add(refund.clawed_back);
}
