//! The database a command works on.

use clap::Args;

use super::{Failure, Settings, settings::SecretUrl};
use crate::store::{DatabaseUrl, PoolSizes, Store};

/// Names the database.
#[derive(Debug, Clone, Args)]
pub(crate) struct DatabaseArgs {
    /// The database: `sqlite://PATH` or `postgres://USER@HOST/DATABASE`
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(super) database_url: Option<SecretUrl>,
}

impl DatabaseArgs {
    /// The URL, wherever it is said.
    pub(super) fn url(&self, settings: &Settings) -> Result<DatabaseUrl, Failure> {
        let url = self
            .database_url
            .as_ref()
            .or(settings.database_url.as_ref());
        let url = url.ok_or_else(|| {
            Failure::Usage(
                "which database? Say --database-url URL, DATABASE_URL=URL, or database_url in the settings file".into(),
            )
        })?;
        parse(url)
    }

    /// Opens a database that is there; a SQLite file is not made by looking for it.
    pub(super) async fn open(
        &self,
        settings: &Settings,
        sizes: PoolSizes,
    ) -> Result<Store, Failure> {
        let url = self.url(settings)?;
        open_existing(&url, sizes).await
    }
}

pub(super) fn parse(url: &SecretUrl) -> Result<DatabaseUrl, Failure> {
    let parsed = url.reveal().parse::<DatabaseUrl>();
    parsed.map_err(|error| Failure::Usage(error.to_string()))
}

pub(super) async fn open_existing(url: &DatabaseUrl, sizes: PoolSizes) -> Result<Store, Failure> {
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        let path = path.display();
        return Err(Failure::Usage(format!(
            "there is no database at {path}; `gateway migrate --database-url sqlite://{path}` makes one"
        )));
    }
    Ok(Store::open(url, sizes).await?)
}
