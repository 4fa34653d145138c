//! The journal file: append-only, one record a line, each made durable before anything is sent.
//!
//! Invariants: one process at a time holds the folder (`lock`). A record that [`Journal::append`]
//! reported as written survives a power cut. What was half written is cut back, by the next append
//! or the next opening. A damaged record never hides those behind it. [`Journal::compact`] can be
//! interrupted anywhere: the old file or the new one is there, whole.

#[cfg(test)]
mod tests;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{
    frame::{self, Line},
    record::{Entry, FORMAT},
};

/// The journal's file.
pub const JOURNAL_FILE: &str = "journal";
/// A journal in the making, until it takes the other's place.
const NEXT_FILE: &str = "journal.next";
/// What was damaged and set aside.
pub const DAMAGED_FILE: &str = "journal.damaged";
/// Held for as long as the journal is open.
const LOCK_FILE: &str = "lock";

/// Why a journal cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process has it open.
    InUse(PathBuf),
    /// A later release wrote it.
    Newer(String),
    /// The file system.
    Io(&'static str, PathBuf, io::Error),
}

impl std::fmt::Display for JournalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InUse(folder) => write!(
                f,
                "another till has the journal in {} open; two tills never share one",
                folder.display()
            ),
            Self::Newer(what) => write!(
                f,
                "the journal was written by a later release, which must finish it: {what}"
            ),
            Self::Io(doing, path, error) => {
                write!(f, "cannot {doing} {}: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(_, _, error) => Some(error),
            _ => None,
        }
    }
}

/// What opening a journal found.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    /// The entries, oldest first. [`Entry::Damaged`] stands where damaged records stood.
    pub entries: Vec<Entry>,
    /// Bytes of a last record that was only half written. It was cut off: nothing was sent for it.
    pub torn_bytes: u64,
    /// Damaged records that were found now. They were copied to [`DAMAGED_FILE`].
    pub damaged_records: usize,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    /// Where the last whole record ends.
    end: u64,
    /// Whether there may be bytes behind `end` to cut off first.
    ragged: bool,
    /// Whether the file's name in the folder may not be durable yet.
    unnamed: bool,
    _lock: File,
}

impl Journal {
    /// Opens the journal in `folder`, which is made if it is not there, and reads all of it.
    ///
    /// # Errors
    /// [`JournalError`]
    pub fn open(folder: &Path) -> Result<(Self, Found), JournalError> {
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |error| JournalError::Io(doing, path, error)
        };
        make_folder(folder).map_err(failed("make the folder", folder))?;
        let lock = lock(folder)?;
        let next = folder.join(NEXT_FILE);
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", &next)(error));
            }
            _ => {}
        }
        let path = folder.join(JOURNAL_FILE);
        let mut file = private()
            .read(true)
            .write(true)
            .create(true)
            .open(&path)
            .map_err(failed("open", &path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(failed("read", &path))?;
        let (found, end, damaged) = read(&bytes)?;
        if !damaged.is_empty() {
            set_aside(folder, &damaged).map_err(failed("write to", &folder.join(DAMAGED_FILE)))?;
        }
        let mut journal = Self {
            folder: folder.to_owned(),
            file,
            end,
            ragged: bytes.len() as u64 > end,
            unnamed: true,
            _lock: lock,
        };
        if found.damaged_records > 0 {
            // What was set aside is reported once.
            journal
                .compact(&found.entries)
                .map_err(failed("rewrite", &path))?;
        }
        journal.mend().map_err(failed("cut back", &path))?;
        Ok((journal, found))
    }

    /// Writes entries and makes them durable.
    ///
    /// # Errors
    /// If they could not be made durable: then none of them counts, and what was half written is cut
    /// back before the next is written.
    pub fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for entry in entries {
            bytes.extend(frame::encode(entry)?);
        }
        self.mend()?;
        self.ragged = true;
        let written = self
            .file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Now, if it can be done: nobody shall find it after a crash.
            let _ = self.mend();
            return Err(error);
        }
        self.end = self.end.saturating_add(bytes.len() as u64);
        self.ragged = false;
        Ok(())
    }

    /// Bytes in the file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.end
    }

    /// Puts `entries` in the place of all that the journal holds.
    ///
    /// # Errors
    /// If it could not be done; the journal then holds what it held.
    pub fn compact(&mut self, entries: &[Entry]) -> io::Result<()> {
        let next = self.folder.join(NEXT_FILE);
        let mut bytes = Vec::new();
        for entry in entries {
            bytes.extend(frame::encode(entry)?);
        }
        let written = (|| {
            let mut file = private()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&next)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&next, self.folder.join(JOURNAL_FILE))?;
            Ok(file)
        })();
        let file = match written {
            Ok(file) => file,
            Err(error) => {
                // It is removed at the next opening at the latest.
                let _ = fs::remove_file(&next);
                return Err(error);
            }
        };
        self.file = file;
        self.end = bytes.len() as u64;
        (self.ragged, self.unnamed) = (false, true);
        // If this fails a power cut may bring the old file back, which says the same. The next append
        // tries again before it adds anything.
        let _ = self.mend();
        Ok(())
    }

    /// Cuts off what a failed write left, and makes sure that the file is found after a power cut.
    fn mend(&mut self) -> io::Result<()> {
        if self.unnamed {
            sync_folder(&self.folder)?;
            self.unnamed = false;
        }
        if self.ragged {
            self.file.set_len(self.end)?;
            self.file.sync_data()?;
            self.ragged = false;
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        Ok(())
    }
}

/// Reads a journal's bytes: what was found, where the last good record ends, and what is damaged.
fn read(bytes: &[u8]) -> Result<(Found, u64, Vec<u8>), JournalError> {
    let mut found = Found::default();
    let (mut at, mut end, mut damaged, mut bad) = (0_usize, 0_usize, Vec::new(), 0_usize);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        at = at.saturating_add(line.len());
        match line.strip_suffix(b"\n").map(frame::decode) {
            Some(Line::Entry(entry)) => {
                check_format(&entry)?;
                found.note_damage(&mut bad);
                found.entries.push(*entry);
                end = at;
            }
            Some(Line::Unknown(what)) => return Err(JournalError::Newer(what)),
            // A whole line at the very end counts as damaged too: it may have been an outcome.
            Some(Line::Damaged) => {
                bad = bad.saturating_add(1);
                damaged.extend_from_slice(line);
            }
            None if is_whole(line) => {
                bad = bad.saturating_add(1);
                damaged.extend_from_slice(line);
                damaged.push(b'\n');
            }
            // Half a record.
            None => found.torn_bytes = line.len() as u64,
        }
    }
    found.note_damage(&mut bad);
    Ok((found, end as u64, damaged))
}

/// Whether this is a whole record whose line feed was damaged. Half a record never is: its checksum
/// is over all of it.
fn is_whole(tail: &[u8]) -> bool {
    let record = tail.split_last().map(|(_, record)| frame::decode(record));
    matches!(record, Some(Line::Entry(_) | Line::Unknown(_)))
}

impl Found {
    /// Puts an entry in the place of the damaged records that were just passed.
    fn note_damage(&mut self, bad: &mut usize) {
        if *bad > 0 {
            self.damaged_records = self.damaged_records.saturating_add(*bad);
            let records = *bad as u64;
            self.entries.push(Entry::Damaged { records });
            *bad = 0;
        }
    }
}

fn check_format(entry: &Entry) -> Result<(), JournalError> {
    match entry {
        Entry::Opened(opened) if opened.format > FORMAT => Err(JournalError::Newer(format!(
            "format {}, this release knows {FORMAT}",
            opened.format
        ))),
        _ => Ok(()),
    }
}

/// A file that only its owner may read: it holds card texts and what people bought.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn lock(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join(LOCK_FILE);
    let failed = |error| JournalError::Io("lock", path.clone(), error);
    let file = private()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn set_aside(folder: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = private()
        .append(true)
        .create(true)
        .open(folder.join(DAMAGED_FILE))?;
    file.write_all(lines)?;
    file.sync_all()
}

/// Makes the folder, and the names of all that had to be made for it durable.
fn make_folder(folder: &Path) -> io::Result<()> {
    let holders = holders_of_missing(folder);
    fs::create_dir_all(folder)?;
    holders.iter().try_for_each(|holder| sync_folder(holder))
}

/// The folders in which making this one makes a name, the innermost first.
fn holders_of_missing(folder: &Path) -> Vec<PathBuf> {
    let missing = folder
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.is_dir());
    let holder = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    missing.map(holder).collect()
}

/// Makes new names in the folder durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
