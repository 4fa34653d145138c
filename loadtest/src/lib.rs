//! Load for a point gateway, measured from outside.
//!
//! Every authorization shows a card text that was really signed and is used once. Texts are signed, and
//! bodies written, before the clock starts; holds are let go after it stopped.
//!
//! Reading order: [`cli`] takes the options. [`seed`] fills a database, [`run`] makes load and [`report`]
//! says what it came to. [`compare`] holds the gateway against its own database, [`batching`], [`gateways`] and
//! [`relay`] two ways to run it against each other, with the loop of callers in [`load`]; [`start`] times
//! its start. [`crowd`] is the phones, [`till`] the messages and [`wire`] the connections.
//! [`ownership`] sees to it that nobody else's database is written to. [`figures`] is the one place that divides.

pub mod balance;
pub mod batching;
pub mod cli;
pub mod clock;
pub mod compare;
pub mod crowd;
pub mod database;
pub mod figures;
pub mod gateway;
pub mod gateways;
pub mod host;
pub mod load;
pub mod machine;
pub mod ownership;
pub mod processes;
pub mod progress;
pub mod relay;
pub mod report;
pub mod run;
pub mod seed;
pub mod start;
pub mod till;
pub mod wire;
