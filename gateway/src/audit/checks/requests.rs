//! Stored requests: one effect, one answer.

use std::collections::BTreeMap;

use ledger::records::{RequestKind, StoredRequest};
use pos_protocol::{
    AuthorizationAnswer, AuthorizationView, Outcome, PurchaseAnswer, PurchaseView, RefundAnswer,
    RefundView, RequestId, ReversalAnswer,
};
use serde::{Deserialize, de::DeserializeOwned};
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
        once(
            "authorizations",
            hold.id.as_uuid(),
            RequestKind::Authorization,
        );
    }
    // What an order's statements made was asked for by no till's request.
    let of_orders = rows.of_orders();
    let purchases = rows.purchases.iter();
    let shops: BTreeMap<_, _> = purchases.map(|row| (row.id, &row.terminal_id)).collect();
    for purchase in rows
        .purchases
        .iter()
        .filter(|row| !of_orders.contains(&row.id))
    {
        once("purchases", purchase.id.as_uuid(), RequestKind::Purchase);
    }
    for refund in rows
        .refunds
        .iter()
        // A till may take back what a shop sold; the shop itself asks for nothing.
        .filter(|row| {
            let of_order = of_orders.contains(&row.purchase_id);
            !of_order || shops.get(&row.purchase_id) != Some(&&row.terminal_id)
        })
    {
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
        let hold = || {
            rows.authorizations
                .iter()
                .any(|row| row.id.as_uuid() == effect)
        };
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
        format!(
            "{} can have no effect and made {effect}",
            request.kind.word()
        )
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
    let Some(kept) = kept(rows, request.kind, effect) else {
        return;
    };
    let told = told(request);
    tally.expect(
        told.as_ref() == Some(&kept),
        "requests",
        key(request),
        || {
            let told = told.unwrap_or_else(|| "nothing of it".to_owned());
            format!("the till was told {told}; the row says {kept}")
        },
    );
}

/// What the row of an effect says, where an answer repeats it.
fn kept(rows: &MemberRows, kind: RequestKind, effect: Uuid) -> Option<String> {
    match kind {
        RequestKind::Authorization => {
            let mut all = rows.authorizations.iter();
            let row = all.find(|row| row.id.as_uuid() == effect)?;
            Some(hold_words(&AuthorizationView {
                id: row.id,
                approval_code: row.approval_code(),
                points: row.points,
                expires_at: row.expires_at,
            }))
        }
        RequestKind::Purchase => {
            let mut all = rows.purchases.iter();
            let row = all.find(|row| row.id.as_uuid() == effect)?;
            Some(purchase_words(&PurchaseView {
                id: row.id,
                points_redeemed: row.redeemed,
                points_shortfall: Some(row.shortfall),
                points_earned: row.earned_points,
                earned: Vec::new(),
            }))
        }
        RequestKind::Refund | RequestKind::Reversal => {
            let row = rows.refunds.iter().find(|row| row.id.as_uuid() == effect)?;
            Some(refund_words(&RefundView {
                id: Some(row.id),
                amount: row.amount,
                points_restored: row.restored,
                points_lapsed: row.lapsed,
                points_clawed_back: row.clawed_back,
                points_owed: row.owed,
                shortfall_yen: row.shortfall,
            }))
        }
        _ => None,
    }
}

/// What the till was told of an effect.
fn told(request: &StoredRequest) -> Option<String> {
    fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
        serde_json::from_str(text).ok()
    }
    let text = request.answer.as_ref();
    match request.kind {
        RequestKind::Authorization => {
            let view = read::<AuthorizationAnswer>(text)?.authorization?;
            Some(hold_words(&view))
        }
        RequestKind::Purchase => Some(purchase_words(&read::<PurchaseAnswer>(text)?.purchase?)),
        RequestKind::Refund => Some(refund_words(&read::<RefundAnswer>(text)?.refund?)),
        RequestKind::Reversal => Some(refund_words(&read::<ReversalAnswer>(text)?.refund?)),
        _ => None,
    }
}

fn hold_words(view: &AuthorizationView) -> String {
    let code = &view.approval_code;
    format!(
        "{}: {} points, code {code}, until {}",
        view.id, view.points, view.expires_at
    )
}

fn purchase_words(view: &PurchaseView) -> String {
    let shortfall = view.points_shortfall.unwrap_or_default();
    format!(
        "{}: redeemed {}, shortfall {shortfall}, earned {}",
        view.id, view.points_redeemed, view.points_earned
    )
}

fn refund_words(view: &RefundView) -> String {
    let id = view.id.map(|id| id.to_string()).unwrap_or_default();
    format!(
        "{id}: {} yen, restored {}, lapsed {}, clawed back {}, owed {}, shortfall {} yen",
        view.amount,
        view.points_restored,
        view.points_lapsed,
        view.points_clawed_back,
        view.points_owed,
        view.shortfall_yen
    )
}
