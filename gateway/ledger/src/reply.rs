//! A till's answer on its way into the store: its JSON text and what it was about.

use std::sync::Arc;

use pos_protocol::MemberId;
use serde::Serialize;
use uuid::Uuid;

use crate::records::RequestKind;

/// A till's answer in the making.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) kind: RequestKind,
    pub(crate) member_id: Option<MemberId>,
    pub(crate) effect: Option<Uuid>,
    pub(crate) answer: Arc<str>,
}

impl Reply {
    pub(crate) fn new(kind: RequestKind, answer: &impl Serialize) -> Self {
        Self {
            kind,
            member_id: None,
            effect: None,
            answer: to_json(answer),
        }
    }

    pub(crate) fn member(self, member_id: MemberId) -> Self {
        Self {
            member_id: Some(member_id),
            ..self
        }
    }

    pub(crate) fn effect(self, effect: Uuid) -> Self {
        Self {
            effect: Some(effect),
            ..self
        }
    }
}

/// An answer as it is stored and sent. Answers are plain data; they always have a JSON text.
pub(crate) fn to_json(answer: &impl Serialize) -> Arc<str> {
    serde_json::to_string(answer).unwrap_or_default().into()
}
