//! The point gateway: authorizes in-store point use from member cards, durably.
//!
//! ```text
//! bytes → authenticated caller → verified card → Command → lane queue → batch → Outcome → response
//! ```
//!
//! Reading order follows the write path inwards and out again: [`http`] turns bytes into commands,
//! [`writer`] batches them, the crate `ledger` decides them, [`store`] keeps them, [`outbox`] sends what
//! happened to the broker; [`intake`] takes what EC shops send. [`clock`] is the only place that reads time.

pub mod audit;
pub mod claims;
pub mod cli;
pub mod clock;
pub mod cloud_event;
pub mod demo;
pub mod http;
pub mod import;
pub mod intake;
pub mod jobs;
pub mod limits;
mod newcomer;
pub mod outbox;
pub mod person;
pub mod programme_file;
pub mod secrets;
pub mod sign_in;
pub mod store;
pub mod toml_file;
pub mod wallets;
pub mod web_pages;
pub mod writer;

/// Requests and rows are many small, short-lived pieces of memory, made on one thread and often freed on
/// another. Here and not in the program, so that tests and benches run with what is shipped.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
