//! What the intake measures, for `/metrics`.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    limits,
    store::{Fate, Store, StoreError},
};

const WEBHOOKS: &str = "gateway_ec_webhooks_total";
const MESSAGES: &str = "gateway_ec_messages_total";
const WAITING: &str = "gateway_ec_inbox_waiting";
const DEAD: &str = "gateway_ec_inbox_dead";
const OLDEST: &str = "gateway_ec_inbox_oldest_seconds";
const LEASE: &str = "gateway_ec_intake_lease";

/// Says what each measure means.
pub(crate) fn describe() {
    describe_counter!(
        WEBHOOKS,
        Unit::Count,
        "Webhooks of EC shops, by platform and outcome"
    );
    describe_counter!(
        MESSAGES,
        Unit::Count,
        "Messages of EC shops that were worked on, by what became of them"
    );
    describe_gauge!(
        WAITING,
        Unit::Count,
        "Messages of EC shops that wait to be booked"
    );
    describe_gauge!(
        DEAD,
        Unit::Count,
        "Messages of EC shops that people have to look at"
    );
    describe_gauge!(
        OLDEST,
        Unit::Seconds,
        "Age of the oldest message that waits to be booked"
    );
    describe_gauge!(
        LEASE,
        Unit::Count,
        "Whether this gateway books what EC shops send"
    );
}

pub(crate) fn webhook(platform: &'static str, outcome: &'static str) {
    counter!(WEBHOOKS, "platform" => platform, "outcome" => outcome).increment(1);
}

pub(super) fn message(fate: &Fate) {
    let fate = match fate {
        Fate::Done => "done",
        Fate::Ignored(_) => "ignored",
        Fate::Again(..) => "again",
        Fate::Later(_) => return,
        Fate::Dead(_) => "dead",
    };
    counter!(MESSAGES, "fate" => fate).increment(1);
}

pub(super) fn lease(held: bool) {
    gauge!(LEASE).set(if held { 1.0 } else { 0.0 });
}

/// Measures the inbox until `stop` is cancelled, on every gateway. Run it as a task.
pub async fn measure(store: Store, clock: Clock, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(Duration::from_secs(limits::INTAKE_MEASURE_S));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = measure_once(&store, &clock).await {
            tracing::debug!(error = %error, "inbox.measure_failed");
        }
    }
}

async fn measure_once(store: &Store, clock: &Clock) -> Result<(), StoreError> {
    let status = store.inbox_status().await?;
    let count = |rows: i64| f64::from(i32::try_from(rows).unwrap_or(i32::MAX));
    gauge!(WAITING).set(count(status.waiting));
    gauge!(DEAD).set(count(status.dead));
    let age = status
        .oldest
        .map(|oldest| clock.now().duration_since(oldest));
    gauge!(OLDEST).set(age.map_or(0.0, |age| age.as_secs_f64().max(0.0)));
    Ok(())
}
