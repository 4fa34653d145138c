//! Every kind of event is really made, by the real writer over a real store, and keeps the contract.

use std::collections::BTreeSet;

use acceptance::{databases::Database, on_each_database, schemas};
use gateway::cloud_event::CloudEvent;
use ledger::{
    command::{Ask, Direction, Operation, Payment},
    event::EventKind,
    identity::IdentityKind,
    member::CardKind,
    programme::{Clawback, Days},
};
use member_card::ProgrammeId;
use pos_protocol::{PurchaseId, RefundLine, RequestId, SettlementTotals, Shipped};
use serde_json::Value;

use crate::{
    persons::{claim, paid, refunded, statement},
    stand::{Shopper, Stand, basket, line, points},
};

on_each_database!(every_kind_is_made_and_fits_its_description);

async fn every_kind_is_made_and_fits_its_description(database: Database) {
    let stand = Stand::open(&database, |programme| {
        programme.earn.pending_days = Days::new(1).unwrap();
        programme.returns.clawback = Clawback::Owe;
    })
    .await;
    let shopper = stand.enrol().await;
    stand.adjust(shopper, Direction::Grant, 500, "bonus").await;
    stand.adjust(shopper, Direction::Take, 20, "bonus").await;
    baskets(&stand, shopper).await;
    purchases(&stand, shopper).await;
    let ask = Ask::Settlement {
        business_date: "2026-11-22".parse().unwrap(),
        totals: SettlementTotals::default(),
    };
    stand.ask("settlement", ask).await;
    records(&stand).await;
    orders(&stand).await;
    // Points mature, then lots pass their last day.
    for days in [2, 400] {
        stand.pass(days * 86_400);
        let member_id = shopper.member_id;
        stand.submit(Operation::Sweep { member_id }).await;
    }
    standing(&stand, shopper).await;
    check(&stand).await;
    stand.close().await;
}

/// Holds and what becomes of them.
async fn baskets(stand: &Stand, shopper: Shopper) {
    let card = stand.text(shopper);
    let inquiry = |name: &str| Ask::Inquiry {
        basket_id: basket(name),
        card: card.clone(),
    };
    stand.ask("first", inquiry("first")).await;
    stand.ask("second", inquiry("second")).await;
    for end in ["void", "reverse", "expire"] {
        let hold = Ask::Authorization {
            basket_id: basket(end),
            card: stand.text(shopper),
            points: points(50),
        };
        let held = stand.ask(&format!("hold-{end}"), hold).await;
        let id: Value = held["authorization"]["id"].clone();
        match end {
            "void" => {
                let authorization_id = serde_json::from_value(id).unwrap();
                stand.ask("void", Ask::Void { authorization_id }).await;
            }
            "reverse" => {
                let original_request_id = RequestId::new("hold-reverse").unwrap();
                let ask = Ask::Reversal {
                    original_request_id,
                };
                stand.ask("reverse", ask).await;
            }
            _ => {
                stand.pass(3_600);
                let member_id = shopper.member_id;
                stand.submit(Operation::Sweep { member_id }).await;
            }
        }
    }
}

/// Purchases, at once and on a hold, one of them refunded in part and one undone.
async fn purchases(stand: &Stand, shopper: Shopper) {
    let receipt = |stand: &Stand| {
        let lines = vec![line(1, "羊羹", 2, 1_200), line(2, "煎茶", 1, 864)];
        stand.receipt(lines)
    };
    let hold = Ask::Authorization {
        basket_id: basket("captured"),
        card: stand.text(shopper),
        points: points(150),
    };
    let held = stand.ask("hold-captured", hold).await;
    let capture = Ask::Purchase {
        basket_id: basket("captured"),
        payment: Payment::Authorization {
            authorization_id: serde_json::from_value(held["authorization"]["id"].clone()).unwrap(),
            redeem: Some(points(100)),
        },
        receipt: receipt(stand).into(),
        advice: None,
    };
    let bought = stand.ask("captured", capture).await;
    let refund = Ask::Refund {
        purchase_id: serde_json::from_value::<PurchaseId>(bought["purchase"]["id"].clone())
            .unwrap(),
        lines: Some(vec![RefundLine {
            line_no: 1,
            quantity: 1,
        }]),
        quote: false,
    };
    stand.ask("refund", refund).await;
    stand.sell(shopper, "undone", receipt(stand), 0).await;
    let original_request_id = RequestId::new("undone").unwrap();
    let undo = Ask::Reversal {
        original_request_id,
    };
    stand.ask("undo", undo).await;
}

/// Staff blocks the member and lets it back; the owner revokes the card.
async fn standing(stand: &Stand, shopper: Shopper) {
    let Shopper { member_id, card_id } = shopper;
    for blocked in [true, false] {
        let block = Operation::SetBlocked {
            member_id,
            blocked,
            reason: "the phone was lost".into(),
            actor: "cli:akiko".into(),
        };
        stand.submit(block).await;
    }
    let revoke = Operation::RevokeCard { member_id, card_id };
    stand.submit(revoke).await;
}

/// Two records become one person's, share points and a debt, and are parted; one more joins by its address.
async fn records(stand: &Stand) {
    let (one, two) = (stand.enrol().await, stand.enrol().await);
    let receipt = stand.receipt(vec![line(1, "煎茶", 1, 50_000)]);
    let bought = stand.sell(two, "spent", receipt, 0).await;
    stand.pass(2 * 86_400);
    stand.adjust(two, Direction::Take, 500, "bonus").await;
    let refund = Ask::Refund {
        purchase_id: serde_json::from_value(bought["purchase"]["id"].clone()).unwrap(),
        lines: None,
        quote: false,
    };
    stand.ask("refund-spent", refund).await;
    stand.merge(two.member_id, one.member_id).await;
    // Pays the debt of the other record, and lends to its basket.
    stand.adjust(one, Direction::Grant, 700, "bonus").await;
    let hold = Ask::Authorization {
        basket_id: basket("pooled"),
        card: stand.text(two),
        points: points(150),
    };
    let held = stand.ask("hold-pooled", hold).await;
    let authorization_id = serde_json::from_value(held["authorization"]["id"].clone()).unwrap();
    let void = Ask::Void { authorization_id };
    stand.ask("void-pooled", void).await;
    stand.unmerge(two.member_id).await;
    let address = claim(IdentityKind::Email, 1);
    stand.link(one, address.clone()).await;
    // Who brings back a code for another's address joins, and only earns for some time.
    stand.verify(two, address.clone()).await;
    stand.unlink(one.member_id, &address).await;
    let pass = stand.issue(CardKind::Wallet, 2, Some(one)).await;
    let name = Operation::NameCard {
        member_id: pass.member_id,
        card_id: pass.card_id,
        name: "my phone".into(),
    };
    stand.submit(name).await;
    stand.issue(CardKind::Plastic, 3, None).await;
    stand.set_profile(one).await;
    // Points that never had to lapse lapse with the person.
    stand.erase(one.member_id).await;
}

/// An order of a customer that nobody knew: paid, shipped in part, refunded in part, cancelled.
async fn orders(stand: &Stand) {
    let customer = Some(claim(IdentityKind::EcCustomer, 7));
    stand.order(paid(stand, "o1", 3_000), customer).await;
    let mut shipped = statement(stand, "o1");
    shipped.shipped = Shipped::Everything;
    stand.order(shipped, None).await;
    stand.order(refunded(stand, "o1", 200), None).await;
    let mut cancelled = statement(stand, "o1");
    cancelled.cancelled = true;
    stand.order(cancelled, None).await;
}

async fn check(stand: &Stand) {
    let events = stand.events().await;
    let made: BTreeSet<_> = events.iter().map(|event| event.kind.clone()).collect();
    let all: BTreeSet<_> = EventKind::ALL
        .iter()
        .map(|kind| kind.word().to_owned())
        .collect();
    assert_eq!(made, all);
    let demo = ProgrammeId::new("demo").unwrap();
    for (place, mut event) in (1..).zip(events) {
        event.stream_sequence = Some(place);
        let event = CloudEvent::new(event, &demo).unwrap();
        let text = serde_json::to_vec(&event).unwrap();
        schemas::check(&text);
    }
}
