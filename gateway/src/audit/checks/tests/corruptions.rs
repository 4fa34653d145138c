//! One corrupted row after the other, with the check that has to notice.

use ledger::{
    account::{Account, Motive},
    records::{HoldState, PurchaseState, RequestKind},
};
use member_card::CardId;
use pos_protocol::{BasketId, Points, PurchaseId, RequestId, TerminalId, Yen};
use uuid::Uuid;

use super::{
    super::super::rows::MemberRows,
    play::{points, yen},
};

pub(super) type Corruption = (&'static str, fn(&mut MemberRows));

fn hold(rows: &mut MemberRows, state: HoldState) -> &mut ledger::records::Authorization {
    rows.authorizations
        .iter_mut()
        .find(|row| row.state == state)
        .unwrap()
}

fn request(rows: &mut MemberRows, kind: RequestKind) -> &mut ledger::records::StoredRequest {
    rows.requests
        .iter_mut()
        .find(|row| row.kind == kind)
        .unwrap()
}

fn more(points_there: Points) -> Points {
    points_there.checked_add(points(1)).unwrap()
}

pub(super) const CORRUPTIONS: &[Corruption] = &[
    ("transfers.balanced", |rows| {
        rows.transfers[0].points = Points::ZERO;
    }),
    ("transfers.balanced", |rows| {
        rows.transfers[0].credit = rows.transfers[0].debit;
    }),
    ("transfers.balanced", |rows| {
        rows.transfers[0].motive = Motive::Hold;
    }),
    ("transfers.belong", |rows| rows.transfers[0].lot_id = None),
    ("transfers.belong", |rows| {
        rows.lots.remove(0);
    }),
    ("transfers.belong", |rows| {
        for row in &mut rows.transfers {
            row.store_id = None;
        }
    }),
    ("balances.lots", |rows| {
        rows.lots[0].available = more(rows.lots[0].available);
    }),
    ("balances.lots", |rows| {
        rows.lots[0].held = more(rows.lots[0].held);
    }),
    ("balances.lots", |rows| {
        rows.lots[0].pending = more(rows.lots[0].pending);
    }),
    ("balances.lots", |rows| {
        rows.lots[0].granted = more(rows.lots[0].granted);
    }),
    ("balances.lots", |rows| {
        rows.transfers.pop();
    }),
    ("balances.members", |rows| {
        rows.member.available = more(rows.member.available);
    }),
    ("balances.members", |rows| {
        rows.member.held = more(rows.member.held);
    }),
    ("balances.members", |rows| {
        rows.member.pending = more(rows.member.pending);
    }),
    ("balances.members", |rows| {
        rows.member.owed = more(rows.member.owed);
    }),
    ("balances.members", |rows| {
        let row = rows
            .transfers
            .iter_mut()
            .find(|row| row.motive == Motive::Adjustment)
            .unwrap();
        row.credit = Account::ProgrammeBreakage;
    }),
    ("balances.pending", |rows| {
        rows.pending[0].points = more(rows.pending[0].points);
    }),
    ("balances.pending", |rows| {
        rows.pending.pop();
    }),
    ("balances.pending", |rows| {
        rows.pending[0].purchase_id = PurchaseId::new(Uuid::nil());
    }),
    ("balances.held", |rows| rows.member.open_holds += 1),
    ("balances.held", |rows| {
        hold(rows, HoldState::Held).parts.clear();
    }),
    ("balances.held", |rows| {
        hold(rows, HoldState::Held).state = HoldState::Voided;
    }),
    ("holds.resolved_once", |rows| {
        hold(rows, HoldState::Captured).captured = points(151);
    }),
    ("holds.resolved_once", |rows| {
        hold(rows, HoldState::Voided).state = HoldState::Held;
    }),
    ("holds.resolved_once", |rows| {
        hold(rows, HoldState::Expired).resolved_at = None;
    }),
    ("holds.resolved_once", |rows| {
        hold(rows, HoldState::Held).points = points(201);
    }),
    ("holds.resolved_once", |rows| {
        hold(rows, HoldState::Reversed).parts[0].points = points(1);
    }),
    ("holds.resolved_once", |rows| {
        // The same hold released twice.
        let row = rows
            .transfers
            .iter()
            .find(|row| row.motive == Motive::Release)
            .unwrap()
            .clone();
        rows.transfers.push(row);
    }),
    ("holds.captured_by_one", |rows| {
        rows.purchases[0].authorization_id = None;
    }),
    ("holds.captured_by_one", |rows| {
        let second = ledger::records::Purchase {
            id: PurchaseId::new(Uuid::nil()),
            ..rows.purchases[0].clone()
        };
        rows.purchases.push(second);
    }),
    ("holds.captured_by_one", |rows| {
        let voided = hold(rows, HoldState::Voided).id;
        rows.purchases[0].authorization_id = Some(voided);
    }),
    ("purchases.moved", |rows| {
        rows.purchases[0].redeemed = points(151);
    }),
    ("purchases.moved", |rows| {
        rows.purchases[1].redeemed_parts.clear();
    }),
    ("purchases.moved", |rows| {
        rows.purchases[0].shortfall = points(1);
    }),
    ("purchases.moved", |rows| {
        rows.purchases[0].earned_points = points(1);
    }),
    ("purchases.moved", |rows| rows.purchases[0].earned.clear()),
    ("purchases.refunds", |rows| {
        rows.purchases[0].restored = more(rows.purchases[0].restored);
    }),
    ("purchases.refunds", |rows| {
        rows.purchases[0].restored = points(151);
    }),
    ("purchases.refunds", |rows| {
        rows.purchases[0].clawback_due = points(9_999);
    }),
    ("purchases.refunds", |rows| {
        rows.purchases[0].clawback_due = Points::ZERO;
    }),
    ("purchases.refunds", |rows| {
        rows.purchases[0].refunded_amount = Yen::ZERO;
    }),
    ("purchases.refunds", |rows| {
        rows.purchases[0].refunded.insert(2, 3);
    }),
    ("purchases.refunds", |rows| {
        rows.refunds.remove(0);
    }),
    ("purchases.refunds", |rows| {
        rows.purchases.remove(0);
    }),
    ("purchases.refunds", |rows| {
        let row = rows
            .purchases
            .iter_mut()
            .find(|row| row.state == PurchaseState::Completed)
            .unwrap();
        row.state = PurchaseState::Reversed;
    }),
    ("purchases.refund_moved", |rows| {
        rows.refunds[0].restored = more(rows.refunds[0].restored);
    }),
    ("purchases.refund_moved", |rows| {
        rows.refunds[0].clawed_back = more(rows.refunds[0].clawed_back);
    }),
    ("purchases.refund_moved", |rows| {
        rows.refunds[0].owed = more(rows.refunds[0].owed);
    }),
    ("cards.named_by_key", |rows| {
        rows.cards[0].public_key[40] ^= 1;
    }),
    ("cards.named_by_key", |rows| rows.cards.clear()),
    ("cards.named_by_key", |rows| {
        rows.short_codes[0].card_id = Some(CardId::new(1));
    }),
    ("bindings.one_basket", |rows| {
        rows.authorizations[0].basket_id = BasketId::new("other").unwrap();
    }),
    ("bindings.one_basket", |rows| {
        rows.purchases[0].terminal_id = TerminalId::new("other").unwrap();
    }),
    ("bindings.one_basket", |rows| {
        rows.short_codes[0].binding = None;
    }),
    ("bindings.one_basket", |rows| {
        rows.card_uses.remove(0);
    }),
    ("bindings.one_purchase", |rows| {
        rows.card_uses[0].binding.purchase_id = None;
    }),
    ("bindings.one_purchase", |rows| {
        let second = ledger::records::Purchase {
            id: PurchaseId::new(Uuid::nil()),
            ..rows.purchases[0].clone()
        };
        rows.purchases.push(second);
    }),
    ("bindings.one_purchase", |rows| {
        for row in &mut rows.purchases {
            row.state = PurchaseState::Completed;
        }
    }),
    ("requests.named_once", |rows| {
        let row = request(rows, RequestKind::Purchase).clone();
        rows.requests.push(row);
    }),
    ("requests.named_once", |rows| {
        rows.requests
            .retain(|row| row.kind != RequestKind::Authorization);
    }),
    ("requests.named_once", |rows| {
        rows.requests.retain(|row| row.kind != RequestKind::Refund);
    }),
    ("requests.named_once", |rows| {
        rows.requests
            .retain(|row| row.kind != RequestKind::Reversal);
    }),
    ("requests.effects", |rows| {
        request(rows, RequestKind::Tombstone).effect = Some(Uuid::nil());
    }),
    ("requests.effects", |rows| {
        request(rows, RequestKind::Void).effect = None;
    }),
    ("requests.effects", |rows| {
        rows.purchases.remove(0);
    }),
    ("requests.effects", |rows| {
        let row = request(rows, RequestKind::Authorization);
        row.answer = row.answer.replace("approved", "declined").into();
    }),
    ("requests.effects", |rows| {
        request(rows, RequestKind::Refund).fingerprint = None;
    }),
    ("requests.answers", |rows| {
        request(rows, RequestKind::RefundQuote).answer = "{".into();
    }),
    ("requests.answers", |rows| {
        request(rows, RequestKind::Void).request_id = RequestId::new("x").unwrap();
    }),
    ("requests.answers", |rows| {
        rows.purchases[0].earned_points = points(1);
    }),
    ("requests.answers", |rows| rows.refunds[0].amount = yen(1)),
    ("requests.answers", |rows| rows.refunds[1].amount = yen(1)),
    ("requests.answers", |rows| {
        hold(rows, HoldState::Held).points = points(1);
    }),
    ("events.sequence", |rows| {
        rows.events.remove(3);
    }),
    ("events.sequence", |rows| {
        rows.events.pop();
    }),
    ("events.sequence", |rows| {
        rows.events[3].member_sequence += 100;
    }),
    ("events.sequence", |rows| {
        rows.events.push(rows.events[3].clone());
    }),
    ("events.places", |rows| {
        let (one, two) = (
            rows.events[0].stream_sequence,
            rows.events[1].stream_sequence,
        );
        (
            rows.events[0].stream_sequence,
            rows.events[1].stream_sequence,
        ) = (two, one);
    }),
    ("events.places", |rows| {
        rows.events[1].stream_sequence = None;
    }),
    ("events.told_once", |rows| {
        rows.events.retain(|row| row.kind != "purchase.completed");
    }),
    ("events.told_once", |rows| {
        rows.events.retain(|row| row.kind != "purchase.refunded");
    }),
    ("events.told_once", |rows| {
        rows.events
            .retain(|row| row.kind != "authorization.expired");
    }),
    ("events.told_once", |rows| {
        rows.events.push(
            rows.events
                .iter()
                .find(|row| row.kind == "purchase.completed")
                .unwrap()
                .clone(),
        );
    }),
    ("events.have_rows", |rows| {
        rows.purchases.remove(0);
    }),
    ("events.have_rows", |rows| {
        rows.authorizations.remove(0);
    }),
    ("events.have_rows", |rows| {
        rows.events[0].subject = "member/nobody".into();
    }),
];
