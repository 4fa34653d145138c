//! The outbox, places in the stream, and the lease of whoever gives them.

use acceptance::{databases::Database, on_each_database};
use gateway::store::{
    EventFilter, LeaseName, Places, PoolSizes, RelayTurn, Store, StoreError, StoredEvent, Term,
};
use ledger::{event::EventKind, records::Event, state::Changes};
use pos_protocol::MemberId;
use uuid::Uuid;

use crate::samples::*;

on_each_database!(
    a_member_s_events_wait_in_order_however_they_were_written,
    events_get_places_without_a_gap_and_keep_them,
    a_member_s_many_large_events_wait_in_order,
    a_confirmed_event_leaves_the_outbox_and_keeps_its_place,
    whoever_takes_over_goes_on_where_the_last_one_stood,
    a_holder_that_lost_its_lease_writes_nothing,
    a_lease_is_taken_by_one_and_only_if_nothing_changed,
    after_an_error_a_holder_learns_what_was_written,
    rows_from_before_keep_their_order,
    events_are_read_by_their_places,
);

const RELAY: LeaseName = LeaseName::Relay;
const HOLDER: Uuid = Uuid::from_u128(1);
const RIVAL: Uuid = Uuid::from_u128(2);

async fn write(store: &Store, events: Vec<Event>) {
    let changes = Changes {
        events,
        ..Changes::default()
    };
    commit(store, &changes).await;
}

/// Takes the lease, as one that has seen it stand still long enough.
async fn take(store: &Store, holder: Uuid) -> Term {
    let beat = store.lease(RELAY).await.unwrap().beat;
    let lease = store.take_lease(RELAY, beat, holder).await.unwrap();
    let lease = lease.expect("nobody else wants it");
    assert_eq!(lease.holder, Some(holder));
    Term {
        holder,
        mark: 0,
        last_place: 0,
    }
}

/// Gives places to the first `limit` events.
async fn place(store: &Store, term: Term, limit: u32) -> (Term, Vec<gateway::store::Placed>) {
    let waiting = store.relay_waiting(limit, 0).await.unwrap();
    let turn = RelayTurn {
        waiting,
        ..RelayTurn::default()
    };
    let done = store.relay_turn(term, turn).await.unwrap();
    done.expect("the lease is held")
}

async fn confirm(store: &Store, term: Term, confirmed: Vec<i64>) -> Term {
    let turn = RelayTurn {
        confirmed,
        ..RelayTurn::default()
    };
    let done = store.relay_turn(term, turn).await.unwrap();
    done.expect("the lease is held").0
}

fn numbers<'a>(events: impl IntoIterator<Item = &'a StoredEvent>) -> Vec<(u128, Option<i64>)> {
    let number = |event: &StoredEvent| event.id.as_uuid().as_u128() & 0xFF;
    events
        .into_iter()
        .map(|event| (number(event), event.stream_sequence))
        .collect()
}

async fn a_member_s_events_wait_in_order_however_they_were_written(database: Database) {
    let store = seeded(&database).await;
    let (one, two) = (member_id(1), member_id(2));
    // Ids of commands come from several clocks: they need not follow the order of a member's events.
    write(
        &store,
        vec![
            event(79, one, 1, EventKind::CardEnrolled),
            event(71, one, 2, EventKind::CardRevoked),
            news(75),
        ],
    )
    .await;
    write(
        &store,
        vec![
            event(70, one, 3, EventKind::PointsAdjusted),
            event(78, two, 2, EventKind::CardRevoked),
            event(77, two, 1, EventKind::CardEnrolled),
        ],
    )
    .await;
    let waiting = store.relay_waiting(10, 0).await.unwrap();
    assert!(waiting.is_sorted_by_key(|row| row.position));
    let of = |member: MemberId| {
        let rows = waiting
            .iter()
            .filter(|row| row.event.member_id == Some(member));
        rows.map(|row| row.event.member_sequence)
            .collect::<Vec<_>>()
    };
    assert_eq!((of(one), of(two)), (vec![1, 2, 3], vec![1, 2]));
    assert_eq!(waiting.len(), 6);
    assert_eq!(store.relay_waiting(2, 0).await.unwrap(), waiting[..2]);
    let after = store.relay_waiting(10, waiting[1].position).await.unwrap();
    assert_eq!(after, waiting[2..]);
    let kept = store.events(&EventFilter::default(), 10).await.unwrap();
    for row in &waiting {
        assert!(kept.contains(&row.event), "{row:?}");
    }
}

/// So many that one statement cannot carry them.
async fn a_member_s_many_large_events_wait_in_order(database: Database) {
    const EVENTS: u128 = 40;
    let store = seeded(&database).await;
    let one = member_id(1);
    let large = "x".repeat(4_000);
    let events = (1..=EVENTS).map(|sequence| {
        let mut event = event(
            300 - sequence,
            one,
            i64::try_from(sequence).unwrap(),
            EventKind::CardEnrolled,
        );
        event.data = format!("{{\"large\":\"{large}\"}}");
        event
    });
    write(&store, events.collect()).await;
    let waiting = store.relay_waiting(100, 0).await.unwrap();
    assert!(waiting.is_sorted_by_key(|row| row.position));
    let order: Vec<_> = waiting
        .iter()
        .map(|row| row.event.member_sequence)
        .collect();
    assert_eq!(order, (1..=40).collect::<Vec<_>>());
}

async fn events_get_places_without_a_gap_and_keep_them(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    write(
        &store,
        (1..=3)
            .map(|n| {
                event(
                    70 + n,
                    one,
                    i64::try_from(n).unwrap(),
                    EventKind::CardEnrolled,
                )
            })
            .collect(),
    )
    .await;
    let term = take(&store, HOLDER).await;
    let (term, placed) = place(&store, term, 2).await;
    assert_eq!(
        numbers(placed.iter().map(|row| &row.event)),
        [(71, Some(1)), (72, Some(2))]
    );
    assert_eq!(term.last_place, 2);
    write(&store, vec![news(60)]).await;
    let (term, placed) = place(&store, term, 10).await;
    assert_eq!(
        numbers(placed.iter().map(|row| &row.event)),
        [(73, Some(3)), (60, Some(4))]
    );
    let (again, none) = place(&store, term, 10).await;
    assert_eq!((again, none), (term, vec![]));

    let found = store.events(&EventFilter::default(), 10).await.unwrap();
    let expected = [(60, Some(4)), (71, Some(1)), (72, Some(2)), (73, Some(3))];
    assert_eq!(numbers(&found), expected);
    let found = store.events_after(one, 1, 10).await.unwrap();
    assert_eq!(numbers(&found), [(72, Some(2)), (73, Some(3))]);
    let mut snapshot = store.snapshot().await.unwrap();
    let page: Vec<StoredEvent> = snapshot.page(None, 10).await.unwrap();
    assert_eq!(numbers(&page), expected);
    snapshot.end().await.unwrap();
}

async fn a_confirmed_event_leaves_the_outbox_and_keeps_its_place(database: Database) {
    let store = seeded(&database).await;
    write(
        &store,
        vec![
            event(71, member_id(1), 1, EventKind::CardEnrolled),
            event(72, member_id(2), 1, EventKind::CardEnrolled),
        ],
    )
    .await;
    let term = take(&store, HOLDER).await;
    let (term, placed) = place(&store, term, 10).await;
    let term = confirm(&store, term, vec![placed[1].position]).await;
    assert_eq!(store.outbox_status().await.unwrap().waiting, 1);
    // Twice is once: what came of the first time may not have been known.
    let term = confirm(
        &store,
        term,
        placed.iter().map(|row| row.position).collect(),
    )
    .await;
    assert_eq!(store.outbox_status().await.unwrap().waiting, 0);
    write(
        &store,
        vec![event(73, member_id(1), 2, EventKind::CardRevoked)],
    )
    .await;
    let (_, more) = place(&store, term, 10).await;
    assert_eq!(numbers(more.iter().map(|row| &row.event)), [(73, Some(3))]);
    assert!(
        more[0].position > placed[1].position,
        "a position is never given twice"
    );
}

async fn whoever_takes_over_goes_on_where_the_last_one_stood(database: Database) {
    let store = seeded(&database).await;
    let owners = [1, 2, 3, 4, 5].map(member_id);
    write(
        &store,
        owners
            .iter()
            .zip(71..)
            .map(|(owner, n)| event(n, *owner, 1, EventKind::CardEnrolled))
            .collect(),
    )
    .await;
    let term = take(&store, HOLDER).await;
    let (term, placed) = place(&store, term, 4).await;
    confirm(&store, term, vec![placed[0].position, placed[2].position]).await;

    let fresh = take(&store, RIVAL).await;
    let resumed = store
        .relay_resume(fresh)
        .await
        .unwrap()
        .expect("it is held");
    assert_eq!(resumed.placed, [placed[1].clone(), placed[3].clone()]);
    assert_eq!(
        (resumed.term.last_place, resumed.term.mark),
        (4, placed[3].position)
    );
    let (_, more) = place(&store, resumed.term, 10).await;
    assert_eq!(numbers(more.iter().map(|row| &row.event)), [(75, Some(5))]);
}

async fn a_holder_that_lost_its_lease_writes_nothing(database: Database) {
    let store = seeded(&database).await;
    write(
        &store,
        vec![
            event(71, member_id(1), 1, EventKind::CardEnrolled),
            event(72, member_id(2), 1, EventKind::CardEnrolled),
        ],
    )
    .await;
    let term = take(&store, HOLDER).await;
    let (term, placed) = place(&store, term, 1).await;
    take(&store, RIVAL).await;
    let turn = RelayTurn {
        confirmed: vec![placed[0].position],
        waiting: store.relay_waiting(10, 0).await.unwrap(),
    };
    assert_eq!(store.relay_turn(term, turn).await.unwrap(), None);
    assert_eq!(store.relay_resume(term).await.unwrap(), None);
    assert_eq!(store.outbox_status().await.unwrap().waiting, 2);
    assert_eq!(store.relay_waiting(10, 0).await.unwrap().len(), 1);
    assert!(!store.release_lease(RELAY, HOLDER).await.unwrap());
    assert_eq!(store.lease(RELAY).await.unwrap().holder, Some(RIVAL));
}

async fn a_lease_is_taken_by_one_and_only_if_nothing_changed(database: Database) {
    let store = seeded(&database).await;
    let seen = store.lease(RELAY).await.unwrap();
    assert_eq!(seen.holder, None);
    let other = database.open(PoolSizes { write: 1, read: 1 }).await;
    let (one, two) = futures_util::join!(
        store.take_lease(RELAY, seen.beat, HOLDER),
        other.take_lease(RELAY, seen.beat, RIVAL),
    );
    let winners: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    let holder = winners[0].holder.expect("a holder");
    // The holder lives: what a rival saw before is no longer so.
    let seen = store.lease(RELAY).await.unwrap();
    let term = Term {
        holder,
        mark: 0,
        last_place: 0,
    };
    confirm(&store, term, vec![]).await;
    let rival = Uuid::from_u128(3);
    assert_eq!(
        store.take_lease(RELAY, seen.beat, rival).await.unwrap(),
        None
    );
    assert!(store.release_lease(RELAY, holder).await.unwrap());
    assert_eq!(
        store.relay_turn(term, RelayTurn::default()).await.unwrap(),
        None
    );
    let seen = store.lease(RELAY).await.unwrap();
    assert_eq!(seen.holder, None);
    assert!(
        store
            .take_lease(RELAY, seen.beat, rival)
            .await
            .unwrap()
            .is_some()
    );
}

async fn after_an_error_a_holder_learns_what_was_written(database: Database) {
    let store = seeded(&database).await;
    write(
        &store,
        (71..=73)
            .map(|n| event(n, member_id(n), 1, EventKind::CardEnrolled))
            .collect(),
    )
    .await;
    let term = take(&store, HOLDER).await;
    // The answer to this one is lost.
    let (_, written) = place(&store, term, 2).await;
    // It tries again as if nothing had been written: refused, and nothing else happens.
    let turn = RelayTurn {
        waiting: store.relay_waiting(10, 0).await.unwrap(),
        ..RelayTurn::default()
    };
    let refused = store.relay_turn(term, turn).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    let resumed = store.relay_resume(term).await.unwrap().expect("it is held");
    assert_eq!(resumed.placed, written);
    assert_eq!(resumed.term.last_place, 2);
    let again = store
        .relay_resume(resumed.term)
        .await
        .unwrap()
        .expect("it is held");
    assert_eq!((again.term, again.placed), (resumed.term, vec![]));
}

/// The schema as it was before places had a table of their own, with rows in it.
const BEFORE: &str = "
DROP VIEW event_log;
DROP TABLE event_stream;
DROP TABLE leases;
DROP TABLE outbox;
CREATE TABLE outbox (event_id UUID PRIMARY KEY, member_id UUID, member_sequence BIGINT NOT NULL);
INSERT INTO outbox SELECT event_id, member_id, member_sequence FROM events WHERE kind <> 'member.enrolled' ORDER BY event_id;
ALTER TABLE events ADD COLUMN stream_sequence INTEGER;
UPDATE events SET stream_sequence = 1 WHERE kind = 'member.enrolled';
DELETE FROM _sqlx_migrations WHERE version = 3";

async fn rows_from_before_keep_their_order(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let events = vec![
        event(79, one, 1, EventKind::MemberEnrolled),
        event(78, one, 2, EventKind::CardEnrolled),
        event(77, one, 3, EventKind::CardRevoked),
        news(76),
    ];
    write(&store, events).await;
    store.close().await;
    database.tamper(BEFORE).await;
    let store = database.open(PoolSizes::default()).await;
    let applied = store.migrate().await.unwrap();
    assert_eq!(applied.first().map(|done| done.version), Some(3));
    let waiting = store.relay_waiting(10, 0).await.unwrap();
    let waiting = numbers(waiting.iter().map(|row| &row.event));
    assert_eq!(waiting, [(76, None), (78, None), (77, None)]);
    let found = store.events_after(one, 0, 1).await.unwrap();
    assert_eq!(numbers(&found), [(79, Some(1))]);
    let term = take(&store, HOLDER).await;
    let resumed = store.relay_resume(term).await.unwrap().expect("it is held");
    assert_eq!((resumed.term.last_place, resumed.placed), (1, vec![]));
}

async fn events_are_read_by_their_places(database: Database) {
    let store = seeded(&database).await;
    assert_eq!(store.last_place().await.unwrap(), 0);
    let (one, two) = (member_id(1), member_id(2));
    write(
        &store,
        vec![
            event(79, one, 1, EventKind::CardEnrolled),
            event(71, one, 2, EventKind::PurchaseCompleted),
            event(75, two, 1, EventKind::PurchaseCompleted),
            event(76, two, 2, EventKind::PurchaseRefunded),
        ],
    )
    .await;
    place(&store, take(&store, HOLDER).await, 3).await;
    assert_eq!(store.last_place().await.unwrap(), 3);
    let all = EventFilter::default();
    let read = async |filter: &EventFilter, first, last| {
        let places = Places { first, last };
        let page = store.placed_events(filter, places).await.unwrap();
        let places: Vec<_> = page.iter().filter_map(|row| row.stream_sequence).collect();
        assert_eq!(places.len(), page.len(), "what has no place is left out");
        (places, page)
    };
    let (places, page) = read(&all, 1, i64::MAX).await;
    assert_eq!(places, [1, 2, 3]);
    assert_eq!(read(&all, 2, 2).await.0, [2]);
    assert_eq!(read(&all, 4, i64::MAX).await.0, [0; 0]);
    // The order is that of the places, whatever is asked of them.
    let of_one = EventFilter {
        member_id: Some(one),
        ..all.clone()
    };
    let (_, of_one) = read(&of_one, 1, 3).await;
    assert_eq!(
        of_one
            .iter()
            .map(|row| row.member_sequence)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    let purchases = EventFilter {
        kind_prefix: "purchase.".into(),
        ..all.clone()
    };
    let sold = page.iter().filter(|row| row.kind.starts_with("purchase."));
    assert_eq!(
        read(&purchases, 1, 3).await.1,
        sold.cloned().collect::<Vec<_>>()
    );
    let early = EventFilter {
        since: Some(time(75)),
        until: Some(time(79)),
        ..all
    };
    assert_eq!(numbers(&read(&early, 1, 3).await.1), [(75, Some(1))]);
}
