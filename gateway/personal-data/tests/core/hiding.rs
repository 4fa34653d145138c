//! Nothing that is personal or secret shows in `Debug` or in an error.

use data_encoding::BASE64;
use personal_data::{
    BirthDate, Email, IndexKey, Kana, LinkCode, MasterKeys, Name, OneTimeCode, Phone, PostalCode,
    Profile, ProfileInput, seal,
};
use serde_json::json;

use crate::{MEMBER, TODAY, counting, input, master_key, only, profile};

#[test]
fn debug_output_shows_no_value() {
    let profile = profile();
    let key = master_key(0);
    let index_key = IndexKey::from_random(counting(0));
    let keys = only(key.clone());
    let row = seal(&keys, MEMBER, &profile, counting(100)).unwrap();
    let link_code = LinkCode::parse("CFHJ2345").unwrap();
    let one_time_code = OneTimeCode::parse("271828").unwrap();
    let shown = [
        format!("{:?}", input()),
        format!("{profile:?}"),
        format!("{profile:#?}"),
        format!("{:?}", index_key.terms(&profile)),
        format!("{key:?} {keys:?} {index_key:?}"),
        format!("{row:?} {row:#?}"),
        format!("{link_code:?} {one_time_code:?}"),
    ]
    .concat();
    let master_key = key.to_setting();
    let (_, base64) = master_key.split_once(':').unwrap();
    for hidden in [
        "山田",
        "翔太",
        "ヤマダ",
        "ﾔﾏ",
        "aro",
        "xample",
        "1234",
        "5678",
        "1980",
        "4567",
        "CFHJ",
        "271828",
        "newsletter",
        "2026-04",
        "100, 101",
        "14, 121",
        base64,
    ] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    assert!(shown.contains("Email(..)"));
    assert_eq!(
        format!("{row:?}"),
        format!(
            "SealedProfile {{ key_id: {:?}, sealed_bytes: {}, .. }}",
            key.id(),
            row.sealed.len()
        )
    );
}

/// A marker in each field, in each of the ways a field can be wrong.
#[test]
fn errors_do_not_repeat_the_value() {
    let marker = "MARKER";
    for text in [
        marker.to_owned(),
        format!("{marker}@{marker}"),
        format!("1980-01-02 {marker}"),
        format!("09012345678{marker}"),
        format!("\u{0}{marker}").repeat(60),
    ] {
        let errors = [
            Name::parse(&format!("{text}\u{202e}a"))
                .map(drop)
                .unwrap_err(),
            Kana::parse(&text).map(drop).unwrap_err(),
            Email::parse(&text).map(drop).unwrap_err(),
            Phone::parse(&text).map(drop).unwrap_err(),
            BirthDate::parse(&text, TODAY).map(drop).unwrap_err(),
            PostalCode::parse(&text).map(drop).unwrap_err(),
        ];
        for error in errors {
            assert!(!format!("{error} {error:?}").contains(marker));
        }
        let error = LinkCode::parse(&text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(marker));
        for settings in [&text, &format!("{text}:{}", BASE64.encode(&[7, 8]))] {
            let error = MasterKeys::parse(settings).unwrap_err();
            assert!(!format!("{error} {error:?}").contains(marker));
        }
        let error = IndexKey::parse(&text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(marker));
        let error = serde_json::from_value::<Profile>(json!({ "email": text })).unwrap_err();
        assert!(!error.to_string().contains(marker));
    }
    let error = Profile::parse(
        &ProfileInput {
            email: Some(marker.to_owned()),
            ..input()
        },
        TODAY,
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "email is not an e-mail address");
}
