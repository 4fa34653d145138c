//! What can be wrong with the broker, and with events on their way to it.

use jiff::{SignedDuration, Timestamp};

use super::{Finding, Grade, finding, good};
use crate::{
    limits,
    outbox::{Broker, BrokerError, EXCHANGE, Publisher, QUEUE},
    store::OutboxStatus,
};

/// Without a broker events may wait for ever.
pub(super) fn waiting(outbox: OutboxStatus, has_broker: bool, now: Timestamp) -> Finding {
    let found = format!("{} wait for the broker", outbox.waiting);
    let age = outbox.oldest.map(|oldest| now.duration_since(oldest));
    let age = age.filter(|age| *age > SignedDuration::from_secs(limits::OUTBOX_AGE_ALARM_S));
    match age {
        Some(age) if has_broker => finding(
            Grade::Warning,
            "events",
            format!("{found}, the oldest for {} minutes", age.as_mins()),
            "see that a gateway runs with --amqp-url, and look for broker.* and relay.* in its log",
        ),
        _ => good("events", found),
    }
}

/// Signs in and looks at exchange and queues; changes nothing and sends nothing.
pub(super) async fn examine(broker: &Broker) -> Vec<Finding> {
    let fault = |error: BrokerError| {
        let advice = match error {
            BrokerError::Refused(_) => {
                "see that user, password and virtual host are right and the user has rights on it; with amqps:// also the certificate, its name and --amqp-ca"
            }
            _ => "see that the broker runs, and that host and port are right",
        };
        vec![finding(
            Grade::Fault,
            "broker",
            format!("{broker}: {error}"),
            advice,
        )]
    };
    let publisher = match Publisher::connect(broker).await {
        Ok(publisher) => publisher,
        Err(error) => return fault(error),
    };
    let mut findings = vec![good(
        "broker",
        format!("{broker}: signed in, confirms messages"),
    )];
    match publisher.inspect().await {
        Ok(declared) if declared.remarks.is_empty() => findings.push(good(
            "queues",
            format!("{EXCHANGE} and {QUEUE} are as a gateway makes them"),
        )),
        Ok(declared) => {
            let advice = "fine if somebody meant it so (docs/relay.md)";
            let remarks = declared.remarks.into_iter();
            findings.extend(remarks.map(|text| finding(Grade::Warning, "queues", text, advice)));
        }
        Err(error) => findings.extend(fault(error)),
    }
    publisher.close().await;
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_wait_long_are_a_warning_where_there_is_a_broker() {
        let now = Timestamp::UNIX_EPOCH;
        let old = now - SignedDuration::from_secs(limits::OUTBOX_AGE_ALARM_S + 1);
        let outbox = |oldest| OutboxStatus { waiting: 1, oldest };
        assert_eq!(waiting(outbox(Some(old)), true, now).grade, Grade::Warning);
        assert_eq!(waiting(outbox(Some(old)), false, now).grade, Grade::Good);
        assert_eq!(waiting(outbox(Some(now)), true, now).grade, Grade::Good);
        assert_eq!(waiting(outbox(None), true, now).grade, Grade::Good);
    }
}
