//! Events on standard output or in a file, one JSON text a line.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use member_card::ProgrammeId;
use pos_protocol::EventId;
use uuid::Uuid;

use super::{super::output, Failure, PAGE_EVENTS, whole};
use crate::{
    clock::Clock,
    store::{EventFilter, Places, Store, StoredEvent},
};

/// How often `--follow` looks for new ones.
const POLL: Duration = Duration::from_millis(500);
/// An event's id tells when its command arrived; it is committed at most so much later.
const COMMIT_DELAY_S_MAX: i64 = 60;

/// Where lines go.
pub(super) enum Sink {
    Output,
    File(BufWriter<File>),
}

impl Sink {
    /// A new file, or standard output. A file that is there is not overwritten.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else {
            return Ok(Self::Output);
        };
        let made = File::options().write(true).create_new(true).open(file);
        let made = made.map_err(Failure::io(format!("cannot make {}", file.display())))?;
        Ok(Self::File(BufWriter::new(made)))
    }

    pub(super) fn event(
        &mut self,
        event: StoredEvent,
        programme: &ProgrammeId,
    ) -> Result<(), Failure> {
        let event = whole(event, programme)?;
        match self {
            Self::Output => output::json(&event),
            Self::File(file) => serde_json::to_writer(&mut *file, &event)
                .map_err(std::io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .map_err(Failure::io("cannot write the file")),
        }
    }

    /// Sees to it that a file is on the disk.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Self::File(file) = self else {
            return Ok(());
        };
        let file = file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all())
            .map_err(Failure::io("cannot write the file"))
    }
}

/// Events by their places in the published stream.
pub(super) async fn by_place(
    store: &Store,
    filter: &EventFilter,
    mut places: Places,
    limit: Option<u32>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let mut left = usize::try_from(limit.unwrap_or(u32::MAX)).unwrap_or(usize::MAX);
    while left > 0 && !places.is_empty() {
        let page = store
            .placed_events(filter, places.take(PAGE_EVENTS))
            .await?;
        let count = page.len();
        page.into_iter()
            .take(left)
            .try_for_each(|event| printer.print(event))?;
        left = left.saturating_sub(count);
    }
    Ok(())
}

/// Events in order of time: the first after `--since` or `--after`, or else the newest.
pub(super) async fn by_time(
    store: &Store,
    mut filter: EventFilter,
    limit: Option<u32>,
    follow_on: bool,
    mut printer: Printer,
) -> Result<Printer, Failure> {
    let clock = Clock::system();
    let from_somewhere = filter.after.is_some() || filter.since.is_some();
    match limit {
        Some(limit) if !from_somewhere => {
            let began = first_id(clock.now());
            let newest = store.newest_events(&filter, limit).await?;
            // Events before those shown were not asked for, however late they come.
            filter.after = Some(newest.first().map_or(began, |event| before(event.id)));
            newest
                .into_iter()
                .try_for_each(|event| printer.print(event))?;
        }
        limit => {
            let given = filter.after;
            list_from(store, &mut filter, limit.unwrap_or(u32::MAX), &mut printer).await?;
            filter.after = given;
        }
    }
    if follow_on {
        follow(store, filter, &mut printer, &clock).await?;
    }
    Ok(printer)
}

async fn list_from(
    store: &Store,
    filter: &mut EventFilter,
    mut left: u32,
    printer: &mut Printer,
) -> Result<(), Failure> {
    while left > 0 {
        let page = store.events(filter, left.min(PAGE_EVENTS)).await?;
        let count = u32::try_from(page.len()).unwrap_or(u32::MAX);
        filter.after = page.last().map(|event| event.id).or(filter.after);
        page.into_iter()
            .try_for_each(|event| printer.print(event))?;
        left = left.saturating_sub(count);
        if count < PAGE_EVENTS {
            break;
        }
    }
    Ok(())
}

/// Prints each event once.
pub(super) struct Printer {
    programme: ProgrammeId,
    sink: Sink,
    /// Ids that were printed and may be read again.
    told: BTreeSet<EventId>,
    /// Ids before this one are not read again.
    late_from: EventId,
    count: u64,
}

impl Printer {
    pub(super) fn new(programme: ProgrammeId, sink: Sink) -> Self {
        Self {
            programme,
            sink,
            told: BTreeSet::new(),
            late_from: late_from(Clock::system().now()),
            count: 0,
        }
    }

    fn print(&mut self, event: StoredEvent) -> Result<(), Failure> {
        let id = event.id;
        if id >= self.late_from && !self.told.insert(id) {
            return Ok(());
        }
        self.count = self.count.saturating_add(1);
        self.sink.event(event, &self.programme)
    }

    /// Forgets what cannot be read again.
    fn forget_before(&mut self, late_from: EventId) {
        self.late_from = late_from;
        self.told = self.told.split_off(&late_from);
    }

    /// Ends the output; how many events there were.
    pub(super) fn finish(self) -> Result<u64, Failure> {
        self.sink.finish()?;
        Ok(self.count)
    }
}

/// Prints what comes. Reads again what may have been committed late, so that nothing is missed, and
/// tells nothing twice.
async fn follow(
    store: &Store,
    filter: EventFilter,
    printer: &mut Printer,
    clock: &Clock,
) -> Result<(), Failure> {
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => return Ok(()),
            () = tokio::time::sleep(POLL) => {}
        }
        let late_from = late_from(clock.now());
        printer.forget_before(late_from);
        let mut page = EventFilter {
            after: filter.after.max(Some(before(late_from))),
            ..filter.clone()
        };
        list_from(store, &mut page, u32::MAX, printer).await?;
    }
}

/// The first id that may still be committed.
fn late_from(now: Timestamp) -> EventId {
    let delay = SignedDuration::from_secs(COMMIT_DELAY_S_MAX);
    first_id(now.checked_sub(delay).unwrap_or(now))
}

/// The smallest id of its millisecond.
fn first_id(time: Timestamp) -> EventId {
    let ms = u128::try_from(time.as_millisecond()).unwrap_or_default();
    EventId::new(Uuid::from_u128(ms << 80))
}

fn before(id: EventId) -> EventId {
    EventId::new(Uuid::from_u128(id.as_uuid().as_u128().saturating_sub(1)))
}
