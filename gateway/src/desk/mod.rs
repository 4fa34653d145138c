//! What staff does, whether at the command line or at the console: one place for both.
//!
//! Nothing here writes points, cards or persons: that is a command's, through the writer. Here is what staff says
//! why, whom it means, what a merge would bring together and what an unmerge would part, and what figures mean.

pub(crate) mod figures;
pub(crate) mod finding;
pub(crate) mod merging;
mod scope;
pub mod sign_in;
mod who;

pub(crate) use scope::{ScopeError, scope};
pub(crate) use who::{NotFound, Who};

use crate::limits::REMARK_CHARS_MAX;

/// A reason or a name for the record. It is told to the CRM, so it has a bound.
pub(crate) fn remark(text: &str) -> Result<String, String> {
    let chars = text.chars().count();
    if text.trim().is_empty() {
        Err("it says nothing".into())
    } else if chars > REMARK_CHARS_MAX {
        Err(format!("{chars} characters; at most {REMARK_CHARS_MAX}"))
    } else if text.chars().any(char::is_control) {
        Err("it has a control character".into())
    } else {
        Ok(text.to_owned())
    }
}
