//! Where messages to members go: one-time codes and notices.

use std::{fs, path::PathBuf};

use clap::Args;
use outbound::{
    delivery::{Attempts, Delivery, Secret},
    https::{Client, HttpsUrl, Limits},
};

use super::{Failure, Settings, settings::SecretUrl};

/// The largest file of webhook secrets, in bytes.
const FILE_BYTES_MAX: u64 = 16 * 1024;

/// Names the webhook that sends messages to members.
#[derive(Debug, Clone, Args)]
pub(super) struct MessageArgs {
    /// Webhook that sends mail and text messages to members (Standard Webhooks); without one no address can
    /// be proved
    #[arg(
        long,
        env = "GATEWAY_DELIVERY_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    delivery_url: Option<SecretUrl>,
    /// File of the webhook's secrets, `whsec_…`, one a line; while they are changed, the old and the new
    #[arg(long, env = "GATEWAY_DELIVERY_SECRET_FILE", value_name = "FILE")]
    delivery_secret_file: Option<PathBuf>,
}

impl MessageArgs {
    /// The webhook, if one is named.
    pub(super) fn delivery(&self, settings: &Settings) -> Result<Option<Delivery>, Failure> {
        let url = self.delivery_url.as_ref();
        let url = url.or(settings.delivery_url.as_ref());
        let file = self.delivery_secret_file.as_ref();
        let file = file.or(settings.delivery_secret_file.as_ref());
        let (url, file) = match (url, file) {
            (None, None) => return Ok(None),
            (Some(url), Some(file)) => (url, file),
            _ => {
                let text = "delivery_url and delivery_secret_file go together";
                return Err(Failure::Usage(text.into()));
            }
        };
        let usage =
            |error: &dyn std::fmt::Display| Failure::Usage(format!("delivery_url: {error}"));
        let url = HttpsUrl::parse(url.reveal()).map_err(|error| usage(&error))?;
        let name = file.display();
        let failed = || Failure::io(format!("cannot read {name}"));
        if fs::metadata(file).map_err(failed())?.len() > FILE_BYTES_MAX {
            return Err(Failure::Usage(format!(
                "{name} is too large to be a file of secrets"
            )));
        }
        let text = zeroize::Zeroizing::new(fs::read_to_string(file).map_err(failed())?);
        let secrets = secrets(&text).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
        let client = Client::new(Limits::default()).map_err(|error| usage(&error))?;
        let delivery = Delivery::webhook(client, url, secrets, Attempts::default());
        delivery
            .map(Some)
            .map_err(|error| Failure::Usage(format!("{name}: {error}")))
    }
}

/// One secret a line; empty lines and those that begin with `#` are left out.
fn secrets(text: &str) -> Result<Vec<Secret>, outbound::delivery::SecretError> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(Secret::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_secret_a_line() {
        let one = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
        let text = format!("# old\n{one}\n\n  {one}\n");
        assert_eq!(secrets(&text).unwrap().len(), 2);
        assert!(secrets("whsec_x").is_err());
        assert!(secrets("# none\n").unwrap().is_empty());
    }

    #[test]
    fn url_and_secrets_go_together() {
        let args = MessageArgs {
            delivery_url: Some("https://mail.example/hook".parse().unwrap()),
            delivery_secret_file: None,
        };
        assert!(args.delivery(&Settings::default()).is_err());
        let none = MessageArgs {
            delivery_url: None,
            delivery_secret_file: None,
        };
        assert!(none.delivery(&Settings::default()).unwrap().is_none());
    }
}
