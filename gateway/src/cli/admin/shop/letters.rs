//! `gateway admin shop dead-letters` and `… replay`

use clap::Args;
use jiff::Timestamp;
use pos_protocol::ShopId;
use serde_json::json;
use uuid::Uuid;

use crate::{
    cli::{Failure, database::DatabaseArgs, output},
    store::{DeadMessage, Replay, Store},
};

#[derive(Debug, Args)]
pub(crate) struct DeadArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// Only of this shop
    #[arg(long, value_name = "ID")]
    id: Option<ShopId>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    /// Print JSON, one message a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// All of this shop
    #[arg(long, value_name = "ID", group = "which")]
    id: Option<ShopId>,
    /// One message
    #[arg(long, value_name = "UUID", group = "which")]
    message: Option<Uuid>,
    /// All of all shops
    #[arg(long, group = "which")]
    all: bool,
}

pub(super) async fn list(store: &Store, args: &DeadArgs) -> Result<(), Failure> {
    let dead = store
        .inbox_dead(args.id.as_ref(), Uuid::nil(), args.limit)
        .await?;
    if args.json {
        return dead.iter().try_for_each(|message| {
            output::json(&json!({
                "message_id": message.id,
                "shop_id": message.shop_id,
                "topic": message.topic,
                "received_at": message.received_at,
                "attempts": message.attempts,
                "error": message.error,
            }))
        });
    }
    let row = |message: &DeadMessage| {
        [
            message.id.to_string(),
            message.shop_id.to_string(),
            message.topic.clone(),
            message.received_at.to_string(),
            message.error.clone(),
        ]
    };
    output::table(
        ["MESSAGE", "SHOP", "TOPIC", "RECEIVED", "WHY"],
        dead.iter().map(row),
    )
}

pub(super) async fn replay(
    store: &Store,
    args: &ReplayArgs,
    now: Timestamp,
) -> Result<(), Failure> {
    let which = match (&args.id, args.message) {
        (Some(shop), _) => Replay::Shop(shop),
        (None, Some(id)) => Replay::One(id),
        (None, None) => Replay::All,
    };
    let count = store.inbox_replay(which, now).await?;
    output::line(format!("{count} messages are tried again"))
}
