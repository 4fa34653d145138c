//! The toolkit of the tests that cross crates.

pub mod databases;
pub mod program;
