//! What this gateway measures of its events on their way, for `/metrics`.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::store::OutboxStatus;

const WAITING: &str = "gateway_outbox_waiting_events";
const OLDEST: &str = "gateway_outbox_oldest_seconds";
const LEASE: &str = "gateway_relay_lease_held";
const CONNECTED: &str = "gateway_relay_connected";
const BLOCKED: &str = "gateway_relay_blocked";
const PARKED: &str = "gateway_relay_parked_events";
const IN_FLIGHT: &str = "gateway_relay_in_flight_events";
const PUBLISHED: &str = "gateway_relay_published_total";
const CONFIRMED: &str = "gateway_relay_confirmed_total";
const RETURNED: &str = "gateway_relay_returned_total";
const NACKED: &str = "gateway_relay_nacked_total";
const CONFIRM_SECONDS: &str = "gateway_relay_commit_to_confirm_seconds";

/// Says what each of them is.
pub(crate) fn describe() {
    let count = Unit::Count;
    describe_gauge!(
        WAITING,
        count,
        "Events the broker has not confirmed, of all gateways"
    );
    describe_gauge!(
        OLDEST,
        Unit::Seconds,
        "Age of the oldest event the broker has not confirmed; 0 if there is none. To alarm on"
    );
    describe_gauge!(
        LEASE,
        count,
        "1 while this gateway is the one that sends events"
    );
    describe_gauge!(
        CONNECTED,
        count,
        "1 while this gateway has a connection to the broker"
    );
    describe_gauge!(
        BLOCKED,
        count,
        "1 while the broker takes nothing: short of memory or disk"
    );
    describe_gauge!(
        PARKED,
        count,
        "Events the broker did not take, waiting to be sent again"
    );
    describe_gauge!(IN_FLIGHT, count, "Events sent and not confirmed yet");
    describe_counter!(PUBLISHED, count, "Events sent, each time they were");
    describe_counter!(CONFIRMED, count, "Events the broker confirmed");
    describe_counter!(
        RETURNED,
        count,
        "Events that came back because no queue takes them"
    );
    describe_counter!(NACKED, count, "Events the broker could not keep");
    describe_histogram!(
        CONFIRM_SECONDS,
        Unit::Seconds,
        "From the time of an event to its confirmation"
    );
}

/// What the database says of the outbox, `oldest` as an age.
pub(super) fn outbox(status: OutboxStatus, oldest: Duration) {
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float")]
    gauge!(WAITING).set(status.waiting as f64);
    gauge!(OLDEST).set(oldest.as_secs_f64());
}

pub(super) fn lease(held: bool) {
    gauge!(LEASE).set(f64::from(u8::from(held)));
}

pub(super) fn connected(up: bool) {
    gauge!(CONNECTED).set(f64::from(u8::from(up)));
}

pub(super) fn blocked(blocked: bool) {
    gauge!(BLOCKED).set(f64::from(u8::from(blocked)));
}

pub(super) fn window(in_flight: usize, parked: usize) {
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float")]
    let (in_flight, parked) = (in_flight as f64, parked as f64);
    gauge!(IN_FLIGHT).set(in_flight);
    gauge!(PARKED).set(parked);
}

pub(super) fn published() {
    counter!(PUBLISHED).increment(1);
}

pub(super) fn confirmed(age: Duration) {
    counter!(CONFIRMED).increment(1);
    histogram!(CONFIRM_SECONDS).record(age);
}

pub(super) fn returned() {
    counter!(RETURNED).increment(1);
}

pub(super) fn nacked() {
    counter!(NACKED).increment(1);
}
