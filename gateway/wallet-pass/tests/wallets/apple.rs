//! Files for Apple Wallet, checked with `openssl`.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::LazyLock;

use crate::openssl::Openssl;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use wallet_pass::Color;
use wallet_pass::apple::{
    BarcodeFormat, CertificateError, Config, ConfigError, Field, FieldValue, Fields, Images, Pass,
    PassError, Settings, StaticNumber, pass,
};

/// An authority in Apple's manner: a root, an intermediate, and below it one certificate with an RSA key and one with
/// P-256.
static OPENSSL: LazyLock<Openssl> = LazyLock::new(|| {
    let openssl = Openssl::new();
    openssl.authority("root");
    openssl.authority("stranger");
    openssl.certificate("wwdr", "rsa:2048", "authority", "root", 3000);
    openssl.certificate("rsa", "rsa:2048", "leaf", "wwdr", 365);
    openssl.certificate(
        "p256",
        "ec -pkeyopt ec_paramgen_curve:P-256",
        "leaf",
        "wwdr",
        365,
    );
    openssl
});

/// PEM texts of a pass certificate, its key and the intermediate.
struct Pem {
    certificate: String,
    key: String,
    intermediate: String,
}

impl Pem {
    fn of(name: &str) -> Self {
        Self {
            certificate: OPENSSL.text(&format!("{name}.pem")),
            key: OPENSSL.text(&format!("{name}.key")),
            intermediate: OPENSSL.text("wwdr.pem"),
        }
    }

    fn settings(&self) -> Settings<'_> {
        Settings {
            pass_type_identifier: "pass.example.card",
            team_identifier: "A1B2C3D4E5",
            organization_name: "見本商店",
            certificate_pem: &self.certificate,
            key_pem: &self.key,
            intermediate_pem: &self.intermediate,
        }
    }

    fn config(&self) -> Config {
        Config::parse(&self.settings()).unwrap()
    }
}

/// A time at which all certificates are valid, on the second.
fn now(config: &Config) -> Timestamp {
    config.valid_until() - SignedDuration::from_hours(24 * 100)
}

fn field(key: &str, value: FieldValue) -> Field {
    Field {
        key: key.into(),
        label: "ポイント".into(),
        value,
    }
}

fn card(number: &StaticNumber) -> Pass<'_> {
    Pass {
        serial_number: "0b8d1a52c0de4f7a",
        description: "見本商店のポイントカード",
        logo_text: "見本商店",
        number,
        barcode: BarcodeFormat::Code128,
        background: Color::new(0, 80, 160),
        foreground: Color::WHITE,
        fields: Fields {
            header: vec![field("points", FieldValue::Number(1_234))],
            back: vec![field(
                "terms",
                FieldValue::Text("貯めるだけのカードです。".into()),
            )],
            ..Fields::default()
        },
    }
}

fn number() -> StaticNumber {
    StaticNumber::parse("2999000012345").unwrap()
}

/// The files of an archive, in its order.
fn files(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

/// A folder with the files of an archive and the root that phones trust.
fn unpacked(archive: &[u8]) -> Openssl {
    let folder = Openssl::new();
    for (name, bytes) in files(archive) {
        folder.write(&name, &bytes);
    }
    folder.write("root.pem", OPENSSL.text("root.pem").as_bytes());
    folder.write("stranger.pem", OPENSSL.text("stranger.pem").as_bytes());
    folder
}

const VERIFY: [&str; 2] = [
    "cms -verify -binary -inform DER -in signature -content manifest.json -CAfile root.pem -out verified",
    "smime -verify -binary -inform DER -in signature -content manifest.json -CAfile root.pem -out verified",
];

#[test]
fn openssl_accepts_the_signature_over_the_manifest() {
    for name in ["rsa", "p256"] {
        let config = Pem::of(name).config();
        let archive = pass(&config, &card(&number()), None, now(&config)).unwrap();
        let folder = unpacked(&archive);
        for verify in VERIFY {
            folder.must(verify);
            assert_eq!(folder.text("verified"), folder.text("manifest.json"));
        }
        // Neither another root nor another manifest will do.
        let stranger = VERIFY[0].replace("root.pem", "stranger.pem");
        assert!(!folder.run(&stranger).status.success(), "{name}");
        let tampered = folder.text("manifest.json").replacen('0', "1", 1);
        folder.write("manifest.json", tampered.as_bytes());
        for verify in VERIFY {
            assert!(!folder.run(verify).status.success(), "{name}");
        }
    }
}

#[test]
fn the_signature_has_the_parts_that_apple_asks_for() {
    let config = Pem::of("rsa").config();
    let now = now(&config);
    let archive = pass(&config, &card(&number()), None, now).unwrap();
    let folder = unpacked(&archive);
    let parts = folder.must("asn1parse -inform DER -in signature");
    let time = now.to_zoned(TimeZone::UTC).strftime("%y%m%d%H%M%SZ");
    for part in [
        "OBJECT            :contentType".to_owned(),
        "OBJECT            :signingTime".to_owned(),
        "OBJECT            :messageDigest".to_owned(),
        format!("UTCTIME           :{time}"),
    ] {
        assert_eq!(parts.matches(&part).count(), 1, "{part}\n{parts}");
    }
    // What is signed is DER, where a SET is sorted: here the shorter comes first. Strict readers sort again.
    let order = [":contentType", ":signingTime", ":messageDigest"].map(|name| parts.find(name));
    assert!(order.is_sorted(), "{parts}");
    // Both certificates, byte for byte.
    let given = folder.must("pkcs7 -inform DER -in signature -print_certs");
    for name in ["rsa.pem", "wwdr.pem"] {
        assert!(given.contains(OPENSSL.text(name).trim()), "{name}");
    }
    // Detached: nobody's manifest is inside.
    let inside = "cms -verify -binary -inform DER -in signature -CAfile root.pem";
    assert!(!folder.run(inside).status.success());
}

#[test]
fn a_time_after_2049_is_written_with_four_digits_of_the_year() {
    OPENSSL.certificate("far", "rsa:2048", "authority", "root", 20_000);
    OPENSSL.certificate("late", "rsa:2048", "leaf", "far", 20_000);
    let mut pem = Pem::of("late");
    pem.intermediate = OPENSSL.text("far.pem");
    let now: Timestamp = "2050-01-02T03:04:05Z".parse().unwrap();
    let archive = pass(&pem.config(), &card(&number()), None, now).unwrap();
    let folder = unpacked(&archive);
    folder.must(VERIFY[0]);
    let parts = folder.must("asn1parse -inform DER -in signature");
    assert!(
        parts.contains("GENERALIZEDTIME   :20500102030405Z"),
        "{parts}"
    );
}

#[test]
fn the_manifest_lists_every_file() {
    let config = Pem::of("rsa").config();
    let archive = pass(&config, &card(&number()), None, now(&config)).unwrap();
    let files = files(&archive);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "pass.json",
            "icon.png",
            "icon@2x.png",
            "logo.png",
            "manifest.json",
            "signature"
        ]
    );
    let manifest: BTreeMap<String, String> = serde_json::from_slice(&files[4].1).unwrap();
    let hashes: BTreeMap<String, String> = files[..4]
        .iter()
        .map(|(name, bytes)| {
            let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
            (name.clone(), HEXLOWER.encode(hash.as_ref()))
        })
        .collect();
    assert_eq!(manifest, hashes);
    // The same hash from somebody else.
    let folder = unpacked(&archive);
    let told = folder.must("dgst -sha1 pass.json");
    assert!(told.trim().ends_with(&manifest["pass.json"]), "{told}");
}

#[test]
fn the_layout_says_what_the_card_is() {
    let config = Pem::of("rsa").config();
    let archive = pass(&config, &card(&number()), None, now(&config)).unwrap();
    let layout: Value = serde_json::from_slice(&files(&archive)[0].1).unwrap();
    let barcode = |format: &str| {
        json!({
            "format": format,
            "message": "2999000012345",
            "messageEncoding": "iso-8859-1",
            "altText": "2999000012345",
        })
    };
    assert_eq!(
        layout,
        json!({
            "formatVersion": 1,
            "passTypeIdentifier": "pass.example.card",
            "teamIdentifier": "A1B2C3D4E5",
            "serialNumber": "0b8d1a52c0de4f7a",
            "organizationName": "見本商店",
            "description": "見本商店のポイントカード",
            "logoText": "見本商店",
            "foregroundColor": "rgb(255, 255, 255)",
            "backgroundColor": "rgb(0, 80, 160)",
            "labelColor": "rgb(255, 255, 255)",
            "storeCard": {
                "headerFields": [{ "key": "points", "label": "ポイント", "value": 1_234 }],
                "backFields": [{ "key": "terms", "label": "ポイント", "value": "貯めるだけのカードです。" }],
            },
            "barcodes": [barcode("PKBarcodeFormatCode128")],
            "barcode": barcode("PKBarcodeFormatQR"),
        })
    );
}

#[test]
fn equal_arguments_give_equal_files() {
    let config = Pem::of("rsa").config();
    let (now, number) = (now(&config), number());
    let one = pass(&config, &card(&number), None, now).unwrap();
    assert!(one == pass(&Pem::of("rsa").config(), &card(&number), None, now).unwrap());
    // The archive has no date of its own: MS-DOS's first day, in each of its entries.
    let mut archive = zip::ZipArchive::new(Cursor::new(&one)).unwrap();
    for index in 0..archive.len() {
        let file = archive.by_index(index).unwrap();
        assert_eq!(file.last_modified(), Some(zip::DateTime::DEFAULT));
    }
    let later = now + SignedDuration::from_secs(1);
    assert!(one != pass(&config, &card(&number), None, later).unwrap());
}

#[test]
fn given_pictures_are_taken() {
    let config = Pem::of("rsa").config();
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), b"rest"].concat();
    let images = Images::from_png(png.clone(), png.clone(), png.clone()).unwrap();
    let archive = pass(&config, &card(&number()), Some(&images), now(&config)).unwrap();
    assert!(files(&archive)[1..4].iter().all(|(_, bytes)| *bytes == png));
}

#[test]
fn what_a_phone_would_refuse_is_not_made() {
    let config = Pem::of("rsa").config();
    let (now, number) = (now(&config), number());
    let refused = |card: &Pass<'_>, now| pass(&config, card, None, now).unwrap_err();

    let end = config.valid_until();
    assert!(pass(&config, &card(&number), None, end).is_ok());
    for time in [
        end + SignedDuration::from_secs(1),
        end - SignedDuration::from_hours(24 * 366),
        Timestamp::UNIX_EPOCH,
    ] {
        let error = refused(&card(&number), time);
        assert!(matches!(error, PassError::CertificateNotValid), "{error}");
    }

    // The intermediate may be the first to run out.
    OPENSSL.certificate("brief", "rsa:2048", "authority", "root", 10);
    OPENSSL.certificate("long", "rsa:2048", "leaf", "brief", 365);
    let mut pem = Pem::of("long");
    pem.intermediate = OPENSSL.text("brief.pem");
    let brief = pem.config();
    let end = brief.valid_until();
    assert!(pass(&brief, &card(&number), None, end).is_ok());
    let error = pass(
        &brief,
        &card(&number),
        None,
        end + SignedDuration::from_secs(1),
    );
    assert!(matches!(error, Err(PassError::CertificateNotValid)));

    let mut twice = card(&number);
    twice.fields.secondary = vec![field("terms", FieldValue::Number(1))];
    let error = refused(&twice, now);
    assert!(matches!(error, PassError::SameKey(key) if key == "terms"));

    let mut nameless = card(&number);
    nameless.serial_number = "";
    let error = refused(&nameless, now);
    assert!(matches!(error, PassError::NoSerialNumber), "{error}");
}

#[test]
fn a_wrong_configuration_is_told_without_the_key() {
    OPENSSL.must("pkey -in rsa.key -aes256 -passout pass:secret -out locked.key");
    OPENSSL.must("genpkey -algorithm ED25519 -out ed25519.key");
    let (rsa, p256) = (Pem::of("rsa"), Pem::of("p256"));
    let good = rsa.settings();
    let (locked, ed25519) = (OPENSSL.text("locked.key"), OPENSSL.text("ed25519.key"));
    let (root, damaged) = (
        OPENSSL.text("root.pem"),
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    );
    let cases = [
        (
            Settings {
                pass_type_identifier: "example.card",
                ..good
            },
            "PassTypeIdentifier",
        ),
        (
            Settings {
                pass_type_identifier: "pass.",
                ..good
            },
            "PassTypeIdentifier",
        ),
        (
            Settings {
                team_identifier: "A1B2",
                ..good
            },
            "TeamIdentifier",
        ),
        (
            Settings {
                organization_name: " ",
                ..good
            },
            "OrganizationName",
        ),
        (
            Settings {
                certificate_pem: &rsa.key,
                ..good
            },
            "Certificate(Missing)",
        ),
        (
            Settings {
                certificate_pem: damaged,
                ..good
            },
            "Certificate(Malformed)",
        ),
        (
            Settings {
                intermediate_pem: "",
                ..good
            },
            "Intermediate(Missing)",
        ),
        (
            Settings {
                intermediate_pem: &root,
                ..good
            },
            "OtherIntermediate",
        ),
        (
            Settings {
                key_pem: &rsa.certificate,
                ..good
            },
            "Key(Missing)",
        ),
        (
            Settings {
                key_pem: &locked,
                ..good
            },
            "Key(Encrypted)",
        ),
        (
            Settings {
                key_pem: &ed25519,
                ..good
            },
            "Key(Unsupported)",
        ),
        (
            Settings {
                key_pem: &p256.key,
                ..good
            },
            "OtherKey",
        ),
    ];
    let secret: Vec<&str> = rsa
        .key
        .lines()
        .filter(|line| !line.contains("-----"))
        .collect();
    for (settings, expected) in cases {
        let error = Config::parse(&settings).unwrap_err();
        let told = format!("{error:?} {error}");
        assert!(told.starts_with(expected), "{expected}: {told}");
        assert!(
            !secret.iter().any(|line| told.contains(&line[..16])),
            "{told}"
        );
    }
    assert_eq!(
        Config::parse(&Settings {
            certificate_pem: "",
            ..good
        })
        .unwrap_err(),
        ConfigError::Certificate(CertificateError::Missing)
    );
}

#[test]
fn keys_come_in_several_forms() {
    OPENSSL.must("rsa -in rsa.key -traditional -out rsa-traditional.key");
    OPENSSL.must("ec -in p256.key -out p256-sec1.key");
    for (name, file, begin) in [
        ("rsa", "rsa.key", "BEGIN PRIVATE KEY"),
        ("rsa", "rsa-traditional.key", "BEGIN RSA PRIVATE KEY"),
        ("p256", "p256.key", "BEGIN PRIVATE KEY"),
        ("p256", "p256-sec1.key", "BEGIN EC PRIVATE KEY"),
    ] {
        let mut pem = Pem::of(name);
        pem.key = OPENSSL.text(file);
        assert!(pem.key.contains(begin), "{file}");
        // As `openssl pkcs12` writes it, with words around.
        pem.certificate = format!("Bag Attributes\n  friendlyName: card\n{}", pem.certificate);
        let config = pem.config();
        let archive = pass(&config, &card(&number()), None, now(&config)).unwrap();
        unpacked(&archive).must(VERIFY[0]);
    }
}

#[test]
fn keys_and_names_do_not_show_in_debug_output() {
    let told = format!("{:?} {:?}", Pem::of("rsa").config(), card(&number()));
    assert_eq!(
        told,
        "Config { pass_type_identifier: \"pass.example.card\", team_identifier: \"A1B2C3D4E5\", .. } \
         Pass { serial_number: \"0b8d1a52c0de4f7a\", .. }"
    );
}
