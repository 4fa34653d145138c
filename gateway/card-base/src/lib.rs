//! Reads an existing base of plastic loyalty cards from a CSV file, and says of every row it cannot
//! read why. It only reads and reports; what is done with the cards is the caller's.
//!
//! What always holds:
//! - A file of any size is read in bounded memory: one buffer of fixed size, the header, and 8 bytes
//!   of fingerprint and 4 of line for each card number seen, to find numbers that come twice. With
//!   the free places of the hash table these are 27 MB for a million rows, and 41 MB for the moment
//!   in which it grows; [`Held`] tells.
//! - No row is lost silently. A row is a card or a rejection with its line, and one broken row spoils
//!   no other: a quote that does not close costs the line it stands in.
//! - The same bytes give the same rows, however the source splits them into reads. A reading that
//!   goes on from a [`Position`] gives the rows that the first would have given; it reads the earlier
//!   part again for the digest and the numbers seen, and refuses a file in which that part differs.
//! - Neither a rejection nor an error shows what stands in a cell.
//!
//! Reading order: [`Encoding`] (bytes to text), `frame` (bytes to records), `columns` (the header),
//! `values` (cells), [`CardRow`] and [`Rejected`], `seen` (numbers that came before), [`CardBase`]
//! (the reader), [`ReportWriter`] and [`Summary`].

#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod encoding;

mod frame;

mod cells;
mod columns;

mod values;

mod row;

mod seen;

mod position;
mod reader;
mod report;

pub use columns::{Column, HeaderError};
pub use encoding::Encoding;
pub use frame::{RECORD_BYTES_MAX, RECORD_LINES_MAX, Separator};
pub use position::{Digest, Position};
pub use reader::{CardBase, Held, OpenError, Options, ROWS_MAX, ReadError, RowOutcome};
pub use report::{ReportWriter, Summary};
pub use row::{CardNumber, CardRow, LotRow, RawProfile, Reason, Rejected};
