//! The worker: takes messages out of the inbox and settles them.
//!
//! Only the gateway with the lease does this; another takes over within seconds. The lease saves work and
//! nothing else: two workers at once would book the same twice, which the ledger takes for once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::SignedDuration;
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Intake, booking::Booking, cube::Cubes, measures};
use crate::{
    clock::{self, Clock},
    limits,
    outbox::LeaseWatch,
    secrets::Secrets,
    store::{Fate, LeaseName, Store, StoreError},
    writer::Writer,
};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The worker's parts.
#[derive(Clone)]
pub struct Worker {
    store: Store,
    clock: Clock,
    booking: Booking,
    cubes: Cubes,
    woken: Arc<Notify>,
}

impl Worker {
    /// A worker for the inbox of `store`.
    #[must_use]
    pub fn new(
        store: Store,
        writer: Writer,
        clock: Clock,
        secrets: Arc<Secrets>,
        intake: &Intake,
    ) -> Self {
        let cubes = Cubes::new(store.clone(), clock.clone(), secrets.clone());
        let parts = (store.clone(), writer, clock.clone());
        Self {
            booking: Booking::new(parts, secrets, intake.shops().clone(), cubes.clone()),
            cubes,
            woken: intake.woken(),
            store,
            clock,
        }
    }

    /// Works until `stop` is cancelled, then gives the lease back. Run it as a task.
    pub async fn run(self, stop: CancellationToken) {
        let holder = self.clock.new_id();
        loop {
            measures::lease(false);
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.contend(holder) => {}
            }
            tracing::info!("intake.lease_taken");
            measures::lease(true);
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                () = self.beat(holder) => false,
                () = self.work() => false,
                () = self.look_after() => false,
            };
            measures::lease(false);
            if stopped {
                let released = self.store.release_lease(LeaseName::Intake, holder);
                let grace = ms(limits::INTAKE_RELEASE_TIMEOUT_MS);
                let _ = tokio::time::timeout(grace, released).await;
                return;
            }
            tracing::warn!("intake.lease_lost");
        }
    }

    /// Waits for the lease.
    async fn contend(&self, holder: Uuid) {
        let mut watch = LeaseWatch::default();
        loop {
            match self.look(&mut watch, holder).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::debug!(error = %error, "intake.look_failed"),
            }
            tokio::time::sleep(ms(limits::RELAY_CONTEND_MS)).await;
        }
    }

    async fn look(&self, watch: &mut LeaseWatch, holder: Uuid) -> Result<bool, StoreError> {
        let asked = clock::instant();
        let lease = self.store.lease(LeaseName::Intake).await?;
        if !watch.may_take(lease, holder, asked, clock::instant()) {
            return Ok(false);
        }
        let name = LeaseName::Intake;
        let taken = self.store.take_lease(name, lease.beat, holder).await?;
        Ok(taken.is_some())
    }

    /// Shows that the lease is held; comes back when it is not any more.
    async fn beat(&self, holder: Uuid) {
        loop {
            tokio::time::sleep(ms(limits::RELAY_BEAT_MS)).await;
            match self.store.beat_lease(LeaseName::Intake, holder).await {
                Ok(true) => {}
                Ok(false) => return,
                // Nothing can be booked either.
                Err(error) => tracing::debug!(error = %error, "intake.beat_failed"),
            }
        }
    }

    /// Removes what was settled long ago, and asks shops for what they did not tell.
    async fn look_after(&self) {
        loop {
            if let Err(error) = self.prune().await {
                tracing::warn!(error = %error, "inbox.prune_failed");
            }
            if let Err(error) = self.cubes.poll().await {
                tracing::warn!(error = %error, "intake.poll_failed");
            }
            tokio::time::sleep(Duration::from_secs(limits::INTAKE_UPKEEP_S)).await;
        }
    }

    async fn prune(&self) -> Result<(), StoreError> {
        let keep = SignedDuration::from_hours(24 * limits::INBOX_KEEP_DAYS);
        let now = self.clock.now();
        let before = now.checked_sub(keep).unwrap_or(now);
        while self
            .store
            .inbox_prune(before, limits::INBOX_PRUNE_ROWS)
            .await?
            > 0
        {}
        Ok(())
    }

    /// Takes messages and settles them, for ever.
    async fn work(&self) {
        let mut shift = Shift::default();
        loop {
            let full = match shift.take(self).await {
                Ok(full) => full,
                Err(error) => {
                    tracing::warn!(error = %error, "inbox.not_read");
                    false
                }
            };
            tokio::select! {
                Some(ended) = shift.tasks.join_next_with_id(), if !shift.tasks.is_empty() => {
                    shift.ended(ended);
                    while let Some(ended) = shift.tasks.try_join_next_with_id() {
                        shift.ended(ended);
                    }
                }
                () = self.woken.notified(), if !full => {}
                () = tokio::time::sleep(ms(limits::INTAKE_POLL_MS)) => {}
            }
            shift.settle(self).await;
        }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

type Ended = Result<(tokio::task::Id, (Uuid, Fate)), tokio::task::JoinError>;

/// What is in the works.
#[derive(Default)]
struct Shift {
    tasks: JoinSet<(Uuid, Fate)>,
    /// Which message each task is about.
    about: BTreeMap<tokio::task::Id, Uuid>,
    /// Messages in the works, or settled and not written yet.
    taken: BTreeSet<Uuid>,
    settled: Vec<(Uuid, Fate)>,
}

impl Shift {
    /// Takes what there is room for; whether there was no room for all.
    async fn take(&mut self, worker: &Worker) -> Result<bool, StoreError> {
        let room = limits::INTAKE_IN_FLIGHT_MAX.saturating_sub(self.taken.len());
        // Not one by one: each look has its price.
        if room < limits::INTAKE_IN_FLIGHT_MAX / 2 && !self.taken.is_empty() {
            return Ok(true);
        }
        let limit = self.taken.len().saturating_add(room);
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let due = worker.store.inbox_due(worker.clock.now(), limit).await?;
        let drained = due.len() < usize::try_from(limit).unwrap_or(usize::MAX);
        let new: Vec<Uuid> = due
            .into_iter()
            .filter(|id| !self.taken.contains(id))
            .collect();
        for mut message in worker.store.inbox_messages(&new).await? {
            let booking = worker.booking.clone();
            let id = message.id;
            self.taken.insert(id);
            let task = self
                .tasks
                .spawn(async move { (message.id, booking.fate(&mut message).await) });
            self.about.insert(task.id(), id);
        }
        Ok(!drained)
    }

    fn ended(&mut self, ended: Ended) {
        match ended {
            Ok((task, (id, fate))) => {
                self.about.remove(&task);
                measures::message(&fate);
                tell(id, &fate);
                self.settled.push((id, fate));
            }
            Err(error) => {
                // A defect; the same would happen again.
                let id = self.about.remove(&error.id());
                tracing::error!(message.id = ?id, error = %error, "intake.broke");
                if let Some(id) = id {
                    let fate = Fate::Dead("working on it broke; see the log".to_owned());
                    self.settled.push((id, fate));
                }
            }
        }
    }

    async fn settle(&mut self, worker: &Worker) {
        if self.settled.is_empty() {
            return;
        }
        let now = worker.clock.now();
        match worker.store.inbox_settle(&self.settled, now).await {
            Ok(()) => {
                for (id, _) in self.settled.drain(..) {
                    self.taken.remove(&id);
                }
            }
            // They stay taken, and are written with the next ones.
            Err(error) => tracing::warn!(error = %error, "inbox.not_settled"),
        }
    }
}

fn tell(id: Uuid, fate: &Fate) {
    match fate {
        Fate::Dead(why) => tracing::warn!(message.id = %id, why, "inbox.dead"),
        Fate::Again(why, at) => {
            tracing::debug!(message.id = %id, why, message.next_at = %at, "inbox.again");
        }
        Fate::Done | Fate::Ignored(_) | Fate::Later(_) => {}
    }
}
