//! `gateway migrate`: brings the schema up to date.

use super::{Failure, Settings, database::DatabaseArgs, output};
use crate::store::{PoolSizes, Store};

pub(super) async fn run(args: DatabaseArgs, settings: Settings) -> Result<(), Failure> {
    let url = args.url(&settings)?;
    let store = Store::open(&url, PoolSizes { write: 1, read: 1 }).await?;
    let outcome = store.migrate().await;
    store.close().await;
    for applied in outcome? {
        output::line(format!("applied {:04} {}", applied.version, applied.name))?;
    }
    output::line(format!("the schema of {url} is up to date"))
}
