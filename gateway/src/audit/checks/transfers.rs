//! Each transfer by itself.

use std::collections::BTreeSet;

use ledger::account::{Account, Motive, Transfer};

use super::super::{rows::MemberRows, tally::Tally};

/// The ways points can move for a motive.
fn allowed(motive: Motive) -> &'static [(Account, Account)] {
    use Account::{
        MemberAvailable, MemberHeld, MemberOwed, MemberPending, ProgrammeBreakage,
        ProgrammeClearing, ProgrammeIssued, StoreRedeemed, StoreShortfall,
    };
    match motive {
        Motive::Accrual => &[
            (ProgrammeIssued, MemberAvailable),
            (ProgrammeIssued, MemberPending),
        ],
        // The debt of another record of the same person is paid by way of the clearing account.
        Motive::DebtSettlement => &[
            (MemberAvailable, MemberOwed),
            (MemberAvailable, ProgrammeClearing),
            (ProgrammeClearing, MemberOwed),
        ],
        Motive::Pooling | Motive::PoolingReturn => &[
            (MemberAvailable, ProgrammeClearing),
            (ProgrammeClearing, MemberAvailable),
        ],
        Motive::Hold => &[(MemberAvailable, MemberHeld)],
        Motive::Release => &[(MemberHeld, MemberAvailable)],
        Motive::Capture => &[
            (MemberHeld, StoreRedeemed),
            (MemberAvailable, StoreRedeemed),
        ],
        Motive::Shortfall => &[(StoreShortfall, StoreRedeemed)],
        Motive::Restoration => &[(StoreRedeemed, MemberAvailable)],
        Motive::Clawback => &[
            (MemberAvailable, ProgrammeIssued),
            (MemberPending, ProgrammeIssued),
            (MemberOwed, ProgrammeIssued),
        ],
        Motive::Expiry => &[(MemberAvailable, ProgrammeBreakage)],
        Motive::Grace => &[(ProgrammeIssued, MemberAvailable)],
        Motive::Maturity => &[(MemberPending, MemberAvailable)],
        Motive::Adjustment => &[
            (ProgrammeIssued, MemberAvailable),
            (MemberAvailable, ProgrammeIssued),
        ],
    }
}

pub(super) fn balanced(rows: &MemberRows, tally: &mut Tally) {
    for transfer in &rows.transfers {
        let Transfer {
            id,
            debit,
            credit,
            points,
            motive,
            ..
        } = transfer;
        tally.expect(!points.is_zero(), "transfers", id, || {
            "it moves no points".into()
        });
        let sensible = debit != credit && allowed(*motive).contains(&(*debit, *credit));
        tally.expect(sensible, "transfers", id, || {
            let (motive, debit, credit) = (motive.word(), debit.word(), credit.word());
            format!("{motive} from {debit} to {credit} is no move that is ever made")
        });
    }
}

pub(super) fn belong(rows: &MemberRows, tally: &mut Tally) {
    let lots: BTreeSet<_> = rows.lots.iter().map(|lot| lot.id).collect();
    let in_a_lot = |account: Account| {
        matches!(
            account,
            Account::MemberAvailable | Account::MemberHeld | Account::MemberPending
        )
    };
    for transfer in &rows.transfers {
        let named = match transfer.lot_id {
            Some(lot_id) => lots.contains(&lot_id),
            None => !in_a_lot(transfer.debit) && !in_a_lot(transfer.credit),
        };
        tally.expect(named, "transfers", transfer.id, || match transfer.lot_id {
            Some(lot_id) => format!("lot {lot_id} is not one of the member's"),
            None => "it names no lot".into(),
        });
        let at_store =
            |account| matches!(account, Account::StoreRedeemed | Account::StoreShortfall);
        let store_named =
            transfer.store_id.is_some() || !(at_store(transfer.debit) || at_store(transfer.credit));
        tally.expect(store_named, "transfers", transfer.id, || {
            "it names no store".into()
        });
    }
}
