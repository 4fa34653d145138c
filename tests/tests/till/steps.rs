//! Every operation, and everything that can happen to its message, with the gateway killed at every
//! step. The till waits long enough: each ends as if nothing had happened.

use acceptance::{databases::Database, on_each_database, phone::Phone};
use pos_protocol::{
    AuthorizationId, BasketId, Points, RequestId, ReversalEffect,
    client::{Client, Sale, Scan},
};

use crate::{
    Shop, approved, basket,
    line::{Fault, Line, kill_on_cue},
    patient, points, sale, scan,
};

/// What can happen to the messages of an operation, in the order in which they are sent.
const FAULTS: &[&[Fault]] = &[
    &[Fault::LoseRequest],
    &[Fault::LoseAnswer],
    &[Fault::Double],
    &[Fault::KillBefore],
    &[Fault::KillDuring],
    &[Fault::KillAfter],
    // The question what became of it is lost as well.
    &[Fault::LoseAnswer, Fault::LoseRequest],
    &[Fault::LoseRequest, Fault::LoseAnswer],
    &[Fault::KillAfter, Fault::LoseAnswer, Fault::Double],
];

on_each_database!(each_operation_survives_each_fault);

async fn each_operation_survives_each_fault(database: Database) {
    let mut shop = Shop::open(database).await.unwrap();
    let mut line = Line::to(shop.gateway.base()).await;
    let killings = line.killings.take().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (client, _) = shop.client(folder.path(), &line.base, patient());
    let Shop { gateway, phone, .. } = &mut shop;
    let counter = Counter {
        client: &client,
        phone,
        line: &line,
    };
    tokio::select! {
        killed = kill_on_cue(gateway, killings) => killed.unwrap(),
        () = counter.serve_all() => {}
    }
    shop.check(&[&client]).await.unwrap();
    let (available, held) = shop.phone.points(&shop.gateway.base()).await;
    assert_eq!(held, 0, "every hold was captured or let go");
    // Of each round the sale without points stays: 2,000 yen.
    let rounds = i64::try_from(FAULTS.len()).unwrap();
    assert_eq!(available, crate::POINTS + rounds * 20);
}

struct Counter<'a> {
    client: &'a Client,
    phone: &'a Phone,
    line: &'a Line,
}

impl Counter<'_> {
    async fn serve_all(&self) {
        for faults in FAULTS {
            self.hold_sell_and_return(faults).await;
            self.sell_at_once_and_undo(faults).await;
            self.hold_and_let_go(faults).await;
            let (basket, card) = self.shopper().await;
            self.sell(faults, sale(&basket, card, 0)).await;
        }
    }

    async fn shopper(&self) -> (BasketId, Scan) {
        (basket(self.client).await, scan(self.phone).await)
    }

    async fn hold_sell_and_return(&self, faults: &[Fault]) {
        let (basket, card) = self.shopper().await;
        self.line.plan(faults);
        approved(
            self.client
                .inquire(basket.clone(), card.clone())
                .await
                .verdict,
        );
        let hold = self.hold(faults, &basket, card.clone(), points(100)).await;
        let sale = Sale {
            authorization_id: Some(hold),
            ..sale(&basket, card, 0)
        };
        let number = sale.receipt.number.clone();
        self.sell(faults, sale).await;
        let sold = self.client.book(move |book| {
            let mut sold = book.sold();
            sold.find(|sold| sold.receipt.number == number)
        });
        let sold = sold.await.unwrap().expect("the sale is in the journal");
        assert_eq!(
            (sold.points_redeemed.get(), sold.points_earned.get()),
            (100, 20)
        );
        self.line.plan(faults);
        let quote = self.client.refund_quote(sold.purchase_id, None).await;
        let mut quote = approved(quote.verdict).refund.unwrap();
        self.line.plan(faults);
        let refund = self.client.refund(sold.purchase_id, None).await;
        let refund = approved(refund.verdict).refund.unwrap();
        quote.id = refund.id;
        assert_eq!(quote, refund);
    }

    async fn sell_at_once_and_undo(&self, faults: &[Fault]) {
        let (basket, card) = self.shopper().await;
        let request_id = self.sell(faults, sale(&basket, card, 50)).await;
        self.line.plan(faults);
        let undone = self.client.reverse(request_id).await;
        assert_eq!(
            approved(undone.verdict).effect,
            Some(ReversalEffect::Refunded)
        );
    }

    async fn hold_and_let_go(&self, faults: &[Fault]) {
        let (basket, card) = self.shopper().await;
        let hold = self.hold(faults, &basket, card, points(70)).await;
        self.line.plan(faults);
        approved(self.client.void(basket, hold).await.verdict);
    }

    async fn hold(
        &self,
        faults: &[Fault],
        basket: &BasketId,
        card: Scan,
        points: Points,
    ) -> AuthorizationId {
        self.line.plan(faults);
        let held = self.client.authorize(basket.clone(), card, points).await;
        approved(held.verdict).authorization.unwrap().id
    }

    async fn sell(&self, faults: &[Fault], sale: Sale) -> RequestId {
        self.line.plan(faults);
        let sold = self.client.purchase(sale).await;
        approved(sold.verdict);
        sold.request_id.expect("a sale has a name")
    }
}
