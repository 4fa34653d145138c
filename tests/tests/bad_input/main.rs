//! Bad input over the wire, against a real process: whatever is sent, the answer is a problem from
//! the catalogue (4xx) or a decline, never a fault; no point moves; the books stay right.

mod bodies;
mod business;
mod cards;

use acceptance::{
    ask::{Ask, receipt},
    databases::{Database, Engine},
    gateway_process::GatewayProcess,
    installation::{Installation, member_with_points},
    phone::Phone,
    reply::Reply,
    till::Till,
};
use member_card::SpendLimit;
use pos_protocol::{Outcome, Reason};
use serde_json::{Value, json};

/// Points the member begins with, and has at the end.
const POINTS: i64 = 1_000;

/// A gateway, a till and a member with points.
struct Counter {
    installation: Installation,
    gateway: GatewayProcess,
    till: Till,
    phone: Phone,
    http: reqwest::Client,
    requests: u32,
    // Dropped last: the gateway goes before its database does.
    _database: Database,
}

impl Counter {
    async fn open() -> anyhow::Result<Self> {
        let database = Database::create(Engine::Sqlite).await;
        let installation = Installation::new(database.url()).await?;
        let gateway = installation.gateway().await?;
        let till = installation.till(&gateway.base(), 1, "store-1").await?;
        let phone = member_with_points(&till, POINTS).await;
        Ok(Self {
            installation,
            gateway,
            till,
            phone,
            http: acceptance::till::http_client(),
            requests: 0,
            _database: database,
        })
    }

    fn next_id(&mut self) -> String {
        self.requests += 1;
        format!("bad-{}", self.requests)
    }

    /// An authorization that would be approved, as JSON to spoil.
    async fn good_authorization(&mut self) -> Value {
        let id = self.next_id();
        let shown = self.phone.show(SpendLimit::Unlimited).await;
        json!({"request_id": id, "basket_id": id, "card": shown.text.to_digits(), "points": 1})
    }

    /// A purchase that would be approved, as JSON to spoil.
    async fn good_purchase(&mut self) -> Value {
        let id = self.next_id();
        let shown = self.phone.show(SpendLimit::Unlimited).await;
        let ask = Ask::purchase(&id, &id, &shown.text, 1, receipt("R-1", &[300, 500]));
        serde_json::from_slice(&ask.body).expect("JSON")
    }

    /// Sends any bytes to any path.
    async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Reply {
        self.till.insist(&Ask::raw("", path, body)).await
    }

    /// No point has moved, nothing broke, the books are right.
    async fn check(mut self, points: i64) -> anyhow::Result<()> {
        assert_eq!(
            self.phone.points(&self.gateway.base()).await,
            (points, 0),
            "(available, held) after bad input"
        );
        self.gateway.ready().await?;
        println!("{}", self.installation.audit().await?);
        Ok(())
    }
}

/// The answer is this problem, and the catalogue knows it.
async fn expect_problem(counter: &Counter, what: &str, reply: &Reply, status: u16, word: &str) {
    assert_eq!(
        (reply.status, reply.problem().as_deref()),
        (status, Some(word)),
        "{what}: {reply:?}"
    );
    assert_eq!(reply.at("/status"), status, "{what}");
    assert!(!reply.word("/title").is_empty(), "{what}");
    let named = reply.headers.get("x-request-id");
    let named = named.and_then(|id| id.to_str().ok()).unwrap_or_default();
    assert_eq!(reply.word("/request_id"), named, "{what}");
    let page = format!("{}/problems/{word}", counter.gateway.base());
    let page = counter.http.get(page).send().await.expect("a page");
    assert_eq!(page.status(), 200, "the catalogue has no page for {word}");
}

/// The answer is a decline for this reason.
fn expect_decline(what: &str, reply: &Reply, reason: Reason) {
    assert_eq!(
        (reply.outcome(), reply.reason()),
        (Some(Outcome::Declined), Some(reason)),
        "{what}: {reply:?}"
    );
}
