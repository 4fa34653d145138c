//! What a shop wrote of people lies sealed until it is booked, whatever becomes of the keys meanwhile.

use std::{fs, sync::Arc};

use acceptance::{databases::Database, on_each_database, program::run};
use ec::Platform;
use gateway::{
    secrets::Secrets,
    store::{Fate, InboxMessage, Replay},
};
use uuid::Uuid;

use crate::stage::{Stage, sample};

on_each_database!(
    a_message_lies_sealed_and_opens_after_the_master_key_was_changed,
    a_message_whose_key_is_missing_waits_for_people,
);

/// A webhook of an order that is kept and waits.
async fn waiting(stage: &Stage) -> InboxMessage {
    let (headers, body) = sample(stage, Platform::WooCommerce, 7);
    let plain = String::from_utf8(body.clone()).unwrap();
    assert!(plain.contains("customer"), "the sample names somebody");
    assert_eq!(stage.webhook("woo", &headers, body).await, 200);
    let due = stage.store.inbox_due(stage.clock.now(), 10).await.unwrap();
    let mut messages = stage.store.inbox_messages(&due).await.unwrap();
    let message = messages.pop().unwrap();
    // No six characters of it are there to be read.
    let kept = String::from_utf8_lossy(&message.body).into_owned();
    let pieces = plain.as_bytes().windows(6);
    let mut pieces = pieces.filter_map(|piece| std::str::from_utf8(piece).ok());
    assert_eq!(pieces.find(|piece| kept.contains(*piece)), None);
    message
}

async fn bury(stage: &Stage, id: Uuid) {
    let fates = [(id, Fate::Dead("people have to look".to_owned()))];
    let now = stage.clock.now();
    stage.store.inbox_settle(&fates, now).await.unwrap();
}

async fn replay(stage: &Stage) {
    let now = stage.clock.now();
    let replayed = stage.store.inbox_replay(Replay::All, now).await.unwrap();
    assert_eq!(replayed, 1);
}

/// The master key in a file of secrets.
fn master(text: &str) -> &str {
    let line = text.lines().find(|line| line.starts_with("master_keys"));
    line.unwrap().split('"').nth(1).unwrap()
}

async fn a_message_lies_sealed_and_opens_after_the_master_key_was_changed(database: Database) {
    let stage = Stage::closed(database).await;
    let message = waiting(&stage).await;
    bury(&stage, message.id).await;

    let file = stage.secrets_file();
    let old = fs::read_to_string(&file).unwrap();
    let fresh = Secrets::fresh().unwrap();
    let (was, is) = (master(&old), master(&fresh));
    fs::write(
        &file,
        old.replace(&format!("\"{was}\""), &format!("\"{is}\", \"{was}\"")),
    )
    .unwrap();
    let path = file.display().to_string();
    let url = stage.database_url();
    let rotate = [
        "admin",
        "secrets",
        "rotate",
        "--database-url",
        url,
        "--secrets",
        &path,
    ];
    let ran = run(&rotate);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("1 messages of shops sealed anew"),
        "{ran:?}"
    );
    // Once is enough.
    assert!(!run(&rotate).out.contains("sealed anew"));

    fs::write(&file, old.replace(was, is)).unwrap();
    let only_new = Arc::new(Secrets::read(&file).unwrap());
    let _working = stage.worker_with(&stage.store, only_new);
    replay(&stage).await;
    stage
        .order("woo", "7", |order| order["state"] == "paid")
        .await;
    assert_eq!(stage.settled().await, 0);
}

async fn a_message_whose_key_is_missing_waits_for_people(database: Database) {
    let stage = Stage::closed(database).await;
    waiting(&stage).await;
    let file = stage.secrets_file();
    let own = fs::read_to_string(&file).unwrap();
    let fresh = Secrets::fresh().unwrap();
    fs::write(&file, own.replace(master(&own), master(&fresh))).unwrap();
    let without = Arc::new(Secrets::read(&file).unwrap());
    let working = stage.worker_with(&stage.store, without);
    assert_eq!(stage.settled().await, 1);
    working.end().await;
    let dead = stage.store.inbox_dead(None, Uuid::nil(), 10).await.unwrap();
    assert!(dead[0].error.contains("there is no master key"), "{dead:?}");
    // Its key is back, and so is the order.
    let _working = stage.worker(&stage.store);
    replay(&stage).await;
    stage
        .order("woo", "7", |order| order["state"] == "paid")
        .await;
}
