//! What the cashier is told. Every request ends in exactly one of these.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{message::Operation, words};
use crate::{Balance, Reason};

/// Characters of a reason that are kept; none of the gateway's is longer.
const REASON_CHARS_MAX: usize = 64;

/// The end of a request, for the person at the till.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict<A = Value> {
    /// The gateway did it, durably.
    Approved(A),
    /// A rule refused it, durably.
    Declined(Decline),
    /// The gateway could not be asked: take the points off; nothing may be given on their strength.
    NotAsked {
        /// What stood in the way.
        why: Why,
        /// Whether a reversal is on its way, because the request may have arrived.
        undoing: bool,
    },
    /// It counts, once, and the gateway will be told: points follow.
    Queued {
        /// What stood in the way.
        why: Why,
    },
    /// The till itself refused. Nothing happened and nothing will.
    Refused(Refusal),
    /// The till broke before it could say. The journal has what was written down; the next opening
    /// takes it up.
    Unknown,
}

impl<A> Verdict<A> {
    /// The same verdict with another answer.
    pub fn map<B>(self, with: impl FnOnce(A) -> B) -> Verdict<B> {
        match self {
            Self::Approved(answer) => Verdict::Approved(with(answer)),
            Self::Declined(decline) => Verdict::Declined(decline),
            Self::NotAsked { why, undoing } => Verdict::NotAsked { why, undoing },
            Self::Queued { why } => Verdict::Queued { why },
            Self::Refused(refusal) => Verdict::Refused(refusal),
            Self::Unknown => Verdict::Unknown,
        }
    }

    /// The stable word of the verdict.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Approved(_) => "approved",
            Self::Declined(_) => "declined",
            Self::NotAsked { .. } => "not_asked",
            Self::Queued { .. } => "queued",
            Self::Refused(_) => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// The approval, if it is one.
    pub fn approved(self) -> Option<A> {
        match self {
            Self::Approved(answer) => Some(answer),
            _ => None,
        }
    }

    /// What to say to the cashier who asked for `operation`.
    #[must_use]
    pub fn words(&self, operation: Operation, language: Language) -> String {
        words::verdict(self, operation, language)
    }
}

/// A decline, as it came. A reason that this release does not know is one all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// The stable word.
    pub reason: String,
    /// ISO 8583 field 39.
    pub response_code: String,
    /// The member's points, where the card named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<Balance>,
}

impl Decline {
    /// A decline from the gateway's answer.
    pub(crate) fn read(answer: &Value) -> Option<Self> {
        let mut decline = Self::deserialize(answer).ok()?;
        decline.reason = decline.reason.chars().take(REASON_CHARS_MAX).collect();
        Some(decline)
    }

    /// The reason, if this release knows it.
    #[must_use]
    pub fn known(&self) -> Option<Reason> {
        let mut all = Reason::ALL.iter().copied();
        all.find(|reason| reason.word() == self.reason)
    }

    /// What to say to the cashier who asked for `operation`.
    #[must_use]
    pub fn words(&self, operation: Operation, language: Language) -> &'static str {
        words::decline(self, operation, language)
    }
}

/// Why the gateway gave no answer in time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The request went out and nothing came back by the deadline.
    NoAnswer,
    /// The gateway has not answered for a while; this was not waited for.
    Away,
    /// An earlier request of the basket, or the till's rate, was in the way until the deadline.
    Busy,
    /// The gateway refuses this till: its credentials, rights or address are wrong. An operator has to
    /// mend it.
    Operator(String),
    /// The till stopped before the answer came.
    Restarted,
}

impl Why {
    /// The stable word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::Away => "away",
            Self::Busy => "busy",
            Self::Operator(_) => "operator",
            Self::Restarted => "restarted",
        }
    }
}

/// Why the till itself refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The journal cannot be written, for example because the disk is full. Nothing was sent.
    JournalUnwritable(String),
    /// The message breaks the protocol's rules. Nothing was sent.
    Malformed(String),
    /// The basket has its sale already. Nothing was sent.
    BasketCompleted,
    /// Requests of the day are still unanswered; so many. Nothing was sent.
    Unsettled(usize),
    /// The gateway found the message malformed: a defect of the till. It had no effect.
    Defect {
        /// The problem's word.
        problem: String,
        /// What is wrong.
        detail: String,
    },
    /// The client is closed. Nothing was sent.
    Closed,
}

impl Refusal {
    /// The stable word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::JournalUnwritable(_) => "journal_unwritable",
            Self::Malformed(_) => "malformed",
            Self::BasketCompleted => "basket_completed",
            Self::Unsettled(_) => "unsettled",
            Self::Defect { .. } => "defect",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JournalUnwritable(why) => write!(f, "the journal cannot be written: {why}"),
            Self::Malformed(what) => write!(f, "the message is malformed: {what}"),
            Self::BasketCompleted => f.write_str("the basket has its sale already"),
            Self::Unsettled(count) => write!(f, "{count} requests are still unanswered"),
            Self::Defect { problem, detail } => {
                write!(f, "the gateway refused the message: {problem}, {detail}")
            }
            Self::Closed => f.write_str("the client is closed"),
        }
    }
}

/// The cashier's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Japanese.
    Japanese,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reason_is_cut_between_characters() {
        let reason = format!("x{}", "会".repeat(100));
        let answer = json!({"reason": reason, "response_code": "57"});
        let decline = Decline::read(&answer).unwrap();
        assert_eq!(decline.reason.chars().count(), REASON_CHARS_MAX);
        assert!(reason.starts_with(&decline.reason));
    }
}
