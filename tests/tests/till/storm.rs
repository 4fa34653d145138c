//! Many tills on bad lines, gateways killed beside them: at the end every journal agrees with the
//! gateway, and what each cashier was told is true.

use std::time::Duration;

use acceptance::{
    databases::Database, dice::Dice, installation::member_with_points, on_each_database,
    phone::Phone,
};
use pos_protocol::client::{Account, Chaos, Client, Sale, Settings, Verdict};
use tokio::{sync::watch, task::JoinSet};

use crate::{POINTS, Shop, basket, patient, points, sale, scan, settled};

/// Tills at work.
const TILLS: usize = 12;
/// Baskets that each serves.
const BASKETS: usize = 8;
/// How often the gateway is killed.
const KILLS: usize = 3;

on_each_database!(every_journal_agrees_after_a_storm);

async fn every_journal_agrees_after_a_storm(database: Database) {
    let mut shop = Shop::open(database).await.unwrap();
    let mut dice = Dice::for_run("storm");
    let served = watch::Sender::new(0_usize);
    let mut work = JoinSet::new();
    for number in 0..TILLS {
        let base = shop.gateway.base();
        let till = shop
            .installation
            .till(&base, 10 + number, "store-1")
            .await
            .unwrap();
        let phone = member_with_points(&shop.giver, POINTS).await;
        let account = Account {
            gateway: base,
            client_id: till.client_id.to_string(),
            client_secret: till.secret().to_owned(),
        };
        work.spawn(serve(account, phone, dice.fork(), served.clone()));
    }
    let mut progress = served.subscribe();
    for kill in 1..=KILLS {
        let threshold = TILLS * BASKETS * kill / (KILLS + 1);
        progress
            .wait_for(|served| *served >= threshold)
            .await
            .unwrap();
        shop.gateway.kill().await.unwrap();
        shop.gateway.restart().await.unwrap();
    }
    let mut sold = Vec::new();
    while let Some(ended) = work.join_next().await {
        let (client, _folder) = ended.unwrap();
        settled(&client).await;
        sold.extend(
            client
                .book(|book| book.sold().collect::<Vec<_>>())
                .await
                .unwrap(),
        );
        let day = client.business_date();
        let answer = client.settle(day, false).await.verdict.approved().unwrap();
        assert_eq!(answer.differences, Some(Vec::new()), "{answer:?}");
    }
    shop.check_sold(&sold).await.unwrap();
    let undone = sold.iter().filter(|sold| sold.reversed).count();
    println!("{} sales, {undone} undone", sold.len());
    assert!(
        sold.len() >= TILLS * BASKETS - undone,
        "each basket was sold"
    );
}

async fn serve(
    account: Account,
    phone: Phone,
    mut dice: Dice,
    served: watch::Sender<usize>,
) -> (Client, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        deadline: Duration::from_millis(1_500),
        deadline_away: Duration::from_millis(300),
        attempt: Duration::from_millis(700),
        ..patient()
    };
    let chaos = Some(Chaos::new(dice.next_u64()));
    let opened = Client::open_over(folder.path(), account, settings, chaos);
    let (client, _, mut notices) = opened.unwrap();
    let listening = tokio::spawn(async move { while notices.recv().await.is_some() {} });
    for _ in 0..BASKETS {
        let counter = Counter {
            client: &client,
            phone: &phone,
        };
        counter.serve_one(&mut dice).await;
        served.send_modify(|served| *served += 1);
    }
    settled(&client).await;
    listening.abort();
    (client, folder)
}

struct Counter<'a> {
    client: &'a Client,
    phone: &'a Phone,
}

impl Counter<'_> {
    async fn serve_one(&self, dice: &mut Dice) {
        let (client, name) = (self.client, basket(self.client).await);
        let card = scan(self.phone).await;
        let redeem = dice.between(0, 1) * 40;
        let hold = if dice.one_in(2) {
            let held = client
                .authorize(name.clone(), card.clone(), points(30))
                .await;
            held.verdict
                .approved()
                .and_then(|answer| answer.authorization)
        } else {
            None
        };
        let sold = Sale {
            authorization_id: hold.as_ref().map(|hold| hold.id),
            ..sale(&name, card.clone(), if hold.is_some() { 0 } else { redeem })
        };
        let mut told = client.purchase(sold).await;
        if matches!(told.verdict, Verdict::NotAsked { .. }) {
            // The points come off; the shopper pays in full.
            told = client.purchase(sale(&name, card, 0)).await;
        }
        let counts = matches!(told.verdict, Verdict::Approved(_) | Verdict::Queued { .. });
        assert!(counts, "a sale without points always counts: {told:?}");
        if dice.one_in(4) {
            let undone = client.reverse(told.request_id.unwrap()).await;
            let counts = matches!(
                undone.verdict,
                Verdict::Approved(_) | Verdict::Queued { .. }
            );
            assert!(counts, "{undone:?}");
        }
    }
}
