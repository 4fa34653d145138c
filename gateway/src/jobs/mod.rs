//! What happens without anybody asking. Jobs build commands and hand them to the writer.

pub mod ended_codes;
pub mod notices;
pub mod sweep;
