//! What callers send, and the problems they get: bodies, paths, methods, rates, panics.

use gateway::{
    http::{ProblemKind, Rate, Rates},
    limits,
};
use serde_json::{Value, json};

use crate::stage::{SECRET, Set, Stage, answer};

#[tokio::test]
async fn every_malformed_body_is_a_problem_of_its_own() {
    let stage = Stage::new().await;
    let deep = format!(
        r#"{{"request_id":{}{}}}"#,
        "[".repeat(limits::JSON_DEPTH_MAX),
        "]".repeat(limits::JSON_DEPTH_MAX)
    );
    let large = format!(
        r#"{{"request_id":"{}"}}"#,
        "a".repeat(limits::BODY_BYTES_MAX)
    );
    let long_id = format!(r#"{{"request_id":"{}"}}"#, "a".repeat(65));
    let cases: &[(&[u8], u16, &str, Option<&str>)] = &[
        (b"", 400, "malformed_json", None),
        (b"{", 400, "malformed_json", None),
        (br#"{"request_id":"r1""#, 400, "malformed_json", None),
        (br#"{"request_id":"r1"} x"#, 400, "malformed_json", None),
        (b"{\"request_id\":\"\xff\"}", 400, "malformed_json", None),
        (b"null", 422, "validation_failed", Some("")),
        (br#"["r1"]"#, 422, "validation_failed", Some("")),
        (b"{}", 422, "validation_failed", Some("")),
        (
            br#"{"request_id":1}"#,
            422,
            "validation_failed",
            Some("/request_id"),
        ),
        (
            br#"{"request_id":""}"#,
            422,
            "validation_failed",
            Some("/request_id"),
        ),
        (
            br#"{"request_id":"a b"}"#,
            422,
            "validation_failed",
            Some("/request_id"),
        ),
        (
            long_id.as_bytes(),
            422,
            "validation_failed",
            Some("/request_id"),
        ),
        (
            br#"{"request_id":"r1","more":1}"#,
            422,
            "validation_failed",
            Some("/more"),
        ),
        (
            br#"{"request_id":"r1","request_id":"r2"}"#,
            422,
            "validation_failed",
            Some(""),
        ),
        (
            br#"{"request_id":"r1","lines":[{"line_no":1,"quantity":1.5}]}"#,
            422,
            "validation_failed",
            Some("/lines/0/quantity"),
        ),
        (deep.as_bytes(), 400, "body_too_deep", None),
        (large.as_bytes(), 413, "body_too_large", None),
    ];
    for (body, status, word, pointer) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]);
        let answer = reqwest::Client::new()
            .post(stage.url("/stage/json"))
            .header("content-type", "application/json; charset=utf-8")
            .body(body.to_vec())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), *status, "{shown}");
        assert_eq!(
            answer.headers()["content-type"],
            "application/problem+json",
            "{shown}"
        );
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["type"], format!("/problems/{word}"), "{shown}");
        assert_eq!(problem["status"], *status, "{shown}");
        assert_eq!(
            problem["errors"][0]["pointer"].as_str(),
            *pointer,
            "{shown}: {problem}"
        );
    }
}

#[tokio::test]
async fn a_body_is_json_by_its_own_account() {
    let stage = Stage::new().await;
    let post = |kind: Option<&str>, encoding: Option<&str>| {
        let mut request = reqwest::Client::new()
            .post(stage.url("/stage/json"))
            .body(r#"{"request_id":"r1"}"#);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        answer(request)
    };
    assert_eq!(
        post(Some("Application/JSON"), None).await,
        (200, "r1".into())
    );
    for (kind, encoding) in [
        (None, None),
        (Some("text/plain"), None),
        (Some("application/jsonx"), None),
        (Some("application/json"), Some("gzip")),
    ] {
        let (status, body) = post(kind, encoding).await;
        assert_eq!(status, 415, "{kind:?} {encoding:?}");
        assert!(body.contains("unsupported_media_type"), "{body}");
    }
}

#[tokio::test]
async fn unknown_paths_methods_and_ids_are_problems() {
    let stage = Stage::new().await;
    let client = reqwest::Client::new();
    let get = |path: &str| client.get(stage.url(path));
    for (request, status, word) in [
        (get("/nothing"), 404, "not_found"),
        (get("/problems/nothing"), 404, "not_found"),
        (get("/stage/json"), 405, "method_not_allowed"),
        (get("/stage/id/7"), 422, "validation_failed"),
        (get("/stage/id/%ff"), 400, "bad_request"),
        (get("/stage/till"), 401, "unauthenticated"),
        (
            get("/stage/till").header("authorization", "Basic eDp5"),
            401,
            "unauthenticated",
        ),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{word}");
        if status == 405 {
            assert_eq!(answer.headers()["allow"], "POST");
        }
        if status == 401 {
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        }
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["type"], format!("/problems/{word}"));
    }
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let stage = Stage::new().await;
    let client = reqwest::Client::new();
    let id = |given: Option<&'static str>| {
        let mut request = client.get(stage.url("/nothing"));
        if let Some(given) = given {
            request = request.header("x-request-id", given);
        }
        async move {
            let answer = request.send().await.unwrap();
            let header = answer.headers()["x-request-id"]
                .to_str()
                .unwrap()
                .to_owned();
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["request_id"], header);
            header
        }
    };
    assert_eq!(id(Some("till-7.42")).await, "till-7.42");
    let (made, other) = (id(None).await, id(Some("no good id")).await);
    assert_ne!(made, other);
    for id in [made, other] {
        uuid::Uuid::parse_str(&id).unwrap();
    }
}

#[tokio::test]
async fn a_panic_is_a_fault_that_tells_nothing() {
    let stage = Stage::new().await;
    let request = reqwest::Client::new().get(stage.url("/stage/panic"));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 500);
    assert!(answer.headers().contains_key("x-request-id"));
    let body = answer.text().await.unwrap();
    assert!(body.contains("/problems/fault"), "{body}");
    assert!(!body.contains("secret"), "{body}");
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_back() {
    let mut set = Set::default();
    set.settings.rates = Rates {
        client: Rate::new(2, 1),
        peer: Rate::new(2, 1),
        ..Rates::default()
    };
    let stage = Stage::with(set).await;
    let token = stage.token().await;
    assert_eq!(stage.as_till(&token).await.0, 200);
    assert_eq!(stage.as_till(&token).await.0, 200);
    let request = reqwest::Client::new()
        .get(stage.url("/stage/till"))
        .bearer_auth(&token);
    let limited = request.send().await.unwrap();
    assert_eq!(limited.status().as_u16(), 429);
    assert_eq!(limited.headers()["ratelimit-policy"], r#""client";q=2;w=2"#);
    assert_eq!(limited.headers()["ratelimit"], r#""client";r=0;t=1"#);
    assert_eq!(limited.headers()["retry-after"], "1");
    let problem: Value = limited.json().await.unwrap();
    assert_eq!(problem["type"], "/problems/rate_limited");

    // Guessing is counted against the address: the first request here was for the token.
    let guess = || stage.as_till("a.b.c");
    assert_eq!(guess().await.0, 401);
    assert_eq!(guess().await.0, 429);
    let request = reqwest::Client::new()
        .post(stage.url("/oauth/token"))
        .basic_auth("till-1", Some(SECRET));
    assert_eq!(answer(request).await.0, 429);
}

#[test]
fn the_catalogue_of_problems_is_stable() {
    let rows: Vec<_> = ProblemKind::ALL
        .iter()
        .map(|kind| {
            json!({
                "type": format!("/problems/{}", kind.word()),
                "status": kind.status().as_u16(),
                "title": kind.title(),
            })
        })
        .collect();
    insta::assert_json_snapshot!("problems", rows);
}

#[tokio::test]
async fn every_problem_has_its_page() {
    let stage = Stage::new().await;
    for kind in ProblemKind::ALL {
        let path = format!("/problems/{}", kind.word());
        let (status, page) = answer(reqwest::Client::new().get(stage.url(&path))).await;
        assert_eq!(status, 200);
        assert!(page.contains(kind.about()), "{page}");
    }
}

#[tokio::test]
async fn the_pages_for_people_need_no_other_server() {
    let stage = Stage::new().await;
    for (path, holds) in [
        ("/", "/docs/"),
        ("/docs/", "swagger-ui"),
        ("/openapi.json", r#""openapi":"3.1"#),
        ("/problems", "# Problems"),
        ("/livez", "ok"),
    ] {
        let answer = reqwest::Client::new()
            .get(stage.url(path))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert!(answer.headers().contains_key("content-security-policy"));
        let text = answer.text().await.unwrap();
        assert!(text.contains(holds), "{path}: {text}");
        assert!(
            !text.contains("//unpkg") && !text.contains("//cdn"),
            "{path}"
        );
    }
}
