//! Public keys: the one form that is accepted, and Wycheproof's signatures through both verifiers.

use member_card::{Jwk, PublicKey, PublicKeyError, SigningKey};
use p256::ecdsa::DerSignature;
use serde_json::{Value, json};
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestGroup, TestName, TestSet};

fn public_key() -> PublicKey {
    let key =
        SigningKey::from_hex("cf66e357d3b7daef1b1e841569012756aa2e4cf0c49f835dca5efe37a6eb50b6")
            .unwrap();
    key.public_key().clone()
}

#[test]
fn a_key_has_one_sec1_form() {
    let sec1 = public_key().to_sec1();
    assert_eq!(PublicKey::from_sec1(&sec1), Ok(public_key()));
    let with_tag = |tag: u8| {
        let mut bytes = sec1;
        bytes[0] = tag;
        bytes
    };
    let parity = sec1[64] & 1;
    let compressed = [&[2 + parity], &sec1[1..33]].concat();
    let longer = [&sec1[..], &[0]].concat();
    let cases: [(&str, &[u8]); 9] = [
        ("nothing", &[]),
        ("infinity", &[0]),
        ("infinity, padded", &[0; 65]),
        ("compressed", &compressed),
        ("hybrid", &with_tag(6 + parity)),
        ("hybrid, wrong parity", &with_tag(7 - parity)),
        ("compact", &with_tag(5)),
        ("short", &sec1[..64]),
        ("long", &longer),
    ];
    for (what, bytes) in cases {
        assert_eq!(
            PublicKey::from_sec1(bytes),
            Err(PublicKeyError::NotUncompressed),
            "{what}"
        );
    }
}

#[test]
fn a_key_is_a_point_of_the_curve() {
    let sec1 = public_key().to_sec1();
    let mut off_curve = sec1;
    off_curve[64] ^= 1;
    let mut zero = [0; 65];
    zero[0] = 4;
    let mut too_large = sec1;
    too_large[1..33].fill(0xFF);
    for (what, bytes) in [
        ("off the curve", off_curve),
        ("(0, 0)", zero),
        ("x beyond the field", too_large),
    ] {
        assert_eq!(
            PublicKey::from_sec1(&bytes),
            Err(PublicKeyError::NotOnCurve),
            "{what}"
        );
    }
}

fn from_jwk(jwk: Value) -> Result<PublicKey, PublicKeyError> {
    PublicKey::from_jwk(&serde_json::from_value::<Jwk>(jwk).unwrap())
}

fn jwk_with(name: &str, value: &str) -> Value {
    let mut jwk = serde_json::to_value(public_key().to_jwk()).unwrap();
    jwk[name] = json!(value);
    jwk
}

#[test]
fn a_jwk_carries_the_same_key() {
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "ext": true, "key_ops": ["verify"], "alg": "ES256",
        "x": "LIutGICAej0XsSkYJBuKQdW7fpOMAlbq9eEc4QEMgiY",
        "y": "HhNYkvcIGZfVk18mYnspi3HXfgI2hPfSUO9ehULp_Fo",
    });
    assert_eq!(from_jwk(jwk), Ok(public_key()));
    let own = serde_json::to_value(public_key().to_jwk()).unwrap();
    assert_eq!(own.as_object().unwrap().len(), 4);
    assert_eq!(from_jwk(own), Ok(public_key()));
}

#[test]
fn a_jwk_of_another_kind_is_refused() {
    use PublicKeyError as E;
    for (name, value, error) in [
        ("kty", "RSA", E::OtherKind),
        ("crv", "P-384", E::OtherKind),
        ("crv", "secp256k1", E::OtherKind),
        (
            "d",
            "z2bjV9O32u8bHoQVaQEnVqouTPDEn4Ndyl7-N6brULY",
            E::PrivateKey,
        ),
        ("x", "", E::BadCoordinate),
        (
            "x",
            "LIutGICAej0XsSkYJBuKQdW7fpOMAlbq9eEc4QEMgiY=",
            E::BadCoordinate,
        ),
        (
            "x",
            "IutGICAej0XsSkYJBuKQdW7fpOMAlbq9eEc4QEMgg",
            E::BadCoordinate,
        ),
        (
            "y",
            "HhNYkvcIGZfVk18mYnspi3HXfgI2hPfSUO9ehULp+Fo",
            E::BadCoordinate,
        ),
        (
            "x",
            "HhNYkvcIGZfVk18mYnspi3HXfgI2hPfSUO9ehULp_Fo",
            E::NotOnCurve,
        ),
    ] {
        assert_eq!(
            from_jwk(jwk_with(name, value)),
            Err(error),
            "{name} = {value}"
        );
    }
    assert!(
        serde_json::from_value::<Jwk>(json!({"kty": "EC", "crv": "P-256", "x": "AA"})).is_err()
    );
}

/// Runs one signature through both verifiers. `None` where it is no r‖s of 64 bytes.
fn both_verify(key: &PublicKey, message: &[u8], signature: &[u8]) -> Option<bool> {
    let signature: &[u8; 64] = signature.try_into().ok()?;
    let hot = key.verify_message(message, signature);
    assert_eq!(
        key.verify_message_portable(message, signature),
        hot,
        "the verifiers agree"
    );
    Some(hot.is_ok())
}

fn groups(name: TestName) -> Vec<TestGroup> {
    TestSet::load(name).unwrap().test_groups
}

fn wycheproof_key(group: &TestGroup) -> PublicKey {
    let key = PublicKey::from_sec1(&group.key.key).unwrap();
    if let Some(jwk) = &group.jwk {
        let jwk = Jwk::clone(
            &serde_json::from_value(json!({
                "kty": "EC", "crv": "P-256",
                "x": data_encoding::BASE64URL_NOPAD.encode(&jwk.affine_x),
                "y": data_encoding::BASE64URL_NOPAD.encode(&jwk.affine_y),
            }))
            .unwrap(),
        );
        assert_eq!(PublicKey::from_jwk(&jwk).as_ref(), Ok(&key));
    }
    key
}

#[test]
fn wycheproof_fixed_length_signatures() {
    let (mut valid, mut invalid) = (0, 0);
    for group in groups(TestName::EcdsaSecp256r1Sha256P1363) {
        let key = wycheproof_key(&group);
        for test in &group.tests {
            let accepted = both_verify(&key, &test.msg, &test.sig) == Some(true);
            assert_ne!(
                test.result,
                TestResult::Acceptable,
                "no test of this set is a matter of taste"
            );
            assert_eq!(
                accepted,
                test.result == TestResult::Valid,
                "{}: {}",
                test.tc_id,
                test.comment
            );
            if accepted { valid += 1 } else { invalid += 1 }
        }
    }
    assert!(
        valid > 100 && invalid > 50,
        "{valid} valid, {invalid} invalid"
    );
}

#[test]
fn wycheproof_der_signatures() {
    // A card holds no DER, so each signature is first read as strict DER; what that refuses must be invalid.
    let (mut valid, mut invalid, mut malformed) = (0, 0, 0);
    for group in groups(TestName::EcdsaSecp256r1Sha256) {
        let key = wycheproof_key(&group);
        for test in &group.tests {
            let fixed = DerSignature::from_bytes(&test.sig).ok();
            let fixed = fixed.and_then(|der| p256::ecdsa::Signature::try_from(der).ok());
            let Some(fixed) = fixed else {
                assert_eq!(
                    test.result,
                    TestResult::Invalid,
                    "{}: {}",
                    test.tc_id,
                    test.comment
                );
                malformed += 1;
                continue;
            };
            let accepted = both_verify(&key, &test.msg, &fixed.to_bytes()) == Some(true);
            assert_eq!(
                accepted,
                test.result == TestResult::Valid,
                "{}: {}",
                test.tc_id,
                test.comment
            );
            if accepted { valid += 1 } else { invalid += 1 }
        }
    }
    assert!(
        valid > 100 && invalid > 20 && malformed > 100,
        "{valid} valid, {invalid} invalid, {malformed} malformed"
    );
}
