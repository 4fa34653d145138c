//! How a name is read, in katakana.
//!
//! Two forms: the one to show, with the spaces between the parts of the name, and the one to compare, without
//! spaces and middle dots and with small kana as large ones, since cards and bank forms print them so.

use serde::{Deserialize, Serialize};

use crate::field::{Fault, Field, FieldError, text_field};
use crate::fold::{fold_spaces, is_dash, nfkc};

/// A reading in full-width katakana. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kana(String);

const CHARS_MAX: usize = 100;
/// From a hiragana to its katakana, in code points.
const TO_KATAKANA: u32 = 0x60;

impl Kana {
    /// Reads hiragana or katakana of either width. A dash counts as the long vowel mark.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let fault = |fault| FieldError::new(Field::Kana, fault);
        let too_long = Fault::TooLong {
            chars_max: CHARS_MAX,
        };
        // Half-width kana have their voice marks as characters of their own.
        if text.chars().count() > CHARS_MAX.saturating_mul(2) {
            return Err(fault(too_long));
        }
        let katakana: String = nfkc(text).chars().map(to_katakana).collect();
        // Once more: some katakana compose with a voice mark where their hiragana do not.
        let kana = fold_spaces(&nfkc(&katakana));
        if kana.is_empty() {
            return Err(fault(Fault::Empty));
        }
        if kana.chars().count() > CHARS_MAX {
            return Err(fault(too_long));
        }
        let only_kana = kana.chars().all(|c| is_letter(c) || is_mark(c) || c == ' ');
        if !only_kana || !kana.chars().next().is_some_and(is_letter) {
            return Err(fault(Fault::UnexpectedCharacter));
        }
        Ok(Self(kana))
    }

    /// The reading, with single spaces between its parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which two readings are compared and searched.
    pub fn compared(&self) -> String {
        self.0
            .chars()
            .filter(|c| !matches!(c, ' ' | '・'))
            .map(large)
            .collect()
    }

    fn to_text(&self) -> String {
        self.0.clone()
    }
}

text_field!(Kana);

fn to_katakana(c: char) -> char {
    match c {
        'ぁ'..='ゖ' | 'ゝ' | 'ゞ' => u32::from(c)
            .checked_add(TO_KATAKANA)
            .and_then(char::from_u32)
            .unwrap_or(c),
        '=' | '゠' => '・',
        dash if is_dash(dash) => 'ー',
        other => other,
    }
}

/// A katakana that can begin a reading.
fn is_letter(c: char) -> bool {
    matches!(c, 'ァ'..='ヺ' | '\u{31f0}'..='\u{31ff}')
}

/// What stands behind a katakana.
fn is_mark(c: char) -> bool {
    matches!(c, 'ー' | '・' | 'ヽ' | 'ヾ')
}

fn large(c: char) -> char {
    match c {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_have_one_form_to_show_and_one_to_compare() {
        for (written, shown, compared) in [
            ("ヤマダ タロウ", "ヤマダ タロウ", "ヤマダタロウ"),
            ("ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダ タロウ", "ヤマダタロウ"),
            ("ﾊﾞﾊﾞ ﾋﾟｰｺ", "ババ ピーコ", "ババピーコ"),
            ("やまだ\u{3000}たろう", "ヤマダ タロウ", "ヤマダタロウ"),
            (
                "\u{3000}やまだ\u{3000}\u{3000}たろう ",
                "ヤマダ タロウ",
                "ヤマダタロウ",
            ),
            ("やまた\u{3099}", "ヤマダ", "ヤマダ"),
            ("ヤマタ゛", "ヤマダ", "ヤマダ"),
            ("ゔぃくとりあ", "ヴィクトリア", "ヴイクトリア"),
            ("わ\u{3099}", "ヷ", "ヷ"),
            ("しょうだ りゅう", "ショウダ リュウ", "シヨウダリユウ"),
            ("ｼﾖｳﾀﾞ", "シヨウダ", "シヨウダ"),
            ("ハットリ", "ハットリ", "ハツトリ"),
            ("りーさ", "リーサ", "リーサ"),
            ("リ－サ", "リーサ", "リーサ"),
            ("ﾘｰｻ", "リーサ", "リーサ"),
            ("リ-サ", "リーサ", "リーサ"),
            ("リ―サ", "リーサ", "リーサ"),
            ("リ−サ", "リーサ", "リーサ"),
            ("ジョン・スミス", "ジョン・スミス", "ジヨンスミス"),
            ("ｼﾞｮﾝ･ｽﾐｽ", "ジョン・スミス", "ジヨンスミス"),
            ("マリ＝アンヌ", "マリ・アンヌ", "マリアンヌ"),
            ("みすゞ", "ミスヾ", "ミスヾ"),
            ("いすゝ", "イスヽ", "イスヽ"),
            ("ゐゑをん", "ヰヱヲン", "ヰヱヲン"),
            ("㌔", "キロ", "キロ"),
        ] {
            let kana = Kana::parse(written).unwrap();
            assert_eq!(kana.as_str(), shown, "{written}");
            assert_eq!(kana.compared(), compared, "{written}");
        }
    }

    #[test]
    fn what_is_no_reading_is_refused() {
        for (written, fault) in [
            ("\u{3000}", Fault::Empty),
            ("山田", Fault::UnexpectedCharacter),
            ("Yamada", Fault::UnexpectedCharacter),
            ("ヤマダ1", Fault::UnexpectedCharacter),
            ("ー", Fault::UnexpectedCharacter),
            ("・ヤマダ", Fault::UnexpectedCharacter),
            ("ア\u{3099}", Fault::UnexpectedCharacter),
            ("゛ヤ", Fault::UnexpectedCharacter),
            (&"ア".repeat(101), Fault::TooLong { chars_max: 100 }),
            (&"ア".repeat(1000), Fault::TooLong { chars_max: 100 }),
        ] {
            assert_eq!(Kana::parse(written).unwrap_err().fault, fault, "{written}");
        }
        assert!(Kana::parse(&"ﾊﾞ".repeat(100)).is_ok());
    }
}
