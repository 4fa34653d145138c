//! Brings an existing base of plastic cards in, while gateways serve.
//!
//! ```text
//! file → card-base (rows) → many at a time: number, points, profile → writer → report, position
//! ```
//!
//! What always holds:
//! - A card comes in once and its points once, however often the file is run and wherever a run broke
//!   off: the number's keyed hash is the card, and a card that is there brings nothing along again.
//! - The saved position never lies after a row that is not committed, and the report holds the lines of
//!   the rows before it, each once.
//! - Memory does not grow with the file, but for what [`card_base`] holds of each number.
//! - Neither report nor log shows what stands in a cell.

mod position;
mod report;
mod row;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use card_base::{CardBase, OpenError, Options, Position, ReadError, RowOutcome};
use futures_util::{StreamExt, stream};

use crate::{clock, secrets, store::StoreError, writer::WriteError};

pub use report::Tally;
pub use row::Intake;

use position::Saved;
use report::{Report, Told};

/// Rows under way at once: while one batch of the writer runs, the next one fills.
const ROWS_UNDER_WAY: usize = 256;
/// Rows after which the position is saved.
const ROWS_PER_SAVE: u32 = 1_000;
/// How often it is told how far the import has come.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Why an import did not run to the end. What was done until then stays done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file of cards, the report or the position cannot be read or written.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// The file of cards cannot be begun with.
    #[error("{0}: {1}")]
    Open(String, OpenError),
    /// The file of cards cannot be read on.
    #[error("{0}: {1}")]
    Read(String, ReadError),
    /// What stands beside the report does not fit.
    #[error("{0}")]
    Position(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] secrets::SecretsError),
    /// A profile could not be sealed.
    #[error("a profile could not be sealed: {0}")]
    Seal(#[from] personal_data::SealError),
    /// The ledger gave an answer that nobody expects.
    #[error("line {line}: the ledger answered {answer}")]
    Answer {
        /// The line of the file.
        line: u64,
        /// The answer.
        answer: String,
    },
}

/// What is to be brought in, and where it is told.
#[derive(Debug, Clone)]
pub struct Order {
    /// The file of cards.
    pub file: PathBuf,
    /// How to read it.
    pub options: Options,
    /// Where rows that could not be taken are told.
    pub report: PathBuf,
    /// Go on where a run broke off.
    pub resume: bool,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// What came of the rows so far.
    pub tally: &'a Tally,
    /// Bytes of the file that were read.
    pub bytes: u64,
    /// Bytes of the file.
    pub of_bytes: u64,
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> ImportError {
    let path = path.display().to_string();
    move |error| ImportError::File(path, error)
}

/// Brings a file in; `tell` hears now and then how far it has come.
///
/// # Errors
/// [`ImportError`]; the same order with `resume` goes on from the last saved position.
pub async fn run(
    intake: &Intake<'_>,
    order: &Order,
    mut tell: impl FnMut(Progress<'_>),
) -> Result<Tally, ImportError> {
    let saved = position::found(order)?;
    let (mut base, of_bytes) = open(order, saved.as_ref())?;
    let begun_at = saved.as_ref().map(|saved| saved.position);
    let mut tally = saved.as_ref().map_or_else(
        || Tally::new(base.unknown_columns()),
        |saved| saved.tally.clone(),
    );
    let mut report = Report::open(
        &order.report,
        saved.as_ref().map(|saved| saved.report_bytes),
    )
    .map_err(failed(&order.report))?;
    // Rows after the saved position may have been under way when the run broke off.
    let doubtful = begun_at.map_or(0, |position| {
        let under_way = u32::try_from(ROWS_UNDER_WAY).unwrap_or(u32::MAX);
        let most = ROWS_PER_SAVE.saturating_add(under_way);
        position.rows.saturating_add(most)
    });
    let name = order.file.display().to_string();
    let (encoding, separator) = (base.encoding(), base.separator());
    let save = |position, report: &mut Report, tally: &Tally| {
        if intake.dry_run {
            return Ok(());
        }
        let saved = Saved {
            encoding: format!("{encoding:?}"),
            separator: format!("{separator:?}"),
            position,
            report_bytes: report.settle().map_err(failed(&order.report))?,
            tally: tally.clone(),
        };
        position::save(order, &saved)
    };
    // From the beginning: whoever finds no position may be sure that nothing was under way.
    save(base.position(), &mut report, &tally)?;
    let rows = std::iter::from_fn(|| next(&mut base));
    let rows = stream::iter(rows).map(|read| async {
        let (outcome, position) = read.map_err(|error| ImportError::Read(name.clone(), error))?;
        Ok::<_, ImportError>((intake.take(outcome, doubtful).await?, position))
    });
    let mut done = std::pin::pin!(rows.buffered(ROWS_UNDER_WAY));
    let (mut unsaved, mut told_at) = (0_u32, clock::instant());
    while let Some(row) = done.next().await {
        let (told, position): (Told, Position) = row?;
        report.write(&told).map_err(failed(&order.report))?;
        tally.count(&told);
        unsaved = unsaved.saturating_add(1);
        if unsaved >= ROWS_PER_SAVE {
            unsaved = 0;
            save(position, &mut report, &tally)?;
        }
        if told_at.elapsed() >= TELL_EVERY {
            told_at = clock::instant();
            let bytes = position.bytes;
            tell(Progress {
                tally: &tally,
                bytes,
                of_bytes,
            });
        }
    }
    report.settle().map_err(failed(&order.report))?;
    if !intake.dry_run {
        position::forget(order)?;
    }
    Ok(tally)
}

/// The reader at the beginning, or where the run before broke off; and how large the file is.
fn open(order: &Order, saved: Option<&Saved>) -> Result<(CardBase<File>, u64), ImportError> {
    let file = File::open(&order.file).map_err(failed(&order.file))?;
    let bytes = file.metadata().map_err(failed(&order.file))?.len();
    let key = secrets::random::<16>()?;
    let base = match saved {
        None => CardBase::open(file, order.options, &key),
        Some(saved) => CardBase::resume(file, order.options, &key, &saved.position),
    };
    let base = base.map_err(|error| ImportError::Open(order.file.display().to_string(), error))?;
    if let Some(saved) = saved
        && (
            format!("{:?}", base.encoding()),
            format!("{:?}", base.separator()),
        ) != (saved.encoding.clone(), saved.separator.clone())
    {
        return Err(ImportError::Position(
            "the import was begun with another --encoding or --separator".into(),
        ));
    }
    Ok((base, bytes))
}

/// The next row and where it ends.
fn next(base: &mut CardBase<File>) -> Option<Result<(RowOutcome, Position), ReadError>> {
    match base.next_row() {
        Ok(None) => None,
        Ok(Some(outcome)) => Some(Ok((outcome, base.position()))),
        // The reader fails for ever from here on; who asks stops at the first failure.
        Err(error) => Some(Err(error)),
    }
}

#[cfg(test)]
mod tests;
