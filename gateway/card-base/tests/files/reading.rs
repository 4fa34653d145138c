//! Reads a whole file and keeps what came of it.

use std::io::Read;

use card_base::{CardBase, Encoding, OpenError, Options, Position, Reason, RowOutcome, Summary};
use encoding_rs::SHIFT_JIS;

pub(crate) const KEY: &[u8; 16] = b"a key of 16 byte";

/// All rows of a file, and the position after each.
pub(crate) fn rows(source: impl Read) -> Result<Vec<(RowOutcome, Position)>, OpenError> {
    Ok(rest(CardBase::open(source, Options::default(), KEY)?))
}

pub(crate) fn rest(mut base: CardBase<impl Read>) -> Vec<(RowOutcome, Position)> {
    let mut rows = Vec::new();
    while let Some(outcome) = base.next_row().unwrap() {
        rows.push((outcome, base.position()));
    }
    rows
}

pub(crate) fn summary(file: &[u8]) -> Summary {
    let mut base = CardBase::open(file, Options::default(), KEY).unwrap();
    let mut summary = Summary::new(base.unknown_columns());
    while let Some(outcome) = base.next_row().unwrap() {
        summary.count(&outcome);
    }
    summary
}

/// The rows in short: `line:number=points` or `line!reason`.
pub(crate) fn told(file: &[u8]) -> Vec<String> {
    let rows = rows(file).unwrap();
    rows.into_iter()
        .map(|(outcome, _)| short(&outcome))
        .collect()
}

pub(crate) fn short(outcome: &RowOutcome) -> String {
    match outcome {
        Ok(card) => format!("{}:{}={}", card.line, card.number.as_str(), card.points()),
        Err(rejected) => format!("{}!{}", rejected.line, Reason::word(rejected.reason)),
    }
}

pub(crate) fn encode(text: &str, encoding: Encoding, mark: bool) -> Vec<u8> {
    let text = if mark {
        format!("\u{FEFF}{text}")
    } else {
        text.to_owned()
    };
    match encoding {
        Encoding::Utf8 => text.into_bytes(),
        Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Encoding::ShiftJis => {
            let (bytes, _, lossy) = SHIFT_JIS.encode(&text);
            assert!(!lossy, "{text} is not in Shift_JIS");
            bytes.into_owned()
        }
    }
}
