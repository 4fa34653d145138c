//! Progress bars: on a terminal only, and never where JSON is asked for.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that counts to `length`. Shown only if `wanted` and standard error is a terminal.
#[must_use]
pub fn bar(wanted: bool, length: u64, what: &'static str) -> ProgressBar {
    let target = match wanted {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let style = ProgressStyle::with_template(
        "{prefix:>12} {wide_bar} {human_pos} of {human_len} ({percent} %) {msg} {elapsed} + {eta}",
    );
    let bar = ProgressBar::with_draw_target(Some(length), target).with_prefix(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_bar_that_nobody_wants_is_hidden() {
        assert!(super::bar(false, 10, "nothing").is_hidden());
    }
}
