//! The audit.
mod checks;
mod rows;
mod tally;
pub use checks::{CHECKS, Check};
pub use rows::{EventRow, MemberRows};
pub use tally::{Finding, Tally};
