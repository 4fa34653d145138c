//! The pure core: decides every change of points, cards and members.
//!
//! [`decide`](decide::decide) takes the rows it needs, one command and the time, and returns the
//! answer with all that changes. It has no I/O, no clock, no randomness, and cannot panic. A decline
//! is an answer, not an error.
//!
//! Reading order: [`programme`] and [`calendar`] (the settings), [`account`] and [`lot`] (where
//! points are), [`member`], [`card_use`], [`records`] (rows), [`command`] (what can be asked),
//! [`state`] (what is read and changed), then `decide` and the module of each noun.

pub mod account;
pub mod calendar;
pub mod card_use;
pub mod command;
pub mod lot;
pub mod member;
pub mod programme;
pub mod records;
pub mod settlement;
pub mod state;
