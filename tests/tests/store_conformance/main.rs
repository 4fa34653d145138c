//! One store, two databases: every case runs on SQLite and on PostgreSQL, each time on a fresh one.

mod inbox;
mod reading;
mod relay;
mod round_trips;
mod samples;
mod schema;
mod transactions;
mod writing;
