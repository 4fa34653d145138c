//! Links that save a card to Google Wallet, checked with `openssl`.

use std::sync::LazyLock;

use crate::openssl::Openssl;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jiff::Timestamp;
use member_card::ScannedText;
use serde_json::{Value, json};
use wallet_pass::google::{Config, ConfigError, LoyaltyClass, LoyaltyPoints, Pass, save_link};
use wallet_pass::{CardNumber, Color, KeyError, PassKey, totp};

const RSA: &str = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out google.key";
const NOW: i64 = 1_790_000_000;

/// One folder for all tests: making keys takes time.
static OPENSSL: LazyLock<Openssl> = LazyLock::new(|| {
    let openssl = Openssl::new();
    openssl.must(RSA);
    openssl.must("pkey -in google.key -pubout -out google.pub");
    openssl
});

fn account(private_key: &str) -> String {
    json!({
        "type": "service_account",
        "private_key_id": "0123abcd",
        "private_key": private_key,
        "client_email": "cards@example.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    })
    .to_string()
}

fn config() -> Config {
    Config::parse(
        &account(&OPENSSL.text("google.key")),
        "3388000000012345678",
        "member",
    )
    .unwrap()
}

fn pass<'a>(key: &'a PassKey, number: &'a CardNumber) -> Pass<'a> {
    Pass {
        key,
        number,
        generation: 3,
        account_id: "012345678905",
        account_name: Some("山田花子"),
        points: Some(LoyaltyPoints {
            label: "ポイント",
            balance: 1_234,
        }),
    }
}

fn part(text: &str) -> Value {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()).unwrap()
}

/// Header and claims of a link whose signature `openssl` accepts; and one of which it does not.
fn claims(link: &str) -> (Value, Value) {
    let token = link
        .strip_prefix("https://pay.google.com/gp/v/save/")
        .unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let folder = Openssl::new();
    folder.write("google.pub", OPENSSL.text("google.pub").as_bytes());
    folder.write(
        "signature",
        &BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap(),
    );
    folder.write("signed", signed.as_bytes());
    let verify = "dgst -sha256 -verify google.pub -signature signature signed";
    folder.must(verify);
    folder.write("signed", format!("{signed}A").as_bytes());
    assert!(!folder.run(verify).status.success());
    let (header, claims) = signed.split_once('.').unwrap();
    (part(header), part(claims))
}

#[test]
fn a_link_says_what_google_asks_for() {
    let key = PassKey::new([7; 32]);
    let number = CardNumber::from_seed(7_992_739_871);
    let now = Timestamp::from_second(NOW).unwrap();
    let config = config().with_origins(vec!["https://member.example".into()]);
    let link = save_link(&config, &pass(&key, &number), now).unwrap();
    let (header, claims) = claims(link.as_str());
    assert_eq!(
        header,
        json!({ "alg": "RS256", "typ": "JWT", "kid": "0123abcd" })
    );
    let secret = claims["payload"]["loyaltyObjects"][0]["rotatingBarcode"]["totpDetails"]
        ["parameters"][0]["key"]
        .clone();
    assert_eq!(
        claims,
        json!({
            "iss": "cards@example.iam.gserviceaccount.com",
            "aud": "google",
            "typ": "savetowallet",
            "iat": NOW,
            "origins": ["https://member.example"],
            "payload": { "loyaltyObjects": [{
                "id": "3388000000012345678.079927398713-3",
                "classId": "3388000000012345678.member",
                "state": "ACTIVE",
                "accountId": "012345678905",
                "accountName": "山田花子",
                "loyaltyPoints": { "label": "ポイント", "balance": { "int": 1_234 } },
                "rotatingBarcode": {
                    "type": "QR_CODE",
                    "valuePattern": "7003079927398713{totp_value_0}",
                    "totpDetails": {
                        "periodMillis": "30000",
                        "algorithm": "TOTP_SHA1",
                        "parameters": [{ "key": secret, "valueLength": 8 }],
                    },
                    "alternateText": "079927398713",
                },
            }] },
        })
    );
    assert_eq!(secret.as_str().map(str::len), Some(40));
    assert!(link.fits_browsers(), "{}", link.as_str().len());
    // Equal arguments, equal links.
    assert!(save_link(&config, &pass(&key, &number), now).unwrap() == link);
}

/// The phone's half, done by `openssl` from what the link tells, is accepted by ours.
#[test]
fn what_a_phone_shows_is_accepted() {
    let key = PassKey::new([9; 32]);
    let number = CardNumber::from_seed(42);
    let now = Timestamp::from_second(NOW).unwrap();
    let link = save_link(&config(), &pass(&key, &number), now).unwrap();
    let barcode =
        claims(link.as_str()).1["payload"]["loyaltyObjects"][0]["rotatingBarcode"].clone();
    let secret = barcode["totpDetails"]["parameters"][0]["key"]
        .as_str()
        .unwrap();

    let step = u64::try_from(NOW).unwrap() / 30;
    OPENSSL.write("step", &step.to_be_bytes());
    let tag = OPENSSL.must(&format!(
        "dgst -sha1 -mac HMAC -macopt hexkey:{secret} -hex step"
    ));
    let tag = HEXLOWER
        .decode(tag.trim().rsplit_once(' ').unwrap().1.as_bytes())
        .unwrap();
    let offset = usize::from(tag[19] & 0x0f);
    let word = u32::from_be_bytes(tag[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    let digits = format!("{:08}", word % 100_000_000);
    let shown = barcode["valuePattern"]
        .as_str()
        .unwrap()
        .replace("{totp_value_0}", &digits);

    let Ok(ScannedText::WalletPass(scanned)) = ScannedText::parse(&shown) else {
        panic!("{shown}")
    };
    assert_eq!(
        CardNumber::parse(scanned.card_number()),
        Some(number.clone())
    );
    let start = u32::try_from(step * 30).unwrap();
    let verify = |generation| totp::verify(&key.derive(&number, generation), scanned.totp(), now);
    assert_eq!(verify(3), Some(start));
    assert_eq!(verify(4), None);
}

#[test]
fn what_is_not_known_is_not_said() {
    let key = PassKey::new([7; 32]);
    let number = CardNumber::from_seed(1);
    let mut pass = pass(&key, &number);
    pass.account_name = None;
    pass.points = None;
    let class = LoyaltyClass {
        issuer_name: "Example".into(),
        program_name: "Example points".into(),
        logo_url: "https://member.example/logo.png".into(),
        background: Some(Color::new(0, 80, 160)),
    };
    let now = Timestamp::from_second(NOW).unwrap();
    let link = save_link(&config().with_class(class), &pass, now).unwrap();
    let payload = claims(link.as_str()).1["payload"].clone();
    let object = payload["loyaltyObjects"][0].as_object().unwrap();
    assert!(!object.contains_key("accountName") && !object.contains_key("loyaltyPoints"));
    assert_eq!(
        payload["loyaltyClasses"],
        json!([{
            "id": "3388000000012345678.member",
            "issuerName": "Example",
            "programName": "Example points",
            "programLogo": { "sourceUri": { "uri": "https://member.example/logo.png" } },
            "reviewStatus": "UNDER_REVIEW",
            "hexBackgroundColor": "#0050a0",
        }])
    );

    pass.points = Some(LoyaltyPoints {
        label: "points",
        balance: 3_000_000_000,
    });
    let link = save_link(&config(), &pass, now).unwrap();
    let payload = claims(link.as_str()).1["payload"].clone();
    assert_eq!(
        payload["loyaltyObjects"][0]["loyaltyPoints"]["balance"],
        json!({ "string": "3000000000" })
    );
}

#[test]
fn a_wrong_configuration_is_told_without_the_key() {
    let key = OPENSSL.text("google.key");
    OPENSSL.must("pkey -in google.key -aes256 -passout pass:secret -out google-locked.key");
    OPENSSL.must("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out google-ec.key");
    OPENSSL.must("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out google-short.key");
    let (issuer, class) = ("3388000000012345678", "member");
    let good = account(&key);
    // A character in the middle of the key that is no base64, and bytes of it that are others.
    let mut damaged = key.clone();
    damaged.replace_range(600..601, "*");
    let mut other = key.clone();
    other.replace_range(100..140, &"A".repeat(40));
    let not_json = format!("{{ \"private_key\": {key:?} \"client_email\" }}");
    let number = good.replace("\"private_key\":\"", "\"private_key\":1,\"x\":\"");
    let cases = [
        (not_json.as_str(), issuer, class, "NotJson"),
        (&number, issuer, class, "NotJson"),
        ("{}", issuer, class, "Missing(\"private_key\")"),
        (
            &good.replace("client_email", "email"),
            issuer,
            class,
            "Missing(\"client_email\")",
        ),
        (&account(""), issuer, class, "Key(Missing)"),
        (&account(&damaged), issuer, class, "Key(Missing)"),
        (&account(&other), issuer, class, "Key(Malformed)"),
        (
            &account(&OPENSSL.text("google-locked.key")),
            issuer,
            class,
            "Key(Encrypted)",
        ),
        (
            &account(&OPENSSL.text("google-ec.key")),
            issuer,
            class,
            "Key(Unsupported)",
        ),
        (
            &account(&OPENSSL.text("google-short.key")),
            issuer,
            class,
            "Key(Malformed)",
        ),
        (&good, "", class, "IssuerId"),
        (&good, "33880x", class, "IssuerId"),
        (&good, issuer, "", "ClassSuffix"),
        (&good, issuer, "a/b", "ClassSuffix"),
    ];
    let secret: Vec<&str> = key.lines().filter(|line| !line.contains("-----")).collect();
    for (json, issuer, class, expected) in cases {
        let error = Config::parse(json, issuer, class).unwrap_err();
        let told = format!("{error:?} {error}");
        assert!(told.starts_with(expected), "{expected}: {told}");
        assert!(
            !secret.iter().any(|line| told.contains(&line[..16])),
            "{told}"
        );
    }
    assert_eq!(
        Config::parse(&account(""), issuer, class).unwrap_err(),
        ConfigError::Key(KeyError::Missing)
    );
}

#[test]
fn a_link_that_browsers_may_cut_is_noticed() {
    let key = PassKey::new([7; 32]);
    let number = CardNumber::from_seed(1);
    let now = Timestamp::from_second(NOW).unwrap();
    let mut fits = Vec::new();
    for bytes in (0..900).step_by(30) {
        let name = "n".repeat(bytes);
        let mut pass = pass(&key, &number);
        pass.account_name = Some(&name);
        let link = save_link(&config(), &pass, now).unwrap();
        let token = link.as_str().rsplit_once('/').unwrap().1;
        assert_eq!(link.fits_browsers(), token.len() <= 1_800);
        fits.push(link.fits_browsers());
    }
    assert!(fits.contains(&true) && fits.contains(&false));
}

#[test]
fn the_older_form_of_a_key_works_too() {
    OPENSSL.must("rsa -in google.key -traditional -out google-rsa.key");
    let text = OPENSSL.text("google-rsa.key");
    assert!(text.starts_with("-----BEGIN RSA PRIVATE KEY"));
    let config = Config::parse(&account(&text), "1", "member").unwrap();
    let key = PassKey::new([7; 32]);
    let number = CardNumber::from_seed(1);
    let now = Timestamp::from_second(NOW).unwrap();
    claims(
        save_link(&config, &pass(&key, &number), now)
            .unwrap()
            .as_str(),
    );
}

#[test]
fn keys_and_names_do_not_show_in_debug_output() {
    let key = PassKey::new([7; 32]);
    let number = CardNumber::from_seed(1);
    let pass = pass(&key, &number);
    let link = save_link(&config(), &pass, Timestamp::from_second(NOW).unwrap()).unwrap();
    let told = format!("{:?} {pass:?} {link:?}", config());
    assert_eq!(
        told,
        "Config { class_id: \"3388000000012345678.member\", client_email: \"cards@example.iam.gserviceaccount.com\", .. } \
         Pass { number: CardNumber(\"000000000018\"), generation: 3, .. } SaveLink(..)"
    );
}
