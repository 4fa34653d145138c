//! Orders of an EC shop, statement by statement.

use ledger::{
    command::{Ask, Operation},
    decision::Answer,
    event::EventKind,
    programme::{GrantMoment, Programme, ReturnScope, ShippingFee},
};

use crate::world::{World, request};

/// A shop whose customer `ec/7` is `ann`, who has 500 points.
fn shop(edit: impl FnOnce(&mut Programme)) -> World {
    let mut world = World::with(edit);
    world.play("grant ann 500 \n link ec/7 ann");
    world
}

#[test]
fn what_an_order_earns_is_spendable_as_it_is_shipped() {
    shop(|_| {}).play(
        "
        order o1 by=ec/7 lines=a:food:2=1000+b:toys:1=500 fee=300
            order placed
            nothing moves
            event order.changed
        order o1 paid by=ec/7
            order paid
            accrual 15: issued > pending, base 2027-11-30
            event purchase.completed
            event order.changed
        has ann 500 pending=15
        order o1 paid by=ec/7
            order paid
            nothing moves
        order o1 ship=a:1
            order partly shipped
            maturity 5: pending > available, base 2027-11-30
            event points.matured
            event order.changed
        order o1 ship=b:1
            order partly shipped
            maturity 5: pending > available, base 2027-11-30
        order o1 ship=a:2
            order shipped
            maturity 5: pending > available, base 2027-11-30
        has ann 515
        ",
    );
}

#[test]
fn the_fee_earns_if_the_programme_says_so_with_the_last_of_the_goods() {
    shop(|programme| programme.ec.shipping_fee = ShippingFee::Included).play(
        "
        order o1 paid by=ec/7 lines=a:food:2=1000+b:toys:1=500 fee=300
            order paid
            accrual 18: issued > pending, base 2027-11-30
        order o1 ship=a:2
            order partly shipped
            maturity 10: pending > available, base 2027-11-30
        order o1 ship=b:1
            order shipped
            maturity 8: pending > available, base 2027-11-30
        ",
    );
}

#[test]
fn what_earned_comes_back_by_the_programme_of_then() {
    let mut world = shop(|_| {});
    world.play("order o1 paid by=ec/7 lines=a=1000 fee=1000");
    let _ = world.activate(|programme| programme.ec.shipping_fee = ShippingFee::Included);
    // Half of what earned, not a quarter; and no line of the receipt came back.
    world.play(
        "
        order o1 refund=r1:500
            order paid
            clawback 5: pending > issued, base 2027-11-30
        ",
    );
    let refunds = world.all.events.iter();
    let refunds = refunds.filter(|event| event.kind == EventKind::PurchaseRefunded);
    let told: Vec<serde_json::Value> = refunds
        .map(|event| serde_json::from_str(&event.data).unwrap())
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["other_amount"], 500);
    assert_eq!(told[0]["lines"], serde_json::json!([]));
}

#[test]
fn points_may_be_spendable_once_it_is_paid() {
    shop(|programme| programme.ec.grant_on = GrantMoment::Paid).play(
        "
        order o1 ship=a:1 by=ec/7 lines=a:food:2=1000
            order partly shipped
        has ann 505 pending=5
        order o1 paid
            order partly shipped
            maturity 5: pending > available, base 2027-11-30
        order o1 refund=r1:a:1
            order shipped
            clawback 5: available > issued, base 2027-11-30
        ",
    );
}

#[test]
fn a_hold_pays_the_order_and_comes_back_with_it() {
    shop(|_| {}).play(
        "
        h: main.ec o1 authorize ec/7 200
            approved, held 200, available 300
        order o1 by=ec/7 lines=a=1000 hold=h redeem=150
            order placed
            nothing moves
        has ann 300 held=200
        order o1 paid
            order paid
            capture 150: held > redeemed, base 2027-11-30
            release 50: held > available, base 2027-11-30
            accrual 10: issued > pending, base 2027-11-30
        order o1 refund=r1:400
            order paid
            restoration 60: redeemed > available, base 2027-11-30
            clawback 4: pending > issued, base 2027-11-30
            event purchase.refunded
            event order.changed
        order o1 refund=r1:400
            order paid
            nothing moves
        order o1 cancelled
            order cancelled
            restoration 90: redeemed > available, base 2027-11-30
            clawback 6: pending > issued, base 2027-11-30
        has ann 500
        order o1 paid
            order cancelled
            nothing moves
        ",
    );
}

#[test]
fn a_hold_that_ran_out_pays_with_what_is_there_and_one_let_go_pays_nothing() {
    shop(|_| {}).play(
        "
        h: main.ec o1 authorize ec/7 200
        wait 31m
        take ann 400
        order o1 paid by=ec/7 lines=a=1000 hold=h
            order paid
            capture 100: available > redeemed, base 2027-11-30
            shortfall 100: shortfall > redeemed
            accrual 10: issued > pending, base 2027-11-30
        grant ann 50
        g: main.ec o2 authorize ec/7 50
        main.ec void g
        order o2 paid by=ec/7 lines=a=1000 hold=g
            order paid
            shortfall 50: shortfall > redeemed
            accrual 10: issued > pending, base 2027-11-30
        ",
    );
}

#[test]
fn a_hold_of_another_basket_pays_nothing() {
    shop(|_| {}).play(
        "
        h: main.ec o1 authorize ec/7 200
        order o2 paid by=ec/7 lines=a=1000 hold=h
            order paid
            accrual 10: issued > pending, base 2027-11-30
        order o3 paid by=ec/8 lines=a=1000 hold=h
            order paid
            accrual 10: issued > pending, base 2027-11-30
        has ann 300 held=200 pending=10
        ",
    );
}

#[test]
fn a_cancelled_order_lets_its_hold_go() {
    shop(|_| {}).play(
        "
        h: main.ec o1 authorize ec/7 200
        order o1 cancelled
            order announced
            nothing moves
        order o1 paid by=ec/7 lines=a=1000 hold=h
            order cancelled
            release 200: held > available, base 2027-11-30
            event authorization.voided
            event order.changed
        has ann 500
        ",
    );
}

#[test]
fn a_changed_order_is_booked_anew() {
    shop(|_| {}).play(
        "
        h: main.ec o1 authorize ec/7 200
        order o1 paid by=ec/7 as=10 lines=a=1000+b=500 hold=h
        order o1 ship=a:1
        has ann 310 pending=5
        order o1 as=20 lines=a=1000+b=900 hold=h
            order partly shipped
            restoration 200: redeemed > available, base 2027-11-30
            clawback 5: pending > issued, base 2027-11-30
            clawback 10: available > issued, base 2027-11-30
            capture 200: available > redeemed, base 2027-11-30
            accrual 19: issued > pending, base 2027-11-30
            maturity 10: pending > available, base 2027-11-30
            event purchase.reversed
            event purchase.completed
            event points.matured
            event order.changed
        # An older description comes late.
        order o1 as=15 lines=a=1
            order partly shipped
            nothing moves
        has ann 310 pending=9
        ",
    );
}

#[test]
fn facts_may_come_before_the_order_and_before_its_customer() {
    let mut world = shop(|_| {});
    world.play(
        "
        order o1 refund=r1:a:1
            order announced
            nothing moves
        order o1 ship=a:1+c:1
            order announced
        order o1 paid lines=a:food:2=1000
            order anonymous
            nothing moves
        order o1 by=ec/7
            order shipped
        has ann 505
        ",
    );
    let order = world.state.orders.values().next().unwrap();
    let remark = order.remark.as_deref().unwrap();
    assert!(remark.contains("line c"), "{remark}");
}

#[test]
fn a_customer_whom_nobody_knows_is_a_member_who_waits() {
    World::new().play(
        "
        order o1 paid shipped by=ec/9 lines=a=1000
            order shipped
            accrual 10: issued > pending, base 2027-11-30
            maturity 10: pending > available, base 2027-11-30
            event member.enrolled
            event member.linked
            event purchase.completed
            event points.matured
            event order.changed
        link-code c ann
        enter c ec/9 agreed=yes
            merged
        s1.t1 b1 inquire ann
            approved, available 10, spendable 10
        order o1 refund=r1:a:1
            order returned
            clawback 10: available > issued, base 2027-11-30
        ",
    );
}

#[test]
fn a_till_that_captures_an_order_s_hold_has_sold_the_order() {
    shop(|_| {}).play(
        "
        h: main.ec o1 authorize ec/7 200
        p: main.ec o1 capture h 1000
            approved, redeemed 200, earned 10, available 310
        order o1 paid by=ec/7 lines=a=1000 hold=h
            refused basket_completed
            nothing moves
        has ann 310
        ",
    );
}

#[test]
fn yen_refunded_for_no_line_lessen_what_is_still_to_come() {
    shop(|_| {}).play(
        "
        order o1 paid by=ec/7 lines=a=1000+b=1000
        order o1 ship=a:1
        has ann 510 pending=10
        order o1 refund=r1:1000
            order partly shipped
            clawback 5: pending > issued, base 2027-11-30
            clawback 5: available > issued, base 2027-11-30
        order o1 shipped
        has ann 510
        ",
    );
}

#[test]
fn lines_that_are_called_otherwise_are_booked_anew() {
    // Two lines alike change their names: what came back is still one of them.
    shop(|_| {}).play(
        "
        order o1 paid shipped by=ec/7 as=10 lines=a=1000+b=1000
        order o1 refund=r1:a:1
        has ann 510
        order o1 as=20 lines=b=1000+a=1000
            order shipped
        has ann 510
        ",
    );
}

#[test]
fn points_that_a_later_description_names_are_paid_with() {
    shop(|_| {}).play(
        "
        h: main.ec o1 authorize ec/7 200
        order o1 paid by=ec/7 as=10 lines=a=1000
        has ann 300 held=200 pending=10
        order o1 as=20 lines=a=1000 hold=h
            order paid
            clawback 10: pending > issued, base 2027-11-30
            capture 200: held > redeemed, base 2027-11-30
            accrual 10: issued > pending, base 2027-11-30
        order o1 as=30 lines=a=1000
            order paid
            restoration 200: redeemed > available, base 2027-11-30
            clawback 10: pending > issued, base 2027-11-30
            accrual 10: issued > pending, base 2027-11-30
        has ann 500 pending=10
        ",
    );
}

#[test]
fn what_stands_for_an_order_comes_back_by_its_shop_alone() {
    let mut world = shop(|programme| programme.returns.scope = ReturnScope::Chain);
    world.play("order o1 paid by=ec/7 lines=a=1000");
    let purchase_id = *world.state.purchases.keys().next().unwrap();
    let refund = Ask::Refund {
        purchase_id,
        lines: None,
        quote: false,
    };
    let answer = world
        .run(Operation::Pos(request("s1.t1", "r1", refund)))
        .answer;
    let Answer::Message(answer) = answer else {
        panic!("{answer:?}")
    };
    assert!(answer.contains("unknown_purchase"), "{answer}");
}

#[test]
fn a_blocked_members_order_waits_and_says_so() {
    let mut world = shop(|_| {});
    world.play(
        "
        block ann
        order o1 paid by=ec/7 lines=a=1000
            order paid
            nothing moves
        ",
    );
    let remark = |world: &World| world.state.orders.values().next().unwrap().remark.clone();
    assert!(remark(&world).is_some_and(|remark| remark.contains("blocked")));
    world.play(
        "
        unblock ann
        order o1 paid
            order paid
            accrual 10: issued > pending, base 2027-11-30
        ",
    );
    assert_eq!(remark(&world), None);
}
