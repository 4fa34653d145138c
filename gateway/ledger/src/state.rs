//! What a decision reads and what it changes.
//!
//! [`State`] holds rows that were loaded (or, in tests, all rows there are). [`Keys`] names the rows
//! a command may read, so that a store can load them; [`Keys::follow`] adds what the rows found so
//! far lead to. [`Changes`] is what a decision leaves behind; applying it to a state and writing it
//! to a database are the same change.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{Timestamp, civil::Date};
use member_card::CardId;
use pos_protocol::{
    AuthorizationId, LotId, MemberId, PendingId, PurchaseId, RequestId, SettlementTotals,
    TerminalId,
};

use crate::{
    account::Transfer,
    card_use::{CardUse, ShortCode, ShortCodeHash, UseKey},
    command::{Ask, Command, Operation, Payment, PosCommand},
    lot::{Lot, Pending},
    member::{Card, Member},
    programme::Programme,
    records::{
        Authorization, Event, ProgrammeVersion, Purchase, Refund, RequestKind, Settlement,
        StoredRequest,
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

/// The rows a batch of commands may read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Members, with all their open lots and pending grants, and those of their open authorizations that
    /// ran out by [`until`](Self::until). Locked before they are read.
    pub members: BTreeSet<MemberId>,
    /// Members of whom all open authorizations count: a text or code was shown that was shown before, and
    /// what it may promise is less what it has promised already.
    pub holders: BTreeSet<MemberId>,
    /// The latest time that any of the commands is decided at.
    pub until: Timestamp,
    /// Cards.
    pub cards: BTreeSet<CardId>,
    /// Used card texts.
    pub card_uses: BTreeSet<(CardId, u32)>,
    /// Short codes.
    pub short_codes: BTreeSet<ShortCodeHash>,
    /// Lots that may be closed.
    pub lots: BTreeSet<LotId>,
    /// Authorizations.
    pub authorizations: BTreeSet<AuthorizationId>,
    /// Purchases.
    pub purchases: BTreeSet<PurchaseId>,
    /// Requests.
    pub requests: BTreeSet<(TerminalId, RequestId)>,
    /// Totals of a terminal's business day.
    pub totals: BTreeSet<(TerminalId, Date)>,
}

impl Keys {
    /// Adds what `command` names, if it is decided at `now`.
    pub fn add(&mut self, command: &Command, now: Timestamp) {
        self.until = self.until.max(now);
        match &command.operation {
            Operation::Pos(pos) => self.add_pos(pos),
            Operation::Enrol(enrol) => {
                self.cards.insert(enrol.card_id);
            }
            Operation::RevokeCard { member_id, card_id } => {
                self.members.insert(*member_id);
                self.cards.insert(*card_id);
            }
            Operation::MakeShortCode { card_id, hash, .. } => {
                self.cards.insert(*card_id);
                self.short_codes.insert(*hash);
            }
            Operation::Sweep { member_id } | Operation::SetBlocked { member_id, .. } => {
                self.members.insert(*member_id);
            }
            Operation::Adjust(adjustment) => {
                self.members.insert(adjustment.member_id);
            }
            Operation::ActivateProgramme(_) => {}
        }
    }

    fn add_pos(&mut self, pos: &PosCommand) {
        let terminal = &pos.till.terminal_id;
        self.requests
            .insert((terminal.clone(), pos.request_id.clone()));
        match &pos.ask {
            Ask::Inquiry { card, .. }
            | Ask::Authorization { card, .. }
            | Ask::Purchase {
                payment: Payment::Card { card, .. },
                ..
            } => {
                self.add_use(card.use_key());
            }
            Ask::Void { authorization_id } => {
                self.authorizations.insert(*authorization_id);
            }
            Ask::Purchase {
                payment:
                    Payment::Authorization {
                        authorization_id, ..
                    },
                ..
            } => {
                self.authorizations.insert(*authorization_id);
            }
            Ask::Refund { purchase_id, .. } => {
                self.purchases.insert(*purchase_id);
            }
            Ask::Reversal {
                original_request_id,
            } => {
                self.requests
                    .insert((terminal.clone(), original_request_id.clone()));
            }
            Ask::Settlement { business_date, .. } => {
                self.totals.insert((terminal.clone(), *business_date));
            }
        }
    }

    fn add_use(&mut self, key: Option<UseKey>) {
        match key {
            Some(UseKey::Text { card_id, issued_at }) => {
                self.cards.insert(card_id);
                self.card_uses.insert((card_id, issued_at));
            }
            Some(UseKey::ShortCode(hash)) => {
                self.short_codes.insert(hash);
            }
            None => {}
        }
    }

    /// Adds what the rows found so far lead to: from a reversal's original to its authorization or
    /// purchase, from those to their member, card text and lots, from a card to its member. Calling
    /// it until nothing is added loads all that a decision can read.
    pub fn follow(&mut self, state: &State) {
        let requests: Vec<_> = self
            .requests
            .iter()
            .filter_map(|key| state.requests.get(key))
            .collect();
        for request in requests {
            match (request.kind, request.effect) {
                (RequestKind::Authorization, Some(id)) => {
                    self.authorizations.insert(AuthorizationId::new(id));
                }
                (RequestKind::Purchase, Some(id)) => {
                    self.purchases.insert(PurchaseId::new(id));
                }
                _ => {}
            }
        }
        for purchase in self
            .purchases
            .clone()
            .iter()
            .filter_map(|id| state.purchases.get(id))
        {
            self.members.insert(purchase.member_id);
            self.lots
                .extend(purchase.redeemed_parts.iter().map(|part| part.lot_id));
            self.lots
                .extend(purchase.earned.iter().map(|earned| earned.lot_id));
            self.authorizations.extend(purchase.authorization_id);
            self.add_use(Some(purchase.used));
        }
        for authorization in self
            .authorizations
            .clone()
            .iter()
            .filter_map(|id| state.authorizations.get(id))
        {
            self.members.insert(authorization.member_id);
            self.lots
                .extend(authorization.parts.iter().map(|part| part.lot_id));
            self.add_use(Some(authorization.used));
        }
        for code in self
            .short_codes
            .iter()
            .filter_map(|hash| state.short_codes.get(hash))
        {
            self.cards.insert(code.card_id);
            self.members.insert(code.member_id);
            self.holders
                .extend(code.binding.as_ref().map(|_| code.member_id));
        }
        self.holders.extend(
            self.card_uses
                .iter()
                .filter_map(|key| state.card_uses.get(key))
                .map(|used| used.member_id),
        );
        self.members.extend(
            self.cards
                .iter()
                .filter_map(|id| state.cards.get(id))
                .map(|card| card.member_id),
        );
    }
}
