//! Cuts a record into its cells. The record has been framed, so its quotes are sound.

use std::borrow::Cow;

use crate::Separator;

/// The cells of a record, in order; at least one.
pub(crate) struct Cells<'a> {
    rest: Option<&'a str>,
    separator: char,
}

impl<'a> Cells<'a> {
    pub(crate) fn new(record: &'a str, separator: Separator) -> Self {
        Self {
            rest: Some(record),
            separator: char::from(separator.byte()),
        }
    }

    fn quoted(&mut self, text: &'a str) -> Cow<'a, str> {
        let (mut close, mut doubled) = (0, false);
        loop {
            let ahead = text.get(close..).unwrap_or_default();
            let Some(found) = ahead.find('"') else {
                return Cow::Borrowed(text);
            };
            close += found;
            let after = text.get(close + 1..).unwrap_or_default();
            if after.starts_with('"') {
                doubled = true;
                close += 2;
                continue;
            }
            self.rest = after.strip_prefix(self.separator);
            let cell = text.get(..close).unwrap_or_default();
            return if doubled {
                Cow::Owned(cell.replace("\"\"", "\""))
            } else {
                Cow::Borrowed(cell)
            };
        }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest.take()?;
        if let Some(quoted) = text.strip_prefix('"') {
            return Some(self.quoted(quoted));
        }
        let Some((cell, rest)) = text.split_once(self.separator) else {
            return Some(Cow::Borrowed(text));
        };
        self.rest = Some(rest);
        Some(Cow::Borrowed(cell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_separators_are_taken_off() {
        let cases: [(&str, &[&str]); 7] = [
            ("a,b", &["a", "b"]),
            ("a,", &["a", ""]),
            (",,", &["", "", ""]),
            (r#""a,b","c""d""#, &["a,b", r#"c"d"#]),
            ("\"a\nb\",\"\"", &["a\nb", ""]),
            (r#"="0012",x"#, &[r#"="0012""#, "x"]),
            ("\"\"\"\",\"\"\"\"\"\"", &["\"", "\"\""]),
        ];
        for (record, cells) in cases {
            let found: Vec<_> = Cells::new(record, Separator::Comma).collect();
            assert_eq!(found, cells, "{record}");
        }
    }
}
