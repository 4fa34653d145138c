//! One decision in the making: a view of the state with the changes so far laid over it.
//!
//! Balances change in one place only, [`Posting::transfer`]. It moves points between two accounts,
//! keeps lot and member in step with the transfer row, and refuses to take what is not there.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use pos_protocol::{Balance, LotId, MemberId, PendingId, Points, StoreId, TransferId};
use uuid::Uuid;

use crate::{
    account::{Account, Motive, Transfer},
    calendar,
    card_use::{Binding, UseKey},
    command::Command,
    decision::Broken,
    identity::{self, CodeHash, IdentityKey},
    lot::{Lot, LotKey, Part, Pending},
    member::Member,
    programme::Programme,
    records::{Authorization, HoldState},
    state::{Changes, Edit, Edits, State},
};

/// A decision in the making.
pub(crate) struct Posting<'a> {
    pub(crate) state: &'a State,
    pub(crate) changes: Changes,
    pub(crate) now: Timestamp,
    /// The programme's calendar day.
    pub(crate) today: Date,
    base_id: u128,
    next_id: u128,
}

/// Where a transfer belongs.
#[derive(Debug, Clone)]
pub(crate) struct Slip {
    pub(crate) member_id: MemberId,
    pub(crate) motive: Motive,
    pub(crate) source: Uuid,
    pub(crate) store_id: Option<StoreId>,
    pub(crate) business_date: Date,
}

fn find<'x, K: Ord, T>(rows: &'x BTreeMap<K, T>, edits: &'x Edits<K, T>, key: &K) -> Option<&'x T> {
    edits
        .get(key)
        .map(|edit| &edit.row)
        .or_else(|| rows.get(key))
}

fn put<K: Ord, T>(rows: &BTreeMap<K, T>, edits: &mut Edits<K, T>, key: K, row: T) {
    let created = !rows.contains_key(&key);
    edits.insert(key, Edit { row, created });
}

macro_rules! row_access {
    ($($get:ident, $put:ident: $table:ident, $key:ty => $row:ty;)*) => {$(
        pub(crate) fn $get(&self, key: $key) -> Option<&$row> {
            find(&self.state.$table, &self.changes.$table, &key)
        }
        pub(crate) fn $put(&mut self, key: $key, row: $row) {
            put(&self.state.$table, &mut self.changes.$table, key, row);
        }
    )*};
}

impl<'a> Posting<'a> {
    pub(crate) fn new(state: &'a State, command: &Command, now: Timestamp) -> Self {
        Self {
            state,
            changes: Changes::default(),
            now,
            today: calendar::today(&state.in_force.programme, now),
            base_id: command.id.as_uuid().as_u128(),
            next_id: 0,
        }
    }

    /// A second posting over the same state that continues from this one's changes; dropping it
    /// takes back all it did.
    pub(crate) fn trial(&self) -> Posting<'a> {
        Posting {
            changes: self.changes.clone(),
            ..*self
        }
    }

    pub(crate) fn programme(&self) -> &'a Programme {
        &self.state.in_force.programme
    }

    /// The next id derived from the command's. The edge leaves the low 16 bits free.
    pub(crate) fn new_id(&mut self) -> Uuid {
        self.next_id = self.next_id.wrapping_add(1);
        Uuid::from_u128(self.base_id.wrapping_add(self.next_id))
    }

    row_access! {
        member, put_member: members, MemberId => Member;
        card, put_card: cards, member_card::CardId => crate::member::Card;
        card_use, put_card_use: card_uses, (member_card::CardId, u32) => crate::card_use::CardUse;
        short_code, put_short_code: short_codes, crate::card_use::ShortCodeHash => crate::card_use::ShortCode;
        lot, put_lot: lots, (MemberId, LotId) => Lot;
        pending, put_pending: pending, (MemberId, PendingId) => Pending;
        authorization, put_authorization: authorizations, pos_protocol::AuthorizationId => Authorization;
        sold, put_purchase: purchases, pos_protocol::PurchaseId => crate::records::Purchase;
        identity, put_identity: identities, IdentityKey => identity::Identity;
        link_code, put_link_code: link_codes, CodeHash => identity::LinkCode;
        verification, put_verification: verifications, Uuid => identity::Verification;
        proposal, put_proposal: proposals, Uuid => crate::proposal::Proposal;
        order, put_order: orders, (pos_protocol::ShopId, pos_protocol::OrderId) => crate::order::Order;
        profile, put_profile: profiles, MemberId => crate::profile::Profile;
    }

    /// All loaded lots of a member.
    pub(crate) fn lots_of(&self, member_id: MemberId) -> Vec<&Lot> {
        of_member(&self.state.lots, &self.changes.lots, member_id, LotId::new)
    }

    /// All loaded pending grants of a member.
    pub(crate) fn pending_of(&self, member_id: MemberId) -> Vec<&Pending> {
        of_member(
            &self.state.pending,
            &self.changes.pending,
            member_id,
            PendingId::new,
        )
    }

    /// All open holds of a member, oldest first.
    pub(crate) fn holds_of(&self, member_id: MemberId) -> Vec<Authorization> {
        // A batch carries the holds of many members: leave those out before anything is sorted.
        let own = |hold: &Authorization| hold.member_id == member_id;
        let loaded = self.state.authorizations.iter();
        let mut holds: BTreeMap<_, _> = loaded.filter(|(_, hold)| own(hold)).collect();
        let edited = self.changes.authorizations.iter();
        let edited = edited.map(|(id, edit)| (id, &edit.row));
        holds.extend(edited.filter(|(_, hold)| own(hold)));
        let open = |hold: &&Authorization| hold.state == HoldState::Held;
        holds.into_values().filter(open).cloned().collect()
    }

    /// The basket a card text or short code serves.
    pub(crate) fn binding(&self, used: UseKey) -> Option<&Binding> {
        match used {
            UseKey::Text { card_id, issued_at } => self
                .card_use((card_id, issued_at))
                .map(|found| &found.binding),
            UseKey::ShortCode(hash) => self
                .short_code(hash)
                .and_then(|found| found.binding.as_ref()),
        }
    }

    /// Changes the binding of a card text or short code that has one.
    pub(crate) fn edit_binding(&mut self, used: UseKey, edit: impl FnOnce(&mut Binding)) {
        match used {
            UseKey::Text { card_id, issued_at } => {
                if let Some(mut row) = self.card_use((card_id, issued_at)).cloned() {
                    edit(&mut row.binding);
                    self.put_card_use((card_id, issued_at), row);
                }
            }
            UseKey::ShortCode(hash) => {
                if let Some(mut row) = self.short_code(hash).cloned() {
                    if let Some(binding) = &mut row.binding {
                        edit(binding);
                    }
                    self.put_short_code(hash, row);
                }
            }
        }
    }

    /// The person's points as a till sees them: those of all records that are merged.
    pub(crate) fn balance(&self, member_id: MemberId) -> Option<Balance> {
        self.member(member_id)?;
        Some(Balance {
            available: self.total(member_id, |member| member.available),
            spendable: None,
        })
    }

    /// The open lot with this key, or a new one.
    pub(crate) fn lot_for(&mut self, member_id: MemberId, key: LotKey, origin: &str) -> LotId {
        let same = |lot: &&&Lot| lot.is_open() && lot.key == key;
        if let Some(lot) = self.lots_of(member_id).iter().find(same) {
            return lot.id;
        }
        let id = LotId::new(self.new_id());
        let lot = Lot {
            id,
            member_id,
            key,
            granted: Points::ZERO,
            available: Points::ZERO,
            held: Points::ZERO,
            pending: Points::ZERO,
            opened_at: self.now,
            origin: origin.to_owned(),
            programme_version: self.state.in_force.version,
        };
        self.put_lot((member_id, id), lot);
        id
    }

    /// Moves every part from `debit` to `credit`.
    pub(crate) fn transfer_parts(
        &mut self,
        slip: &Slip,
        debit: Account,
        credit: Account,
        parts: &[Part],
    ) -> Result<(), Broken> {
        parts
            .iter()
            .try_for_each(|part| self.transfer(slip, debit, credit, Some(part.lot_id), part.points))
    }

    /// Moves points from `debit` to `credit`: the transfer row, the lot and the member in one step.
    /// Moving nothing leaves no row.
    pub(crate) fn transfer(
        &mut self,
        slip: &Slip,
        debit: Account,
        credit: Account,
        lot_id: Option<LotId>,
        points: Points,
    ) -> Result<(), Broken> {
        if points.is_zero() {
            return Ok(());
        }
        let mut member = self
            .member(slip.member_id)
            .cloned()
            .ok_or(Broken("a transfer names no loaded member"))?;
        let mut lot = match lot_id {
            Some(id) => Some(
                self.lot((slip.member_id, id))
                    .cloned()
                    .ok_or(Broken("a transfer names no loaded lot"))?,
            ),
            None => None,
        };
        move_points(&mut member, lot.as_mut(), debit, points, Side::Debit)?;
        move_points(&mut member, lot.as_mut(), credit, points, Side::Credit)?;
        if let Some(mut lot) = lot {
            let lent = debit == Account::ProgrammeClearing && lot.key.lender.is_some();
            if debit == Account::ProgrammeIssued || lent {
                lot.granted = lot
                    .granted
                    .checked_add(points)
                    .ok_or(Broken("a lot was granted too much"))?;
            }
            self.put_lot((slip.member_id, lot.id), lot);
        }
        self.put_member(slip.member_id, member);
        let id = TransferId::new(self.new_id());
        self.changes.transfers.push(Transfer {
            id,
            member_id: slip.member_id,
            lot_id,
            debit,
            credit,
            points,
            motive: slip.motive,
            source: slip.source,
            store_id: slip.store_id.clone(),
            business_date: slip.business_date,
            at: self.now,
        });
        Ok(())
    }
}

fn of_member<'x, I: Ord + Copy, T>(
    rows: &'x BTreeMap<(MemberId, I), T>,
    edits: &'x Edits<(MemberId, I), T>,
    member_id: MemberId,
    id: impl Fn(Uuid) -> I,
) -> Vec<&'x T> {
    let range = (member_id, id(Uuid::nil()))..=(member_id, id(Uuid::max()));
    let mut found: BTreeMap<_, _> = rows.range(range.clone()).collect();
    found.extend(edits.range(range).map(|(key, edit)| (key, &edit.row)));
    found.into_values().collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Debit,
    Credit,
}

/// Changes the columns of member and lot that follow `account`.
fn move_points(
    member: &mut Member,
    lot: Option<&mut Lot>,
    account: Account,
    points: Points,
    side: Side,
) -> Result<(), Broken> {
    let step = |balance: Points| match side {
        Side::Debit => balance
            .checked_sub(points)
            .ok_or(Broken("an account would fall below zero")),
        Side::Credit => balance
            .checked_add(points)
            .ok_or(Broken("an account would pass the largest amount")),
    };
    let lot = lot.ok_or(Broken("a member account moves without a lot"));
    match account {
        Account::MemberAvailable => {
            let lot = lot?;
            lot.available = step(lot.available)?;
            member.available = step(member.available)?;
        }
        Account::MemberHeld => {
            let lot = lot?;
            lot.held = step(lot.held)?;
            member.held = step(member.held)?;
        }
        Account::MemberPending => {
            let lot = lot?;
            lot.pending = step(lot.pending)?;
            member.pending = step(member.pending)?;
        }
        // The account's balance is minus the debt: a debit makes the debt grow.
        Account::MemberOwed => {
            let debt = match side {
                Side::Debit => member.owed.checked_add(points),
                Side::Credit => member.owed.checked_sub(points),
            };
            member.owed = debt.ok_or(Broken("a debt would leave its range"))?;
        }
        Account::ProgrammeIssued
        | Account::ProgrammeBreakage
        | Account::ProgrammeClearing
        | Account::StoreRedeemed
        | Account::StoreShortfall => {}
    }
    Ok(())
}
