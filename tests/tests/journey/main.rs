//! One person, from a plastic card to one balance and back: a card of an older system is imported, a shop
//! tells of an order of somebody nobody knows, a phone enrols; all three turn out to be one person, who
//! spends one balance at a till. Then the order comes back, the card is parted again, every figure is
//! explained and the audit is clean. On SQLite with one gateway, on PostgreSQL with two.

mod cast;

use acceptance::{
    ask::{Ask, receipt},
    databases::{Database, Engine},
    installation::PROGRAMME,
    phone::Phone,
};
use member_card::SpendLimit;
use serde_json::{Value, json};

use cast::Cast;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_one_gateway_on_sqlite() -> anyhow::Result<()> {
    journey(Cast::meet(Database::create(Engine::Sqlite).await, 1).await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_two_gateways_on_postgres() -> anyhow::Result<()> {
    journey(Cast::meet(Database::create(Engine::Postgres).await, 2).await?).await
}

/// The plastic card of the older system.
const PLASTIC: &str = "2999000012345";

async fn journey(mut cast: Cast) -> anyhow::Result<()> {
    // The older system's base: 500 points of two last days.
    cast.import(&format!(
        "会員番号,lot1_points,lot1_expires_on,lot2_points,lot2_expires_on,氏名\n{PLASTIC},300,2027-03-31,200,2027-09-30,山田 太郎\n"
    ))
    .await?;
    // At the till the number earns, and never spends.
    let earned = cast.plastic_purchase(PLASTIC, "b-1", 1_000, 0).await;
    assert_eq!(earned.number("/purchase/points_earned"), 10);
    let refused = cast.plastic_purchase(PLASTIC, "b-2", 1_000, 100).await;
    assert_eq!(refused.word("/reason"), "spend_not_allowed");

    // A shop tells of an order of a customer whom nobody knows: paid, then shipped.
    cast.woo("processing", None).await?;
    let order = cast.order_in_state("paid").await;
    assert_eq!(order["points_pending"], 30, "{order}");
    cast.woo("completed", None).await?;
    let order = cast.order_in_state("shipped").await;
    assert_eq!(order["points_pending"], 0, "{order}");

    // The person gets the app, and links both: the shop shows a code, the cashier prints one.
    let phone = Phone::new(PROGRAMME);
    phone.enrol(&cast.base(0)).await;
    assert_eq!(phone.points(&cast.base(0)).await, (0, 0));
    let code = cast.shop_code("42").await;
    let refused = phone
        .post(&cast.base(1), "/v1/me/links", &json!({ "code": code }))
        .await;
    assert_eq!(refused.status, 409, "a merge is agreed to: {refused:?}");
    cast.link(&phone, &code).await;
    let code = cast.till_code(PLASTIC).await;
    cast.link(&phone, &code).await;
    for gateway in [0, 1] {
        assert_eq!(phone.points(&cast.base(gateway)).await, (540, 0));
    }

    // One balance pays at a till of the other gateway: first what lapses first.
    let shown = phone.show(SpendLimit::Unlimited).await;
    let sale = Ask::purchase(
        "r-spend",
        "b-spend",
        &shown.text,
        520,
        receipt("R-2", &[5_200]),
    );
    let sold = cast.till(1).insist(&sale).await.approved();
    assert_eq!(sold.number("/purchase/points_redeemed"), 520);
    assert_eq!(sold.number("/purchase/points_earned"), 52);
    assert_eq!(phone.points(&cast.base(0)).await, (72, 0));

    // The order comes back whole.
    cast.woo("refunded", Some("-3000")).await?;
    cast.order_in_state("returned").await;
    assert_eq!(phone.points(&cast.base(1)).await, (42, 0));
    explained(&cast, &phone).await;

    // The plastic card was somebody else's after all.
    let report = cast.unmerge(PLASTIC).await?;
    let left = cast.inquire(PLASTIC, "b-after").await;
    let (own, others) = (
        left.number("/points/available"),
        phone.points(&cast.base(0)).await.0,
    );
    assert_eq!(own + others, 42, "nothing is lost: {report}");
    let spent = report["spent_across"].as_array().expect("a report");
    let spent: i64 = spent.iter().filter_map(|row| row["points"].as_i64()).sum();
    assert_eq!(
        spent, 510,
        "what the phone spent of the card's points: {report}"
    );
    explained(&cast, &phone).await;
    println!("{}", cast.audit().await?);
    Ok(())
}

/// Every entry of the history says why, in both languages.
async fn explained(cast: &Cast, phone: &Phone) {
    let history = phone.get(&cast.base(0), "/v1/me/history").await.json();
    let entries = history["entries"].as_array().expect("a history");
    assert!(!entries.is_empty());
    for entry in entries {
        let id = entry["id"].as_str().expect("an id");
        let why = phone.get(&cast.base(1), &format!("/v1/me/why/{id}")).await;
        assert_eq!(why.status, 200, "{entry}: {why:?}");
        let why: Value = why.json();
        for language in ["en", "ja"] {
            let text = &why["text"][language];
            let words = text.to_string();
            assert!(words.len() > 10, "{entry}: {why}");
        }
    }
}
