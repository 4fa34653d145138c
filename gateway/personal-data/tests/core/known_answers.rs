//! Answers computed once with other programs (Python's `hmac`, `hashlib` and `cryptography`). They stand in
//! databases: a failure here means that rows are no longer found or no longer open.

use data_encoding::HEXLOWER;
use personal_data::{
    Address, Email, IndexKey, LinkCode, OneTimeCode, Phone, SealedProfile, open, seal,
};

use crate::{MEMBER, counting, master_key, only, profile};

#[test]
fn hashes_stay_what_they_are() {
    let key = IndexKey::from_random(counting(0));
    let terms = key.terms(&profile());
    let email = Email::parse("taro@EXAMPLE.jp").unwrap();
    let phone = Phone::parse("+81 90 1234 5678").unwrap();
    let link_code = LinkCode::parse("cfhj-2345").unwrap();
    let one_time_code = OneTimeCode::parse("012345").unwrap();
    for (hash, known) in [
        (
            terms.email.unwrap(),
            "0e797ce328b1599985ef975894fef1f2a5a7f96fb5563e740e425c04fe512916",
        ),
        (
            terms.phone.unwrap(),
            "5f358e9f7ede11abac93acc01230febc0179e887ae8a4e69d500fa108c49ab75",
        ),
        (
            terms.person.unwrap(),
            "22b2f44d0da607aa95d1e7aa2a406cc9c3e9da8de209092fee895921077fc0db",
        ),
        (
            terms.kana.unwrap(),
            "1431d65add09143527068c9254c78d612ec4b32f1450e44db6d40f500bc26b0b",
        ),
        (
            key.address_key(Address::Email(&email)),
            "e6a176c77488d5a3ca713bbf4c22c30bd60114799c0ecce9dca3b112a891bb61",
        ),
        (
            key.address_key(Address::Phone(&phone)),
            "fc1a17f11292b3fa146d1891e15a713a5520991081fd0b607ed5452a1349d37d",
        ),
        (
            key.number_key("plastic card", "2999000012345"),
            "78f5c6b4661ae83bde55b72289624c8a7b7026872f8141363f5b77368c6fdec7",
        ),
        (
            link_code.hash("device", &key),
            "cc8fa15bbac7aa9e781729b6c3c8eec8bf976227161d2fa9156dacb8fb104f45",
        ),
        (
            one_time_code.hash("device", &key),
            "b2306a4df8d649e7b8269fd530345247f6066a00d97bc33b7d8ba7674cd9c066",
        ),
    ] {
        assert_eq!(HEXLOWER.encode(&hash), known);
    }
}

#[test]
fn the_index_key_is_read_from_its_setting() {
    let setting = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    let read = IndexKey::parse(setting).unwrap();
    let made = IndexKey::from_random(counting(0));
    assert_eq!(read.terms(&profile()), made.terms(&profile()));
    for wrong in ["", "AAECAw==", "not base64"] {
        assert!(IndexKey::parse(wrong).is_err());
    }
    assert!(IndexKey::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").is_err());
}

#[test]
fn what_is_missing_has_no_term() {
    let key = IndexKey::from_random(counting(0));
    let mut without = profile();
    without.birthday = None;
    without.email = None;
    let terms = key.terms(&without);
    assert_eq!((terms.email, terms.person), (None, None));
    assert!(terms.phone.is_some() && terms.kana.is_some());
    assert_eq!(key.terms(&Default::default()), Default::default());
}

/// Parts of a hash do not run into each other, and another key gives other hashes.
#[test]
fn uses_and_keys_are_kept_apart() {
    let key = IndexKey::from_random(counting(0));
    assert_ne!(key.number_key("a", "bc"), key.number_key("ab", "c"));
    assert_ne!(key.number_key("a", "1"), key.number_key("b", "1"));
    let other = IndexKey::from_random(counting(1));
    assert_ne!(key.number_key("a", "1"), other.number_key("a", "1"));
    let code = OneTimeCode::parse("012345").unwrap();
    assert_ne!(code.hash("a", &key), code.hash("b", &key));
}

const WRAPPED_KEY: &str = "\
    018485868788898a8b8c8d8e8f57de7626f373dbeb371dc6d506324822baca775928bf71c4a0e8b6530e079e0859c000\
    cdd0bbd01d344d7b091ce6b590";
const SEALED: &str = "\
    01909192939495969798999a9b4c67372e787f4acbe8fa2f5d465cf0b350f68ca2c4aa91be5c43b6f014a06a1c3ec1ad\
    982b560b6705285ea2030a41e860c4845465b5f4a64a671caa13ecc182c3e7ead131c63847585ef4f088bd860e9d148b\
    8423a44595368054768bfa3afd9890e5ac2fb78557f17e932ce8df1ff5040ddfcf1699d314440f3ff4f5fcb74f2710e7\
    37ef8d962bffea71cef44463524ad48dc24e4e6878a848d4efdcd4c6b8d87b68cf658b290cdbf3d9286e761f8f8153f1\
    474f1b998804fd3b9b20b7abfeb4f762eac8d55cde964c3575f9a795fc1b43fb914c21a16e6f7f916a063b283da5a51b\
    f4e88dc401af7c84a6c338aa575a164ba3fa3997d2528d785ce159031c28580c444cb8cc302ef94c7ecb0e28";

#[test]
fn a_row_of_the_first_format_opens_and_is_still_written() {
    let row = SealedProfile {
        wrapped_key: HEXLOWER.decode(WRAPPED_KEY.as_bytes()).unwrap(),
        key_id: "f4a7d1da".to_owned(),
        sealed: HEXLOWER.decode(SEALED.as_bytes()).unwrap(),
    };
    let keys = only(master_key(0));
    assert_eq!(open(&keys, MEMBER, &row).unwrap(), profile());
    let again = seal(&keys, MEMBER, &profile(), counting(100)).unwrap();
    assert!(again == row);
}
