//! Cuts the file into records before anything is decoded, so that a fault stays where it is.
//!
//! What always holds: a record ends at the first line end outside quotes (CR, LF or CRLF); it has at
//! most [`RECORD_BYTES_MAX`] bytes and [`RECORD_LINES_MAX`] lines. If its quotes do not close within
//! that, or something follows a closing quote, only its first line is given up and the next begins a
//! new record. Bytes are looked at one by one (UTF-16: two by two), which is safe in Shift_JIS too:
//! the second byte of its characters is never a quote, a separator or a line end.

use std::{
    hash::Hasher,
    io::{self, Read},
    ops::Range,
};

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::{Digest, Encoding, Reason};

/// The longest record, in bytes of the file.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;
/// The most lines a record may go over, by line ends in quoted cells.
pub const RECORD_LINES_MAX: u32 = 20;
/// How much of the file's beginning tells the encoding and the separator.
const FIRST_BLOCK_BYTES: usize = 64 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;

/// What stands between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// A comma.
    Comma,
    /// A tab.
    Tab,
}

impl Separator {
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Tab => b'\t',
        }
    }
}

/// A record of the file, or a line that is none.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The line it begins in, from 1.
    pub(crate) line: u64,
    /// Where in the buffer it stands, without its line end, until the next one is asked for.
    pub(crate) content: Result<Range<usize>, Reason>,
}

/// How far the records reach that were handed out.
#[derive(Clone, Copy)]
pub(crate) struct Consumed {
    pub(crate) bytes: u64,
    hasher: SipHasher13,
}

impl Consumed {
    pub(crate) fn digest(&self) -> Digest {
        Digest::new(self.hasher.finish128().as_u128())
    }
}

pub(crate) struct Framer<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_eof: bool,
    encoding: Encoding,
    separator: Separator,
    line: u64,
    consumed: Consumed,
}

/// One code unit of the text, as far as it matters here.
enum Unit {
    /// The unit, and how many bytes it has.
    Known(u16, usize),
    NotYetRead,
    EndOfFile,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Bare,
    Quoted,
    /// After a quote in a quoted cell: its end, or half of a doubled quote.
    QuoteInQuoted,
}

/// A record being looked at; offsets count from its start.
struct Scan {
    at: usize,
    state: State,
    line_ends: u32,
    first_line_bytes: Option<usize>,
}

enum Step {
    ReadMore,
    Blank { bytes: usize },
    Record { content: usize, bytes: usize },
    Broken(Reason),
    EndOfFile,
}

const CR: u16 = 0x0D;
const LF: u16 = 0x0A;
const QUOTE: u16 = 0x22;
/// What is never a sign of the format: half a code unit at the end of the file.
const HALF_UNIT: u16 = 0xFFFF;

impl<R: Read> Framer<R> {
    pub(crate) fn new(
        source: R,
        encoding: Option<Encoding>,
        separator: Option<Separator>,
    ) -> io::Result<Self> {
        let mut framer = Self {
            source,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            at_eof: false,
            encoding: Encoding::Utf8,
            separator: Separator::Comma,
            line: 1,
            consumed: Consumed {
                bytes: 0,
                hasher: SipHasher13::new(),
            },
        };
        // A little more than the block, so that what is seen does not hang on the sizes of the reads.
        while framer.end < FIRST_BLOCK_BYTES + 4 && !framer.at_eof {
            framer.fill()?;
        }
        let block = framer.window();
        let whole = block.len() <= FIRST_BLOCK_BYTES && framer.at_eof;
        let block = block.get(..FIRST_BLOCK_BYTES).unwrap_or(block);
        let encoding = encoding.unwrap_or_else(|| Encoding::detect(block, whole));
        let mark_bytes = encoding.mark_bytes(block);
        framer.encoding = encoding;
        framer.advance(mark_bytes);
        framer.separator = separator.unwrap_or_else(|| framer.first_line_separator());
        Ok(framer)
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub(crate) fn separator(&self) -> Separator {
        self.separator
    }

    pub(crate) fn consumed(&self) -> Consumed {
        self.consumed
    }

    pub(crate) fn buffer_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    pub(crate) fn bytes(&self, content: Range<usize>) -> &[u8] {
        self.buffer.get(content).unwrap_or_default()
    }

    /// The next record that is not an empty line; `None` at the end of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<Frame>> {
        let mut scan = Scan::new();
        loop {
            let line = self.line;
            match self.scan(&mut scan) {
                Step::ReadMore => self.fill()?,
                Step::Blank { bytes } => {
                    self.advance(bytes);
                    self.line += 1;
                    scan = Scan::new();
                }
                Step::Record { content, bytes } => {
                    let content = Ok(self.start..self.start + content);
                    self.advance(bytes);
                    self.line += u64::from(scan.line_ends) + 1;
                    return Ok(Some(Frame { line, content }));
                }
                Step::Broken(reason) => {
                    match scan.first_line_bytes {
                        Some(bytes) => self.advance(bytes),
                        None => self.skip_line(scan.at)?,
                    }
                    self.line += 1;
                    let content = Err(reason);
                    return Ok(Some(Frame { line, content }));
                }
                Step::EndOfFile => return Ok(None),
            }
        }
    }

    fn scan(&self, scan: &mut Scan) -> Step {
        let separator = u16::from(self.separator.byte());
        loop {
            if scan.at >= RECORD_BYTES_MAX {
                // With a whole line behind it, it is the quotes that go too far, not the line.
                let open = scan.first_line_bytes.is_some();
                let reason = if open {
                    Reason::BrokenQuotes
                } else {
                    Reason::TooLong
                };
                return Step::Broken(reason);
            }
            let (unit, width) = match self.unit(scan.at) {
                Unit::Known(unit, width) => (unit, width),
                Unit::NotYetRead => return Step::ReadMore,
                Unit::EndOfFile if scan.at == 0 => return Step::EndOfFile,
                Unit::EndOfFile if scan.state == State::Quoted => {
                    return Step::Broken(Reason::BrokenQuotes);
                }
                Unit::EndOfFile => {
                    let (content, bytes) = (scan.at, scan.at);
                    return Step::Record { content, bytes };
                }
            };
            if unit == CR || unit == LF {
                let Some(bytes) = self.line_end(scan.at, unit, width) else {
                    return Step::ReadMore;
                };
                if scan.state != State::Quoted {
                    let content = scan.at;
                    return match content {
                        0 => Step::Blank { bytes },
                        _ => Step::Record {
                            content,
                            bytes: content + bytes,
                        },
                    };
                }
                scan.at += bytes;
                scan.line_ends += 1;
                scan.first_line_bytes.get_or_insert(scan.at);
                if scan.line_ends >= RECORD_LINES_MAX {
                    return Step::Broken(Reason::BrokenQuotes);
                }
                continue;
            }
            scan.state = match (scan.state, unit) {
                (State::CellStart | State::QuoteInQuoted, QUOTE) => State::Quoted,
                (State::Quoted, QUOTE) => State::QuoteInQuoted,
                (State::Quoted, _) => State::Quoted,
                (_, unit) if unit == separator => State::CellStart,
                (State::QuoteInQuoted, _) => return Step::Broken(Reason::BrokenQuotes),
                _ => State::Bare,
            };
            scan.at += width;
            if matches!(scan.state, State::Bare | State::Quoted) {
                scan.at += self.plain_bytes(scan.at);
            }
        }
    }

    fn unit(&self, offset: usize) -> Unit {
        let at = self.start + offset;
        let window = self.buffer.get(at..self.end).unwrap_or_default();
        let unit = match (self.encoding, window) {
            (Encoding::Utf8 | Encoding::ShiftJis, [byte, ..]) => {
                return Unit::Known(u16::from(*byte), 1);
            }
            (Encoding::Utf16Le, [first, second, ..]) => u16::from_le_bytes([*first, *second]),
            (Encoding::Utf16Be, [first, second, ..]) => u16::from_be_bytes([*first, *second]),
            (_, _) if !self.at_eof => return Unit::NotYetRead,
            (_, []) => return Unit::EndOfFile,
            (_, [_, ..]) => return Unit::Known(HALF_UNIT, 1),
        };
        Unit::Known(unit, 2)
    }

    /// The bytes of the line end that begins at `offset`; `None` while it is not known whether an LF follows.
    fn line_end(&self, offset: usize, unit: u16, width: usize) -> Option<usize> {
        if unit == LF {
            return Some(width);
        }
        match self.unit(offset + width) {
            Unit::Known(LF, second) => Some(width + second),
            Unit::NotYetRead => None,
            Unit::Known(..) | Unit::EndOfFile => Some(width),
        }
    }

    /// Passes over the rest of a line of any length, from `offset` on, and its end.
    fn skip_line(&mut self, offset: usize) -> io::Result<()> {
        self.advance(offset);
        let mut at = 0;
        loop {
            match self.unit(at) {
                Unit::EndOfFile => {
                    self.advance(at);
                    return Ok(());
                }
                Unit::Known(unit @ (CR | LF), width) => {
                    if let Some(bytes) = self.line_end(at, unit, width) {
                        self.advance(at + bytes);
                        return Ok(());
                    }
                    self.advance(at);
                    at = 0;
                    self.fill()?;
                }
                Unit::Known(_, width) => at += self.plain_bytes(at + width) + width,
                Unit::NotYetRead => {
                    self.advance(at);
                    at = 0;
                    self.fill()?;
                }
            }
        }
    }

    /// How many bytes from `offset` on end no line and open or close nothing, for all that is in the
    /// buffer. It is only for speed, so UTF-16 does without.
    fn plain_bytes(&self, offset: usize) -> usize {
        if !matches!(self.encoding, Encoding::Utf8 | Encoding::ShiftJis) {
            return 0;
        }
        let ahead = self.buffer.get(self.start + offset..self.end);
        let separator = self.separator.byte();
        let signs = |byte: &u8| matches!(*byte, b'\r' | b'\n' | b'"') || *byte == separator;
        let ahead = ahead.unwrap_or_default();
        ahead.iter().position(signs).unwrap_or(ahead.len())
    }

    fn first_line_separator(&self) -> Separator {
        let (mut commas, mut tabs, mut at, mut quoted) = (0_usize, 0_usize, 0, false);
        while let Unit::Known(unit, width) = self.unit(at) {
            match (unit, quoted) {
                (QUOTE, _) => quoted = !quoted,
                (0x2C, false) => commas += 1,
                (0x09, false) => tabs += 1,
                (CR | LF, false) if commas + tabs > 0 => break,
                _ => {}
            }
            at += width;
            if at >= FIRST_BLOCK_BYTES {
                break;
            }
        }
        if tabs > commas {
            Separator::Tab
        } else {
            Separator::Comma
        }
    }

    fn window(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        let window = self.buffer.get(self.start..self.end).unwrap_or_default();
        let passed = window.get(..bytes).unwrap_or(window);
        self.consumed.hasher.write(passed);
        // A length in memory fits u64 on every machine.
        self.consumed.bytes += u64::try_from(passed.len()).unwrap_or_default();
        self.start += passed.len();
    }

    /// Reads once. The buffer has room for a record and more, so there is always somewhere to read to.
    fn fill(&mut self) -> io::Result<()> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.source.read(room) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        self.at_eof = read == 0;
        self.end = self.buffer.len().min(self.end + read);
        Ok(())
    }
}

impl Scan {
    fn new() -> Self {
        Self {
            at: 0,
            state: State::CellStart,
            line_ends: 0,
            first_line_bytes: None,
        }
    }
}
