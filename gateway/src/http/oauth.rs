//! `POST /oauth/token` and `/.well-known/jwks.json`: OAuth 2.0 client credentials (RFC 6749 §4.4).
//!
//! Errors of the token endpoint have the form that RFC 6749 §5.2 gives them, not problem details:
//! every OAuth library expects it. An unknown client and a wrong secret are answered alike.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    App, caller::Peer, json::body, key_ring::PublishedKey, openapi::Problems, problem::Problem,
};
use crate::{
    limits,
    store::{Client, ClientScope},
};

/// A token request. The client proves itself here or in `Authorization: Basic`, not both.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct TokenRequest {
    /// `client_credentials`.
    #[serde(default)]
    #[schema(required = true)]
    grant_type: Option<String>,
    /// What the token is wanted for, words separated by spaces; all the client may do if absent.
    #[serde(default)]
    scope: Option<String>,
    /// The client's name.
    #[serde(default)]
    client_id: Option<String>,
    /// The client's secret.
    #[serde(default)]
    client_secret: Option<String>,
}

/// A token.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TokenAnswer {
    /// The token, for `Authorization: Bearer`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds it is good for.
    expires_in: i64,
    /// What it is good for.
    scope: String,
}

/// Why there is no token (RFC 6749 §5.2).
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct TokenError {
    /// One of the words of RFC 6749.
    error: &'static str,
    /// In plain words.
    error_description: &'static str,
}

/// A refusal of the token endpoint.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The form is malformed, or names something twice.
    InvalidRequest(&'static str),
    /// Unknown client or wrong secret.
    InvalidClient,
    /// Another grant.
    UnsupportedGrantType,
    /// A scope the client does not have.
    InvalidScope,
    /// The rest: rates, faults.
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, error_description) = match self {
            Self::InvalidRequest(why) => (StatusCode::BAD_REQUEST, "invalid_request", why),
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "the client is unknown, disabled, or its secret is wrong",
            ),
            Self::UnsupportedGrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "only client_credentials",
            ),
            Self::InvalidScope => (
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                "the client does not have this scope",
            ),
            Self::Problem(problem) => return problem.into_response(),
        };
        let body = TokenError {
            error,
            error_description,
        };
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(r#"Basic realm="point-gateway", charset="UTF-8""#),
            );
        }
        response
    }
}

/// Get an access token.
///
/// OAuth 2.0 client credentials. The client proves itself with `Authorization: Basic` (name and
/// secret form-encoded first, RFC 6749 §2.3.1) or with `client_id` and `client_secret` in the form.
/// The token is a JWT, good for an hour at most.
#[utoipa::path(
    post, path = "/oauth/token", tag = "oauth",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A token", body = TokenAnswer),
        (status = 400, description = "`invalid_request`, `unsupported_grant_type` or `invalid_scope`", body = TokenError),
        (status = 401, description = "`invalid_client`", body = TokenError),
        Problems,
    ),
)]
pub(super) async fn token(
    State(app): State<App>,
    peer: Peer,
    request: Request,
) -> Result<impl IntoResponse, Refusal> {
    app.rates.peer(peer.0)?;
    let basic = basic_credentials(request.headers())?;
    let form = form(request).await?;
    let (id, secret) = credentials(basic, &form)?;
    match form.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Err(Refusal::UnsupportedGrantType),
        None => return Err(Refusal::InvalidRequest("grant_type is missing")),
    }
    let client = app.store().client(&id).await?;
    let client = client
        .filter(|client| client.knows(&secret) && client.is_enabled())
        .ok_or(Refusal::InvalidClient)?;
    let scopes = granted(&client, form.scope.as_deref())?;
    let now = app.now();
    let signer = app.keys.signer(now).await?;
    let access_token = app
        .tokens
        .issue(&signer, &client, &scopes, app.clock().new_id(), now)?;
    let answer = TokenAnswer {
        access_token,
        token_type: "Bearer",
        expires_in: limits::ACCESS_TOKEN_LIFE_S,
        scope: ClientScope::join(&scopes),
    };
    Ok((
        [
            (header::CACHE_CONTROL, "no-store"),
            (header::PRAGMA, "no-cache"),
        ],
        Json(answer),
    ))
}

async fn form(request: Request) -> Result<TokenRequest, Refusal> {
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok()?.split(';').next())
        .is_some_and(|essence| {
            essence
                .trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
    if !is_form {
        return Err(Refusal::InvalidRequest(
            "the body is no application/x-www-form-urlencoded",
        ));
    }
    let bytes = body(request, limits::TOKEN_FORM_BYTES_MAX).await?;
    serde_urlencoded::from_bytes(&bytes)
        .map_err(|_| Refusal::InvalidRequest("the form is malformed or names a parameter twice"))
}

type Credentials = (String, Zeroizing<String>);

/// Name and secret from `Authorization: Basic`, if it is there.
fn basic_credentials(headers: &HeaderMap) -> Result<Option<Credentials>, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let malformed = || Refusal::InvalidRequest("the Authorization header is no Basic credentials");
    let text = value.to_str().map_err(|_| malformed())?;
    let (scheme, encoded) = text.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = BASE64
        .decode(encoded.trim().as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| malformed())?;
    let decoded = std::str::from_utf8(&decoded).map_err(|_| malformed())?;
    let (id, secret) = decoded.split_once(':').ok_or_else(malformed)?;
    let id = form_decoded(id).ok_or_else(malformed)?;
    let secret = form_decoded(secret).ok_or_else(malformed)?;
    Ok(Some((id, Zeroizing::new(secret))))
}

/// Undoes the form encoding that RFC 6749 §2.3.1 asks for inside Basic.
fn form_decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        // Not encoded at all; many clients do not. A separator could not be told from data below.
        return Some(text.to_owned());
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&format!("v={text}")).ok()?;
    pairs.into_iter().next().map(|(_, value)| value)
}

fn credentials(basic: Option<Credentials>, form: &TokenRequest) -> Result<Credentials, Refusal> {
    match (basic, &form.client_id, &form.client_secret) {
        (Some(basic), None, None) => Ok(basic),
        // RFC 6749 §2.3: a client must not use more than one way. Naming itself again is harmless.
        (Some(basic), Some(id), None) if *id == basic.0 => Ok(basic),
        (Some(_), _, _) => Err(Refusal::InvalidRequest(
            "credentials both in the header and in the form",
        )),
        (None, Some(id), Some(secret)) => Ok((id.clone(), Zeroizing::new(secret.clone()))),
        (None, _, _) => Err(Refusal::InvalidClient),
    }
}

/// What the token is good for: what was asked, if the client has all of it.
fn granted(client: &Client, asked: Option<&str>) -> Result<BTreeSet<ClientScope>, Refusal> {
    let Some(asked) = asked else {
        return Ok(client.scopes.clone());
    };
    let scopes = asked
        .split(' ')
        .map(|word| ClientScope::from_word(word).filter(|scope| client.scopes.contains(scope)))
        .collect::<Option<BTreeSet<_>>>();
    scopes.ok_or(Refusal::InvalidScope)
}

/// The keys that verify access tokens (RFC 7517).
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct KeySet {
    keys: Vec<PublishedKey>,
}

/// The keys that verify access tokens.
///
/// A new key is here well before it signs; an old one until its last token has ended.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "oauth",
    responses((status = 200, description = "JSON Web Key Set", body = KeySet), Problems),
)]
pub(super) async fn jwks(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let keys = app.keys.published(app.now()).await?;
    let max_age = format!("public, max-age={}", limits::JWKS_MAX_AGE_S);
    Ok(([(header::CACHE_CONTROL, max_age)], Json(KeySet { keys })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_encoded_or_plain() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            let value = format!("Basic {}", BASE64.encode(text.as_bytes()));
            headers.insert(
                header::AUTHORIZATION,
                HeaderValue::from_str(&value).unwrap(),
            );
            basic_credentials(&headers)
                .ok()
                .flatten()
                .map(|(id, secret)| (id, secret.to_string()))
        };
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(read("till-1:s3cret"), pair("till-1", "s3cret"));
        assert_eq!(read("till%2D1:a%3Ab+c"), pair("till-1", "a:b c"));
        assert_eq!(read("till-1:a:b=c"), pair("till-1", "a:b=c"));
        assert_eq!(read("no colon"), None);
    }
}
