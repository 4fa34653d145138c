//! Figures against a small data set whose sums are known, as JSON and as CSV.

use acceptance::{databases::Database, on_each_database};
use gateway::store::{NewShop, ShopPlatform, ShopSettings};
use pos_protocol::ShopId;
use serde_json::{Value, json};

use super::{Console, Phone};

on_each_database!(
    figures_add_up_what_was_done,
    the_same_figure_is_json_and_csv,
    a_figure_asks_for_what_there_is,
);

/// Two members: one buys thrice and pays 15 points, one buys once; a third never buys. 100 points are granted by
/// hand and 40 of them taken; each purchase earns 10.
async fn played(console: &Console) {
    let stage = &console.stage;
    let one = Phone::new(stage).await;
    one.buy("b-1", 0).await;
    one.buy("b-2", 0).await;
    one.buy("b-3", 15).await;
    let two = Phone::new(stage).await;
    two.buy("b-4", 0).await;
    let _three = Phone::new(stage).await;
    let path = two.path("/adjustments");
    for (direction, points) in [("grant", 100), ("take", 40)] {
        let body = json!({ "direction": direction, "points": points, "reason": "sample" });
        console.post("manager", &path, body).await;
    }
}

async fn rows(console: &Console, figure: &str) -> Value {
    let path = format!("/v1/admin/figures/{figure}");
    console.get("auditor", &path).await["rows"].clone()
}

async fn figures_add_up_what_was_done(database: Database) {
    let console = Console::open(database).await;
    played(&console).await;
    let points = rows(&console, "points").await;
    let points = points.as_array().unwrap();
    assert_eq!(points.len(), 12);
    assert_eq!(points[0], json!(["2025-12", 0, 0, 0, 0, 0, 0]));
    assert_eq!(points[11], json!(["2026-11", 140, 15, 0, 0, 40, 85]));
    let redemption = rows(&console, "redemption").await;
    assert_eq!(
        redemption[11],
        json!(["2026-11", 140, 15, 0.1071, 140, 15, 0.1071])
    );
    assert_eq!(redemption[0], json!(["2025-12", 0, 0, null, 0, 0, null]));
    let activity = rows(&console, "activity").await;
    assert_eq!(
        activity,
        json!([["2026-11", "store", "ginza", "Ginza", 2, 4, 4_000]])
    );
    let members = rows(&console, "members").await;
    let expected = json!([
        ["2026-11", "none", "", "", 1, 1],
        ["2026-11", "store", "ginza", "Ginza", 2, 2],
    ]);
    assert_eq!(members, expected);
    let channels = rows(&console, "channels").await;
    assert_eq!(
        channels,
        json!([["store", "ginza", "store", "ginza", 2, 4, 4_000, 40, 15]])
    );
    // What members hold is what moved.
    let liability = rows(&console, "liability").await;
    let sum: i64 = liability
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[1].as_i64().unwrap())
        .sum();
    assert_eq!(sum, 85);
    let age = rows(&console, "liability-age").await;
    assert_eq!(age[0], json!(["0-30", 85]));
    assert_eq!(age[4], json!(["366-", 0]));
}

async fn the_same_figure_is_json_and_csv(database: Database) {
    let console = Console::open(database).await;
    // Places may be called anything.
    let id = ShopId::new("evil").unwrap();
    let shop = NewShop {
        id: &id,
        platform: ShopPlatform::Api,
        name: "=HYPERLINK(\"http://x\")",
        base_url: None,
        settings: &ShopSettings::default(),
    };
    let (store, now) = (console.stage.app.store(), console.stage.clock.now());
    store.create_shop(&shop, now).await.unwrap();
    let odd =
        json!({ "store_id": "odd", "name": "<script>alert(1)</script>, \"x\"", "reason": "x" });
    console.post("manager", "/v1/admin/stores", odd).await;
    played(&console).await;
    let token = console.stage.token_for("auditor").await;
    for figure in [
        "points",
        "redemption",
        "activity",
        "members",
        "channels",
        "liability",
        "liability-age",
    ] {
        let json = console
            .get("auditor", &format!("/v1/admin/figures/{figure}?by=day"))
            .await;
        let url = console
            .stage
            .url(&format!("/v1/admin/figures/{figure}?by=day"));
        let request = || reqwest::Client::new().get(&url).bearer_auth(&token);
        let answer = request().header("accept", "text/csv").send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
        assert!(
            answer.headers()["content-disposition"]
                .to_str()
                .unwrap()
                .starts_with("attachment")
        );
        let text = answer.text().await.unwrap();
        let text = text.strip_prefix('\u{feff}').unwrap();
        let mut lines = text.split_terminator("\r\n");
        let columns = json["columns"].as_array().unwrap();
        let names: Vec<_> = columns
            .iter()
            .map(|column| column["name"].as_str().unwrap())
            .collect();
        assert_eq!(lines.next().unwrap(), names.join(","), "{figure}");
        let cell = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            number => number.to_string(),
        };
        for row in json["rows"].as_array().unwrap() {
            let cells: Vec<_> = row.as_array().unwrap().iter().map(cell).collect();
            assert_eq!(lines.next().unwrap(), cells.join(","), "{figure}");
        }
        assert_eq!(lines.next(), None, "{figure}");
        let definition = console.stage.url(json["definition"].as_str().unwrap());
        let definition = reqwest::get(definition)
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(definition.contains(names[0]), "{definition}");
    }
}

async fn a_figure_asks_for_what_there_is(database: Database) {
    let console = Console::open(database).await;
    for (query, status) in [
        ("points?by=week", 400),
        ("points?from=2026-02-30", 400),
        ("points?from=2026-03-01&to=2026-02-01", 400),
        ("points?by=day&from=1990-01-01", 400),
        ("points?format=xls", 400),
        ("profit", 404),
    ] {
        let path = format!("/v1/admin/figures/{query}");
        let (said, answer) = console.ask("auditor", "GET", &path, None).await;
        assert_eq!(said, status, "{query}: {answer}");
    }
    // A path that is no text is told as everything else is.
    let broken = console.stage.url("/definitions/%ff");
    let broken = reqwest::get(broken).await.unwrap();
    assert_eq!(broken.status(), 400);
    assert_eq!(broken.headers()["content-type"], "application/problem+json");
    let day = "/v1/admin/figures/points?by=day&from=2026-11-21&to=2026-11-22";
    let figure = console.get("auditor", day).await;
    assert_eq!(figure["rows"][0][0], "2026-11-21");
    assert_eq!(figure["rows"].as_array().unwrap().len(), 2);
}
