//! What staff does to members: looking, adjusting with four eyes, merging, blocking, opening, erasing.

use acceptance::{databases::Database, on_each_database};
use serde_json::{Value, json};

use super::{Console, Phone, conflict};

on_each_database!(
    a_member_is_found_and_shown_and_the_look_is_noted,
    small_adjustments_are_booked_and_noted,
    a_large_adjustment_waits_for_another_person,
    a_proposal_is_decided_once_by_whoever_is_first,
    a_proposal_nobody_decided_is_over,
    many_small_adjustments_are_a_large_one,
    a_merge_is_what_its_preview_says,
    blocking_opening_exporting_and_erasing_are_on_record,
);

async fn a_member_is_found_and_shown_and_the_look_is_noted(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    phone.buy("b-1", 0).await;
    phone
        .tell(json!({ "kana": "ヤマダ ハナコ", "birthday": "1990-04-01", "email": "hanako@example.jp" }))
        .await;
    let card = phone.key.card_id().to_string();
    for (wanted, how) in [
        (json!({ "number": phone.number }), "number"),
        (json!({ "card_id": card }), "card"),
        (json!({ "email": "Hanako@example.jp" }), "told"),
        (
            json!({ "kana": "やまだ はなこ", "birthday": "1990-04-01" }),
            "told",
        ),
    ] {
        let found = console
            .post("auditor", "/v1/admin/members/search", wanted.clone())
            .await;
        let [member] = &found["members"].as_array().unwrap()[..] else {
            panic!("{wanted}: {found}");
        };
        assert_eq!(
            (&member["member_no"], &member["how"]),
            (&json!(phone.number), &json!(how))
        );
        assert!(!found.to_string().contains("hanako"), "{found}");
    }
    let nobody = json!({ "kana": "ヤマダ ハナコ", "birthday": "1991-04-01" });
    let found = console
        .post("support", "/v1/admin/members/search", nobody)
        .await;
    assert_eq!(found["members"], json!([]));
    let two = json!({ "number": phone.number, "email": "hanako@example.jp" });
    assert_eq!(
        console
            .refused("support", "/v1/admin/members/search", two)
            .await
            .0,
        422
    );

    console.stage.pass(1);
    let record = console.get("support", &phone.path("")).await;
    assert_eq!(record["points"]["available"], 10);
    assert_eq!(record["cards"][0]["card_id"], json!(card));
    assert_eq!(record["lots"][0]["available"], 10);
    assert_eq!(record["has_profile"], true);
    assert!(!record.to_string().contains("hanako"), "{record}");
    assert_eq!(record["accesses"][0]["actor"], "support");
    assert_eq!(record["accesses"][0]["what"], "record");
    let history = console
        .get("support", &phone.path("/history?limit=1"))
        .await;
    assert_eq!(
        (&history["entries"][0]["motive"], &history["next"]),
        (&json!("accrual"), &Value::Null)
    );
    let entry = history["entries"][0]["id"].as_str().unwrap();
    let why = console
        .get("auditor", &phone.path(&format!("/why/{entry}")))
        .await;
    assert!(why["text"]["en"].to_string().contains("100"), "{why}");
    let unknown = console
        .ask("support", "GET", "/v1/admin/members/000000000000", None)
        .await;
    assert!([404, 422].contains(&unknown.0), "{unknown:?}");
}

fn grant(points: i64) -> Value {
    json!({ "direction": "grant", "points": points, "reason": "goodwill, call 4711" })
}

async fn small_adjustments_are_booked_and_noted(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    let path = phone.path("/adjustments");
    let done = console.post("support", &path, grant(1_000)).await;
    assert_eq!(
        (&done["outcome"], &done["points"]["available"]),
        (&json!("done"), &json!(1_000))
    );
    console.stage.pass(1);
    let take = json!({ "direction": "take", "points": 1_000, "reason": "a mistake" });
    let done = console.post("manager", &path, take.clone()).await;
    assert_eq!(done["points"]["available"], 0);
    console.stage.pass(1);
    assert_eq!(
        console.refused("manager", &path, take).await,
        conflict("insufficient_points")
    );
    let wrong = json!({ "direction": "grant", "points": 5, "class": "gold", "reason": "x" });
    assert_eq!(console.refused("manager", &path, wrong).await.0, 422);

    let acts = console.acts().await;
    let ends: Vec<_> = acts
        .iter()
        .map(|act| (&act["actor"], &act["outcome"], &act["points"]))
        .collect();
    let points = json!(1_000);
    assert_eq!(
        ends,
        [
            (
                &json!("manager"),
                &json!("refused: insufficient_points"),
                &points
            ),
            (&json!("manager"), &json!("done"), &points),
            (&json!("support"), &json!("done"), &points),
        ]
    );
    assert_eq!(acts[2]["reason"], "goodwill, call 4711");
    assert_eq!(
        acts[2]["act"],
        "POST /v1/admin/members/{member}/adjustments"
    );
    let history = console.get("support", &phone.path("/history")).await;
    let granted = history["entries"][1]["id"].as_str().unwrap();
    let why = console
        .get("support", &phone.path(&format!("/why/{granted}")))
        .await;
    assert!(why.to_string().contains("goodwill, call 4711"), "{why}");
}

async fn proposed(console: &Console, phone: &Phone<'_>, who: &str, points: i64) -> String {
    let answer = console
        .post(who, &phone.path("/adjustments"), grant(points))
        .await;
    assert_eq!(answer["outcome"], "proposed", "{answer}");
    assert_eq!(answer["proposal"]["state"], "open");
    answer["proposal"]["proposal_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn available(console: &Console, phone: &Phone<'_>) -> Value {
    console.get("auditor", &phone.path("")).await["points"]["available"].clone()
}

fn because() -> Value {
    json!({ "reason": "checked" })
}

async fn a_large_adjustment_waits_for_another_person(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    let id = proposed(&console, &phone, "manager", 1_001).await;
    let approve = format!("/v1/admin/proposals/{id}/approve");
    assert_eq!(available(&console, &phone).await, 0);
    assert_eq!(
        console.refused("manager", &approve, because()).await,
        conflict("own_proposal")
    );
    assert_eq!(
        console.refused("support", &approve, because()).await.1,
        "role_not_allowed"
    );
    assert_eq!(available(&console, &phone).await, 0);
    let decided = console.post("manager-2", &approve, because()).await;
    assert_eq!(
        (&decided["state"], &decided["decided_by"]),
        (&json!("approved"), &json!("manager-2"))
    );
    assert_eq!(available(&console, &phone).await, 1_001);
    assert_eq!(
        console.refused("manager-2", &approve, because()).await,
        conflict("proposal_decided")
    );
    assert_eq!(available(&console, &phone).await, 1_001);
    let history = console.get("support", &phone.path("/history")).await;
    let entry = history["entries"][0]["id"].as_str().unwrap();
    let why = console
        .get("support", &phone.path(&format!("/why/{entry}")))
        .await
        .to_string();
    assert!(why.contains("manager, approved by manager-2"), "{why}");

    // Its own proposer may take it back.
    let id = proposed(&console, &phone, "manager", 2_000).await;
    let refuse = format!("/v1/admin/proposals/{id}/refuse");
    assert_eq!(
        console.post("manager", &refuse, because()).await["state"],
        "refused"
    );
    let approve = format!("/v1/admin/proposals/{id}/approve");
    assert_eq!(
        console.refused("manager-2", &approve, because()).await,
        conflict("proposal_decided")
    );
    assert_eq!(
        console.get("support", "/v1/admin/proposals").await["proposals"],
        json!([])
    );
    let all = console
        .get("auditor", "/v1/admin/proposals?state=all")
        .await;
    assert_eq!(all["proposals"].as_array().unwrap().len(), 2);

    // What cannot be booked is not proposed.
    let take = json!({ "direction": "take", "points": 5_000, "reason": "fraud" });
    let refused = console
        .refused("manager", &phone.path("/adjustments"), take)
        .await;
    assert_eq!(refused, conflict("insufficient_points"));
}

async fn a_proposal_is_decided_once_by_whoever_is_first(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    let id = proposed(&console, &phone, "support", 3_000).await;
    let approve = format!("/v1/admin/proposals/{id}/approve");
    let refuse = format!("/v1/admin/proposals/{id}/refuse");
    let one = console.stage.token_for("manager").await;
    let two = console.stage.token_for("manager-2").await;
    let ask = |token, path| console.ask_as(token, "POST", path, Some(because()));
    let (a, b, c, d) = tokio::join!(
        ask(&one, &approve),
        ask(&two, &approve),
        ask(&one, &refuse),
        ask(&two, &approve)
    );
    let all = [a, b, c, d];
    let good: Vec<_> = all.iter().filter(|(status, _)| *status == 200).collect();
    assert_eq!(good.len(), 1, "{all:?}");
    let expected = if good[0].1["state"] == "approved" {
        3_000
    } else {
        0
    };
    assert_eq!(available(&console, &phone).await, expected);
    for (status, answer) in &all {
        let decided = answer["detail"]
            .as_str()
            .is_some_and(|text| text.starts_with("proposal_decided"));
        assert!(*status == 200 || decided, "{answer}");
    }
}

async fn a_proposal_nobody_decided_is_over(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    let id = proposed(&console, &phone, "support", 3_000).await;
    console.stage.pass(72 * 3_600);
    let approve = format!("/v1/admin/proposals/{id}/approve");
    assert_eq!(
        console.refused("manager", &approve, because()).await,
        conflict("proposal_expired")
    );
    assert_eq!(available(&console, &phone).await, 0);
    assert_eq!(
        console.get("support", "/v1/admin/proposals").await["proposals"],
        json!([])
    );
    let all = console
        .get("support", "/v1/admin/proposals?state=all")
        .await;
    assert_eq!(all["proposals"][0]["state"], "expired");
}

async fn many_small_adjustments_are_a_large_one(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    let path = phone.path("/adjustments");
    for _ in 0..5 {
        assert_eq!(
            console.post("support", &path, grant(1_000)).await["outcome"],
            "done"
        );
    }
    assert_eq!(
        console.post("support", &path, grant(1)).await["outcome"],
        "proposed"
    );
    // Others have a day of their own, and the day ends.
    assert_eq!(
        console.post("manager", &path, grant(1)).await["outcome"],
        "done"
    );
    console.stage.pass(24 * 3_600 + 60);
    assert_eq!(
        console.post("support", &path, grant(1)).await["outcome"],
        "done"
    );
}

/// A side without what a merge settles by itself.
fn sums(side: &Value) -> Value {
    json!([
        side["points"],
        side["cards"],
        side["identities"],
        side["records"],
        side["member_no"],
        side["rank"],
        side["lots"]
    ])
}

async fn a_merge_is_what_its_preview_says(database: Database) {
    let console = Console::open(database).await;
    let (one, two) = (
        Phone::new(&console.stage).await,
        Phone::new(&console.stage).await,
    );
    one.buy("b-1", 0).await;
    two.buy("b-2", 0).await;
    two.buy("b-3", 0).await;
    let told = json!({ "kana": "ヤマダ ハナコ", "birthday": "1990-04-01" });
    one.tell(told.clone()).await;
    two.tell(told).await;
    let candidates = console.get("support", "/v1/admin/merge-candidates").await;
    let mut both = [one.number.clone(), two.number.clone()];
    both.sort();
    let expected = json!([{ "why": "same_kana_and_birthday", "members": both }]);
    assert_eq!(candidates["candidates"], expected);

    let named = json!({ "member": two.number, "into": one.number });
    let preview = console
        .post("auditor", "/v1/admin/merges/preview", named.clone())
        .await;
    assert_eq!(
        (&preview["allowed"], &preview["refusal"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(preview["after"]["points"]["available"], 30);
    let mut merge = named.clone();
    merge["reason"] = json!("same person, at the desk");
    let merged = console
        .post("support", "/v1/admin/merges", merge.clone())
        .await;
    assert_eq!(sums(&merged["person"]), sums(&preview["after"]));
    assert_eq!(
        console.refused("support", "/v1/admin/merges", merge).await,
        conflict("already_merged")
    );
    let again = console
        .post("support", "/v1/admin/merges/preview", named)
        .await;
    assert_eq!(
        (&again["allowed"], &again["refusal"]),
        (&json!(false), &json!("already_merged"))
    );
    let candidates = console.get("support", "/v1/admin/merge-candidates").await;
    assert_eq!(candidates["candidates"], json!([]));

    // The one spends what the other earned, and both are parted again.
    one.buy("b-4", 25).await;
    let named = json!({ "member": two.number });
    let mut preview = console
        .post("auditor", "/v1/admin/unmerges/preview", named.clone())
        .await;
    assert_eq!(preview["spent_across"][0]["points"], 15, "{preview}");
    let mut part = named;
    part["reason"] = json!("two sisters");
    let parted = console
        .post("support", "/v1/admin/unmerges", part.clone())
        .await;
    preview["parted"] = json!(true);
    assert_eq!(parted, preview);
    assert_eq!(
        console.refused("support", "/v1/admin/unmerges", part).await,
        conflict("not_merged")
    );
    assert_eq!(
        available(&console, &two).await,
        parted["points"]["available"]
    );
    let record = console.get("support", &two.path("")).await;
    assert_eq!(record["merges"].as_array().unwrap().len(), 2);
    assert_eq!(record["merges"][1]["actor"], "support");
}

async fn blocking_opening_exporting_and_erasing_are_on_record(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    phone
        .tell(json!({ "name": "<script>alert(1)</script>", "email": "hanako@example.jp" }))
        .await;
    let blocked = console
        .post("support", &phone.path("/block"), because())
        .await;
    assert_eq!(blocked["status"], "blocked");
    assert_eq!(
        console.get("support", &phone.path("")).await["status"],
        "blocked"
    );
    let free = console
        .post("support", &phone.path("/unblock"), because())
        .await;
    assert_eq!(free["status"], "active");

    let opened = console
        .post(
            "support",
            &phone.path("/profile"),
            json!({ "reason": "call 4711" }),
        )
        .await;
    assert_eq!(
        opened["profiles"][0]["profile"]["email"],
        "hanako@example.jp"
    );
    assert_eq!(
        opened["profiles"][0]["profile"]["name"],
        "<script>alert(1)</script>"
    );
    let export = console
        .post(
            "manager",
            &phone.path("/export"),
            json!({ "reason": "asked for" }),
        )
        .await;
    let log = export["access_log"].as_array().unwrap();
    let looked = |what: &str, purpose: &str| {
        log.iter()
            .any(|row| row["what"] == what && row["purpose"] == purpose)
    };
    assert!(
        looked("profile", "call 4711") && looked("export", "asked for"),
        "{log:?}"
    );

    let card = phone.key.card_id();
    let revoke = phone.path(&format!("/cards/{card}/revoke"));
    assert_eq!(
        console.post("support", &revoke, because()).await["changed"],
        true
    );
    assert_eq!(
        console.post("support", &revoke, because()).await["changed"],
        false
    );
    let other = phone.path("/cards/0123456789abcdef/revoke");
    assert_eq!(
        console.refused("support", &other, because()).await,
        conflict("not_of_member")
    );

    let wrong = json!({ "reason": "asked", "confirm": "123456789015" });
    assert_eq!(
        console
            .refused("manager", &phone.path("/erase"), wrong)
            .await
            .0,
        422
    );
    let erase = json!({ "reason": "asked", "confirm": phone.number });
    assert_eq!(
        console
            .post("manager", &phone.path("/erase"), erase.clone())
            .await["done"],
        true
    );
    let record = console.get("support", &phone.path("")).await;
    assert!(
        record["erased_at"].is_string() && record["has_profile"] == false,
        "{record}"
    );
    let again = console
        .refused("manager", &phone.path("/adjustments"), grant(5))
        .await;
    assert_eq!(again, conflict("member_erased"));
    let acts = console.acts().await;
    assert!(acts.iter().all(|act| act["outcome"] != "begun"), "{acts:?}");
    assert!(!json!(acts).to_string().contains("hanako"));
}
