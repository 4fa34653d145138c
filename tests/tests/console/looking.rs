//! Searches, previews and lists: what they take, how much they show, and that they are noted.

use acceptance::{databases::Database, on_each_database};
use gateway::store::Access;
use serde_json::{Value, json};

use super::{Console, Phone};

on_each_database!(
    a_search_takes_one_thing_and_what_belongs_to_it,
    who_is_found_and_previewed_sees_who_looked,
    a_record_shows_the_newest_looks,
    candidates_go_on_after_a_group,
);

const SEARCH: &str = "/v1/admin/members/search";

async fn a_search_takes_one_thing_and_what_belongs_to_it(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    for (extra, pointer) in [
        (json!({ "birthday": "1990-04-01" }), "/birthday"),
        (json!({ "shop_id": "tea" }), "/shop_id"),
        (json!({ "customer_id": "4711" }), "/customer_id"),
        (json!({ "shop_id": "tea", "customer_id": "4711" }), ""),
        (json!({ "card_id": "0123456789abcdef" }), ""),
    ] {
        let mut wanted = extra;
        wanted["number"] = json!(phone.number);
        let (status, answer) = console
            .ask("support", "POST", SEARCH, Some(wanted.clone()))
            .await;
        assert_eq!(
            (status, &answer["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{wanted}: {answer}"
        );
    }
}

fn looks(record: &Value) -> Vec<(&str, &str)> {
    let looks = record["accesses"].as_array().unwrap().iter();
    looks
        .map(|look| {
            (
                look["actor"].as_str().unwrap(),
                look["what"].as_str().unwrap(),
            )
        })
        .collect()
}

async fn who_is_found_and_previewed_sees_who_looked(database: Database) {
    let console = Console::open(database).await;
    let (one, two) = (
        Phone::new(&console.stage).await,
        Phone::new(&console.stage).await,
    );
    let told = json!({ "kana": "ヤマダ ハナコ", "birthday": "1990-04-01" });
    one.tell(told.clone()).await;
    two.tell(told.clone()).await;
    console.stage.pass(1);
    console.post("support", SEARCH, told).await;
    console.stage.pass(1);
    let both = json!({ "member": two.number, "into": one.number });
    let preview = "/v1/admin/merges/preview";
    console.post("auditor", preview, both).await;
    console.stage.pass(1);
    console.get("manager", "/v1/admin/merge-candidates").await;
    console.stage.pass(1);
    for phone in [&one, &two] {
        let record = console.get("manager-2", &phone.path("")).await;
        let expected = [
            ("manager-2", "record"),
            ("manager", "candidates"),
            ("auditor", "preview"),
            ("support", "search"),
        ];
        assert_eq!(looks(&record), expected);
    }
}

async fn a_record_shows_the_newest_looks(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    let record = console.get("support", &phone.path("")).await;
    let (clock, store) = (&console.stage.clock, console.stage.app.store());
    let member_id = record["member_id"].as_str().unwrap().parse().unwrap();
    let mut many = Vec::new();
    for number in 0..60 {
        console.stage.pass(1);
        many.push(Access {
            id: clock.new_id(),
            at: clock.now(),
            member_id,
            actor: "cli:test".into(),
            what: format!("look-{number}"),
            purpose: "a test".into(),
        });
    }
    store.note_accesses(&many).await.unwrap();
    console.stage.pass(1);
    let record = console.get("auditor", &phone.path("")).await;
    let shown = looks(&record);
    assert_eq!(shown.len(), 50);
    assert_eq!(
        (shown[0], shown[1], shown[49]),
        (
            ("auditor", "record"),
            ("cli:test", "look-59"),
            ("cli:test", "look-11")
        )
    );
}

async fn candidates_go_on_after_a_group(database: Database) {
    let console = Console::open(database).await;
    let (one, two) = (
        Phone::new(&console.stage).await,
        Phone::new(&console.stage).await,
    );
    let told =
        json!({ "kana": "ヤマダ ハナコ", "birthday": "1990-04-01", "email": "h@example.jp" });
    one.tell(told.clone()).await;
    two.tell(told).await;
    let path = "/v1/admin/merge-candidates";
    let why = |list: &Value| -> Vec<Value> {
        let groups = list["candidates"].as_array().unwrap().iter();
        groups.map(|group| group["why"].clone()).collect()
    };
    let all = console.get("support", path).await;
    assert_eq!(why(&all), ["same_kana_and_birthday", "same_email"]);
    assert_eq!(all["next"], Value::Null);
    for (after, expected) in [
        (format!("person-{}", "ff".repeat(32)), &["same_email"][..]),
        (format!("email-{}", "00".repeat(32)), &["same_email"]),
        (format!("phone-{}", "00".repeat(32)), &[]),
    ] {
        let rest = console
            .get("support", &format!("{path}?after={after}"))
            .await;
        assert_eq!(why(&rest), expected, "{after}");
    }
    let (status, _) = console
        .ask("support", "GET", &format!("{path}?after=4711"), None)
        .await;
    assert_eq!(status, 400);
}
