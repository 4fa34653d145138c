//! Whatever comes, reading gives a value; whatever a statement says is well-formed; what nobody reads does
//! not matter.

use std::{fs, path::PathBuf};

use ec::{
    Parsed, Platform,
    delivery::{self, Arrival},
    ec_cube, parse, sample, signature,
};
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use serde_json::Value;

const TOPICS: [(Platform, &str); 4] = [
    (Platform::Shopify, "orders/updated"),
    (Platform::Shopify, "refunds/create"),
    (Platform::WooCommerce, "order.updated"),
    (Platform::EcCube4, ""),
];

const FIXTURES: [(Platform, &str, &str); 5] = [
    (
        Platform::Shopify,
        "orders/updated",
        "shopify/orders_updated_refunded",
    ),
    (
        Platform::Shopify,
        "refunds/create",
        "shopify/refunds_create",
    ),
    (
        Platform::WooCommerce,
        "order.updated",
        "woo_commerce/order_completed_partly_refunded",
    ),
    (Platform::EcCube4, "", "ec_cube/webhook"),
    // Read as the answer to a query.
    (Platform::EcCube4, "answer", "ec_cube/order_returned"),
];

fn read(platform: Platform, topic: &str, body: &[u8]) -> Option<Vec<Parsed>> {
    let parsed = if topic == "answer" {
        ec_cube::parse_order(body).map(|parsed| vec![parsed])
    } else {
        parse(platform, topic, body)
    };
    let parsed = parsed.ok()?;
    for parsed in &parsed {
        if let Parsed::Statement(statement) = parsed {
            assert_eq!(statement.violation(), None);
        }
    }
    Some(parsed)
}

fn fixture(name: &str) -> Value {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    serde_json::from_slice(&fs::read(fixtures.join(format!("{name}.json"))).unwrap()).unwrap()
}

fn any_json() -> impl Strategy<Value = Value> {
    let keys = prop_oneof![
        "[a-z_]{0,12}",
        prop::sample::select(vec![
            "id",
            "currency",
            "line_items",
            "total",
            "total_price",
            "quantity",
            "price",
            "refunds",
            "status",
            "data",
            "order",
            "OrderItems",
            "updated_at",
            "created_at",
            "entity",
            "action",
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..3000_u32).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "-?[0-9]{1,14}(\\.[0-9]{0,8})?".prop_map(Value::from),
        prop::sample::select(vec![
            "JPY",
            "2026-03-29T09:01:05Z",
            "order",
            "updated",
            "completed"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(keys.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The places of a document, deepest last.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                places(value, &format!("{at}/{number}"), all);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                places(value, &format!("{at}/{key}"), all);
            }
        }
        _ => {}
    }
}

/// The same document with the fields of each object in another order, and unknown ones between them, some
/// of them twice.
fn scrambled(value: &Value, unknown: &str, seed: usize) -> String {
    match value {
        Value::Array(values) => {
            let all: Vec<String> = values
                .iter()
                .map(|value| scrambled(value, unknown, seed))
                .collect();
            format!("[{}]", all.join(","))
        }
        Value::Object(fields) => {
            let mut all = vec![
                format!(r#""unknown_{seed}":{unknown}"#),
                format!(r#""unknown_{seed}":{unknown}"#),
                format!(r#""未知":{unknown}"#),
            ];
            all.extend(fields.iter().map(|(key, value)| {
                let key = Value::from(key.as_str());
                format!("{key}:{}", scrambled(value, unknown, seed))
            }));
            let turns = seed % all.len();
            all.rotate_left(turns);
            if seed % 2 == 1 {
                all.reverse();
            }
            format!("{{{}}}", all.join(","))
        }
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn arbitrary_json_gives_a_value(json in any_json()) {
        let body = json.to_string();
        for (platform, topic) in TOPICS {
            let _ = read(platform, topic, body.as_bytes());
        }
        let _ = read(Platform::EcCube4, "answer", body.as_bytes());
    }

    #[test]
    fn arbitrary_bytes_give_a_value(body in vec(any::<u8>(), 0..80)) {
        for (platform, topic) in TOPICS {
            let _ = read(platform, topic, &body);
            let _ = delivery::read(platform, |_| None, &body);
        }
    }

    /// One place of a real message replaced by anything: still a value, and no statement that is malformed.
    #[test]
    fn damaged_messages_give_a_value(at in any::<prop::sample::Index>(), which in 0..FIXTURES.len(), json in any_json()) {
        let (platform, topic, name) = FIXTURES[which];
        let mut document = fixture(name);
        let mut all = Vec::new();
        places(&document, "", &mut all);
        *document.pointer_mut(&all[at.index(all.len())]).unwrap() = json;
        let _ = read(platform, topic, document.to_string().as_bytes());
    }

    #[test]
    fn unknown_fields_and_the_order_of_fields_do_not_matter(unknown in any_json(), seed in 0..200_usize) {
        for (platform, topic, name) in FIXTURES {
            let document = fixture(name);
            let plain = read(platform, topic, document.to_string().as_bytes());
            let other = scrambled(&document, &unknown.to_string(), seed);
            prop_assert!(plain.is_some());
            prop_assert_eq!(read(platform, topic, other.as_bytes()), plain);
        }
    }

    /// Whatever the platform's total is, the statement adds up to it.
    #[test]
    fn statements_add_up_to_the_total(total in 500..2_000_000_u32) {
        let mut document = fixture("shopify/orders_create");
        document["total_price"] = Value::from(total.to_string());
        let parsed = read(Platform::Shopify, "orders/create", document.to_string().as_bytes());
        let Some([Parsed::Statement(statement)]) = parsed.as_deref() else { panic!() };
        let placed = statement.placed.as_ref().unwrap();
        prop_assert_eq!(placed.total.get(), i64::from(total));
        // The two lines stay in proportion, 2916 to 1404, to within a yen.
        let (first, second) = (placed.lines[0].amount.get(), placed.lines[1].amount.get());
        prop_assert!((first * 1404 - second * 2916).abs() <= 4320);
    }
}

#[test]
fn a_sample_is_believed_and_understood() {
    let secret = signature::WebhookSecret::new("a-secret-for-the-sample").unwrap();
    let now = "2026-11-22T01:02:03.456Z".parse().unwrap();
    for platform in Platform::ALL {
        let sample = sample(platform, &secret, 4711, Some("tea.example.jp"), now);
        let header = |name: &str| {
            let mut all = sample.headers.iter();
            all.find(|(at, _)| *at == name)
                .map(|(_, text)| text.as_str())
        };
        let signed = header(signature::header_name(platform));
        let secrets = [secret.clone()];
        assert_eq!(
            signature::verify(platform, &secrets, signed, &sample.body),
            Ok(())
        );
        let Arrival::Webhook(delivery) = delivery::read(platform, header, &sample.body) else {
            panic!("{platform}")
        };
        assert!(delivery.is_timely(now, jiff::SignedDuration::ZERO));
        assert!(delivery.is_from(Some("tea.example.jp")));
        let parsed = read(platform, &delivery.topic, &sample.body).unwrap();
        match &parsed[..] {
            [Parsed::FetchOrder { id }] => {
                assert_eq!((platform, id.as_str()), (Platform::EcCube4, "4711"));
                let query = ec_cube::order_query(id);
                assert_eq!(query["variables"]["id"], "4711");
            }
            [Parsed::Statement(statement)] => {
                assert_eq!(statement.order_id.as_str(), "4711");
                let placed = statement.placed.as_ref().unwrap();
                assert_eq!((placed.total.get(), placed.shipping_fee.get()), (3790, 550));
                assert_eq!(
                    (placed.lines[0].amount.get(), placed.tax.get()),
                    (3240, 290)
                );
                assert!(statement.paid);
            }
            other => panic!("{other:?}"),
        }
    }
}
