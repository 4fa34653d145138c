//! Who sent a webhook: HMAC-SHA256 over the raw body, under a secret that the shop and the gateway share.
//!
//! What always holds: the bytes that came are verified, never a re-encoding of them; a missing signature is a
//! refusal; comparing takes as long whatever is wrong, and all secrets are tried. Headers are not signed.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::Platform;

/// What a shop signs its webhooks with. `Debug` hides it.
#[derive(Clone)]
pub struct WebhookSecret(Hmac<Sha256>);

/// A secret that is too easy to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret has at least {} bytes", WebhookSecret::BYTES_MIN)]
pub struct WeakSecret;

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefusal {
    /// There is no signature; without a secret EC-CUBE sends none.
    #[error("the webhook is not signed; does the shop have a secret set?")]
    Missing,
    /// The signature's text is not of the platform's form.
    #[error("the signature is not of the form that the platform sends")]
    Malformed,
    /// Signed with another secret, or changed on the way.
    #[error("the signature fits none of the shop's secrets")]
    Wrong,
}

impl WebhookSecret {
    /// What a secret has at least, against guessing offline from one recorded webhook.
    pub const BYTES_MIN: usize = 16;

    /// The secret from its text, exactly as the platform shows it.
    ///
    /// # Errors
    /// [`WeakSecret`] if it is shorter than [`Self::BYTES_MIN`].
    pub fn new(text: &str) -> Result<Self, WeakSecret> {
        if text.len() < Self::BYTES_MIN {
            return Err(WeakSecret);
        }
        // HMAC takes a key of any length, so only a short one is refused.
        let keyed = Hmac::new_from_slice(text.as_bytes());
        keyed.map(Self).map_err(|_| WeakSecret)
    }

    fn tag(&self, body: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(body);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// The header that carries the signature.
#[must_use]
pub const fn header_name(platform: Platform) -> &'static str {
    match platform {
        Platform::Shopify => "X-Shopify-Hmac-SHA256",
        Platform::WooCommerce => "X-WC-Webhook-Signature",
        Platform::EcCube4 => "X-ECCUBE-Signature",
    }
}

/// The signature of a body as the platform would write it.
#[must_use]
pub fn sign(platform: Platform, secret: &WebhookSecret, body: &[u8]) -> String {
    let tag = secret.tag(body);
    match platform {
        Platform::Shopify | Platform::WooCommerce => BASE64.encode(&tag),
        Platform::EcCube4 => HEXLOWER_PERMISSIVE.encode(&tag),
    }
}

/// Believes a body if its signature, the text of the header [`header_name`], fits one of the secrets.
///
/// Several are valid at once while a secret is exchanged. None at all fits nothing.
///
/// # Errors
/// [`SignatureRefusal`].
pub fn verify(
    platform: Platform,
    secrets: &[WebhookSecret],
    signature: Option<&str>,
    body: &[u8],
) -> Result<(), SignatureRefusal> {
    let text = signature.ok_or(SignatureRefusal::Missing)?.trim();
    if text.is_empty() {
        return Err(SignatureRefusal::Missing);
    }
    let claimed = match platform {
        Platform::Shopify | Platform::WooCommerce => BASE64.decode(text.as_bytes()),
        Platform::EcCube4 => HEXLOWER_PERMISSIVE.decode(text.as_bytes()),
    };
    let claimed: [u8; 32] = claimed
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(SignatureRefusal::Malformed)?;
    let mut fits = Choice::from(0);
    for secret in secrets {
        fits |= secret.tag(body).ct_eq(&claimed);
    }
    if bool::from(fits) {
        Ok(())
    } else {
        Err(SignatureRefusal::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> WebhookSecret {
        WebhookSecret::new(text).unwrap()
    }

    #[test]
    fn signatures_are_those_of_the_standard() {
        let key = String::from_utf8(vec![b'k'; 20]).unwrap();
        let body = [0xdd_u8; 50];
        // Computed with Python: `hmac.new(b"k" * 20, b"\xdd" * 50, "sha256").hexdigest()`
        let hex = "62cac0a2b6ade06e9eeb8b708b18cd9afa90092783ac208650d94002b0380dc8";
        let base64 = BASE64.encode(&HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap());
        for (platform, text) in [
            (Platform::Shopify, base64.as_str()),
            (Platform::WooCommerce, base64.as_str()),
            (Platform::EcCube4, hex),
        ] {
            assert_eq!(sign(platform, &secret(&key), &body), text);
        }
    }

    #[test]
    fn only_a_secret_of_the_shop_fits() {
        let (old, new, other) = (
            secret("the-old-secret-of-the-shop"),
            secret("the-new-secret-of-the-shop"),
            secret("the-secret-of-another-shop"),
        );
        let body = br#"{"id":1}"#;
        for platform in Platform::ALL {
            let signature = sign(platform, &old, body);
            let check = |secrets: &[WebhookSecret], text: Option<&str>, body: &[u8]| {
                verify(platform, secrets, text, body)
            };
            let both = [new.clone(), old.clone()];
            assert_eq!(check(&both, Some(&signature), body), Ok(()));
            let turned = [old.clone(), new.clone()];
            assert_eq!(check(&turned, Some(&signature), body), Ok(()));
            assert_eq!(
                check(&[new.clone(), other.clone()], Some(&signature), body),
                Err(SignatureRefusal::Wrong)
            );
            assert_eq!(
                check(&[], Some(&signature), body),
                Err(SignatureRefusal::Wrong)
            );
            assert_eq!(
                check(&both, Some(&signature), br#"{"id":2}"#),
                Err(SignatureRefusal::Wrong)
            );
            assert_eq!(check(&both, None, body), Err(SignatureRefusal::Missing));
            assert_eq!(
                check(&both, Some(" "), body),
                Err(SignatureRefusal::Missing)
            );
            for wrong in ["?", &signature[..8], &format!("{signature}00")] {
                assert_eq!(
                    check(&both, Some(wrong), body),
                    Err(SignatureRefusal::Malformed)
                );
            }
        }
    }

    #[test]
    fn secrets_are_long_and_hidden() {
        assert_eq!(WebhookSecret::new("").err(), Some(WeakSecret));
        assert_eq!(
            WebhookSecret::new("fifteen-bytes--").err(),
            Some(WeakSecret)
        );
        assert_eq!(
            format!("{:?}", secret("0123456789abcdef")),
            "WebhookSecret(..)"
        );
    }
}
