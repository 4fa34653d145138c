//! What tests that cross crates share: fresh databases of both kinds.

pub mod databases;
