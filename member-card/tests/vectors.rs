//! The published vectors: cards that must be accepted, texts that must be refused and why.

use data_encoding::BASE64URL_NOPAD;
use member_card::{
    CardFields, CardId, CardText, CardTextError, ProgrammeId, PublicKey, ScannedText, SigningKey,
    SpendLimit, VerifyError,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    programme: ProgrammeId,
    valid: Vec<Valid>,
    invalid: Vec<Invalid>,
}

#[derive(Deserialize)]
struct Valid {
    private_key: String,
    public_key: String,
    card_id: CardId,
    issued_at: u32,
    spend_limit: Option<u32>,
    text: String,
}

#[derive(Deserialize)]
struct Invalid {
    why: String,
    public_key: String,
    text: String,
}

/// Where a text is stopped.
#[derive(Debug, PartialEq)]
enum Refusal {
    Shape(CardTextError),
    Proof(VerifyError),
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("vectors/member-card-v1.json")).unwrap()
}

fn public_key(base64url: &str) -> PublicKey {
    PublicKey::from_sec1(&BASE64URL_NOPAD.decode(base64url.as_bytes()).unwrap()).unwrap()
}

fn spend(limit: Option<u32>) -> SpendLimit {
    match limit {
        None => SpendLimit::EarnOnly,
        Some(0x00FF_FFFF) => SpendLimit::Unlimited,
        Some(limit) => SpendLimit::UpTo(limit),
    }
}

#[test]
fn every_valid_card_is_accepted_by_both_verifiers() {
    let Vectors {
        programme, valid, ..
    } = vectors();
    assert_eq!(valid.len(), 10);
    for vector in &valid {
        let key = public_key(&vector.public_key);
        assert_eq!(key.card_id(), vector.card_id);
        let signed = CardText::parse(&vector.text).unwrap().decode();
        let verified = signed.verify(&key, &programme).unwrap();
        assert_eq!(signed.verify_portable(&key, &programme), Ok(verified));
        assert_eq!(verified.card_id(), vector.card_id);
        assert_eq!(verified.issued_at(), vector.issued_at);
        assert_eq!(verified.spend(), spend(vector.spend_limit));
        assert_eq!(signed.text().to_digits(), vector.text);
        let Ok(ScannedText::MemberCard(card)) = ScannedText::parse(&vector.text) else {
            panic!()
        };
        assert_eq!(card.to_digits(), vector.text);
    }
}

#[test]
fn both_signatures_of_a_card_are_one_use() {
    let Vectors {
        programme, valid, ..
    } = vectors();
    for pair in valid.chunks_exact(2) {
        let [first, second] = pair else { panic!() };
        assert_ne!(first.text, second.text);
        let card_use = |vector: &Valid| {
            let signed = CardText::parse(&vector.text).unwrap().decode();
            signed
                .verify(&public_key(&vector.public_key), &programme)
                .unwrap()
                .card_use()
        };
        assert_eq!(card_use(first), card_use(second));
    }
}

#[test]
fn the_published_private_keys_are_those_of_the_cards() {
    let Vectors {
        programme, valid, ..
    } = vectors();
    for vector in &valid {
        let key = SigningKey::from_hex(&vector.private_key).unwrap();
        assert_eq!(*key.public_key(), public_key(&vector.public_key));
        assert_eq!(key.to_hex().as_str(), vector.private_key);
        // A signature of our own over the same fields differs from the published one only in its 64 bytes.
        let fields = CardFields {
            issued_at: vector.issued_at,
            spend: spend(vector.spend_limit),
        };
        let text = key.sign(fields, &programme).unwrap();
        assert_eq!(text.to_digits()[..38], vector.text[..38]);
        assert!(text.decode().verify(key.public_key(), &programme).is_ok());
    }
}

/// What must stop each invalid text, by the vector's own words.
fn expected(why: &str) -> Refusal {
    use CardTextError as E;
    Refusal::Shape(match why {
        "unknown version nibble" => E::UnknownVersion { version: 2 },
        "reserved flag bit set" => E::ReservedFlags { flags: 0b1000 },
        "earn-only card with a non-zero limit" => E::LimitWithoutSpending { limit: 500 },
        "one digit short" => E::WrongLength { digits: 198 },
        "one digit long" => E::WrongLength { digits: 200 },
        "prefix alone" => E::WrongLength { digits: 4 },
        "two cards glued by a missed suffix key" => E::WrongLength { digits: 398 },
        "wrong prefix" => E::WrongPrefix,
        "first chunk 2^56, one above its range" => E::GroupOutOfRange { group: 1 },
        "tail 2^24, one above its range" => E::TailOutOfRange,
        "a letter" => E::NotADigit { position: 51 },
        "empty" => E::Empty,
        "another card's id under this key" => return Refusal::Proof(VerifyError::OtherKey),
        "spend flag set after signing"
        | "issued_at moved one second after signing"
        | "signed for another programme"
        | "r = 0"
        | "s = 0"
        | "r = n"
        | "s = n" => return Refusal::Proof(VerifyError::BadSignature),
        other => panic!("no expectation for {other:?}"),
    })
}

#[test]
fn every_invalid_text_is_refused_for_its_reason_by_both_verifiers() {
    let Vectors {
        programme, invalid, ..
    } = vectors();
    assert_eq!(invalid.len(), 20);
    for vector in &invalid {
        let key = public_key(&vector.public_key);
        let refusals = match CardText::parse(&vector.text) {
            Err(error) => [Refusal::Shape(error), Refusal::Shape(error)],
            Ok(text) => {
                let signed = text.decode();
                let (hot, portable) = (
                    signed.verify(&key, &programme),
                    signed.verify_portable(&key, &programme),
                );
                [hot, portable].map(|outcome| Refusal::Proof(outcome.expect_err(&vector.why)))
            }
        };
        for refusal in refusals {
            assert_eq!(refusal, expected(&vector.why), "{}", vector.why);
        }
    }
}
