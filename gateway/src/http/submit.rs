//! Handing a command to the writer, in the lane of its member where that is known.

use ledger::{
    command::{Command, Operation},
    decision::Answer,
};
use moka::sync::Cache;
use pos_protocol::{AuthorizationId, CommandId, MemberId, PurchaseId};
use uuid::Uuid;

use super::{
    App,
    problem::{Problem, ProblemKind},
};
use crate::{limits, store::StoreError, writer::WriteError};

impl App {
    /// Has one operation decided and made durable, under a fresh command id.
    ///
    /// # Errors
    /// A problem that implies no outcome.
    pub(super) async fn submit(
        &self,
        operation: Operation,
        member_hint: Option<MemberId>,
    ) -> Result<Answer, Problem> {
        let id = CommandId::new(self.clock().new_id());
        if let Some(member_id) = member_hint {
            self.owners.made_by(id, member_id);
        }
        let command = Command { id, operation };
        Ok(self.writer().submit(command, member_hint).await?)
    }

    /// The member an authorization belongs to, as a hint.
    pub(super) async fn owner_of_authorization(
        &self,
        id: AuthorizationId,
    ) -> Result<Option<MemberId>, StoreError> {
        match self.owners.of(id.as_uuid()) {
            Some(member_id) => Ok(Some(member_id)),
            None => self.store().authorization_owner(id).await,
        }
    }

    /// The member a purchase belongs to, as a hint.
    pub(super) async fn owner_of_purchase(
        &self,
        id: PurchaseId,
    ) -> Result<Option<MemberId>, StoreError> {
        match self.owners.of(id.as_uuid()) {
            Some(member_id) => Ok(Some(member_id)),
            None => self.store().purchase_owner(id).await,
        }
    }
}

/// Whose the things are that this gateway's commands made. What a command makes gets an id with the
/// command's upper 112 bits, so one entry stands for all of it. A hint, like everything kept here.
pub(super) struct Owners(Cache<u128, MemberId>);

impl Owners {
    pub(super) fn new() -> Self {
        Self(Cache::new(limits::OWNER_CACHE_ENTRIES_MAX))
    }

    fn made_by(&self, command: CommandId, member_id: MemberId) {
        self.0.insert(stem(command.as_uuid()), member_id);
    }

    fn of(&self, made: Uuid) -> Option<MemberId> {
        self.0.get(&stem(made))
    }
}

fn stem(id: Uuid) -> u128 {
    id.as_u128() >> 16
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        let new = Self::new;
        let problem = match &error {
            WriteError::QueueFull => new(ProblemKind::Overloaded, "Too many requests are waiting."),
            WriteError::ShuttingDown => {
                new(ProblemKind::Unavailable, "The gateway is shutting down.")
            }
            WriteError::Unavailable(_) => {
                new(ProblemKind::Unavailable, "The database is not available.")
            }
            WriteError::OutcomeUnknown(_) => new(
                ProblemKind::OutcomeUnknown,
                "Nobody knows yet whether it took effect.",
            ),
            WriteError::Fault(_) => Self::fault(""),
        };
        problem.because(error)
    }
}
