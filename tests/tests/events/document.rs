//! `docs/asyncapi.yaml` against itself and against the code.

use std::collections::BTreeSet;

use acceptance::schemas::{self, DOCUMENT};
use gateway::cloud_event::CLOUD_EVENT_JSON;
use ledger::event::EventKind;
use serde_json::Value;

/// The fields that AsyncAPI 3.0 and the AMQP binding 0.4.0 give each object, as far as the document
/// uses the object.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "asyncapi",
            "id",
            "info",
            "servers",
            "defaultContentType",
            "channels",
            "operations",
            "components",
        ],
    ),
    (
        "/info",
        &[
            "title",
            "version",
            "description",
            "termsOfService",
            "contact",
            "license",
            "tags",
            "externalDocs",
        ],
    ),
    (
        "/servers/*",
        &[
            "host",
            "protocol",
            "protocolVersion",
            "pathname",
            "description",
            "title",
            "summary",
            "variables",
            "security",
            "tags",
            "externalDocs",
            "bindings",
        ],
    ),
    (
        "/channels/*",
        &[
            "address",
            "messages",
            "title",
            "summary",
            "description",
            "servers",
            "parameters",
            "tags",
            "externalDocs",
            "bindings",
        ],
    ),
    (
        "/channels/*/bindings/amqp",
        &[
            "is",
            "name",
            "channel",
            "exchange",
            "queue",
            "bindingVersion",
        ],
    ),
    (
        "/channels/*/bindings/amqp/exchange",
        &["name", "type", "durable", "autoDelete", "vhost"],
    ),
    (
        "/channels/*/bindings/amqp/queue",
        &["name", "durable", "exclusive", "autoDelete", "vhost"],
    ),
    (
        "/operations/*",
        &[
            "action",
            "channel",
            "title",
            "summary",
            "description",
            "security",
            "tags",
            "externalDocs",
            "bindings",
            "traits",
            "messages",
            "reply",
        ],
    ),
    (
        "/operations/*/bindings/amqp",
        &[
            "expiration",
            "userId",
            "cc",
            "priority",
            "deliveryMode",
            "mandatory",
            "bcc",
            "timestamp",
            "ack",
            "bindingVersion",
        ],
    ),
    (
        "/components",
        &[
            "schemas",
            "servers",
            "channels",
            "operations",
            "messages",
            "parameters",
        ],
    ),
    (
        "/components/messages/*",
        &[
            "headers",
            "payload",
            "correlationId",
            "contentType",
            "name",
            "title",
            "summary",
            "description",
            "tags",
            "externalDocs",
            "bindings",
            "examples",
            "traits",
        ],
    ),
    (
        "/components/messages/*/payload",
        &["schemaFormat", "schema"],
    ),
    (
        "/components/messages/*/bindings/amqp",
        &["contentEncoding", "messageType", "bindingVersion"],
    ),
    (
        "/components/messages/*/examples/*",
        &["headers", "payload", "name", "summary"],
    ),
];

/// All values at a path whose steps may be `*`.
fn at<'d>(value: &'d Value, path: &str) -> Vec<&'d Value> {
    let Some((step, rest)) = path.strip_prefix('/').map(|path| {
        let (step, rest) = path.split_once('/').unwrap_or((path, ""));
        let rest = if rest.is_empty() {
            String::new()
        } else {
            format!("/{rest}")
        };
        (step, rest)
    }) else {
        return vec![value];
    };
    let inner: Vec<&Value> = match (step, value) {
        ("*", Value::Object(fields)) => fields.values().collect(),
        ("*", Value::Array(values)) => values.iter().collect(),
        _ => value.get(step).into_iter().collect(),
    };
    inner
        .into_iter()
        .flat_map(|value| at(value, &rest))
        .collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    let fields = value.as_object().expect("an object");
    fields.keys().map(String::as_str).collect()
}

/// What a reference object leads to.
fn target(reference: &Value) -> &'static Value {
    let pointer = reference["$ref"].as_str().expect("a reference");
    let pointer = pointer.strip_prefix('#').expect("into this document");
    DOCUMENT
        .pointer(pointer)
        .unwrap_or_else(|| panic!("{pointer} leads nowhere"))
}

fn every_reference<'d>(value: &'d Value, found: &mut Vec<&'d Value>) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("$ref") {
                found.push(value);
            }
            fields
                .values()
                .for_each(|value| every_reference(value, found));
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| every_reference(value, found)),
        _ => {}
    }
}

#[test]
fn every_object_has_only_the_fields_that_asyncapi_gives_it() {
    assert_eq!(DOCUMENT["asyncapi"], "3.0.0");
    for (path, fields) in FIELDS {
        let found = at(&DOCUMENT, path);
        assert!(!found.is_empty(), "{path} is nowhere");
        for object in found {
            let more: Vec<_> = keys(object)
                .into_iter()
                .filter(|key| !fields.contains(key))
                .collect();
            assert_eq!(more, [""; 0], "{path}");
        }
    }
    for binding in ["/channels/*", "/operations/*", "/components/messages/*"] {
        for binding in at(&DOCUMENT, &format!("{binding}/bindings/amqp")) {
            assert_eq!(binding["bindingVersion"], "0.4.0");
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let mut references = Vec::new();
    every_reference(&DOCUMENT, &mut references);
    let used: BTreeSet<&str> = references
        .iter()
        .map(|reference| {
            target(reference);
            reference["$ref"].as_str().unwrap()
        })
        .collect();
    for part in ["schemas", "messages"] {
        for name in keys(&DOCUMENT["components"][part]) {
            let pointer = format!("#/components/{part}/{name}");
            assert!(used.contains(pointer.as_str()), "{pointer} is not used");
        }
    }
}

#[test]
fn channels_operations_and_messages_fit_together() {
    let messages = &DOCUMENT["components"]["messages"];
    for channel in at(&DOCUMENT, "/channels/*") {
        let listed: Vec<_> = at(channel, "/messages/*").into_iter().map(target).collect();
        let all = messages.as_object().unwrap().values();
        assert_eq!(
            listed.len(),
            all.len(),
            "a channel carries every type: {channel:#}"
        );
        assert!(all.into_iter().all(|message| listed.contains(&message)));
        let binding = &channel["bindings"]["amqp"];
        let (own, other) = match binding["is"].as_str() {
            Some("queue") => ("queue", "exchange"),
            Some("routingKey") => ("exchange", "queue"),
            other => panic!("a channel is {other:?}"),
        };
        assert_eq!(binding[own]["name"], channel["address"]);
        assert_eq!(binding[own]["durable"], true);
        assert!(binding.get(other).is_none());
        if own == "exchange" {
            // Where the exchange routes to is a queue of this document.
            assert_eq!(
                target(&binding["channel"])["bindings"]["amqp"]["is"],
                "queue"
            );
        }
    }
    for operation in at(&DOCUMENT, "/operations/*") {
        let pointer = operation["channel"]["$ref"].as_str().unwrap();
        let listed = at(operation, "/messages/*");
        let of_channel = keys(&target(&operation["channel"])["messages"]);
        let told: BTreeSet<_> = listed
            .iter()
            .map(|message| message["$ref"].as_str().unwrap())
            .map(|message| message.strip_prefix(pointer).expect("of its own channel"))
            .map(|message| message.strip_prefix("/messages/").unwrap())
            .collect();
        assert_eq!(told, of_channel);
    }
}

#[test]
fn every_kind_of_event_is_described_and_nothing_else_is() {
    let told: BTreeSet<_> = EventKind::ALL.iter().map(|kind| kind.word()).collect();
    let described: BTreeSet<_> = schemas::kinds().collect();
    assert_eq!(described, told);
    for message in at(&DOCUMENT, "/components/messages/*") {
        let kind = &message["name"];
        assert_eq!(message["contentType"], CLOUD_EVENT_JSON);
        assert_eq!(&message["bindings"]["amqp"]["messageType"], kind);
        let payload = &message["payload"];
        let format = "application/schema+json;version=draft-2020-12";
        assert_eq!(payload["schemaFormat"], format);
        assert_eq!(&payload["schema"]["properties"]["type"]["const"], kind);
        assert_eq!(payload["schema"]["unevaluatedProperties"], false);
        // What others build upon is closed: nothing is sent that is not described.
        let data = target(&payload["schema"]["properties"]["data"]);
        assert_eq!(data["additionalProperties"], false, "{kind}");
    }
    for limit in [
        "/components/schemas/*",
        "/components/schemas/*/properties/*",
    ] {
        for schema in at(&DOCUMENT, limit) {
            let shaped = schema["type"] == "object" && schema.get("properties").is_some();
            let open = ["allOf", "if"].iter().any(|key| schema.get(key).is_some())
                || schema["properties"].get("specversion").is_some();
            assert!(
                !shaped || open || schema["additionalProperties"] == false,
                "{schema:#}"
            );
        }
    }
}

#[test]
fn every_message_has_examples_and_they_are_right() {
    for message in at(&DOCUMENT, "/components/messages/*") {
        let examples = at(message, "/examples/*/payload");
        assert!(!examples.is_empty(), "{} has no example", message["name"]);
        for example in examples {
            assert_eq!(example["type"], message["name"]);
            assert_eq!(schemas::fault(example), None);
        }
    }
}

#[test]
fn what_is_not_as_described_is_found() {
    let example = |name: &str| {
        let pointer = format!("/components/messages/{name}/examples/0/payload");
        DOCUMENT.pointer(&pointer).cloned().expect("an example")
    };
    type Change = fn(&mut Value);
    let changes: &[(&str, Change)] = &[
        ("an unknown type", |event| event["type"] = "x".into()),
        ("another subject", |event| {
            event["subject"] = "member/7".into();
        }),
        ("a field more", |event| {
            event["data"]["card"] = "text".into();
        }),
        ("an attribute more", |event| event["name"] = "Ann".into()),
        ("a field less", |event| {
            event["data"].as_object_mut().unwrap().remove("balance");
        }),
        ("a field less, deeper", |event| {
            let lines = &mut event["data"]["receipt"]["lines"];
            lines[0].as_object_mut().unwrap().remove("amount");
        }),
        ("points below zero", |event| {
            event["data"]["points_earned"] = (-1).into();
        }),
        ("a number for a text", |event| {
            event["streamsequence"] = 7.into();
        }),
        ("a place that is no number", |event| {
            event["membersequence"] = "0".into();
        }),
        ("local time", |event| {
            event["time"] = "2026-11-22T12:00:00+09:00".into();
        }),
        ("lines and their absence", |event| {
            event["data"]["receipt"]["lines_left_out"] = 1.into();
        }),
        ("lines left out and no place to find them", |event| {
            let receipt = event["data"]["receipt"].as_object_mut().unwrap();
            receipt.remove("lines");
            receipt.insert("lines_left_out".into(), 1.into());
        }),
        ("lines there and a place to find them", |event| {
            event["dataref"] = format!("/v1/events/{}", event["id"].as_str().unwrap()).into();
        }),
    ];
    for (what, change) in changes {
        let mut event = example("PurchaseCompleted");
        assert_eq!(schemas::fault(&event), None);
        change(&mut event);
        assert!(schemas::fault(&event).is_some(), "{what}");
    }
    let pointer = "/components/messages/PurchaseCompleted/examples/1/payload";
    let order = DOCUMENT.pointer(pointer).expect("an example");
    assert_eq!(schemas::fault(order), None);
    let changes: &[(&str, Change)] = &[
        ("an order of no shop", |event| {
            event["data"]["shop_id"] = Value::Null;
        }),
        ("a till's sale of an order", |event| {
            event["data"]["channel"] = "store".into();
        }),
    ];
    for (what, change) in changes {
        let mut event = order.clone();
        change(&mut event);
        assert!(schemas::fault(&event).is_some(), "{what}");
    }
    let mut event = example("SettlementRecorded");
    event["partitionkey"] = event["id"].clone();
    assert!(schemas::fault(&event).is_some(), "an event of no member");
}
