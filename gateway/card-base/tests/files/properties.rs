//! What holds for any file: written rows come back, reads may be split anywhere, a reading may go on
//! anywhere, and nothing makes it panic or run on.

use std::io::{self, Read};

use card_base::{CardBase, Encoding, Options};
use proptest::{
    collection::vec,
    prelude::{Strategy, any},
    prop_assert, prop_assert_eq, prop_oneof,
    sample::select,
};

use crate::reading::{KEY, encode, rest, rows};

/// Gives the file in pieces of these sizes, round and round, with an interruption now and then.
struct Pieces<'a> {
    file: &'a [u8],
    sizes: &'a [usize],
    turn: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        if self.turn.is_multiple_of(7) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let size = self.sizes[self.turn % self.sizes.len()];
        let size = size.min(self.file.len()).min(room.len());
        let (piece, rest) = self.file.split_at(size);
        room[..size].copy_from_slice(piece);
        self.file = rest;
        Ok(size)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    number: String,
    points: i64,
    name: String,
}

fn written() -> impl Strategy<Value = Vec<Written>> {
    // Everything here is in Shift_JIS, and the name does not begin or end with a space.
    let name = vec(
        select(
            "aZ,\"\t\n'\\|ｱﾞ髙①～ソ表能山\u{3000} 9"
                .chars()
                .collect::<Vec<_>>(),
        ),
        0..12,
    );
    let name = name.prop_map(|name| name.into_iter().collect::<String>().trim().to_owned());
    let row = (0..=1_000_000_000_000_i64, name);
    vec(row, 0..20).prop_map(|rows| {
        let rows = rows.into_iter().enumerate();
        let row = |(place, (points, name))| Written {
            number: format!("{place:04}"),
            points,
            name,
        };
        rows.map(row).collect()
    })
}

fn encoding() -> impl Strategy<Value = (Encoding, bool)> {
    select(vec![
        (Encoding::Utf8, false),
        (Encoding::Utf8, true),
        (Encoding::Utf16Le, true),
        (Encoding::Utf16Be, true),
        (Encoding::ShiftJis, false),
    ])
}

/// Bytes that have to do with the format more often than others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => select(vec!["\n", "\r", "\"", ",", "\t", "0", "1", "12", ".", "\u{FEFF}", "髙", "R9.3.31"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ];
    let header = select(vec![
        &b""[..],
        b"number,points,name\n",
        b"number\tlot1_points\tlot1_expires_on\r",
        b"\xFF\xFEn\0u\0m\0b\0e\0r\0,\0p\0o\0i\0n\0t\0s\0\n\0",
        b"\x89\xEF\x88\xF5\x94\xD4\x8D\x86,points\n",
    ]);
    let row = (0..40_u32, 0..900_u32)
        .prop_map(|(number, points)| format!("{number},{points},\n").into_bytes());
    let piece = prop_oneof![3 => piece, 1 => row];
    (header, vec(piece, 0..80)).prop_map(|(header, pieces)| [header, &pieces.concat()].concat())
}

proptest::proptest! {
    #[test]
    fn what_the_csv_library_writes_is_read_back(
        expected in written(),
        (encoding, mark) in encoding(),
        separator in select(vec![b',', b'\t']),
        crlf in any::<bool>(),
    ) {
        let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().delimiter(separator).terminator(end).from_writer(Vec::new());
        writer.write_record(["氏名", "ポイント", "会員番号"]).unwrap();
        for row in &expected {
            writer.write_record([row.name.as_str(), &row.points.to_string(), &row.number]).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let file = encode(&text, encoding, mark);
        let base = CardBase::open(file.as_slice(), Options::default(), KEY).unwrap();
        prop_assert_eq!(base.encoding(), encoding);
        let found: Vec<_> = rest(base).into_iter().map(|(row, _)| {
            let card = row.unwrap();
            Written {
                number: card.number.as_str().to_owned(),
                points: card.points().get(),
                name: card.profile.name.unwrap_or_default(),
            }
        }).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_split_of_the_reads_gives_the_same_rows(
        file in bytes(),
        sizes in vec(1_usize..40, 1..10),
    ) {
        let pieces = Pieces { file: &file, sizes: &sizes, turn: 0 };
        match (rows(file.as_slice()), rows(pieces)) {
            (Ok(whole), Ok(split)) => prop_assert_eq!(whole, split),
            (Err(whole), Err(split)) => prop_assert_eq!(whole.to_string(), split.to_string()),
            (whole, split) => prop_assert!(false, "{whole:?} and {split:?}"),
        }
    }

    #[test]
    fn going_on_at_any_row_gives_the_same_tail(file in bytes()) {
        let Ok(all) = rows(file.as_slice()) else { return Ok(()) };
        for (place, (_, position)) in all.iter().enumerate() {
            let base = CardBase::resume(file.as_slice(), Options::default(), KEY, position).unwrap();
            prop_assert_eq!(base.position(), *position);
            prop_assert_eq!(&rest(base), &all[place + 1..]);
        }
    }

    #[test]
    fn any_bytes_are_read_to_their_end(
        file in prop_oneof![bytes(), vec(any::<u8>(), 0..300)],
        encoding in select(vec![None, Some(Encoding::Utf8), Some(Encoding::Utf16Le), Some(Encoding::Utf16Be), Some(Encoding::ShiftJis)]),
    ) {
        let options = Options { encoding, ..Options::default() };
        let Ok(mut base) = CardBase::open(file.as_slice(), options, KEY) else { return Ok(()) };
        let mut before = base.position();
        while let Some(row) = base.next_row().unwrap() {
            let position = base.position();
            // Each row takes bytes of its own, so there is an end.
            prop_assert!(position.bytes > before.bytes);
            prop_assert!(position.bytes <= u64::try_from(file.len()).unwrap());
            prop_assert_eq!(position.rows, before.rows + 1);
            let (line, number) = row.map_or_else(|row| (row.line, row.row), |card| (card.line, card.row));
            prop_assert_eq!(number, position.rows);
            prop_assert!(line > u64::from(before.rows));
            before = position;
        }
        prop_assert!(base.next_row().unwrap().is_none());
    }
}

#[test]
fn splits_matter_as_little_around_the_first_block_and_the_buffer() {
    let row = |number: usize| {
        format!(
            "{number:06},{},髙橋「{}」\r\n",
            number % 977,
            "表".repeat(number % 40)
        )
    };
    let text = format!(
        "number,points,name\r\n{}",
        (0..9_000).map(row).collect::<String>()
    );
    let whole = text.as_bytes();
    assert!(whole.len() > 400 * 1024);
    let expected = rows(whole).unwrap();
    assert!(expected.iter().all(|(row, _)| row.is_ok()));
    for size in [1, 2, 3, 4_095, 65_535, 65_536, 65_537, 262_143] {
        let pieces = Pieces {
            file: whole,
            sizes: &[size],
            turn: 0,
        };
        assert!(rows(pieces).unwrap() == expected, "{size}");
    }
}

#[test]
fn a_source_that_fails_leaves_the_position_of_the_last_row() {
    let file = b"number,points\n1,1\n2,2\n3,";
    let failing = file.chain(Failing);
    // The whole file is shorter than the block that is read first.
    assert!(CardBase::open(failing, Options::default(), KEY).is_err());

    let long = format!(
        "number,points\n{}",
        (0..20_000).map(|n| format!("{n},1\n")).collect::<String>()
    );
    let mut base = CardBase::open(long.as_bytes().chain(Failing), Options::default(), KEY).unwrap();
    let position = loop {
        let position = base.position();
        match base.next_row() {
            Ok(row) => assert!(row.is_some()),
            Err(_) => break position,
        }
    };
    assert_eq!(base.position(), position);
    let again = CardBase::resume(long.as_bytes(), Options::default(), KEY, &position).unwrap();
    assert_eq!(
        u32::try_from(rest(again).len()).unwrap() + position.rows,
        20_000
    );
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _room: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("gone"))
    }
}

#[test]
fn strategies_reach_good_rows() {
    // A property over files that never hold a card would say nothing.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut good = 0;
    for _ in 0..200 {
        let tree = bytes().new_tree(&mut runner).unwrap();
        let file = proptest::strategy::ValueTree::current(&tree);
        let rows = rows(file.as_slice()).unwrap_or_default();
        good += rows.iter().filter(|(row, _)| row.is_ok()).count();
    }
    assert!(good > 200, "{good}");
}
