//! Members as people name them on the command line.

use super::Failure;
use crate::desk::NotFound;

pub(crate) use crate::desk::Who;

impl From<NotFound> for Failure {
    fn from(error: NotFound) -> Self {
        match error {
            NotFound::Nobody => Self::Refused(error.to_string()),
            NotFound::Store(error) => error.into(),
        }
    }
}
