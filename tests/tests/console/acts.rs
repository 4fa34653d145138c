//! What is noted of what staff does, when nobody waits for the answer and when the answer cannot be read.

use std::time::Duration;

use acceptance::{
    databases::{Database, Engine},
    on_each_database,
};
use gateway::store::Store;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time};

use super::{Console, Phone};

on_each_database!(
    what_was_booked_is_done_though_it_cannot_be_shown,
    an_act_is_ended_though_its_caller_hung_up,
);

/// From the first act on, no person can be read.
const UNREADABLE_SQLITE: &str = "\
    CREATE TRIGGER unreadable AFTER INSERT ON staff_acts \
    BEGIN UPDATE cards SET enrolled_at = 9223372036854775807; END";
const UNREADABLE_POSTGRES: &str = "\
    CREATE FUNCTION unreadable() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN UPDATE cards SET enrolled_at = 9223372036854775807; RETURN NULL; END $$; \
    CREATE TRIGGER unreadable AFTER INSERT ON staff_acts FOR EACH ROW EXECUTE FUNCTION unreadable()";

async fn what_was_booked_is_done_though_it_cannot_be_shown(database: Database) {
    let engine = database.engine();
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    let path = phone.path("/adjustments");
    let token = console.stage.token_for("support").await;
    let tampered = match engine {
        Engine::Sqlite => UNREADABLE_SQLITE,
        Engine::Postgres => UNREADABLE_POSTGRES,
    };
    console.stage.database().tamper(tampered).await;
    let grant = json!({ "direction": "grant", "points": 1_000, "reason": "call 4711" });
    let (status, answer) = console.ask_as(&token, "POST", &path, Some(grant)).await;
    assert_eq!(
        (status, &answer["type"]),
        (503, &json!("/problems/outcome_unknown")),
        "{answer}"
    );
    assert_eq!(console.acts().await[0]["outcome"], "done");
    // It counts as what was adjusted alone.
    let long_ago = "2026-11-01T00:00:00Z".parse().unwrap();
    let store = console.stage.app.store();
    let alone = store.adjusted_alone("support", long_ago, uuid::Uuid::nil());
    assert_eq!(alone.await.unwrap().get(), 1_000);
}

/// Keeps everybody from writing a member.
enum Lock {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Lock {
    async fn take(database: &Database) -> Self {
        let url = database.url();
        match database.engine() {
            Engine::Sqlite => {
                let mut connection = SqliteConnection::connect(url).await.unwrap();
                let begin = sqlx::raw_sql("BEGIN IMMEDIATE");
                begin.execute(&mut connection).await.unwrap();
                Self::Sqlite(connection)
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let begin = sqlx::raw_sql("BEGIN; SELECT 1 FROM members FOR UPDATE");
                begin.execute(&mut connection).await.unwrap();
                Self::Postgres(connection)
            }
        }
    }

    async fn leave(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.unwrap(),
            Self::Postgres(connection) => connection.close().await.unwrap(),
        }
    }
}

/// Waits until the act is under way: noted, or waiting to be.
async fn under_way(console: &Console) {
    loop {
        let waits = match console.stage.app.store() {
            Store::Sqlite { write, .. } => write.num_idle() == 0,
            Store::Postgres { .. } => !console.acts().await.is_empty(),
        };
        if waits {
            return;
        }
        time::sleep(Duration::from_millis(10)).await;
    }
}

async fn an_act_is_ended_though_its_caller_hung_up(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    let token = console.stage.token_for("support").await;
    // Read once, so that nothing but the act has to be written.
    console.acts().await;
    let lock = Lock::take(console.stage.database()).await;
    let body = json!({ "direction": "grant", "points": 7, "reason": "call 4711" }).to_string();
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        phone.path("/adjustments"),
        console.stage.address,
        body.len()
    );
    let mut line = TcpStream::connect(&console.stage.address).await.unwrap();
    line.write_all(request.as_bytes()).await.unwrap();
    let limit = Duration::from_secs(60);
    time::timeout(limit, under_way(&console)).await.unwrap();
    drop(line);
    // Another call on another connection: the server has seen the first one end.
    console.get("auditor", "/v1/admin/me").await;
    lock.leave().await;
    let ended = async {
        loop {
            let acts = console.acts().await;
            if acts.first().is_some_and(|act| act["outcome"] == "done") {
                return;
            }
            time::sleep(Duration::from_millis(10)).await;
        }
    };
    time::timeout(limit, ended).await.expect("the act ends");
    let record: Value = console.get("auditor", &phone.path("")).await;
    assert_eq!(record["points"]["available"], 7);
}
