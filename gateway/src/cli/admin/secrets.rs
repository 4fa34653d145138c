//! `gateway admin secrets …`: the file of secrets.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ledger::profile::Profile;
use uuid::Uuid;

use crate::{
    cli::{
        Failure, Settings,
        database::DatabaseArgs,
        output,
        secrets::{self, SecretsArgs},
    },
    intake::letter,
    person::profile,
    secrets::{Secrets, random},
    store::{PoolSizes, Store},
};

/// Profiles read at once.
const PAGE_PROFILES: u32 = 200;
/// Messages of shops read at once; each may have a megabyte.
const PAGE_MESSAGES: u32 = 20;

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Make a fresh file of secrets; one that is there is never written over
    New {
        /// The file
        file: PathBuf,
    },
    /// Read the file of secrets and name its master keys, the current one first
    Check(SecretsArgs),
    /// Wrap the keys of all personal data with the current master key; may be stopped and begun again
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    secrets: SecretsArgs,
}

pub(super) async fn run(command: SecretsCommand, settings: &Settings) -> Result<(), Failure> {
    match command {
        SecretsCommand::New { file } => {
            secrets::make(&file)?;
            output::line(format!(
                "{} is made. Give it to every gateway of the database with --secrets, and keep a copy apart from the backups.",
                file.display()
            ))
        }
        SecretsCommand::Check(args) => {
            let secrets = args.read(settings)?;
            secrets.masters.ids().try_for_each(output::line)
        }
        SecretsCommand::Rotate(args) => {
            let secrets = args.secrets.read(settings)?;
            let sizes = PoolSizes { write: 1, read: 2 };
            let store = args.database.open(settings, sizes).await?;
            let outcome = rotate(&store, &secrets).await;
            store.close().await;
            outcome
        }
    }
}

/// Only what wraps the keys changes; the data stays sealed and is not read.
async fn rotate(store: &Store, secrets: &Secrets) -> Result<(), Failure> {
    let current = secrets.masters.current().id();
    let (mut after, mut wrapped) = (None, 0_u64);
    loop {
        let page = store
            .profiles_to_rewrap(current, after, PAGE_PROFILES)
            .await?;
        let Some(last) = page.last() else { break };
        after = Some(last.member_id);
        for row in &page {
            match rewrapped(store, secrets, row).await {
                Ok(done) => wrapped = wrapped.saturating_add(u64::from(done)),
                Err(Failure::Refused(why)) => {
                    output::line(format!("member {}: {why}", row.member_id))?;
                }
                Err(failure) => return Err(failure),
            }
        }
        let left = store.profiles_to_rewrap_count(current).await?;
        output::line(format!("{wrapped} wrapped with {current}, {left} left"))?;
    }
    let messages_left = reseal(store, secrets).await?;
    match store
        .profiles_to_rewrap_count(current)
        .await?
        .saturating_add(messages_left)
    {
        0 => output::line(format!(
            "all personal data is under {current}; older master keys can go from the file"
        )),
        left => Err(Failure::Refused(format!(
            "{left} are left; run it again, and keep the older master keys"
        ))),
    }
}

/// Messages of shops that wait or are dead; how many do not open.
async fn reseal(store: &Store, secrets: &Secrets) -> Result<i64, Failure> {
    let (mut after, mut sealed, mut left) = (Uuid::nil(), 0_u64, 0_i64);
    loop {
        let page = store.inbox_bodies(after, PAGE_MESSAGES).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (id, body) in &page {
            match letter::resealed(secrets, *id, body) {
                Ok(None) => {}
                Ok(Some(new)) => {
                    let done = store.inbox_reseal(*id, body, &new).await?;
                    sealed = sealed.saturating_add(u64::from(done));
                }
                Err(why) => {
                    left = left.saturating_add(1);
                    output::line(format!("message {id}: {why}"))?;
                }
            }
        }
    }
    if sealed > 0 {
        output::line(format!("{sealed} messages of shops sealed anew"))?;
    }
    Ok(left)
}

async fn rewrapped(store: &Store, secrets: &Secrets, row: &Profile) -> Result<bool, Failure> {
    let random = random().map_err(|error| Failure::Usage(error.to_string()))?;
    let member = row.member_id.as_uuid();
    let sealed = personal_data::rewrap(&secrets.masters, member, &profile::as_sealed(row), random);
    let sealed = sealed.map_err(|error| Failure::Refused(error.to_string()))?;
    Ok(store
        .rewrap_profile(row, &sealed.key_id, &sealed.wrapped_key)
        .await?)
}
