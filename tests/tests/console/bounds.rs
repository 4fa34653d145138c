//! Amounts and texts at their bounds.

use acceptance::{databases::Database, on_each_database};
use gateway::store::StaffAct;
use ledger::{
    command::{Adjustment, Command, Direction, Operation},
    decision::Answer,
    lot::Scope,
};
use pos_protocol::{CommandId, Points};
use serde_json::{Value, json};

use super::{Console, Phone, conflict};

on_each_database!(
    sums_over_the_programme_may_be_larger_than_any_amount,
    a_merge_of_too_much_is_refused_in_its_preview_too,
    points_are_bound_to_what_there_is,
);

/// Grants a member as many points as there can be.
async fn fill(console: &Console, phone: &Phone<'_>) {
    let record = console.get("support", &phone.path("")).await;
    let member_id = record["member_id"].as_str().unwrap().parse().unwrap();
    let adjustment = Adjustment {
        member_id,
        direction: Direction::Grant,
        points: Points::MAX,
        class: "base".into(),
        scope: Scope::default(),
        reason: "a test".into(),
        actor: "cli:test".into(),
    };
    let command = Command {
        id: CommandId::new(console.stage.clock.new_id()),
        operation: Operation::Adjust(adjustment),
    };
    let writer = console.stage.app.writer();
    let answer = writer.submit(command, Some(member_id)).await.unwrap();
    assert_eq!(answer, Answer::Done);
}

async fn sums_over_the_programme_may_be_larger_than_any_amount(database: Database) {
    let console = Console::open(database).await;
    for _ in 0..2 {
        fill(&console, &Phone::new(&console.stage).await).await;
    }
    let twice = json!(2 * Points::MAX.get());
    for (figure, row, column) in [
        ("points", 11, 1),
        ("redemption", 11, 1),
        ("liability", 0, 1),
        ("liability-age", 0, 1),
    ] {
        let path = format!("/v1/admin/figures/{figure}");
        let rows = &console.get("auditor", &path).await["rows"];
        assert_eq!(rows[row][column], twice, "{figure}: {rows}");
    }
    // What one actor adjusted, likewise.
    let (clock, store) = (&console.stage.clock, console.stage.app.store());
    for _ in 0..2 {
        let act = StaffAct {
            id: clock.new_id(),
            at: clock.now(),
            actor: "support".into(),
            role: "support".into(),
            act: "a test".into(),
            subject: "member/x".into(),
            reason: "a test".into(),
            points: Some(Points::MAX),
            outcome: "done".into(),
        };
        store.begin_act(&act).await.unwrap();
    }
    let phone = Phone::new(&console.stage).await;
    let grant = json!({ "direction": "grant", "points": 1, "reason": "call 4711" });
    let answer = console
        .post("support", &phone.path("/adjustments"), grant)
        .await;
    assert_eq!(answer["outcome"], "proposed");
}

async fn a_merge_of_too_much_is_refused_in_its_preview_too(database: Database) {
    let console = Console::open(database).await;
    let (one, two) = (
        Phone::new(&console.stage).await,
        Phone::new(&console.stage).await,
    );
    fill(&console, &one).await;
    fill(&console, &two).await;
    let mut both = json!({ "member": two.number, "into": one.number });
    let preview = "/v1/admin/merges/preview";
    let preview = console.post("support", preview, both.clone()).await;
    let word = preview["refusal"].as_str().unwrap_or_default();
    assert_eq!(
        (&preview["allowed"], word),
        (&json!(false), "amount_too_large")
    );
    both["reason"] = json!("one person");
    let refused = console.refused("support", "/v1/admin/merges", both).await;
    assert_eq!(refused, conflict(word));
}

async fn points_are_bound_to_what_there_is(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    let path = phone.path("/adjustments");
    let grant = |stores: Value, categories: Value| {
        json!({ "direction": "grant", "points": 5, "reason": "call 4711",
                "only_stores": stores, "only_categories": categories })
    };
    let texts = |count: usize| (0..count).map(|at| format!("c-{at}")).collect::<Vec<_>>();
    let none = json!([]);
    for (stores, categories, pointer) in [
        (json!(["nowhere"]), none.clone(), "/only_stores"),
        (json!(vec!["ginza"; 33]), none.clone(), "/only_stores"),
        (none.clone(), json!([""]), "/only_categories"),
        (none.clone(), json!(["a\u{0}b"]), "/only_categories"),
        (none.clone(), json!(["x".repeat(201)]), "/only_categories"),
        (none.clone(), json!(texts(33)), "/only_categories"),
    ] {
        let body = grant(stores, categories);
        let (status, answer) = console.ask("support", "POST", &path, Some(body)).await;
        assert_eq!(
            (status, &answer["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{answer}"
        );
    }
    assert_eq!(console.acts().await, Vec::<Value>::new());
    let body = grant(json!(["ginza"]), json!(texts(32)));
    let done = console.post("support", &path, body).await;
    assert_eq!(done["outcome"], "done");
}
