//! The reader: one row after the other, and where it stands.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use crate::{
    CardNumber, CardRow, Column, Encoding, HeaderError, Position, Reason, Rejected, Separator,
    cells::Cells,
    columns::Header,
    frame::{Consumed, Frame, Framer},
    row::{self, Fault},
    seen::Seen,
};

/// The most rows a file may have unless told otherwise. It bounds the memory for the numbers seen.
pub const ROWS_MAX: u32 = 5_000_000;

/// How to read a file.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The encoding; `None` to tell it from the file.
    pub encoding: Option<Encoding>,
    /// What stands between cells; `None` to tell it from the header.
    pub separator: Option<Separator>,
    /// The most rows.
    pub rows_max: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            encoding: None,
            separator: None,
            rows_max: ROWS_MAX,
        }
    }
}

/// What a row turned out to be.
pub type RowOutcome = Result<CardRow, Rejected>;

/// Why a file cannot be begun with.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Its header is of no use.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The part before the position is not what it was.
    #[error("this is not the file, or not the same file, that the position was taken in")]
    DifferentFile,
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It has too many rows.
    #[error("the file has more than {rows_max} rows")]
    TooManyRows {
        /// The most there may be.
        rows_max: u32,
    },
    /// It has failed before; go on with a new reader from the last position.
    #[error("reading has failed before")]
    Failed,
}

/// Memory that a reader holds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The buffer the file goes through.
    pub buffer: usize,
    /// The numbers seen.
    pub numbers: usize,
}

/// Reads the cards of a file.
pub struct CardBase<R> {
    framer: Framer<R>,
    header: Header,
    seen: Seen,
    rows: u32,
    rows_max: u32,
    /// Where the last row ended, or the header.
    reached: Consumed,
    failed: bool,
}

impl<R: Read> CardBase<R> {
    /// Reads the header of a file. `key` is for the hashes of the numbers seen; any secret bytes do.
    ///
    /// # Errors
    /// [`OpenError`] if the source fails or the header is of no use.
    pub fn open(source: R, options: Options, key: &[u8; 16]) -> Result<Self, OpenError> {
        let mut framer = Framer::new(source, options.encoding, options.separator)?;
        let frame = framer.next()?.ok_or(HeaderError::Empty)?;
        let unreadable = HeaderError::Unreadable { line: frame.line };
        let content = frame.content.map_err(|_| unreadable)?;
        let (encoding, separator) = (framer.encoding(), framer.separator());
        let text = encoding.decode(framer.bytes(content)).ok_or(unreadable)?;
        let header = Header::new(Cells::new(&text, separator))?;
        let reached = framer.consumed();
        Ok(Self {
            framer,
            header,
            seen: Seen::new(key),
            rows: 0,
            rows_max: options.rows_max,
            reached,
            failed: false,
        })
    }

    /// Goes on after `position`, which a reader of the same file gave. `source` begins at the file's
    /// beginning and `options` are the same: the part before is read again, for its digest and for the
    /// numbers in it, but its values are not.
    ///
    /// # Errors
    /// [`OpenError::DifferentFile`] if that part is not what it was; others as in [`Self::open`].
    pub fn resume(
        source: R,
        options: Options,
        key: &[u8; 16],
        position: &Position,
    ) -> Result<Self, OpenError> {
        let mut base = Self::open(source, options, key)?;
        while base.reached.bytes < position.bytes && base.rows < position.rows {
            let Some(frame) = base.framer.next()? else {
                return Err(OpenError::DifferentFile);
            };
            base.record(frame, |_, _, _| Ok(()));
        }
        if base.position() == *position {
            Ok(base)
        } else {
            Err(OpenError::DifferentFile)
        }
    }

    /// The next row; `None` at the end of the file.
    ///
    /// # Errors
    /// [`ReadError`] if the source fails or there are too many rows. The reader is of no use then.
    pub fn next_row(&mut self) -> Result<Option<RowOutcome>, ReadError> {
        if self.failed {
            return Err(ReadError::Failed);
        }
        let outcome = self.read_row();
        self.failed = outcome.is_err();
        outcome
    }

    fn read_row(&mut self) -> Result<Option<RowOutcome>, ReadError> {
        while let Some(frame) = self.framer.next()? {
            let (line, before) = (frame.line, (self.rows, self.reached));
            let outcome = self.record(frame, |header, number, cells| {
                Ok(CardRow {
                    line,
                    row: 0,
                    number,
                    lots: row::lots(header, cells)?,
                    profile: row::profile(header, cells)?,
                })
            });
            let Some(outcome) = outcome else { continue };
            if self.rows > self.rows_max {
                (self.rows, self.reached) = before;
                let rows_max = self.rows_max;
                return Err(ReadError::TooManyRows { rows_max });
            }
            let row = self.rows;
            return Ok(Some(outcome.map(|card| CardRow { row, ..card })));
        }
        Ok(None)
    }

    /// Looks at a record up to its number, which is noted, and leaves the rest to `read`; `None` if the
    /// record is blank. A number counts as seen whatever else is wrong with its row: of two rows for one
    /// card, of which one is broken, nobody knows which to believe.
    fn record<T>(
        &mut self,
        frame: Frame,
        read: impl FnOnce(&Header, CardNumber, &[Cow<'_, str>]) -> Result<T, Fault>,
    ) -> Option<Result<T, Rejected>> {
        let mut first_line = None;
        let Frame { line, content } = frame;
        let look = || {
            let bytes = self.framer.bytes(content.map_err(|reason| (None, reason))?);
            let text = self.framer.encoding().decode(bytes);
            let text = text.ok_or((None, Reason::Undecodable))?;
            let cells = Cells::new(&text, self.framer.separator());
            let Some(cells) = row::cells(&self.header, cells)? else {
                return Ok(None);
            };
            let number = row::number(&self.header, &cells)?;
            first_line = self.seen.note(&number, line);
            match first_line {
                Some(_) => Err((Some(Column::Number), Reason::NumberTwice)),
                None => read(&self.header, number, &cells).map(Some),
            }
        };
        let outcome = look().transpose()?;
        // One more than `rows_max` at most, so this cannot overflow in a file that is read to an end.
        self.rows = self.rows.saturating_add(1);
        self.reached = self.framer.consumed();
        let row = self.rows;
        Some(outcome.map_err(|(field, reason)| Rejected {
            line,
            row,
            field,
            reason,
            first_line,
        }))
    }

    /// The encoding of the file, told or given.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.framer.encoding()
    }

    /// What stands between its cells, told or given.
    #[must_use]
    pub fn separator(&self) -> Separator {
        self.framer.separator()
    }

    /// The columns that are not read, by their names in the header, once each.
    #[must_use]
    pub fn unknown_columns(&self) -> &[String] {
        &self.header.unknown
    }

    /// Where the last row ended, or, before the first, the header.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            bytes: self.reached.bytes,
            rows: self.rows,
            digest: self.reached.digest(),
        }
    }

    /// What memory is held.
    #[must_use]
    pub fn held(&self) -> Held {
        Held {
            buffer: self.framer.buffer_bytes(),
            numbers: self.seen.bytes(),
        }
    }
}
