//! The command line: one file per command.
//!
//! Settings come from flags, then the environment, then the settings file. What a command was asked
//! for goes to standard output, everything else to standard error. A command builds ledger commands
//! and prints what came of them; it holds no rule.

mod admin;
mod audit;
mod broker;
mod database;
mod demo;
mod desk;
mod doctor;
mod events;
mod failure;
mod log;
mod messages;
mod migrate;
mod openapi;
mod output;
mod secrets;
mod serve;
mod settings;
mod web;
mod who;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

pub use failure::{EXIT_COULD_NOT_RUN, EXIT_NO, Failure};
pub use log::LogFormat;
pub use settings::Settings;

const EXIT_CODES: &str = "\
Settings come from flags, then from the environment, then from the file that --config names (TOML; the keys are the
long flags with _ for -).

Exit codes:
  0  done; for audit and doctor: nothing is wrong
  1  the answer is no: audit found a broken row, doctor found a fault, a rule or a wrong file refused the request
  2  it could not be tried: wrong flags or settings, the database is away, the schema is missing";

/// The point gateway: authorizes in-store point use from member cards, durably.
#[derive(Debug, Parser)]
#[command(name = "gateway", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Common {
    /// Settings file (TOML), for what neither a flag nor the environment says
    #[arg(long, global = true, env = "GATEWAY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// How the log on standard error is written [default: text]
    #[arg(long, global = true, env = "GATEWAY_LOG_FORMAT", value_enum)]
    log_format: Option<LogFormat>,
    /// What is logged: a level, or levels by module such as `info,gateway::writer=debug` [default: info for serve and demo, warn else]
    #[arg(long, global = true, env = "GATEWAY_LOG", value_name = "FILTER")]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole gateway with sample stores, tills and members; loopback only
    Demo(demo::DemoArgs),
    /// Serve tills, shoppers and systems
    Serve(Box<serve::ServeArgs>),
    /// Bring the database's schema up to date
    Migrate(database::DatabaseArgs),
    /// Recheck the books of a whole database, while gateways run
    Audit(audit::AuditArgs),
    /// List what happened, as CloudEvents 1.0, one JSON text a line
    Events(events::EventsArgs),
    /// Look after clients, stores, terminals, members, keys and the programme
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Find what is wrong with a set-up, and say what to do
    Doctor(doctor::DoctorArgs),
    /// Print the OpenAPI document of the HTTP interface
    Openapi,
}

impl Cli {
    /// What the settings file says; nothing where none is named.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be read or says something wrong.
    pub fn settings(&self) -> Result<Settings, Failure> {
        self.common
            .config
            .as_deref()
            .map_or_else(|| Ok(Settings::default()), Settings::read)
    }

    /// Starts the log.
    ///
    /// # Errors
    /// [`Failure`] if the filter is no filter.
    pub fn start_log(&self, settings: &Settings) -> Result<(), Failure> {
        let serving = matches!(self.command, Command::Serve(_) | Command::Demo(_));
        let format = self.common.log_format.or(settings.log_format);
        let filter = self.common.log.as_deref().or(settings.log.as_deref());
        let fallback = if serving { "info" } else { "warn" };
        log::start(format.unwrap_or_default(), filter.unwrap_or(fallback))
    }

    /// Runs the command; what went wrong is told on standard error.
    pub async fn run(self, settings: Settings) -> ExitCode {
        let outcome = match self.command {
            Command::Demo(args) => demo::run(args).await,
            Command::Serve(args) => serve::run(*args, settings).await,
            Command::Migrate(args) => migrate::run(args, settings).await,
            Command::Audit(args) => audit::run(args, settings).await,
            Command::Events(args) => events::run(args, settings).await,
            Command::Admin(command) => admin::run(command, settings).await,
            Command::Doctor(args) => doctor::run(args, settings).await,
            Command::Openapi => openapi::run(),
        };
        match outcome {
            Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
            Err(failure) => {
                let text = failure.to_string();
                if !text.is_empty() {
                    eprintln!("gateway: {text}");
                }
                ExitCode::from(failure.exit_code())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
