//! How long the outbox is and how old, measured by every gateway, with a broker and without: what an
//! alarm needs most when the broker, or the gateway that should send, is gone.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::measures;
use crate::{
    clock::Clock,
    limits,
    store::{Store, StoreError},
};

/// Measures until `stop` is cancelled. Run it as a task.
pub async fn measure(store: Store, clock: Clock, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(Duration::from_secs(limits::OUTBOX_MEASURE_S));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let measured = tokio::select! {
            () = stop.cancelled() => return,
            measured = measure_once(&store, &clock) => measured,
        };
        if let Err(error) = measured {
            tracing::debug!(error = %error, "outbox.measure_failed");
        }
    }
}

async fn measure_once(store: &Store, clock: &Clock) -> Result<(), StoreError> {
    let status = store.outbox_status().await?;
    let age = status
        .oldest
        .map(|oldest| clock.now().duration_since(oldest));
    let age = age.and_then(|age| Duration::try_from(age).ok());
    measures::outbox(status, age.unwrap_or_default());
    Ok(())
}
