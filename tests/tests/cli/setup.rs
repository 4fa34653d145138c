//! Setting a gateway up and looking after it.

use std::{fs, time::Duration};

use acceptance::{
    databases::Database,
    on_each_database,
    program::{Running, command, run},
};
use gateway::{programme_file::DEMO, store::PoolSizes};
use serde_json::Value;
use tempfile::TempDir;

on_each_database!(
    a_database_is_migrated_gets_a_programme_and_is_found_healthy,
    a_wrong_programme_file_is_told_with_its_line_and_changes_nothing,
    a_client_gets_a_secret_once_and_a_place_of_its_own,
    events_are_cloudevents_and_can_be_followed,
    a_gateway_serves_until_it_is_told_to_stop,
);

/// A programme file in a folder of its own.
fn programme(text: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("programme.toml");
    fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A client that gives up instead of waiting for ever.
fn http() -> reqwest::Client {
    let builder = reqwest::Client::builder().timeout(Duration::from_secs(20));
    builder.build().unwrap()
}

fn apply(database: &Database, text: &str) -> acceptance::program::Ran {
    let (_folder, path) = programme(text);
    run(&[
        "admin",
        "programme",
        "apply",
        &path,
        "--yes",
        "--database-url",
        database.url(),
    ])
}

fn set_up(database: &Database) {
    let ran = run(&["migrate", "--database-url", database.url()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = apply(database, DEMO);
    assert_eq!(ran.code, 0, "{ran:?}");
}

async fn a_database_is_migrated_gets_a_programme_and_is_found_healthy(database: Database) {
    let url = ["--database-url", database.url()];
    let doctor = || run(&[&["doctor"], url.as_slice()].concat());
    assert_eq!(doctor().code, 1);
    assert_eq!(run(&[&["audit"], url.as_slice()].concat()).code, 2);
    let ran = run(&[&["migrate"], url.as_slice()].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("applied 0001"), "{ran:?}");
    let ran = doctor();
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("none is in force"), "{ran:?}");
    let ran = apply(&database, DEMO);
    assert_eq!(
        (ran.code, ran.out.contains("version 1 is in force")),
        (0, true),
        "{ran:?}"
    );
    let ran = doctor();
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = run(&[&["audit"], url.as_slice()].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("clean: 0 members"), "{ran:?}");
}

async fn a_wrong_programme_file_is_told_with_its_line_and_changes_nothing(database: Database) {
    set_up(&database);
    let wrong = DEMO.replace("per_yen = 100", "per_yen = 0");
    let ran = apply(&database, &wrong);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("programme.toml:11:11: "), "{ran:?}");
    assert!(ran.err.contains("11 | per_yen = 0"), "{ran:?}");
    // An id can never change: cards are signed for it.
    let other = DEMO.replace("id = \"demo\"", "id = \"other\"");
    let ran = apply(&database, &other);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("can never become"), "{ran:?}");
    let better = DEMO.replace("per_yen = 100", "per_yen = 200");
    // Nobody is there to ask.
    let (_folder, path) = programme(&better);
    let url = ["--database-url", database.url()];
    let ran = run(&[&["admin", "programme", "apply", &path], url.as_slice()].concat());
    assert_eq!(ran.code, 2, "{ran:?}");
    let ran = run(&[
        &["admin", "programme", "apply", &path, "--dry-run"],
        url.as_slice(),
    ]
    .concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let history = || {
        let ran = run(&[&["admin", "programme", "history", "--json"], url.as_slice()].concat());
        ran.out.lines().count()
    };
    assert_eq!(history(), 1);
    let ran = apply(&database, &better);
    assert!(ran.out.contains("earn.per_yen: 100 -> 200"), "{ran:?}");
    assert_eq!((ran.code, history()), (0, 2));
    // The same again is no new version.
    assert_eq!((apply(&database, &better).code, history()), (0, 2));
    // What is shown can be applied.
    let shown = run(&[&["admin", "programme", "show"], url.as_slice()].concat()).out;
    let ran = apply(&database, &shown);
    assert_eq!((ran.code, history()), (0, 2), "{ran:?}");
}

async fn a_client_gets_a_secret_once_and_a_place_of_its_own(database: Database) {
    set_up(&database);
    let create = |id: &str, terminal: &str, store: &str| {
        run(&[
            "admin",
            "client",
            "create",
            "--id",
            id,
            "--scope",
            "pos",
            "--terminal",
            terminal,
            "--store",
            store,
            "--json",
            "--database-url",
            database.url(),
        ])
    };
    let ran = create("till-7", "till-7", "shibuya");
    assert_eq!(ran.code, 0, "{ran:?}");
    let made = json(&ran.out);
    assert_eq!(
        made["created"],
        serde_json::json!({ "store": true, "terminal": true })
    );
    let store = database.open(PoolSizes::default()).await;
    let client = store.client("till-7").await.unwrap().unwrap();
    assert!(client.knows(made["client_secret"].as_str().unwrap()));
    assert_eq!(client.till.unwrap().store_id.as_str(), "shibuya");
    store.close().await;
    // The secret is not told again, and a terminal does not move.
    assert_eq!(create("till-7", "till-7", "shibuya").code, 1);
    assert_eq!(create("till-8", "till-7", "umeda").code, 1);
    let ran = create("till-9", "till-9", "shibuya");
    assert_eq!(
        json(&ran.out)["created"],
        serde_json::json!({ "store": false, "terminal": true })
    );
    let url = ["--database-url", database.url()];
    let ran = run(&[
        &["admin", "client", "create", "--id", "x", "--scope", "pos"],
        url.as_slice(),
    ]
    .concat());
    assert_eq!(ran.code, 2, "{ran:?}");
    let ran = run(&[
        &["admin", "client", "rotate", "--id", "till-7", "--json"],
        url.as_slice(),
    ]
    .concat());
    assert_ne!(json(&ran.out)["client_secret"], made["client_secret"]);
    let ran = run(&[
        &["admin", "client", "disable", "--id", "till-7"],
        url.as_slice(),
    ]
    .concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = run(&[&["admin", "client", "list", "--json"], url.as_slice()].concat());
    let clients: Vec<_> = ran.out.lines().map(json).collect();
    assert_eq!(clients.len(), 2);
    assert!(clients[0]["disabled_at"].is_string() && clients[1]["disabled_at"].is_null());
}

async fn events_are_cloudevents_and_can_be_followed(database: Database) {
    set_up(&database);
    let url = ["--database-url", database.url()];
    let events = |more: &[&str]| {
        let ran = run(&[&["events"], url.as_slice(), more].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out.lines().map(json).collect::<Vec<_>>()
    };
    let first = &events(&[])[0];
    assert_eq!(first["specversion"], "1.0");
    assert_eq!(first["type"], "programme.activated");
    assert_eq!(first["source"], "urn:point-gateway:demo");
    let mut following = Running::start(&[&["events", "--follow"], url.as_slice()].concat());
    let seen = json(&following.line(|_| true));
    assert_eq!(&seen, first);
    let next = DEMO.replace("per_yen = 100", "per_yen = 300");
    assert_eq!(apply(&database, &next).code, 0);
    let seen = json(&following.line(|_| true));
    assert_eq!(seen["data"]["version"], 2);
    assert_eq!(following.stop("-INT"), 0);
    let all = events(&[]);
    assert_eq!(all.len(), 2);
    let id = all[0]["id"].as_str().unwrap();
    assert_eq!(events(&["--after", id]), all[1..]);
    assert_eq!(events(&["--limit", "1"]), all[1..]);
    assert_eq!(events(&["--after", id, "--limit", "5"]), all[1..]);
    assert_eq!(
        events(&["--since", seen["time"].as_str().unwrap()]),
        all[1..]
    );
    assert_eq!(events(&["--type", "programme."]).len(), 2);
    assert_eq!(events(&["--type", "purchase."]).len(), 0);
    let ran = run(&[&["events", "--member", "123"], url.as_slice()].concat());
    assert_eq!(ran.code, 2, "{ran:?}");
}

async fn a_gateway_serves_until_it_is_told_to_stop(database: Database) {
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--drain-seconds",
        "0",
        "--database-url",
        database.url(),
    ];
    assert_eq!(run(&serve).code, 2, "without a schema");
    assert_eq!(run(&["migrate", "--database-url", database.url()]).code, 0);
    assert_eq!(run(&serve).code, 2, "without a programme");
    let (_folder, path) = programme(DEMO);
    let mut gateway = Running::start(&[serve.as_slice(), &["--programme", &path]].concat());
    let line = gateway.line(|line| line.starts_with("listening on "));
    let base = line.trim_start_matches("listening on ");
    let ready = http().get(format!("{base}/readyz")).send().await.unwrap();
    let (status, body) = (ready.status(), ready.text().await);
    assert_eq!(status, 200, "{body:?}");
    assert_eq!(gateway.stop("-TERM"), 0);
    // A changed file is put in force at start.
    let (_folder, path) = programme(&DEMO.replace("per_yen = 100", "per_yen = 999"));
    let mut gateway = Running::start(&[serve.as_slice(), &["--programme", &path]].concat());
    gateway.line(|line| line.starts_with("listening on "));
    assert_eq!(gateway.stop("-INT"), 0);
    let ran = run(&[
        "admin",
        "programme",
        "show",
        "--json",
        "--database-url",
        database.url(),
    ]);
    assert_eq!(json(&ran.out)["programme"]["earn"]["per_yen"], 999);
}

#[tokio::test]
async fn the_demo_stays_on_this_machine_and_starts_again_with_what_it_has() {
    let ran = run(&["demo", "--listen", "0.0.0.0:0"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data").display().to_string();
    let mut members = Vec::new();
    for _ in 0..2 {
        let mut demo = Running::start(&["demo", "--listen", "127.0.0.1:0", "--data", &data]);
        let line = demo.line(|line| line.starts_with("listening on "));
        let base = line.trim_start_matches("listening on ");
        demo.line(|line| line == format!("GATEWAY={base}\n"));
        demo.line(|line| line.contains("client till-1, secret demo-till-1-secret"));
        members.push(demo.line(|line| line.contains("1500 points")));
        let token = http()
            .post(format!("{base}/oauth/token"))
            .basic_auth("till-1", Some("demo-till-1-secret"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
            .send()
            .await
            .unwrap();
        assert_eq!(token.status(), 200);
        assert_eq!(demo.stop("-INT"), 0);
    }
    assert_eq!(members[0], members[1]);
    let url = format!("sqlite://{data}/gateway.db");
    let ran = run(&["audit", "--database-url", &url]);
    assert_eq!(ran.code, 0, "{ran:?}");
    // Three whose keys are there, twelve of the history, and two customers of the EC shop.
    assert!(ran.out.contains("clean: 17 members"), "{ran:?}");
}

#[test]
fn settings_come_from_flags_then_the_environment_then_the_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("gateway.toml");
    let place = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    fs::write(&file, format!("database_url = \"{}\"\n", place("of-file"))).unwrap();
    let config = file.display().to_string();
    let migrate = |flag: Option<String>, env: Option<String>| {
        let mut program = command(&["migrate", "--config", &config]);
        program.args(flag.iter().flat_map(|url| ["--database-url", url]));
        program.envs(env.map(|url| ("DATABASE_URL", url)));
        assert!(program.status().unwrap().success());
    };
    let made = |name: &str| folder.path().join(name).exists();
    migrate(Some(place("of-flag")), Some(place("of-environment")));
    assert_eq!(
        (made("of-flag"), made("of-environment"), made("of-file")),
        (true, false, false)
    );
    migrate(None, Some(place("of-environment")));
    assert_eq!((made("of-environment"), made("of-file")), (true, false));
    migrate(None, None);
    assert!(made("of-file"));
    fs::write(&file, "listen = \"127.0.0.1:1\"\nlissen = 1\n").unwrap();
    let ran = run(&["migrate", "--config", &config]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.err.contains("gateway.toml:2:1: unknown key `lissen`"),
        "{ran:?}"
    );
}

#[test]
fn a_database_that_is_away_is_said_to_be() {
    let url = [
        "--database-url",
        "postgres://nobody:geheim@127.0.0.1:1/nothing",
    ];
    for (arguments, code) in [
        (["audit"], 2),
        (["doctor"], 1),
        (["events"], 2),
        (["migrate"], 2),
    ] {
        let ran = run(&[arguments.as_slice(), url.as_slice()].concat());
        assert_eq!(ran.code, code, "{arguments:?} {ran:?}");
        assert!(!format!("{ran:?}").contains("geheim"), "{ran:?}");
    }
    let ran = run(&["migrate", "--database-url", "mysql://root:geheim@x/y"]);
    assert_eq!(ran.code, 2);
    assert!(!format!("{ran:?}").contains("geheim"), "{ran:?}");
}

#[test]
fn the_openapi_document_is_printed() {
    let ran = run(&["openapi"]);
    assert_eq!(ran.code, 0);
    let document = json(&ran.out);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"]["/oauth/token"].is_object());
}
