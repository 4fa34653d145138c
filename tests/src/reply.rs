//! What came back over the wire, byte for byte.

use std::{fmt, sync::Arc};

use pos_protocol::{Outcome, Reason};
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One HTTP answer. Keeps the bytes: answers are promised byte for byte.
#[derive(Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body as it came.
    pub body: Arc<[u8]>,
    /// The header fields.
    pub headers: HeaderMap,
}

impl Reply {
    /// Reads a whole answer.
    ///
    /// # Errors
    /// If the connection broke before the end of the body.
    pub async fn read(response: reqwest::Response) -> Result<Self, reqwest::Error> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?.to_vec().into();
        Ok(Self {
            status,
            body,
            headers,
        })
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none; says what came instead.
    #[must_use]
    pub fn json(&self) -> Value {
        self.parse()
    }

    /// The body as one of the protocol's messages.
    ///
    /// # Panics
    /// If it is none; says what came instead.
    #[must_use]
    pub fn parse<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("unexpected answer ({error}): {self:?}"))
    }

    /// A field of the answer as JSON, by JSON pointer; `null` where there is none.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or(Value::Null)
    }

    /// An integer of the answer, by JSON pointer.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn number(&self, pointer: &str) -> i64 {
        self.at(pointer)
            .as_i64()
            .unwrap_or_else(|| panic!("no number at {pointer}: {self:?}"))
    }

    /// A text of the answer, by JSON pointer.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn word(&self, pointer: &str) -> String {
        match self.at(pointer) {
            Value::String(text) => text,
            _ => panic!("no text at {pointer}: {self:?}"),
        }
    }

    /// Approved or declined; `None` where it is no answer of the ledger but a problem.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        if self.status != 200 {
            return None;
        }
        serde_json::from_value(self.at("/outcome")).ok()
    }

    /// Whether it is an approval.
    #[must_use]
    pub fn is_approved(&self) -> bool {
        self.outcome() == Some(Outcome::Approved)
    }

    /// Why it was declined.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        serde_json::from_value(self.at("/reason")).ok()
    }

    /// The word of an RFC 9457 problem; `None` where it is none.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let kind = self.headers.get("content-type")?.to_str().ok()?;
        if !kind.starts_with("application/problem+json") {
            return None;
        }
        let word = self.at("/type");
        word.as_str()?.strip_prefix("/problems/").map(str::to_owned)
    }

    /// The approval it must be.
    ///
    /// # Panics
    /// If it is none; says what came instead.
    #[must_use]
    pub fn approved(self) -> Self {
        assert!(self.is_approved(), "expected an approval: {self:?}");
        self
    }

    /// The decline it must be.
    ///
    /// # Panics
    /// If it is another answer; says which.
    pub fn declined(self, reason: Reason) -> Self {
        assert_eq!(self.outcome(), Some(Outcome::Declined), "{self:?}");
        assert_eq!(self.reason(), Some(reason), "{self:?}");
        self
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.text())
    }
}
