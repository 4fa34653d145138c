//! Webhooks: what arrives, what is tried again, what is not.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
    routing::post,
};
use data_encoding::BASE64;
use jiff::SignedDuration;
use outbound::{
    delivery::{
        Attempts, Delivery, DeliveryError, Details, Kind, Message, MessageId, NoSecret, Recipient,
        Secret, SignedHeaders, verify,
    },
    https::{Fault, HttpsUrl},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::server::{Nobody, START, Server, at, client, impatient_client};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

/// Answers with the given statuses, one after the other, then with 204; keeps what came.
#[derive(Default)]
struct Receiver {
    answers: Mutex<Vec<u16>>,
    received: Mutex<Vec<(HeaderMap, Bytes)>>,
}

async fn receive(State(receiver): State<Arc<Receiver>>, head: HeaderMap, body: Bytes) -> Response {
    receiver.received.lock().unwrap().push((head, body));
    let next = receiver.answers.lock().unwrap().pop().unwrap_or(204);
    let status = StatusCode::from_u16(next).unwrap();
    (status, [(LOCATION, "/elsewhere")]).into_response()
}

async fn start(answers: &[u16]) -> (Server, Arc<Receiver>) {
    let receiver = Arc::new(Receiver::default());
    *receiver.answers.lock().unwrap() = answers.iter().rev().copied().collect();
    let router = Router::new()
        .route("/hook", post(receive))
        .route("/elsewhere", post(receive).get(receive))
        .with_state(receiver.clone());
    (Server::start(router).await, receiver)
}

fn attempts(max: usize) -> Attempts {
    Attempts {
        max,
        first_delay: Duration::ZERO,
        delay_max: Duration::ZERO,
    }
}

fn webhook(client: outbound::https::Client, base: &str, max: usize) -> Delivery {
    let url = HttpsUrl::parse(&format!("{base}/hook")).unwrap();
    let secrets = [OLD, NEW].map(|secret| Secret::parse(secret).unwrap());
    Delivery::webhook(client, url, secrets, attempts(max)).unwrap()
}

fn message() -> Message {
    Message {
        id: MessageId::parse("0190a8f0-0000-7000-8000-000000000001").unwrap(),
        occurred_at: at(-5),
        to: Recipient::Email("hanako@example.com".to_owned()),
        kind: Kind::OneTimeCode {
            code: "493817".to_owned(),
            expires_at: at(600),
        },
        details: Details(json!({ "language": "ja", "brand": "花" })),
    }
}

/// HMAC-SHA256 as RFC 2104 spells it out.
fn hmac_sha256(secret: &str, text: &[u8]) -> String {
    let secret = BASE64.decode(&secret.as_bytes()["whsec_".len()..]).unwrap();
    let padded = |with: u8| -> Vec<u8> {
        let bytes = secret.iter().copied().chain(std::iter::repeat(0));
        bytes.take(64).map(|byte| byte ^ with).collect()
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text);
    let outer = Sha256::new().chain_update(padded(0x5c));
    BASE64.encode(&outer.chain_update(inner.finalize()).finalize())
}

#[tokio::test]
async fn a_message_arrives_signed_after_a_failure() {
    let (server, receiver) = start(&[500, 503]).await;
    let delivery = webhook(client(), &server.base, 3);
    assert_eq!(delivery.send(&message(), at(0)).await, Ok(()));

    let received = receiver.received.lock().unwrap().clone();
    assert_eq!(received.len(), 3);
    assert!(received.windows(2).all(|pair| pair[0].1 == pair[1].1));
    for (head, body) in received {
        let header = |name: &str| head[name].to_str().unwrap();
        assert_eq!(header("webhook-id"), message().id.as_str());
        assert_eq!(header("webhook-timestamp"), START.to_string());
        assert_eq!(header("content-type"), "application/json");
        let told: Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({
            "type": "one_time_code",
            "timestamp": "2027-01-15T07:59:55Z",
            "data": {
                "to": { "email": "hanako@example.com" },
                "code": "493817",
                "expires_at": "2027-01-15T08:10:00Z",
                "details": { "language": "ja", "brand": "花" },
            },
        });
        assert_eq!(told, expected);

        let text = [
            format!("{}.{START}.", message().id.as_str()).as_bytes(),
            &body[..],
        ]
        .concat();
        let [old, new] = [OLD, NEW].map(|secret| format!("v1,{}", hmac_sha256(secret, &text)));
        assert_eq!(header("webhook-signature"), format!("{old} {new}"));
        for secret in [OLD, NEW] {
            let headers = SignedHeaders {
                id: header("webhook-id"),
                timestamp: header("webhook-timestamp"),
                signature: header("webhook-signature"),
            };
            let secrets = [Secret::parse(secret).unwrap()];
            let checked = verify(
                &secrets,
                headers,
                &body,
                at(3),
                SignedDuration::from_secs(5),
            );
            assert_eq!(checked, Ok(()));
        }
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_the_rest_is_not() {
    use DeliveryError::{Refused, Retry};
    let again = |status| Err(Retry(Fault::Status(status)));
    for (answers, max, expected, requests) in [
        (&[200][..], 3, Ok(()), 1),
        (&[202], 3, Ok(()), 1),
        (&[410], 3, Err(Refused(410)), 1),
        (&[400], 3, Err(Refused(400)), 1),
        (&[401], 3, Err(Refused(401)), 1),
        (&[404], 3, Err(Refused(404)), 1),
        (&[500, 410], 3, Err(Refused(410)), 2),
        (&[408, 200], 3, Ok(()), 2),
        (&[429, 200], 3, Ok(()), 2),
        (&[502, 500, 503, 200], 3, again(503), 3),
        (&[500, 200], 1, again(500), 1),
        (&[500, 200], 0, again(500), 1),
        (&[302, 307, 308], 3, again(308), 3),
        (&[304], 1, again(304), 1),
    ] {
        let (server, receiver) = start(answers).await;
        let delivery = webhook(client(), &server.base, max);
        let outcome = delivery.send(&message(), at(0)).await;
        assert_eq!(outcome, expected, "{answers:?}");
        let received = receiver.received.lock().unwrap().len();
        assert_eq!(received, requests, "{answers:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_is_silent_or_gone_is_not_waited_for() {
    let silent = || async { std::future::pending::<StatusCode>().await };
    let server = Server::start(Router::new().route("/hook", post(silent))).await;
    let outcome = webhook(impatient_client(), &server.base, 2)
        .send(&message(), at(0))
        .await;
    assert_eq!(outcome, Err(DeliveryError::Retry(Fault::TimedOut)));

    let nobody = Nobody::new();
    let outcome = webhook(client(), &nobody.base, 2)
        .send(&message(), at(0))
        .await;
    assert_eq!(outcome, Err(DeliveryError::Retry(Fault::NotReached)));
}

#[tokio::test]
async fn a_message_is_delivered_before_the_answer_ends() {
    let talker = || async {
        let chunk = std::iter::repeat_with(|| Ok::<_, std::io::Error>("so it came. "));
        Body::from_stream(futures_util::stream::iter(chunk))
    };
    let server = Server::start(Router::new().route("/hook", post(talker))).await;
    let outcome = webhook(client(), &server.base, 1)
        .send(&message(), at(0))
        .await;
    assert_eq!(outcome, Ok(()));
}

#[tokio::test]
async fn the_demo_shows_messages_instead_of_sending_them() {
    let shown = Arc::new(Mutex::new(Vec::new()));
    let keep = shown.clone();
    let delivery = Delivery::call(move |message| keep.lock().unwrap().push(message.clone()));
    assert_eq!(delivery.send(&message(), at(0)).await, Ok(()));
    assert_eq!(*shown.lock().unwrap(), [message()]);
    assert_eq!(Delivery::log().send(&message(), at(0)).await, Ok(()));
}

#[test]
fn bodies_say_what_kind_of_message_they_are() {
    let notice = Message {
        to: Recipient::Member("m-17".to_owned()),
        kind: Kind::Notice {
            topic: "points_expire".to_owned(),
        },
        details: Details::default(),
        ..message()
    };
    let expected = json!({
        "type": "notice",
        "timestamp": "2027-01-15T07:59:55Z",
        "data": { "to": { "member": "m-17" }, "topic": "points_expire", "details": null },
    });
    assert_eq!(notice.to_json(), expected);
    let text = Message {
        to: Recipient::Phone("+819012345678".to_owned()),
        ..message()
    };
    assert_eq!(
        text.to_json()["data"]["to"],
        json!({ "phone": "+819012345678" })
    );
}

#[tokio::test]
async fn a_webhook_has_a_secret() {
    let url = HttpsUrl::parse("https://hooks.example/").unwrap();
    let outcome = Delivery::webhook(client(), url, [], Attempts::default());
    assert_eq!(outcome.map(|_| ()), Err(NoSecret));
}
