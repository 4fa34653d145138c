//! `gateway demo --lan`, as a phone and a stranger in the same network meet it.

use std::net::TcpListener;

use acceptance::program::{Running, run};
use reqwest::{Certificate, Client};
use rqrr::PreparedImage;
use tempfile::TempDir;

const QR_PIXELS: usize = 4;

/// The text of the code that stands in these lines of a terminal, two modules to a character.
fn read_code(lines: &[String]) -> String {
    let rows: Vec<Vec<bool>> = lines
        .iter()
        .flat_map(|line| {
            // Colours begin and end a line.
            let blocks = line
                .rsplit_once('m')
                .map_or(line.as_str(), |(rest, _)| rest);
            let blocks = blocks
                .trim_end_matches("\x1b[0")
                .rsplit('m')
                .next()
                .unwrap_or_default();
            let half = |dark: &str| blocks.chars().map(|c| dark.contains(c)).collect();
            [half("█▀"), half("█▄")]
        })
        .collect();
    let width = rows[0].len();
    let dark = |x: usize, y: usize| {
        let row = rows.get(y / QR_PIXELS);
        row.and_then(|row| row.get(x / QR_PIXELS))
            .is_some_and(|dark| *dark)
    };
    let mut image =
        PreparedImage::prepare_from_greyscale(width * QR_PIXELS, rows.len() * QR_PIXELS, |x, y| {
            if dark(x, y) { 0 } else { 255 }
        });
    let found = image.detect_grids();
    let (_, text) = found.first().expect("a code").decode().expect("a text");
    text
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    listener.local_addr().unwrap().port()
}

async fn token(http: &Client, base: &str, secret: &str) -> u16 {
    let asked = http
        .post(format!("{base}/oauth/token"))
        .basic_auth("till-1", Some(secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials");
    asked.send().await.unwrap().status().as_u16()
}

/// Starts it, and returns it with the lines it printed up to the till's secret, and that secret.
fn start(data: &str, listen: &str) -> (Running, Vec<String>, String) {
    let mut demo = Running::start(&["demo", "--lan", "--listen", listen, "--data", data]);
    let lines = std::cell::RefCell::new(Vec::new());
    let line = demo.line(|line| {
        lines.borrow_mut().push(line.trim_end().to_owned());
        line.contains("client till-1, secret ")
    });
    let (_, secret) = line.rsplit_once(' ').unwrap();
    (demo, lines.take(), secret.to_owned())
}

#[tokio::test]
async fn the_code_on_the_terminal_leads_a_phone_to_a_secure_page() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().display().to_string();
    let listen = format!("127.0.0.2:{}", free_port());
    let (demo, lines, secret) = start(&data, &listen);
    let code: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("\x1b["))
        .cloned()
        .collect();
    let address = read_code(&code);
    assert_eq!(address, format!("https://{listen}/card"));

    let pem = std::fs::read(folder.path().join("lan-certificate.pem")).unwrap();
    let trusting = Client::builder().add_root_certificate(Certificate::from_pem(&pem).unwrap());
    let phone = trusting.build().unwrap();
    let base = format!("https://{listen}");
    let front = phone.get(format!("{base}/")).send().await.unwrap();
    assert!(front.headers().contains_key("strict-transport-security"));
    // Nobody vouches for the certificate.
    assert!(Client::new().get(&base).send().await.is_err());

    // What the manual prints is no secret, so it opens nothing here.
    assert_eq!(token(&phone, &base, "demo-till-1-secret").await, 401);
    assert_eq!(token(&phone, &base, &secret).await, 200);
    assert_eq!(demo.stop("-INT"), 0);

    // Certificate and secrets are new each time; on its own machine the usual ones are back.
    let (demo, _, other) = start(&data, &listen);
    assert_ne!(secret, other);
    assert_ne!(
        pem,
        std::fs::read(folder.path().join("lan-certificate.pem")).unwrap()
    );
    assert_eq!(demo.stop("-INT"), 0);
    let mut demo = Running::start(&["demo", "--listen", "127.0.0.1:0", "--data", &data]);
    let line = demo.line(|line| line.starts_with("listening on "));
    let base = line.trim_start_matches("listening on ");
    assert_eq!(token(&Client::new(), base, &other).await, 401);
    assert_eq!(token(&Client::new(), base, "demo-till-1-secret").await, 200);
}

#[test]
fn an_address_that_no_phone_can_call_is_refused() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().display().to_string();
    for listen in ["0.0.0.0:8443", "127.0.0.2:0"] {
        let ran = run(&["demo", "--lan", "--listen", listen, "--data", &data]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("--lan"), "{ran:?}");
    }
}
