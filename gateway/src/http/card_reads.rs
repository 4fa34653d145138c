//! Reading cards for many callers at once.
//!
//! In a chain of millions most cards that are shown were not shown lately, so that most scans cost a
//! read. Whoever asks while a read is under way is served by the next one, together with everybody else
//! who asked meanwhile: idle, a read is one card and waits for nothing; loaded, reads grow by themselves,
//! like the writer's batches.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ledger::member::Card;
use member_card::CardId;
use tokio::sync::{mpsc, oneshot};

use crate::{
    limits,
    store::{Store, StoreError},
};

/// Somebody who wants a card.
struct Asked {
    id: CardId,
    reply: oneshot::Sender<Result<Option<Card>, StoreError>>,
}

/// Reads cards. Cheap to clone; its task ends when every clone is gone.
#[derive(Debug, Clone)]
pub(super) struct CardReads(mpsc::Sender<Asked>);

impl CardReads {
    /// Starts the task that reads.
    pub(super) fn start(store: Store) -> Self {
        let (sender, asked) = mpsc::channel(limits::CARD_READS_WAITING_MAX);
        tokio::spawn(read_all(store, asked));
        Self(sender)
    }

    /// The card as it is now; none if no such card was enrolled.
    ///
    /// # Errors
    /// As any read, and [`StoreError::Unavailable`] if too many wait.
    pub(super) async fn card(&self, id: CardId) -> Result<Option<Card>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let unavailable = |what: &str| StoreError::Unavailable(what.into());
        self.0
            .try_send(Asked { id, reply })
            .map_err(|_| unavailable("too many cards are waiting to be read"))?;
        // A database that froze may hold up the read before this one as well.
        let limit = Duration::from_millis(limits::DATABASE_READ_TIMEOUT_MS);
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(card)) => card,
            Ok(Err(_)) => Err(unavailable("cards are not read any more")),
            Err(_) => Err(unavailable("no card was read in time")),
        }
    }
}

async fn read_all(store: Store, mut asked: mpsc::Receiver<Asked>) {
    let mut waiting = Vec::new();
    while asked
        .recv_many(&mut waiting, limits::CARD_READ_ROWS_MAX)
        .await
        > 0
    {
        // Who gave up waiting needs no card.
        waiting.retain(|asked| !asked.reply.is_closed());
        let ids: BTreeSet<CardId> = waiting.iter().map(|asked| asked.id).collect();
        let cards = read(&store, &ids).await;
        if matches!(cards, Err(StoreError::Corrupt(_))) && ids.len() > 1 {
            // One row that makes no sense is its own scan's trouble, and nobody else's.
            for Asked { id, reply } in waiting.drain(..) {
                let alone = read(&store, &BTreeSet::from([id])).await;
                let _ = reply.send(alone.map(|mut cards| cards.remove(&id)));
            }
        }
        for Asked { id, reply } in waiting.drain(..) {
            let card = match &cards {
                Ok(cards) => Ok(cards.get(&id).cloned()),
                Err(error) => Err(error.clone()),
            };
            let _ = reply.send(card);
        }
    }
}

async fn read(store: &Store, ids: &BTreeSet<CardId>) -> Result<BTreeMap<CardId, Card>, StoreError> {
    let cards = store.cards(ids).await?;
    Ok(cards.into_iter().map(|card| (card.id, card)).collect())
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::store::{DatabaseUrl, PoolSizes};

    const UNREADABLE: i64 = 7;

    /// A store with the cards 1 to 9, one of which makes no sense.
    async fn with_cards(directory: &tempfile::TempDir) -> Store {
        let url = DatabaseUrl::Sqlite(directory.path().join("cards.db"));
        let store = Store::open(&url, PoolSizes::default()).await.unwrap();
        store.migrate().await.unwrap();
        let Store::Sqlite { write, .. } = &store else {
            panic!("opened as SQLite")
        };
        for id in 1..10_i64 {
            let enrolled_at = if id == UNREADABLE { i64::MAX } else { id };
            let insert = "INSERT INTO cards (card_id, member_id, public_key, enrolled_at, status) \
                          VALUES ($1, zeroblob(16), zeroblob(65), $2, 'active')";
            let insert = sqlx::query(insert).bind(id).bind(enrolled_at);
            insert.execute(write).await.unwrap();
        }
        store
    }

    #[tokio::test]
    async fn each_of_many_callers_gets_the_card_it_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let reads = CardReads::start(with_cards(&directory).await);
        // Card 10 was never enrolled.
        let asked = (1..=10_i64).cycle().take(200);
        let answers = asked.map(|id| {
            let reads = reads.clone();
            async move { (id, reads.card(CardId::new(id.cast_unsigned())).await) }
        });
        for (id, answer) in join_all(answers).await {
            match (id, answer) {
                (UNREADABLE, Err(StoreError::Corrupt(_))) | (10, Ok(None)) => {}
                (id, Ok(Some(card))) => assert_eq!(card.id.get(), id.cast_unsigned()),
                (id, other) => panic!("card {id}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_said_to_be() {
        let directory = tempfile::tempdir().unwrap();
        let store = with_cards(&directory).await;
        let reads = CardReads::start(store.clone());
        store.close().await;
        for _ in 0..2 {
            let answer = reads.card(CardId::new(1)).await;
            assert!(
                matches!(answer, Err(StoreError::Unavailable(_))),
                "{answer:?}"
            );
        }
    }
}
