//! The detached PKCS#7 signature over a manifest: CMS `SignedData` (RFC 5652), written from its parts.
//!
//! By hand because the builder of `cms` reads the clock and brings the crate `rsa` along. What is signed are the
//! attributes, DER of a SET: content type, signing time, SHA-256 of the manifest.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use cms::cert::x509::attr::Attribute;
use cms::cert::x509::der::asn1::{Any, GeneralizedTime, ObjectIdentifier};
use cms::cert::x509::der::asn1::{OctetString, SetOfVec, UtcTime};
use cms::cert::x509::der::oid::db::{rfc5911, rfc5912};
use cms::cert::x509::der::{self, DateTime, Encode};
use cms::cert::x509::spki::AlgorithmIdentifierOwned;
use cms::cert::x509::time::Time;
use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use jiff::Timestamp;

use super::Config;
use crate::key::SigningKey;

/// The signature of `config`'s key over `manifest`, DER; none if a part cannot be encoded.
pub(super) fn sign(config: &Config, manifest: &[u8], now: Timestamp) -> Option<Vec<u8>> {
    signed_data(config, manifest, now).ok().flatten()
}

fn signed_data(config: &Config, manifest: &[u8], now: Timestamp) -> der::Result<Option<Vec<u8>>> {
    let attributes = signed_attributes(manifest, now)?;
    let Some(signature) = config.key.sign(&attributes.to_der()?) else {
        return Ok(None);
    };
    let certificate = config.certificate.certificate();
    let signer = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: certificate.tbs_certificate.issuer.clone(),
            serial_number: certificate.tbs_certificate.serial_number.clone(),
        }),
        digest_alg: algorithm(rfc5912::ID_SHA_256, None),
        signed_attrs: Some(attributes),
        signature_algorithm: match config.key {
            SigningKey::Rsa(_) => algorithm(rfc5912::RSA_ENCRYPTION, Some(Any::null())),
            SigningKey::P256(_) => algorithm(rfc5912::ECDSA_WITH_SHA_256, None),
        },
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    };
    let certificates = [&config.certificate, &config.intermediate]
        .map(|certificate| CertificateChoices::Certificate(certificate.certificate().clone()));
    let signed = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: one(algorithm(rfc5912::ID_SHA_256, None))?,
        encap_content_info: EncapsulatedContentInfo {
            econtent_type: rfc5911::ID_DATA,
            econtent: None,
        },
        certificates: Some(CertificateSet(SetOfVec::try_from(certificates)?)),
        crls: None,
        signer_infos: SignerInfos(one(signer)?),
    };
    let content = ContentInfo {
        content_type: rfc5911::ID_SIGNED_DATA,
        content: Any::encode_from(&signed)?,
    };
    content.to_der().map(Some)
}

fn signed_attributes(manifest: &[u8], now: Timestamp) -> der::Result<SetOfVec<Attribute>> {
    let hash = digest(&SHA256, manifest);
    let attribute = |oid, value| -> der::Result<Attribute> {
        Ok(Attribute {
            oid,
            values: one(value)?,
        })
    };
    SetOfVec::try_from([
        attribute(
            rfc5911::ID_CONTENT_TYPE,
            Any::encode_from(&rfc5911::ID_DATA)?,
        )?,
        attribute(
            rfc5911::ID_SIGNING_TIME,
            Any::encode_from(&signing_time(now)?)?,
        )?,
        attribute(
            rfc5911::ID_MESSAGE_DIGEST,
            Any::encode_from(&OctetString::new(hash.as_ref())?)?,
        )?,
    ])
}

/// UTCTime up to 2049, GeneralizedTime from then on (RFC 5652, section 11.3).
fn signing_time(now: Timestamp) -> der::Result<Time> {
    let seconds = u64::try_from(now.as_second()).map_err(|_| der::ErrorKind::DateTime)?;
    let time = DateTime::from_unix_duration(Duration::from_secs(seconds))?;
    Ok(UtcTime::from_date_time(time).map_or_else(
        |_| Time::GeneralTime(GeneralizedTime::from_date_time(time)),
        Time::UtcTime,
    ))
}

fn algorithm(oid: ObjectIdentifier, parameters: Option<Any>) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid, parameters }
}

fn one<T: der::DerOrd>(element: T) -> der::Result<SetOfVec<T>> {
    let mut set = SetOfVec::new();
    set.insert(element)?;
    Ok(set)
}
