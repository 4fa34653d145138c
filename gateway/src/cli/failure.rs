//! Why a command did not do what it was asked.

use std::io;

use crate::{
    programme_file::ProgrammeFileError, store::StoreError, toml_file::TomlFault, writer::WriteError,
};

/// Exit code where the answer is no.
pub const EXIT_NO: u8 = 1;
/// Exit code where the command could not be tried.
pub const EXIT_COULD_NOT_RUN: u8 = 2;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The answer is no, and has been printed already.
    #[error("")]
    Told,
    /// A rule says no.
    #[error("{0}")]
    Refused(String),
    /// The programme file is not a programme.
    #[error(transparent)]
    Programme(#[from] ProgrammeFileError),
    /// Flags or settings do not fit together.
    #[error("{0}")]
    Usage(String),
    /// The settings file says something wrong.
    #[error("{0}")]
    Settings(#[from] TomlFault),
    /// Something on this machine failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The broker.
    #[error("the broker: {0}")]
    Broker(String),
    /// The reader of standard output went away, as `| head` does. Nothing is wrong.
    #[error("standard output is closed")]
    OutputClosed,
}

impl Failure {
    /// Something on this machine failed.
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// The exit code it ends the program with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Told | Self::Refused(_) | Self::Programme(_) => EXIT_NO,
            _ => EXIT_COULD_NOT_RUN,
        }
    }
}
