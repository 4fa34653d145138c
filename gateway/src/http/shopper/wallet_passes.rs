//! `POST /v1/me/wallet-passes`

use axum::{
    Json as Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use ledger::{
    command::{IssueCard, Operation},
    decision::Answer,
    denial::Denial,
    member::{CardKind, CardStatus, Member},
};
use member_card::CardId;
use serde::{Deserialize, Serialize};
use wallet_pass::{
    CardNumber,
    apple::{self, Field, FieldValue, Fields, StaticNumber},
    google,
};

use super::{
    super::{
        App, Json, Shopper,
        openapi::Problems,
        pos::GENERATION,
        problem::{Problem, ProblemKind},
        random,
    },
    cards::revoked,
};
use crate::{
    claims::{self, NumberCard},
    limits,
    secrets::Secrets,
    store::StoreError,
    wallets::AppleWallet,
};

/// How many eleven-digit seeds a wallet number can be made of.
const NUMBERS: u64 = 100_000_000_000;
/// How often another number is drawn, should one be taken.
const DRAWS_MAX: u32 = 8;

/// Which wallet the pass is for.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WalletPassRequest {
    /// The wallet.
    kind: Wallet,
}

/// A wallet.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Wallet {
    /// Google Wallet: a rotating code that earns and spends.
    Google,
    /// Apple Wallet: a fixed number that earns only.
    Apple,
}

/// A pass for Google Wallet.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct GooglePassAnswer {
    /// Saves the pass on the phone that opens it. It holds the pass's secret and cannot be asked for again.
    save_link: String,
    /// The card the pass is; 16 hex digits.
    #[schema(value_type = String)]
    card_id: CardId,
    /// The last digits of its number.
    number_masked: String,
}

/// Make a pass for the phone's wallet: another card of the member, which can be revoked like any.
///
/// For Google it is a link; for Apple the answer is the pass itself, `application/vnd.apple.pkpass`.
#[utoipa::path(
    post, path = "/v1/me/wallet-passes", tag = "shopper", security(("card" = [])),
    request_body = WalletPassRequest,
    responses(
        (status = 201, description = "A pass", content(
            (GooglePassAnswer = "application/json"),
            (Vec<u8> = "application/vnd.apple.pkpass"),
        )),
        Problems,
    ),
)]
pub(super) async fn make(
    State(app): State<App>,
    shopper: Shopper,
    Json(request): Json<WalletPassRequest>,
) -> Result<Response, Problem> {
    let secrets = app.settings().secrets.as_ref();
    let secrets = secrets.ok_or_else(|| not_set_up("the file of secrets (`--secrets`)"))?;
    match request.kind {
        Wallet::Google => {
            let config = app.settings().wallets.google.as_ref();
            let config = config.ok_or_else(|| not_set_up("Google Wallet (`--google-wallet`)"))?;
            google_pass(&app, shopper, secrets, config).await
        }
        Wallet::Apple => {
            let wallet = app.settings().wallets.apple.as_ref();
            let wallet = wallet.ok_or_else(|| not_set_up("Apple Wallet (`--apple-wallet`)"))?;
            apple_pass(&app, shopper, secrets, wallet).await
        }
    }
}

fn not_set_up(what: &str) -> Problem {
    Problem::new(
        ProblemKind::NotSetUp,
        format!("The operator has not set up {what}."),
    )
}

async fn google_pass(
    app: &App,
    shopper: Shopper,
    secrets: &Secrets,
    config: &google::Config,
) -> Result<Response, Problem> {
    let member = member_with_room(app, shopper).await?;
    let draw = || {
        let number = CardNumber::from_seed(random::below(NUMBERS)?);
        let card = claims::wallet(&secrets.index, number.as_str());
        Ok((number, card))
    };
    let (number, card_id) = issue(app, shopper, CardKind::Wallet, draw).await?;
    let pass = google::Pass {
        key: &secrets.pass,
        number: &number,
        generation: GENERATION,
        account_id: member.number.as_str(),
        // Google need not know who it is, and the balance it was told would be old by tomorrow.
        account_name: None,
        points: None,
    };
    let link = google::save_link(config, &pass, app.now()).map_err(Problem::fault)?;
    let answer = GooglePassAnswer {
        save_link: link.into_string(),
        card_id,
        number_masked: number.masked(),
    };
    Ok((StatusCode::CREATED, not_kept(), Body(answer)).into_response())
}

async fn apple_pass(
    app: &App,
    shopper: Shopper,
    secrets: &Secrets,
    wallet: &AppleWallet,
) -> Result<Response, Problem> {
    let in_force = app.store().programme().await?;
    let in_force = in_force.ok_or(StoreError::NoProgramme)?;
    let range = in_force.programme.cards.apple_range.as_ref();
    let range = range.ok_or_else(|| not_set_up("numbers for passes (`cards.apple_range`)"))?;
    if wallet.config.valid_until() <= app.now() {
        return Err(not_set_up("a certificate for Apple Wallet that is valid"));
    }
    let member = member_with_room(app, shopper).await?;
    let draw = || {
        let seed =
            u128::from(random::below(u64::MAX)?) << 64 | u128::from(random::below(u64::MAX)?);
        let number = StaticNumber::parse(&range.range().draw(seed));
        let number = number.ok_or_else(|| Problem::fault("a number that no pass can show"))?;
        let card = claims::plastic(&secrets.index, number.as_str());
        Ok((number, card))
    };
    let (number, card_id) = issue(app, shopper, CardKind::Plastic, draw).await?;
    let serial_number = card_id.to_string();
    let pass = apple::Pass {
        serial_number: &serial_number,
        description: &wallet.description,
        logo_text: &wallet.logo_text,
        number: &number,
        barcode: wallet.barcode,
        background: wallet.background,
        foreground: wallet.foreground,
        fields: Fields {
            secondary: vec![Field {
                key: "member".into(),
                label: "MEMBER".into(),
                value: FieldValue::Text(member.number.masked()),
            }],
            ..Fields::default()
        },
    };
    let file = apple::pass(&wallet.config, &pass, wallet.images.as_ref(), app.now());
    let file = file.map_err(Problem::fault)?;
    let media_type = HeaderValue::from_static(apple::MEDIA_TYPE);
    let head = [(header::CONTENT_TYPE, media_type)];
    Ok((StatusCode::CREATED, not_kept(), head, file).into_response())
}

/// The member, if it may have one more card that is a number.
async fn member_with_room(app: &App, shopper: Shopper) -> Result<Member, Problem> {
    let record = app.store().member(shopper.member_id).await?;
    let record = record.ok_or_else(|| Problem::fault("a card leads to no member"))?;
    let numbers = record
        .cards
        .iter()
        .filter(|card| card.status == CardStatus::Active && card.kind != CardKind::Device);
    if numbers.count() < limits::NUMBER_CARDS_PER_MEMBER_MAX {
        Ok(record.member)
    } else {
        let most = limits::NUMBER_CARDS_PER_MEMBER_MAX;
        Err(Problem::new(
            ProblemKind::Conflict,
            format!("too_many_passes: at most {most} passes and plastic cards; revoke one first."),
        ))
    }
}

/// Makes a card of the first drawn number that nobody has.
async fn issue<T>(
    app: &App,
    shopper: Shopper,
    kind: CardKind,
    draw: impl Fn() -> Result<(T, NumberCard), Problem>,
) -> Result<(T, CardId), Problem> {
    let newcomer = app.newcomer().await?;
    for _ in 0..DRAWS_MAX {
        let (number, card) = draw()?;
        let card_id = card.card_id;
        let operation = Operation::IssueCard(Box::new(IssueCard {
            card_id,
            key: card.key.to_vec(),
            kind,
            name: card.label,
            asker: Some(shopper.card_id),
            // Not made: the asker's member gets the card.
            newcomer: newcomer.clone(),
            lots: Vec::new(),
            origin: "wallet-pass".into(),
            actor: "shopper".into(),
        }));
        match app.submit(operation, Some(shopper.member_id)).await? {
            Answer::Enrolled { created: true, .. } => return Ok((number, card_id)),
            Answer::Enrolled { created: false, .. } | Answer::Denied(Denial::NumberTaken) => {}
            Answer::Denied(Denial::CardRevoked) => return Err(revoked()),
            other => {
                return Err(Problem::fault(format!("a pass was answered {other:?}")));
            }
        }
    }
    Err(Problem::fault("no number was free"))
}

/// What holds a secret, or leads to a member, is kept by no cache.
fn not_kept() -> [(header::HeaderName, HeaderValue); 1] {
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]
}
