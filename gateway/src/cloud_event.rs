//! Events as others read them: CloudEvents 1.0, structured JSON.

use jiff::Timestamp;
use member_card::ProgrammeId;
use pos_protocol::{EventId, MemberId};
use serde::Serialize;
use serde_json::Value;

use crate::store::StoredEvent;

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
    /// The event as the gateway of `programme` tells it.
    ///
    /// # Errors
    /// If the stored data is no JSON, which this program never writes.
    pub fn new(event: StoredEvent, programme: &ProgrammeId) -> Result<Self, serde_json::Error> {
        let sequence = event.member_sequence;
        Ok(Self {
            specversion: "1.0",
            id: event.id,
            source: format!("urn:point-gateway:{programme}"),
            kind: event.kind,
            subject: event.subject,
            time: event.at,
            datacontenttype: "application/json",
            partitionkey: event.member_id,
            membersequence: event.member_id.map(|_| sequence.to_string()),
            streamsequence: event.stream_sequence.map(|place| place.to_string()),
            data: serde_json::from_str(&event.data)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_attributes_that_cloudevents_requires() {
        let event = StoredEvent {
            id: "01990000-0000-7000-8000-000000000001".parse().unwrap(),
            member_id: Some("01990000-0000-7000-8000-000000000000".parse().unwrap()),
            member_sequence: 7,
            kind: "points.adjusted".into(),
            subject: "member/01990000-0000-7000-8000-000000000000".into(),
            at: "2026-11-22T03:04:05.678901Z".parse().unwrap(),
            data: r#"{"points":500}"#.into(),
            stream_sequence: Some(12),
        };
        let event = CloudEvent::new(event, &ProgrammeId::new("demo").unwrap()).unwrap();
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
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
}
