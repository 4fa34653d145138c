//! Who is calling: extractors that a handler names to say who may call it.
//!
//! | extractor | proof |
//! | --- | --- |
//! | [`Pos`] | access token with scope `pos` that names a terminal |
//! | [`Admin`] | access token with scope `admin` |
//! | [`Ec`] | access token with scope `ec` of a client that is a shop's |
//! | [`Shopper`] | card proof by the key of an enrolled, good card |
//! | [`Peer`] | none: the address the connection comes from |
//!
//! Failed credentials count against the address they come from.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, header, request::Parts},
};
use ledger::{card_use::Till, member::CardStatus};
use member_card::CardId;
use pos_protocol::{MemberId, ShopId};

use super::{
    App,
    problem::{Problem, ProblemKind},
    proof::{self, Proof, Target},
    token::{self, Access},
};
use crate::{
    intake::KnownShop,
    store::{ClientScope, Role},
};

/// The address a connection comes from, put into every request by the server.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub SocketAddr);

/// The address of the caller: of the connection, or what the trusted proxies in front say.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

impl FromRequestParts<App> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Ok(peer(parts, app))
    }
}

fn peer(parts: &Parts, app: &App) -> Peer {
    let direct = parts.extensions.get::<PeerAddress>();
    let direct = direct.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    Peer(forwarded(parts, app.settings().trusted_proxies).unwrap_or(direct))
}

/// The address that the outermost trusted proxy saw: each proxy appends the one it sees.
fn forwarded(parts: &Parts, trusted_proxies: usize) -> Option<IpAddr> {
    const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    let from_the_right = trusted_proxies.checked_sub(1)?;
    let values: Vec<_> = parts.headers.get_all(FORWARDED_FOR).iter().collect();
    let hops = values
        .iter()
        .rev()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.rsplit(','));
    let hop = hops.map(str::trim).nth(from_the_right)?;
    hop.parse().ok()
}

/// The text after `Authorization: Bearer`.
fn bearer(parts: &Parts) -> Result<&str, Problem> {
    let missing = || {
        Problem::new(
            ProblemKind::Unauthenticated,
            "The header `Authorization: Bearer …` is missing.",
        )
    };
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(missing)?;
    if values.next().is_some() {
        return Err(missing());
    }
    let text = value.to_str().map_err(|_| missing())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(missing())
    }
}

/// A client whose token and standing are good.
pub(super) struct Known {
    pub(super) access: Arc<Access>,
    shop_id: Option<ShopId>,
    pub(super) role: Option<Role>,
}

async fn client(parts: &Parts, app: &App) -> Result<Known, Problem> {
    let access = app
        .tokens
        .check(&app.keys, bearer(parts)?, app.now())
        .await?;
    if access.role.is_some() {
        // Signed in with OpenID, a short while ago: no client stands behind it.
        let role = access.role;
        return Ok(Known {
            access,
            shop_id: None,
            role,
        });
    }
    let standing = app.clients.standing(&access.client_id).await?;
    let standing = standing.ok_or_else(|| token::refused("its client is no longer enabled"))?;
    let still = access.scopes.is_subset(&standing.scopes)
        && (access.till.is_none() || access.till == standing.till);
    if !still {
        return Err(token::refused("its client may no longer do what it says"));
    }
    Ok(Known {
        access,
        shop_id: standing.shop_id.clone(),
        role: standing.role,
    })
}

async fn client_with(parts: &Parts, app: &App, scope: ClientScope) -> Result<Arc<Access>, Problem> {
    known_with(parts, app, scope)
        .await
        .map(|known| known.access)
}

pub(super) async fn known_with(
    parts: &Parts,
    app: &App,
    scope: ClientScope,
) -> Result<Known, Problem> {
    let known = match client(parts, app).await {
        Ok(known) => known,
        Err(problem) => return Err(counted(problem, parts, app)),
    };
    app.rates.client(&known.access.client_id)?;
    if known.access.scopes.contains(&scope) {
        Ok(known)
    } else {
        Err(Problem::new(
            ProblemKind::InsufficientScope,
            format!("The call needs the scope {}.", scope.word()),
        ))
    }
}

/// A shop's system.
#[derive(Debug, Clone)]
pub struct Ec {
    /// The name of its client.
    pub client_id: Arc<str>,
    /// Its shop.
    pub shop: Arc<KnownShop>,
}

impl FromRequestParts<App> for Ec {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let known = known_with(parts, app, ClientScope::Ec).await?;
        let none = |detail: &'static str| Problem::new(ProblemKind::InsufficientScope, detail);
        let shop_id = known
            .shop_id
            .ok_or_else(|| none("The client has no shop."))?;
        let shop = app.intake().shops().get(&shop_id, app.now()).await?;
        Ok(Self {
            client_id: known.access.client_id.clone(),
            shop: shop.ok_or_else(|| none("The client's shop is disabled."))?,
        })
    }
}

/// A failed credential, or that its address has failed too often.
fn counted(problem: Problem, parts: &Parts, app: &App) -> Problem {
    if problem.kind().status() != axum::http::StatusCode::UNAUTHORIZED {
        return problem;
    }
    match app.rates.peer(peer(parts, app).0) {
        Ok(()) => problem,
        Err(limited) => limited,
    }
}

/// A till.
#[derive(Debug, Clone)]
pub struct Pos(pub Till);

impl FromRequestParts<App> for Pos {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let access = client_with(parts, app, ClientScope::Pos).await?;
        access.till.clone().map(Self).ok_or_else(|| {
            Problem::new(
                ProblemKind::InsufficientScope,
                "The client has no terminal.",
            )
        })
    }
}

/// A staff tool; the name of its client goes into what it changes.
#[derive(Debug, Clone)]
pub struct Admin(pub Arc<str>);

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let access = client_with(parts, app, ClientScope::Admin).await?;
        Ok(Self(access.client_id.clone()))
    }
}

/// A shopper's phone.
#[derive(Debug, Clone, Copy)]
pub struct Shopper {
    /// The card that signed.
    pub card_id: CardId,
    /// Whose card it is.
    pub member_id: MemberId,
}

impl FromRequestParts<App> for Shopper {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        // Anybody can invent proofs, and each costs a read: who invented too many gets none.
        app.rates.peer_has_some_left(peer(parts, app).0)?;
        let failed = |problem| counted(problem, parts, app);
        shopper(parts, app).await.map_err(failed)
    }
}

async fn shopper(parts: &Parts, app: &App) -> Result<Shopper, Problem> {
    let proof = Proof::parse(bearer(parts)?)?;
    let card = app.cards.now(proof.card_id()).await?;
    // An unknown card and a wrong signature look the same from outside.
    let refused = || proof::refused("it was not signed by the card's key");
    let card = card.ok_or_else(refused)?;
    let key = card.known.public_key().ok_or_else(refused)?;
    proof.check(key, &Target::of(parts), app)?;
    // Only now: nobody can use up another's rate. And before the status, which a revoked card asks for too.
    app.rates.card(proof.card_id())?;
    if card.status != CardStatus::Active {
        return Err(Problem::new(
            ProblemKind::CardRevoked,
            "The card was revoked.",
        ));
    }
    Ok(Shopper {
        card_id: proof.card_id(),
        member_id: card.known.member_id,
    })
}
