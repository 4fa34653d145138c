//! Which members are being watched, and waking their streams when something happened.
//!
//! A phone and a till may hang on different gateways. So each gateway asks the store for the newest
//! event numbers of all members watched here, once for all of them; and what this gateway's own
//! writer commits wakes its streams at once. A wake-up only makes a stream look: what it then reads
//! is the truth, so a wake-up too many does no harm, and one too few is mended by the next look.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::select_all;
use pos_protocol::MemberId;
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{
    metrics::Open,
    problem::{Problem, ProblemKind},
};
use crate::{
    limits,
    store::{Store, StoreError},
    writer::Committed,
};

/// The streams of one gateway. Cheap to clone.
#[derive(Clone, Default)]
pub struct StreamHub(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    members: HashMap<MemberId, Member>,
    streams: usize,
}

impl Watched {
    /// Forgets a member whom nobody watches.
    fn forget(&mut self, id: MemberId) {
        let idle = |member: &Member| member.streams == 0 && member.others == 0;
        if self.members.get(&id).is_some_and(idle) {
            self.members.remove(&id);
        }
    }
}

struct Member {
    /// Streams of the member's own cards.
    streams: usize,
    /// Streams of cards of other records of the same person.
    others: usize,
    /// The newest event number seen by any stream or look.
    newest: watch::Sender<i64>,
}

impl StreamHub {
    /// A hub that nobody watches.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to give the writer, so that it wakes the streams of the members it committed.
    #[must_use]
    pub fn committed(&self) -> Committed {
        let hub = self.clone();
        Arc::new(move |members| hub.wake(members))
    }

    fn wake(&self, members: &[MemberId]) {
        let watched = self.watched();
        if watched.streams == 0 {
            return;
        }
        for id in members {
            if let Some(member) = watched.members.get(id) {
                member.newest.send_modify(|_| {});
            }
        }
    }

    /// Begins to watch a member.
    ///
    /// # Errors
    /// A problem if too many streams are open, here or for this member.
    pub(super) fn watch(&self, member_id: MemberId) -> Result<Watching, Problem> {
        let mut watched = self.watched();
        let refused = |detail: &'static str| Err(Problem::new(ProblemKind::Overloaded, detail));
        if watched.streams >= limits::STREAMS_MAX {
            return refused("This gateway has too many streams open.");
        }
        let member = watched.members.entry(member_id).or_insert_with(|| Member {
            streams: 0,
            others: 0,
            newest: watch::Sender::new(0),
        });
        if member.streams >= limits::STREAMS_PER_MEMBER_MAX {
            return refused("This member has too many streams open.");
        }
        member.streams = member.streams.saturating_add(1);
        let woken = member.newest.subscribe();
        watched.streams = watched.streams.saturating_add(1);
        Ok(Watching {
            hub: self.clone(),
            member_id,
            woken,
            others: BTreeMap::new(),
            _open: Open::stream(),
        })
    }

    fn also(&self, record: MemberId) -> watch::Receiver<i64> {
        let mut watched = self.watched();
        let member = watched.members.entry(record).or_insert_with(|| Member {
            streams: 0,
            others: 0,
            newest: watch::Sender::new(0),
        });
        member.others = member.others.saturating_add(1);
        member.newest.subscribe()
    }

    fn no_longer(&self, record: MemberId) {
        let mut watched = self.watched();
        if let Some(member) = watched.members.get_mut(&record) {
            member.others = member.others.saturating_sub(1);
        }
        watched.forget(record);
    }

    fn leave(&self, member_id: MemberId) {
        let mut watched = self.watched();
        watched.streams = watched.streams.saturating_sub(1);
        if let Some(member) = watched.members.get_mut(&member_id) {
            member.streams = member.streams.saturating_sub(1);
        }
        watched.forget(member_id);
    }

    /// Asks the store every [`limits::STREAM_POLL_MS`] for news of the members watched here.
    pub(super) async fn poll(&self, store: &Store, shutdown: &CancellationToken) {
        let mut ticks = tokio::time::interval(Duration::from_millis(limits::STREAM_POLL_MS));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.look(store).await {
                tracing::debug!(error = %error, "streams.look_failed");
            }
        }
    }

    async fn look(&self, store: &Store) -> Result<(), StoreError> {
        let members: Vec<_> = self.watched().members.keys().copied().collect();
        if members.is_empty() {
            return Ok(());
        }
        let newest = store.event_sequences(&members).await?;
        let watched = self.watched();
        for (id, sequence) in newest {
            if let Some(member) = watched.members.get(&id) {
                member.newest.send_if_modified(|known| {
                    let news = sequence > *known;
                    *known = sequence.max(*known);
                    news
                });
            }
        }
        Ok(())
    }

    /// Streams open on this gateway.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.watched().streams
    }
}

impl fmt::Debug for StreamHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamHub")
            .field("streams", &self.streams())
            .finish_non_exhaustive()
    }
}

/// One stream's place in the hub; given up when dropped.
pub(super) struct Watching {
    hub: StreamHub,
    member_id: MemberId,
    woken: watch::Receiver<i64>,
    /// Other records of the same person.
    others: BTreeMap<MemberId, watch::Receiver<i64>>,
    _open: Open,
}

impl Watching {
    /// Comes back when there may be news since the last time.
    pub(super) async fn news(&mut self) {
        // The senders live as long as this place is taken.
        let all = std::iter::once(&mut self.woken).chain(self.others.values_mut());
        let any = all.map(|woken| Box::pin(woken.changed()));
        let _ = select_all(any).await;
    }

    /// Watches these records of the person too, and no others.
    pub(super) fn regroup(&mut self, records: impl IntoIterator<Item = MemberId>) {
        let mut gone = std::mem::take(&mut self.others);
        for record in records {
            if record == self.member_id {
                continue;
            }
            let kept = gone.remove(&record);
            let woken = kept.unwrap_or_else(|| self.hub.also(record));
            self.others.insert(record, woken);
        }
        gone.into_keys()
            .for_each(|record| self.hub.no_longer(record));
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.regroup([]);
        self.hub.leave(self.member_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[tokio::test]
    async fn only_the_streams_of_the_member_wake() {
        let hub = StreamHub::new();
        let (a, b) = (
            MemberId::new(Uuid::from_u128(1)),
            MemberId::new(Uuid::from_u128(2)),
        );
        let (mut of_a, of_b) = (hub.watch(a).unwrap(), hub.watch(b).unwrap());
        hub.committed()(&[a]);
        of_a.news().await;
        assert!(!of_b.woken.has_changed().unwrap());
        assert!(!of_a.woken.has_changed().unwrap());
    }

    #[tokio::test]
    async fn a_stream_wakes_for_every_record_of_its_person() {
        let hub = StreamHub::new();
        let [a, b, c] = [1, 2, 3].map(|id| MemberId::new(Uuid::from_u128(id)));
        let mut of_a = hub.watch(a).unwrap();
        of_a.regroup([a, b, c]);
        for record in [b, a, c] {
            hub.committed()(&[record]);
            of_a.news().await;
        }
        of_a.regroup([a, c]);
        assert_eq!(hub.watched().members.len(), 2);
        drop(of_a);
        assert!(hub.watched().members.is_empty());
    }

    #[test]
    fn places_are_bounded_and_given_back() {
        let hub = StreamHub::new();
        let member = MemberId::new(Uuid::from_u128(1));
        let places: Vec<_> = (0..limits::STREAMS_PER_MEMBER_MAX)
            .map(|_| hub.watch(member).unwrap())
            .collect();
        assert!(hub.watch(member).is_err());
        drop(places);
        assert_eq!(hub.streams(), 0);
        assert!(hub.watched().members.is_empty());
        hub.watch(member).unwrap();
    }
}
