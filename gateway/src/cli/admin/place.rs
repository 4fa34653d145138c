//! `gateway admin store` and `gateway admin terminal`: where tills stand.

use clap::{Args, Subcommand};
use pos_protocol::{StoreId, TerminalId};
use serde_json::json;

use super::super::{Failure, Settings, database::DatabaseArgs, output};
use crate::{
    clock::Clock,
    store::{Creation, PoolSizes},
};

const SIZES: PoolSizes = PoolSizes { write: 1, read: 1 };

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Make a store known
    Create {
        #[command(flatten)]
        database: DatabaseArgs,
        /// Its id, 1 to 64 characters of A-Z a-z 0-9 . _ -
        #[arg(long, value_name = "ID")]
        id: StoreId,
        /// What people call it [default: its id]
        #[arg(long)]
        name: Option<String>,
    },
    /// List all stores
    List(ListArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum TerminalCommand {
    /// Make a terminal of a store known
    Create {
        #[command(flatten)]
        database: DatabaseArgs,
        /// Its id, 1 to 64 characters of A-Z a-z 0-9 . _ -
        #[arg(long, value_name = "ID")]
        id: TerminalId,
        /// Its store
        #[arg(long, value_name = "ID")]
        store: StoreId,
    },
    /// List all terminals
    List(ListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print JSON, one row a line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run_store(command: StoreCommand, settings: &Settings) -> Result<(), Failure> {
    match command {
        StoreCommand::Create { database, id, name } => {
            let store = database.open(settings, SIZES).await?;
            let name = name.unwrap_or_else(|| id.to_string());
            let created = store.create_store(&id, &name, Clock::system().now()).await;
            store.close().await;
            match created? {
                Creation::Created => output::line(format!("store {id} ({name})")),
                _ => Err(Failure::Refused(format!("there is a store {id} already"))),
            }
        }
        StoreCommand::List(args) => {
            let store = args.database.open(settings, SIZES).await?;
            let rows = store.list_stores().await;
            store.close().await;
            let rows = rows?;
            if args.json {
                return rows.iter().try_for_each(|row| {
                    output::json(&json!({ "store_id": row.id, "name": row.name, "created_at": row.created_at }))
                });
            }
            let cells = rows
                .iter()
                .map(|row| [row.id.to_string(), row.name.clone()]);
            output::table(["STORE", "NAME"], cells)
        }
    }
}

pub(super) async fn run_terminal(
    command: TerminalCommand,
    settings: &Settings,
) -> Result<(), Failure> {
    match command {
        TerminalCommand::Create {
            database,
            id,
            store: at,
        } => {
            let store = database.open(settings, SIZES).await?;
            let created = store.create_terminal(&id, &at, Clock::system().now()).await;
            store.close().await;
            match created? {
                Creation::Created => output::line(format!("terminal {id} of store {at}")),
                Creation::Exists => Err(Failure::Refused(format!(
                    "there is a terminal {id} already"
                ))),
                Creation::NoSuchPlace => Err(Failure::Refused(format!(
                    "there is no store {at}; make it with `admin store create --id {at}`"
                ))),
            }
        }
        TerminalCommand::List(args) => {
            let store = args.database.open(settings, SIZES).await?;
            let rows = store.list_terminals().await;
            store.close().await;
            let rows = rows?;
            if args.json {
                return rows.iter().try_for_each(|row| {
                    output::json(&json!({ "terminal_id": row.id, "store_id": row.store_id, "created_at": row.created_at }))
                });
            }
            let cells = rows
                .iter()
                .map(|row| [row.id.to_string(), row.store_id.to_string()]);
            output::table(["TERMINAL", "STORE"], cells)
        }
    }
}
