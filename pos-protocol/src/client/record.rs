//! What the till writes down: the entries of its journal.
//!
//! A journal is the list of these, oldest first. Nothing is ever changed in place: a later entry
//! says what became of an earlier one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::Request;
use crate::RequestId;

/// The form of the entries; a reader refuses a higher number.
pub const FORMAT: u32 = 1;

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// The journal was opened, or its request ids turned out to be taken: the names that follow are
    /// made from this.
    Opened(Opened),
    /// Whoever waited for a verdict on what stands before this was told it.
    Told {
        /// When.
        at: Timestamp,
    },
    /// A request, before it is sent. A reversal gives up its original with the same stroke; an
    /// advice that replaces another request, that one.
    Request(Box<Request>),
    /// No answer came in time and the cashier was told that the deed counts: the request is repeated
    /// under its id until it is answered.
    Kept {
        /// The request.
        request_id: RequestId,
        /// When.
        at: Timestamp,
    },
    /// Given up; there is nothing to undo.
    Dropped {
        /// The request.
        request_id: RequestId,
        /// When.
        at: Timestamp,
    },
    /// The gateway's answer, approval or decline.
    Answer {
        /// The request.
        request_id: RequestId,
        /// When it came.
        at: Timestamp,
        /// As it came.
        answer: Value,
    },
    /// Damaged records stood here and were set aside: any request before may have lost its outcome.
    Damaged {
        /// How many.
        records: u64,
    },
    /// The gateway refused the request as malformed or misnamed: it had no effect and never will.
    Refused {
        /// The request.
        request_id: RequestId,
        /// When.
        at: Timestamp,
        /// The problem's word.
        problem: String,
        /// The problem's detail.
        detail: String,
    },
}

/// Where request ids come from: `JOURNAL-GENERATION-N`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// See [`FORMAT`].
    pub format: u32,
    /// Drawn once for the journal: two tills with one terminal id differ in it.
    pub journal: String,
    /// Drawn at every opening: a journal restored from a copy does not name a request twice.
    pub generation: String,
    /// When.
    pub at: Timestamp,
    /// Why: `start`, or `request_id_reused` after a collision.
    pub why: String,
    /// Whose requests follow; journals of the first release do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
}

/// The terminal a journal's requests belong to, and the gateway that has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The till's client id; it names the terminal.
    pub client_id: String,
    /// The gateway's URL, without credentials.
    pub gateway: String,
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "client {} at {}", self.client_id, self.gateway)
    }
}
