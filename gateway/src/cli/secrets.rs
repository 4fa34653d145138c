//! The file of secrets a command works with.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use super::{Failure, Settings};
use crate::secrets::Secrets;

/// Names the file of secrets.
#[derive(Debug, Clone, Args)]
pub(crate) struct SecretsArgs {
    /// File of the programme's secrets, the same that the gateways have
    #[arg(long, env = "GATEWAY_SECRETS", value_name = "FILE")]
    secrets: Option<PathBuf>,
}

impl SecretsArgs {
    /// The secrets, wherever the file is named.
    pub(super) fn read(&self, settings: &Settings) -> Result<Arc<Secrets>, Failure> {
        let path = self.secrets.clone().or_else(|| settings.secrets.clone());
        optional(path)?.ok_or_else(|| {
            Failure::Usage(
                "which secrets? Say --secrets FILE, GATEWAY_SECRETS=FILE, or secrets in the settings file".into(),
            )
        })
    }
}

/// The secrets in a file, if one is named.
pub(super) fn optional(path: Option<PathBuf>) -> Result<Option<Arc<Secrets>>, Failure> {
    let read = |path: PathBuf| Secrets::read(&path).map(Arc::new);
    let secrets = path.map(read).transpose();
    secrets.map_err(|error| Failure::Usage(error.to_string()))
}

/// Makes a fresh file of secrets that only its owner can read; one that is there is never written over.
pub(super) fn make(path: &Path) -> Result<(), Failure> {
    let text = Secrets::fresh().map_err(|error| Failure::Usage(error.to_string()))?;
    let failed = || Failure::io(format!("cannot make the file {}", path.display()));
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = file.map_err(failed())?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    written.map_err(|error| {
        let _ = fs::remove_file(path);
        failed()(error)
    })
}
