//! Files and lines of any length in bounded memory.

use std::io::{self, Read};

use card_base::{CardBase, Options};

use crate::reading::{KEY, short};

/// A file of a header and so many rows, made as it is read.
struct Rows {
    rows: u32,
    made: u32,
    pending: Vec<u8>,
    given: usize,
}

impl Rows {
    fn new(rows: u32) -> Self {
        Self {
            rows,
            made: 0,
            pending: "会員番号,ポイント,有効期限,氏名,メール\r\n"
                .as_bytes()
                .to_vec(),
            given: 0,
        }
    }
}

impl Read for Rows {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.given == self.pending.len() {
            self.pending.clear();
            self.given = 0;
            for _ in 0..200.min(self.rows - self.made) {
                self.made += 1;
                let number = u64::from(self.made) * 7_919;
                let row = format!(
                    "49{number:011},{},2027/3/31,\"髙橋 {number}\",m{number}@example.jp\r\n",
                    number % 5_000
                );
                self.pending.extend(row.into_bytes());
            }
        }
        let piece = &self.pending[self.given..];
        let size = piece.len().min(room.len());
        room[..size].copy_from_slice(&piece[..size]);
        self.given += size;
        Ok(size)
    }
}

const MILLION: u32 = 1_000_000;

#[test]
fn a_million_rows_are_read_in_bounded_memory() {
    let mut base = CardBase::open(Rows::new(MILLION), Options::default(), KEY).unwrap();
    let (mut accepted, mut numbers, mut half) = (0_u32, 0, None);
    while let Some(outcome) = base.next_row().unwrap() {
        accepted += u32::from(outcome.is_ok());
        numbers = numbers.max(base.held().numbers);
        assert_eq!(base.held().buffer, 256 * 1024);
        if accepted == MILLION / 2 {
            half = Some(base.position());
        }
    }
    assert_eq!(accepted, MILLION);
    // 8 bytes of hash, 4 of line and 1 of the table's own for each of 2^21 places.
    assert_eq!(numbers, 13 << 21);

    let half = half.unwrap();
    let mut base = CardBase::resume(Rows::new(MILLION), Options::default(), KEY, &half).unwrap();
    assert_eq!(base.position(), half);
    let next = base.next_row().unwrap().unwrap().unwrap();
    assert_eq!(
        (next.row, next.line),
        (MILLION / 2 + 1, u64::from(MILLION) / 2 + 2)
    );
}

#[test]
fn a_line_of_two_gigabytes_is_one_rejected_row() {
    for (begin, length) in [("", 2 << 30), ("2,2,\"", 64 << 20), ("\"a\"b", 64 << 20)] {
        let head = format!("number,points,name\n1,1,a\n{begin}");
        let file = head
            .as_bytes()
            .chain(io::repeat(b'x').take(length))
            .chain(&b"\n3,3,c\n"[..]);
        let mut base = CardBase::open(file, Options::default(), KEY).unwrap();
        let mut told = Vec::new();
        while let Some(outcome) = base.next_row().unwrap() {
            told.push(short(&outcome));
            assert_eq!(base.held().buffer, 256 * 1024);
        }
        let reason = if begin == "\"a\"b" {
            "broken_quotes"
        } else {
            "too_long"
        };
        assert_eq!(
            told,
            [
                "2:1=1".to_owned(),
                format!("3!{reason}"),
                "4:3=3".to_owned()
            ]
        );
        assert!(base.position().bytes > length);
    }
}

#[test]
#[ignore = "measures; run it by hand with --release --nocapture"]
fn how_fast_rows_are_read() {
    #[allow(clippy::disallowed_methods, reason = "it is time that is measured")]
    let now = std::time::Instant::now;
    let mut file = Vec::new();
    Rows::new(MILLION).read_to_end(&mut file).unwrap();
    for _ in 0..3 {
        let start = now();
        let mut base = CardBase::open(file.as_slice(), Options::default(), KEY).unwrap();
        let mut rows = 0_u64;
        while base.next_row().unwrap().is_some() {
            rows += 1;
        }
        let read = now() - start;
        let position = base.position();
        let start = now();
        CardBase::resume(file.as_slice(), Options::default(), KEY, &position).unwrap();
        let resumed = now() - start;
        println!(
            "{rows} rows, {} bytes: read in {read:?}, gone on from the end in {resumed:?}",
            file.len()
        );
    }
}
