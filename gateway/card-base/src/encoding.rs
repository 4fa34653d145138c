//! The encoding of the file: recognised from its first block, or given.

use std::borrow::Cow;

use encoding_rs::{SHIFT_JIS, UTF_16BE, UTF_16LE};

/// How the file's bytes stand for characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with a byte order mark or without.
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// Shift_JIS with the vendors' characters, as Windows writes it (code page 932).
    ShiftJis,
}

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF16_LE_MARK: &[u8] = b"\xFF\xFE";
const UTF16_BE_MARK: &[u8] = b"\xFE\xFF";
/// So many sound characters beyond ASCII for each unsound one still speak for a damaged UTF-8 file.
/// In Shift_JIS text the unsound ones prevail.
const SOUND_TO_UNSOUND_MIN: usize = 4;

impl Encoding {
    /// The encoding of a file that begins with `block`: by its byte order mark, else UTF-8 if it reads
    /// as such, else Shift_JIS. A character cut off by the block's end counts for nothing, unless the
    /// block is the `whole` file.
    pub(crate) fn detect(block: &[u8], whole: bool) -> Self {
        for encoding in [Self::Utf8, Self::Utf16Le, Self::Utf16Be] {
            if block.starts_with(encoding.mark()) {
                return encoding;
            }
        }
        let readable = match std::str::from_utf8(block) {
            Ok(_) => return Self::Utf8,
            Err(error) if error.error_len().is_none() && !whole => return Self::Utf8,
            Err(_) => block,
        };
        let (mut sound, mut unsound) = (0_usize, 0_usize);
        for chunk in readable.utf8_chunks() {
            sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
            unsound += usize::from(!chunk.invalid().is_empty());
        }
        if sound > unsound.saturating_mul(SOUND_TO_UNSOUND_MIN) {
            Self::Utf8
        } else {
            Self::ShiftJis
        }
    }

    /// How many of the first bytes are the byte order mark.
    pub(crate) fn mark_bytes(self, block: &[u8]) -> usize {
        if block.starts_with(self.mark()) {
            self.mark().len()
        } else {
            0
        }
    }

    fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => UTF8_MARK,
            Self::Utf16Le => UTF16_LE_MARK,
            Self::Utf16Be => UTF16_BE_MARK,
            Self::ShiftJis => b"",
        }
    }

    /// The text of whole characters; `None` if any byte of it has no meaning.
    pub(crate) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        let table = match self {
            Self::Utf8 => return std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::ShiftJis => SHIFT_JIS,
        };
        table.decode_without_bom_handling_and_without_replacement(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_told_from_the_first_block() {
        let shift_jis = SHIFT_JIS.encode("会員番号,氏名\n1,髙橋①～ｱｲｳ").0;
        let mut damaged = "会員番号,ポイント,氏名\n1,5,髙橋".as_bytes().to_vec();
        damaged.push(0xFF);
        for (block, encoding) in [
            (&b""[..], Encoding::Utf8),
            (b"card_number", Encoding::Utf8),
            ("会員番号".as_bytes(), Encoding::Utf8),
            (b"\xEF\xBB\xBFa", Encoding::Utf8),
            (b"\xFF\xFEa\0", Encoding::Utf16Le),
            (b"\xFE\xFF\0a", Encoding::Utf16Be),
            (&shift_jis, Encoding::ShiftJis),
            (&damaged, Encoding::Utf8),
        ] {
            assert_eq!(Encoding::detect(block, true), encoding, "{block:?}");
        }
    }

    #[test]
    fn half_width_kana_of_shift_jis_are_no_damaged_utf8() {
        let names = "ｶﾌﾞｼｷｶﾞｲｼｬ,ﾀﾅｶ ﾃﾂﾔ,ﾃｱﾃｱﾃｱ,ｻﾄｳ ﾊﾅｺ,ﾔﾏﾀﾞ ﾀﾛｳ";
        let block = SHIFT_JIS.encode(names).0;
        assert_eq!(Encoding::detect(&block, true), Encoding::ShiftJis);
    }

    #[test]
    fn a_block_cut_inside_a_character_fools_nobody() {
        let text = "会員番号".as_bytes();
        for cut in 1..text.len() {
            let block = &text[..cut];
            assert_eq!(Encoding::detect(block, false), Encoding::Utf8, "{cut}");
        }
        let text = SHIFT_JIS.encode("会員番号").0;
        for cut in 2..text.len() {
            let block = &text[..cut];
            assert_eq!(Encoding::detect(block, false), Encoding::ShiftJis, "{cut}");
        }
    }
}
