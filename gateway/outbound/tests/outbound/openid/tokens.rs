//! Which ID tokens are believed.

use outbound::openid::{Issuer, IssuerError, ProviderFault, Refusal, VerifyError};
use serde_json::{Value, json};

use super::{changed, good, outcome, refused, unreachable, verifier};
use crate::{
    server::at,
    sign_in_server::{
        CLIENT_ID, ES256, FORGER, NONCE, PS256, RS256, SignInServer, hs256, unsigned,
    },
};

#[tokio::test]
async fn each_algorithm_is_believed_with_its_own_key() {
    let server = SignInServer::start(&[&RS256, &PS256, &ES256]).await;
    let (verifier, issuer) = (verifier(), server.issuer());
    for signer in [&*RS256, &*PS256, &*ES256] {
        let token = signer.token(&server.claims());
        let subject = verifier.verify(&issuer, &token, NONCE, at(0)).await;
        let subject = subject.unwrap_or_else(|error| panic!("{} {error}", signer.kid));
        assert_eq!(subject.subject(), "u-248289761001");
        assert_eq!(subject.issuer(), server.issuer_text());
        assert!(subject.email().is_none());
        assert!(!format!("{subject:?}").contains("248289761001"));
    }
    assert_eq!(server.served(), (1, 1));
}

#[tokio::test]
async fn claims_are_held_against_what_is_expected() {
    use Refusal::{Audience, AuthorizedParty, Claims, Expired, Nonce, NotYet, Subject};
    let start = at(0).as_second();
    let server = SignInServer::start(&[&ES256]).await;
    let trusting = server.issuer().trusting(["account".to_owned()]);
    let verifier = verifier();
    for (changes, expected) in [
        (json!({}), good()),
        (json!({ "unknown": [1, 2] }), good()),
        (
            json!({ "iss": "https://id.example" }),
            refused(Refusal::Issuer),
        ),
        (
            json!({ "iss": format!("{}/", server.issuer_text()) }),
            refused(Refusal::Issuer),
        ),
        (json!({ "iss": [server.issuer_text()] }), refused(Claims)),
        (json!({ "iss": null }), refused(Claims)),
        (json!({ "aud": [CLIENT_ID] }), good()),
        (json!({ "aud": "points-web" }), good()),
        (json!({ "aud": "other" }), refused(Audience)),
        (json!({ "aud": [] }), refused(Audience)),
        (json!({ "aud": null }), refused(Claims)),
        (json!({ "aud": "account" }), refused(Audience)),
        (
            json!({ "aud": "account", "azp": CLIENT_ID }),
            refused(Audience),
        ),
        (json!({ "aud": CLIENT_ID, "azp": "points-web" }), good()),
        (
            json!({ "aud": CLIENT_ID, "azp": "other" }),
            refused(AuthorizedParty),
        ),
        (
            json!({ "aud": [CLIENT_ID, "account"] }),
            refused(AuthorizedParty),
        ),
        (
            json!({ "aud": [CLIENT_ID, "account"], "azp": CLIENT_ID }),
            good(),
        ),
        (
            json!({ "aud": [CLIENT_ID, "account"], "azp": "account" }),
            refused(AuthorizedParty),
        ),
        (
            json!({ "aud": [CLIENT_ID, "other"], "azp": CLIENT_ID }),
            refused(Audience),
        ),
        (json!({ "exp": start - 59 }), good()),
        (json!({ "exp": start - 60 }), refused(Expired)),
        (json!({ "exp": i64::MIN }), refused(Expired)),
        (json!({ "exp": i64::MAX }), good()),
        (json!({ "exp": (start + 300).to_string() }), refused(Claims)),
        (json!({ "exp": null }), refused(Claims)),
        (json!({ "iat": start + 60 }), good()),
        (json!({ "iat": start + 61 }), refused(NotYet)),
        (json!({ "iat": start.to_string() }), refused(Claims)),
        (json!({ "iat": null }), refused(Claims)),
        (json!({ "nbf": start + 60 }), good()),
        (json!({ "nbf": start + 61 }), refused(NotYet)),
        (json!({ "nbf": "soon" }), refused(Claims)),
        (json!({ "nonce": "another" }), refused(Nonce)),
        (json!({ "nonce": "" }), refused(Nonce)),
        (json!({ "nonce": null }), refused(Claims)),
        (json!({ "sub": "" }), refused(Subject)),
        (json!({ "sub": "x".repeat(255) }), Ok("x".repeat(255))),
        (json!({ "sub": "x".repeat(256) }), refused(Subject)),
        (json!({ "sub": "花子" }), refused(Subject)),
        (json!({ "sub": "a\u{0}b" }), refused(Subject)),
        (json!({ "sub": 17 }), refused(Claims)),
        (json!({ "sub": null }), refused(Claims)),
        (json!({ "email": "a\nb@example.com" }), refused(Claims)),
        (json!({ "email": "x".repeat(321) }), refused(Claims)),
        (json!({ "email": 1 }), refused(Claims)),
    ] {
        let token = ES256.token(&changed(server.claims(), &changes));
        let outcome = outcome(&verifier, &trusting, &token, at(0)).await;
        assert_eq!(outcome, expected, "{changes}");
    }
    let empty = ES256.token(&changed(server.claims(), &json!({ "nonce": "" })));
    let outcome = verifier.verify(&server.issuer(), &empty, "", at(0)).await;
    assert_eq!(outcome.unwrap_err(), VerifyError::Refused(Nonce));
}

#[tokio::test]
async fn an_address_is_verified_only_if_the_issuer_says_so() {
    let server = SignInServer::start(&[&ES256]).await;
    let verifier = verifier();
    let hanako = "hanako@example.com";
    for (changes, expected) in [
        (json!({ "email_verified": true }), None),
        (json!({ "email": "" }), None),
        (json!({ "email": hanako }), Some((hanako, false))),
        (
            json!({ "email": hanako, "email_verified": true }),
            Some((hanako, true)),
        ),
        (
            json!({ "email": hanako, "email_verified": false }),
            Some((hanako, false)),
        ),
        (
            json!({ "email": hanako, "email_verified": "true" }),
            Some((hanako, true)),
        ),
        (
            json!({ "email": hanako, "email_verified": "false" }),
            Some((hanako, false)),
        ),
        (
            json!({ "email": hanako, "email_verified": "1" }),
            Some((hanako, false)),
        ),
    ] {
        let token = ES256.token(&changed(server.claims(), &changes));
        let subject = verifier
            .verify(&server.issuer(), &token, NONCE, at(0))
            .await;
        let subject = subject.unwrap();
        let email = subject.email();
        let told = email.map(|email| (email.address(), email.is_verified()));
        assert_eq!(told, expected, "{changes}");
        assert!(!format!("{email:?}").contains("hanako"));
    }
}

#[tokio::test]
async fn a_token_does_not_choose_how_it_is_checked() {
    use Refusal::{Algorithm, KeyNotNamed, Signature, TooLong, Unreadable};
    let server = SignInServer::start(&[&RS256, &PS256, &ES256]).await;
    let (verifier, issuer, claims) = (verifier(), server.issuer(), server.claims());
    let rs_modulus = server_modulus();
    let with = |changes: Value| changed(ES256.header(), &changes);
    let signed = ES256.token(&claims);
    let (text, _) = signed.rsplit_once('.').unwrap();
    let other_claims = ES256.token(&changed(claims.clone(), &json!({ "sub": "u-1" })));
    let (_, other_signature) = other_claims.rsplit_once('.').unwrap();
    for (name, token, expected) in [
        (
            "HMAC under the public key in DER",
            hs256("rs", RS256.public_bytes(), &claims),
            Algorithm,
        ),
        (
            "HMAC under the modulus",
            hs256("rs", &rs_modulus, &claims),
            Algorithm,
        ),
        (
            "HMAC under the point",
            hs256("es", ES256.public_bytes(), &claims),
            Algorithm,
        ),
        ("HMAC under nothing", hs256("es", b"", &claims), Algorithm),
        ("nobody signed it", unsigned(&claims), Unreadable),
        (
            "none, with a signature",
            ES256.sign(&with(json!({ "alg": "none" })), &claims),
            Unreadable,
        ),
        (
            "RS512",
            RS256.sign(&json!({ "alg": "RS512", "kid": "rs" }), &claims),
            Algorithm,
        ),
        (
            "EdDSA",
            ES256.sign(&with(json!({ "alg": "EdDSA" })), &claims),
            Algorithm,
        ),
        (
            "PS256 with the key for RS256",
            RS256.sign(&json!({ "alg": "PS256", "kid": "rs" }), &claims),
            Algorithm,
        ),
        (
            "RS256 with the key for PS256",
            PS256.sign(&json!({ "alg": "RS256", "kid": "ps" }), &claims),
            Algorithm,
        ),
        (
            "ES256 with a key of RSA",
            ES256.sign(&with(json!({ "kid": "rs" })), &claims),
            Algorithm,
        ),
        (
            "no key named",
            ES256.sign(&with(json!({ "kid": null })), &claims),
            KeyNotNamed,
        ),
        ("another's key", FORGER.token(&claims), Signature),
        (
            "another's signature",
            format!("{text}.{other_signature}"),
            Signature,
        ),
        ("a short signature", format!("{text}.AAAA"), Signature),
        ("no signature", format!("{text}."), Signature),
        (
            "a header that must be understood",
            ES256.sign(&with(json!({ "crit": ["exp"] })), &claims),
            Unreadable,
        ),
        (
            "an access token",
            ES256.sign(&with(json!({ "typ": "at+jwt" })), &claims),
            Unreadable,
        ),
        ("two parts", text.to_owned(), Unreadable),
        ("nothing", String::new(), Unreadable),
        ("no claims", ES256.token(&json!([])), Refusal::Claims),
        (
            "16 KiB and more",
            format!("{signed}{}", "A".repeat(16 * 1_024)),
            TooLong,
        ),
    ] {
        let outcome = outcome(&verifier, &issuer, &token, at(0)).await;
        assert_eq!(outcome, refused(expected), "{name}");
    }
    let untyped = ES256.sign(&with(json!({ "typ": null })), &claims);
    assert_eq!(outcome(&verifier, &issuer, &untyped, at(0)).await, good());
    assert_eq!(server.served(), (1, 1));
}

fn server_modulus() -> Vec<u8> {
    let jwk = RS256.jwk();
    let text = jwk["n"].as_str().unwrap();
    data_encoding::BASE64URL_NOPAD
        .decode(text.as_bytes())
        .unwrap()
}

#[tokio::test]
async fn keys_that_cannot_be_used_are_passed_over() {
    let with = |changes: Value| changed(ES256.jwk(), &changes);
    let odd = json!({ "kty": "EC", "crv": "secp256k1", "kid": "es", "x": "AA", "y": "AA" });
    let token = ES256.sign(&json!({ "alg": "ES256" }), &json!({}));
    for (jwk, is_used) in [
        (with(json!({})), true),
        (with(json!({ "alg": null, "use": null })), true),
        (with(json!({ "key_ops": ["verify"] })), true),
        (with(json!({ "key_ops": ["sign"] })), false),
        (with(json!({ "use": "enc" })), false),
        (with(json!({ "alg": "ES384" })), false),
        (with(json!({ "crv": "P-384" })), false),
        (with(json!({ "alg": "HS256" })), false),
        (json!({ "kty": "oct", "alg": "HS256", "k": "AAAA" }), false),
        (
            json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA" }),
            false,
        ),
        (odd, false),
        (json!("key"), false),
        (json!({}), false),
    ] {
        let server = SignInServer::start(&[]).await;
        server.publish_jwks(vec![jwk.clone()]);
        // A token that names no key is signed with the only one.
        let outcome = outcome(&verifier(), &server.issuer(), &token, at(0)).await;
        let expected = match is_used {
            true => refused(Refusal::Claims),
            false => unreachable(ProviderFault::NoKeys),
        };
        assert_eq!(outcome, expected, "{jwk}");

        server.publish_jwks(vec![jwk.clone(), RS256.jwk()]);
        let named = RS256.token(&server.claims());
        let verifier = verifier();
        let outcome = verifier
            .verify(&server.issuer(), &named, NONCE, at(0))
            .await;
        assert!(outcome.is_ok(), "{jwk} {outcome:?}");
    }
}

#[tokio::test]
async fn of_two_keys_with_one_name_the_one_for_the_algorithm_is_taken() {
    let named = |jwk| changed(jwk, &json!({ "kid": "one" }));
    let server = SignInServer::start(&[]).await;
    server.publish_jwks(vec![named(RS256.jwk()), named(ES256.jwk())]);
    let (verifier, issuer) = (verifier(), server.issuer());
    for signer in [&*RS256, &*ES256] {
        let header = named(signer.header());
        let token = signer.sign(&header, &server.claims());
        assert_eq!(
            outcome(&verifier, &issuer, &token, at(0)).await,
            good(),
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_key_without_algorithm_is_for_rs256() {
    let server = SignInServer::start(&[]).await;
    server.publish_jwks(vec![changed(RS256.jwk(), &json!({ "alg": null }))]);
    let (verifier, issuer) = (verifier(), server.issuer());
    let token = RS256.token(&server.claims());
    assert_eq!(outcome(&verifier, &issuer, &token, at(0)).await, good());
    let pss = RS256.sign(&json!({ "alg": "PS256", "kid": "rs" }), &server.claims());
    let outcome = outcome(&verifier, &issuer, &pss, at(0)).await;
    assert_eq!(outcome, refused(Refusal::Algorithm));
}

#[test]
fn an_issuer_has_clients_and_a_plain_url() {
    let of = |url: &str, ids: &[&str]| {
        Issuer::new(url, ids.iter().map(|id| (*id).to_owned()))
            .map(|issuer| issuer.as_str().to_owned())
    };
    assert_eq!(
        of("https://id.example", &["a"]).unwrap(),
        "https://id.example"
    );
    assert_eq!(of("https://id.example", &[]), Err(IssuerError::NoClientId));
    assert_eq!(
        of("https://id.example", &["a", ""]),
        Err(IssuerError::NoClientId)
    );
    assert!(matches!(
        of("http://id.example", &["a"]),
        Err(IssuerError::Url(_))
    ));
    assert!(matches!(
        of("https://id.example/?a=b", &["a"]),
        Err(IssuerError::Url(_))
    ));
}
