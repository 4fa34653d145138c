//! Staff's commands about persons.

use acceptance::{databases::Database, gateway_process::run_well, on_each_database};
use serde_json::{Value, json};

use super::{Phone, Shop};

on_each_database!(
    staff_merges_parts_and_finds_people,
    staff_opens_personal_data_on_record,
);

async fn member(shop: &Shop, words: &[&str], secrets: bool) -> String {
    let (url, file) = (shop.stage.database().url(), shop.secrets());
    let mut arguments = vec!["admin", "member"];
    arguments.extend(words);
    arguments.extend(["--database-url", url]);
    if secrets {
        arguments.extend(["--secrets", &file]);
    }
    run_well("gateway", &arguments).await.unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

async fn number(phone: &Phone<'_>) -> String {
    phone.me().await["member_no"].as_str().unwrap().to_owned()
}

async fn staff_merges_parts_and_finds_people(database: Database) {
    let shop = Shop::open(database).await;
    let (one, two) = (Phone::new(&shop.stage).await, Phone::new(&shop.stage).await);
    one.buy("b-1", 0).await;
    for phone in [&one, &two] {
        let told = json!({ "version": 0, "profile": {
            "kana": "ヤマダ ハナコ", "birthday": "1990-04-01", "email": "hanako@example.jp",
        }});
        assert_eq!(phone.ask("PUT", "/v1/me/profile", Some(told)).await.0, 200);
    }
    let (first, second) = (number(&one).await, number(&two).await);
    let found = member(
        &shop,
        &["find", "--email", "Hanako@example.jp", "--json"],
        true,
    )
    .await;
    assert_eq!(lines(&found)[0].as_array().unwrap().len(), 2, "{found}");
    let words = [
        "find",
        "--kana",
        "やまだ はなこ",
        "--birthday",
        "1990-04-01",
        "--json",
    ];
    let found = member(&shop, &words, true).await;
    assert_eq!(lines(&found)[0].as_array().unwrap().len(), 2, "{found}");
    let found = member(&shop, &["candidates", "--json"], false).await;
    assert_eq!(lines(&found).len(), 2, "{found}");

    let merge = [
        "merge",
        "--member",
        &second,
        "--into",
        &first,
        "--reason",
        "same person",
        "--json",
    ];
    let shown = member(&shop, &[&merge[..], &["--dry-run"]].concat(), false).await;
    assert_eq!(
        lines(&shown)[0]["stays"]["person"]["records"][0]["available"],
        10,
        "{shown}"
    );
    assert_eq!(number(&two).await, second);
    // By the phones: the command's clock is not the stage's.
    two.join(&one).await;
    assert_eq!(number(&two).await, first);
    let none = member(&shop, &["candidates", "--json"], false).await;
    assert_eq!(lines(&none).len(), 0);
    // The parted one spent seven of the other's ten.
    two.buy("b-2", 7).await;
    let parted = member(
        &shop,
        &[
            "unmerge",
            "--member",
            &second,
            "--reason",
            "two sisters",
            "--json",
        ],
        false,
    )
    .await;
    let report = &lines(&parted)[0];
    assert_eq!(report["spent_across"][0]["points"], 7, "{report}");
    assert_eq!(report["spent_across"][0]["by_the_parted"], true, "{report}");
    assert_eq!(report["lots"][0]["available"], 10, "{report}");
    assert_eq!(one.me().await["points"]["available"], 3);
    assert_eq!(two.me().await["points"]["available"], 10);
    let shown = member(&shop, &["show", "--member", &second, "--json"], false).await;
    assert_eq!(
        lines(&shown)[0]["person"]["records"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    member(&shop, &merge, false).await;
    assert_eq!(number(&two).await, first);
    assert_eq!(one.me().await["points"]["available"], 13);
    let url = shop.stage.database().url();
    run_well("gateway", &["audit", "--database-url", url])
        .await
        .unwrap();
}

async fn staff_opens_personal_data_on_record(database: Database) {
    let shop = Shop::open(database).await;
    let phone = Phone::new(&shop.stage).await;
    let told = json!({ "version": 0, "profile": { "name": "山田 花子" } });
    assert_eq!(phone.ask("PUT", "/v1/me/profile", Some(told)).await.0, 200);
    let who = number(&phone).await;
    for what in ["profile", "export"] {
        let words = [
            what,
            "--member",
            &who,
            "--purpose",
            "a call",
            "--actor",
            "cli:taro",
        ];
        let opened = member(&shop, &words, true).await;
        assert_eq!(
            lines(&opened)[0]["profiles"][0]["profile"]["name"],
            "山田 花子"
        );
    }
    let log = phone.get("/v1/me/export").await.1["access_log"].clone();
    assert_eq!(log.as_array().unwrap().len(), 2, "{log}");
    assert_eq!(
        (&log[0]["actor"], &log[0]["what"], &log[0]["purpose"]),
        (&json!("cli:taro"), &json!("profile"), &json!("a call"))
    );
    // A new master key in front, and the old one behind it until all is wrapped anew.
    rotate(&shop).await;
    let words = ["profile", "--member", &who, "--purpose", "a call"];
    let opened = member(&shop, &words, true).await;
    assert_eq!(
        lines(&opened)[0]["profiles"][0]["profile"]["name"],
        "山田 花子"
    );
    member(
        &shop,
        &["erase", "--member", &who, "--reason", "asked", "--yes"],
        false,
    )
    .await;
    assert_eq!(phone.get("/v1/me").await.0, 403);
}

async fn rotate(shop: &Shop) {
    let file = shop.secrets();
    let text = std::fs::read_to_string(&file).unwrap();
    let fresh = gateway::secrets::Secrets::fresh().unwrap();
    let key = |text: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with("master_keys"))
            .unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    };
    let (old, new) = (key(&text), key(&fresh));
    let both = text.replace(&format!("\"{old}\""), &format!("\"{new}\", \"{old}\""));
    std::fs::write(&file, both).unwrap();
    let url = shop.stage.database().url();
    let arguments = [
        "admin",
        "secrets",
        "rotate",
        "--database-url",
        url,
        "--secrets",
        &file,
    ];
    let said = run_well("gateway", &arguments).await.unwrap();
    assert!(
        said.contains("1 wrapped") && said.contains("0 left"),
        "{said}"
    );
    std::fs::write(&file, text.replace(&old, &new)).unwrap();
}
