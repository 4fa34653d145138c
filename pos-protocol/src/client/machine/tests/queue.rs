//! The queue: what goes when, and whom a request that fails every time holds up.

use std::time::Duration;

use super::{
    scenes::{exchange, sell, wait_in_vain, world},
    world::World,
};
use crate::client::{
    machine::{Exchange, Reply},
    verdict::Verdict,
};

/// Sales that count and were not answered in time, so many.
fn queued(count: usize) -> World {
    let mut world = world();
    for number in 0..count {
        sell(&mut world, &format!("b-{number}"), 0);
    }
    wait_in_vain(&mut world);
    world
}

/// Whether it is about the sale of this basket.
fn is_of(world: &World, exchange: &Exchange, name: &str) -> bool {
    let known = world.machine.book().find(&exchange.request_id);
    let basket = known.and_then(|known| known.request.basket_id.as_ref());
    basket.is_some_and(|basket| basket.as_str() == name)
}

/// Lets time pass in steps of 100 ms. Everything arrives, but what is about `poisoned`: that gets
/// `reply`. How often it was sent.
fn run(world: &mut World, ticks: usize, poisoned: &str, reply: &Reply) -> usize {
    let mut sent = 0;
    for _ in 0..ticks {
        let going = std::mem::take(&mut world.going);
        let (bad, good): (Vec<_>, Vec<_>) = going
            .into_iter()
            .partition(|exchange| is_of(world, exchange, poisoned));
        world.going = good;
        for exchange in bad {
            sent += 1;
            world.reply(&exchange, reply.clone());
        }
        exchange(world);
        world.advance(Duration::from_millis(100));
        world.steps();
    }
    sent
}

#[test]
fn one_request_that_fails_every_time_holds_up_no_other() {
    let unwell = |status, after| Reply::Http {
        status,
        body: None,
        retry_after: after,
    };
    let second = Some(Duration::from_secs(1));
    let replies = [
        Reply::Lost,
        unwell(500, None),
        unwell(502, None),
        unwell(503, second),
    ];
    for reply in [&replies[..], &[Reply::Operator("403".into())]].concat() {
        let mut world = queued(30);
        let sent = run(&mut world, 1_200, "b-0", &reply);
        let left = world.machine.book().unsettled();
        assert_eq!(left, 1, "{reply:?}: {left} are left after two minutes");
        assert!(sent <= 10, "{reply:?}: sent {sent} times in two minutes");
        // It alone does not make the gateway count as away.
        run(&mut world, 6_000, "b-0", &reply);
        assert!(!world.machine.is_away(), "{reply:?}");
        let ticket = sell(&mut world, "b-new", 200);
        exchange(&mut world);
        let told = &world.told[&ticket];
        assert!(matches!(told, Verdict::Approved(_)), "{reply:?}: {told:?}");
        world.heal();
    }
}

#[test]
fn the_queue_goes_at_once_when_the_gateway_is_back() {
    let mut world = queued(3);
    for _ in 0..30 {
        wait_in_vain(&mut world);
    }
    let ticket = sell(&mut world, "b-new", 200);
    for _ in 0..4 {
        exchange(&mut world);
    }
    assert!(matches!(world.told[&ticket], Verdict::Approved(_)));
    assert_eq!(world.machine.book().unsettled(), 0);
}

/// Every request that is sent meets a fault; the gateway still says what it does not know.
#[test]
fn faults_of_every_request_slow_the_queue_down() {
    let mut world = queued(50);
    let mut sent = 0;
    for _ in 0..6_000 {
        for exchange in std::mem::take(&mut world.going) {
            if exchange.message.is_none() {
                world.arrive(&exchange);
                continue;
            }
            sent += 1;
            let (status, body, retry_after) = (500, None, None);
            let fault = Reply::Http {
                status,
                body,
                retry_after,
            };
            world.reply(&exchange, fault);
        }
        for (exchange, reply) in std::mem::take(&mut world.coming) {
            world.reply(&exchange, reply);
        }
        world.steps();
        world.advance(Duration::from_millis(100));
    }
    assert!(sent <= 60, "sent {sent} times in ten minutes");
    assert!(world.machine.is_away());
    world.heal();
    assert!(!world.machine.is_away());
    assert_eq!(world.machine.book().sold().count(), 50);
}
