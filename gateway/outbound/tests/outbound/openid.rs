//! ID tokens: what the tables of [`tokens`] and [`keys`] share.

use jiff::Timestamp;
use outbound::{
    https::Client,
    openid::{Issuer, ProviderFault, Refusal, Settings, Verifier, VerifyError},
};
use serde_json::Value;

use crate::{server::client, sign_in_server::NONCE};

mod keys;
mod tokens;

pub(super) fn verifier() -> Verifier {
    with_client(client())
}

pub(super) fn with_client(client: Client) -> Verifier {
    Verifier::new(client, Settings::default())
}

pub(super) async fn outcome(
    verifier: &Verifier,
    issuer: &Issuer,
    token: &str,
    now: Timestamp,
) -> Result<String, VerifyError> {
    let subject = verifier.verify(issuer, token, NONCE, now).await?;
    Ok(subject.subject().to_owned())
}

pub(super) fn good() -> Result<String, VerifyError> {
    Ok("u-248289761001".to_owned())
}

pub(super) fn refused<T>(refusal: Refusal) -> Result<T, VerifyError> {
    Err(VerifyError::Refused(refusal))
}

pub(super) fn unreachable<T>(fault: impl Into<ProviderFault>) -> Result<T, VerifyError> {
    Err(VerifyError::Unreachable(fault.into()))
}

/// `claims` with `changes` laid over; what is null is taken out.
pub(super) fn changed(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, v| !v.is_null());
    claims
}
