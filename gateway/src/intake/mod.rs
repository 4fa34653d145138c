//! What EC shops send, from the door to the ledger.
//!
//! ```text
//! webhook or call → proved → inbox, durable → answered   …   inbox → (lease) → understood → writer → settled
//! ```
//!
//! Invariants: what was answered 2xx is in the inbox; a message leaves it only after the ledger booked what it
//! says, or with a reason that people can read; nothing is dead because the database or a queue was
//! busy. A message may be booked more than once, after a crash or by two gateways at once, and in any
//! order: the ledger books the difference to what was stated before (see [`ledger::order`]).
//!
//! Reading order: `shops` is what is known of a shop, `door` makes messages last,
//! sealed by `letter`, `worker` takes them out
//! of the inbox, `booking` gives each its meaning, `cube` asks EC-CUBE shops for what their webhooks only
//! hint at, and with `poll` for what no webhook told of. There are no locks here that outlive a line; those in the database are told in the store.

mod booking;
mod cube;
mod door;
pub(crate) mod letter;
pub(crate) mod measures;
mod poll;
mod shops;
mod worker;

pub use door::{AcceptError, Intake};
pub use measures::measure;
pub use shops::{KnownShop, Shops};
pub use worker::Worker;

/// The topic of a statement that a shop made itself, with `POST /v1/ec/orders`.
pub(crate) const STATEMENT_TOPIC: &str = "statement";
