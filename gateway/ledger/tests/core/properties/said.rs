//! Answers in words that do not depend on how many commands came before.

use ledger::decision::Answer;
use uuid::Uuid;

/// An answer without the ids in it, which depend on how many commands came before.
pub(super) fn without_ids(answer: &Answer) -> String {
    let text = match answer {
        Answer::Message(text) => text.to_string(),
        other => format!("{other:?}"),
    };
    let text = hide_ids(&text);
    let words: Vec<_> = text.split('"').collect();
    let is_code = |i: usize| i >= 2 && words[i - 2] == "approval_code";
    let kept = words
        .iter()
        .enumerate()
        .map(|(i, word)| if is_code(i) { "…" } else { word });
    kept.collect::<Vec<_>>().join("\"")
}

/// The text with "…" for every UUID in it.
fn hide_ids(text: &str) -> String {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut words = Vec::new();
    for word in text.split_inclusive(|c| !is_inner(c)) {
        let inner = word.trim_end_matches(|c| !is_inner(c));
        words.push(match Uuid::try_parse(inner) {
            Ok(_) => word.replace(inner, "…"),
            Err(_) => word.to_owned(),
        });
    }
    words.concat()
}
