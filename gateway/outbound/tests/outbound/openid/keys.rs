//! How often a sign-in server is asked for its keys, and what becomes of them when it fails.

use axum::{
    body::Body,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use futures_util::future::join_all;
use jiff::Timestamp;
use outbound::{
    https::Fault,
    openid::{Issuer, ProviderFault, Refusal},
};
use serde_json::json;

use super::{changed, good, outcome, refused, unreachable, verifier, with_client};
use crate::{
    server::{ANSWER_BYTES_MAX, Nobody, at, client, impatient_client},
    sign_in_server::{CLIENT_ID, ES256, FORGER, NEXT, SignInServer, json_of},
};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

#[tokio::test]
async fn a_new_key_is_fetched_and_an_old_one_forgotten() {
    let server = SignInServer::start(&[&ES256]).await;
    let (verifier, issuer) = (verifier(), server.issuer());
    let claims = changed(server.claims(), &json!({ "exp": at(HOUR).as_second() }));
    let (old, new) = (ES256.token(&claims), NEXT.token(&claims));
    assert_eq!(outcome(&verifier, &issuer, &old, at(0)).await, good());

    server.publish(&[&ES256, &NEXT]);
    assert_eq!(outcome(&verifier, &issuer, &new, at(MINUTE)).await, good());
    assert_eq!(outcome(&verifier, &issuer, &old, at(MINUTE)).await, good());
    assert_eq!(server.served(), (2, 2));

    // Nothing asks for a key that is gone, until the keys are old.
    server.publish(&[&NEXT]);
    assert_eq!(outcome(&verifier, &issuer, &old, at(HOUR)).await, good());
    let unknown = refused(Refusal::UnknownKey);
    assert_eq!(
        outcome(&verifier, &issuer, &old, at(HOUR + MINUTE)).await,
        unknown
    );
    assert_eq!(server.served(), (3, 3));
}

#[tokio::test]
async fn forged_key_names_cannot_hammer_the_server() {
    let server = SignInServer::start(&[&ES256]).await;
    let (verifier, issuer, claims) = (verifier(), server.issuer(), server.claims());
    let good_token = ES256.token(&claims);
    assert_eq!(
        outcome(&verifier, &issuer, &good_token, at(0)).await,
        good()
    );
    let storm = async |now: Timestamp| {
        let tokens = (0..100).map(|number| {
            let kid = format!("forged-{number}");
            FORGER.sign(&json!({ "alg": "ES256", "kid": kid }), &claims)
        });
        let tokens: Vec<_> = tokens.collect();
        let asked = tokens
            .iter()
            .map(|token| outcome(&verifier, &issuer, token, now));
        for outcome in join_all(asked).await {
            assert_eq!(outcome, refused(Refusal::UnknownKey));
        }
    };
    for (seconds, served) in [(0, 1), (59, 1), (60, 2), (119, 2), (120, 3)] {
        storm(at(seconds)).await;
        assert_eq!(server.served(), (served, served), "{seconds}");
        assert_eq!(
            outcome(&verifier, &issuer, &good_token, at(seconds)).await,
            good()
        );
    }

    // Down, it is asked a little more often, and forged names are told from its silence by nobody.
    server.go_down();
    for (seconds, served) in [(180, 4), (184, 4), (185, 5)] {
        let forged = FORGER.sign(&json!({ "alg": "ES256", "kid": "forged" }), &claims);
        let asked = (0..100).map(|_| outcome(&verifier, &issuer, &forged, at(seconds)));
        for outcome in join_all(asked).await {
            assert_eq!(outcome, unreachable(Fault::Status(503)));
        }
        assert_eq!(server.served(), (served, 3), "{seconds}");
    }
}

#[tokio::test]
async fn many_at_once_cause_one_fetch() {
    let server = SignInServer::start(&[&ES256]).await;
    let (verifier, issuer) = (verifier(), server.issuer());
    let token = ES256.token(&server.claims());
    let asked = (0..100).map(|_| outcome(&verifier, &issuer, &token, at(0)));
    for outcome in join_all(asked).await {
        assert_eq!(outcome, good());
    }
    assert_eq!(server.served(), (1, 1));
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_undo_a_fetch() {
    let server = SignInServer::start(&[&ES256]).await;
    let (verifier, issuer) = (verifier(), server.issuer());
    let token = ES256.token(&server.claims());
    let gate = server.close_gate();
    for _ in 0..10 {
        tokio::select! {
            biased;
            outcome = outcome(&verifier, &issuer, &token, at(0)) => panic!("{outcome:?}"),
            arrived = gate.arrived.acquire() => drop(arrived.unwrap()),
        }
    }
    gate.open.add_permits(1);
    assert_eq!(outcome(&verifier, &issuer, &token, at(0)).await, good());
    assert_eq!(server.served(), (1, 1));
}

#[tokio::test]
async fn old_keys_serve_while_somebody_fetches_new_ones() {
    let server = SignInServer::start(&[&ES256]).await;
    let (verifier, issuer) = (verifier(), server.issuer());
    let claims = changed(server.claims(), &json!({ "exp": at(2 * HOUR).as_second() }));
    let token = ES256.token(&claims);
    assert_eq!(outcome(&verifier, &issuer, &token, at(0)).await, good());
    let gate = server.close_gate();
    let first = outcome(&verifier, &issuer, &token, at(HOUR));
    let second = async {
        drop(gate.arrived.acquire().await.unwrap());
        let outcome = outcome(&verifier, &issuer, &token, at(HOUR)).await;
        gate.open.add_permits(1);
        outcome
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first, second), (good(), good()));
    assert_eq!(server.served(), (2, 2));
}

#[tokio::test]
async fn keys_are_kept_for_a_day_while_the_server_is_down() {
    let server = SignInServer::start(&[&ES256]).await;
    let (verifier, issuer) = (verifier(), server.issuer());
    let claims = changed(
        server.claims(),
        &json!({ "exp": at(48 * HOUR).as_second() }),
    );
    let (known, unknown) = (ES256.token(&claims), NEXT.token(&claims));
    assert_eq!(outcome(&verifier, &issuer, &known, at(0)).await, good());
    server.go_down();
    let down = || unreachable(Fault::Status(503));
    for (hours, token, expected, asked) in [
        (1, &known, good(), 2),
        (2, &unknown, down(), 3),
        (23, &known, good(), 4),
        (24, &known, down(), 5),
    ] {
        let outcome = outcome(&verifier, &issuer, token, at(hours * HOUR)).await;
        assert_eq!(outcome, expected, "{hours}");
        assert_eq!(server.served(), (asked, 1), "{hours}");
    }
    server.come_up();
    assert_eq!(
        outcome(&verifier, &issuer, &known, at(25 * HOUR)).await,
        good()
    );

    // A clock that was far ahead and is set back does not keep keys for ever.
    let back = at(25 * HOUR - 3 * HOUR);
    assert_eq!(outcome(&verifier, &issuer, &known, back).await, good());
    assert_eq!(server.served(), (7, 3));
}

#[tokio::test]
async fn a_server_that_is_not_as_it_should_be_is_not_asked_further() {
    fn keys_at(base: &str, url: &str) -> Response {
        json_of(&json!({ "issuer": format!("{base}/tenant"), "jwks_uri": url }))
    }
    fn moved(_: &str) -> Response {
        (StatusCode::FOUND, [(LOCATION, "/keys")]).into_response()
    }
    fn huge(_: &str) -> Response {
        let key = ES256.jwk();
        json_of(&json!({ "keys": vec![key; 1 + ANSWER_BYTES_MAX / 100] }))
    }
    fn endless(_: &str) -> Response {
        let chunk = std::iter::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1_024]));
        Body::from_stream(futures_util::stream::iter(chunk)).into_response()
    }
    type Odd = fn(&str) -> Response;
    let plain: Odd = |_| "<html>".into_response();
    let too_long = Fault::TooLong(ANSWER_BYTES_MAX).into();
    type Row = (&'static str, Option<Odd>, Option<Odd>, ProviderFault, usize);
    let rows: [Row; 12] = [
        (
            "another issuer",
            Some(|base| json_of(&json!({ "issuer": base, "jwks_uri": format!("{base}/keys") }))),
            None,
            ProviderFault::WrongIssuer,
            0,
        ),
        (
            "keys in the clear",
            Some(|base| keys_at(base, "http://id.example/keys")),
            None,
            ProviderFault::KeysUrl,
            0,
        ),
        (
            "keys in a file",
            Some(|base| keys_at(base, "file:///etc/passwd")),
            None,
            ProviderFault::KeysUrl,
            0,
        ),
        (
            "no keys named",
            Some(|base| json_of(&json!({ "issuer": base }))),
            None,
            Fault::Unreadable.into(),
            0,
        ),
        (
            "configuration moved",
            Some(moved),
            None,
            Fault::Status(302).into(),
            0,
        ),
        (
            "configuration is a page",
            Some(plain),
            None,
            Fault::Unreadable.into(),
            0,
        ),
        (
            "keys moved",
            None,
            Some(moved),
            Fault::Status(302).into(),
            1,
        ),
        (
            "keys are a page",
            None,
            Some(plain),
            Fault::Unreadable.into(),
            1,
        ),
        ("huge keys", None, Some(huge), too_long, 1),
        ("endless keys", None, Some(endless), too_long, 1),
        (
            "no keys",
            None,
            Some(|_| json_of(&json!({ "keys": [] }))),
            ProviderFault::NoKeys,
            1,
        ),
        (
            "an error",
            None,
            Some(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()),
            Fault::Status(500).into(),
            1,
        ),
    ];
    for (name, configuration, key_set, fault, key_sets) in rows {
        let server = SignInServer::start(&[&ES256]).await;
        if let Some(odd) = configuration {
            server.answer_configuration(odd);
        }
        if let Some(odd) = key_set {
            server.answer_keys(odd);
        }
        let token = ES256.token(&server.claims());
        let outcome = outcome(&verifier(), &server.issuer(), &token, at(0)).await;
        assert_eq!(outcome, unreachable(fault), "{name}");
        assert_eq!(server.served(), (1, key_sets), "{name}");
    }
}

#[tokio::test]
async fn an_answer_may_be_as_long_as_the_limit() {
    let too_long = || unreachable(Fault::TooLong(ANSWER_BYTES_MAX));
    for (length, is_told, expected) in [
        (ANSWER_BYTES_MAX, true, good()),
        (ANSWER_BYTES_MAX, false, good()),
        (ANSWER_BYTES_MAX + 1, true, too_long()),
        (ANSWER_BYTES_MAX + 1, false, too_long()),
    ] {
        let server = SignInServer::start(&[&ES256]).await;
        server.answer_keys(move |_| {
            let text = json!({ "keys": [ES256.jwk()] }).to_string();
            let text = format!("{text:length$}");
            if is_told {
                return text.into_response();
            }
            let halves = [text[..length / 2].to_owned(), text[length / 2..].to_owned()];
            let halves = halves.map(Ok::<_, std::io::Error>);
            Body::from_stream(futures_util::stream::iter(halves)).into_response()
        });
        let token = ES256.token(&server.claims());
        let outcome = outcome(&verifier(), &server.issuer(), &token, at(0)).await;
        assert_eq!(outcome, expected, "{length} {is_told}");
    }
}

#[tokio::test]
async fn rubbish_does_not_take_the_place_of_good_keys() {
    let server = SignInServer::start(&[&ES256]).await;
    let (verifier, issuer) = (verifier(), server.issuer());
    let claims = changed(server.claims(), &json!({ "exp": at(2 * HOUR).as_second() }));
    let token = ES256.token(&claims);
    assert_eq!(outcome(&verifier, &issuer, &token, at(0)).await, good());
    server.answer_keys(|_| json_of(&json!({ "keys": [] })));
    assert_eq!(outcome(&verifier, &issuer, &token, at(HOUR)).await, good());
    assert_eq!(server.served(), (2, 2));
}

#[tokio::test]
async fn a_slow_server_and_none_at_all_are_not_waited_for() {
    let server = SignInServer::start(&[&ES256]).await;
    let token = ES256.token(&server.claims());
    let _gate = server.close_gate();
    let verifier = with_client(impatient_client());
    let slow = outcome(&verifier, &server.issuer(), &token, at(0)).await;
    assert_eq!(slow, unreachable(Fault::TimedOut));

    let nobody = Nobody::new();
    let issuer = Issuer::new(&nobody.base, [CLIENT_ID.to_owned()]).unwrap();
    let gone = outcome(&with_client(client()), &issuer, &token, at(0)).await;
    assert_eq!(gone, unreachable(Fault::NotReached));
}

#[tokio::test]
async fn issuers_do_not_share_keys() {
    let (one, other) = (
        SignInServer::start(&[&ES256]).await,
        SignInServer::start(&[&FORGER]).await,
    );
    let verifier = verifier();
    for (server, token, expected) in [
        (&one, ES256.token(&one.claims()), good()),
        (&other, FORGER.token(&other.claims()), good()),
        (
            &one,
            FORGER.token(&one.claims()),
            refused(Refusal::Signature),
        ),
        (
            &other,
            ES256.token(&other.claims()),
            refused(Refusal::Signature),
        ),
        (
            &one,
            FORGER.token(&other.claims()),
            refused(Refusal::Signature),
        ),
    ] {
        let outcome = outcome(&verifier, &server.issuer(), &token, at(0)).await;
        assert_eq!(outcome, expected);
    }
}
