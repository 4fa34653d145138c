//! One transaction of the relay, from its plan to what it brought.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use crate::{
    limits,
    store::{Placed, RelayTurn, Store, StoreError, Term},
};

/// What a transaction brought.
pub(super) enum Turned {
    /// There was nothing to write, and whether there is nothing in the outbox either.
    Nothing { drained: bool },
    /// The lease is held. Events that may be sent, and whether there are no more in the outbox.
    Placed {
        term: Term,
        placed: Vec<Placed>,
        drained: bool,
    },
    /// The lease is gone.
    Lost,
}

/// A transaction on its way.
pub(super) struct Turn {
    pub(super) began: Instant,
    /// What it removes.
    pub(super) confirmed: Vec<i64>,
    pub(super) future: BoxFuture<'static, Result<Turned, StoreError>>,
}

/// What a transaction brings, once it does; for ever if there is none.
pub(super) async fn turned(turn: &mut Option<Turn>) -> Result<Turned, StoreError> {
    match turn {
        Some(turn) => (&mut turn.future).await,
        None => std::future::pending().await,
    }
}

/// What to do in a transaction.
pub(super) struct Plan {
    /// Events to take on, at most.
    pub(super) limit: usize,
    /// Those after this position.
    pub(super) after: i64,
    /// Positions to remove.
    pub(super) confirmed: Vec<i64>,
    /// Show that the lease is held, even if there is nothing else to write.
    pub(super) beat: bool,
}

/// Looks at the outbox and writes what there is to write, if anything.
pub(super) async fn take_turn(store: Store, term: Term, plan: Plan) -> Result<Turned, StoreError> {
    let mut waiting = Vec::new();
    if plan.limit > 0 {
        let limit = u32::try_from(plan.limit).unwrap_or(u32::MAX);
        waiting = store.relay_waiting(limit, plan.after).await?;
    }
    let drained = waiting.len() < plan.limit;
    if waiting.is_empty() && plan.confirmed.is_empty() && !plan.beat {
        return Ok(Turned::Nothing { drained });
    }
    let turn = RelayTurn {
        confirmed: plan.confirmed,
        waiting,
    };
    let outcome = store.relay_turn(term, turn).await?;
    Ok(
        outcome.map_or(Turned::Lost, |(term, placed)| Turned::Placed {
            term,
            placed,
            drained,
        }),
    )
}

/// Finds out where to go on.
pub(super) async fn resume(store: Store, term: Term) -> Result<Turned, StoreError> {
    let outcome = store.relay_resume(term).await?;
    Ok(outcome.map_or(Turned::Lost, |resumed| Turned::Placed {
        term: resumed.term,
        placed: resumed.placed,
        drained: false,
    }))
}

/// Not for ever: a database that froze answers nothing.
pub(super) async fn within<T>(
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let limit = Duration::from_millis(limits::RELAY_TURN_TIMEOUT_MS);
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(StoreError::Unavailable("no answer in time".into())),
    }
}
