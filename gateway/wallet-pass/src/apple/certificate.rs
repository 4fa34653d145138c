//! Certificates out of PEM text.

use std::time::Duration;

use cms::cert::x509::Certificate;
use cms::cert::x509::der::{Decode, Encode};
use cms::cert::x509::time::Time;
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// No PEM section holds a certificate.
    #[error("no certificate was found: a PEM text with `BEGIN CERTIFICATE` is needed")]
    Missing,
    /// The bytes are no certificate.
    #[error("the certificate is damaged")]
    Malformed,
}

/// A certificate that can be written as it was read.
pub(super) struct PassCertificate(Certificate);

impl PassCertificate {
    /// The first certificate of `pem`.
    pub(super) fn parse(pem: &str) -> Result<Self, CertificateError> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| CertificateError::Missing)?;
        let certificate = Certificate::from_der(&der).map_err(|_| CertificateError::Malformed)?;
        // The signature covers bytes. One that would come out otherwise than it went in is no use.
        let same = certificate.to_der().is_ok_and(|again| again == *der);
        same.then_some(Self(certificate))
            .ok_or(CertificateError::Malformed)
    }

    pub(super) fn certificate(&self) -> &Certificate {
        &self.0
    }

    /// Whether the certificate is about this public key.
    pub(super) fn has_key(&self, public_key: &[u8]) -> bool {
        let spki = &self.0.tbs_certificate.subject_public_key_info;
        spki.subject_public_key.as_bytes() == Some(public_key)
    }

    /// Whether the certificate says that it was issued by `issuer`.
    pub(super) fn names_issuer(&self, issuer: &Self) -> bool {
        self.0.tbs_certificate.issuer == issuer.0.tbs_certificate.subject
    }

    pub(super) fn not_after(&self) -> Timestamp {
        timestamp(self.0.tbs_certificate.validity.not_after)
    }

    pub(super) fn valid_at(&self, now: Timestamp) -> bool {
        let not_before = timestamp(self.0.tbs_certificate.validity.not_before);
        (not_before..=self.not_after()).contains(&now)
    }
}

/// X.509 counts up to the year 9999, and so does `Timestamp`.
fn timestamp(time: Time) -> Timestamp {
    let since_1970: Duration = time.to_unix_duration();
    i64::try_from(since_1970.as_secs())
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok())
        .unwrap_or(Timestamp::MAX)
}
