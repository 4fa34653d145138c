//! One balance, one hold: what many want at once.

use acceptance::{
    ask::{Ask, receipt},
    reply::Reply,
    till::Till,
};
use member_card::SpendLimit;
use pos_protocol::{AuthorizationId, Reason};
use tokio::task::JoinSet;

use crate::{Pair, after};

/// Balances that are raced for.
const BALANCES: usize = 6;
/// Points of each.
const POINTS: i64 = 100;
/// Points each authorization wants.
const WANTED: i64 = 15;
/// Authorizations that want them, half on each gateway.
const AUTHORIZATIONS: usize = 20;
/// Holds that are resolved in three ways at once.
const HOLDS: usize = 30;

/// Many authorizations over both gateways never promise more than there is, and a point is only
/// refused when it is not there.
#[tokio::test(flavor = "multi_thread")]
async fn one_balance_is_promised_once() -> anyhow::Result<()> {
    let mut pair = Pair::start("one_balance_is_promised_once").await?;
    for _ in 0..BALANCES {
        let phone = pair.member(POINTS).await;
        let mut racing = JoinSet::new();
        for number in 0..AUTHORIZATIONS {
            let shown = phone.show(SpendLimit::Unlimited).await;
            let id = pair.next_id();
            let ask = Ask::authorization(&id, &id, &shown.text, WANTED);
            let till = pair.tills[number % 2].clone();
            racing.spawn(async move { till.insist(&ask).await });
        }
        let mut approved = 0;
        while let Some(reply) = racing.join_next().await {
            let reply = reply?;
            if reply.is_approved() {
                approved += reply.number("/authorization/points");
            } else {
                let _ = reply.declined(Reason::InsufficientPoints);
            }
        }
        let (available, held) = phone.points(&pair.a.base()).await;
        assert_eq!((available, held), (POINTS - approved, approved));
        assert!(
            available < WANTED,
            "refused although {available} points are there"
        );
    }
    pair.check().await
}

/// Capture, void and reversal of one hold at the same moment, over both gateways: one of them
/// resolves it, the others are told the state.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_resolves_once() -> anyhow::Result<()> {
    let mut pair = Pair::start("a_hold_resolves_once").await?;
    let phone = pair.member(1_000).await;
    let mut resolved_by = [0_u32; 3];
    let (mut spent, mut earned) = (0, 0);
    for round in 0..HOLDS {
        let way = resolve_three_ways(&mut pair, &phone, round).await;
        resolved_by[way] += 1;
        if way == 0 {
            spent += 10;
            earned += 2;
        }
        let base = [pair.a.base(), pair.b.base()][round % 2].clone();
        let points = phone.points(&base).await;
        assert_eq!(points, (1_000 - spent + earned, 0), "after round {round}");
    }
    println!(
        "holds: {} captured, {} voided, {} reversed",
        resolved_by[0], resolved_by[1], resolved_by[2]
    );
    pair.check().await
}

/// Which of capture (0), void (1) and reversal (2) won.
async fn resolve_three_ways(
    pair: &mut Pair,
    phone: &acceptance::phone::Phone,
    round: usize,
) -> usize {
    let tills = pair.one_till();
    let shown = phone.show(SpendLimit::Unlimited).await;
    let basket = pair.next_id();
    let hold = Ask::authorization(&basket, &basket, &shown.text, 10);
    let held = tills[0].insist(&hold).await.approved();
    let id: AuthorizationId = held.word("/authorization/id").parse().unwrap();
    let capture = Ask::capture(&pair.next_id(), &basket, id, None, receipt("R-1", &[250]));
    let void = Ask::void(&pair.next_id(), id);
    let reversal = Ask::reversal(&pair.next_id(), &hold.request_id);
    let starts = [pair.head_start(), pair.head_start()];
    let on = |turn: usize| -> &Till { &tills[(round + turn) % 2] };
    let (captured, voided, reversed) = tokio::join!(
        after(starts[0][0], on(0).insist(&capture)),
        after(starts[0][1], on(1).insist(&void)),
        after(starts[1][0], on(round % 3).insist(&reversal)),
    );
    // A reversal is always acknowledged; what it did is in its effect.
    let undone = reversed.clone().approved().word("/effect") == "reversed";
    let ways = [captured.is_approved(), voided.is_approved(), undone];
    let winners: Vec<usize> = (0..3).filter(|way| ways[*way]).collect();
    assert_eq!(winners.len(), 1, "{captured:?} {voided:?} {reversed:?}");
    check_losers(winners[0], &captured, &voided, &reversed);
    for (ask, reply) in [
        (&capture, &captured),
        (&void, &voided),
        (&reversal, &reversed),
    ] {
        let again = on(round + 1).insist(ask).await;
        assert_eq!(again.text(), reply.text());
    }
    winners[0]
}

fn check_losers(winner: usize, captured: &Reply, voided: &Reply, reversed: &Reply) {
    let state = [
        Reason::AlreadyCaptured,
        Reason::AlreadyVoided,
        Reason::Reversed,
    ][winner];
    if winner != 0 {
        assert_eq!(captured.reason(), Some(state), "{captured:?}");
    }
    if winner != 1 {
        assert_eq!(voided.reason(), Some(state), "{voided:?}");
    }
    if winner != 2 {
        let told = reversed.word("/original/state");
        assert_eq!(told, ["captured", "voided"][winner], "{reversed:?}");
    }
}
