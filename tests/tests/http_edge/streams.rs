//! The stream of a member's events.

use acceptance::{databases::Database, on_each_database};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::{
    phone::{Phone, said},
    stage::{Set, Stage},
};

on_each_database!(
    a_phone_sees_its_purchases_from_any_gateway_and_misses_none,
    a_stream_ends_with_its_card_and_with_the_gateway,
);

/// A stream being read.
struct Listening {
    pieces: std::pin::Pin<Box<dyn futures_util::Stream<Item = String>>>,
    text: String,
}

/// One event: its name, id and data.
type Told = (String, i64, Value);

impl Listening {
    async fn to(phone: &Phone<'_>, after: Option<i64>) -> Self {
        let mut request = reqwest::Client::new()
            .get(phone.stage.url("/v1/me/stream"))
            .bearer_auth(phone.proof("GET", "/v1/me/stream"));
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let pieces = answer
            .bytes_stream()
            .map(|piece| String::from_utf8(piece.unwrap().to_vec()).unwrap());
        Self {
            pieces: Box::pin(pieces),
            text: String::new(),
        }
    }

    /// The next event; none at the end of the stream.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|text| text.trim_start_matches([':', ' ']))
                };
                let told = field("event").map(|name| {
                    (
                        name.to_owned(),
                        field("id").unwrap().parse().unwrap(),
                        serde_json::from_str(field("data").unwrap()).unwrap(),
                    )
                });
                self.text = rest.to_owned();
                if told.is_some() {
                    return told;
                }
                continue;
            }
            self.text.push_str(&self.pieces.next().await?);
        }
    }
}

async fn buy(phone: &Phone<'_>, stage: &Stage, request: &str) {
    stage.pass(1);
    let body = json!({
        "request_id": request, "basket_id": request, "card": phone.card(),
        "receipt": {
            "number": "R", "business_date": "2026-11-22", "occurred_at": "2026-11-22T03:00:00Z",
            "lines": [{"line_no": 1, "sku": "a", "name": "Tea", "category": "food", "quantity": 1,
                       "amount": 1_000, "tax_rate": 8}],
            "total": 1_000, "tax": 74,
        },
    });
    let till = stage.token().await;
    let request = reqwest::Client::new().post(stage.url("/v1/pos/purchases"));
    let (status, answer) = said(request.bearer_auth(till).json(&body)).await;
    assert_eq!(
        (status, &answer["outcome"]),
        (200, &json!("approved")),
        "{answer}"
    );
}

async fn a_phone_sees_its_purchases_from_any_gateway_and_misses_none(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let phone = Phone::enrolled(&stage).await;
    let mut stream = Listening::to(&phone, None).await;
    let (name, start, hello) = stream.next().await.unwrap();
    assert_eq!(
        (name.as_str(), &hello["sequence"]),
        ("hello", &json!(start))
    );

    buy(&phone, &stage, "r1").await;
    let (name, id, event) = stream.next().await.unwrap();
    assert_eq!((name.as_str(), id), ("purchase.completed", start + 1));
    assert_eq!(event["type"], "purchase.completed");
    assert_eq!(event["membersequence"], id.to_string());

    let elsewhere = stage.another(Set::default()).await;
    buy(&phone, &elsewhere, "r2").await;
    assert_eq!(stream.next().await.unwrap().1, start + 2);

    drop(stream);
    buy(&phone, &stage, "r3").await;
    let mut again = Listening::to(&phone, Some(start + 1)).await;
    let ids = [
        again.next().await.unwrap().1,
        again.next().await.unwrap().1,
        again.next().await.unwrap().1,
    ];
    assert_eq!(
        ids,
        [start + 1, start + 2, start + 3],
        "hello, then what was missed"
    );
}

async fn a_stream_ends_with_its_card_and_with_the_gateway(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let (phone, other) = (Phone::enrolled(&stage).await, Phone::enrolled(&stage).await);
    let mut stream = Listening::to(&phone, None).await;
    let mut others = Listening::to(&other, None).await;
    for stream in [&mut stream, &mut others] {
        assert_eq!(stream.next().await.unwrap().0, "hello");
    }
    let path = format!("/v1/me/cards/{}", phone.key.card_id());
    assert_eq!(phone.delete(&path).await.0, 204);
    assert_eq!(stream.next().await.unwrap().0, "card.revoked");
    assert_eq!(stream.next().await, None);

    stage.app.shutdown().cancel();
    assert_eq!(others.next().await, None);
    stage.serving.await.unwrap();
    assert_eq!(stage.app.streams().streams(), 0);
}

#[tokio::test]
async fn a_place_in_the_stream_is_a_number() {
    let stage = Stage::new().await;
    let phone = Phone::enrolled(&stage).await;
    for place in ["x", "-1", "1.5"] {
        let request = reqwest::Client::new()
            .get(stage.url("/v1/me/stream"))
            .header("last-event-id", place)
            .bearer_auth(phone.proof("GET", "/v1/me/stream"));
        assert_eq!(said(request).await.0, 400, "{place}");
    }
}
