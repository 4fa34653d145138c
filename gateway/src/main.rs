//! The gateway's one binary: reads the settings, starts the log and runs a command.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use gateway::cli::{Cli, EXIT_COULD_NOT_RUN};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("gateway: {error:#}");
            ExitCode::from(EXIT_COULD_NOT_RUN)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let settings = cli.settings()?;
    cli.start_log(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    Ok(runtime.block_on(cli.run(settings)))
}
