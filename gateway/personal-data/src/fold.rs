//! What people write in more than one way, and no field wants to tell apart.

use unicode_normalization::UnicodeNormalization;

/// Full-width letters and digits become ASCII, half-width kana full-width, composed where Unicode composes.
///
/// The spacing marks of voiced kana join the kana before them; NFKC alone would put a space between.
pub(crate) fn nfkc(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{309b}' => '\u{3099}',
            '\u{309c}' => '\u{309a}',
            other => other,
        })
        .nfkc()
        .collect()
}

/// Without spaces, and what copying leaves invisibly, at both ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Zero-width characters that come along when a text is copied.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}'
    )
}

/// Whatever a keyboard offers for a hyphen, after NFKC: hyphens, dashes, minus, box-drawing lines, the long
/// vowel mark.
pub(crate) fn is_hyphen(c: char) -> bool {
    is_dash(c) || c == 'ー'
}

/// A hyphen other than the long vowel mark.
pub(crate) fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{2500}' | '\u{2501}'
    )
}

/// Every run of white space, U+3000 too, as one space; none at the ends.
pub(crate) fn fold_spaces(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in trim(text).split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_voice_marks_join_the_kana_before_them() {
        for (written, folded) in [
            ("ﾊﾞﾋﾟ", "バピ"),
            ("ハ゛ヒ゜", "バピ"),
            ("ハ\u{3099}", "バ"),
            ("１２－３", "12-3"),
        ] {
            assert_eq!(nfkc(written), folded);
        }
    }

    #[test]
    fn spaces_fold_to_one() {
        for (written, folded) in [
            ("\u{3000}山田\u{3000}\u{3000}太郎 ", "山田 太郎"),
            ("\u{feff}a\t\n b\u{200b}", "a b"),
            (" \u{3000}", ""),
        ] {
            assert_eq!(fold_spaces(written), folded);
        }
    }
}
