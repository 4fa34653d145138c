//! Events as others read them: CloudEvents 1.0, structured JSON.
//!
//! A message holds an event in [`EVENT_MESSAGE_BYTES_MAX`](crate::limits::EVENT_MESSAGE_BYTES_MAX).
//! A receipt can be larger. It is then sent without its lines: `data.receipt.lines_left_out` says how
//! many there are, and the attribute `dataref` says where the whole event is to be had.

use jiff::Timestamp;
use member_card::ProgrammeId;
use pos_protocol::{EventId, MemberId};
use serde::Serialize;
use serde_json::Value;

use crate::{
    limits::{EVENT_ATTRIBUTES_BYTES_MAX, EVENT_MESSAGE_BYTES_MAX},
    store::StoredEvent,
};

/// The media type of an event on its own.
pub const CLOUD_EVENT_JSON: &str = "application/cloudevents+json; charset=utf-8";

/// An event in the form of CloudEvents 1.0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CloudEvent {
    specversion: &'static str,
    id: EventId,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: Timestamp,
    datacontenttype: &'static str,
    /// Extension "dataref": where the whole event is to be had, if this is not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    dataref: Option<String>,
    /// Extension "partitioning": events of one member belong in one order.
    #[serde(skip_serializing_if = "Option::is_none")]
    partitionkey: Option<MemberId>,
    /// The event's place among its member's, from 1 without a gap. A text, because a CloudEvents
    /// Integer has 32 bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    membersequence: Option<String>,
    /// The event's place among all, from 1 without a gap, once it has one: it is given just before
    /// the event is first sent, and is the same ever after.
    #[serde(skip_serializing_if = "Option::is_none")]
    streamsequence: Option<String>,
    data: Value,
}

impl CloudEvent {
    /// The event as the gateway of `programme` sends it: small enough for a message.
    ///
    /// # Errors
    /// If the stored data is no JSON, which this program never writes.
    pub fn new(event: StoredEvent, programme: &ProgrammeId) -> Result<Self, serde_json::Error> {
        let surely_fits =
            event.data.len().saturating_add(EVENT_ATTRIBUTES_BYTES_MAX) <= EVENT_MESSAGE_BYTES_MAX;
        let whole = Self::whole(event, programme)?;
        if surely_fits || serde_json::to_vec(&whole)?.len() <= EVENT_MESSAGE_BYTES_MAX {
            Ok(whole)
        } else {
            Ok(whole.without_lines())
        }
    }

    /// The whole event, however large.
    ///
    /// # Errors
    /// If the stored data is no JSON, which this program never writes.
    pub fn whole(event: StoredEvent, programme: &ProgrammeId) -> Result<Self, serde_json::Error> {
        let sequence = event.member_sequence;
        Ok(Self {
            specversion: "1.0",
            id: event.id,
            source: format!("urn:point-gateway:{programme}"),
            kind: event.kind,
            subject: event.subject,
            time: event.at,
            datacontenttype: "application/json",
            dataref: None,
            partitionkey: event.member_id,
            membersequence: event.member_id.map(|_| sequence.to_string()),
            streamsequence: event.stream_sequence.map(|place| place.to_string()),
            data: serde_json::from_str(&event.data)?,
        })
    }

    /// Leaves out the lines of a receipt: nothing else in an event can be large.
    fn without_lines(mut self) -> Self {
        let receipt = self.data.get_mut("receipt").and_then(Value::as_object_mut);
        let Some(receipt) = receipt else { return self };
        if let Some(Value::Array(lines)) = receipt.remove("lines") {
            receipt.insert("lines_left_out".to_owned(), lines.len().into());
            self.dataref = Some(format!("/v1/events/{}", self.id));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(data: impl Into<String>) -> StoredEvent {
        StoredEvent {
            id: "01990000-0000-7000-8000-000000000001".parse().unwrap(),
            member_id: Some("01990000-0000-7000-8000-000000000000".parse().unwrap()),
            member_sequence: 7,
            kind: "points.adjusted".into(),
            subject: "member/01990000-0000-7000-8000-000000000000".into(),
            at: "2026-11-22T03:04:05.678901Z".parse().unwrap(),
            data: data.into(),
            stream_sequence: Some(12),
        }
    }

    fn demo() -> ProgrammeId {
        ProgrammeId::new("demo").unwrap()
    }

    fn rendered(event: &CloudEvent) -> String {
        serde_json::to_string(event).unwrap()
    }

    #[test]
    fn an_event_has_the_attributes_that_cloudevents_requires() {
        let event = CloudEvent::new(event(r#"{"points":500}"#), &demo()).unwrap();
        assert_eq!(
            rendered(&event),
            concat!(
                r#"{"specversion":"1.0","id":"01990000-0000-7000-8000-000000000001","#,
                r#""source":"urn:point-gateway:demo","type":"points.adjusted","#,
                r#""subject":"member/01990000-0000-7000-8000-000000000000","#,
                r#""time":"2026-11-22T03:04:05.678901Z","datacontenttype":"application/json","#,
                r#""partitionkey":"01990000-0000-7000-8000-000000000000","membersequence":"7","#,
                r#""streamsequence":"12","data":{"points":500}}"#,
            )
        );
    }

    #[test]
    fn the_attributes_never_take_more_than_is_set_aside_for_them() {
        let programme = ProgrammeId::new(&"p".repeat(ProgrammeId::BYTES_MAX)).unwrap();
        let largest = StoredEvent {
            member_sequence: i64::MAX,
            stream_sequence: Some(i64::MAX),
            kind: "authorization.reversed".into(),
            // The longest subjects name a terminal or a programme.
            subject: format!("programme/{}", "p".repeat(ProgrammeId::BYTES_MAX)),
            ..event("{}")
        };
        let event = CloudEvent::whole(largest, &programme).unwrap();
        assert!(rendered(&event).len() <= EVENT_ATTRIBUTES_BYTES_MAX);
    }

    /// An event whose receipt makes it `bytes` long.
    fn of_bytes(bytes: usize) -> StoredEvent {
        let data = |name: &str| format!(r#"{{"receipt":{{"lines":[{{"name":"{name}"}}]}}}}"#);
        let shortest = CloudEvent::whole(event(data("")), &demo()).unwrap();
        let name = "x".repeat(bytes - rendered(&shortest).len());
        event(data(&name))
    }

    #[test]
    fn lines_are_left_out_of_a_message_that_would_be_too_large_and_of_no_other() {
        let fits = CloudEvent::new(of_bytes(EVENT_MESSAGE_BYTES_MAX), &demo()).unwrap();
        assert_eq!(rendered(&fits).len(), EVENT_MESSAGE_BYTES_MAX);
        assert_eq!(fits.dataref, None);

        let large = of_bytes(EVENT_MESSAGE_BYTES_MAX + 1);
        let sent = CloudEvent::new(large.clone(), &demo()).unwrap();
        let place = "/v1/events/01990000-0000-7000-8000-000000000001";
        assert_eq!(sent.dataref.as_deref(), Some(place));
        assert_eq!(
            sent.data,
            serde_json::json!({ "receipt": { "lines_left_out": 1 } })
        );
        let whole = CloudEvent::whole(large, &demo()).unwrap();
        assert_eq!(rendered(&whole).len(), EVENT_MESSAGE_BYTES_MAX + 1);
        assert_eq!(whole.dataref, None);
    }
}
