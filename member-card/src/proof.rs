//! The proof a phone sends with a request to the gateway: a JWT signed by the card's own key.
//!
//! Signing side only. The header is `{"alg":"ES256","typ":"card-proof+jwt","kid":<card id>}`; the
//! claims name the programme, the request and a short life, so that a stolen proof opens nothing
//! else and not for long.

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;

use crate::id::{CardId, ProgrammeId};
use crate::signing::SigningKey;

/// The longest life of a proof, in seconds.
pub const LIFE_S_MAX: u32 = 60;

/// What a proof is for.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The programme, claim `aud`.
    pub programme: &'a ProgrammeId,
    /// When the proof is made, Unix seconds; claim `iat`. It ends [`LIFE_S_MAX`] later, claim `exp`.
    pub issued_at: u32,
    /// A name nobody used before, claim `jti`; see [`random_id`](crate::random_id).
    pub id: &'a str,
    /// The HTTP method, claim `htm`.
    pub method: &'a str,
    /// The path or URL as the gateway expects it, claim `htu`.
    pub url: &'a str,
}

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
    kid: CardId,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a ProgrammeId,
    iat: u32,
    exp: u32,
    jti: &'a str,
    htm: &'a str,
    htu: &'a str,
}

/// Signs the proof for one request: a JWT in its compact form.
pub fn sign(key: &SigningKey, request: &Request<'_>) -> String {
    let header = Header {
        alg: "ES256",
        typ: "card-proof+jwt",
        kid: key.card_id(),
    };
    let claims = Claims {
        aud: request.programme,
        iat: request.issued_at,
        exp: request.issued_at.saturating_add(LIFE_S_MAX),
        jti: request.id,
        htm: request.method,
        htu: request.url,
    };
    let mut token = part(&header);
    token.push('.');
    token.push_str(&part(&claims));
    let signature = key.sign_message(token.as_bytes());
    token.push('.');
    token.push_str(&BASE64URL_NOPAD.encode(&signature));
    token
}

/// One part of a JWT. Serializing these structs to JSON cannot fail: they hold strings and numbers.
fn part(value: &impl Serialize) -> String {
    let json = serde_json::to_vec(value).unwrap_or_default();
    BASE64URL_NOPAD.encode(&json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_proof_says_what_it_is_for_and_verifies() {
        let key = SigningKey::from_hex(
            "cf66e357d3b7daef1b1e841569012756aa2e4cf0c49f835dca5efe37a6eb50b6",
        )
        .unwrap();
        let programme = ProgrammeId::new("demo").unwrap();
        let request = Request {
            programme: &programme,
            issued_at: 1_795_400_000,
            id: "one",
            method: "POST",
            url: "/v1/cards?a=\"b\"",
        };
        let token = sign(&key, &request);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
        let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)).unwrap();
        assert_eq!(
            json(header),
            json!({"alg": "ES256", "typ": "card-proof+jwt", "kid": "49ffa54253a10c0c"})
        );
        assert_eq!(
            json(claims),
            json!({
                "aud": "demo", "iat": 1_795_400_000, "exp": 1_795_400_060, "jti": "one",
                "htm": "POST", "htu": "/v1/cards?a=\"b\"",
            })
        );
        let signature: [u8; 64] = decode(signature).try_into().unwrap();
        key.public_key()
            .verify_message(signed.as_bytes(), &signature)
            .unwrap();
        key.public_key()
            .verify_message_portable(signed.as_bytes(), &signature)
            .unwrap();
    }
}
