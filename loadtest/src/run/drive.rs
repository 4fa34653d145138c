//! The two loops. Open: errands begin at their times, whatever the gateway does. Closed: so many
//! callers, each of whom begins the next errand when the last is done.

use std::{
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

use super::visit::{Ground, Visit};
use crate::{clock, wire::Wire};

/// How errands begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// So many a second, evenly.
    Open(NonZeroU32),
    /// As many as so many callers can carry out.
    Closed(usize),
}

/// When errand number `number` is due, counted from the beginning.
#[must_use]
pub fn due(number: u64, per_s: NonZeroU32) -> Duration {
    let nanos = u128::from(number) * 1_000_000_000 / u128::from(per_s.get());
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Connections: made when they are needed, up to a limit, and kept.
#[derive(Debug)]
pub struct Connections {
    idle: Mutex<Vec<Wire>>,
    free: Semaphore,
}

impl Connections {
    /// None yet, and never more than so many at once.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            idle: Mutex::default(),
            free: Semaphore::new(max.min(Semaphore::MAX_PERMITS)),
        }
    }

    /// How many were made and are kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    fn take(&self, ground: &Ground) -> Wire {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.unwrap_or_else(|| Wire::new(ground.place()))
    }

    fn give(&self, wire: Wire) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(wire);
    }
}

/// Begins every errand at its time, and returns when the last is done. The pace is kept by a thread of
/// its own that sleeps until each time: a runtime's timer is too coarse for thousands a second.
///
/// # Errors
/// If a message cannot be written.
pub async fn open(
    ground: Arc<Ground>,
    connections: Arc<Connections>,
    visits: Vec<Visit>,
    per_s: NonZeroU32,
) -> anyhow::Result<()> {
    let (failed, mut failures) = mpsc::channel(1);
    let runtime = tokio::runtime::Handle::current();
    let begun = clock::instant();
    let pacing = tokio::task::spawn_blocking(move || {
        for (number, visit) in (0..).zip(visits) {
            let due = begun + due(number, per_s);
            sleep_until(due);
            let errand = at_its_time(ground.clone(), connections.clone(), visit, (due, begun));
            let failed = failed.clone();
            runtime.spawn(async move {
                if let Err(error) = errand.await {
                    // Only the first is told.
                    failed.try_send(error).ok();
                }
            });
        }
    });
    pacing.await?;
    // Ends when the last errand has dropped its end.
    match failures.recv().await {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "on a thread of its own, where nothing else waits to run"
)]
fn sleep_until(due: Instant) {
    let wait = due.saturating_duration_since(clock::instant());
    if !wait.is_zero() {
        std::thread::sleep(wait);
    }
}

async fn at_its_time(
    ground: Arc<Ground>,
    connections: Arc<Connections>,
    visit: Visit,
    (due, begun): (Instant, Instant),
) -> anyhow::Result<()> {
    let late = clock::instant().saturating_duration_since(due);
    let waits = connections.free.available_permits() == 0;
    let permit = connections.free.acquire().await?;
    ground.note(|record| record.begun(Some(late), waits));
    let mut wire = connections.take(&ground);
    let done = ground.carry_out(visit, &mut wire, due, begun).await;
    connections.give(wire);
    drop(permit);
    done
}

/// Lets so many callers carry out errands until there are no more, or `lasting` is over.
///
/// # Errors
/// If a message cannot be written.
pub async fn closed(
    ground: Arc<Ground>,
    connections: Arc<Connections>,
    visits: Vec<Visit>,
    concurrency: usize,
    lasting: Duration,
) -> anyhow::Result<()> {
    let visits: Vec<_> = visits
        .into_iter()
        .map(|visit| Mutex::new(Some(visit)))
        .collect();
    let (visits, next) = (Arc::new(visits), Arc::new(AtomicUsize::new(0)));
    let begun = clock::instant();
    let mut callers = JoinSet::new();
    for _ in 0..concurrency {
        let (ground, connections) = (ground.clone(), connections.clone());
        let (visits, next) = (visits.clone(), next.clone());
        callers.spawn(async move {
            let mut wire = connections.take(&ground);
            loop {
                let now = clock::instant();
                let number = next.fetch_add(1, Ordering::Relaxed);
                let visit = visits
                    .get(number)
                    .and_then(|visit| visit.lock().unwrap_or_else(PoisonError::into_inner).take());
                let (Some(visit), true) = (visit, now.saturating_duration_since(begun) < lasting)
                else {
                    connections.give(wire);
                    return anyhow::Ok(());
                };
                ground.note(|record| record.begun(None, false));
                ground.carry_out(visit, &mut wire, now, begun).await?;
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_rate_has_even_gaps_and_loses_nothing_over_time() {
        let per_s = NonZeroU32::new(3).unwrap();
        let gaps: Vec<_> = (0..4).map(|number| due(number, per_s).as_nanos()).collect();
        assert_eq!(gaps, [0, 333_333_333, 666_666_666, 1_000_000_000]);
        let per_s = NonZeroU32::new(7_000).unwrap();
        assert_eq!(due(7_000 * 86_400, per_s), Duration::from_secs(86_400));
        assert_eq!(
            due(u64::MAX, NonZeroU32::MIN).as_nanos(),
            u128::from(u64::MAX)
        );
    }
}
