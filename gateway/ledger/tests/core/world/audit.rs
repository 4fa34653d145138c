//! The books: everything that the transfers alone say, held against the rows.
//!
//! [`Books::enter`] looks at one decision's changes before they are applied, [`Books::check`] at all
//! rows afterwards. Nothing here shares code with the ledger.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{
    account::{Account, Motive, Transfer},
    card_use::{Binding, UseKey},
    lot::Lot,
    records::{HoldState, Purchase, PurchaseState},
    state::{Changes, Edit, Edits, State},
};
use pos_protocol::{LotId, MemberId, Points, SettlementTotals, StoreId};
use serde_json::{Value, json};
use uuid::Uuid;

/// Points by lot: granted, available, held, pending.
type LotBalance = [i64; 4];

/// Balances and counts replayed from the transfers, refunds and events.
#[derive(Default)]
pub(crate) struct Books {
    lots: BTreeMap<LotId, LotBalance>,
    /// Points that came to a lot from another record of the same person.
    borrowed: BTreeMap<LotId, i64>,
    owed: BTreeMap<MemberId, i64>,
    redeemed: BTreeMap<StoreId, i64>,
    accounts: BTreeMap<Account, i64>,
    by_source: BTreeMap<(Uuid, Motive), i64>,
    refunds: BTreeMap<Uuid, Vec<Uuid>>,
    sequences: BTreeMap<MemberId, i64>,
    /// The balance that the member's newest event tells.
    told: BTreeMap<MemberId, Value>,
    ids: BTreeSet<Uuid>,
}

impl Books {
    /// Enters one decision: what it may not do is found here.
    pub(crate) fn enter(&mut self, before: &State, changes: &Changes) {
        for transfer in &changes.transfers {
            assert!(
                !transfer.points.is_zero() && transfer.debit != transfer.credit,
                "{transfer:?}"
            );
            self.unique(transfer.id.as_uuid());
            self.post(transfer);
        }
        for event in &changes.events {
            self.unique(event.id.as_uuid());
            let told = format!("{} {}", event.subject, event.data);
            assert!(!told.contains(super::SECRET), "personal data in {told}");
            if let Some(member_id) = event.member_id {
                let sequence = self.sequences.entry(member_id).or_default();
                *sequence += 1;
                assert_eq!(event.member_sequence, *sequence, "a gap before {event:?}");
                let data: Value = serde_json::from_str(&event.data).unwrap();
                self.told.insert(member_id, data["balance"].clone());
            }
        }
        for refund in &changes.refunds {
            self.unique(refund.id.as_uuid());
            let of_purchase = self.refunds.entry(refund.purchase_id.as_uuid());
            of_purchase.or_default().push(refund.id.as_uuid());
        }
        check_created(before, changes);
        check_told(before, changes);
        check_final_rows(before, changes);
        check_declines(changes);
        for request in &changes.requests {
            let key = (request.terminal_id.clone(), request.request_id.clone());
            assert!(
                !before.requests.contains_key(&key),
                "{key:?} answered twice"
            );
        }
    }

    fn unique(&mut self, id: Uuid) {
        assert!(self.ids.insert(id), "the id {id} was made twice");
    }

    fn post(&mut self, transfer: &Transfer) {
        for (account, points) in [
            (transfer.debit, -transfer.points.get()),
            (transfer.credit, transfer.points.get()),
        ] {
            *self.accounts.entry(account).or_default() += points;
            let lot = || transfer.lot_id.expect("member points lie in a lot");
            match account {
                Account::MemberAvailable => self.lots.entry(lot()).or_default()[1] += points,
                Account::MemberHeld => self.lots.entry(lot()).or_default()[2] += points,
                Account::MemberPending => self.lots.entry(lot()).or_default()[3] += points,
                Account::MemberOwed => *self.owed.entry(transfer.member_id).or_default() -= points,
                Account::StoreRedeemed => {
                    let store = transfer
                        .store_id
                        .clone()
                        .expect("points are spent at a store");
                    *self.redeemed.entry(store).or_default() += points;
                }
                Account::ProgrammeIssued
                | Account::ProgrammeBreakage
                | Account::ProgrammeClearing
                | Account::StoreShortfall => {}
            }
        }
        if transfer.debit == Account::ProgrammeIssued
            && let Some(lot_id) = transfer.lot_id
        {
            self.lots.entry(lot_id).or_default()[0] += transfer.points.get();
        }
        if transfer.debit == Account::ProgrammeClearing
            && let Some(lot_id) = transfer.lot_id
        {
            *self.borrowed.entry(lot_id).or_default() += transfer.points.get();
        }
        let source = (transfer.source, transfer.motive);
        *self.by_source.entry(source).or_default() += transfer.points.get();
    }

    fn moved(&self, source: Uuid, motive: Motive) -> i64 {
        self.by_source.get(&(source, motive)).copied().unwrap_or(0)
    }

    /// Holds all rows against what was entered.
    pub(crate) fn check(&self, state: &State) {
        self.check_accounts();
        self.check_lots(state);
        self.check_members(state);
        self.check_holds(state);
        for purchase in state.purchases.values() {
            self.check_purchase(state, purchase);
        }
        check_baskets(state);
        check_totals(state, &self.refunds);
    }

    /// I1 and I2 over the whole programme.
    fn check_accounts(&self) {
        assert_eq!(
            self.accounts.values().sum::<i64>(),
            0,
            "{:?}",
            self.accounts
        );
        let at = |account| self.accounts.get(&account).copied().unwrap_or(0);
        for account in Account::ALL {
            let below_zero = matches!(
                account,
                Account::MemberOwed | Account::ProgrammeIssued | Account::StoreShortfall
            );
            assert!(
                below_zero || at(*account) >= 0,
                "{account:?} {:?}",
                self.accounts
            );
        }
        // A debt is owed to what was issued: nothing comes back that was never given.
        let (owed, issued) = (at(Account::MemberOwed), at(Account::ProgrammeIssued));
        assert!(owed <= 0 && owed + issued <= 0, "{:?}", self.accounts);
        assert!(at(Account::StoreShortfall) <= 0, "{:?}", self.accounts);
        assert_eq!(at(Account::ProgrammeClearing), 0, "{:?}", self.accounts);
        assert!(
            self.redeemed.values().all(|points| *points >= 0),
            "{:?}",
            self.redeemed
        );
    }

    /// I9 for lots; a lot's held and pending points are those of its holds and grants.
    fn check_lots(&self, state: &State) {
        let mut held = BTreeMap::<LotId, i64>::new();
        for hold in state.authorizations.values() {
            for part in hold.parts.iter().filter(|_| hold.state == HoldState::Held) {
                *held.entry(part.lot_id).or_default() += part.points.get();
            }
        }
        let mut pending = BTreeMap::<LotId, i64>::new();
        for grant in state.pending.values() {
            *pending.entry(grant.lot_id).or_default() += grant.points.get();
        }
        for ((member_id, lot_id), lot) in &state.lots {
            assert_eq!((*member_id, *lot_id), (lot.member_id, lot.id));
            let columns = [lot.granted, lot.available, lot.held, lot.pending].map(Points::get);
            let mut replayed = self.lots.get(lot_id).copied().unwrap_or_default();
            if lot.key.lender.is_some() {
                replayed[0] += self.borrowed.get(lot_id).copied().unwrap_or(0);
                assert!(lot.available.is_zero(), "it was not sent back: {lot:?}");
            }
            assert_eq!(columns, replayed, "{lot:?}");
            assert_eq!(
                columns[2],
                held.remove(lot_id).unwrap_or(0),
                "held in {lot:?}"
            );
            assert_eq!(
                columns[3],
                pending.remove(lot_id).unwrap_or(0),
                "pending in {lot:?}"
            );
        }
        assert!(
            self.lots
                .keys()
                .all(|id| state.lots.keys().any(|(_, lot)| lot == id))
        );
    }

    /// I9 for members: sums of their lots, debts, counts.
    fn check_members(&self, state: &State) {
        for member in state.members.values() {
            let id = member.id;
            let lots = state.lots.values().filter(|lot| lot.member_id == id);
            let sums = lots.fold([0; 3], |[a, h, p], lot| {
                [
                    a + lot.available.get(),
                    h + lot.held.get(),
                    p + lot.pending.get(),
                ]
            });
            let columns = [member.available, member.held, member.pending].map(Points::get);
            assert_eq!(columns, sums, "{member:?}");
            let owed = self.owed.get(&id).copied().unwrap_or(0);
            assert_eq!(member.owed.get(), owed, "{member:?}");
            let holds = state.authorizations.values();
            let open = holds.filter(|hold| hold.member_id == id && hold.state == HoldState::Held);
            assert_eq!(
                usize::try_from(member.open_holds).unwrap(),
                open.count(),
                "{member:?}"
            );
            let sequence = self.sequences.get(&id).copied().unwrap_or(0);
            assert_eq!(member.event_sequence, sequence, "{member:?}");
            let balance = json!({
                "available": member.available,
                "held": member.held,
                "pending": member.pending,
                "owed": member.owed,
            });
            assert_eq!(self.told.get(&id), Some(&balance), "{member:?}");
        }
    }

    /// I5: what was held is let go or captured, once and whole.
    fn check_holds(&self, state: &State) {
        for hold in state.authorizations.values() {
            let id = hold.id.as_uuid();
            let points = hold.points.get();
            assert_eq!(self.moved(id, Motive::Hold), points, "{hold:?}");
            let captured = self.moved(id, Motive::Capture);
            assert_eq!(hold.captured.get(), captured, "{hold:?}");
            let let_go = self.moved(id, Motive::Release);
            let open = hold.state == HoldState::Held;
            assert_eq!(captured + let_go, if open { 0 } else { points }, "{hold:?}");
            assert_eq!(hold.resolved_at.is_none(), open, "{hold:?}");
            assert!(
                captured == 0 || hold.state == HoldState::Captured,
                "{hold:?}"
            );
            assert!(serves(state, hold.used, |binding| {
                binding.terminal_id == hold.terminal_id && binding.basket_id == hold.basket_id
            }));
        }
    }

    /// A purchase has moved what its row says, and its refunds never more than that.
    fn check_purchase(&self, state: &State, purchase: &Purchase) {
        let id = purchase.id.as_uuid();
        let parts = purchase.redeemed_parts.iter().map(|part| part.points);
        assert_eq!(Points::total(parts), purchase.redeemed, "{purchase:?}");
        let at_once = self.moved(id, Motive::Capture);
        let hold = purchase.authorization_id.map(|hold| hold.as_uuid());
        let captured = match (at_once, hold) {
            (0, Some(hold)) if !purchase.redeemed.is_zero() => self.moved(hold, Motive::Capture),
            _ => at_once,
        };
        assert_eq!(purchase.redeemed.get(), captured, "{purchase:?}");
        assert_eq!(
            purchase.shortfall.get(),
            self.moved(id, Motive::Shortfall),
            "{purchase:?}"
        );
        assert_eq!(
            purchase.earned_points.get(),
            self.moved(id, Motive::Accrual),
            "{purchase:?}"
        );
        let refunds = self.refunds.get(&id).map_or(&[][..], Vec::as_slice);
        let sum = |motive| {
            refunds
                .iter()
                .map(|refund| self.moved(*refund, motive))
                .sum::<i64>()
        };
        assert_eq!(
            purchase.restored.get(),
            sum(Motive::Restoration),
            "{purchase:?}"
        );
        assert!(purchase.restored <= purchase.redeemed, "{purchase:?}");
        assert!(
            sum(Motive::Clawback) <= purchase.clawback_due.get(),
            "{purchase:?}"
        );
        assert!(
            purchase.clawback_due <= purchase.earned_points,
            "{purchase:?}"
        );
        assert!(
            purchase.refunded_amount <= purchase.receipt.total,
            "{purchase:?}"
        );
        let back = |line_no| purchase.refunded.get(&line_no).copied().unwrap_or(0);
        let lines = &purchase.receipt.lines;
        assert!(
            lines.iter().all(|line| back(line.line_no) <= line.quantity),
            "{purchase:?}"
        );
        let whole = lines.iter().all(|line| back(line.line_no) == line.quantity);
        assert!(
            whole || purchase.state == PurchaseState::Completed,
            "{purchase:?}"
        );
        if whole {
            assert_eq!(purchase.restored, purchase.redeemed, "{purchase:?}");
            assert_eq!(
                purchase.clawback_due, purchase.earned_points,
                "{purchase:?}"
            );
        }
        assert!(serves(state, purchase.used, |binding| {
            binding.terminal_id == purchase.terminal_id && binding.basket_id == purchase.basket_id
        }));
    }
}

fn binding(state: &State, used: UseKey) -> Option<&Binding> {
    match used {
        UseKey::Text { card_id, issued_at } => state
            .card_uses
            .get(&(card_id, issued_at))
            .map(|found| &found.binding),
        UseKey::ShortCode(hash) => state.short_codes.get(&hash)?.binding.as_ref(),
    }
}

fn serves(state: &State, used: UseKey, so: impl FnOnce(&Binding) -> bool) -> bool {
    binding(state, used).is_some_and(so)
}

/// I3: under one card text or short code at most one purchase stands, and the binding names it.
fn check_baskets(state: &State) {
    let mut standing = BTreeMap::new();
    for purchase in state.purchases.values() {
        if purchase.state == PurchaseState::Completed {
            let earlier = standing.insert(purchase.used, purchase.id);
            assert_eq!(earlier, None, "{:?} served two purchases", purchase.used);
        }
    }
    let texts = state.card_uses.values().map(|found| {
        let (card_id, issued_at) = (found.card_id, found.issued_at);
        (UseKey::Text { card_id, issued_at }, Some(&found.binding))
    });
    let codes = state.short_codes.values();
    let codes = codes.map(|code| (UseKey::ShortCode(code.hash), code.binding.as_ref()));
    for (used, binding) in texts.chain(codes) {
        let named = binding.and_then(|binding| binding.purchase_id);
        assert_eq!(named, standing.get(&used).copied(), "{used:?}");
    }
}

/// Totals by terminal and day are sums over purchases and refunds.
fn check_totals(state: &State, refunds: &BTreeMap<Uuid, Vec<Uuid>>) {
    let mut totals = BTreeMap::<_, SettlementTotals>::new();
    for purchase in state.purchases.values() {
        let key = (purchase.terminal_id.clone(), purchase.receipt.business_date);
        let day = totals.entry(key).or_default();
        day.purchases += 1;
        day.purchase_total = day.purchase_total.saturating_add(purchase.receipt.total);
        let paid = purchase.redeemed.saturating_add(purchase.shortfall);
        day.points_redeemed = day.points_redeemed.saturating_add(paid);
        day.points_earned = day.points_earned.saturating_add(purchase.earned_points);
    }
    for (key, day) in &state.totals {
        let sold = totals.remove(key).unwrap_or_default();
        let got = (
            day.purchases,
            day.purchase_total,
            day.points_redeemed,
            day.points_earned,
        );
        let sums = (
            sold.purchases,
            sold.purchase_total,
            sold.points_redeemed,
            sold.points_earned,
        );
        assert_eq!(got, sums, "{key:?}");
    }
    assert!(totals.is_empty(), "{totals:?}");
    let counted: u32 = state.totals.values().map(|day| day.refunds).sum();
    let made: usize = refunds.values().map(Vec::len).sum();
    assert_eq!(usize::try_from(counted).unwrap(), made);
}

/// I7: whatever changes for a member is told of that member, whatever changes beside members too.
/// The new last day of a lot is told with the purchase that was the person's activity, whosever it is.
fn check_told(before: &State, changes: &Changes) {
    let points = |lot: &Lot| [lot.granted, lot.available, lot.held, lot.pending];
    let moved = |(key, edit): &(&(MemberId, LotId), &Edit<Lot>)| {
        let old = before.lots.get(*key);
        changes.purchases.is_empty() || old.map(points) != Some(points(&edit.row))
    };
    let lots = changes.lots.iter().filter(moved);
    let members = (changes.members.keys().copied())
        .chain(changes.cards.values().map(|edit| edit.row.member_id))
        .chain(lots.map(|((member_id, _), _)| *member_id))
        .chain(changes.pending.keys().map(|(member_id, _)| *member_id))
        .chain(
            changes
                .authorizations
                .values()
                .map(|edit| edit.row.member_id),
        )
        .chain(changes.purchases.values().map(|edit| edit.row.member_id))
        .chain(changes.refunds.iter().map(|refund| refund.member_id))
        .chain(changes.transfers.iter().map(|transfer| transfer.member_id));
    for member_id in members {
        let told = changes
            .events
            .iter()
            .any(|event| event.member_id == Some(member_id));
        assert!(told, "{member_id} changed, and nobody is told: {changes:?}");
    }
    let plain = changes
        .events
        .iter()
        .filter(|event| event.member_id.is_none());
    let beside = changes.settlements.len() + changes.programmes.len();
    assert_eq!(plain.count(), beside, "{:?}", changes.events);
}

/// A row is marked as created when it was not there before, and only then.
pub(crate) fn check_created(before: &State, changes: &Changes) {
    fn check<K: Ord + std::fmt::Debug, T>(rows: &BTreeMap<K, T>, edits: &Edits<K, T>) {
        for (key, edit) in edits {
            assert_eq!(edit.created, !rows.contains_key(key), "{key:?}");
        }
    }
    check(&before.members, &changes.members);
    check(&before.cards, &changes.cards);
    check(&before.card_uses, &changes.card_uses);
    check(&before.short_codes, &changes.short_codes);
    check(&before.lots, &changes.lots);
    check(&before.pending, &changes.pending);
    check(&before.authorizations, &changes.authorizations);
    check(&before.purchases, &changes.purchases);
    check(&before.identities, &changes.identities);
    check(&before.link_codes, &changes.link_codes);
    check(&before.proposals, &changes.proposals);
    check(&before.verifications, &changes.verifications);
    check(&before.orders, &changes.orders);
    check(&before.profiles, &changes.profiles);
}

/// What is final stays as it is; what grows does not shrink.
fn check_final_rows(before: &State, changes: &Changes) {
    for (id, edit) in &changes.authorizations {
        if let Some(old) = before.authorizations.get(id) {
            assert_eq!(
                old.state,
                HoldState::Held,
                "a resolved hold changed: {edit:?}"
            );
        }
    }
    for (key, edit) in &changes.card_uses {
        if let Some(old) = before.card_uses.get(key) {
            let basket = |binding: &Binding| {
                (
                    binding.terminal_id.clone(),
                    binding.basket_id.clone(),
                    binding.bound_at,
                )
            };
            assert_eq!(basket(&old.binding), basket(&edit.row.binding), "{key:?}");
        }
    }
    for (id, edit) in &changes.purchases {
        if let Some(old) = before.purchases.get(id) {
            let row = &edit.row;
            assert_eq!(old.state, PurchaseState::Completed, "{row:?}");
            let grows = old.restored <= row.restored && old.clawback_due <= row.clawback_due;
            assert!(
                grows && old.refunded_amount <= row.refunded_amount,
                "{row:?}"
            );
            assert_eq!((&old.receipt, &old.earned), (&row.receipt, &row.earned));
        }
    }
    for (id, edit) in &changes.lots {
        if let Some(old) = before.lots.get(id) {
            assert!(old.key.expires_on <= edit.row.key.expires_on, "{edit:?}");
            assert_eq!(
                (&old.key.class, &old.key.scope),
                (&edit.row.key.class, &edit.row.key.scope)
            );
        }
    }
}

/// A decline moves nothing but what time moves.
fn check_declines(changes: &Changes) {
    let declined = |answer: &str| answer.starts_with(r#"{"outcome":"declined""#);
    let tombstone = ledger::records::RequestKind::Tombstone;
    let mut asked = changes
        .requests
        .iter()
        .filter(|request| request.kind != tombstone);
    if !asked.any(|request| declined(&request.answer)) {
        return;
    }
    for transfer in &changes.transfers {
        let by_time = matches!(
            transfer.motive,
            Motive::Release
                | Motive::Maturity
                | Motive::DebtSettlement
                | Motive::Expiry
                | Motive::PoolingReturn
        );
        assert!(by_time, "a decline moved {transfer:?}");
    }
    assert!(changes.purchases.is_empty() && changes.refunds.is_empty());
    assert!(
        changes
            .authorizations
            .values()
            .all(|edit| edit.row.state == HoldState::Expired)
    );
}
