//! A shopper's phone: a key that never leaves it, card texts that are each used once, and proofs for
//! what it asks of the gateway itself.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use gateway::clock::Clock;
use member_card::{
    CardFields, CardId, CardText, ProgrammeId, SigningKey, SpendLimit, proof, random_id,
};
use serde_json::json;

use crate::{
    reply::Reply,
    till::{Lost, http_client, persist},
};

/// How far behind the clock the first text lies, in seconds. The gateway takes 45; what is left is
/// for a request that has to be repeated.
const BEHIND_S: u32 = 20;
/// How far ahead of the clock a text may lie, in seconds. The gateway takes 15.
const AHEAD_S: u32 = 8;

/// A card text and what it says.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The text in the QR code.
    pub text: CardText,
    /// The card.
    pub card_id: CardId,
    /// The second it names.
    pub issued_at: u32,
}

/// A phone with a card.
#[derive(Debug)]
pub struct Phone {
    key: SigningKey,
    programme: ProgrammeId,
    last_issued_at: Mutex<u32>,
    /// An address of its own, told by the proxy that tests play: phones do not share a rate.
    address: String,
    http: reqwest::Client,
}

static PHONES: AtomicU32 = AtomicU32::new(1);

impl Phone {
    /// A phone with a new key, for the members of `programme`.
    ///
    /// # Panics
    /// If the system gives no randomness.
    #[must_use]
    pub fn new(programme: &str) -> Self {
        Self::with_client(programme, http_client())
    }

    /// The same, on connections shared with others.
    ///
    /// # Panics
    /// If the system gives no randomness.
    #[must_use]
    pub fn with_client(programme: &str, http: reqwest::Client) -> Self {
        Self::make(programme, SigningKey::generate().expect("randomness"), http)
    }

    /// A phone with this very key.
    ///
    /// # Panics
    /// If `programme` is no programme id.
    #[must_use]
    pub fn with_key(programme: &str, key: SigningKey) -> Self {
        Self::make(programme, key, http_client())
    }

    fn make(programme: &str, key: SigningKey, http: reqwest::Client) -> Self {
        let [_, a, b, c] = PHONES.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        Self {
            key,
            programme: ProgrammeId::new(programme).expect("a programme id"),
            last_issued_at: Mutex::new(0),
            address: format!("10.{a}.{b}.{c}"),
            http,
        }
    }

    /// The phone's key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The phone's card.
    #[must_use]
    pub fn card_id(&self) -> CardId {
        self.key.card_id()
    }

    /// A card text nobody has seen. A phone has some thirty of them at any moment; one that is asked
    /// faster waits for the clock.
    ///
    /// # Panics
    /// If the limit does not fit a card.
    pub async fn show(&self, spend: SpendLimit) -> Shown {
        let issued_at = loop {
            let now = unix_now();
            {
                let mut last = self.last_issued_at.lock().expect("not poisoned");
                let next = last.saturating_add(1).max(now.saturating_sub(BEHIND_S));
                if next <= now.saturating_add(AHEAD_S) {
                    *last = next;
                    break next;
                }
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        };
        self.sign(issued_at, spend)
    }

    /// A text for any second, fresh or not, used or not.
    ///
    /// # Panics
    /// If the limit does not fit a card.
    #[must_use]
    pub fn sign(&self, issued_at: u32, spend: SpendLimit) -> Shown {
        let fields = CardFields { issued_at, spend };
        let text = self
            .key
            .sign(fields, &self.programme)
            .expect("a limit that fits");
        Shown {
            text,
            card_id: self.card_id(),
            issued_at,
        }
    }

    /// A proof for one request.
    ///
    /// # Panics
    /// If the system gives no randomness.
    #[must_use]
    pub fn proof(&self, method: &str, url: &str) -> String {
        let id = random_id().expect("randomness");
        let request = proof::Request {
            programme: &self.programme,
            issued_at: unix_now(),
            id: &id,
            method,
            url,
        };
        proof::sign(&self.key, &request)
    }

    /// Asks for a card, once.
    ///
    /// # Errors
    /// [`Lost`] if no answer came.
    pub async fn try_enrol(&self, base: &str) -> Result<Reply, Lost> {
        let url = format!("{base}/v1/cards");
        let body = json!({
            "public_key": self.key.public_key().to_jwk(),
            "proof": self.proof("POST", &url),
        });
        let request = self
            .http
            .post(url)
            .header("x-forwarded-for", &self.address)
            .json(&body);
        Ok(Reply::read(request.send().await?).await?)
    }

    /// Becomes a card, and with the first card a member. The same key gets the same card again.
    ///
    /// # Panics
    /// If the gateway refuses.
    pub async fn enrol(&self, base: &str) -> Reply {
        let reply = persist(|| self.try_enrol(base)).await;
        assert!(matches!(reply.status, 200 | 201), "not enrolled: {reply:?}");
        reply
    }

    /// Gets one of the member's own pages.
    ///
    /// # Panics
    /// If the gateway gives no answer for minutes.
    pub async fn get(&self, base: &str, path: &str) -> Reply {
        persist(|| async {
            let request = self.request(base, "GET", path);
            Ok(Reply::read(request.send().await?).await?)
        })
        .await
    }

    /// Asks for something to be done, once.
    ///
    /// # Panics
    /// If no answer comes.
    pub async fn post(&self, base: &str, path: &str, body: &serde_json::Value) -> Reply {
        let request = self.request(base, "POST", path).json(body);
        let response = request.send().await.expect("an answer");
        Reply::read(response).await.expect("a whole answer")
    }

    /// The member's points: available and held.
    ///
    /// # Panics
    /// If the gateway does not say.
    pub async fn points(&self, base: &str) -> (i64, i64) {
        let me = self.get(base, "/v1/me").await;
        (me.number("/points/available"), me.number("/points/held"))
    }

    /// Opens the stream of what happens to the member; it stays open for as long as it is read.
    ///
    /// # Errors
    /// [`Lost`] if it cannot be opened.
    pub async fn stream(&self, base: &str) -> Result<reqwest::Response, Lost> {
        let request = self.request(base, "GET", "/v1/me/stream");
        let response = request
            .timeout(std::time::Duration::from_secs(3_600))
            .header("accept", "text/event-stream")
            .send()
            .await?;
        Ok(response.error_for_status()?)
    }

    fn request(&self, base: &str, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{base}{path}");
        let proof = self.proof(method, &url);
        let method = method.parse().expect("an HTTP method");
        self.http
            .request(method, url)
            .header("x-forwarded-for", &self.address)
            .bearer_auth(proof)
    }
}

/// Unix seconds now, as phones and tills of this machine see them.
#[must_use]
pub fn unix_now() -> u32 {
    u32::try_from(Clock::system().now().as_second()).unwrap_or(u32::MAX)
}
