//! The load test's program: reads the options and runs one measurement.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match loadtest::cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}
