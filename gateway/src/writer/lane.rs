//! One lane: takes what is queued, runs it, answers all.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use ledger::decision::Answer;
use tokio::sync::mpsc;

use super::{Committed, Job, Tally, WriteError, WriterOptions, batch};
use crate::{
    clock,
    store::{Store, StoreError},
};

/// How often a batch that lost a race is run again as it is.
const CONFLICT_RETRIES_MAX: u32 = 8;
/// The first pause after a lost race; it doubles with every further one.
const CONFLICT_PAUSE: Duration = Duration::from_millis(2);
/// How long one batch may take before its connection is given up.
const BATCH_DEADLINE: Duration = Duration::from_secs(20);

pub(super) struct Lane {
    number: usize,
    store: Store,
    batch_commands_max: usize,
    committed: Committed,
    tally: Arc<Tally>,
}

impl Lane {
    pub(super) fn new(
        number: usize,
        store: Store,
        options: &WriterOptions,
        tally: Arc<Tally>,
    ) -> Self {
        Self {
            number,
            store,
            batch_commands_max: options.batch_commands_max.max(1),
            committed: options.committed.clone(),
            tally,
        }
    }

    /// Runs until every sender is gone and the queue is empty. Each batch is a task of its own: should
    /// one panic, its callers learn that their outcome is unknown, and the lane goes on.
    pub(super) async fn run(self: Arc<Self>, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(self.batch_commands_max);
        while queue.recv_many(&mut jobs, self.batch_commands_max).await > 0 {
            let started = clock::instant();
            self.tally.batches.fetch_add(1, Ordering::Relaxed);
            #[allow(clippy::cast_precision_loss, reason = "batches are small")]
            metrics::histogram!("gateway_writer_batch_commands").record(jobs.len() as f64);
            let (lane, batch) = (self.clone(), std::mem::take(&mut jobs));
            if let Err(error) = tokio::spawn(async move { lane.carry_out(batch).await }).await {
                self.tally.health.failed();
                tracing::error!(lane = self.number, error = %error, "writer.batch_panicked");
            }
            metrics::histogram!("gateway_writer_batch_seconds")
                .record(started.elapsed().as_secs_f64());
        }
        tracing::debug!(lane = self.number, "writer.lane_drained");
    }

    /// Gives every job its answer. If the database rejects the batch for one command's sake, each
    /// command runs alone, so that only the culprit fails.
    async fn carry_out(&self, jobs: Vec<Job>) {
        match self.run_with_retries(&jobs).await {
            Ok(answers) => {
                self.tally.health.succeeded();
                answer_all(jobs, answers);
            }
            Err(StoreError::Rejected(_) | StoreError::Corrupt(_) | StoreError::Conflict(_))
                if jobs.len() > 1 =>
            {
                metrics::counter!("gateway_writer_batches_split_total").increment(1);
                for job in jobs {
                    let alone = [job];
                    let outcome = self.run_with_retries(&alone).await;
                    let [job] = alone;
                    match outcome {
                        Ok(answers) => answer_all(vec![job], answers),
                        Err(error) => refuse_all(vec![job], &error),
                    }
                }
            }
            Err(error) => {
                if matches!(
                    error,
                    StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_)
                ) {
                    self.tally.health.failed();
                }
                refuse_all(jobs, &error);
            }
        }
    }

    async fn run_with_retries(
        &self,
        jobs: &[Job],
    ) -> Result<Vec<Result<Answer, WriteError>>, StoreError> {
        let mut pause = CONFLICT_PAUSE;
        for _ in 0..CONFLICT_RETRIES_MAX {
            match self.run_once(jobs).await {
                Err(StoreError::Conflict(what)) => {
                    metrics::counter!("gateway_writer_conflicts_total").increment(1);
                    tracing::debug!(lane = self.number, what, "writer.conflict");
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
                outcome => return outcome,
            }
        }
        self.run_once(jobs).await
    }

    async fn run_once(&self, jobs: &[Job]) -> Result<Vec<Result<Answer, WriteError>>, StoreError> {
        let done = match tokio::time::timeout(
            BATCH_DEADLINE,
            batch::run(&self.store, &self.tally.families, jobs),
        )
        .await
        {
            Ok(outcome) => outcome?,
            // Where in the batch it hung is not known; it may have been the commit.
            Err(_) => return Err(StoreError::OutcomeUnknown("the batch took too long".into())),
        };
        if !done.members.is_empty() {
            (self.committed)(&done.members);
        }
        Ok(done.answers)
    }
}

fn answer_all(jobs: Vec<Job>, answers: Vec<Result<Answer, WriteError>>) {
    for (job, answer) in jobs.into_iter().zip(answers) {
        // A caller that went away asks again under its request id.
        let _ = job.reply.send(answer);
    }
}

fn refuse_all(jobs: Vec<Job>, error: &StoreError) {
    let refusal = match error {
        StoreError::OutcomeUnknown(what) => WriteError::OutcomeUnknown(what.clone()),
        StoreError::Rejected(what) | StoreError::Corrupt(what) => WriteError::Fault(what.clone()),
        other => WriteError::Unavailable(other.to_string()),
    };
    tracing::error!(commands = jobs.len(), error = %error, "writer.batch_failed");
    metrics::counter!("gateway_writer_batches_failed_total").increment(1);
    for job in jobs {
        let _ = job.reply.send(Err(refusal.clone()));
    }
}
