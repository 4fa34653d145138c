//! The one place where this crate draws randomness, from the operating system.

use data_encoding::HEXLOWER;
use p256::ecdsa;
use p256::elliptic_curve::Generate;

use crate::signing::SigningKey;

/// The operating system gave no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct EntropyError;

impl SigningKey {
    /// Makes a new card key.
    #[allow(
        clippy::disallowed_methods,
        reason = "this file is where randomness enters"
    )]
    pub fn generate() -> Result<Self, EntropyError> {
        let secret = ecdsa::SigningKey::try_generate().map_err(|_| EntropyError)?;
        Self::from_secret(secret).map_err(|_| EntropyError)
    }
}

/// 128 random bits in 32 lower-case hex digits, for the `jti` of a proof.
#[allow(
    clippy::disallowed_methods,
    reason = "this file is where randomness enters"
)]
pub fn random_id() -> Result<String, EntropyError> {
    let bytes = <[u8; 16]>::try_generate().map_err(|_| EntropyError)?;
    Ok(HEXLOWER.encode(&bytes))
}
