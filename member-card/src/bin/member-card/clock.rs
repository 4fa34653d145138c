//! The one place where the program reads and waits for the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;

/// Now, in Unix seconds, as a card carries them.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the clock of the program"
)]
pub(crate) fn now() -> anyhow::Result<u32> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock stands before 1970")?;
    u32::try_from(since.as_secs()).context("the clock stands after 2106")
}

/// Waits one second, the finest step a rotation knows.
#[allow(
    clippy::disallowed_methods,
    reason = "the program has one thread and nothing else to do"
)]
pub(crate) fn wait_a_second() {
    std::thread::sleep(Duration::from_secs(1));
}
