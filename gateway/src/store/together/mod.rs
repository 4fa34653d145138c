//! Several statements in one round trip.
//!
//! A round trip costs more than what most statements of a small batch ask for. PostgreSQL gets what is
//! read of several tables as one `UNION ALL`, and what is written to several as one `WITH` of many
//! parts; the driver cannot send a second statement before the first is answered. Each set of tables is
//! a statement of its own, prepared when it is first needed; a connection keeps some of the latest. SQLite
//! has no round trips and runs the parts one after the other.

mod read;
mod write;

use std::{borrow::Cow, fmt::Write as _, sync::LazyLock};

use super::{
    rows,
    sql::{Cells, Kind, Sql},
};

use read::{Read, union_of};
use write::{Act, Write, with_of};

pub(crate) use read::{Found, Reads};
pub(crate) use write::Writes;

/// A statement whose values are numbered from `by` + 1 on.
fn renumbered(text: &str, by: usize) -> Cow<'_, str> {
    if by == 0 {
        return text.into();
    }
    let mut pieces = text.split('$');
    let mut renumbered = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let number = number.parse().unwrap_or(0) + by;
        let _ = write!(renumbered, "${number}{rest}");
    }
    renumbered.into()
}

/// What goes into one statement each: as much as fits into so many bytes, and one piece at least. Two
/// pieces of one part never share a statement, for the first ends where the next row would not fit.
fn packed<T>(pieces: impl Iterator<Item = (T, usize)>, bytes_max: usize) -> Vec<Vec<T>> {
    let mut statements: Vec<Vec<T>> = Vec::new();
    let mut filled = 0;
    for (piece, bytes) in pieces {
        filled += bytes;
        match statements.last_mut() {
            Some(statement) if filled <= bytes_max => statement.push(piece),
            _ => {
                statements.push(vec![piece]);
                filled = bytes;
            }
        }
    }
    statements
}

/// Every table read at once, and written at once: to see whether PostgreSQL understands such statements.
pub(super) fn statements() -> [Sql; 2] {
    static ALL: LazyLock<[Sql; 2]> = LazyLock::new(|| {
        let none = |columns| {
            let columns = std::iter::repeat_with(|| Cells::new(Kind::Int, 0)).take(columns);
            columns.collect::<Vec<_>>()
        };
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for table in rows::tables() {
            let own = table.statements();
            reads.push(Read {
                table,
                sql: own.by_key,
                keys: none(table.key_columns()),
            });
            let part = |act, sql, columns| Write {
                table: table.name,
                act,
                sql,
                rows: none(columns),
            };
            let act = if table.name == rows::EVENTS.name {
                let (columns, postgres) = super::write::SEND;
                Act::InsertThen { columns, postgres }
            } else {
                Act::Insert
            };
            writes.push(part(act, own.insert, table.columns().count()));
            if !table.is_append_only() {
                let taken = table.updated().filter(|(_, taken)| *taken).count();
                writes.push(part(Act::Update, own.update, taken));
            }
        }
        let pieces: Vec<_> = writes.iter().map(|write| (write, 0..0)).collect();
        // SQLite is never given them.
        let of_postgres = |text| Sql::assembled(text, "SELECT 1".to_owned());
        let reads: Vec<_> = reads.iter().collect();
        [
            of_postgres(union_of(&reads).0),
            of_postgres(with_of(&pieces)),
        ]
    });
    *ALL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_on() {
        assert_eq!(
            renumbered("a = $1 AND b = ANY($12::int[])", 3),
            "a = $4 AND b = ANY($15::int[])"
        );
        assert_eq!(renumbered("a = $1", 0), "a = $1");
        assert_eq!(renumbered("SELECT 1", 7), "SELECT 1");
    }
}
