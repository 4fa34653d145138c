//! `gateway admin report`: what the books say of the whole programme.

use clap::{Args, Subcommand};
use ledger::member::MemberNo;
use serde_json::json;

use super::super::{Failure, Settings, database::DatabaseArgs, output};
use crate::store::{ChannelRow, PoolSizes, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Where people bought first, and where they buy: stores and EC shops
    Channels(ChannelsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ChannelsArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Only this member, by number; all records of the person count
    #[arg(long, value_name = "NUMBER")]
    member: Option<String>,
    /// Print JSON, one row a line
    #[arg(long)]
    json: bool,
}

const SIZES: PoolSizes = PoolSizes { write: 1, read: 1 };

pub(super) async fn run(command: ReportCommand, settings: &Settings) -> Result<(), Failure> {
    let ReportCommand::Channels(args) = command;
    let store = args.database.open(settings, SIZES).await?;
    let outcome = channels(&store, &args).await;
    store.close().await;
    outcome
}

async fn channels(store: &Store, args: &ChannelsArgs) -> Result<(), Failure> {
    let member = match &args.member {
        None => None,
        Some(text) => {
            let number = MemberNo::parse(text);
            let number = number.ok_or_else(|| Failure::Usage(format!("{text} is no number")))?;
            let member = store.member_by_no(&number).await?;
            Some(member.ok_or_else(|| Failure::Refused(format!("there is no member {number}")))?)
        }
    };
    let rows = store.channels(member.map(|member| member.id)).await?;
    if args.json {
        return rows.iter().try_for_each(|row| {
            output::json(&json!({
                "first": { "channel": row.first_channel, "place": row.first_place },
                "bought": { "channel": row.channel, "place": row.place },
                "members": row.members,
                "purchases": row.purchases,
                "yen": row.yen,
                "earned": row.earned,
                "redeemed": row.redeemed,
            }))
        });
    }
    let cells = |row: &ChannelRow| {
        [
            format!("{} {}", row.first_channel, row.first_place),
            format!("{} {}", row.channel, row.place),
            row.members.to_string(),
            row.purchases.to_string(),
            row.yen.to_string(),
            row.earned.to_string(),
            row.redeemed.to_string(),
        ]
    };
    output::table(
        [
            "BOUGHT FIRST IN",
            "BOUGHT IN",
            "MEMBERS",
            "PURCHASES",
            "YEN",
            "EARNED",
            "REDEEMED",
        ],
        rows.iter().map(cells),
    )
}
