//! Which rows a batch of commands may read.
//!
//! [`Keys::add`] names what a command names, so that a store can load it; [`Keys::follow`] adds what the
//! rows found so far lead to. Following until nothing is added loads all that a decision can read.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use member_card::CardId;
use pos_protocol::{
    AuthorizationId, LotId, MemberId, OrderId, PlacedOrder, PurchaseId, RequestId, ShopId,
    TerminalId,
};
use uuid::Uuid;

use crate::{
    card_use::{CardProof, ShortCodeHash, UseKey},
    command::{Ask, Command, Operation, OrderReport, Payment, PosCommand, Side},
    identity::{CodeHash, IdentityKey},
    member::Member,
    records::RequestKind,
    state::State,
};

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
    /// Identities.
    pub identities: BTreeSet<IdentityKey>,
    /// Codes that link.
    pub link_codes: BTreeSet<CodeHash>,
    /// Verifications.
    pub verifications: BTreeSet<Uuid>,
    /// Proposals of the desk.
    pub proposals: BTreeSet<Uuid>,
    /// Orders of EC shops.
    pub orders: BTreeSet<(ShopId, OrderId)>,
    /// Members whose personal data counts.
    pub profiles: BTreeSet<MemberId>,
    /// Members that are to be erased, with all their identities.
    pub erased: BTreeSet<MemberId>,
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
            Operation::RequestAdjustment(request) => {
                self.members.insert(request.adjustment.member_id);
            }
            Operation::DecideProposal(decision) => {
                self.proposals.insert(decision.id);
            }
            Operation::ActivateProgramme(_) => {}
            Operation::ReportOrder(report) => self.add_order(report),
            person => self.add_person(person),
        }
    }

    /// What commands about a person name.
    fn add_person(&mut self, operation: &Operation) {
        match operation {
            Operation::Link(link) => {
                self.add_side(&link.asker);
                self.add_side(&link.other);
            }
            Operation::MakeLinkCode(make) => {
                self.link_codes.insert(make.hash);
                self.add_side(&make.side);
            }
            Operation::EnterLinkCode(enter) => {
                self.link_codes.insert(enter.hash);
                self.add_side(&enter.side);
            }
            Operation::StartVerification(start) => {
                self.cards.insert(start.card_id);
                // Its code may come back in the same batch.
                self.identities.insert(start.claim.key);
            }
            Operation::Confirm(confirm) => {
                self.cards.insert(confirm.card_id);
                self.verifications.insert(confirm.id);
            }
            Operation::RevokeIdentity { member_id, key } => {
                self.members.insert(*member_id);
                self.identities.insert(*key);
            }
            Operation::NameCard {
                member_id, card_id, ..
            } => {
                self.members.insert(*member_id);
                self.cards.insert(*card_id);
            }
            Operation::IssueCard(issue) => {
                self.cards.insert(issue.card_id);
                self.cards.extend(issue.asker);
            }
            Operation::Merge(merging) => {
                self.members.extend([merging.member_id, merging.into]);
            }
            Operation::Unmerge(unmerging) => {
                self.members.insert(unmerging.member_id);
            }
            Operation::SetProfile(change) => {
                self.members.insert(change.member_id);
                self.profiles.insert(change.member_id);
            }
            Operation::Erase(erasure) => {
                self.members.insert(erasure.member_id);
                self.erased.insert(erasure.member_id);
            }
            _ => {}
        }
    }

    fn add_side(&mut self, side: &Side) {
        match side {
            Side::Card(card_id) => {
                self.cards.insert(*card_id);
            }
            Side::Member(member_id) => {
                self.members.insert(*member_id);
            }
            Side::Identity(claim) => {
                self.identities.insert(claim.key);
            }
        }
    }

    fn add_order(&mut self, report: &OrderReport) {
        let statement = &report.statement;
        self.orders
            .insert((report.shop_id.clone(), statement.order_id.clone()));
        self.identities
            .extend(report.customer.as_ref().map(|claim| claim.key));
        self.short_codes.insert(report.used);
        self.add_redemption(statement.placed.as_ref());
    }

    fn add_redemption(&mut self, placed: Option<&PlacedOrder>) {
        let redemption = placed.and_then(|placed| placed.redemption.as_ref());
        self.authorizations
            .extend(redemption.map(|redemption| redemption.authorization_id));
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
            } => self.add_card(card),
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

    fn add_card(&mut self, card: &CardProof) {
        self.add_use(card.use_key());
        match card {
            CardProof::Number { card_id, .. } => {
                self.cards.insert(*card_id);
            }
            CardProof::Customer { key, .. } => {
                self.identities.insert(*key);
            }
            CardProof::Text { .. }
            | CardProof::Pass { .. }
            | CardProof::ShortCode(_)
            | CardProof::NotGenuine => {}
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
        self.follow_family(state);
        self.follow_identities(state);
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
            self.cards.extend(code.card_id);
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

    /// From a record to those it is merged with; from a lot to the one that lent its points.
    fn follow_family(&mut self, state: &State) {
        let loaded = self.members.iter().filter_map(|id| state.members.get(id));
        let linked: Vec<_> = loaded.flat_map(Member::linked).collect();
        self.members.extend(linked);
        for lender in state.lots.values().filter_map(|lot| lot.key.lender) {
            self.members.insert(lender.member_id);
            // An open lot comes with its member; only a closed one is asked for by name.
            if !state.lots.contains_key(&(lender.member_id, lender.lot_id)) {
                self.lots.insert(lender.lot_id);
            }
        }
    }

    /// From identities, codes and orders to their members; from an order to its purchase and its hold; from
    /// a person that is to be erased to all its records.
    fn follow_identities(&mut self, state: &State) {
        let found = self
            .identities
            .iter()
            .filter_map(|key| state.identities.get(key));
        self.members.extend(found.map(|row| row.member_id));
        let found = self
            .link_codes
            .iter()
            .filter_map(|hash| state.link_codes.get(hash));
        self.members.extend(found.map(|row| row.member_id));
        let found = self
            .verifications
            .iter()
            .filter_map(|id| state.verifications.get(id));
        for row in found {
            self.members.insert(row.member_id);
            self.identities.insert(row.claim.key);
        }
        let proposals = self
            .proposals
            .iter()
            .filter_map(|id| state.proposals.get(id));
        self.members
            .extend(proposals.map(|row| row.adjustment.member_id));
        let orders = self.orders.iter().filter_map(|key| state.orders.get(key));
        for order in orders.cloned().collect::<Vec<_>>() {
            self.members.extend(order.member_id);
            self.purchases.extend(order.purchase_id);
            let described = order.facts.described.as_ref();
            self.add_redemption(described.map(|described| &described.placed));
        }
        let erased = self.erased.iter().filter_map(|id| state.members.get(id));
        let linked: Vec<_> = erased.flat_map(Member::linked).collect();
        self.erased.extend(linked);
        // Whoever else the batch is about may be merged with them first.
        if !self.erased.is_empty() {
            self.erased.extend(&self.members);
        }
        self.profiles.extend(self.erased.iter());
    }
}
