//! Messages as the platforms document them, and what they must be understood as.
//!
//! Each `tests/fixtures/<platform>/<name>.json` has its meaning beside it in `<name>.expected.json`. After a
//! wanted change, `EC_FIXTURES_SAVE=1 cargo test -p ec` writes the meanings anew; read the difference.

use std::{fs, path::PathBuf};

use ec::{NotUnderstood, Parsed, Platform, ec_cube, parse};
use serde_json::{Value, json};

const SHOPIFY: &[(&str, &str)] = &[
    ("orders/create", "orders_create"),
    ("orders/create", "orders_create_dollars"),
    ("orders/create", "orders_create_fraction"),
    ("orders/create", "orders_create_too_much_tax"),
    ("orders/paid", "orders_paid_tax_excluded"),
    ("orders/paid", "orders_paid_discount_untold"),
    ("orders/partially_fulfilled", "orders_partially_fulfilled"),
    ("orders/updated", "orders_updated_refunded"),
    ("orders/updated", "orders_updated_edited"),
    ("orders/edited", "orders_edited"),
    ("orders/cancelled", "orders_cancelled_guest"),
    ("refunds/create", "refunds_create"),
    ("refunds/create", "refunds_create_amount_only"),
    ("refunds/create", "refunds_create_shipping_line"),
];

const WOO_COMMERCE: &[(&str, &str)] = &[
    ("order.created", "order_processing"),
    ("order.updated", "order_updated_two_decimals"),
    ("order.updated", "order_completed_partly_refunded"),
    ("order.updated", "order_refunded"),
    ("order.updated", "order_refunded_by_hand"),
    ("order.created", "order_pending_guest"),
    ("order.created", "order_cash_on_delivery"),
    ("order.restored", "order_on_hold_negative_fee"),
    ("order.updated", "order_failed"),
    ("order.updated", "order_cancelled"),
    ("order.updated", "order_trash"),
    ("order.updated", "order_bad_authorization"),
    ("order.deleted", "order_deleted"),
];

const EC_CUBE_ORDERS: &[&str] = &[
    "order_new",
    "order_all_points",
    "order_paid_guest",
    "order_one_parcel_shipped",
    "order_delivered",
    "order_returned",
    "order_cancelled",
    "order_in_checkout",
    "order_gone",
    "order_refused",
];

fn folder(platform: Platform) -> &'static str {
    match platform {
        Platform::Shopify => "shopify",
        Platform::WooCommerce => "woo_commerce",
        Platform::EcCube4 => "ec_cube",
    }
}

fn path(platform: Platform, name: &str) -> PathBuf {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fixtures.join(folder(platform)).join(name)
}

fn fixture(platform: Platform, name: &str) -> Vec<u8> {
    fs::read(path(platform, &format!("{name}.json"))).unwrap()
}

fn meaning(parsed: Result<Vec<Parsed>, NotUnderstood>) -> Value {
    let each = |parsed: Parsed| match parsed {
        Parsed::Statement(statement) => {
            assert_eq!(statement.violation(), None);
            serde_json::to_value(statement).unwrap()
        }
        Parsed::FetchOrder { id } => json!({ "fetch_order": id }),
        Parsed::Ignored(why) => json!({ "ignored": why }),
    };
    match parsed {
        Ok(parsed) => parsed.into_iter().map(each).collect(),
        Err(refusal) => json!({ "not_understood": refusal.to_string() }),
    }
}

fn check(platform: Platform, name: &str, parsed: Result<Vec<Parsed>, NotUnderstood>) {
    let got = meaning(parsed);
    let beside = path(platform, &format!("{name}.expected.json"));
    if std::env::var_os("EC_FIXTURES_SAVE").is_some() {
        let text = serde_json::to_string_pretty(&got).unwrap() + "\n";
        fs::write(&beside, text).unwrap();
    }
    let expected: Value = serde_json::from_slice(&fs::read(&beside).unwrap()).unwrap();
    assert_eq!(got, expected, "{platform} {name}");
}

#[test]
fn shopify() {
    for (topic, name) in SHOPIFY {
        let body = fixture(Platform::Shopify, name);
        check(
            Platform::Shopify,
            name,
            parse(Platform::Shopify, topic, &body),
        );
    }
}

#[test]
fn woo_commerce() {
    for (topic, name) in WOO_COMMERCE {
        let body = fixture(Platform::WooCommerce, name);
        check(
            Platform::WooCommerce,
            name,
            parse(Platform::WooCommerce, topic, &body),
        );
    }
}

#[test]
fn ec_cube() {
    let body = fixture(Platform::EcCube4, "webhook");
    let parsed = parse(Platform::EcCube4, "", &body);
    check(Platform::EcCube4, "webhook", parsed);
    for name in EC_CUBE_ORDERS {
        let answer = fixture(Platform::EcCube4, name);
        let parsed = ec_cube::parse_order(&answer).map(|parsed| vec![parsed]);
        check(Platform::EcCube4, name, parsed);
    }
}

#[test]
fn no_fixture_is_forgotten() {
    let orders = EC_CUBE_ORDERS.iter().copied();
    let known = [
        (Platform::Shopify, SHOPIFY.len()),
        (Platform::WooCommerce, WOO_COMMERCE.len()),
        (Platform::EcCube4, orders.chain(["webhook"]).count()),
    ];
    for (platform, count) in known {
        let files = fs::read_dir(path(platform, "")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let messages = names.filter(|name| !name.ends_with(".expected.json"));
        assert_eq!(messages.count(), count, "{platform}");
    }
}

#[test]
fn a_refund_reads_the_same_alone_and_in_its_order() {
    let statement = |topic: &str, name: &str| {
        let body = fixture(Platform::Shopify, name);
        match parse(Platform::Shopify, topic, &body).unwrap().remove(0) {
            Parsed::Statement(statement) => *statement,
            other => panic!("{other:?}"),
        }
    };
    let alone = statement("refunds/create", "refunds_create");
    let within = statement("orders/updated", "orders_updated_refunded");
    assert_eq!(alone.order_id, within.order_id);
    assert_eq!(alone.refunds, within.refunds);
}

#[test]
fn what_came_back_does_not_change_what_was_sold() {
    let placed = |topic: &str, name: &str| {
        let body = fixture(Platform::Shopify, name);
        match parse(Platform::Shopify, topic, &body).unwrap().remove(0) {
            Parsed::Statement(statement) => statement.placed.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let before = placed("orders/create", "orders_create");
    let after = placed("orders/updated", "orders_updated_refunded");
    assert_eq!(before.lines, after.lines);
    assert_eq!(before.total, after.total);
}

#[test]
fn a_message_of_another_platform_is_told() {
    let bodies = [
        (Platform::Shopify, "orders/paid", "orders_create"),
        (Platform::WooCommerce, "order.updated", "order_processing"),
        (Platform::EcCube4, "", "webhook"),
    ];
    for (from, _, name) in bodies {
        for (to, topic, _) in bodies {
            let parsed = parse(to, topic, &fixture(from, name));
            if from == to {
                assert!(parsed.is_ok(), "{from}");
            } else {
                assert_eq!(
                    parsed,
                    Err(NotUnderstood::AnotherPlatform(from)),
                    "{from} to {to}"
                );
            }
        }
    }
}

#[test]
fn bodies_that_are_no_json_are_refused() {
    let deep = "[".repeat(100_000);
    let deep_field = format!(r#"{{"id":1,"x":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
    for body in ["", "webhook_id=1", "{", deep.as_str(), deep_field.as_str()] {
        for (platform, topic) in [
            (Platform::Shopify, "orders/paid"),
            (Platform::WooCommerce, "order.updated"),
            (Platform::EcCube4, ""),
        ] {
            let parsed = parse(platform, topic, body.as_bytes());
            assert_eq!(parsed, Err(NotUnderstood::NotJson));
        }
    }
    assert_eq!(
        parse(Platform::Shopify, "orders/paid", b"\xff"),
        Err(NotUnderstood::NotJson)
    );
}

#[test]
fn an_id_is_told_exactly_or_refused() {
    let order = String::from_utf8(fixture(Platform::Shopify, "orders_create")).unwrap();
    for (id, told) in [
        ("18446744073709551615", Some("18446744073709551615")),
        (r#""gid-1""#, Some("gid-1")),
        // Beyond 64 bits a number is read as a float, which may be another id.
        ("18446744073709551617", None),
        ("1.0", None),
        ("-5", None),
        (r#""two words""#, None),
        ("[1]", None),
        ("null", None),
    ] {
        let body = order.replacen("5678901234567", id, 1);
        let parsed = parse(Platform::Shopify, "orders/create", body.as_bytes());
        let order_id = parsed.ok().map(|mut parsed| match parsed.remove(0) {
            Parsed::Statement(statement) => statement.order_id.to_string(),
            other => panic!("{other:?}"),
        });
        assert_eq!(order_id.as_deref(), told, "{id}");
    }
}

#[test]
fn topics_that_are_not_about_orders_are_not_even_read() {
    for (platform, topic) in [
        (Platform::Shopify, "products/update"),
        (Platform::WooCommerce, "coupon.created"),
    ] {
        let parsed = parse(platform, topic, b"?").unwrap();
        assert!(matches!(parsed[..], [Parsed::Ignored(_)]));
    }
}

#[test]
fn errors_and_debug_show_no_address() {
    let body = fixture(Platform::Shopify, "orders_create");
    let parsed = parse(Platform::Shopify, "orders/create", &body);
    assert!(!format!("{parsed:?}").contains("hanako@"));
    let broken = String::from_utf8(body).unwrap().replace("4870", "hanako@");
    let refusal = parse(Platform::Shopify, "orders/create", broken.as_bytes()).unwrap_err();
    assert!(!format!("{refusal} {refusal:?}").contains("hanako@"));
}
