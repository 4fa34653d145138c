//! `POST /v1/ec/orders` and `GET /v1/ec/orders/{order_id}`

use axum::{
    Json as Body,
    extract::{Request, State},
    http::StatusCode,
};
use jiff::Timestamp;
use pos_protocol::{MemberId, OrderId, OrderStatement, Points, PurchaseId};
use serde::Serialize;

use super::super::{
    App, Ec, PathId,
    json::{body, expect_json, one_or_many},
    openapi::Problems,
    problem::{Problem, ProblemKind},
};
use crate::{intake::STATEMENT_TOPIC, limits, store::NewMessage};

/// How many orders were taken.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Accepted {
    /// All of them.
    accepted: usize,
}

/// Say how orders stand: one statement, or an array of up to 100.
///
/// 202 means that all of them are kept, and will be booked within moments. A statement may be made twice,
/// late or out of order. Nothing is kept if one of them is malformed.
#[utoipa::path(
    post, path = "/v1/ec/orders", tag = "shop", security(("client" = ["ec"])),
    request_body = OrderStatement,
    responses((status = 202, description = "They are kept", body = Accepted), Problems),
)]
pub(super) async fn report(
    State(app): State<App>,
    ec: Ec,
    request: Request,
) -> Result<(StatusCode, Body<Accepted>), Problem> {
    app.secrets()?;
    expect_json(request.headers())?;
    let bytes = body(request, limits::WEBHOOK_BYTES_MAX).await?;
    let (statements, many) = one_or_many::<OrderStatement>(&bytes)?;
    if statements.is_empty() || statements.len() > limits::STATEMENTS_MAX {
        let detail = format!("An array has 1 to {} orders.", limits::STATEMENTS_MAX);
        return Err(Problem::invalid("", detail));
    }
    for (number, statement) in statements.iter().enumerate() {
        if let Some((pointer, detail)) = statement.violation() {
            let place = if many {
                format!("/{number}{pointer}")
            } else {
                pointer
            };
            return Err(Problem::invalid(place, detail));
        }
    }
    let (accepted, now) = (statements.len(), app.now());
    let message = |statement: &OrderStatement| NewMessage {
        id: app.clock().new_id(),
        shop_id: ec.shop.row.id.clone(),
        repeat_key: None,
        topic: STATEMENT_TOPIC.to_owned(),
        is_test: false,
        // What was read can be written.
        body: serde_json::to_vec(statement).unwrap_or_default(),
        received_at: now,
    };
    let messages = statements.iter().map(message).collect();
    app.intake().accept(app.secrets()?, messages).await?;
    Ok((StatusCode::ACCEPTED, Body(Accepted { accepted })))
}

/// An order as it is booked.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct OrderView {
    /// The order.
    order_id: OrderId,
    /// `placed`, `announced` (told of, not described yet), `anonymous` (nobody who could earn), `paid`,
    /// `partly_shipped`, `shipped`, `returned` or `cancelled`.
    state: &'static str,
    /// The last digits of the member's number.
    member_no: Option<String>,
    /// The purchase that stands for it.
    purchase_id: Option<PurchaseId>,
    /// Points earned that cannot be spent before the goods are shipped.
    points_pending: Points,
    /// Points earned that were made spendable, less what was taken back.
    points_available: Points,
    /// Points it was paid with, less what was given back.
    points_redeemed: Points,
    /// What is odd about it.
    remark: Option<String>,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

/// How an order of the shop is booked.
///
/// 404 means that nothing of it was booked yet.
#[utoipa::path(
    get, path = "/v1/ec/orders/{order_id}", tag = "shop", security(("client" = ["ec"])),
    params(("order_id" = OrderId, Path, description = "The shop's id of the order")),
    responses((status = 200, description = "The order", body = OrderView), Problems),
)]
pub(super) async fn look(
    State(app): State<App>,
    ec: Ec,
    PathId(order_id): PathId<OrderId>,
) -> Result<Body<OrderView>, Problem> {
    let order = app.store().order(&ec.shop.row.id, &order_id).await?;
    let order = order.ok_or_else(|| {
        Problem::new(
            ProblemKind::UnknownResource,
            "Nothing is booked of such an order.",
        )
    })?;
    let points = match order.purchase_id {
        Some(id) => app.store().purchase_points(id).await?,
        None => crate::store::OrderPoints::default(),
    };
    let member_no = match order.member_id {
        Some(id) => masked_number(&app, id).await?,
        None => None,
    };
    Ok(Body(OrderView {
        order_id: order.id,
        state: order.state.word(),
        member_no,
        purchase_id: order.purchase_id,
        points_pending: points.pending,
        points_available: points.available,
        points_redeemed: points.redeemed,
        remark: order.remark,
        changed_at: order.changed_at,
    }))
}

/// The number of the record that stands for the person, with most of it hidden.
pub(super) async fn masked_number(app: &App, id: MemberId) -> Result<Option<String>, Problem> {
    let mut at = id;
    for _ in 0..ledger::RECORDS_PER_PERSON_MAX {
        let Some(record) = app.store().member(at).await? else {
            return Ok(None);
        };
        match record.member.merged_into {
            Some(into) => at = into,
            None => return Ok(Some(record.member.number.masked())),
        }
    }
    Ok(None)
}
