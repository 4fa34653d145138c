//! Single scenes: the lines of the tables in the documentation.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    gateway::http,
    world::{World, basket, sale, scan},
};
use crate::{
    AuthorizationAnswer, Points,
    client::{
        ask::{Ask, Sale},
        book::State,
        machine::{Notice, Reply, Ticket},
        record::Entry,
        settings::Settings,
        verdict::{Refusal, Verdict, Why},
    },
};

pub(super) fn world() -> World {
    World::new(Settings::default(), 500)
}

pub(super) fn sell(world: &mut World, name: &str, redeem: i64) -> Ticket {
    let at = world.now().at;
    let order = Ask::Purchase(sale(name, scan(name, at), redeem));
    let ticket = world.order(order);
    world.steps();
    ticket
}

/// Everything on its way arrives, and what comes back as well.
pub(super) fn exchange(world: &mut World) {
    for exchange in std::mem::take(&mut world.going) {
        world.arrive(&exchange);
    }
    for (exchange, reply) in std::mem::take(&mut world.coming) {
        world.reply(&exchange, reply);
    }
    world.steps();
}

/// Everything on its way is lost.
pub(super) fn lose(world: &mut World) {
    for exchange in std::mem::take(&mut world.going) {
        world.reply(&exchange, Reply::Lost);
    }
    world.coming.clear();
    world.steps();
}

/// The cashier waits to the deadline and nothing comes.
pub(super) fn wait_in_vain(world: &mut World) {
    for _ in 0..100 {
        lose(world);
        world.advance(Duration::from_millis(100));
        world.steps();
    }
}

pub(super) fn last_sent(world: &World) -> (&'static str, Value) {
    let exchange = world.going.last().expect("something is sent");
    match &exchange.message {
        Some(message) => ("post", message.body()),
        None => ("status", json!(exchange.request_id)),
    }
}

#[test]
fn after_a_lost_answer_the_till_asks_and_takes_the_stored_one() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 0);
    let first = world.going.pop().unwrap();
    world.arrive(&first);
    world.coming.clear();
    world.reply(&first, Reply::Lost);
    world.advance(Duration::from_millis(100));
    world.steps();
    assert_eq!(last_sent(&world).0, "status");
    exchange(&mut world);
    assert!(matches!(world.told[&ticket], Verdict::Approved(_)));
    assert_eq!(world.gateway.live("b").count(), 1);
}

#[test]
fn after_a_lost_request_the_till_asks_and_sends_the_same_again() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 0);
    let body = last_sent(&world).1;
    lose(&mut world);
    world.advance(Duration::from_millis(100));
    world.steps();
    assert_eq!(last_sent(&world).0, "status");
    exchange(&mut world);
    assert_eq!(last_sent(&world), ("post", body));
    exchange(&mut world);
    assert!(matches!(world.told[&ticket], Verdict::Approved(_)));
}

#[test]
fn at_the_deadline_points_without_a_hold_are_taken_off_and_undone_before_the_sale_goes_on() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 200);
    let late = world.going[0].clone();
    wait_in_vain(&mut world);
    assert_eq!(
        world.told[&ticket],
        Verdict::NotAsked {
            why: Why::NoAnswer,
            undoing: true
        }
    );
    // The cashier takes the points off; the sale waits behind the reversal, and is told as an advice.
    let again = sell(&mut world, "b", 0);
    wait_in_vain(&mut world);
    assert!(matches!(world.told[&again], Verdict::Queued { .. }));
    world.arrive(&late);
    world.heal();
    let live: Vec<_> = world.gateway.live("b").collect();
    assert_eq!(live.len(), 1);
    assert_eq!(live[0].points, 0);
    assert_eq!(world.gateway.available, 500);
}

/// The first sale took effect, and only its answers were lost. Until that is undone the gateway would
/// decline the second.
#[test]
fn a_sale_waits_until_what_went_before_it_in_its_basket_is_undone() {
    let mut world = world();
    let first = sell(&mut world, "b", 200);
    for _ in 0..100 {
        for exchange in std::mem::take(&mut world.going) {
            world.arrive(&exchange);
            world.coming.clear();
            world.reply(&exchange, Reply::Lost);
        }
        world.advance(Duration::from_millis(100));
        world.steps();
        if world.told.contains_key(&first) {
            break;
        }
    }
    assert!(matches!(
        world.told[&first],
        Verdict::NotAsked { undoing: true, .. }
    ));
    assert_eq!(world.gateway.live("b").count(), 1);
    // The line works again, and the reversal is still on its way.
    let at = world.now().at;
    let (basket_id, scan) = (basket("b-2"), scan("b-2", at));
    let other = world.order(Ask::Inquiry { basket_id, scan });
    world.steps();
    let (others, held_up) = std::mem::take(&mut world.going)
        .into_iter()
        .partition(|exchange| {
            exchange
                .message
                .as_ref()
                .is_some_and(|message| message.reverses().is_none())
        });
    world.going = others;
    exchange(&mut world);
    assert!(matches!(world.told[&other], Verdict::Approved(_)));
    let second = sell(&mut world, "b", 0);
    assert!(!world.machine.is_away() && !world.told.contains_key(&second));
    let sales = |world: &World| {
        let messages = world
            .going
            .iter()
            .filter_map(|exchange| exchange.message.as_ref());
        messages
            .filter(|message| message.purchase().is_some())
            .count()
    };
    assert_eq!(
        sales(&world),
        0,
        "sent before the reversal was acknowledged"
    );
    world.going.extend::<Vec<_>>(held_up);
    exchange(&mut world);
    exchange(&mut world);
    assert!(matches!(world.told[&second], Verdict::Approved(_)));
    world.heal();
    let live: Vec<_> = world.gateway.live("b").collect();
    assert_eq!((live.len(), live[0].points), (1, 0));
}

/// A reversal is never given up; whoever waits for it is told that it counts.
#[test]
fn a_reversal_without_an_answer_counts() {
    let mut world = world();
    sell(&mut world, "b", 0);
    let original_request_id = world.going[0].request_id.clone();
    exchange(&mut world);
    let undo = world.order(Ask::Reversal {
        original_request_id,
    });
    world.steps();
    wait_in_vain(&mut world);
    assert!(matches!(world.told[&undo], Verdict::Queued { .. }));
    world.heal();
    assert_eq!(world.gateway.live("b").count(), 0);
}

#[test]
fn whoever_waits_for_a_request_that_is_undone_is_told() {
    let mut world = world();
    let sale = sell(&mut world, "b", 0);
    let original_request_id = world.going[0].request_id.clone();
    let undo = world.order(Ask::Reversal {
        original_request_id,
    });
    world.steps();
    assert!(matches!(
        world.told[&sale],
        Verdict::NotAsked { undoing: true, .. }
    ));
    world.heal();
    assert!(matches!(world.told[&undo], Verdict::Approved(_)));
    assert_eq!(world.gateway.live("b").count(), 0);
}

/// The reversal found a sale, and the gateway no longer knows the sale's answer.
#[test]
fn an_answer_that_cannot_be_learned_is_not_asked_for_for_ever() {
    let mut world = world();
    sell(&mut world, "b", 200);
    let first = world.going[0].clone();
    wait_in_vain(&mut world);
    let reversal = world.going.pop();
    world.arrive(&first);
    world.coming.clear();
    world.going.extend(reversal);
    for _ in 0..200 {
        for exchange in std::mem::take(&mut world.going) {
            let undone = exchange.message.is_some();
            world.arrive(&exchange);
            if undone {
                world.gateway.forget(&first.request_id);
            }
        }
        for (exchange, reply) in std::mem::take(&mut world.coming) {
            world.reply(&exchange, reply);
        }
        world.advance(Duration::from_millis(500));
        world.steps();
    }
    assert!(world.machine.is_settled());
}

#[test]
fn a_sale_that_counts_and_comes_too_late_for_its_text_gets_through_as_an_advice() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 0);
    wait_in_vain(&mut world);
    assert_eq!(world.told[&ticket], Verdict::Queued { why: Why::NoAnswer });
    world.advance(Duration::from_secs(3_600));
    world.heal();
    assert_eq!(world.gateway.live("b").count(), 1);
    let states: Vec<_> = world
        .machine
        .book()
        .requests()
        .map(|known| &known.state)
        .collect();
    assert!(
        matches!(states[..], [State::Replaced { .. }, State::Answered]),
        "{states:?}"
    );
}

#[test]
fn a_hold_is_a_promise_and_its_sale_counts_without_an_answer() {
    let mut world = world();
    let at = world.now().at;
    let card = scan("b", at);
    let ask = Ask::Authorization {
        basket_id: basket("b"),
        scan: card.clone(),
        points: Points::new(300).unwrap(),
    };
    let held = world.order(ask);
    world.steps();
    exchange(&mut world);
    let Verdict::Approved(answer) = world.told[&held].clone() else {
        panic!("{:?}", world.told)
    };
    let answer: AuthorizationAnswer = serde_json::from_value(answer).unwrap();
    let authorization_id = Some(answer.authorization.unwrap().id);
    let sold = world.order(Ask::Purchase(Sale {
        authorization_id,
        ..sale("b", card, 0)
    }));
    world.steps();
    wait_in_vain(&mut world);
    assert!(matches!(world.told[&sold], Verdict::Queued { .. }));
    world.advance(Duration::from_secs(7_200));
    world.heal();
    let live: Vec<_> = world.gateway.live("b").collect();
    assert_eq!((live.len(), live[0].points), (1, 300));
}

#[test]
fn while_the_gateway_is_away_a_sale_is_an_advice_at_once_and_points_are_refused_soon() {
    let mut world = world();
    sell(&mut world, "b-1", 0);
    wait_in_vain(&mut world);
    assert!(world.machine.is_away());
    let queued = sell(&mut world, "b-2", 0);
    assert_eq!(world.told[&queued], Verdict::Queued { why: Why::Away });
    let spend = sell(&mut world, "b-3", 100);
    world.advance(Duration::from_millis(1_100));
    world.steps();
    assert!(
        matches!(world.told[&spend], Verdict::NotAsked { .. }),
        "{:?}",
        world.told
    );
    world.heal();
    assert!(!world.machine.is_away());
    assert!(world.notices.contains(&Notice::Away) && world.notices.contains(&Notice::Back));
    let sold = |name| world.gateway.live(name).count();
    assert_eq!((sold("b-1"), sold("b-2"), sold("b-3")), (1, 1, 0));
}

#[test]
fn what_never_left_the_till_needs_no_reversal() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 200);
    for _ in 0..100 {
        for exchange in std::mem::take(&mut world.going) {
            world.reply(&exchange, Reply::NotSent { retry_after: None });
        }
        world.advance(Duration::from_millis(100));
        world.steps();
    }
    let why = Why::Away;
    let undoing = false;
    assert_eq!(world.told[&ticket], Verdict::NotAsked { why, undoing });
    assert!(world.machine.is_settled());
}

#[test]
fn wrong_credentials_are_an_operators_fault_and_no_decline() {
    let mut world = world();
    let (spend, earn) = (sell(&mut world, "b-1", 200), sell(&mut world, "b-2", 0));
    for exchange in std::mem::take(&mut world.going) {
        world.reply(&exchange, Reply::Operator("wrong secret".into()));
    }
    world.steps();
    let why = Why::Operator("wrong secret".into());
    assert_eq!(
        world.told[&spend],
        Verdict::NotAsked {
            why: why.clone(),
            undoing: false
        }
    );
    assert_eq!(world.told[&earn], Verdict::Queued { why });
    let said = world
        .notices
        .iter()
        .filter(|notice| matches!(notice, Notice::Operator(_)));
    assert_eq!(said.count(), 1);
    world.heal();
    assert_eq!(world.gateway.live("b-2").count(), 1);
}

#[test]
fn a_taken_request_id_is_never_a_decline() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 0);
    let taken = world.going[0].request_id.clone();
    world.gateway.occupy(&taken);
    exchange(&mut world);
    let renamed = world.going[0].request_id.clone();
    assert_ne!(renamed, taken);
    exchange(&mut world);
    assert!(
        matches!(world.told[&ticket], Verdict::Approved(_)),
        "{:?}",
        world.told
    );
    assert!(world.notices.contains(&Notice::RequestIdTaken {
        request_id: taken,
        renamed
    }));
    assert_eq!(world.gateway.live("b").count(), 1);
    // The new names are written down before they are used.
    let generations = world
        .disk
        .iter()
        .filter(|entry| matches!(entry, Entry::Opened(_)));
    assert_eq!(generations.count(), 2);
}

/// The cashier was told to take the points off while the reversal could not be written down.
/// The same for a sale that counts: it is declined late, and told as an advice.
#[test]
fn too_many_requests_are_waited_out() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 0);
    let limited = Reply::Http {
        status: 429,
        body: None,
        retry_after: Some(Duration::from_secs(2)),
    };
    let exchanged = world.going.pop().unwrap();
    world.reply(&exchanged, limited);
    // It holds for the whole till.
    let other = sell(&mut world, "b-2", 0);
    world.advance(Duration::from_millis(1_900));
    world.steps();
    assert!(world.going.is_empty(), "asked again before its time");
    world.advance(Duration::from_millis(200));
    world.steps();
    exchange(&mut world);
    exchange(&mut world);
    for ticket in [ticket, other] {
        assert!(matches!(world.told[&ticket], Verdict::Approved(_)));
    }
}

#[test]
fn a_malformed_message_is_the_tills_defect() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 0);
    let exchanged = world.going.pop().unwrap();
    let problem =
        json!({"type": "/problems/validation_failed", "detail": "The receipt has no lines."});
    world.reply(&exchanged, http(422, problem));
    world.steps();
    assert!(
        matches!(&world.told[&ticket], Verdict::Refused(Refusal::Defect { problem, .. }) if problem == "validation_failed")
    );
    assert!(world.machine.is_settled());
}

#[test]
fn an_answer_to_another_request_is_not_taken() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 0);
    let exchanged = world.going.pop().unwrap();
    let purchase =
        json!({"id": uuid::Uuid::nil(), "points_redeemed": 0, "points_earned": 9, "earned": []});
    let portal = json!({"outcome": "approved", "response_code": "00", "request_id": "another", "purchase": purchase});
    world.reply(&exchanged, http(200, portal));
    world.steps();
    assert!(!world.told.contains_key(&ticket));
    world.heal();
    assert!(matches!(world.told[&ticket], Verdict::Approved(_)));
}

/// A sale took effect and its answer is lost; then something on the way answers the status query.
#[test]
fn what_answers_a_status_query_in_the_gateways_place_says_nothing() {
    let portals = [
        Value::Null,
        json!("sign in"),
        json!({"request_id": "another", "outcome": "approved"}),
        json!({"status": "ok"}),
    ];
    for portal in portals {
        let mut world = world();
        let ticket = sell(&mut world, "b", 0);
        let first = world.going.pop().unwrap();
        world.arrive(&first);
        world.coming.clear();
        world.reply(&first, Reply::Lost);
        world.advance(Duration::from_millis(100));
        world.steps();
        let status = world.going.pop().unwrap();
        assert_eq!(status.message, None);
        world.reply(&status, http(200, portal));
        world.advance(Duration::from_millis(200));
        world.steps();
        assert_eq!(last_sent(&world).0, "status");
        exchange(&mut world);
        assert!(matches!(world.told[&ticket], Verdict::Approved(_)));
    }
}

#[test]
fn a_basket_is_not_sold_twice() {
    let mut world = world();
    sell(&mut world, "b", 0);
    let again = sell(&mut world, "b", 0);
    assert_eq!(
        world.told[&again],
        Verdict::Refused(Refusal::BasketCompleted)
    );
}

#[test]
fn a_day_with_open_requests_is_not_settled_by_accident() {
    let mut world = world();
    sell(&mut world, "b", 0);
    let business_date = "2026-11-22".parse().unwrap();
    let settle = |anyway| Ask::Settlement {
        business_date,
        anyway,
    };
    let refused = world.order(settle(false));
    world.steps();
    assert_eq!(
        world.told[&refused],
        Verdict::Refused(Refusal::Unsettled(1))
    );
    let settled = world.order(settle(true));
    world.steps();
    exchange(&mut world);
    assert!(matches!(world.told[&settled], Verdict::Approved(_)));
}

/// The record of an approval is damaged after the goods have gone: the sale is never undone for it.
#[test]
fn the_queue_tries_again_ever_less_often_and_one_request_at_a_time() {
    let mut world = world();
    for number in 0..6 {
        sell(&mut world, &format!("b-{number}"), 0);
        wait_in_vain(&mut world);
    }
    let mut attempts = 0;
    for _ in 0..1_200 {
        assert!(world.going.len() <= 1, "{:?}", world.going);
        attempts += world.going.len();
        lose(&mut world);
        world.advance(Duration::from_millis(500));
        world.steps();
    }
    assert!(
        (10..30).contains(&attempts),
        "{attempts} attempts in ten minutes"
    );
    world.heal();
    assert_eq!(world.machine.book().sold().count(), 6);
}
