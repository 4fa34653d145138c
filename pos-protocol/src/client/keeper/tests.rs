//! The whole client against a small server in this process.

mod server;

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use jiff::{Timestamp, fmt::rfc2822};
use serde_json::Value;
use tokio::sync::mpsc;

use self::server::{Answer, Server};
use crate::{
    BasketId, Points, Receipt, ReceiptLine, Yen,
    client::{
        Account, Client, Notice, OpenError, Opening, Operation, Sale, Scan, Settings, Untold,
        Verdict, Why, moment::Clock,
    },
};

fn account(gateway: &str) -> Account {
    Account {
        gateway: gateway.to_owned(),
        client_id: "till-1".to_owned(),
        client_secret: "secret".to_owned(),
    }
}

/// Nobody here waits for a deadline.
fn patient() -> Settings {
    let long = Duration::from_secs(600);
    Settings {
        deadline: long,
        deadline_away: long,
        attempt: long,
        ..Settings::default()
    }
}

fn open(folder: &Path, gateway: &str) -> (Client, Opening, mpsc::Receiver<Notice>) {
    Client::open(folder, account(gateway), patient()).unwrap()
}

async fn sale(client: &Client, redeem: i64) -> Sale {
    let basket_id = client.new_basket().await.unwrap();
    Sale {
        receipt: receipt(&basket_id),
        basket_id,
        scan: Scan {
            text: "7001".to_owned(),
            at: client.now(),
        },
        authorization_id: None,
        redeem_points: (redeem > 0).then(|| Points::new(redeem).unwrap()),
    }
}

fn receipt(basket: &BasketId) -> Receipt {
    Receipt {
        number: format!("R-{basket}"),
        occurred_at: "2026-11-22T03:00:00Z".parse::<Timestamp>().unwrap(),
        business_date: "2026-11-22".parse().unwrap(),
        total: Yen::new(540).unwrap(),
        tax: Yen::new(40).unwrap(),
        lines: vec![ReceiptLine {
            line_no: 1,
            sku: "1".to_owned(),
            name: "tea".to_owned(),
            quantity: 1,
            amount: Yen::new(540).unwrap(),
            tax_rate: 8,
            category: "food".to_owned(),
        }],
    }
}

/// Closing tells what a deadline would have told: a sale that will count is not sold again.
#[tokio::test]
async fn closing_tells_those_who_wait_what_becomes_of_their_requests() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(|_, _| Answer::Never).await;
    let (client, _, _notices) = open(folder.path(), &server.base);
    let mut told = Vec::new();
    for points in [0, 100] {
        let (client, sale) = (client.clone(), sale(&client, points).await);
        told.push(tokio::spawn(async move { client.purchase(sale).await }));
        // It is at the gateway, and nothing comes back.
        server.asked("/v1/pos/purchases").await;
    }
    client.close().await;
    let [earning, paying] = [told.remove(0).await.unwrap(), told.remove(0).await.unwrap()];
    let why = Why::Restarted;
    assert_eq!(earning.verdict, Verdict::Queued { why: why.clone() });
    let undoing = Verdict::NotAsked { why, undoing: true };
    assert_eq!(paying.verdict, undoing);

    let (client, opening, _notices) = open(folder.path(), &server.base);
    assert_eq!(opening.unsettled, 2, "the sale, and the reversal");
    let kept = client
        .book(move |book| book.find(&earning.request_id.unwrap()).unwrap().kept)
        .await;
    assert_eq!(kept, Ok(true));
}

/// What one terminal left is not sent for another, nor to another gateway.
#[tokio::test]
async fn unsettled_requests_are_opened_only_for_whom_they_are_of() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Answer::With(503, String::new(), String::new())).await;
    let (client, _, _notices) = open(folder.path(), &server.base);
    let settings = patient();
    let under = |gateway: &str, client_id: &str, settings: &Settings| {
        let client_id = client_id.to_owned();
        let account = Account {
            client_id,
            ..account(gateway)
        };
        Client::open(folder.path(), account, settings.clone())
    };
    let (sold, sale) = (client.clone(), sale(&client, 0).await);
    let sold = tokio::spawn(async move { sold.purchase(sale).await });
    until_unsettled(&client).await;
    client.close().await;
    sold.await.unwrap();
    for (gateway, client_id) in [
        (server.base.as_str(), "till-2"),
        ("http://127.0.0.2:1", "till-1"),
    ] {
        let refused = under(gateway, client_id, &settings).unwrap_err();
        let foreign = matches!(&refused, OpenError::Foreign { owner, unsettled: 1, .. }
            if owner.client_id == "till-1" && owner.gateway == server.base);
        assert!(foreign, "{refused}");
    }
    let moved = Settings {
        gateway_moved: true,
        ..settings.clone()
    };
    let refused = under("http://127.0.0.2:1", "till-2", &moved).unwrap_err();
    assert!(matches!(refused, OpenError::Foreign { .. }));
    let (client, _, _notices) = under("http://127.0.0.2:1", "till-1", &moved).unwrap();
    client.close().await;
}

/// Waits until a request is written down and has no end.
async fn until_unsettled(client: &Client) {
    let mut standing = client.standing.clone();
    let unsettled = standing.wait_for(|standing| standing.unsettled > 0).await;
    unsettled.unwrap();
}

/// The same address, written in another way, is the same; credentials in it are not written down.
#[test]
fn an_owner_is_told_by_the_address() {
    let owner = |gateway| account(gateway).owner().map(|owner| owner.gateway);
    let plain = owner("https://points.example").unwrap();
    for same in [
        "https://points.example/",
        "HTTPS://Points.Example:443",
        "https://a:b@points.example",
    ] {
        assert_eq!(owner(same).as_ref(), Some(&plain), "{same}");
    }
    assert_ne!(owner("https://points.example/test"), Some(plain));
    assert_eq!(owner("points"), None);
}

/// Approves every sale.
fn approve(path: &str, body: &str) -> Answer {
    if path != "/v1/pos/purchases" {
        return Answer::With(404, String::new(), String::new());
    }
    let sale: Value = serde_json::from_str(body).unwrap();
    let golden = include_str!("../../../golden/03-purchase-earns.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let mut answer = golden["answer"]["body"].clone();
    answer["request_id"] = sale["request_id"].clone();
    Answer::With(200, String::new(), answer.to_string())
}

/// The gateway has nothing under this request id.
const UNKNOWN: &str = r#"{"type":"https://point-gateway.example/problems/unknown_resource"}"#;

/// Opens what a till killed now would leave, and closes it.
async fn killed(folder: &Path, gateway: &str) -> Vec<Untold> {
    let left = tempfile::tempdir().unwrap();
    std::fs::copy(folder.join("journal"), left.path().join("journal")).unwrap();
    let (client, opening, _notices) = open(left.path(), gateway);
    client.close().await;
    opening.untold
}

/// A cashier whose till died before it spoke learns what became of the basket; one who saw the verdict
/// is not bothered.
#[tokio::test]
async fn what_may_not_have_been_told_is_told_at_the_next_opening() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(approve).await;
    let (client, _, _notices) = open(folder.path(), &server.base);
    let sold = [sale(&client, 0).await, sale(&client, 0).await];
    let [first, second] = sold.clone().map(|sale| sale.basket_id);
    let [one, other] = sold;
    let verdict = client.purchase(one).await.verdict;
    assert!(matches!(verdict, Verdict::Approved(_)), "{verdict:?}");
    let untold = killed(folder.path(), &server.base).await;
    assert_eq!(untold.len(), 1, "{untold:?}");
    assert_eq!(untold[0].basket_id.as_ref(), Some(&first));
    assert_eq!(untold[0].receipt, Some(format!("R-{first}")));
    assert_eq!(untold[0].verdict.word(), "approved");

    let verdict = client.purchase(other).await.verdict;
    assert!(matches!(verdict, Verdict::Approved(_)), "{verdict:?}");
    let untold = killed(folder.path(), &server.base).await;
    assert_eq!(
        untold.len(),
        1,
        "the first was told before the second was asked: {untold:?}"
    );
    assert_eq!(untold[0].basket_id.as_ref(), Some(&second));

    client.compact().await.unwrap();
    assert_eq!(killed(folder.path(), &server.base).await, []);
    client.close().await;
    assert_eq!(killed(folder.path(), &server.base).await, []);
}

/// Killed while they wait: what counts is said to count, what is undone is said to be undone.
#[tokio::test]
async fn requests_without_a_verdict_are_told_by_what_becomes_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(|_, _| Answer::Never).await;
    let (client, _, _notices) = open(folder.path(), &server.base);
    for points in [0, 100] {
        let (client, sale) = (client.clone(), sale(&client, points).await);
        tokio::spawn(async move { client.purchase(sale).await });
        server.asked("/v1/pos/purchases").await;
    }
    let untold = killed(folder.path(), &server.base).await;
    let verdicts: Vec<Verdict> = untold.into_iter().map(|untold| untold.verdict).collect();
    let why = Why::Restarted;
    let undoing = Verdict::NotAsked {
        why: why.clone(),
        undoing: true,
    };
    assert_eq!(verdicts, [Verdict::Queued { why }, undoing]);
    client.close().await;
    assert_eq!(killed(folder.path(), &server.base).await, []);
}

/// The gateway's clock decides when a card was scanned, also for a sale told later.
#[tokio::test]
async fn a_wrong_clock_is_noticed_and_scans_are_told_on_the_gateways() {
    let folder = tempfile::tempdir().unwrap();
    let behind = jiff::SignedDuration::from_hours(1);
    let server = Server::start(move |path, body| match approve(path, body) {
        Answer::With(status, _, body) => {
            let date = Clock::start().now().at.saturating_add(behind).unwrap();
            let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date);
            Answer::With(status, format!("date: {}\r\n", date.unwrap()), body)
        }
        never => never,
    })
    .await;
    let (client, _, mut notices) = open(folder.path(), &server.base);
    client.purchase(sale(&client, 0).await).await;
    let noticed = async {
        loop {
            if let Notice::ClockWrong { seconds } = notices.recv().await.unwrap() {
                return seconds;
            }
        }
    };
    let seconds = noticed.await;
    assert!((3_598..=3_602).contains(&seconds), "{seconds}");
    let second = sale(&client, 0).await;
    let scanned = second.scan.at;
    let id = client.purchase(second).await.request_id.unwrap();
    let told = client.book(move |book| book.find(&id).unwrap().request.scanned_at);
    let moved = told.await.unwrap().unwrap().duration_since(scanned);
    assert!(
        (moved - behind).abs() < jiff::SignedDuration::from_secs(2),
        "{moved}"
    );
}

/// A line that asks to come back in a hundred years is tried again after the longest pause.
#[tokio::test]
async fn a_retry_after_is_followed_up_to_the_longest_pause() {
    let folder = tempfile::tempdir().unwrap();
    let busy = AtomicUsize::new(0);
    let server = Server::start(move |path, body| {
        if path == "/v1/pos/purchases" && busy.fetch_add(1, Ordering::Relaxed) < 2 {
            let header = format!("retry-after: {}\r\n", u64::MAX);
            return Answer::With(429, header, String::new());
        }
        approve(path, body)
    })
    .await;
    let settings = Settings {
        backoff_max: Duration::from_millis(100),
        ..patient()
    };
    let opened = Client::open(folder.path(), account(&server.base), settings);
    let (client, _, _notices) = opened.unwrap();
    let sold = client.purchase(sale(&client, 0).await);
    let sold = tokio::time::timeout(Duration::from_secs(120), sold).await;
    assert_eq!(sold.unwrap().verdict.word(), "approved");
}

/// A request that falls due while the keeper looks for work is not left to its deadline.
#[tokio::test]
async fn a_pause_that_ends_at_any_moment_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |path, body| {
        if path != "/v1/pos/purchases" {
            return Answer::With(404, String::new(), UNKNOWN.to_owned());
        }
        if (asked.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(20) {
            return approve(path, body);
        }
        Answer::With(503, String::new(), String::new())
    })
    .await;
    for micros in [10, 20, 40, 80, 160, 320] {
        let settings = Settings {
            pause_first: Duration::from_micros(micros),
            pause_max: Duration::from_micros(micros),
            // Nothing else wakes it.
            backoff_first: Duration::from_secs(600),
            backoff_max: Duration::from_secs(600),
            ..patient()
        };
        let folder = folder.path().join(micros.to_string());
        let opened = Client::open(&folder, account(&server.base), settings);
        let (client, _, _notices) = opened.unwrap();
        let sold = client.purchase(sale(&client, 0).await);
        let sold = tokio::time::timeout(Duration::from_secs(120), sold).await;
        assert_eq!(sold.unwrap().verdict.word(), "approved", "{micros} µs");
    }
}

/// Whoever listens slowly misses news, and never that a promise was not kept.
#[tokio::test]
async fn a_decline_of_what_was_promised_waits_for_its_listener() {
    let (listener, mut heard) = mpsc::channel(1);
    let mut notices = super::Notices::new(listener);
    let declined = Notice::Settled {
        request_id: crate::RequestId::new("r-1").unwrap(),
        replaces: Vec::new(),
        basket_id: None,
        operation: Operation::Purchase,
        verdict: Verdict::Unknown,
    };
    notices.tell(Notice::Away);
    notices.tell(Notice::Back);
    notices.tell(declined.clone());
    assert_eq!(heard.recv().await, Some(Notice::Away));
    notices.catch_up().await;
    assert_eq!(heard.recv().await, Some(declined));
}

#[test]
fn what_goes_unencrypted_to_another_machine_is_known() {
    let here = [
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://[::1]:80",
        "https://points.example",
    ];
    for gateway in here {
        assert!(!account(gateway).in_clear(), "{gateway}");
    }
    for gateway in ["http://points.example", "http://192.0.2.7:8080"] {
        assert!(account(gateway).in_clear(), "{gateway}");
    }
    let shown = format!("{:?}", account("https://a:word@points.example"));
    assert!(!shown.contains("word"), "{shown}");
}
