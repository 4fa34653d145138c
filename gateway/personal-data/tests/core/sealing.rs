//! A row opens exactly as it was sealed, for its member, and a rotation changes nothing but the wrapping.

use personal_data::{
    Consent, ConsentInput, Email, Kana, MasterKeys, Name, OpenError, Phone, PostalCode, Profile,
    SealedProfile, open, rewrap, seal,
};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};
use uuid::Uuid;

use crate::{MEMBER, counting, master_key, only, profile};

fn sealed_with(keys: &MasterKeys) -> SealedProfile {
    seal(keys, MEMBER, &profile(), counting(100)).unwrap()
}

fn consents() -> impl Strategy<Value = Vec<Consent>> {
    let consent = ("[a-z]{1,9}", 0..2_000_000_000_i64, option::of(0..1_000_i64)).prop_map(
        |(purpose, given, held)| {
            let at = |second| jiff::Timestamp::from_second(second).unwrap();
            Consent::parse(ConsentInput {
                purpose,
                wording_version: "v1".to_owned(),
                given_at: at(given),
                withdrawn_at: held.map(|held| at(given + held)),
            })
            .unwrap()
        },
    );
    proptest::collection::vec(consent, 0..5)
}

fn profiles() -> impl Strategy<Value = Profile> {
    (
        option::of("[a-z山田太郎\"\\\\]{1,20}"),
        option::of("[ァ-ヺ][ァ-ヺー ]{0,20}"),
        option::of("[A-Za-z.+]{1,20}@[a-z]{1,20}\\.jp"),
        option::of("0[789]0[0-9]{8}"),
        option::of((1900..2026_i16, 1..=12_i8, 1..=28_i8)),
        option::of("[0-9]{7}"),
        consents(),
    )
        .prop_map(|(name, kana, email, phone, birthday, code, consents)| {
            let date = |(y, m, d)| jiff::civil::Date::new(y, m, d).unwrap();
            Profile {
                name: name.map(|text| Name::parse(&text).unwrap()),
                kana: kana.map(|text| Kana::parse(&text).unwrap()),
                email: email.map(|text| Email::parse(&text).unwrap()),
                phone: phone.map(|text| Phone::parse(&text).unwrap()),
                birthday: birthday.map(|parts| date(parts).try_into().unwrap()),
                postal_code: code.map(|text| PostalCode::parse(&text).unwrap()),
                consents,
            }
        })
}

fn randoms<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    proptest::collection::vec(any::<u8>(), N).prop_map(|bytes| bytes.try_into().unwrap())
}

proptest! {
    #[test]
    fn what_was_sealed_opens(profile in profiles(), member in any::<u128>(), random in randoms()) {
        let keys = only(master_key(0));
        let member = Uuid::from_u128(member);
        let row = seal(&keys, member, &profile, random).unwrap();
        prop_assert_eq!(open(&keys, member, &row), Ok(profile));
    }

    #[test]
    fn another_member_does_not_open_it(bit in 0..128_u32) {
        let keys = only(master_key(0));
        let other = Uuid::from_u128(MEMBER.as_u128() ^ (1 << bit));
        prop_assert_eq!(open(&keys, other, &sealed_with(&keys)), Err(OpenError::Tampered));
    }

    #[test]
    fn rewrapping_keeps_the_profile(profile in profiles(), random in randoms(), nonce in randoms()) {
        let old = only(master_key(0));
        let row = seal(&old, MEMBER, &profile, random).unwrap();
        let both = MasterKeys::new(master_key(1), vec![master_key(0)]).unwrap();
        prop_assert!(row.needs_rewrap(&both));
        let rewrapped = rewrap(&both, MEMBER, &row, nonce).unwrap();
        prop_assert!(!rewrapped.needs_rewrap(&both));
        prop_assert_eq!(&rewrapped.sealed, &row.sealed);
        prop_assert!(rewrapped.wrapped_key != row.wrapped_key);

        let new = only(master_key(1));
        prop_assert_eq!(open(&both, MEMBER, &row), Ok(profile.clone()));
        prop_assert_eq!(open(&both, MEMBER, &rewrapped), Ok(profile.clone()));
        prop_assert_eq!(open(&new, MEMBER, &rewrapped), Ok(profile));
        let unknown = |id: &str| OpenError::UnknownMasterKey { key_id: id.to_owned() };
        prop_assert_eq!(open(&new, MEMBER, &row), Err(unknown(master_key(0).id())));
        prop_assert_eq!(open(&old, MEMBER, &rewrapped), Err(unknown(master_key(1).id())));
        // Nor does the old key under the new key's name.
        let named = SealedProfile { key_id: row.key_id, ..rewrapped };
        prop_assert_eq!(open(&old, MEMBER, &named), Err(OpenError::Tampered));
    }

    #[test]
    fn bytes_of_any_kind_are_refused(
        wrapped_key in proptest::collection::vec(any::<u8>(), 0..80),
        sealed in proptest::collection::vec(any::<u8>(), 0..80),
        format in prop_oneof![Just(None), Just(Some(1_u8))],
    ) {
        let keys = only(master_key(0));
        let with_format = |bytes: Vec<u8>| format.into_iter().chain(bytes).collect::<Vec<u8>>();
        let intact = sealed_with(&keys);
        let wrapped = SealedProfile { wrapped_key: with_format(wrapped_key), ..intact.clone() };
        prop_assert!(open(&keys, MEMBER, &wrapped).is_err());
        let sealed = SealedProfile { sealed: with_format(sealed), ..intact };
        prop_assert!(open(&keys, MEMBER, &sealed).is_err());
    }
}

#[test]
fn a_bit_flipped_anywhere_refuses_to_open() {
    let keys = MasterKeys::new(master_key(0), vec![master_key(1)]).unwrap();
    let row = sealed_with(&keys);
    for bit in 0..row.wrapped_key.len() * 8 {
        let mut changed = row.clone();
        changed.wrapped_key[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&keys, MEMBER, &changed).is_err(), "wrapped key, {bit}");
        assert!(rewrap(&keys, MEMBER, &changed, counting(0)).is_err());
    }
    for bit in 0..row.sealed.len() * 8 {
        let mut changed = row.clone();
        changed.sealed[bit / 8] ^= 1 << (bit % 8);
        let error = open(&keys, MEMBER, &changed).unwrap_err();
        let expected = match bit / 8 {
            0 => OpenError::UnknownFormat,
            _ => OpenError::Tampered,
        };
        assert_eq!(error, expected, "sealed, {bit}");
    }
    let other_key = SealedProfile {
        key_id: master_key(1).id().to_owned(),
        ..row.clone()
    };
    assert_eq!(open(&keys, MEMBER, &other_key), Err(OpenError::Tampered));
    for short in 0..row.sealed.len() {
        let mut changed = row.clone();
        changed.sealed.truncate(short);
        assert!(open(&keys, MEMBER, &changed).is_err(), "cut to {short}");
    }
}

/// The two parts belong together: neither fits the same member's other version, nor each other's place.
#[test]
fn parts_are_not_exchanged() {
    let keys = only(master_key(0));
    let first = sealed_with(&keys);
    let second = seal(&keys, MEMBER, &profile(), counting(200)).unwrap();
    let mixed = SealedProfile {
        sealed: second.sealed,
        ..first.clone()
    };
    assert_eq!(open(&keys, MEMBER, &mixed), Err(OpenError::Tampered));
    let swapped = SealedProfile {
        wrapped_key: first.sealed.clone(),
        sealed: first.wrapped_key.clone(),
        ..first
    };
    assert_eq!(open(&keys, MEMBER, &swapped), Err(OpenError::Tampered));
}

#[test]
fn nothing_readable_is_in_a_row() {
    let row = sealed_with(&only(master_key(0)));
    let data_key: [u8; 32] = counting(100);
    for plain in [
        "example".as_bytes(),
        "9012345678".as_bytes(),
        "ヤマダ".as_bytes(),
        &data_key[..8],
    ] {
        for part in [&row.wrapped_key, &row.sealed] {
            assert!(!part.windows(plain.len()).any(|window| window == plain));
        }
    }
}
