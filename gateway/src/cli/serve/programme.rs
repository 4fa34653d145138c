//! Before a gateway serves: the schema is there and a programme is in force.

use std::path::{Path, PathBuf};

use ledger::state::InForce;

use crate::{
    cli::{
        Failure,
        admin::{activate, announce},
        desk::{self, Desk},
    },
    programme_file,
    store::{SchemaState, Store, StoreError},
};

/// The programme in force, once `file` is, where one is given.
pub(super) async fn ready(store: &Store, file: Option<PathBuf>) -> Result<InForce, Failure> {
    check_schema(store).await?;
    if let Some(file) = file {
        put_in_force(store, &file).await?;
    }
    Ok(store.programme().await?.ok_or(StoreError::NoProgramme)?)
}

async fn check_schema(store: &Store) -> Result<(), Failure> {
    match store.schema_state().await? {
        SchemaState::UpToDate => {}
        SchemaState::Ahead(_) => {
            tracing::warn!("schema.ahead: a newer release migrated the database");
        }
        SchemaState::Behind(_) => {
            return Err(Failure::Usage(
                "the schema is not up to date; run `gateway migrate`".into(),
            ));
        }
        SchemaState::Altered(version) => {
            return Err(Failure::Usage(format!(
                "migration {version} was applied with another text; see `gateway doctor`"
            )));
        }
    }
    Ok(())
}

/// Shows what a file changes and puts it in force; where it says the same, nothing is done.
async fn put_in_force(store: &Store, file: &Path) -> Result<(), Failure> {
    let (programme, source) = programme_file::read(file)?;
    let in_force = store.programme().await?;
    let says_the_same = |in_force: &InForce| *in_force.programme == programme;
    if in_force.as_ref().is_some_and(says_the_same) {
        return Ok(());
    }
    match announce(in_force.as_ref(), file, &programme, &source) {
        // Nobody reads the output any more; the log says what is done.
        Ok(_) | Err(Failure::OutputClosed) => {}
        Err(failure) => return Err(failure),
    }
    let replaces = in_force.map_or(0, |in_force| in_force.version);
    let desk = Desk::over(store.clone());
    let activated = activate(
        &desk,
        replaces,
        programme.clone(),
        source,
        desk::actor(None),
    )
    .await;
    desk.leave().await;
    let file = file.display().to_string();
    match activated {
        Ok(version) => {
            tracing::info!(programme.version = version, file, "programme.activated");
            Ok(())
        }
        // Another gateway that starts with the same file was first.
        Err(_) if store.programme().await?.as_ref().is_some_and(says_the_same) => Ok(()),
        Err(failure) => Err(failure),
    }
}
