//! A normal form is final: reading it again changes nothing, whatever was written first.

use personal_data::{
    BirthDate, Email, FieldError, IndexKey, Kana, LinkCode, Name, OneTimeCode, Phone, PostalCode,
    Profile, ProfileInput,
};
use proptest::prelude::any;
use proptest::{prop_assert, prop_assert_eq, proptest};
use serde_json::json;

use crate::{TODAY, counting, input, profile};

/// Reads, and reads what came out of it once more.
fn settles<T>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, FieldError>,
    write: impl Fn(&T) -> String,
) -> Result<(), proptest::test_runner::TestCaseError> {
    if let Ok(first) = parse(text) {
        let first = write(&first);
        let second = parse(&first).map(|value| write(&value));
        prop_assert_eq!(second, Ok(first));
    }
    Ok(())
}

fn settles_everywhere(text: &str) -> Result<(), proptest::test_runner::TestCaseError> {
    settles(text, Name::parse, |name| name.as_str().to_owned())?;
    settles(text, Kana::parse, |kana| kana.as_str().to_owned())?;
    settles(text, Email::parse, Email::to_text)?;
    settles(text, Email::parse, Email::compared)?;
    settles(text, Phone::parse, Phone::to_text)?;
    settles(text, PostalCode::parse, PostalCode::to_text)?;
    let parse = |text: &str| BirthDate::parse(text, TODAY);
    settles(text, parse, |birth_date| birth_date.date().to_string())
}

proptest! {
    #[test]
    fn any_text_settles_or_is_refused(text in any::<String>()) {
        settles_everywhere(&text)?;
    }

    #[test]
    fn kana_settle(text in "[ぁ-ゟァ-ヿｦ-ﾟ\u{3000} \u{3099}-\u{309c}･＝‐－-]{0,12}") {
        settles_everywhere(&text)?;
        if let Ok(kana) = Kana::parse(&text) {
            let compared = kana.compared();
            let again = Kana::parse(&compared).map(|kana| kana.compared());
            prop_assert_eq!(again, Ok(compared));
        }
    }

    #[test]
    fn addresses_settle(text in "[a-cA-C.+ａ]{1,4}[@＠][a-zA-Z０-９À-ž\u{212a}ΣİアｶﾞÅ-]{1,6}[.。．][a-zA-Zｊ]{2}") {
        settles_everywhere(&text)?;
    }

    #[test]
    fn numbers_settle(text in "[+＋]?[(（]?(00|010|0|８１|81|\\+81)?[ -]?[0-9０-９ー－ ()]{4,14}") {
        settles_everywhere(&text)?;
    }

    #[test]
    fn dates_settle(text in "[1１][９9][0-9]{2}[-/.年ー]?[0-1]?[0-9][-/.月ー]?[0-3]?[0-9]日?") {
        settles_everywhere(&text)?;
    }

    #[test]
    fn a_shown_code_is_read_again(random in any::<u128>()) {
        let code = LinkCode::from_random(random.to_be_bytes());
        let shown = code.to_text();
        prop_assert!(!shown.contains(|c| "0ODQ1ILZSGBU".contains(c)));
        prop_assert_eq!(LinkCode::parse(&shown), Ok(code.clone()));
        prop_assert_eq!(LinkCode::parse(&shown.to_lowercase()), Ok(code));
        let code = OneTimeCode::from_random(random.to_be_bytes());
        let read = OneTimeCode::parse(code.as_str());
        prop_assert_eq!(read, Ok(code));
    }
}

#[test]
fn people_who_write_differently_are_found_alike() {
    let key = IndexKey::from_random(counting(0));
    let other = ProfileInput {
        name: None,
        kana: Some("やまだ\u{3000}\u{3000}しょうた".to_owned()),
        email: Some(" taro@example.jp".to_owned()),
        phone: Some("+81 (0)90 1234 5678".to_owned()),
        birthday: Some("１９８００１０２".to_owned()),
        postal_code: None,
        consents: Vec::new(),
    };
    let other = Profile::parse(&other, TODAY).unwrap();
    assert_eq!(key.terms(&other), key.terms(&profile()));
}

#[test]
fn a_fault_names_its_field() {
    for (field, text) in [
        ("name", "\u{0}a\u{0}"),
        ("kana", "山田"),
        ("email", "taro"),
        ("phone", "12"),
        ("birthday", "2026-04-02"),
        ("postal_code", "12"),
    ] {
        let input: ProfileInput = serde_json::from_value(json!({ field: text })).unwrap();
        let error = Profile::parse(&input, TODAY).unwrap_err();
        assert_eq!(error.field.as_str(), field);
        assert!(error.to_string().starts_with(field));
    }
    let mut many = input();
    many.consents = vec![many.consents[0].clone(); 101];
    let error = Profile::parse(&many, TODAY).unwrap_err();
    assert_eq!(error.to_string(), "consents has more than 100 entries");
}

#[test]
fn unknown_fields_are_refused() {
    let unknown = json!({ "nickname": "Taro" });
    assert!(serde_json::from_value::<ProfileInput>(unknown.clone()).is_err());
    assert!(serde_json::from_value::<Profile>(unknown).is_err());
}

#[test]
fn an_export_tells_everything() {
    assert_eq!(
        profile().to_export(),
        json!({
            "name": "山田 翔太",
            "kana": "ヤマダ ショウタ",
            "email": "Taro@example.jp",
            "phone": "+819012345678",
            "birthday": "1980-01-02",
            "postal_code": "123-4567",
            "consents": [{
                "purpose": "newsletter",
                "wording_version": "2026-04",
                "given_at": "2026-04-01T00:00:00Z",
                "withdrawn_at": null,
            }],
        })
    );
    let nothing = Profile::default().to_export();
    assert_eq!(nothing["email"], json!(null));
    assert_eq!(nothing.as_object().unwrap().len(), 7);
}
