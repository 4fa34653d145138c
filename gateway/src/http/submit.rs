//! Handing a command to the writer.

use ledger::{
    command::{Command, Operation},
    decision::Answer,
};
use pos_protocol::{CommandId, MemberId};

use super::{
    App,
    problem::{Problem, ProblemKind},
};
use crate::writer::WriteError;

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
        Ok(self.writer().submit(Command { id, operation }, member_hint).await?)
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        let problem = match &error {
            WriteError::QueueFull => Self::new(ProblemKind::Overloaded, "Too many requests are waiting."),
            WriteError::ShuttingDown => Self::new(ProblemKind::Unavailable, "The gateway is shutting down."),
            WriteError::Unavailable(_) => Self::new(ProblemKind::Unavailable, "The database is not available."),
            WriteError::OutcomeUnknown(_) => {
                Self::new(ProblemKind::OutcomeUnknown, "Nobody knows yet whether it took effect.")
            }
            _ => Self::fault(""),
        };
        problem.because(error)
    }
}
