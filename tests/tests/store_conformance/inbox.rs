//! The inbox: what a repeat of a message does, whatever has become of it.

use acceptance::{databases::Database, on_each_database};
use gateway::store::{Fate, NewMessage, Sent, Store};
use jiff::{SignedDuration, Timestamp};
use pos_protocol::ShopId;
use uuid::Uuid;

on_each_database!(
    a_repeat_of_a_dead_message_revives_it,
    a_repeat_of_any_other_message_changes_nothing,
    what_is_told_twice_at_once_is_kept_once,
    what_no_repeat_can_be_told_of_is_kept_each_time,
    a_body_changes_only_while_it_is_kept_as_it_was_read,
);

const BODY: &[u8] = b"{}";

fn now() -> Timestamp {
    "2026-11-22T03:00:00Z".parse().unwrap()
}

fn message(id: u128, shop: &str, key: Option<&str>) -> NewMessage {
    NewMessage {
        id: Uuid::from_u128(id),
        shop_id: ShopId::new(shop).unwrap(),
        repeat_key: key.map(str::to_owned),
        topic: "orders/paid".to_owned(),
        is_test: false,
        body: BODY.to_vec(),
        received_at: now(),
    }
}

async fn settle(store: &Store, id: u128, fate: Fate) {
    let fates = [(Uuid::from_u128(id), fate)];
    store.inbox_settle(&fates, now()).await.unwrap();
}

/// What has become of the message of this key.
async fn state(store: &Store, shop: &str, key: &str) -> String {
    let shop = ShopId::new(shop).unwrap();
    let fate = store.inbox_fate(&shop, Sent::Repeat(key)).await.unwrap();
    fate.expect("it was kept").0
}

/// The messages that are due, with how often each was tried.
async fn due(store: &Store, at: Timestamp) -> Vec<(u128, u32)> {
    let due = store.inbox_due(at, 100).await.unwrap();
    let mut messages = store.inbox_messages(&due).await.unwrap();
    messages.sort_by_key(|message| message.id);
    assert!(messages.iter().all(|message| message.body == BODY));
    let seen = messages
        .iter()
        .map(|message| (message.id.as_u128(), message.attempts));
    seen.collect()
}

async fn a_repeat_of_a_dead_message_revives_it(database: Database) {
    let store = database.migrated().await;
    let mut first = [message(1, "tea", Some("k")), message(2, "ice", Some("k"))];
    store.inbox_accept(&mut first).await.unwrap();
    let dead = || Fate::Dead("refused".to_owned());
    settle(&store, 1, Fate::Again("away".to_owned(), now())).await;
    settle(&store, 1, dead()).await;
    settle(&store, 2, dead()).await;
    assert_eq!(due(&store, now()).await, []);
    let later = now() + SignedDuration::from_hours(1);
    let mut repeat = [NewMessage {
        received_at: later,
        ..message(3, "tea", Some("k"))
    }];
    store.inbox_accept(&mut repeat).await.unwrap();
    // The old one, from the beginning; the other shop's stays as it is.
    assert_eq!(due(&store, now()).await, []);
    assert_eq!(due(&store, later).await, [(1, 0)]);
    assert_eq!(state(&store, "ice", "k").await, "dead");
    let status = store.inbox_status().await.unwrap();
    assert_eq!((status.waiting, status.dead), (1, 1));
    settle(&store, 1, Fate::Done).await;
    assert_eq!(state(&store, "tea", "k").await, "done");
}

async fn a_repeat_of_any_other_message_changes_nothing(database: Database) {
    let store = database.migrated().await;
    let keys = ["waiting", "done", "ignored"];
    let mut first: Vec<_> = (1..)
        .zip(keys)
        .map(|(id, key)| message(id, "tea", Some(key)))
        .collect();
    store.inbox_accept(&mut first).await.unwrap();
    let next = now() + SignedDuration::from_mins(5);
    settle(&store, 1, Fate::Again("away".to_owned(), next)).await;
    settle(&store, 2, Fate::Done).await;
    settle(&store, 3, Fate::Ignored("nothing".to_owned())).await;
    let mut repeats: Vec<_> = (11..)
        .zip(keys)
        .map(|(id, key)| message(id, "tea", Some(key)))
        .collect();
    store.inbox_accept(&mut repeats).await.unwrap();
    for key in keys {
        assert_eq!(state(&store, "tea", key).await, key);
    }
    // Neither sooner nor with fewer tries behind it.
    assert_eq!(due(&store, now()).await, []);
    assert_eq!(due(&store, next).await, [(1, 1)]);
}

async fn a_body_changes_only_while_it_is_kept_as_it_was_read(database: Database) {
    let store = database.migrated().await;
    let mut three = [1, 2, 3].map(|id| message(id, "tea", None));
    store.inbox_accept(&mut three).await.unwrap();
    settle(&store, 2, Fate::Dead("refused".to_owned())).await;
    settle(&store, 3, Fate::Done).await;
    let bodies = |kept: Vec<(Uuid, Vec<u8>)>| -> Vec<_> {
        let seen = kept.into_iter().map(|(id, body)| (id.as_u128(), body));
        seen.collect()
    };
    let kept = store.inbox_bodies(Uuid::nil(), 10).await.unwrap();
    assert_eq!(bodies(kept), [(1, BODY.to_vec()), (2, BODY.to_vec())]);
    let put = async |id, was: &[u8]| store.inbox_reseal(Uuid::from_u128(id), was, b"new").await;
    assert!(put(1, BODY).await.unwrap());
    assert!(!put(1, BODY).await.unwrap(), "it is another one now");
    assert!(put(2, BODY).await.unwrap());
    assert!(!put(3, b"").await.unwrap(), "it was booked");
    let kept = store.inbox_bodies(Uuid::from_u128(1), 10).await.unwrap();
    assert_eq!(bodies(kept), [(2, b"new".to_vec())]);
}

async fn what_is_told_twice_at_once_is_kept_once(database: Database) {
    let store = database.migrated().await;
    let mut both = [message(1, "tea", Some("k")), message(2, "tea", Some("k"))];
    store.inbox_accept(&mut both).await.unwrap();
    assert_eq!(due(&store, now()).await, [(1, 0)]);
    settle(&store, 1, Fate::Dead("refused".to_owned())).await;
    let mut again = [message(3, "tea", Some("k")), message(4, "tea", Some("k"))];
    store.inbox_accept(&mut again).await.unwrap();
    assert_eq!(due(&store, now()).await, [(1, 0)]);
}

async fn what_no_repeat_can_be_told_of_is_kept_each_time(database: Database) {
    let store = database.migrated().await;
    let mut both = [message(1, "tea", None), message(2, "tea", None)];
    store.inbox_accept(&mut both).await.unwrap();
    assert_eq!(due(&store, now()).await, [(1, 0), (2, 0)]);
}
