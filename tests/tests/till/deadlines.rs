//! Cashiers who can wait no longer, and gateways that are away: what was told is true in the end.

use std::time::Duration;

use acceptance::databases::{Database, Engine};
use member_card::SpendLimit;
use pos_protocol::{
    Reason,
    client::{Client, Message, Notice, Operation, Sale, Scan, Settings, Verdict, Why},
};

use crate::{
    Notices, Shop, approved, basket, hasty,
    line::{Fault, Line},
    now, patient, points, sale, scan, settled,
};

/// A shop whose till has a line that can be shut.
struct Scene {
    shop: Shop,
    line: Line,
    client: Client,
    notices: Notices,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new(settings: Settings) -> Self {
        let database = Database::create(Engine::Sqlite).await;
        let shop = Shop::open(database).await.unwrap();
        let line = Line::to(shop.gateway.base()).await;
        let folder = tempfile::tempdir().unwrap();
        let (client, notices) = shop.client(folder.path(), &line.base, settings);
        Self {
            shop,
            line,
            client,
            notices,
            _folder: folder,
        }
    }

    /// Opens the line, lets everything settle and checks the books.
    async fn heal(&self) {
        self.line.open(true);
        self.shop.check(&[&self.client]).await.unwrap();
    }

    async fn points(&self) -> (i64, i64) {
        self.shop.phone.points(&self.shop.gateway.base()).await
    }

    /// The first request fetches the token; what follows is about the messages alone.
    async fn warm_up(&self) {
        let basket = basket(&self.client).await;
        let card = scan(&self.shop.phone).await;
        approved(self.client.inquire(basket, card).await.verdict);
    }
}

/// A till whose cashiers wait long enough for what is to succeed and not long for what is not.
fn till() -> Settings {
    Settings {
        deadline: Duration::from_secs(3),
        ..hasty()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn points_nobody_promised_are_taken_off_and_undone() {
    let scene = Scene::new(till()).await;
    let (client, phone) = (&scene.client, &scene.shop.phone);
    scene.warm_up().await;
    // Both arrive, and only their answers are lost, again and again.
    scene.line.plan(&[Fault::LoseAnswer; 200]);
    let (first, second) = (basket(client).await, basket(client).await);
    let hold = client.authorize(first.clone(), scan(phone).await, points(500));
    let paid = client.purchase(sale(&second, scan(phone).await, 300));
    let (hold, paid) = tokio::join!(hold, paid);
    for (undoing, word) in [
        (
            matches!(hold.verdict, Verdict::NotAsked { undoing: true, .. }),
            format!("{hold:?}"),
        ),
        (
            matches!(paid.verdict, Verdict::NotAsked { undoing: true, .. }),
            format!("{paid:?}"),
        ),
    ] {
        assert!(undoing, "{word}");
    }
    scene.line.plan(&[]);
    // The shopper pays the second basket without points; with the same text, in the same basket.
    settled(client).await;
    let again = sale(&second, scan(phone).await, 0);
    approved(client.purchase(again).await.verdict);
    scene.heal().await;
    assert_eq!(scene.points().await, (crate::POINTS + 20, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_counts_is_repeated_until_it_is_answered() {
    let mut scene = Scene::new(till()).await;
    let (client, phone) = (&scene.client, &scene.shop.phone);
    scene.warm_up().await;
    let (earning, capturing) = (basket(client).await, basket(client).await);
    let card = scan(phone).await;
    let hold = client
        .authorize(capturing.clone(), card.clone(), points(200))
        .await;
    let hold = approved(hold.verdict).authorization.unwrap().id;
    scene.line.open(false);
    let capture = Sale {
        authorization_id: Some(hold),
        ..sale(&capturing, card, 0)
    };
    let (earned, captured) = tokio::join!(
        client.purchase(sale(&earning, scan(phone).await, 0)),
        client.purchase(capture),
    );
    for sold in [&earned, &captured] {
        assert_eq!(sold.verdict, Verdict::Queued { why: Why::NoAnswer });
    }
    scene.line.open(true);
    for _ in 0..2 {
        let notice = scene
            .notices
            .until(|notice| matches!(notice, Notice::Settled { .. }))
            .await;
        let Notice::Settled {
            request_id,
            verdict,
            ..
        } = notice
        else {
            panic!("{notice:?}")
        };
        approved(verdict);
        assert!([&earned.request_id, &captured.request_id].contains(&&Some(request_id)));
    }
    scene.heal().await;
    assert_eq!(scene.points().await, (crate::POINTS - 200 + 40, 0));
}

/// The text is fresh at the scan and stale when the sale gets through. It is declined for that, durably;
/// the advice that follows is judged by the scan.
#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_comes_too_late_for_its_text_gets_through_as_an_advice() {
    let mut scene = Scene::new(till()).await;
    scene.warm_up().await;
    let client = &scene.client;
    scene.line.plan(&[Fault::LoseRequest; 1_000]);
    let basket = basket(client).await;
    let at = now();
    let issued_at = u32::try_from(at.as_second()).unwrap() - 42;
    let shown = scene.shop.phone.sign(issued_at, SpendLimit::EarnOnly);
    let text = shown.text.to_digits();
    let sold = client.purchase(sale(&basket, Scan { text, at }, 0)).await;
    assert_eq!(sold.verdict, Verdict::Queued { why: Why::NoAnswer });
    // Nothing but time makes a text stale: 45 s after it was made.
    tokio::time::sleep(Duration::from_secs(5)).await;
    scene.line.plan(&[]);
    let told = scene.notices.until(|notice| {
        matches!(
            notice,
            Notice::Settled {
                operation: Operation::Purchase,
                ..
            }
        )
    });
    let Notice::Settled {
        request_id,
        verdict,
        ..
    } = told.await
    else {
        panic!("a sale was settled")
    };
    approved(verdict);
    let known = client.book(move |book| {
        let advice = book.find(&request_id).unwrap().clone();
        let replaced = advice.request.replaces.clone().unwrap();
        (book.find(&replaced).unwrap().clone(), advice)
    });
    let (first, advice) = known.await.unwrap();
    assert_eq!(
        first.decline().unwrap().known(),
        Some(Reason::CardTextExpired)
    );
    assert!(matches!(advice.request.message, Message::Purchase(sale) if sale.advice.is_some()));
    scene.heal().await;
    assert_eq!(scene.points().await.0, crate::POINTS + 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_gateway_is_away_sales_are_queued_at_once_and_told_in_order() {
    let mut scene = Scene::new(hasty()).await;
    scene.shop.gateway.kill().await.unwrap();
    let (client, phone) = (&scene.client, &scene.shop.phone);
    let first = basket(client).await;
    let sold = client.purchase(sale(&first, scan(phone).await, 0)).await;
    assert!(matches!(sold.verdict, Verdict::Queued { .. }), "{sold:?}");
    scene.notices.until(|notice| *notice == Notice::Away).await;
    for _ in 0..5 {
        let name = basket(client).await;
        // Points are refused. Nothing may have left the till, so nothing need be undone.
        let card = scan(phone).await;
        let spend = client.purchase(sale(&name, card.clone(), 100)).await;
        assert!(
            matches!(spend.verdict, Verdict::NotAsked { .. }),
            "{spend:?}"
        );
        let earn = client.purchase(sale(&name, card, 0)).await;
        assert_eq!(earn.verdict, Verdict::Queued { why: Why::Away });
    }
    let mut scene = scene;
    scene.shop.gateway.restart().await.unwrap();
    scene.notices.until(|notice| *notice == Notice::Back).await;
    scene.heal().await;
    assert_eq!(scene.points().await, (crate::POINTS + 6 * 20, 0));
}

/// A shop that takes the risk: points are taken all the same, and what the member turns out not to have
/// is the store's.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_bears_the_risk_takes_points_while_the_gateway_is_away() {
    let offline_spending = pos_protocol::client::OfflineSpending::StoreBearsRisk;
    let mut scene = Scene::new(Settings {
        offline_spending,
        ..hasty()
    })
    .await;
    scene.shop.gateway.kill().await.unwrap();
    let (client, phone) = (&scene.client, &scene.shop.phone);
    let (first, second) = (basket(client).await, basket(client).await);
    for (name, redeem) in [(&first, 1_500), (&second, 2_000)] {
        let sold = client.purchase(sale(name, scan(phone).await, redeem)).await;
        assert!(matches!(sold.verdict, Verdict::Queued { .. }), "{sold:?}");
    }
    scene.shop.gateway.restart().await.unwrap();
    scene.heal().await;
    assert_eq!(scene.points().await, (crate::POINTS - 3_500 + 40, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_and_a_refund_without_an_answer_happen_once() {
    let scene = Scene::new(till()).await;
    let (client, phone) = (&scene.client, &scene.shop.phone);
    let (sold, held) = (basket(client).await, basket(client).await);
    approved(
        client
            .purchase(sale(&sold, scan(phone).await, 0))
            .await
            .verdict,
    );
    let hold = client
        .authorize(held.clone(), scan(phone).await, points(100))
        .await;
    let hold = approved(hold.verdict).authorization.unwrap().id;
    let purchase = client
        .book(|book| book.sold().next().unwrap().purchase_id)
        .await
        .unwrap();
    scene.line.plan(&[Fault::LoseAnswer; 400]);
    let (voided, refunded) = tokio::join!(client.void(held, hold), client.refund(purchase, None));
    assert_eq!(voided.verdict, Verdict::Queued { why: Why::NoAnswer });
    assert_eq!(refunded.verdict, Verdict::Queued { why: Why::NoAnswer });
    scene.line.plan(&[]);
    scene.heal().await;
    assert_eq!(scene.points().await, (crate::POINTS, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_an_operators_fault_and_the_sale_is_not_lost() {
    let database = Database::create(Engine::Sqlite).await;
    let shop = Shop::open(database).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut account = shop.account(&shop.gateway.base());
    account.client_secret = "wrong".into();
    let opened = Client::open(folder.path(), account, patient());
    let (client, _, mut notices) = opened.unwrap();
    let name = basket(&client).await;
    let card = scan(&shop.phone).await;
    let spend = client.purchase(sale(&name, card.clone(), 100)).await;
    assert!(
        matches!(&spend.verdict, Verdict::NotAsked { why: Why::Operator(what), undoing: false } if what.contains("secret")),
        "{spend:?}"
    );
    let earn = client.purchase(sale(&name, card, 0)).await;
    assert!(
        matches!(
            earn.verdict,
            Verdict::Queued {
                why: Why::Operator(_)
            }
        ),
        "{earn:?}"
    );
    assert!(matches!(notices.recv().await, Some(Notice::Operator(_))));
    client.close().await;
    // The operator mends it.
    let (client, _) = shop.client(folder.path(), &shop.gateway.base(), patient());
    shop.check(&[&client]).await.unwrap();
    assert_eq!(
        shop.phone.points(&shop.gateway.base()).await.0,
        crate::POINTS + 20
    );
}
