//! Balances and lots against the transfers that made them.

use std::collections::BTreeMap;

use ledger::{account::Account, records::HoldState};
use pos_protocol::LotId;

use super::super::{rows::MemberRows, tally::Tally};

/// What the transfers of a lot, or of a member, add up to.
#[derive(Default)]
struct Replay {
    available: i128,
    held: i128,
    pending: i128,
    owed: i128,
    granted: i128,
    /// What came from other records of the same person.
    borrowed: i128,
}

impl Replay {
    fn add(&mut self, account: Account, points: i128) {
        match account {
            Account::MemberAvailable => self.available += points,
            Account::MemberHeld => self.held += points,
            Account::MemberPending => self.pending += points,
            // A debt is minus the account's balance.
            Account::MemberOwed => self.owed -= points,
            // What was ever granted only grows: taking points back is no grant.
            Account::ProgrammeIssued if points < 0 => self.granted -= points,
            Account::ProgrammeClearing if points < 0 => self.borrowed -= points,
            Account::ProgrammeIssued
            | Account::ProgrammeClearing
            | Account::ProgrammeBreakage
            | Account::StoreRedeemed
            | Account::StoreShortfall => {}
        }
    }
}

pub(super) fn lots(rows: &MemberRows, tally: &mut Tally) {
    let mut replays: BTreeMap<LotId, Replay> = BTreeMap::new();
    for transfer in &rows.transfers {
        if let Some(lot_id) = transfer.lot_id {
            let replay = replays.entry(lot_id).or_default();
            let points = i128::from(transfer.points.get());
            replay.add(transfer.debit, -points);
            replay.add(transfer.credit, points);
        }
    }
    let nothing = Replay::default();
    for lot in &rows.lots {
        let replay = replays.get(&lot.id).unwrap_or(&nothing);
        let lent = lot.key.lender.is_some();
        let granted = replay.granted + if lent { replay.borrowed } else { 0 };
        tally.expect(!lent || lot.available.is_zero(), "lots", lot.id, || {
            "what another record lent and nobody holds was not sent back".into()
        });
        for (field, stored, derived) in [
            ("available", lot.available, replay.available),
            ("held", lot.held, replay.held),
            ("pending", lot.pending, replay.pending),
            ("granted", lot.granted, granted),
        ] {
            tally.same(
                ("lots", lot.id),
                field,
                stored.get(),
                "its transfers",
                derived,
            );
        }
    }
}

pub(super) fn members(rows: &MemberRows, tally: &mut Tally) {
    let mut replay = Replay::default();
    for transfer in &rows.transfers {
        let points = i128::from(transfer.points.get());
        replay.add(transfer.debit, -points);
        replay.add(transfer.credit, points);
    }
    let member = &rows.member;
    let row = || ("members", member.id);
    let sum = |of: fn(&ledger::lot::Lot) -> i64| -> i128 {
        rows.lots.iter().map(|lot| i128::from(of(lot))).sum()
    };
    for (field, stored, by_lots, by_transfers) in [
        (
            "available",
            member.available,
            sum(|lot| lot.available.get()),
            replay.available,
        ),
        ("held", member.held, sum(|lot| lot.held.get()), replay.held),
        (
            "pending",
            member.pending,
            sum(|lot| lot.pending.get()),
            replay.pending,
        ),
    ] {
        tally.same(row(), field, stored.get(), "the lots", by_lots);
        tally.same(row(), field, stored.get(), "the transfers", by_transfers);
    }
    tally.same(
        row(),
        "owed",
        member.owed.get(),
        "the transfers",
        replay.owed,
    );
}

pub(super) fn pending(rows: &MemberRows, tally: &mut Tally) {
    let mut by_lot: BTreeMap<LotId, i128> = BTreeMap::new();
    for grant in &rows.pending {
        *by_lot.entry(grant.lot_id).or_default() += i128::from(grant.points.get());
        let purchase = rows.purchases.iter().any(|row| row.id == grant.purchase_id);
        tally.expect(purchase, "pending", grant.id, || {
            format!("the member has no purchase {}", grant.purchase_id)
        });
    }
    for lot in &rows.lots {
        let grants = by_lot.remove(&lot.id).unwrap_or_default();
        tally.same(
            ("lots", lot.id),
            "pending",
            lot.pending.get(),
            "its pending grants",
            grants,
        );
    }
    for lot_id in by_lot.keys() {
        tally.expect(false, "lots", lot_id, || {
            "pending grants lie in it, and the member has no such lot".into()
        });
    }
}

pub(super) fn held(rows: &MemberRows, tally: &mut Tally) {
    let open = || {
        rows.authorizations
            .iter()
            .filter(|row| row.state == HoldState::Held)
    };
    let mut by_lot: BTreeMap<LotId, i128> = BTreeMap::new();
    for part in open().flat_map(|row| &row.parts) {
        *by_lot.entry(part.lot_id).or_default() += i128::from(part.points.get());
    }
    for lot in &rows.lots {
        let held = by_lot.get(&lot.id).copied().unwrap_or_default();
        tally.same(
            ("lots", lot.id),
            "held",
            lot.held.get(),
            "the open holds",
            held,
        );
    }
    let count = i128::try_from(open().count()).unwrap_or(i128::MAX);
    tally.same(
        ("members", rows.member.id),
        "open_holds",
        i64::from(rows.member.open_holds),
        "the authorizations",
        count,
    );
}
