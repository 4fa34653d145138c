//! The broker a command works with.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, Settings, settings::SecretUrl};
use crate::outbox::{Broker, BrokerUrlError};

/// Names the broker.
#[derive(Debug, Clone, Args)]
pub(crate) struct BrokerArgs {
    /// Message broker that events are sent to: `amqp://USER:PASSWORD@HOST[:PORT][/VHOST]` or
    /// `amqps://…`; without one they wait in the database
    #[arg(long, env = "AMQP_URL", hide_env_values = true, value_name = "URL")]
    amqp_url: Option<SecretUrl>,
    /// Certification authorities (PEM) to believe for `amqps://`, beside the system's
    #[arg(long, env = "AMQP_CA", value_name = "FILE")]
    amqp_ca: Option<PathBuf>,
}

impl BrokerArgs {
    /// The broker, if one is named anywhere.
    pub(super) fn broker(&self, settings: &Settings) -> Result<Option<Broker>, Failure> {
        let url = self.amqp_url.as_ref().or(settings.amqp_url.as_ref());
        let authorities = self.amqp_ca.as_ref().or(settings.amqp_ca.as_ref());
        url.map(|url| parse(url, authorities.map(PathBuf::as_path)))
            .transpose()
    }
}

/// The broker at `url`, with certification authorities from a file.
pub(super) fn parse(url: &SecretUrl, authorities: Option<&Path>) -> Result<Broker, Failure> {
    let usage = |error: BrokerUrlError| Failure::Usage(error.to_string());
    let broker: Broker = url.reveal().parse().map_err(usage)?;
    match authorities {
        Some(file) => broker.with_authorities(file).map_err(usage),
        None => Ok(broker),
    }
}
