//! The edge of the gateway, in process, on SQLite, with a clock that only the test moves: tokens,
//! card proofs, bodies, problems, limits, connections.

mod bodies;
mod phone;
mod proofs;
mod server;
mod stage;
mod streams;
mod tills;
mod tokens;
