//! `gateway admin key`: the keys that sign access tokens.

use clap::{Args, Subcommand};
use serde_json::json;

use super::super::{Failure, Settings, database::DatabaseArgs, output};
use crate::{clock::Clock, http::rotate_signing_keys, store::PoolSizes};

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the keys that are published
    List(KeyArgs),
    /// Make a new key that takes over once every gateway and caller can know it
    Rotate(KeyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: KeyCommand, settings: &Settings) -> Result<(), Failure> {
    let sizes = PoolSizes { write: 1, read: 1 };
    let now = Clock::system().now();
    match command {
        KeyCommand::List(args) => {
            let store = args.database.open(settings, sizes).await?;
            let keys = store.signing_keys().await;
            store.close().await;
            let keys = keys?;
            let state = |from, until: Option<jiff::Timestamp>| match until {
                Some(until) if until < now => "ended",
                _ if from > now => "published, signs later",
                Some(_) => "verifies",
                None => "signs",
            };
            if args.json {
                return keys.iter().try_for_each(|key| {
                    output::json(&json!({
                        "kid": key.kid,
                        "active_from": key.active_from,
                        "retire_after": key.retire_after,
                        "state": state(key.active_from, key.retire_after),
                    }))
                });
            }
            let rows = keys.iter().map(|key| {
                [
                    key.kid.clone(),
                    key.active_from.to_string(),
                    key.retire_after.map_or("-".into(), |at| at.to_string()),
                    state(key.active_from, key.retire_after).to_owned(),
                ]
            });
            output::table(["KEY", "SIGNS FROM", "VERIFIES UNTIL", "STATE"], rows)
        }
        KeyCommand::Rotate(args) => {
            let store = args.database.open(settings, sizes).await?;
            let rotation = rotate_signing_keys(&store, now).await;
            store.close().await;
            let rotation = rotation
                .map_err(|error| Failure::io("cannot rotate")(std::io::Error::other(error)))?;
            if args.json {
                return output::json(&rotation);
            }
            output::line(format!(
                "key {} is published and signs from {}",
                rotation.kid, rotation.active_from
            ))?;
            output::line(format!(
                "the keys before it verify until {}",
                rotation.retire_after
            ))
        }
    }
}
