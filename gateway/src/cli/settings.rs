//! The settings file: the third place where a setting is looked for.

use std::{
    fmt, fs,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Deserialize;

use super::{Failure, LogFormat};
use crate::toml_file;

/// The largest settings file, in bytes.
const FILE_BYTES_MAX: usize = 64 * 1024;

/// What the settings file says. The keys are the long flags with `_` for `-`; each has the flag's
/// meaning. Unknown keys are refused.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Of every command.
    pub log_format: Option<LogFormat>,
    /// Of every command.
    pub log: Option<String>,
    /// Of every command with a database.
    pub database_url: Option<SecretUrl>,
    /// Of `serve`.
    pub listen: Option<SocketAddr>,
    /// Of `serve`.
    pub amqp_url: Option<SecretUrl>,
    /// Of `serve`.
    pub amqp_ca: Option<PathBuf>,
    /// Of `serve`.
    pub programme: Option<PathBuf>,
    /// Of `serve`.
    pub public_url: Option<String>,
    /// Of `serve`.
    pub trusted_proxies: Option<usize>,
    /// Of `serve`.
    pub tls_cert: Option<PathBuf>,
    /// Of `serve`.
    pub tls_key: Option<PathBuf>,
    /// Of `serve`.
    pub lanes: Option<usize>,
    /// Of `serve`.
    pub batch_commands_max: Option<usize>,
    /// Of `serve`.
    pub queue_commands_max: Option<usize>,
    /// Of `serve`.
    pub read_connections: Option<u32>,
    /// Of `serve`.
    pub sweep_seconds: Option<u64>,
    /// Of `serve`.
    pub client_requests_per_second: Option<NonZeroU32>,
    /// Of `serve`.
    pub client_burst: Option<NonZeroU32>,
    /// Of `serve`.
    pub drain_seconds: Option<u64>,
    /// Of `serve`, and of every `admin` command that finds people.
    pub secrets: Option<PathBuf>,
    /// Of `serve`.
    pub google_wallet: Option<PathBuf>,
    /// Of `serve`.
    pub apple_wallet: Option<PathBuf>,
    /// Of `serve`.
    pub delivery_url: Option<SecretUrl>,
    /// Of `serve`.
    pub delivery_secret_file: Option<PathBuf>,
    /// Of `serve`.
    pub openid: Option<PathBuf>,
    /// Of `serve`.
    pub web: Option<PathBuf>,
}

impl Settings {
    /// Reads a settings file.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be read or says something wrong; then with the line.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let file = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(Failure::io(format!("cannot read the settings file {file}")))?;
        if text.len() > FILE_BYTES_MAX {
            return Err(Failure::Usage(format!(
                "{file} has {} bytes; a settings file has at most {FILE_BYTES_MAX}",
                text.len()
            )));
        }
        Ok(toml_file::parse(&file, &text)?)
    }
}

/// A URL that may hold a password: never shown, not even where it is wrong.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

impl SecretUrl {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretUrl {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretUrl(..)")
    }
}
