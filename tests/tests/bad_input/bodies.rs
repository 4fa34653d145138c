//! Bodies that are no message.

use pos_protocol::Reason;
use serde_json::{Value, json};

use crate::{Counter, POINTS, expect_decline, expect_problem};

const AUTHORIZATIONS: &str = "/v1/pos/authorizations";
const PURCHASES: &str = "/v1/pos/purchases";

#[tokio::test(flavor = "multi_thread")]
async fn points_are_whole_and_in_range() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    for wrong in [
        "0",
        "-1",
        "0.5",
        "1.0",
        "1e3",
        "\"5\"",
        "null",
        "true",
        "[1]",
        "{}",
        "1000000000001",
        "9223372036854775808",
        "99999999999999999999999999",
        "-9223372036854775809",
        "1e400",
    ] {
        let good = counter.good_authorization().await.to_string();
        let body = good.replace("\"points\":1", &format!("\"points\":{wrong}"));
        assert_ne!(good, body);
        let reply = counter.post(AUTHORIZATIONS, body).await;
        if wrong == "1e400" {
            // No number of JSON's at all, to most readers.
            assert!((400..500).contains(&reply.status), "{wrong}: {reply:?}");
        } else {
            expect_problem(&counter, wrong, &reply, 422, "validation_failed").await;
        }
    }
    let mut too_many = counter.good_authorization().await;
    too_many["points"] = json!(1_000_000_000_000_i64);
    let reply = counter.post(AUTHORIZATIONS, too_many.to_string()).await;
    expect_decline("10^12", &reply, Reason::InsufficientPoints);
    counter.check(POINTS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_short_and_printable() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    let long = "x".repeat(65);
    for field in ["request_id", "basket_id"] {
        for wrong in ["", " ", "a b", "a\u{0}b", "a\nb", "注文", "\u{202e}", &long] {
            let mut body = counter.good_authorization().await;
            body[field] = json!(wrong);
            let reply = counter.post(AUTHORIZATIONS, body.to_string()).await;
            let what = format!("{field} {wrong:?}");
            expect_problem(&counter, &what, &reply, 422, "validation_failed").await;
            assert_eq!(
                reply.word("/errors/0/pointer"),
                format!("/{field}"),
                "{what}"
            );
        }
    }
    for path in [
        "/v1/pos/authorizations/1/void",
        "/v1/pos/authorizations/%00/void",
        "/v1/pos/authorizations/018f0000-0000-7000-8000-00000000000g/void",
        "/v1/pos/purchases/..%2f..%2fadmin/refunds",
        "/v1/pos/purchases/%ff/refunds",
    ] {
        let reply = counter
            .post(path, json!({"request_id": "r"}).to_string())
            .await;
        assert!((400..500).contains(&reply.status), "{path}: {reply:?}");
        assert!(reply.problem().is_some(), "{path}: {reply:?}");
    }
    counter.check(POINTS).await
}

/// What breaks the grammar, the shape or the size of a message.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_messages() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    let good = counter.good_authorization().await;
    let text = good.to_string();
    let deep = |open: &str, close: &str, depth: usize| {
        let (open, close) = (open.repeat(depth), close.repeat(depth));
        text.replace("\"points\":1", &format!("\"points\":{open}1{close}"))
    };
    let mut extra = good.clone();
    extra["discount"] = json!(100);
    let mut missing = good.clone();
    missing.as_object_mut().expect("an object").remove("card");
    let mut not_utf8 = text.clone().into_bytes();
    let at = text.find("bad-").expect("the id");
    not_utf8[at] = 0xff;
    let padding = " ".repeat(2_000_000);
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        (
            "unknown field",
            extra.to_string().into(),
            422,
            "validation_failed",
        ),
        (
            "missing field",
            missing.to_string().into(),
            422,
            "validation_failed",
        ),
        (
            "array",
            json!(["r", "b", "7001", 1]).to_string().into(),
            422,
            "validation_failed",
        ),
        ("null", "null".into(), 422, "validation_failed"),
        ("text", "\"card\"".into(), 422, "validation_failed"),
        ("not UTF-8", not_utf8, 400, "malformed_json"),
        ("nothing", Vec::new(), 400, "malformed_json"),
        (
            "cut short",
            text[..text.len() - 1].into(),
            400,
            "malformed_json",
        ),
        (
            "something after it",
            format!("{text}{{}}").into(),
            400,
            "malformed_json",
        ),
        (
            "no JSON",
            "request_id=r&points=1".into(),
            400,
            "malformed_json",
        ),
        (
            "NaN",
            text.replace("\"points\":1", "\"points\":NaN").into(),
            400,
            "malformed_json",
        ),
        (
            "a byte order mark",
            format!("\u{feff}{text}").into(),
            400,
            "malformed_json",
        ),
        (
            "arrays, 100 deep",
            deep("[", "]", 100).into(),
            400,
            "body_too_deep",
        ),
        (
            "arrays, 100,000 deep",
            deep("[", "]", 100_000).into(),
            400,
            "body_too_deep",
        ),
        (
            "objects, 50 deep",
            deep("{\"a\":", "}", 50).into(),
            400,
            "body_too_deep",
        ),
        (
            "2 MB of blanks",
            format!("{padding}{text}").into(),
            413,
            "body_too_large",
        ),
    ];
    for (what, body, status, word) in cases {
        let reply = counter.post(AUTHORIZATIONS, body).await;
        expect_problem(&counter, what, &reply, status, word).await;
    }
    let doubled = text.replace("\"points\":1", "\"points\":1,\"points\":2");
    let reply = counter.post(AUTHORIZATIONS, doubled).await;
    assert!(
        (400..500).contains(&reply.status),
        "a field twice: {reply:?}"
    );
    // None of these used its request id up.
    let reply = counter.post(AUTHORIZATIONS, text).await.approved();
    let id = reply.word("/authorization/id");
    let void = json!({"request_id": counter.next_id()}).to_string();
    let path = format!("/v1/pos/authorizations/{id}/void");
    let _ = counter.post(&path, void).await.approved();
    counter.check(POINTS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_addressed_and_signed() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    let body = counter.good_authorization().await.to_string();
    let token = counter.till.token().await?;
    let (http, base) = (counter.http.clone(), counter.gateway.base());
    let post = |path: &str| http.post(format!("{base}{path}")).body(body.clone());
    let json = "application/json";
    let cases = [
        (
            "no token",
            post(AUTHORIZATIONS).header("content-type", json),
            401,
            "unauthenticated",
        ),
        (
            "basic",
            post(AUTHORIZATIONS)
                .header("content-type", json)
                .basic_auth("till-1", Some("x")),
            401,
            "unauthenticated",
        ),
        (
            "no such token",
            post(AUTHORIZATIONS)
                .header("content-type", json)
                .bearer_auth("abc"),
            401,
            "invalid_token",
        ),
        (
            "a token with another end",
            post(AUTHORIZATIONS)
                .header("content-type", json)
                .bearer_auth(format!("{}AAAA", &token[..token.len() - 4])),
            401,
            "invalid_token",
        ),
        (
            "a token that says alg none",
            post(AUTHORIZATIONS)
                .header("content-type", json)
                .bearer_auth(unsigned(&token)),
            401,
            "invalid_token",
        ),
        (
            "a phone's proof",
            post(AUTHORIZATIONS)
                .header("content-type", json)
                .bearer_auth(counter.phone.proof("POST", AUTHORIZATIONS)),
            401,
            "invalid_token",
        ),
        (
            "no type",
            post(AUTHORIZATIONS).bearer_auth(&token),
            415,
            "unsupported_media_type",
        ),
        (
            "a form",
            post(AUTHORIZATIONS)
                .header("content-type", "application/x-www-form-urlencoded")
                .bearer_auth(&token),
            415,
            "unsupported_media_type",
        ),
        (
            "compressed",
            post(AUTHORIZATIONS)
                .header("content-type", json)
                .header("content-encoding", "gzip")
                .bearer_auth(&token),
            415,
            "unsupported_media_type",
        ),
        (
            "no such path",
            post("/v1/pos/authorisations")
                .header("content-type", json)
                .bearer_auth(&token),
            404,
            "not_found",
        ),
        (
            "wrong method",
            http.delete(format!("{base}{AUTHORIZATIONS}"))
                .bearer_auth(&token),
            405,
            "method_not_allowed",
        ),
        (
            "a request nobody made",
            http.get(format!("{base}/v1/pos/requests/nobody"))
                .bearer_auth(&token),
            404,
            "unknown_resource",
        ),
    ];
    for (what, request, status, word) in cases {
        let reply = acceptance::reply::Reply::read(request.send().await?).await?;
        expect_problem(&counter, what, &reply, status, word).await;
    }
    counter.check(POINTS).await
}

/// The token's claims under a header that asks for no signature.
fn unsigned(token: &str) -> String {
    let claims = token.split('.').nth(1).expect("a JWT");
    // {"alg":"none","typ":"at+jwt"}
    format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}.")
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_add_up() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    for (what, pointer, value) in receipt_cases() {
        let mut body = counter.good_purchase().await;
        *body.pointer_mut(pointer).expect(pointer) = value;
        let reply = counter.post(PURCHASES, body.to_string()).await;
        expect_problem(&counter, what, &reply, 422, "validation_failed").await;
        let named = reply.word("/errors/0/pointer");
        let cross = ["/receipt/total", "/receipt/tax", "/receipt/lines/1/line_no"];
        assert!(
            named.starts_with("/receipt")
                && (pointer.starts_with(&named) || cross.contains(&&*named)),
            "{what}: {pointer} is wrong, {named} is blamed"
        );
    }
    many_lines(&mut counter).await;
    let mut both = counter.good_purchase().await;
    both["authorization_id"] = json!("018f0000-0000-7000-8000-000000000000");
    let mut neither = counter.good_purchase().await;
    neither.as_object_mut().expect("an object").remove("card");
    for (what, body) in [("card and hold", both), ("neither card nor hold", neither)] {
        let reply = counter.post(PURCHASES, body.to_string()).await;
        expect_problem(&counter, what, &reply, 422, "validation_failed").await;
    }
    for (what, day) in [("long ago", "1999-12-31"), ("far ahead", "2999-01-01")] {
        let mut body = counter.good_purchase().await;
        body["receipt"]["business_date"] = json!(day);
        let reply = counter.post(PURCHASES, body.to_string()).await;
        expect_decline(what, &reply, Reason::BusinessDateNotOpen);
    }
    counter.check(POINTS).await
}

fn receipt_cases() -> Vec<(&'static str, &'static str, Value)> {
    let long = "x".repeat(201);
    vec![
        ("a total that is not the sum", "/receipt/total", json!(801)),
        (
            "a line that is not in the sum",
            "/receipt/lines/0/amount",
            json!(301),
        ),
        ("a negative line", "/receipt/lines/0/amount", json!(-300)),
        ("half a yen", "/receipt/lines/0/amount", json!(300.5)),
        (
            "a line above every amount",
            "/receipt/lines/0/amount",
            json!(1_000_000_000_001_i64),
        ),
        (
            "a line that overflows",
            "/receipt/lines/0/amount",
            json!(u64::MAX),
        ),
        (
            "lines whose sum is above every amount",
            "/receipt/lines/0/amount",
            json!(1_000_000_000_000_i64),
        ),
        ("more tax than total", "/receipt/tax", json!(801)),
        ("no pieces", "/receipt/lines/0/quantity", json!(0)),
        ("negative pieces", "/receipt/lines/0/quantity", json!(-1)),
        (
            "too many pieces",
            "/receipt/lines/0/quantity",
            json!(4_294_967_296_i64),
        ),
        (
            "a tax rate above 100 %",
            "/receipt/lines/0/tax_rate",
            json!(101),
        ),
        (
            "a tax rate above 255 %",
            "/receipt/lines/0/tax_rate",
            json!(256),
        ),
        (
            "one line number twice",
            "/receipt/lines/0/line_no",
            json!(2),
        ),
        ("no lines", "/receipt/lines", json!([])),
        ("no number", "/receipt/number", json!("")),
        (
            "a number with a control character",
            "/receipt/number",
            json!("R\u{7}1"),
        ),
        ("a long name", "/receipt/lines/1/name", json!(long)),
        ("no category", "/receipt/lines/1/category", json!("")),
        ("no day", "/receipt/business_date", json!("2026-02-30")),
        (
            "a day with a time",
            "/receipt/business_date",
            json!("2026-02-03T00:00:00Z"),
        ),
        ("no time", "/receipt/occurred_at", json!("yesterday")),
        (
            "a time without a zone",
            "/receipt/occurred_at",
            json!("2026-02-03T00:00:00"),
        ),
        ("no receipt", "/receipt", json!(null)),
    ]
}

async fn many_lines(counter: &mut Counter) {
    let lines = |count: u32, name: &str| -> Value {
        let line = |line_no| {
            json!({"line_no": line_no, "sku": "s", "name": name, "category": "c",
                   "quantity": 1, "amount": 1, "tax_rate": 8})
        };
        (1..=count).map(line).collect()
    };
    for (count, status, word) in [
        (1_001, 422, "validation_failed"),
        (10_000, 413, "body_too_large"),
    ] {
        let mut body = counter.good_purchase().await;
        body["receipt"]["lines"] = lines(count, "n");
        body["receipt"]["total"] = json!(count);
        body["receipt"]["tax"] = json!(0);
        let reply = counter.post(PURCHASES, body.to_string()).await;
        let what = format!("{count} lines");
        expect_problem(counter, &what, &reply, status, word).await;
    }
    // As many as there may be, with names as long as they may be: no problem, only too dear.
    let mut body = counter.good_purchase().await;
    body["receipt"]["lines"] = lines(1_000, &"長".repeat(100));
    body["receipt"]["total"] = json!(1_000);
    body["receipt"]["tax"] = json!(0);
    body["redeem_points"] = json!(1_001);
    let reply = counter.post(PURCHASES, body.to_string()).await;
    expect_decline("1,000 lines", &reply, Reason::AboveReceiptTotal);
}
