//! Private keys out of PEM text.
//!
//! Invariant: an error says what is wrong with a key and never quotes it.

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::{Zeroize, Zeroizing};

/// What is wrong with a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No PEM section holds a private key.
    #[error(
        "no private key was found: a PEM text with `BEGIN PRIVATE KEY` or `BEGIN RSA PRIVATE KEY` is needed"
    )]
    Missing,
    /// The key is protected by a pass phrase.
    #[error(
        "the private key is encrypted: store it without a pass phrase, for example with `openssl pkey`"
    )]
    Encrypted,
    /// The bytes are no key.
    #[error("the private key is damaged, or shorter than 2048 bits")]
    Malformed,
    /// A key of another kind.
    #[error("the private key is of a kind that cannot be used here")]
    Unsupported,
}

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A key that signs SHA-256 digests.
pub(crate) enum SigningKey {
    /// RSA, PKCS#1 v1.5.
    Rsa(RsaKeyPair),
    /// ECDSA on P-256.
    P256(EcdsaKeyPair),
}

impl SigningKey {
    /// The first private key of `pem`.
    pub(crate) fn parse(pem: &str) -> Result<Self, KeyError> {
        let mut der = section(pem)?;
        let curve = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let p256 = match &der {
            PrivateKeyDer::Sec1(sec1) => Some(EcdsaKeyPair::from_private_key_der(
                curve,
                sec1.secret_sec1_der(),
            )),
            PrivateKeyDer::Pkcs8(pkcs8) if is_elliptic(pkcs8.secret_pkcs8_der()) => {
                Some(EcdsaKeyPair::from_pkcs8(curve, pkcs8.secret_pkcs8_der()))
            }
            _ => None,
        };
        let key = match p256 {
            Some(key) => key.map(Self::P256).map_err(|_| KeyError::Unsupported),
            None => rsa_pair(&der).map(|(key, _)| Self::Rsa(key)),
        };
        der.zeroize();
        key
    }

    /// The public key as the BIT STRING of a certificate holds it.
    pub(crate) fn public_key(&self) -> &[u8] {
        match self {
            Self::Rsa(key) => key.public_key().as_ref(),
            Self::P256(key) => key.public_key().as_ref(),
        }
    }

    /// The signature over `message`; none if the library fails.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let digest: Digest = digest(&SHA256, message);
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Self::P256(key) => Some(key.sign_digest(&digest).ok()?.as_ref().to_vec()),
        }
    }
}

/// The first private key of `pem`, which must be RSA, as DER of PKCS#1.
pub(crate) fn rsa_der(pem: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut der = section(pem)?;
    let key = rsa_pair(&der).map(|(_, pkcs1)| pkcs1);
    der.zeroize();
    key
}

fn section(pem: &str) -> Result<PrivateKeyDer<'static>, KeyError> {
    // Both ways of marking an encrypted key hold this word. What the parser says may quote the text: not passed on.
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
        if pem.contains("ENCRYPTED") {
            KeyError::Encrypted
        } else {
            KeyError::Missing
        }
    })
}

/// The key itself inside a PKCS#8 envelope, if it is RSA.
fn rsa_part(pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let info = PrivateKeyInfoRef::try_from(pkcs8).map_err(|_| KeyError::Malformed)?;
    if info.algorithm.oid != RSA_ENCRYPTION {
        return Err(KeyError::Unsupported);
    }
    Ok(Zeroizing::new(info.private_key.as_bytes().to_vec()))
}

fn is_elliptic(pkcs8: &[u8]) -> bool {
    PrivateKeyInfoRef::try_from(pkcs8).is_ok_and(|info| info.algorithm.oid == EC_PUBLIC_KEY)
}

fn rsa_pair(der: &PrivateKeyDer<'_>) -> Result<(RsaKeyPair, Zeroizing<Vec<u8>>), KeyError> {
    let pkcs1 = match der {
        PrivateKeyDer::Pkcs1(pkcs1) => Zeroizing::new(pkcs1.secret_pkcs1_der().to_vec()),
        PrivateKeyDer::Pkcs8(pkcs8) => rsa_part(pkcs8.secret_pkcs8_der())?,
        _ => return Err(KeyError::Unsupported),
    };
    let key = RsaKeyPair::from_der(&pkcs1).map_err(|_| KeyError::Malformed)?;
    Ok((key, pkcs1))
}
