//! `gateway admin …`: clients, stores, terminals, members, signing keys and the programme.

mod client;
mod key;
mod member;
mod place;
mod programme;

use clap::Subcommand;

pub(super) use programme::{activate, announce};

use super::{Failure, Settings};

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Tills, shop systems and staff tools that may ask for access tokens
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Stores
    #[command(subcommand)]
    Store(place::StoreCommand),
    /// Terminals of stores
    #[command(subcommand)]
    Terminal(place::TerminalCommand),
    /// Members and their points
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Keys that sign access tokens
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// The programme in force
    #[command(subcommand)]
    Programme(programme::ProgrammeCommand),
}

pub(super) async fn run(command: AdminCommand, settings: Settings) -> Result<(), Failure> {
    match command {
        AdminCommand::Client(command) => client::run(command, &settings).await,
        AdminCommand::Store(command) => place::run_store(command, &settings).await,
        AdminCommand::Terminal(command) => place::run_terminal(command, &settings).await,
        AdminCommand::Member(command) => member::run(command, &settings).await,
        AdminCommand::Key(command) => key::run(command, &settings).await,
        AdminCommand::Programme(command) => programme::run(command, &settings).await,
    }
}
