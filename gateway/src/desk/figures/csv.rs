//! A figure as CSV that a spreadsheet opens without harm.
//!
//! A text that begins like a formula gets an apostrophe before it: a store may be called anything, and a
//! spreadsheet would calculate it.

use serde_json::Value;

use super::Row;

/// Spreadsheets take a file with it for UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What a formula begins with. Spreadsheets take the full-width forms of Japanese keyboards for the same.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'];

/// Columns and rows as CSV (RFC 4180).
pub(crate) fn to_csv(columns: &[(&str, &str)], rows: &[Row]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
    writer.write_record(columns.iter().map(|(name, _)| *name))?;
    for row in rows {
        writer.write_record(row.iter().map(cell))?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(FORMULA_STARTS) => format!("'{text}"),
        Value::String(text) => text.clone(),
        number => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_neutralised_and_numbers_stay() {
        let rows = [
            vec!["=1+1".into(), (-5).into(), Value::Null],
            vec!["@SUM(A1)".into(), 7.into(), 0.25.into()],
            vec!["a \"b\", c\nd".into(), 0.into(), "<script>".into()],
            vec!["+81".into(), 1.into(), "-".into()],
            vec!["\t=1".into(), 1.into(), "ok".into()],
            vec!["＝1+1".into(), 1.into(), "＋81".into()],
            vec!["－1".into(), 1.into(), "＠SUM(A1)".into()],
        ];
        let columns = [("a", "text"), ("b", "count"), ("c", "text")];
        let text = String::from_utf8(to_csv(&columns, &rows).unwrap()).unwrap();
        let expected = "\u{feff}a,b,c\r\n'=1+1,-5,\r\n'@SUM(A1),7,0.25\r\n\"a \"\"b\"\", c\nd\",0,<script>\r\n\
                        '+81,1,'-\r\n'\t=1,1,ok\r\n'＝1+1,1,'＋81\r\n'－1,1,'＠SUM(A1)\r\n";
        assert_eq!(text, expected);
    }
}
