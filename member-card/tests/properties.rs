//! What holds for every card and every text.

use std::sync::LazyLock;

use member_card::{
    CardFields, CardText, ProgrammeId, PublicKey, ScannedText, SignError, SigningKey, SpendLimit,
    VerifyError,
};
use p256::ecdsa::Signature;
use proptest::prelude::*;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    SigningKey::from_hex("cf66e357d3b7daef1b1e841569012756aa2e4cf0c49f835dca5efe37a6eb50b6")
        .unwrap()
});
static PROGRAMME: LazyLock<ProgrammeId> = LazyLock::new(|| ProgrammeId::new("demo").unwrap());

fn spend() -> impl Strategy<Value = SpendLimit> {
    prop_oneof![
        Just(SpendLimit::EarnOnly),
        Just(SpendLimit::Unlimited),
        (0..=SpendLimit::POINTS_MAX).prop_map(SpendLimit::UpTo),
        prop::sample::select(vec![0, 1, SpendLimit::POINTS_MAX]).prop_map(SpendLimit::UpTo),
    ]
}

fn fields() -> impl Strategy<Value = CardFields> {
    (any::<u32>(), spend()).prop_map(|(issued_at, spend)| CardFields { issued_at, spend })
}

fn signing_key() -> impl Strategy<Value = SigningKey> {
    // Almost every 256-bit number is a key; the few that are not make their case empty.
    any::<[u8; 32]>().prop_filter_map("a scalar", |bytes| {
        SigningKey::from_hex(&data_encoding::HEXLOWER.encode(&bytes)).ok()
    })
}

fn programme() -> impl Strategy<Value = ProgrammeId> {
    "[a-z0-9-]{1,64}".prop_map(|text| ProgrammeId::new(&text).unwrap())
}

fn full_width(digits: &str) -> String {
    digits
        .bytes()
        .map(|digit| char::from_u32(0xFF10 + u32::from(digit - b'0')).unwrap())
        .collect()
}

/// The 80 bytes of a card text, read independently of the crate.
fn bytes_of(digits: &str) -> [u8; 80] {
    let mut bytes = Vec::new();
    let (groups, tail) = digits[4..].split_at(11 * 17);
    for group in 0..11 {
        let number: u64 = groups[group * 17..][..17].parse().unwrap();
        bytes.extend(&number.to_be_bytes()[1..]);
    }
    bytes.extend(&tail.parse::<u32>().unwrap().to_be_bytes()[1..]);
    bytes.try_into().unwrap()
}

fn digits_of(bytes: &[u8; 80]) -> String {
    let mut digits = String::from("7001");
    for group in bytes[..77].chunks(7) {
        digits += &format!(
            "{:017}",
            group
                .iter()
                .fold(0_u64, |sum, byte| sum * 256 + u64::from(*byte))
        );
    }
    digits
        + &format!(
            "{:08}",
            bytes[77..]
                .iter()
                .fold(0_u32, |sum, byte| sum * 256 + u32::from(*byte))
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_signed_is_what_is_verified(key in signing_key(), fields in fields(), programme in programme()) {
        let digits = key.sign(fields, &programme).unwrap().to_digits();
        let signed = CardText::parse(&digits).unwrap().decode();
        let verified = signed.verify(key.public_key(), &programme).unwrap();
        prop_assert_eq!(signed.verify_portable(key.public_key(), &programme), Ok(verified));
        prop_assert_eq!(verified.card_id(), key.card_id());
        prop_assert_eq!(CardFields { issued_at: verified.issued_at(), spend: verified.spend() }, fields);
    }

    #[test]
    fn a_card_is_worth_nothing_elsewhere(fields in fields(), other in programme(), other_key in signing_key()) {
        prop_assume!(other != *PROGRAMME && other_key.card_id() != KEY.card_id());
        let signed = KEY.sign(fields, &PROGRAMME).unwrap().decode();
        let refused = Err(VerifyError::BadSignature);
        prop_assert_eq!(signed.verify(KEY.public_key(), &other), refused);
        prop_assert_eq!(signed.verify_portable(KEY.public_key(), &other), refused);
        let refused = Err(VerifyError::OtherKey);
        prop_assert_eq!(signed.verify(other_key.public_key(), &PROGRAMME), refused);
        prop_assert_eq!(signed.verify_portable(other_key.public_key(), &PROGRAMME), refused);
    }

    #[test]
    fn the_other_signature_is_the_same_use(fields in fields()) {
        let digits = KEY.sign(fields, &PROGRAMME).unwrap().to_digits();
        let mut bytes = bytes_of(&digits);
        let signature = Signature::from_slice(&bytes[16..]).unwrap();
        let (r, s) = (signature.r(), -signature.s());
        bytes[16..].copy_from_slice(&Signature::from_scalars(r, s).unwrap().to_bytes());
        let twin_digits = digits_of(&bytes);
        prop_assert_ne!(&twin_digits, &digits);
        let signed = CardText::parse(&digits).unwrap().decode();
        let twin = CardText::parse(&twin_digits).unwrap().decode();
        let verified = signed.verify(KEY.public_key(), &PROGRAMME).unwrap();
        prop_assert_eq!(twin.verify(KEY.public_key(), &PROGRAMME).unwrap().card_use(), verified.card_use());
        prop_assert!(twin.verify_portable(KEY.public_key(), &PROGRAMME).is_ok());
    }

    #[test]
    fn a_changed_digit_is_refused(fields in fields(), place in 0_usize..199, change in 1_u8..10) {
        let mut digits = KEY.sign(fields, &PROGRAMME).unwrap().to_digits().into_bytes();
        digits[place] = b'0' + (digits[place] - b'0' + change) % 10;
        let changed = String::from_utf8(digits).unwrap();
        if let Ok(text) = CardText::parse(&changed) {
            let signed = text.decode();
            let outcome = signed.verify(KEY.public_key(), &PROGRAMME);
            prop_assert!(outcome.is_err());
            prop_assert_eq!(signed.verify_portable(KEY.public_key(), &PROGRAMME), outcome);
        }
    }

    #[test]
    fn what_scanners_add_changes_nothing(
        fields in fields(),
        before in "[ \t\r\n\u{3000}]{0,4}",
        after in "[ \t\r\n\u{3000}]{0,4}",
        aim in prop::sample::select(vec!["", "]Q0", "]Q1", "]Q6", "[Q1", "[Q3"]),
        wide: bool,
    ) {
        let digits = KEY.sign(fields, &PROGRAMME).unwrap().to_digits();
        let typed = if wide { full_width(&digits) } else { digits.clone() };
        let scanned = format!("{before}{aim}{typed}{after}");
        let read = CardText::parse(&scanned).unwrap().to_digits();
        prop_assert_eq!(&read, &digits);
        // Cleaning what is clean changes nothing.
        prop_assert_eq!(CardText::parse(&read).unwrap().to_digits(), read);
    }
}

proptest! {
    #[test]
    fn a_well_formed_card_has_exactly_one_text(mut bytes in prop::collection::vec(any::<u8>(), 80)) {
        bytes[0] = 0x10 | bytes[0] & 1;
        if bytes[0] & 1 == 0 {
            bytes[13..16].fill(0);
        }
        let digits = digits_of(bytes.as_slice().try_into().unwrap());
        prop_assert_eq!(digits.len(), 199);
        let text = CardText::parse(&digits).unwrap();
        prop_assert_eq!(text.to_digits(), digits);
    }

    #[test]
    fn any_text_that_parses_is_the_text_of_its_bytes(digits in "7001(([0-6][0-9]|7[0-2])[0-9]{15}){11}(0[0-9]|1[0-7])[0-9]{6}") {
        if let Ok(text) = CardText::parse(&digits) {
            prop_assert_eq!(text.to_digits(), digits);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(scanned in any::<String>()) {
        let _ = ScannedText::parse(&scanned);
        let _ = CardText::parse(&scanned);
    }

    #[test]
    fn no_nearly_right_text_makes_the_reader_panic(
        scanned in "[ \r]{0,2}(\\]|\\[)?[QC]?[0-7０-７]?(700[0-9])?[0-9０-９x]{0,420}[\r\n]?",
    ) {
        let card = CardText::parse(&scanned);
        match ScannedText::parse(&scanned) {
            Ok(ScannedText::MemberCard(text)) => prop_assert_eq!(text.to_digits(), card.unwrap().to_digits()),
            _ => prop_assert!(card.is_err()),
        }
    }
}

#[test]
fn every_single_changed_digit_of_one_card_is_refused() {
    let fields = CardFields {
        issued_at: 1_795_400_000,
        spend: SpendLimit::UpTo(500),
    };
    let digits = KEY
        .sign(fields, &PROGRAMME)
        .unwrap()
        .to_digits()
        .into_bytes();
    let mut reached_the_signature = 0;
    for place in 0..digits.len() {
        for digit in (b'0'..=b'9').filter(|digit| *digit != digits[place]) {
            let mut changed = digits.clone();
            changed[place] = digit;
            let changed = String::from_utf8(changed).unwrap();
            if let Ok(text) = CardText::parse(&changed) {
                reached_the_signature += 1;
                assert!(
                    text.decode().verify(KEY.public_key(), &PROGRAMME).is_err(),
                    "place {place}"
                );
            }
        }
    }
    assert!(
        reached_the_signature > 1000,
        "most changes leave the shape intact"
    );
}

#[test]
fn a_limit_that_does_not_fit_is_not_signed() {
    for limit in [SpendLimit::POINTS_MAX + 1, u32::MAX] {
        let fields = CardFields {
            issued_at: 0,
            spend: SpendLimit::UpTo(limit),
        };
        assert_eq!(
            KEY.sign(fields, &PROGRAMME).unwrap_err(),
            SignError::SpendLimitTooLarge
        );
    }
}

#[test]
fn a_spend_limit_says_what_it_allows() {
    for (spend, points, allowed) in [
        (SpendLimit::EarnOnly, 0, true),
        (SpendLimit::EarnOnly, 1, false),
        (SpendLimit::UpTo(0), 1, false),
        (SpendLimit::UpTo(500), 500, true),
        (SpendLimit::UpTo(500), 501, false),
        (SpendLimit::Unlimited, u64::MAX, true),
    ] {
        assert_eq!(spend.allows(points), allowed, "{spend:?} {points}");
    }
}

#[test]
fn nothing_secret_shows_in_debug_output() {
    let fields = CardFields {
        issued_at: 1_795_400_000,
        spend: SpendLimit::Unlimited,
    };
    let text = KEY.sign(fields, &PROGRAMME).unwrap();
    let digits = text.to_digits();
    let shown = format!(
        "{:?} {:?} {text:?} {:?}",
        *KEY,
        KEY.public_key(),
        text.decode()
    );
    assert!(!shown.contains(KEY.to_hex().as_str()));
    // Neither the text nor its bytes in any notation: nothing as long as a signature half is there.
    assert!(!shown.contains(&digits[40..60]));
    assert!(shown.len() < 300, "{shown}");
}

#[test]
fn a_generated_key_survives_its_file() {
    let key = SigningKey::generate().unwrap();
    let pem = key.to_pkcs8_pem().unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let read = SigningKey::from_pkcs8_pem(&pem).unwrap();
    assert_eq!(read.to_hex(), key.to_hex());
    assert_ne!(SigningKey::generate().unwrap().card_id(), key.card_id());
    assert!(SigningKey::from_pkcs8_pem("-----BEGIN PRIVATE KEY-----\n").is_err());
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    for wrong in ["", "00", &"00".repeat(32), order, "zz"] {
        assert!(SigningKey::from_hex(wrong).is_err(), "{wrong}");
    }
    assert_eq!(
        PublicKey::from_sec1(&key.public_key().to_sec1()).unwrap(),
        *key.public_key()
    );
}
