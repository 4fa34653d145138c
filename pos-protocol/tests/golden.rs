//! The golden messages are what this crate reads and writes, field by field.

use std::{fs, path::PathBuf};

use pos_protocol::{
    AuthorizationAnswer, AuthorizationRequest, DeclineAnswer, InquiryAnswer, InquiryRequest,
    PurchaseAnswer, PurchaseRequest, RefundAnswer, RefundRequest, ReversalAnswer, ReversalRequest,
    SettlementAnswer, SettlementRequest, VoidAnswer, VoidRequest,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Every golden message, by file name.
fn golden() -> Vec<(String, Value)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "golden"].iter().collect();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        found.push((name, serde_json::from_str(&text).unwrap()));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

fn same<T: DeserializeOwned + Serialize>(name: &str, json: &Value) {
    let read: T = serde_json::from_value(json.clone())
        .unwrap_or_else(|error| panic!("{name} is not read: {error}"));
    assert_eq!(serde_json::to_value(&read).unwrap(), *json, "{name}");
}

/// What is read and written again, by the path's last word.
fn check(name: &str, path: &str, request: &Value, answer: &Value) -> bool {
    let approved = answer["outcome"] == "approved";
    match (path.rsplit('/').next().unwrap(), approved) {
        ("inquiries", _) => same::<InquiryRequest>(name, request),
        ("authorizations", _) => same::<AuthorizationRequest>(name, request),
        ("void", _) => same::<VoidRequest>(name, request),
        ("purchases", _) => same::<PurchaseRequest>(name, request),
        ("refunds" | "refund-quotes", _) => same::<RefundRequest>(name, request),
        ("reversals", _) => same::<ReversalRequest>(name, request),
        ("settlements", _) => same::<SettlementRequest>(name, request),
        _ => return false,
    }
    match (path.rsplit('/').next().unwrap(), approved) {
        (_, false) => same::<DeclineAnswer>(name, answer),
        ("inquiries", _) => same::<InquiryAnswer>(name, answer),
        ("authorizations", _) => same::<AuthorizationAnswer>(name, answer),
        ("void", _) => same::<VoidAnswer>(name, answer),
        ("purchases", _) => same::<PurchaseAnswer>(name, answer),
        ("refunds" | "refund-quotes", _) => same::<RefundAnswer>(name, answer),
        ("reversals", _) => same::<ReversalAnswer>(name, answer),
        _ => same::<SettlementAnswer>(name, answer),
    }
    true
}

#[test]
fn golden_messages_are_read_and_written_the_same() {
    let (mut messages, mut problems) = (0, 0);
    for (name, golden) in golden() {
        let (request, answer) = (&golden["request"], &golden["answer"]);
        let path = request["path"].as_str().unwrap();
        if answer["status"] == 200 && check(&name, path, &request["body"], &answer["body"]) {
            messages += 1;
        } else if answer["headers"]["content-type"] == "application/problem+json" {
            let body = &answer["body"];
            let kind = body["type"].as_str().unwrap();
            assert!(kind.starts_with("/problems/"), "{name}");
            assert_eq!(body["status"], answer["status"], "{name}");
            problems += 1;
        }
    }
    assert!(
        messages >= 35 && problems >= 7,
        "{messages} messages, {problems} problems"
    );
}

/// The client takes each for what it is.
#[cfg(feature = "client")]
#[test]
fn golden_answers_are_what_the_client_takes_them_for() {
    use pos_protocol::client::{Message, Reading};

    for (name, golden) in golden() {
        let (request, answer) = (&golden["request"], &golden["answer"]);
        let path = request["path"].as_str().unwrap();
        let body = || request["body"].clone();
        let message = match path.rsplit('/').next().unwrap() {
            "inquiries" => serde_json::from_value(body()).ok().map(Message::Inquiry),
            "authorizations" => serde_json::from_value(body())
                .ok()
                .map(Message::Authorization),
            "purchases" => serde_json::from_value(body()).ok().map(Message::Purchase),
            "reversals" => serde_json::from_value(body()).ok().map(Message::Reversal),
            "settlements" => serde_json::from_value(body()).ok().map(Message::Settlement),
            _ => None,
        };
        let Some(message) = message else { continue };
        assert_eq!(
            (message.path().as_str(), message.body()),
            (path, body()),
            "{name}"
        );
        let reading = message.read(&answer["body"]);
        match answer["body"]["outcome"].as_str() {
            Some("approved") => assert!(matches!(reading, Some(Reading::Approved(_))), "{name}"),
            Some("declined") => {
                let Some(Reading::Declined(decline)) = reading else {
                    panic!("{name}: {reading:?}")
                };
                let reason = decline.known().expect("a known reason");
                let code = serde_json::to_value(reason.response_code()).unwrap();
                assert_eq!(code, answer["body"]["response_code"], "{name}");
            }
            _ => assert_eq!(reading, None, "{name}"),
        }
    }
}
