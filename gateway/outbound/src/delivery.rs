//! Messages to members, handed to whatever sends mail and texts: a webhook of the operator's choice.
//!
//! Invariants: a message has one id and one body, however often it is sent, so that a receiver can tell a
//! repetition; every request is signed ([Standard Webhooks](https://www.standardwebhooks.com)); 2xx alone
//! means delivered; attempts are counted and end. Whether to come back later is the caller's decision.

use std::{fmt, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::https::{Client, Fault, HttpsUrl, may_pass};

mod signature;

pub use signature::{
    HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, Secret, SecretError, SignatureError,
    SignedHeaders, sign, verify,
};

/// Longer than a UUID, shorter than receivers' limits.
const MESSAGE_ID_CHARS_MAX: usize = 64;

/// Names a message; receivers take a message with an id they know for a repetition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

/// A text is no message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message id is 1 to {MESSAGE_ID_CHARS_MAX} letters, digits, - and _")]
pub struct MessageIdError;

impl MessageId {
    /// Reads an id. A full stop is refused: it parts the signed text.
    pub fn parse(text: &str) -> Result<Self, MessageIdError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=MESSAGE_ID_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MessageIdError)
        }
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// To whom. `Debug` hides addresses.
#[derive(Clone, PartialEq, Eq)]
pub enum Recipient {
    /// An e-mail address.
    Email(String),
    /// A telephone number that takes text messages.
    Phone(String),
    /// A member's id, for receivers that know how to reach members.
    Member(String),
}

/// What is told. `Debug` hides codes.
#[derive(Clone, PartialEq, Eq)]
pub enum Kind {
    /// A code to be typed in, once.
    OneTimeCode {
        /// What is to be typed in.
        code: String,
        /// When it stops being good.
        expires_at: Timestamp,
    },
    /// Something worth knowing.
    Notice {
        /// What about, a word that the receiver has a text for.
        topic: String,
    },
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Names it.
    pub id: MessageId,
    /// When what it tells happened.
    pub occurred_at: Timestamp,
    /// To whom.
    pub to: Recipient,
    /// What is told.
    pub kind: Kind,
    /// What else the receiver needs to word it: the brand, the language, figures.
    pub details: Details,
}

/// Anything as JSON; `null` for nothing. `Debug` hides it.
#[derive(Clone, PartialEq, Default)]
pub struct Details(pub Value);

impl Message {
    /// The body, the same whenever it is sent: `{type, timestamp, data: {to, …, details}}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let to = match &self.to {
            Recipient::Email(email) => json!({ "email": email }),
            Recipient::Phone(phone) => json!({ "phone": phone }),
            Recipient::Member(member) => json!({ "member": member }),
        };
        let (name, data) = match &self.kind {
            Kind::OneTimeCode { code, expires_at } => (
                "one_time_code",
                json!({
                    "to": to,
                    "code": code,
                    "expires_at": expires_at.to_string(),
                    "details": self.details.0,
                }),
            ),
            Kind::Notice { topic } => (
                "notice",
                json!({ "to": to, "topic": topic, "details": self.details.0 }),
            ),
        };
        json!({ "type": name, "timestamp": self.occurred_at.to_string(), "data": data })
    }
}

/// How often a message is tried before the caller is told that it has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// Requests, the first one among them; none is taken for one.
    pub max: usize,
    /// Before the second request; doubled before each further one.
    pub first_delay: Duration,
    /// The doubling ends here.
    pub delay_max: Duration,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            max: 3,
            first_delay: Duration::from_millis(250),
            delay_max: Duration::from_secs(2),
        }
    }
}

/// Why a message was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Not now; the same message may be sent again later.
    #[error("not delivered yet: {0}")]
    Retry(Fault),
    /// The receiver does not want it, with this status; 410 says that it wants nothing any more.
    #[error("the receiver refused it with status {0}")]
    Refused(u16),
}

/// Where messages go.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// To a server.
    Webhook(Webhook),
    /// To somebody who watches this process. For the demo only: codes are shown.
    Log(Log),
}

/// A server that takes messages.
#[derive(Debug, Clone)]
pub struct Webhook {
    client: Client,
    url: HttpsUrl,
    secrets: Arc<[Secret]>,
    attempts: Attempts,
}

/// A webhook without a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook needs at least one secret")]
pub struct NoSecret;

/// Where messages go that nobody sends.
#[derive(Clone)]
pub struct Log(Arc<dyn Fn(&Message) + Send + Sync>);

impl Delivery {
    /// To a server, signed with every one of `secrets`: while they are changed, with the old and the new.
    pub fn webhook(
        client: Client,
        url: HttpsUrl,
        secrets: impl IntoIterator<Item = Secret>,
        attempts: Attempts,
    ) -> Result<Self, NoSecret> {
        let secrets: Arc<[Secret]> = secrets.into_iter().collect();
        if secrets.is_empty() {
            return Err(NoSecret);
        }
        Ok(Self::Webhook(Webhook {
            client,
            url,
            secrets,
            attempts,
        }))
    }

    /// Into the log, codes and addresses and all. For the demo only.
    #[must_use]
    pub fn log() -> Self {
        Self::call(|message| {
            let body = message.to_json();
            tracing::info!(message.id = message.id.as_str(), %body, "demo: a message that nobody sends");
        })
    }

    /// To a function. For the demo and for tests.
    #[must_use]
    pub fn call(show: impl Fn(&Message) + Send + Sync + 'static) -> Self {
        Self::Log(Log(Arc::new(show)))
    }

    /// Sends a message; `now` is the time it is signed with.
    pub async fn send(&self, message: &Message, now: Timestamp) -> Result<(), DeliveryError> {
        match self {
            Self::Webhook(webhook) => webhook.send(message, now).await,
            Self::Log(Log(show)) => {
                show(message);
                Ok(())
            }
        }
    }
}

impl Webhook {
    async fn send(&self, message: &Message, now: Timestamp) -> Result<(), DeliveryError> {
        let body = message.to_json().to_string();
        let signature = sign(&self.secrets, &message.id, now, body.as_bytes());
        let delays = ExponentialBuilder::new()
            .with_min_delay(self.attempts.first_delay)
            .with_max_delay(self.attempts.delay_max)
            .with_max_times(self.attempts.max.saturating_sub(1));
        let attempt = || self.attempt(&message.id, now, &signature, &body);
        attempt
            .retry(delays)
            .when(|error| matches!(error, DeliveryError::Retry(_)))
            .await
    }

    async fn attempt(
        &self,
        id: &MessageId,
        now: Timestamp,
        signature: &str,
        body: &str,
    ) -> Result<(), DeliveryError> {
        let request = self
            .client
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_ID, id.as_str())
            .header(HEADER_TIMESTAMP, now.as_second())
            .header(HEADER_SIGNATURE, signature)
            .body(body.to_owned());
        let status = self.client.status(request).await;
        let status = status.map_err(DeliveryError::Retry)?;
        if status.is_success() {
            Ok(())
        } else if status.is_client_error() && !may_pass(status) {
            Err(DeliveryError::Refused(status.as_u16()))
        } else {
            Err(DeliveryError::Retry(Fault::Status(status.as_u16())))
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log(..)")
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(_) => f.write_str("Email(..)"),
            Self::Phone(_) => f.write_str("Phone(..)"),
            Self::Member(member) => f.debug_tuple("Member").field(member).finish(),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneTimeCode { expires_at, .. } => f
                .debug_struct("OneTimeCode")
                .field("expires_at", expires_at)
                .finish_non_exhaustive(),
            Self::Notice { topic } => f.debug_struct("Notice").field("topic", topic).finish(),
        }
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Details(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_is_short_and_plain() {
        for (text, good) in [
            ("0190a8f0-0000-7000-8000-000000000000", true),
            ("msg_p5jXN8AQM9LWM0D4loKWxJek", true),
            ("", false),
            ("a.b", false),
            ("a b", false),
            ("a\nb", false),
            ("é", false),
        ] {
            assert_eq!(MessageId::parse(text).is_ok(), good, "{text}");
        }
        assert!(MessageId::parse(&"a".repeat(64)).is_ok());
        assert_eq!(MessageId::parse(&"a".repeat(65)), Err(MessageIdError));
    }

    #[test]
    fn debug_output_hides_codes_addresses_and_details() {
        let message = Message {
            id: MessageId::parse("m-1").unwrap(),
            occurred_at: Timestamp::UNIX_EPOCH,
            to: Recipient::Email("hanako@example.com".to_owned()),
            kind: Kind::OneTimeCode {
                code: "493817".to_owned(),
                expires_at: Timestamp::UNIX_EPOCH,
            },
            details: Details(json!({ "name": "Hanako" })),
        };
        let shown = format!("{message:?} {:?}", Recipient::Phone("0901234".to_owned()));
        for secret in ["hanako", "493817", "Hanako", "0901234"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("m-1"), "{shown}");
    }
}
