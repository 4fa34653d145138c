//! The member to make where nobody is found.

use ledger::identity::Newcomer;

use super::{App, problem::Problem};
use crate::newcomer::{NewcomerError, newcomer};

impl App {
    /// An id and a number that nobody has.
    ///
    /// # Errors
    /// A problem if the store cannot be asked, or a fault if there is no randomness.
    pub(super) async fn newcomer(&self) -> Result<Newcomer, Problem> {
        match newcomer(self.store(), self.clock()).await {
            Ok(newcomer) => Ok(newcomer),
            Err(NewcomerError::Store(error)) => Err(error.into()),
            Err(error @ NewcomerError::NoRandomness(_)) => Err(Problem::fault(error.to_string())),
        }
    }
}
