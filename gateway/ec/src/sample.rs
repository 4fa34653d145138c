//! A signed sample webhook, to try a shop's set-up without the shop.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    Platform,
    signature::{self, WebhookSecret},
};

/// A webhook as the platform would send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The headers, in the platform's own spelling.
    pub headers: Vec<(&'static str, String)>,
    /// The signed body.
    pub body: Vec<u8>,
}

/// A signed sample of a paid order with this id: a guest's, 2 pieces for 3,240 yen and 550 yen for shipping. It
/// names `domain` as its shop's; Shopify's name some domain at least.
///
/// The same arguments give the same sample. EC-CUBE's only names the order.
#[must_use]
pub fn sample(
    platform: Platform,
    secret: &WebhookSecret,
    order_number: u64,
    domain: Option<&str>,
    now: Timestamp,
) -> Sample {
    let body = match platform {
        Platform::Shopify => shopify(order_number, now),
        Platform::WooCommerce => woo_commerce(order_number, now),
        Platform::EcCube4 => {
            json!([{ "entity": "order", "id": order_number, "action": "updated" }])
        }
    };
    let body = body.to_string().into_bytes();
    let id = data_encoding::HEXLOWER.encode(&Sha256::digest(format!("{order_number} {now}"))[..16]);
    let mut headers = vec![
        ("Content-Type", "application/json".to_owned()),
        (
            signature::header_name(platform),
            signature::sign(platform, secret, &body),
        ),
    ];
    match (platform, domain) {
        (Platform::Shopify, domain) => {
            let domain = domain.unwrap_or("sample.myshopify.com");
            headers.push(("X-Shopify-Shop-Domain", domain.to_owned()));
        }
        (Platform::WooCommerce, Some(domain)) => {
            headers.push(("X-WC-Webhook-Source", format!("https://{domain}/")));
        }
        (Platform::EcCube4, Some(domain)) => {
            headers.push(("X-ECCUBE-URL", format!("https://{domain}/")));
        }
        (_, None) => {}
    }
    match platform {
        Platform::Shopify => headers.extend([
            ("X-Shopify-Topic", "orders/paid".to_owned()),
            ("X-Shopify-Webhook-Id", id.clone()),
            ("X-Shopify-Event-Id", id),
            ("X-Shopify-Triggered-At", now.to_string()),
            ("X-Shopify-Test", "true".to_owned()),
        ]),
        Platform::WooCommerce => headers.extend([
            ("X-WC-Webhook-Topic", "order.updated".to_owned()),
            ("X-WC-Webhook-Delivery-ID", id),
        ]),
        Platform::EcCube4 => {}
    }
    Sample { headers, body }
}

fn shopify(order_number: u64, now: Timestamp) -> Value {
    json!({
        "id": order_number,
        "name": format!("#{order_number}"),
        "currency": "JPY",
        "created_at": now.to_string(),
        "updated_at": now.to_string(),
        "financial_status": "paid",
        "fulfillment_status": null,
        "taxes_included": true,
        "total_price": "3790",
        "total_tax": "290",
        "line_items": [{
            "id": 1,
            "sku": "SAMPLE",
            "name": "Sample",
            "quantity": 2,
            "current_quantity": 2,
            "price": "1620",
            "tax_lines": [{ "rate": 0.08, "price": "240" }],
        }],
        "shipping_lines": [{ "price": "550", "discounted_price": "550" }],
        "refunds": [],
    })
}

fn woo_commerce(order_number: u64, now: Timestamp) -> Value {
    let gmt = now.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    json!({
        "id": order_number,
        "number": order_number.to_string(),
        "status": "processing",
        "currency": "JPY",
        "date_created_gmt": gmt,
        "date_modified_gmt": gmt,
        "date_paid_gmt": gmt,
        "prices_include_tax": true,
        "customer_id": 0,
        "total": "3790",
        "total_tax": "290",
        "shipping_total": "500",
        "shipping_tax": "50",
        "line_items": [{
            "id": 1,
            "sku": "SAMPLE",
            "name": "Sample",
            "quantity": 2,
            "total": "3000",
            "total_tax": "240",
            "taxes": [{ "id": 1, "total": "240" }],
        }],
        "tax_lines": [{ "rate_id": 1, "rate_percent": 8 }],
        "refunds": [],
    })
}
