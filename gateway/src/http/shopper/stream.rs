//! `GET /v1/me/stream`: the member's events as they happen (server-sent events).
//!
//! A stream begins with `hello` and the number it starts after; each event's `id` is its number among
//! the member's, without gaps. A phone that connects again says `Last-Event-ID` and misses nothing.
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

use super::super::{
    App, Shopper,
    openapi::Problems,
    problem::{Problem, ProblemKind},
    stream_hub::Watching,
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
    /// Events after this number follow.
    sequence: i64,
    server_time: Timestamp,
}

/// Tell me what happens, as it happens.
///
/// Server-sent events: first `hello`, then each event of the member, as a CloudEvent, under its type
/// (`purchase.completed`, `authorization.held`, …), within a second of its commit on any gateway. Say
/// `Last-Event-ID` to go on where another stream ended.
#[utoipa::path(
    get, path = "/v1/me/stream", tag = "shopper", security(("card" = [])),
    params(("Last-Event-ID" = Option<i64>, Header, description = "Number of the last event that was seen")),
    responses((status = 200, description = "The stream", content_type = "text/event-stream", body = String), Problems),
)]
pub(super) async fn stream(
    State(app): State<App>,
    shopper: Shopper,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = last_seen(&headers)?;
    // Watched before the number is read: what happens in between wakes the stream.
    let watching = app.streams().watch(shopper.member_id)?;
    let newest = app.store().event_sequences(&[shopper.member_id]).await?;
    let newest = newest.first().map_or(0, |(_, sequence)| *sequence);
    // A number that is not there yet is not this member's; begin anew.
    let sequence = asked.filter(|asked| *asked <= newest).unwrap_or(newest);
    let life = Duration::from_secs(limits::STREAM_LIFE_S_MAX);
    let hello = Hello {
        sequence,
        server_time: app.now(),
    };
    let hello = Event::default()
        .event("hello")
        .id(sequence.to_string())
        .json_data(hello)
        .map_err(Problem::fault)?;
    let stream = Stream {
        app,
        shopper,
        watching,
        sequence,
        ready: VecDeque::from([hello]),
        ends_at: Instant::from_std(clock::instant()) + life,
        // Whatever lies between what was asked and now is read first.
        look: sequence < newest,
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

fn last_seen(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    let number = number.filter(|number: &i64| *number >= 0);
    number.map(Some).ok_or_else(|| {
        Problem::new(
            ProblemKind::BadRequest,
            "Last-Event-ID is the number of an event.",
        )
    })
}

struct Stream {
    app: App,
    shopper: Shopper,
    watching: Watching,
    /// Number of the last event that was read.
    sequence: i64,
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

    /// Reads what is new.
    async fn read(&mut self) -> Result<(), StoreError> {
        let page = limits::STREAM_PAGE_EVENTS;
        let member_id = self.shopper.member_id;
        let events = self
            .app
            .store()
            .events_after(member_id, self.sequence, page)
            .await?;
        // A full page may have more behind it.
        self.look = events.len() >= usize::try_from(page).unwrap_or(usize::MAX);
        if events.iter().any(|event| event.kind == "card.revoked") {
            let card = self.app.cards.now(self.shopper.card_id).await?;
            self.last = card.is_none_or(|card| card.status != CardStatus::Active);
        }
        for event in events {
            self.sequence = event.member_sequence;
            self.ready.push_back(self.told(event)?);
        }
        Ok(())
    }

    fn told(&self, event: StoredEvent) -> Result<Event, StoreError> {
        let corrupt = |error: &dyn std::fmt::Display| StoreError::Corrupt(error.to_string());
        let (kind, number) = (event.kind.clone(), event.member_sequence);
        let event = CloudEvent::whole(event, &self.app.settings().programme)
            .map_err(|error| corrupt(&error))?;
        Event::default()
            .event(kind)
            .id(number.to_string())
            .json_data(event)
            .map_err(|error| corrupt(&error))
    }
}
