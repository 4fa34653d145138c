//! Tests of the pure core: a table of scripts for every noun, and properties over random command lists.
//!
//! [`world`] is the stand: a ledger with all its rows in memory, a clock that the test moves, ids that
//! count up. Whatever a test runs in it is decided twice, over all rows and over only those rows a
//! database would load, and audited against the transfers.

mod world;

mod till_semantics;

mod authorizations;
mod card_uses;

mod purchases;

mod advices;

mod ec_orders;
mod lots;
mod pending;

mod clawbacks;
mod refunds;
mod reversals;

mod linking;
mod members;
mod merges;
mod numbers;
mod persons;
mod settlements;

mod programmes;
mod proposals;
mod reasons;

mod events;

mod properties;
