//! The program as an operator meets it: commands, exit codes, what is printed.

#[path = "cli/audit.rs"]
mod audit;
#[path = "cli/lan.rs"]
mod lan;
#[path = "cli/setup.rs"]
mod setup;
