//! The command line.

use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::{
    batching::{self, BatchingArgs},
    compare::{self, CompareArgs},
    gateways::{self, GatewaysArgs},
    relay::{self, RelayArgs},
    run::{self, RunArgs},
    seed::{self, SeedArgs},
    start::{self, StartArgs},
};

/// Load for a point gateway: really signed cards, open and closed loops, one report.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fill a database with members whose cards `run` can show
    Seed(SeedArgs),
    /// Measure a gateway: open loop at given rates, or closed loop
    Run(Box<RunArgs>),
    /// Measure what batching is worth: start a gateway with and without it, in turn
    Batching(BatchingArgs),
    /// Measure what publishing to a broker costs and how fast it is: with and without, in turn
    Relay(RelayArgs),
    /// Compare the gateway with its database alone, which writes the same rows: in turn
    Compare(CompareArgs),
    /// Measure how long a gateway takes from nothing to its first answer
    Start(StartArgs),
    /// Compare two gateways on one PostgreSQL with one: in turn
    Gateways(GatewaysArgs),
}

impl Cli {
    /// Runs the measurement and prints what it came to.
    ///
    /// # Errors
    /// If it could not be made.
    pub fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            match self.command {
                Command::Run(args) => {
                    let report = run::run(&args).await?;
                    report.write(args.json_file.as_deref(), args.html.as_deref())?;
                    print(&report, args.json)?;
                    anyhow::ensure!(!report.broken(), "the audit found broken rows");
                    Ok(())
                }
                Command::Seed(args) => print(&seed::run(&args).await?, args.json),
                Command::Batching(args) => print(&batching::run(&args).await?, args.json),
                Command::Compare(args) => print(&compare::run(&args).await?, args.json),
                Command::Start(args) => print(&start::run(&args).await?, args.json),
                Command::Gateways(args) => print(&gateways::run(&args).await?, args.json),
                Command::Relay(args) => print(&relay::run(&args).await?, args.json),
            }
        })
    }
}

fn print(figures: &(impl Serialize + std::fmt::Display), json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(figures)?);
    } else {
        println!("{figures}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
