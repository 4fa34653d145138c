//! Locks, and transactions that do not end as they should.

use std::{
    collections::BTreeSet,
    future::Future,
    pin::pin,
    task::{Context, Poll},
};

use acceptance::{
    databases::{Database, Engine},
    on_each_database,
};
use gateway::store::{PoolSizes, Store, StoreError};
use ledger::{keys::Keys, state::Changes};

use crate::samples::*;

on_each_database!(
    a_second_batch_waits_for_the_lock_and_then_reads_the_new_rows,
    batches_with_other_members_in_common_order_do_not_deadlock,
    a_dropped_batch_leaves_nothing,
    a_batch_cancelled_at_any_point_leaves_nothing,
);

const ONE_CONNECTION: PoolSizes = PoolSizes { write: 1, read: 2 };

fn keys(numbers: &[u128]) -> Keys {
    Keys {
        members: numbers.iter().map(|number| member_id(*number)).collect(),
        ..Keys::default()
    }
}

/// Adds one point to each member, reading first.
async fn add_a_point(store: &Store, numbers: &[u128]) -> Result<(), StoreError> {
    let mut keys = keys(numbers);
    let mut batch = store.begin(&keys.members).await?;
    let state = batch.load(&mut keys).await?;
    let rows = state.members.into_values().map(|mut row| {
        row.available = row.available.saturating_add(points(1));
        row
    });
    let changes = Changes {
        members: changed(rows, |row| row.id),
        ..Changes::default()
    };
    batch.write(&changes).await?;
    batch.commit().await
}

async fn available(store: &Store, number: u128) -> i64 {
    let record = store.member(member_id(number)).await.unwrap().unwrap();
    record.member.available.get()
}

/// Returns once a session of the test's database waits for a lock.
async fn somebody_waits(database: &Database) {
    // The embedded database has nobody to ask who waits.
    while database.engine() == Engine::Postgres
        && database
            .postgres_count(
                "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'",
            )
            .await
            == 0
    {
        tokio::task::yield_now().await;
    }
}

async fn a_second_batch_waits_for_the_lock_and_then_reads_the_new_rows(database: Database) {
    let store = seeded(&database).await;
    let changes = Changes {
        lots: made([lot(11, member_id(1), 100)], |row| (row.member_id, row.id)),
        ..with_members([member(1)])
    };
    commit(&store, &changes).await;

    let mut first_keys = keys(&[1]);
    let mut first = store.begin(&first_keys.members).await.unwrap();
    first.load(&mut first_keys).await.unwrap();

    let other = database.open(PoolSizes::default()).await;
    let second = tokio::spawn(async move {
        let mut keys = keys(&[1]);
        let mut batch = other.begin(&keys.members).await.unwrap();
        let state = batch.load(&mut keys).await.unwrap();
        batch.rollback().await.unwrap();
        state
    });
    somebody_waits(&database).await;

    let mut row = member(1);
    row.available = points(40);
    let changes = Changes {
        members: changed([row], |row| row.id),
        lots: {
            let mut lots = changed([lot(11, member_id(1), 40)], |row| (row.member_id, row.id));
            lots.extend(made([lot(12, member_id(1), 3)], |row| {
                (row.member_id, row.id)
            }));
            lots
        },
        ..Changes::default()
    };
    first.write(&changes).await.unwrap();
    first.commit().await.unwrap();

    let state = second.await.unwrap();
    let member = state.members.values().next().unwrap();
    assert_eq!(member.available, points(40));
    let lots: Vec<_> = state.lots.values().map(|lot| lot.available).collect();
    assert_eq!(lots, [points(40), points(3)]);
}

async fn batches_with_other_members_in_common_order_do_not_deadlock(database: Database) {
    const ROUNDS: i64 = 20;
    let store = seeded(&database).await;
    commit(&store, &with_members([member(1), member(2), member(3)])).await;
    let other = database.open(PoolSizes::default()).await;
    let work = |store: Store, numbers: &'static [u128]| {
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                add_a_point(&store, numbers).await.unwrap();
            }
        })
    };
    let both = [work(store.clone(), &[1, 2, 3]), work(other, &[3, 2])];
    for task in both {
        task.await.unwrap();
    }
    assert_eq!(available(&store, 1).await, 100 + ROUNDS);
    assert_eq!(available(&store, 2).await, 100 + 2 * ROUNDS);
    assert_eq!(available(&store, 3).await, 100 + 2 * ROUNDS);
}

async fn a_dropped_batch_leaves_nothing(database: Database) {
    seeded(&database).await.close().await;
    let store = database.open(ONE_CONNECTION).await;
    let mut batch = store.begin(&BTreeSet::new()).await.unwrap();
    batch.write(&with_members([member(1)])).await.unwrap();
    drop(batch);
    // The only connection: a transaction left open on it would be committed here.
    commit(&store, &with_members([member(2)])).await;
    assert_eq!(store.member(member_id(1)).await.unwrap(), None);
    assert!(store.member(member_id(2)).await.unwrap().is_some());
}

/// Polls `future` at most `times`, then drops it; whether it ended by itself.
async fn cancelled_after(times: u32, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut left = times;
    std::future::poll_fn(|context: &mut Context<'_>| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

async fn a_batch_cancelled_at_any_point_leaves_nothing(database: Database) {
    seeded(&database).await.close().await;
    let store = database.open(ONE_CONNECTION).await;
    let more = Changes {
        cards: made([card(1, member_id(1))], |row| row.id),
        requests: vec![tombstone("a")],
        settlements: vec![settlement(51)],
        ..Changes::default()
    };
    // How often a batch has to wait depends on how fast the database answers; so it is tried again, from
    // its first poll on, until it was cancelled often enough or there was nothing to cancel.
    let (mut polls, mut cancelled) = (0, 0);
    for bystander in 1_001..1_101 {
        let batch = async {
            let mut keys = keys(&[1]);
            let mut batch = store.begin(&keys.members).await.unwrap();
            batch.load(&mut keys).await.unwrap();
            batch.write(&with_members([member(1)])).await.unwrap();
            batch.write(&more).await.unwrap();
            batch.rollback().await.unwrap();
        };
        let ended = cancelled_after(polls, batch).await;
        commit(&store, &with_members([member(bystander)])).await;
        let left = store.member(member_id(1)).await.unwrap();
        assert_eq!(left, None, "cancelled at its poll number {polls}");
        (polls, cancelled) = if ended {
            (0, cancelled)
        } else {
            (polls + 1, cancelled + 1)
        };
        if cancelled == 20 {
            return;
        }
    }
    // A batch that is dropped before its first poll counts too, so something was cancelled even if the
    // database always answered at once.
    assert!(cancelled > 0);
}

/// What only a server does: ending sessions.
mod on_a_server {
    use super::*;

    const END_OTHER_SESSIONS: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";

    async fn end_sessions(database: &Database) {
        assert!(database.postgres_count(END_OTHER_SESSIONS).await > 0);
        while database.postgres_count(END_OTHER_SESSIONS).await > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_commit_without_an_answer_has_an_unknown_outcome() {
        let database = Database::create(Engine::Postgres).await;
        let store = seeded(&database).await;
        let mut batch = store.begin(&BTreeSet::new()).await.unwrap();
        batch.write(&with_members([member(1)])).await.unwrap();
        end_sessions(&database).await;
        let error = batch.commit().await.unwrap_err();
        assert!(matches!(error, StoreError::OutcomeUnknown(_)), "{error}");
        assert_eq!(store.member(member_id(1)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn sessions_that_ended_while_idle_cost_no_batch() {
        let database = Database::create(Engine::Postgres).await;
        let store = seeded(&database).await;
        let first = store.begin(&BTreeSet::new()).await.unwrap();
        let second = store.begin(&BTreeSet::new()).await.unwrap();
        first.rollback().await.unwrap();
        second.rollback().await.unwrap();
        end_sessions(&database).await;
        commit(&store, &with_members([member(1)])).await;
    }

    #[tokio::test]
    async fn a_lost_session_is_no_answer() {
        let database = Database::create(Engine::Postgres).await;
        let store = seeded(&database).await;
        let mut batch = store.begin(&BTreeSet::new()).await.unwrap();
        end_sessions(&database).await;
        let error = batch.write(&with_members([member(1)])).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    }
}
