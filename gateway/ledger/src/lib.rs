//! The pure core: decides every change of points, cards and members.
//!
//! [`decide`] takes the rows it needs, one command and the time, and returns the answer with all
//! that changes. It has no I/O, no clock, no randomness, and cannot panic. A decline is an answer,
//! not an error.
//!
//! Reading order: [`programme`] and [`calendar`] (the settings), [`account`] and [`lot`] (where
//! points are), [`member`], [`card_use`], [`records`] (rows), [`event`] (what is told), [`command`] (what can be asked),
//! [`state`] (what is read and changed), [`keys`] (which rows those are), then `decide` and the module of each noun.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

pub mod account;
pub mod calendar;
pub mod card_use;
pub mod command;
pub mod decision;
pub mod denial;
pub mod event;
pub mod identity;
pub mod keys;
pub mod lot;
pub mod member;
pub mod order;
pub mod profile;
pub mod programme;
pub mod proposal;
pub mod records;
pub mod state;

mod adjustment;
mod authorization;
mod decide;
mod due;
mod earning;
mod family;
mod identify;
mod issuing;
mod linking;
mod membership;
mod merging;
mod ordering;
mod payment;
mod posting;
mod purchase;
mod refund;
mod reply;
mod reversal;
mod settlement;

pub use decide::decide;
pub use family::RECORDS_PER_PERSON_MAX;
pub use merging::not_mergeable;
