//! Tills that are killed (SIGKILL) in the middle of sales, again and again, on lines that lose, delay
//! and double; and started again on their journals.

use std::{collections::BTreeMap, time::Duration};

use acceptance::{
    databases::{Database, Engine},
    dice::Dice,
    installation::member_with_points,
};
use pos_protocol::client::{Account, Client};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{PATIENCE, POINTS, Shop, patient, process::TillProcess, settled};

/// Tills at work at once.
const TILLS: usize = 4;
/// How often each is killed.
const KILLS: usize = 8;

/// What the cashier was told of each basket.
type Told = BTreeMap<String, String>;

#[tokio::test(flavor = "multi_thread")]
async fn a_till_killed_in_the_middle_of_a_sale_goes_on() {
    let database = Database::create(Engine::Sqlite).await;
    let shop = Shop::open(database).await.unwrap();
    let mut dice = Dice::for_run("killed");
    let mut work = JoinSet::new();
    for number in 0..TILLS {
        let base = shop.gateway.base();
        let till = shop
            .installation
            .till(&base, 10 + number, "store-1")
            .await
            .unwrap();
        let account = Account {
            gateway: base,
            client_id: till.client_id.to_string(),
            client_secret: till.secret().to_owned(),
        };
        // The phone's points come from the till that is not counted.
        let giver = shop.giver.clone();
        work.spawn(work_and_die(account, giver, dice.fork()));
    }
    let mut sold = Vec::new();
    while let Some(ended) = work.join_next().await {
        let (client, told, _folder) = ended.unwrap();
        let ours = client
            .book(|book| book.sold().collect::<Vec<_>>())
            .await
            .unwrap();
        for (basket, verdict) in &told {
            let receipt = format!("R-{basket}");
            let live = ours
                .iter()
                .filter(|sold| sold.receipt.number == receipt && !sold.reversed);
            let expected = usize::from(matches!(verdict.as_str(), "approved" | "queued"));
            assert_eq!(live.count(), expected, "{basket} was {verdict}");
        }
        let day = client.business_date();
        let settlement = client.settle(day, false).await.verdict.approved().unwrap();
        assert_eq!(settlement.differences, Some(Vec::new()));
        println!("{} baskets told, {} sold", told.len(), ours.len());
        sold.extend(ours);
    }
    shop.check_sold(&sold).await.unwrap();
}

/// Sells, dies, starts again; at last everything is settled.
async fn work_and_die(
    account: Account,
    giver: acceptance::till::Till,
    mut dice: Dice,
) -> (Client, Told, tempfile::TempDir) {
    let phone = member_with_points(&giver, POINTS).await;
    let folder = tempfile::tempdir().unwrap();
    let mut told = Told::new();
    for _ in 0..KILLS {
        let seed = dice.below(1_000_000).to_string();
        let chaos = ["--chaos", &seed];
        let mut till = TillProcess::start(&account, folder.path(), &chaos, "").await;
        for _ in 0..dice.below(2) {
            let redeem = dice.one_in(2).then_some(10);
            listen(&till.sell(&phone, redeem).await, &mut told);
        }
        // It dies some time after the next basket was typed in: before, while or after it is sold.
        till.type_basket(&phone, dice.one_in(2).then_some(10)).await;
        tokio::time::sleep(Duration::from_millis(dice.below(150))).await;
        for line in till.kill().await {
            listen(&line, &mut told);
        }
    }
    let opened = Client::open(folder.path(), account, patient());
    let (client, _, _) = opened.unwrap();
    tokio::time::timeout(PATIENCE, settled(&client))
        .await
        .unwrap();
    (client, told, folder)
}

/// What the cashier reads. A basket that was refused, declined or not asked for may be tried again.
fn listen(line: &Value, told: &mut Told) {
    if line["command"] == "pay"
        && let (Some(basket), Some(verdict)) =
            (line["basket_id"].as_str(), line["verdict"].as_str())
    {
        told.insert(basket.to_owned(), verdict.to_owned());
    }
}
