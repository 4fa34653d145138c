//! `gateway admin …`: clients, stores, terminals, EC shops, members, signing keys and the programme.

mod card;
mod client;
mod key;
mod member;
mod person;
mod place;
mod programme;
mod report;
mod secrets;
mod shop;

use clap::Subcommand;

pub(super) use programme::{activate, announce};

use super::{Failure, Settings};

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Plastic cards and wallet passes
    #[command(subcommand)]
    Card(card::CardCommand),
    /// Tills, shop systems and staff tools that may ask for access tokens
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Stores
    #[command(subcommand)]
    Store(place::StoreCommand),
    /// Terminals of stores
    #[command(subcommand)]
    Terminal(place::TerminalCommand),
    /// EC shops, what they sign with, and what they sent
    #[command(subcommand)]
    Shop(Box<shop::ShopCommand>),
    /// What the books say of the whole programme
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// Members and their points
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Keys that sign access tokens
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// The programme in force
    #[command(subcommand)]
    Programme(programme::ProgrammeCommand),
    /// The file of secrets that identities, personal data and wallet passes need
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
}

pub(super) async fn run(command: AdminCommand, settings: Settings) -> Result<(), Failure> {
    match command {
        AdminCommand::Card(command) => card::run(command, &settings).await,
        AdminCommand::Client(command) => client::run(command, &settings).await,
        AdminCommand::Store(command) => place::run_store(command, &settings).await,
        AdminCommand::Terminal(command) => place::run_terminal(command, &settings).await,
        AdminCommand::Shop(command) => shop::run(*command, &settings).await,
        AdminCommand::Report(command) => report::run(command, &settings).await,
        AdminCommand::Member(command) => member::run(command, &settings).await,
        AdminCommand::Key(command) => key::run(command, &settings).await,
        AdminCommand::Programme(command) => programme::run(command, &settings).await,
        AdminCommand::Secrets(command) => secrets::run(command, &settings).await,
    }
}
