//! The toolkit of the tests that cross crates: the gateway as a process, and those around it as they
//! really are.
//!
//! A [`program`] is what cargo built; a [`gateway_process`] is one that serves. A [`till`] sends an [`ask`] and gets a [`reply`]; a [`phone`] signs its own card texts; an
//! [`installation`] is set up with the program's own commands; a [`proxy`] breaks the line to the
//! database; [`dice`] choose what happens next, and say how to make it happen again. These know the
//! wire and the command line and nothing of the gateway's inside. [`databases`] are fresh ones of
//! both kinds, for these tests and for those of the stores, whose events
//! keep the contract that [`schemas`] reads; a [`broker`] is a RabbitMQ node to be
//! killed.

pub mod ask;
pub mod broker;
pub mod databases;
pub mod dice;
pub mod gateway_process;
pub mod installation;
pub mod phone;
pub mod program;
pub mod proxy;
pub mod reply;
pub mod schemas;
pub mod till;
