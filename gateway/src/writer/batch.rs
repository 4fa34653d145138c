//! One batch: lock, load, decide each, write, commit.

use std::collections::BTreeSet;

use ledger::{
    command::{Command, Operation},
    decide,
    decision::Answer,
    keys::Keys,
    state::{Changes, InForce, State},
};
use pos_protocol::MemberId;

use super::{Job, WriteError, families::Families};
use crate::store::{Batch, Store, StoreError};

/// How often a batch starts over because its rows led to members it had not locked.
const LOCK_ROUNDS_MAX: u32 = 4;

/// What a committed batch leaves.
pub(super) struct Done {
    /// One for each job, in order.
    pub(super) answers: Vec<Result<Answer, WriteError>>,
    /// Members whose rows changed.
    pub(super) members: Vec<MemberId>,
}

/// Runs all jobs in one transaction. On an error nothing was written, unless the error says that the
/// outcome is unknown.
pub(super) async fn run(
    store: &Store,
    families: &Families,
    jobs: &[Job],
) -> Result<Done, StoreError> {
    let mut keys = Keys::default();
    for job in jobs {
        keys.add(&job.command, job.arrived_at);
        keys.members.extend(job.member_hint);
    }
    let members = families.with_theirs(&keys.members);
    let fallback = first_programme(jobs);
    let (mut batch, mut state) = lock_and_load(store, keys, members, fallback).await?;
    let mut changes = Changes::default();
    let answers = jobs
        .iter()
        .map(|job| fold(&mut state, &mut changes, job))
        .collect();
    if changes.is_empty() {
        batch.rollback().await?;
        return Ok(Done {
            answers,
            members: Vec::new(),
        });
    }
    batch.write(&changes).await?;
    batch.commit().await?;
    families.remember(&state.members);
    Ok(Done {
        answers,
        members: changes.members.into_keys().collect(),
    })
}

/// Locks every member the commands touch, then reads. Which members those are is only certain after
/// reading; if the rows lead further, all is let go and locked again, so that locks are always taken
/// in sorted order.
async fn lock_and_load(
    store: &Store,
    keys: Keys,
    mut members: BTreeSet<MemberId>,
    fallback: Option<InForce>,
) -> Result<(Batch, State), StoreError> {
    for _ in 0..LOCK_ROUNDS_MAX {
        let mut batch = store.begin(&members).await?;
        let mut wanted = keys.clone();
        wanted.members.clone_from(&members);
        let state = batch.load_or(&mut wanted, fallback.clone()).await?;
        let unlocked = batch.unlocked(&state);
        if unlocked.is_empty() {
            return Ok((batch, state));
        }
        metrics::counter!("gateway_writer_lock_rounds_total").increment(1);
        batch.rollback().await?;
        members.extend(unlocked);
    }
    Err(StoreError::Conflict(
        "the members of a batch kept changing".into(),
    ))
}

/// Where no programme is in force yet, the one that a command wants to put in force serves to read
/// the calendar by. Version 0 says that it is not in force.
fn first_programme(jobs: &[Job]) -> Option<InForce> {
    jobs.iter().find_map(|job| match &job.command.operation {
        Operation::ActivateProgramme(activation) => Some(InForce {
            programme: activation.programme.clone(),
            version: 0,
        }),
        _ => None,
    })
}

/// Decides one job on top of those before it.
fn fold(state: &mut State, changes: &mut Changes, job: &Job) -> Result<Answer, WriteError> {
    let Job {
        command,
        arrived_at,
        ..
    } = job;
    if state.in_force.version == 0 && !is_activation(command) {
        return Err(WriteError::Unavailable(StoreError::NoProgramme.to_string()));
    }
    let decision = decide(state, command, *arrived_at);
    if let Answer::Fault(what) = decision.answer {
        tracing::error!(command = %command.id, what, "ledger.fault");
        return Err(WriteError::Fault(what.to_owned()));
    }
    state.apply(&decision.changes);
    changes.absorb(decision.changes);
    Ok(decision.answer)
}

fn is_activation(command: &Command) -> bool {
    matches!(command.operation, Operation::ActivateProgramme(_))
}
