//! Stored requests: one effect, one answer.

use std::collections::BTreeMap;

use ledger::records::{RequestKind, StoredRequest};
use pos_protocol::{
    AuthorizationAnswer, Outcome, PurchaseAnswer, RefundAnswer, RequestId, ReversalAnswer,
};
use serde::Deserialize;
use uuid::Uuid;

use super::super::{rows::MemberRows, tally::Tally};

fn key(request: &StoredRequest) -> String {
    format!("{}/{}", request.terminal_id, request.request_id)
}

/// What every answer has.
#[derive(Deserialize)]
struct Answered {
    outcome: Outcome,
    request_id: RequestId,
}

fn outcome(request: &StoredRequest) -> Option<Outcome> {
    let answer: Answered = serde_json::from_str(&request.answer).ok()?;
    Some(answer.outcome)
}

pub(super) fn named_once(rows: &MemberRows, tally: &mut Tally) {
    let mut named: BTreeMap<(RequestKind, Uuid), u32> = BTreeMap::new();
    for request in &rows.requests {
        if let Some(effect) = request.effect {
            *named.entry((request.kind, effect)).or_default() += 1;
        }
    }
    let mut once = |table: &'static str, id: Uuid, kind: RequestKind| {
        let count = named.get(&(kind, id)).copied().unwrap_or_default();
        tally.expect(count == 1, table, id, || {
            format!("{count} stored requests of kind {} made it", kind.word())
        });
    };
    for hold in &rows.authorizations {
        once("authorizations", hold.id.as_uuid(), RequestKind::Authorization);
    }
    for purchase in &rows.purchases {
        once("purchases", purchase.id.as_uuid(), RequestKind::Purchase);
    }
    for refund in &rows.refunds {
        let kind = if refund.reversal {
            RequestKind::Reversal
        } else {
            RequestKind::Refund
        };
        once("refunds", refund.id.as_uuid(), kind);
    }
}

pub(super) fn effects(rows: &MemberRows, tally: &mut Tally) {
    for request in &rows.requests {
        request_effect(request, tally);
        let Some(effect) = request.effect else {
            continue;
        };
        let hold = || rows.authorizations.iter().any(|row| row.id.as_uuid() == effect);
        let refund = || rows.refunds.iter().any(|row| row.id.as_uuid() == effect);
        let there = match request.kind {
            RequestKind::Authorization | RequestKind::Void => hold(),
            RequestKind::Purchase => rows.purchases.iter().any(|row| row.id.as_uuid() == effect),
            RequestKind::Refund => refund(),
            RequestKind::Reversal => refund() || hold(),
            RequestKind::Inquiry
            | RequestKind::RefundQuote
            | RequestKind::Settlement
            | RequestKind::Tombstone => true,
        };
        tally.expect(there, "requests", key(request), || {
            format!("{} made {effect}, which is not there", request.kind.word())
        });
    }
}

/// Whether a request may have an effect, by its kind and its outcome. Also for requests that touched
/// no member.
pub(in super::super) fn request_effect(request: &StoredRequest, tally: &mut Tally) {
    let outcome = outcome(request);
    let (must, may) = match (request.kind, outcome) {
        (_, None) => (false, true),
        (RequestKind::Tombstone | RequestKind::Inquiry | RequestKind::RefundQuote, _)
        | (_, Some(Outcome::Declined)) => (false, false),
        (
            RequestKind::Authorization
            | RequestKind::Void
            | RequestKind::Purchase
            | RequestKind::Refund
            | RequestKind::Settlement,
            Some(Outcome::Approved),
        ) => (true, true),
        (RequestKind::Reversal, Some(Outcome::Approved)) => (false, true),
    };
    let has = request.effect.is_some();
    tally.expect(has || !must, "requests", key(request), || {
        format!("{} was approved and made nothing", request.kind.word())
    });
    tally.expect(may || !has, "requests", key(request), || {
        let effect = request.effect.unwrap_or_default();
        format!("{} can have no effect and made {effect}", request.kind.word())
    });
    let print = request.fingerprint.is_some();
    tally.expect(
        print != (request.kind == RequestKind::Tombstone),
        "requests",
        key(request),
        || "only a tombstone fits every body".into(),
    );
}

pub(super) fn answers(rows: &MemberRows, tally: &mut Tally) {
    for request in &rows.requests {
        readable(request, tally);
        if outcome(request) == Some(Outcome::Approved) {
            numbers(rows, request, tally);
        }
    }
}

/// An answer is JSON that names its request. Also for requests that touched no member.
pub(in super::super) fn readable(request: &StoredRequest, tally: &mut Tally) {
    let answer = serde_json::from_str::<Answered>(&request.answer);
    let error = match &answer {
        Ok(answer) if answer.request_id == request.request_id => None,
        Ok(answer) => Some(format!("its answer names request {}", answer.request_id)),
        Err(error) => Some(format!("its answer cannot be read: {error}")),
    };
    tally.expect(error.is_none(), "requests", key(request), || {
        error.unwrap_or_default()
    });
}

/// The numbers a till was told are those of the rows.
fn numbers(rows: &MemberRows, request: &StoredRequest, tally: &mut Tally) {
    let Some(effect) = request.effect else { return };
    let text = request.answer.as_ref();
    let (told, kept) = match request.kind {
        RequestKind::Authorization => {
            let told = serde_json::from_str::<AuthorizationAnswer>(text)
                .ok()
                .and_then(|answer| answer.authorization)
                .map(|view| {
                    let code = view.approval_code;
                    format!("{} {code} {} until {}", view.id, view.points, view.expires_at)
                });
            let kept = rows.authorizations.iter().find(|row| row.id.as_uuid() == effect);
            let kept = kept.map(|row| {
                let code = row.approval_code();
                format!("{} {code} {} until {}", row.id, row.points, row.expires_at)
            });
            (told, kept)
        }
        RequestKind::Purchase => {
            let told = serde_json::from_str::<PurchaseAnswer>(text)
                .ok()
                .and_then(|answer| answer.purchase)
                .map(|view| {
                    let shortfall = view.points_shortfall.unwrap_or_default();
                    purchase_numbers(view.id.as_uuid(), view.points_redeemed, shortfall, view.points_earned)
                });
            let kept = rows.purchases.iter().find(|row| row.id.as_uuid() == effect);
            let kept = kept.map(|row| {
                purchase_numbers(row.id.as_uuid(), row.redeemed, row.shortfall, row.earned_points)
            });
            (told, kept)
        }
        RequestKind::Refund | RequestKind::Reversal => {
            let kept = rows.refunds.iter().find(|row| row.id.as_uuid() == effect);
            let Some(row) = kept else { return };
            let view = if request.kind == RequestKind::Refund {
                serde_json::from_str::<RefundAnswer>(text).ok().and_then(|answer| answer.refund)
            } else {
                serde_json::from_str::<ReversalAnswer>(text).ok().and_then(|answer| answer.refund)
            };
            let told = view.map(|view| {
                let id = view.id.map(|id| id.to_string()).unwrap_or_default();
                format!(
                    "{id}: {} yen, restored {}, lapsed {}, clawed back {}, owed {}, shortfall {}",
                    view.amount,
                    view.points_restored,
                    view.points_lapsed,
                    view.points_clawed_back,
                    view.points_owed,
                    view.shortfall_yen
                )
            });
            let kept = format!(
                "{}: {} yen, restored {}, lapsed {}, clawed back {}, owed {}, shortfall {}",
                row.id, row.amount, row.restored, row.lapsed, row.clawed_back, row.owed, row.shortfall
            );
            (told, Some(kept))
        }
        _ => return,
    };
    tally.expect(told == kept, "requests", key(request), || {
        let words = |side: &Option<String>| side.clone().unwrap_or("nothing".into());
        format!("the till was told {}; the row says {}", words(&told), words(&kept))
    });
}

fn purchase_numbers(
    id: Uuid,
    redeemed: pos_protocol::Points,
    shortfall: pos_protocol::Points,
    earned: pos_protocol::Points,
) -> String {
    format!("{id}: redeemed {redeemed}, shortfall {shortfall}, earned {earned}")
}
