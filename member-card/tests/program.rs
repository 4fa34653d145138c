//! The program, driven as a process, the way a till vendor uses it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use tempfile::TempDir;

/// What one run printed, and how it ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_member-card"));
    command
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().expect("the program ends by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Ran {
    ran(command(folder, arguments).output().unwrap())
}

fn run_with_input(folder: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut command = command(folder, arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    ran(child.wait_with_output().unwrap())
}

/// Runs what must succeed and gives its output without the last line end.
fn must(folder: &Path, arguments: &[&str]) -> String {
    let ran = run(folder, arguments);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (0, ""),
        "{arguments:?}\n{}",
        ran.out
    );
    ran.out.trim_end().to_owned()
}

fn folder_with_key() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    must(folder.path(), &["new-key", "--out", "card.pem"]);
    folder
}

const SIGN: [&str; 5] = ["sign", "--key", "card.pem", "--programme", "demo"];
const VERIFY: [&str; 5] = ["verify", "--key", "card.pem", "--programme", "demo"];

#[test]
fn a_new_key_is_private_and_never_overwritten() {
    let folder = folder_with_key();
    let file = folder.path().join("card.pem");
    let pem = fs::read_to_string(&file).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let again = run(folder.path(), &["new-key", "--out", "card.pem"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("never overwritten"), "{}", again.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), pem);
    // Without a file the key goes to the standard output.
    fs::write(
        folder.path().join("other.pem"),
        must(folder.path(), &["new-key"]),
    )
    .unwrap();
    assert!(must(folder.path(), &["show-key", "--key", "other.pem"]).starts_with("card     "));
}

#[test]
fn every_way_to_name_a_public_key_names_the_same_card() {
    let folder = folder_with_key();
    let folder = folder.path();
    let jwk = must(folder, &["show-key", "--key", "card.pem", "--jwk"]);
    fs::write(folder.join("jwk.json"), &jwk).unwrap();
    let shown = must(folder, &["show-key", "--key", "card.pem"]);
    let sec1 = shown
        .lines()
        .find_map(|line| line.strip_prefix("SEC1     "))
        .unwrap();
    let bytes = BASE64URL_NOPAD.decode(sec1.as_bytes()).unwrap();
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    for public_key in [jwk.as_str(), "jwk.json", sec1, hex.as_str()] {
        assert_eq!(
            must(folder, &["show-key", "--public-key", public_key]),
            shown,
            "{public_key}"
        );
    }
    for (wrong, message) in [
        ("nowhere.json", "neither a public key nor a readable file"),
        ("card.pem", "holds no public key"),
        (r#"{"kty":"RSA"}"#, "does not parse"),
        (&hex.replace("04", "06"), "error"),
    ] {
        let ran = run(folder, &["show-key", "--public-key", wrong]);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(message), "{wrong}: {}", ran.err);
    }
}

#[test]
fn a_signed_card_passes_every_check() {
    let folder = folder_with_key();
    let folder = folder.path();
    for (limit, says) in [
        ("earn-only", "not allowed"),
        ("none", "no limit"),
        ("0", "at most 0 points"),
        ("16777214", "at most 16777214 points"),
    ] {
        let text = must(folder, &[&SIGN[..], &["--spend-limit", limit]].concat());
        assert_eq!(text.len(), 199);
        let report = must(folder, &[&VERIFY[..], &["--text", &text]].concat());
        for line in [
            "kind       member card, version 1",
            "shape      ok",
            "signature  ok",
            "age        ok",
            says,
        ] {
            assert!(report.contains(line), "{line} in\n{report}");
        }
        assert!(report.ends_with("accepted"));
    }
    for wrong in ["16777215", "-1", "lots"] {
        assert_eq!(
            run(folder, &[&SIGN[..], &["--spend-limit", wrong]].concat()).code,
            2,
            "{wrong}"
        );
    }
}

#[test]
fn each_check_refuses_by_its_own_name() {
    let folder = folder_with_key();
    let folder = folder.path();
    must(folder, &["new-key", "--out", "other.pem"]);
    let text = must(folder, &[&SIGN[..], &["--at", "1000000"]].concat());
    let verify = |key: &str, programme: &str, text: &str, now: &str| {
        run(
            folder,
            &[
                "verify",
                "--key",
                key,
                "--programme",
                programme,
                "--text",
                text,
                "--now",
                now,
            ],
        )
    };
    let short = &text[..150];
    for (key, programme, text, now, refusal) in [
        (
            "other.pem",
            "demo",
            text.as_str(),
            "1000000",
            "signature  REFUSED: the card names another key",
        ),
        (
            "card.pem",
            "other",
            &text,
            "1000000",
            "signature  REFUSED: the signature is wrong",
        ),
        (
            "card.pem",
            "demo",
            &text,
            "1000046",
            "age        REFUSED: older than 45 s",
        ),
        (
            "card.pem",
            "demo",
            &text,
            "999984",
            "age        REFUSED: more than 15 s ahead",
        ),
        (
            "card.pem",
            "demo",
            short,
            "1000000",
            "shape      REFUSED: the text has 150 digits",
        ),
        (
            "card.pem",
            "demo",
            "hello",
            "1000000",
            "shape      REFUSED: character 1 is not a digit",
        ),
    ] {
        let ran = verify(key, programme, text, now);
        assert_eq!(ran.code, 1, "{refusal}");
        assert!(ran.out.contains(refusal), "{refusal} in\n{}", ran.out);
        assert!(ran.out.trim_end().ends_with("REFUSED"));
    }
    assert_eq!(verify("card.pem", "demo", &text, "1000045").code, 0);
    assert_eq!(verify("card.pem", "demo", &text, "999985").code, 0);
    // A key without a programme proves nothing.
    assert_eq!(
        run(folder, &["verify", "--key", "card.pem", "--text", &text]).code,
        2
    );
}

#[test]
fn every_line_a_scanner_types_is_checked() {
    let folder = folder_with_key();
    let text = must(folder.path(), &SIGN);
    let wide: String = text
        .bytes()
        .map(|d| char::from_u32(0xFF10 + u32::from(d - b'0')).unwrap())
        .collect();
    let good = format!("]Q1{text}\r\n{wide}\n\t{text}\t\n]C070021234567890123456\n2999000012345\n");
    let ran = run_with_input(folder.path(), &VERIFY, &good);
    assert_eq!(
        (ran.code, ran.out.matches("accepted\n").count()),
        (0, 5),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("kind       one-time short code"));
    assert!(ran.out.contains("kind       13 other digits"));
    let mixed = format!("{text}{text}\n{text}\n");
    let ran = run_with_input(folder.path(), &VERIFY, &mixed);
    assert_eq!((ran.code, ran.out.matches("accepted\n").count()), (1, 1));
    assert!(ran.out.contains("Two scans ran together"), "{}", ran.out);
}

#[test]
fn what_is_drawn_reads_back() {
    let folder = folder_with_key();
    let folder = folder.path();
    let text = must(folder, &SIGN);
    must(
        folder,
        &["draw", "--text", &text, "--png", "card.png", "--scale", "4"],
    );
    let read = must(folder, &["read", "card.png"]);
    assert!(read.starts_with(&format!("text       {text}\n")), "{read}");
    assert!(read.contains("shape      ok"));

    let drawn = run_with_input(folder, &["draw", "--svg", "card.svg"], &format!("{text}\n"));
    assert_eq!((drawn.code, drawn.err.as_str()), (0, ""));
    assert!(
        fs::read_to_string(folder.join("card.svg"))
            .unwrap()
            .ends_with("</svg>")
    );
    assert_eq!(must(folder, &["draw", "--text", &text]).lines().count(), 23);

    must(folder, &["draw", "--text", "no card", "--png", "other.png"]);
    let ran = run(folder, &["read", "other.png"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("text       no card") && ran.out.contains("REFUSED"),
        "{}",
        ran.out
    );

    assert_eq!(run(folder, &["read", "card.svg"]).code, 2);
    assert_eq!(run(folder, &["read", "nowhere.png"]).code, 2);
    assert_eq!(
        run(
            folder,
            &["draw", "--text", &text, "--png", "x.png", "--scale", "0"]
        )
        .code,
        2
    );
    assert_eq!(run(folder, &["draw", "--svg", "x.svg"]).code, 2);
}

#[test]
fn a_watched_card_is_shown_until_stopped() {
    let folder = folder_with_key();
    let arguments = [
        "show",
        "--key",
        "card.pem",
        "--programme",
        "demo",
        "--spend-limit",
        "none",
    ];
    let once = must(folder.path(), &arguments);
    assert_eq!(once.lines().count(), 24);
    let mut watching = command(folder.path(), &[&arguments[..], &["--watch"]].concat());
    let mut watching = watching.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let caption = lines
        .find(|line| line.as_ref().is_ok_and(|line| line.starts_with("card ")))
        .unwrap()
        .unwrap();
    let note = lines.next().unwrap().unwrap();
    watching.kill().unwrap();
    watching.wait().unwrap();
    assert!(caption.contains("programme demo"), "{caption}");
    assert_eq!(note, "a new text every 15 s; Ctrl-C ends");
}

#[test]
fn a_proof_is_a_jwt_by_the_card() {
    let folder = folder_with_key();
    let arguments = [
        "proof",
        "--key",
        "card.pem",
        "--programme",
        "demo",
        "--method",
        "POST",
        "--url",
        "/v1/cards",
    ];
    let token = must(
        folder.path(),
        &[&arguments[..], &["--at", "1795400000"]].concat(),
    );
    let part = |index: usize| {
        BASE64URL_NOPAD
            .decode(token.split('.').nth(index).unwrap().as_bytes())
            .unwrap()
    };
    let header: Value = serde_json::from_slice(&part(0)).unwrap();
    let claims: Value = serde_json::from_slice(&part(1)).unwrap();
    let card = must(folder.path(), &["show-key", "--key", "card.pem"]);
    assert_eq!(header["typ"], "card-proof+jwt");
    assert!(card.starts_with(&format!("card     {}\n", header["kid"].as_str().unwrap())));
    assert_eq!(
        (&claims["htm"], &claims["htu"]),
        (&"POST".into(), &"/v1/cards".into())
    );
    assert_eq!(
        (&claims["iat"], &claims["exp"]),
        (&1_795_400_000.into(), &1_795_400_060.into())
    );
    let jti = |token: &str| {
        let claims = BASE64URL_NOPAD
            .decode(token.split('.').nth(1).unwrap().as_bytes())
            .unwrap();
        serde_json::from_slice::<Value>(&claims).unwrap()["jti"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_ne!(jti(&token), jti(&must(folder.path(), &arguments)));
}

#[test]
fn help_shows_how_to_test_a_scanner() {
    let folder = tempfile::tempdir().unwrap();
    let help = must(folder.path(), &["--help"]);
    assert!(help.contains("member-card show --key card.pem --programme demo --watch"));
    for command in [
        "new-key", "show-key", "sign", "verify", "draw", "show", "read", "proof",
    ] {
        assert!(help.contains(command), "{command}");
        assert!(
            must(folder.path(), &[command, "--help"]).contains("Example"),
            "{command}"
        );
    }
    assert_eq!(run(folder.path(), &["sign"]).code, 2);
    assert_eq!(
        run(
            folder.path(),
            &["sign", "--key", "no.pem", "--programme", "demo"]
        )
        .code,
        2
    );
}
