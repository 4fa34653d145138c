//! Finding members, and all that is known of one. Who looks at a member is written to the access log first.

use std::collections::BTreeMap;

use axum::{
    Json as Body,
    extract::{Path, State, rejection::PathRejection},
};
use ledger::{calendar, member::MemberNo};
use member_card::CardId;
use personal_data::FieldError;
use pos_protocol::{MemberId, ShopId, TransferId};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        App, Json, PathId, Query,
        openapi::Problems,
        problem::{Problem, ProblemKind},
        shopper::history::change,
        staff::Staff,
    },
    adjustments,
};
use crate::{
    claims,
    desk::{
        Who,
        finding::{self, FindError, Told},
    },
    limits,
    person::{
        export,
        why::{Explanation, explain, gather},
    },
    store::{Access, Person, StoreError},
};

/// What is looked for: one of these.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct SearchRequest {
    /// A member's number.
    number: Option<String>,
    /// A card's id, 16 hex digits.
    card_id: Option<String>,
    /// The number on a plastic card or a wallet pass.
    card_number: Option<String>,
    /// An e-mail address.
    email: Option<String>,
    /// A telephone number.
    phone: Option<String>,
    /// A name in kana.
    kana: Option<String>,
    /// A date of birth, with `kana`.
    birthday: Option<String>,
    /// A shop, with `customer_id`.
    #[schema(value_type = Option<String>)]
    shop_id: Option<ShopId>,
    /// The shop's own customer number.
    customer_id: Option<String>,
}

type Found = BTreeMap<MemberId, &'static str>;

/// Find members.
#[utoipa::path(
    post, path = "/v1/admin/members/search", tag = "console", security(("client" = ["admin"])),
    request_body = SearchRequest,
    responses((status = 200, description = "Who was found", body = Value), Problems),
)]
pub(super) async fn search(
    State(app): State<App>,
    staff: Staff,
    Json(request): Json<SearchRequest>,
) -> Result<Body<Value>, Problem> {
    let found = found(&app, request).await?;
    note(&app, &staff, found.keys().copied(), "search", "console").await?;
    let mut members = Vec::with_capacity(found.len());
    for (id, how) in found {
        let Some(person) = app.store().person(id).await? else {
            continue;
        };
        let number = person.record(id).map(|record| record.number.to_string());
        members.push(json!({
            "member_id": id,
            "member_no": number,
            "person_no": person.root.number.as_str(),
            "how": how,
            "status": person.root.status.word(),
            "rank": person.root.rank,
            "available": person.total(|record| record.available),
            "records": person.records().count(),
            "erased": person.root.erased_at.is_some(),
        }));
    }
    Ok(Body(json!({ "members": members })))
}

async fn found(app: &App, request: SearchRequest) -> Result<Found, Problem> {
    let store = app.store();
    let of = |id: Option<MemberId>, how| id.into_iter().map(|id| (id, how)).collect();
    let misread = |what: &str| Problem::invalid(format!("/{what}"), "It is none.");
    let SearchRequest {
        number,
        card_id,
        card_number,
        email,
        phone,
        kana,
        birthday,
        shop_id,
        customer_id,
    } = request;
    if birthday.is_some() && kana.is_none() {
        return Err(Problem::invalid("/birthday", "It goes with `kana`."));
    }
    let customer = match (shop_id, customer_id) {
        (Some(shop), Some(customer)) => Some((shop, customer)),
        (None, None) => None,
        (Some(_), None) => return Err(Problem::invalid("/shop_id", "It goes with `customer_id`.")),
        (None, Some(_)) => return Err(Problem::invalid("/customer_id", "It goes with `shop_id`.")),
    };
    match (number, card_id, card_number, email, phone, kana, customer) {
        (Some(text), None, None, None, None, None, None) => {
            let text: String = text.chars().filter(char::is_ascii_digit).collect();
            let number = MemberNo::parse(&text).ok_or_else(|| misread("number"))?;
            let member = store.member_by_no(&number).await?;
            Ok(of(member.map(|member| member.id), "number"))
        }
        (None, Some(text), None, None, None, None, None) => {
            let id: CardId = text.parse().map_err(|_| misread("card_id"))?;
            let cards = store.cards(&[id].into()).await?;
            Ok(of(cards.first().map(|card| card.member_id), "card"))
        }
        (None, None, Some(text), None, None, None, None) => {
            let index = &app.secrets()?.index;
            let card = finding::card_of_number(store, index, &text).await?;
            Ok(of(card.map(|card| card.member_id), "card"))
        }
        (None, None, None, None, None, None, Some((shop, customer))) => {
            let index = &app.secrets()?.index;
            let key = claims::ec_customer(index, &shop, &customer).key;
            Ok(of(store.member_by_identity(key).await?, "proved"))
        }
        (None, None, None, Some(email), None, None, None) => told(app, Told::Email(email)).await,
        (None, None, None, None, Some(phone), None, None) => told(app, Told::Phone(phone)).await,
        (None, None, None, None, None, Some(kana), None) => {
            told(app, Told::Kana(kana, birthday)).await
        }
        _ => Err(Problem::invalid("", "Say one thing to look for.")),
    }
}

async fn told(app: &App, told: Told) -> Result<Found, Problem> {
    let index = &app.secrets()?.index;
    let in_force = app.store().programme().await?;
    let in_force = in_force.ok_or(StoreError::NoProgramme)?;
    let today = calendar::today(&in_force.programme, app.now());
    let found = finding::by_told(app.store(), index, today, &told).await;
    found.map_err(|error| match error {
        FindError::Store(error) => error.into(),
        FindError::Field(FieldError { field, fault }) => {
            Problem::invalid(format!("/{}", field.as_str()), format!("It {fault}."))
        }
    })
}

/// Notes that somebody is about to look at these records.
pub(super) async fn note(
    app: &App,
    staff: &Staff,
    records: impl IntoIterator<Item = MemberId>,
    what: &str,
    purpose: &str,
) -> Result<(), Problem> {
    let access = |member_id| Access {
        id: app.clock().new_id(),
        at: app.now(),
        member_id,
        actor: staff.actor.to_string(),
        what: what.to_owned(),
        purpose: purpose.to_owned(),
    };
    let accesses: Vec<_> = records.into_iter().map(access).collect();
    Ok(app.store().note_accesses(&accesses).await?)
}

/// All that is known of a member, without personal data.
#[utoipa::path(
    get, path = "/v1/admin/members/{member}", tag = "console", security(("client" = ["admin"])),
    params(("member" = String, Path, description = "Number or id")),
    responses((status = 200, description = "The whole person", body = Value), Problems),
)]
pub(super) async fn record(
    State(app): State<App>,
    staff: Staff,
    PathId(who): PathId<Who>,
) -> Result<Body<Value>, Problem> {
    let person = app.person_at(&who).await?;
    note(&app, &staff, person.ids(), "record", "console").await?;
    let ids = person.ids();
    let store = app.store();
    let holds = store.holds_of(&ids).await?;
    let merges = store.merges_of(&ids).await?;
    let profiles = store.profiles(&ids).await?;
    let proposals = store.proposals_of(&ids, limits::PROPOSALS_SHOWN_MAX);
    let proposals = proposals.await?;
    let accesses = store.newest_accesses(&ids, limits::ACCESSES_SHOWN_MAX);
    let accesses = accesses.await?;
    let now = app.now();
    let number = person.root.number.as_str();
    let proposals = proposals
        .iter()
        .map(|row| adjustments::proposal(row, number, now));
    let holds = holds.iter().map(|hold| {
        json!({
            "authorization_id": hold.id, "member_id": hold.member_id, "store_id": hold.store_id,
            "terminal_id": hold.terminal_id, "basket_id": hold.basket_id, "points": hold.points,
            "held_at": hold.held_at, "expires_at": hold.expires_at,
        })
    });
    let records = person.records().map(|row| {
        json!({
            "member_id": row.id, "member_no": row.number.as_str(), "merged_into": row.merged_into,
            "status": row.status.word(), "available": row.available, "held": row.held,
            "pending": row.pending, "owed": row.owed, "enrolled_at": row.enrolled_at,
            "earn_only_until": row.earn_only_until, "last_activity_on": row.last_activity_on,
        })
    });
    Ok(Body(json!({
        "member_id": person.root.id,
        "member_no": number,
        "status": person.root.status.word(),
        "rank": person.root.rank,
        "points": points(&person),
        "enrolled_at": person.root.enrolled_at,
        "erased_at": person.root.erased_at,
        "has_profile": !profiles.is_empty(),
        "records": records.collect::<Vec<_>>(),
        "identities": person.identities.iter().map(export::identity).collect::<Vec<_>>(),
        "cards": person.cards.iter().map(export::card).collect::<Vec<_>>(),
        "lots": person.lots.iter().map(export::lot).collect::<Vec<_>>(),
        "holds": holds.collect::<Vec<_>>(),
        "merges": merges.iter().map(export::merge).collect::<Vec<_>>(),
        "proposals": proposals.collect::<Vec<_>>(),
        "accesses": accesses.iter().map(export::access).collect::<Vec<_>>(),
    })))
}

/// A person's points over all records.
pub(super) fn points(person: &Person) -> Value {
    json!({
        "available": person.total(|record| record.available),
        "held": person.total(|record| record.held),
        "pending": person.total(|record| record.pending),
        "owed": person.total(|record| record.owed),
    })
}

/// Which page.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Only what came before this entry: `next` of the page before.
    #[serde(default)]
    #[param(value_type = Option<Uuid>)]
    pub(super) before: Option<Uuid>,
    /// Entries on the page: 1 to 100.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

impl PageQuery {
    pub(super) fn limit(&self) -> u32 {
        let limit = self.limit.unwrap_or(limits::HISTORY_PAGE_EVENTS_DEFAULT);
        limit.clamp(1, limits::HISTORY_PAGE_EVENTS_MAX)
    }
}

/// A page out of one more than it shows, and whether another one follows.
pub(super) fn page<T>(mut rows: Vec<T>, limit: u32) -> (Vec<T>, bool) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    (rows, more)
}

/// What happened to a member's points.
#[utoipa::path(
    get, path = "/v1/admin/members/{member}/history", tag = "console", security(("client" = ["admin"])),
    params(("member" = String, Path, description = "Number or id"), PageQuery),
    responses((status = 200, description = "A page, newest first", body = Value), Problems),
)]
pub(super) async fn history(
    State(app): State<App>,
    staff: Staff,
    PathId(who): PathId<Who>,
    Query(query): Query<PageQuery>,
) -> Result<Body<Value>, Problem> {
    let person = app.person_at(&who).await?;
    note(&app, &staff, person.ids(), "history", "console").await?;
    let limit = query.limit();
    let before = query.before.map(TransferId::new);
    let ask = limit.saturating_add(1);
    let rows = app
        .store()
        .person_history(&person.ids(), before, ask)
        .await?;
    let (rows, more) = page(rows, limit);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    let entries = rows.iter().map(|row| {
        json!({
            "id": row.id, "member_id": row.member_id, "at": row.at, "business_date": row.business_date,
            "motive": row.motive.word(), "points": row.points, "change": change(row),
            "debit": row.debit.word(), "credit": row.credit.word(), "lot_id": row.lot_id,
            "store_id": row.store_id, "source": row.source,
        })
    });
    let entries: Vec<_> = entries.collect();
    Ok(Body(json!({ "entries": entries, "next": next })))
}

/// Why are a member's points what they are?
#[utoipa::path(
    get, path = "/v1/admin/members/{member}/why/{entry}", tag = "console", security(("client" = ["admin"])),
    params(
        ("member" = String, Path, description = "Number or id"),
        ("entry" = Uuid, Path, description = "An entry of the history, a lot or a purchase"),
    ),
    responses((status = 200, description = "Why", body = Explanation), Problems),
)]
pub(super) async fn why(
    State(app): State<App>,
    staff: Staff,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Body<Explanation>, Problem> {
    let (who, entry): (Who, Uuid) = both(path)?;
    let person = app.person_at(&who).await?;
    note(&app, &staff, person.ids(), "why", "console").await?;
    let facts = gather(app.store(), &person, entry).await?;
    let facts = facts.ok_or_else(|| {
        Problem::new(
            ProblemKind::UnknownResource,
            "The member has no such entry, lot or purchase.",
        )
    })?;
    Ok(Body(explain(&facts)))
}

/// Both ids of a path.
pub(super) fn both<A, B>(
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<(A, B), Problem>
where
    A: std::str::FromStr,
    B: std::str::FromStr,
{
    let Path((first, second)) = path.map_err(|error| {
        Problem::new(ProblemKind::BadRequest, "The path cannot be read.").because(error)
    })?;
    let misread = || Problem::new(ProblemKind::ValidationFailed, "An id in the path is none.");
    let first = first.parse().map_err(|_| misread())?;
    let second = second.parse().map_err(|_| misread())?;
    Ok((first, second))
}

/// A member's orders in EC shops.
#[utoipa::path(
    get, path = "/v1/admin/members/{member}/orders", tag = "console", security(("client" = ["admin"])),
    params(("member" = String, Path, description = "Number or id")),
    responses((status = 200, description = "Orders, oldest first", body = Value), Problems),
)]
pub(super) async fn orders(
    State(app): State<App>,
    staff: Staff,
    PathId(who): PathId<Who>,
) -> Result<Body<Value>, Problem> {
    let person = app.person_at(&who).await?;
    note(&app, &staff, person.ids(), "orders", "console").await?;
    let orders = app.store().orders_of(&person.ids()).await?;
    let orders = orders.iter().map(|row| {
        json!({
            "shop_id": row.shop_id, "order_id": row.id, "member_id": row.member_id,
            "state": row.state.word(), "purchase_id": row.purchase_id, "remark": row.remark,
            "first_at": row.first_at, "changed_at": row.changed_at,
        })
    });
    let orders: Vec<_> = orders.collect();
    Ok(Body(json!({ "orders": orders })))
}
