//! Reading TOML that people wrote: what is wrong is told with file, line, column and the line itself.

use std::{fmt, ops::Range};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// What is wrong with a TOML text, and where. Lines and columns count from 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TomlFault {
    /// What the text is called, usually a path.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong, in plain words.
    pub reason: String,
    /// The offending line.
    shown: String,
    /// How many characters of it to underline, at least one.
    marked: usize,
}

impl fmt::Display for TomlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, gap) = (self.line.to_string(), self.column.saturating_sub(1));
        // The arrows keep their place under a line that is indented with tabs.
        let indent: String = self
            .shown
            .chars()
            .take(gap)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        writeln!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.reason
        )?;
        writeln!(f, "  {line} | {}", self.shown)?;
        write!(
            f,
            "  {:width$} | {indent}{}",
            "",
            "^".repeat(self.marked),
            width = line.len()
        )
    }
}

impl std::error::Error for TomlFault {}

impl TomlFault {
    /// A fault at a span of bytes; without one, at the beginning.
    fn at(file: &str, text: &str, span: Option<Range<usize>>, reason: String) -> Self {
        let span = span.unwrap_or(0..0);
        let before = text.get(..span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let shown = text
            .get(line_start..)
            .and_then(|rest| rest.lines().next())
            .unwrap_or_default();
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let length = text
            .get(span)
            .and_then(|marked| marked.lines().next())
            .map_or(0, |marked| marked.chars().count());
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column,
            reason,
            shown: shown.to_owned(),
            marked: length.max(1),
        }
    }

    /// A fault at a key, named by its path such as `["earn", "points"]`: at the value if the text has
    /// it, else at the nearest table around it.
    #[must_use]
    pub fn at_key(file: &str, text: &str, path: &[&str], reason: String) -> Self {
        let span = DeTable::parse(text)
            .ok()
            .and_then(|root| span_of(root.get_ref(), path));
        Self::at(file, text, span, reason)
    }
}

fn span_of(table: &DeTable<'_>, path: &[&str]) -> Option<Range<usize>> {
    let (first, rest) = path.split_first()?;
    let (_, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    let deeper = match value.get_ref() {
        DeValue::Table(inner) => span_of(inner, rest),
        _ => None,
    };
    deeper.or_else(|| Some(Spanned::span(value)))
}

/// The value that `text`, called `file`, stands for.
///
/// # Errors
/// [`TomlFault`] naming the first thing that is wrong.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, TomlFault> {
    toml::from_str(text).map_err(|error| {
        let reason = in_plain_words(error.message());
        TomlFault::at(file, text, error.span(), reason)
    })
}

/// The parser's message without Rust's names for things.
fn in_plain_words(message: &str) -> String {
    let swapped = [
        ("unknown field", "unknown key"),
        ("missing field", "missing key"),
        ("duplicate field", "key given twice:"),
        ("unknown variant", "unknown word"),
        ("invalid type: ", ""),
        ("invalid value: ", ""),
        ("integer `", "the number `"),
        ("floating point `", "the number `"),
        (
            "expected a nonzero u32",
            "expected a whole number, at least 1",
        ),
        ("expected u16", "expected a whole number from 0 to 65535"),
        (
            "expected u32",
            "expected a whole number from 0 to 4294967295",
        ),
        ("expected i64", "expected a whole number"),
        ("expected a string", "expected a text in quotes"),
        ("string \"", "the text \""),
        ("expected struct ", "expected a table for "),
        ("expected a map", "expected a table"),
    ];
    let mut plain = message.trim_end().replace('\n', "; ");
    for (from, to) in swapped {
        plain = plain.replace(from, to);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[allow(dead_code, reason = "only its parsing is tested")]
        size: u16,
    }

    #[test]
    fn a_fault_names_file_line_column_and_shows_the_line() {
        let fault = parse::<Sample>("a.toml", "# sizes\nsize = \"big\"\n").unwrap_err();
        assert_eq!(
            fault.to_string(),
            "a.toml:2:8: the text \"big\", expected a whole number from 0 to 65535\n  \
             2 | size = \"big\"\n    | \
             \u{20}      ^^^^^"
        );
    }

    #[test]
    fn every_kind_of_fault_has_its_line() {
        for (text, line, reason) in [
            ("size = 1\n\nwidth = 2\n", 3, "unknown key `width`"),
            ("size = 1\nsize = 2\n", 2, "duplicate key"),
            ("size = 1\nlength =\n", 2, ""),
            ("size = 70000\n", 1, "70000"),
            ("", 1, "missing key `size`"),
        ] {
            let fault = parse::<Sample>("a.toml", text).unwrap_err();
            assert_eq!(fault.line, line, "{text:?} {fault}");
            assert!(fault.reason.contains(reason), "{text:?} {fault}");
        }
    }

    #[test]
    fn a_key_that_is_not_written_is_shown_at_the_table_around_it() {
        let text = "id = 1\n\n[a]\nb = 2\n[a.c]\nd = 3\n";
        let line = |path: &[&str]| TomlFault::at_key("f", text, path, String::new()).line;
        assert_eq!(line(&["a", "b"]), 4);
        assert_eq!(line(&["a", "c", "d"]), 6);
        assert_eq!(line(&["a", "c", "missing"]), 5);
        assert_eq!(line(&["nowhere"]), 1);
    }
}
