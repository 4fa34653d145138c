//! Well-formed messages that ask for what is not theirs or not there.

use acceptance::{
    ask::{Ask, receipt},
    reply::Reply,
};
use member_card::SpendLimit;
use pos_protocol::{AuthorizationId, PurchaseId, Reason};
use serde_json::json;

use crate::{Counter, POINTS, expect_decline, expect_problem};

impl Counter {
    /// A basket that holds points: its id and the hold's.
    async fn hold(&mut self, points: i64) -> (String, AuthorizationId) {
        let shown = self.phone.show(SpendLimit::Unlimited).await;
        let id = self.next_id();
        let ask = Ask::authorization(&id, &id, &shown.text, points);
        let reply = self.till.insist(&ask).await.approved();
        (id, authorization(&reply))
    }

    async fn void(&mut self, hold: AuthorizationId) -> Reply {
        let ask = Ask::void(&self.next_id(), hold);
        self.till.insist(&ask).await
    }

    async fn capture(
        &mut self,
        basket: &str,
        hold: AuthorizationId,
        redeem: Option<i64>,
        yen: i64,
    ) -> Reply {
        let ask = Ask::capture(
            &self.next_id(),
            basket,
            hold,
            redeem,
            receipt("R-1", &[yen]),
        );
        self.till.insist(&ask).await
    }

    async fn refund(&mut self, purchase: PurchaseId, lines: Option<&[(u32, u32)]>) -> Reply {
        let ask = Ask::refund(&self.next_id(), purchase, lines);
        self.till.insist(&ask).await
    }
}

fn authorization(reply: &Reply) -> AuthorizationId {
    reply.word("/authorization/id").parse().expect("an id")
}

fn purchase(reply: &Reply) -> PurchaseId {
    reply.word("/purchase/id").parse().expect("an id")
}

/// Another till's hold, another store's purchase: as good as unknown.
#[tokio::test(flavor = "multi_thread")]
async fn a_till_has_only_what_is_its_own() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    let base = counter.gateway.base();
    let neighbour = counter.installation.till(&base, 2, "store-1").await?;
    let stranger = counter.installation.till(&base, 3, "store-2").await?;
    let (basket, hold) = counter.hold(50).await;
    for till in [&neighbour, &stranger] {
        let void = Ask::void(&counter.next_id(), hold);
        let reply = till.insist(&void).await;
        expect_decline("another till's void", &reply, Reason::UnknownAuthorization);
        let capture = Ask::capture(
            &counter.next_id(),
            &basket,
            hold,
            None,
            receipt("R-1", &[500]),
        );
        let reply = till.insist(&capture).await;
        expect_decline(
            "another till's capture",
            &reply,
            Reason::UnknownAuthorization,
        );
        let status = till.insist_on_status(&basket).await;
        expect_problem(
            &counter,
            "another till's request",
            &status,
            404,
            "unknown_resource",
        )
        .await;
        // A reversal speaks of the till's own requests: here there is none of that id.
        let reversal = Ask::reversal(&counter.next_id(), &basket);
        let reply = till.insist(&reversal).await.approved();
        assert_eq!(reply.word("/effect"), "nothing_to_reverse");
    }
    let reply = counter.capture("another-basket", hold, None, 500).await;
    expect_decline(
        "another basket's capture",
        &reply,
        Reason::UnknownAuthorization,
    );
    let sold = counter.capture(&basket, hold, None, 500).await.approved();
    let refund = Ask::refund(&counter.next_id(), purchase(&sold), None);
    let reply = stranger.insist(&refund).await;
    expect_decline("another store's refund", &reply, Reason::UnknownPurchase);
    let nobody = "018f0000-0000-7000-8000-000000000000";
    let reply = counter.void(nobody.parse()?).await;
    expect_decline("nobody's hold", &reply, Reason::UnknownAuthorization);
    let reply = counter.refund(nobody.parse()?, None).await;
    expect_decline("nobody's purchase", &reply, Reason::UnknownPurchase);
    // 50 points paid, 5 earned; the refund of all of it by a till of the same store undoes both.
    let refund = Ask::refund(&counter.next_id(), purchase(&sold), None);
    let _ = neighbour.insist(&refund).await.approved();
    counter.check(POINTS).await
}

/// A hold that is gone, or too small.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_gives_what_it_holds_once() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    let (basket, hold) = counter.hold(100).await;
    let reply = counter.capture(&basket, hold, Some(101), 500).await;
    expect_decline("more than the hold", &reply, Reason::AboveHold);
    let reply = counter.capture(&basket, hold, None, 99).await;
    expect_decline("more than the receipt", &reply, Reason::AboveReceiptTotal);
    let _ = counter.void(hold).await.approved();
    let reply = counter.void(hold).await;
    expect_decline("void twice", &reply, Reason::AlreadyVoided);
    let reply = counter.capture(&basket, hold, None, 500).await;
    expect_decline("capture after the void", &reply, Reason::AlreadyVoided);
    let (basket, hold) = counter.hold(100).await;
    let sold = counter
        .capture(&basket, hold, Some(40), 99)
        .await
        .approved();
    assert_eq!(sold.number("/purchase/points_redeemed"), 40);
    let reply = counter.void(hold).await;
    expect_decline("void after the capture", &reply, Reason::AlreadyCaptured);
    let reply = counter.capture(&basket, hold, None, 500).await;
    expect_decline("capture twice", &reply, Reason::BasketCompleted);
    counter.check(POINTS - 40).await
}

/// Goods come back once.
#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_comes_back_once() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    let shown = counter.phone.show(SpendLimit::Unlimited).await;
    let id = counter.next_id();
    let sale = Ask::purchase(&id, &id, &shown.text, 100, receipt("R-1", &[1_000, 2_000]));
    let sold = counter.till.insist(&sale).await.approved();
    let bought = purchase(&sold);
    for (what, lines, reason) in [
        (
            "a line that was not sold",
            &[(3, 1)][..],
            Reason::UnknownLine,
        ),
        (
            "more pieces than were sold",
            &[(2, 3)],
            Reason::AboveRefundable,
        ),
        (
            "all the pieces there are",
            &[(2, u32::MAX)],
            Reason::AboveRefundable,
        ),
    ] {
        let reply = counter.refund(bought, Some(lines)).await;
        expect_decline(what, &reply, reason);
    }
    for (what, lines) in [
        ("no pieces", &[(1, 0)][..]),
        ("no lines", &[]),
        ("one line in two parts", &[(2, 1), (2, 1)]),
    ] {
        let reply = counter.refund(bought, Some(lines)).await;
        expect_problem(&counter, what, &reply, 422, "validation_failed").await;
    }
    let _ = counter.refund(bought, Some(&[(2, 1)])).await.approved();
    let _ = counter.refund(bought, None).await.approved();
    let reply = counter.refund(bought, None).await;
    expect_decline("all of it twice", &reply, Reason::AboveRefundable);
    let reply = counter.refund(bought, Some(&[(1, 1)])).await;
    expect_decline("a line twice", &reply, Reason::AboveRefundable);
    counter.check(POINTS).await
}

/// One id, one message.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_used_once() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    let (basket, hold) = counter.hold(10).await;
    let shown = counter.phone.show(SpendLimit::Unlimited).await;
    let other_card = Ask::authorization(&basket, &basket, &shown.text, 10);
    let other_kind = Ask::inquiry(&basket, &basket, &shown.text);
    let other_path = Ask::void(&basket, hold);
    for ask in [other_card, other_kind, other_path] {
        let reply = counter.till.insist(&ask).await;
        expect_problem(&counter, &ask.path, &reply, 422, "request_id_reused").await;
    }
    let itself = Ask::reversal("self", "self");
    let reply = counter.till.insist(&itself).await;
    expect_problem(
        &counter,
        "a reversal of itself",
        &reply,
        422,
        "validation_failed",
    )
    .await;
    let voided = counter.next_id();
    let _ = counter
        .till
        .insist(&Ask::void(&voided, hold))
        .await
        .approved();
    let reversal = Ask::reversal(&counter.next_id(), &voided);
    let reply = counter.till.insist(&reversal).await;
    expect_decline("a reversal of a void", &reply, Reason::NotReversible);
    let settlement = json!({"request_id": counter.next_id(), "business_date": "2026-02-30",
        "totals": {"purchases": -1}});
    let reply = counter
        .post("/v1/pos/settlements", settlement.to_string())
        .await;
    expect_problem(&counter, "a settlement", &reply, 422, "validation_failed").await;
    counter.check(POINTS).await
}
