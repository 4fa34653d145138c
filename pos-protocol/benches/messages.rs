//! What messages cost: reading requests, writing and reading answers.
//!
//! `cargo bench -p pos-protocol`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pos_protocol::{
    AuthorizationAnswer, AuthorizationRequest, DeclineAnswer, PurchaseRequest, Reason, RequestId,
};
use serde_json::json;

/// A text of 199 digits, as a scanner gives it.
fn card() -> String {
    format!("7001{}", "0123456789012".repeat(15))
}

fn authorization() -> String {
    json!({ "request_id": "till-1-000042", "basket_id": "basket-42", "card": card(), "points": 100 })
        .to_string()
}

fn purchase() -> String {
    let lines: Vec<_> = (1..=6)
        .map(|line_no| {
            json!({
                "line_no": line_no, "sku": format!("490177700{line_no:04}"),
                "name": "Green tea 600 ml", "category": "food", "quantity": 1, "amount": 298,
                "tax_rate": 8,
            })
        })
        .collect();
    let receipt = json!({
        "number": "R-0042", "business_date": "2026-11-22", "occurred_at": "2026-11-22T03:00:00Z",
        "lines": lines, "total": 1788, "tax": 132,
    });
    json!({
        "request_id": "till-1-000042", "basket_id": "basket-42", "card": card(), "receipt": receipt,
    })
    .to_string()
}

const ANSWER: &str = r#"{"outcome":"approved","response_code":"00","request_id":"till-1-000042",
"authorization":{"id":"019aa8c8-9d80-7000-8000-000000010001","approval_code":"000001","points":100,
"expires_at":"2026-11-22T03:30:00Z"},"points":{"available":900}}"#;

fn requests(c: &mut Criterion) {
    let (authorization, purchase) = (authorization(), purchase());
    let mut group = c.benchmark_group("read");
    group.bench_function("authorization", |b| {
        b.iter(|| serde_json::from_str::<AuthorizationRequest>(black_box(&authorization)).unwrap());
    });
    group.bench_function("purchase of six lines", |b| {
        b.iter(|| serde_json::from_str::<PurchaseRequest>(black_box(&purchase)).unwrap());
    });
    group.bench_function("answer", |b| {
        b.iter(|| serde_json::from_str::<AuthorizationAnswer>(black_box(ANSWER)).unwrap());
    });
    group.finish();
}

fn answers(c: &mut Criterion) {
    let approval: AuthorizationAnswer = serde_json::from_str(ANSWER).unwrap();
    let request_id = RequestId::new("till-1-000042").unwrap();
    let decline = DeclineAnswer::new(request_id, Reason::InsufficientPoints, None);
    let mut group = c.benchmark_group("write");
    group.bench_function("approval", |b| {
        b.iter(|| serde_json::to_string(black_box(&approval)).unwrap());
    });
    group.bench_function("decline", |b| {
        b.iter(|| serde_json::to_string(black_box(&decline)).unwrap());
    });
    group.finish();
}

criterion_group!(benches, requests, answers);
criterion_main!(benches);
