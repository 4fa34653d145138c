//! Points that a hold promised, and points that nobody did.

use std::time::Duration;

use serde_json::json;

use super::{
    gateway::http,
    scenes::{exchange, wait_in_vain},
    world::{World, basket, sale, scan},
};
use crate::{
    AuthorizationAnswer, Points,
    client::{
        ask::{Ask, Sale},
        machine::{Notice, Ticket},
        message::OfflineSpending,
        settings::Settings,
        verdict::{Decline, Verdict},
    },
};

/// A till with a hold of 300 points, whose cashier asks for so many of them.
fn capture(offline_spending: OfflineSpending, redeem: i64) -> (World, Ticket) {
    let settings = Settings {
        offline_spending,
        ..Settings::default()
    };
    let mut world = World::new(settings, 500);
    let at = world.now().at;
    let card = scan("b", at);
    let held = world.order(Ask::Authorization {
        basket_id: basket("b"),
        scan: card.clone(),
        points: Points::new(300).unwrap(),
    });
    world.steps();
    exchange(&mut world);
    let answer = world.told[&held].clone().approved().unwrap();
    let answer: AuthorizationAnswer = serde_json::from_value(answer).unwrap();
    let sold = world.order(Ask::Purchase(Sale {
        authorization_id: answer.authorization.map(|hold| hold.id),
        ..sale("b", card, redeem)
    }));
    world.steps();
    (world, sold)
}

#[test]
fn points_above_the_hold_are_refused_like_points_without_one() {
    let (mut world, sold) = capture(OfflineSpending::Refuse, 450);
    wait_in_vain(&mut world);
    let told = &world.told[&sold];
    assert!(matches!(told, Verdict::NotAsked { .. }), "{told:?}");
    world.heal();
    assert_eq!(world.gateway.live("b").count(), 0);
    // Also when the gateway counts as away from the beginning, and after another start.
    for redeem in [450, 300] {
        let (mut world, _) = capture(OfflineSpending::Refuse, redeem);
        world.restart();
        world.heal();
        let sold = world.gateway.live("b").count();
        assert_eq!(sold, usize::from(redeem == 300), "{redeem} of 300");
    }
}

#[test]
fn where_the_store_bears_the_risk_they_count() {
    let (mut world, sold) = capture(OfflineSpending::StoreBearsRisk, 450);
    wait_in_vain(&mut world);
    assert!(matches!(world.told[&sold], Verdict::Queued { .. }));
    world.heal();
    let points: Vec<i64> = world.gateway.live("b").map(|sold| sold.points).collect();
    assert_eq!(points, [450]);
}

#[test]
fn a_late_decline_for_points_ends_a_sale_unless_the_store_bears_the_risk() {
    for spending in [OfflineSpending::Refuse, OfflineSpending::StoreBearsRisk] {
        let (mut world, sold) = capture(spending, 0);
        wait_in_vain(&mut world);
        assert!(matches!(world.told[&sold], Verdict::Queued { .. }));
        world.advance(Duration::from_secs(60));
        world.steps();
        let exchange = world.going.pop().unwrap();
        let decline = json!({"outcome": "declined", "response_code": "61",
            "reason": "above_receipt_total", "request_id": exchange.request_id});
        world.reply(&exchange, http(200, decline));
        world.heal();
        let counts = spending == OfflineSpending::StoreBearsRisk;
        assert_eq!(world.gateway.live("b").count(), usize::from(counts));
        let said = world.notices.iter().any(|notice| {
            matches!(notice, Notice::Settled { verdict: Verdict::Declined(Decline { reason, .. }), .. }
                if reason == "above_receipt_total")
        });
        assert_eq!(said, !counts, "{spending:?}: {:?}", world.notices);
        assert!(world.machine.is_settled());
    }
}
