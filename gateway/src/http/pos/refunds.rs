//! `POST /v1/pos/purchases/{id}/refunds` and `…/refund-quotes`

use std::collections::BTreeSet;

use axum::{extract::State, response::Response};
use ledger::{card_use::Till, command::Ask};
use pos_protocol::{LINES_MAX, PurchaseId, RefundAnswer, RefundLine, RefundRequest};

use super::{
    super::{App, Json, PathId, Pos, openapi::Problems, problem::Problem},
    Asked, answer, fingerprint,
};

/// What would a refund do? The same numbers as the refund itself, and no effect.
#[utoipa::path(
    post, path = "/v1/pos/purchases/{id}/refund-quotes", tag = "till", security(("client" = ["pos"])),
    params(("id" = PurchaseId, Path, description = "The purchase")),
    request_body = RefundRequest,
    responses((status = 200, description = "Approved or declined", body = RefundAnswer), Problems),
)]
pub(super) async fn quote(
    State(app): State<App>,
    Pos(till): Pos,
    PathId(purchase_id): PathId<PurchaseId>,
    Json(request): Json<RefundRequest>,
) -> Result<Response, Problem> {
    ask(&app, till, purchase_id, request, true).await
}

/// Goods come back: spent points return to their lots, earned points are taken back pro rata.
#[utoipa::path(
    post, path = "/v1/pos/purchases/{id}/refunds", tag = "till", security(("client" = ["pos"])),
    params(("id" = PurchaseId, Path, description = "The purchase")),
    request_body = RefundRequest,
    responses((status = 200, description = "Approved or declined", body = RefundAnswer), Problems),
)]
pub(super) async fn refund(
    State(app): State<App>,
    Pos(till): Pos,
    PathId(purchase_id): PathId<PurchaseId>,
    Json(request): Json<RefundRequest>,
) -> Result<Response, Problem> {
    ask(&app, till, purchase_id, request, false).await
}

async fn ask(
    app: &App,
    till: Till,
    purchase_id: PurchaseId,
    request: RefundRequest,
    quote: bool,
) -> Result<Response, Problem> {
    if let Some(lines) = &request.lines {
        check(lines)?;
    }
    let operation = if quote { "refund_quote" } else { "refund" };
    let fingerprint = fingerprint(operation, &purchase_id.to_string(), &request);
    let member_hint = app.owner_of_purchase(purchase_id).await?;
    let RefundRequest { request_id, lines } = request;
    let ask = Ask::Refund {
        purchase_id,
        lines,
        quote,
    };
    answer(
        app,
        Asked {
            till,
            request_id,
            fingerprint,
            member_hint,
            ask,
        },
    )
    .await
}

/// Lines that come back are named once each, with at least one piece.
fn check(lines: &[RefundLine]) -> Result<(), Problem> {
    if lines.is_empty() || lines.len() > LINES_MAX {
        let detail = format!(
            "{} lines; name 1 to {LINES_MAX}, or leave `lines` out for the whole.",
            lines.len()
        );
        return Err(Problem::invalid("/lines", detail));
    }
    let mut seen = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        if line.quantity == 0 {
            return Err(Problem::invalid(
                format!("/lines/{index}/quantity"),
                "The quantity is zero.",
            ));
        }
        if !seen.insert(line.line_no) {
            return Err(Problem::invalid(
                format!("/lines/{index}/line_no"),
                "The line is named twice.",
            ));
        }
    }
    Ok(())
}
