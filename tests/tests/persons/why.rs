//! Why points are what they are.

use acceptance::{databases::Database, on_each_database};
use serde_json::json;

use super::{Phone, Shop, problem, till};

on_each_database!(every_entry_is_explained_to_its_owner);

async fn every_entry_is_explained_to_its_owner(database: Database) {
    let shop = Shop::open(database).await;
    let (old, new) = (Phone::new(&shop.stage).await, Phone::new(&shop.stage).await);
    old.buy("b-1", 0).await;
    new.join(&old).await;
    let sold = new.buy("b-2", 10).await;
    let purchase = sold["purchase"]["id"].as_str().unwrap();
    let path = format!("/v1/pos/purchases/{purchase}/refunds");
    let lines = json!([{ "line_no": 1, "quantity": 1 }]);
    till(
        &shop.stage,
        &path,
        json!({ "request_id": "r-1", "lines": lines }),
    )
    .await;
    let (_, history) = new.get("/v1/me/history").await;
    let entries = history["entries"].as_array().unwrap();
    let mut told = Vec::new();
    for entry in entries {
        let path = format!("/v1/me/why/{}", entry["id"].as_str().unwrap());
        let (status, why) = new.get(&path).await;
        assert_eq!(status, 200, "{why}");
        assert_eq!(why["motive"], entry["motive"]);
        assert_eq!(why["points"], entry["points"]);
        assert!(why["receipt"]["number"].is_string(), "{why}");
        let (en, ja) = (
            why["text"]["en"].as_str().unwrap(),
            why["text"]["ja"].as_str().unwrap(),
        );
        assert!(
            en.contains("Receipt b-") && ja.contains("レシートb-"),
            "{why}"
        );
        told.push((why["motive"].as_str().unwrap().to_owned(), en.to_owned()));
    }
    let of = |motive: &str| {
        let found = told.iter().find(|told| told.0 == motive);
        found
            .unwrap_or_else(|| panic!("no {motive} in {told:?}"))
            .1
            .clone()
    };
    assert!(
        of("accrual").contains("1 per 100 yen of 1000 yen"),
        "{}",
        of("accrual")
    );
    // The old phone's record lent what the new one spent.
    let number = old.me().await["member_no"].as_str().unwrap().to_owned();
    assert!(
        of("capture").contains("lent by your other membership"),
        "{}",
        of("capture")
    );
    assert!(of("capture").contains(&number[8..]), "{}", of("capture"));
    assert!(
        of("clawback").contains("Line 1 (Tea): 1 came back"),
        "{}",
        of("clawback")
    );
    assert!(
        of("clawback").contains("500 of 1000 yen"),
        "{}",
        of("clawback")
    );
    let (status, why) = old.get(&format!("/v1/me/why/{purchase}")).await;
    assert_eq!((status, &why["kind"]), (200, &json!("purchase")), "{why}");
    // Nobody else is told.
    let stranger = Phone::new(&shop.stage).await;
    let path = format!("/v1/me/why/{purchase}");
    assert_eq!(
        problem(stranger.get(&path).await),
        (404, "unknown_resource".into())
    );
}
