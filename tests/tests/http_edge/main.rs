//! The edge of the gateway, in process, with a clock that only the test moves: tokens, card proofs,
//! bodies, problems, limits, connections. What reaches into the store runs on SQLite and on PostgreSQL.
//! Starting and stopping is tried on the program itself.

mod bodies;
mod outages;
mod phone;
mod proofs;
mod server;
mod stage;
mod starting;
mod streams;
mod tills;
mod tokens;
mod web_pages;
