//! `GET /v1/me/stream`: the member's events as they happen (server-sent events).
//!
//! A stream begins with `hello` and the position it starts after; each event's `id` is the position after
//! it. For a member that was never merged that is the event's number among the member's, without gaps.
//! Where records were merged, the events of all come through, and a position has a number for each (see
//! `place`). A phone that connects again says `Last-Event-ID` and misses nothing.
//! A stream ends by itself: after its life, at shutdown, when its card is revoked, or when the store
//! cannot be asked. The phone connects again, and is told what is the matter if it is not let in.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use jiff::Timestamp;
use ledger::member::CardStatus;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::{
    super::{
        App, Shopper,
        openapi::Problems,
        problem::{Problem, ProblemKind},
        stream_hub::Watching,
    },
    person::place::{Places, Seen},
};
use crate::{
    clock,
    cloud_event::CloudEvent,
    limits,
    store::{StoreError, StoredEvent},
};

/// The first event of a stream.
#[derive(Serialize)]
struct Hello {
    /// Events of the card's own record after this number follow.
    sequence: i64,
    /// The same for all records of the person.
    position: String,
    server_time: Timestamp,
}

/// Tell me what happens, as it happens.
///
/// Server-sent events: first `hello`, then each event of the member, as a CloudEvent, under its type
/// (`purchase.completed`, `authorization.held`, …), within a second of its commit on any gateway. Where
/// records were merged, the events of all of them. Say `Last-Event-ID` to go on where another stream ended.
#[utoipa::path(
    get, path = "/v1/me/stream", tag = "shopper", security(("card" = [])),
    params(("Last-Event-ID" = Option<String>, Header, description = "`id` of the last event that was seen, or `stream_position` of `GET /v1/me`")),
    responses((status = 200, description = "The stream", content_type = "text/event-stream", body = String), Problems),
)]
pub(super) async fn stream(
    State(app): State<App>,
    shopper: Shopper,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = last_seen(&headers)?;
    // Watched before the numbers are read: what happens in between wakes the stream.
    let mut watching = app.streams().watch(shopper.member_id)?;
    let records = app.records_of(&shopper).await?;
    watching.regroup(records.iter().map(|record| record.id));
    let newest = Places::newest(shopper.member_id, &records);
    let mut places = newest.clone();
    if let Some(asked) = asked {
        places.back_to(&asked);
    }
    let life = Duration::from_secs(limits::STREAM_LIFE_S_MAX);
    let hello = Hello {
        sequence: places.own(),
        position: places.to_string(),
        server_time: app.now(),
    };
    let hello = Event::default()
        .event("hello")
        .id(places.to_string())
        .json_data(hello)
        .map_err(Problem::fault)?;
    let stream = Stream {
        app,
        shopper,
        watching,
        // Whatever lies between what was asked and now is read first.
        look: places != newest,
        places,
        ready: VecDeque::from([hello]),
        ends_at: Instant::from_std(clock::instant()) + life,
        last: false,
    };
    let heartbeat = KeepAlive::new().interval(Duration::from_secs(limits::STREAM_HEARTBEAT_S));
    let mut response = Sse::new(stream::unfold(stream, Stream::step))
        .keep_alive(heartbeat)
        .into_response();
    // Nginx would hold events back.
    response.headers_mut().insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

fn last_seen(headers: &HeaderMap) -> Result<Option<Seen>, Problem> {
    const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let seen = value.to_str().ok().and_then(|text| text.parse().ok());
    seen.map(Some).ok_or_else(|| {
        Problem::new(
            ProblemKind::BadRequest,
            "Last-Event-ID is the id of an event of a stream.",
        )
    })
}

struct Stream {
    app: App,
    shopper: Shopper,
    watching: Watching,
    /// The last event of each record that was read.
    places: Places,
    ready: VecDeque<Event>,
    ends_at: Instant,
    /// Whether to look before waiting.
    look: bool,
    /// Whether the stream ends once `ready` is empty.
    last: bool,
}

impl Stream {
    /// The next event, or the end.
    async fn step(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some((Ok(event), self));
            }
            if self.last {
                return None;
            }
            if !self.look {
                tokio::select! {
                    () = self.app.shutdown().cancelled() => return None,
                    () = sleep_until(self.ends_at) => return None,
                    () = self.watching.news() => {}
                }
            }
            if let Err(error) = self.read().await {
                tracing::debug!(error = %error, "stream.read_failed");
                return None;
            }
        }
    }

    /// Reads what is new of every record.
    async fn read(&mut self) -> Result<(), StoreError> {
        let page = limits::STREAM_PAGE_EVENTS;
        self.look = false;
        let mut regroup = false;
        for (record, place) in self.places.iter().collect::<Vec<_>>() {
            let events = self.app.store().events_after(record, place, page).await?;
            // A full page may have more behind it.
            self.look |= events.len() >= usize::try_from(page).unwrap_or(usize::MAX);
            if events.iter().any(|event| event.kind == "card.revoked") {
                let card = self.app.cards.now(self.shopper.card_id).await?;
                self.last |= card.is_none_or(|card| card.status != CardStatus::Active);
            }
            let merges = ["member.merged", "member.unmerged"];
            regroup |= events
                .iter()
                .any(|event| merges.contains(&event.kind.as_str()));
            for event in events {
                self.places.advance(record, event.member_sequence);
                let told = self.told(event)?;
                self.ready.push_back(told);
            }
        }
        if regroup {
            self.regroup().await?;
        }
        Ok(())
    }

    /// The person has other records now.
    async fn regroup(&mut self) -> Result<(), StoreError> {
        let own = self.shopper.member_id;
        let records = self.app.store().records_of(own).await?;
        self.watching
            .regroup(records.iter().map(|record| record.id));
        self.places.regroup(&records);
        // What happened before the new ones were watched wakes nobody.
        self.look = true;
        Ok(())
    }

    fn told(&self, event: StoredEvent) -> Result<Event, StoreError> {
        let corrupt = |error: &dyn std::fmt::Display| StoreError::Corrupt(error.to_string());
        let kind = event.kind.clone();
        let event = CloudEvent::whole(event, &self.app.settings().programme)
            .map_err(|error| corrupt(&error))?;
        Event::default()
            .event(kind)
            .id(self.places.to_string())
            .json_data(event)
            .map_err(|error| corrupt(&error))
    }
}
