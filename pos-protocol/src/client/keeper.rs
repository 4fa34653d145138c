//! The one task that holds journal and machine, and carries out what the machine decides.
//!
//! It ends when the last [`Client`](super::Client) is dropped or it is asked to. Whoever still waits then
//! is told what a deadline would have told them, once that is in the journal.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    io,
    time::Duration,
};

use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot, watch,
    },
    task::{JoinSet, spawn_blocking},
};

use super::{
    ask::Ask,
    journal::Journal,
    machine::{Exchange, Machine, Next, Notice, Reply, Step, Ticket},
    moment::Clock,
    record::Entry,
    verdict::{Refusal, Verdict},
    wire::{Replies, Wire},
};
use crate::RequestId;

/// Replies on their way back; more exchanges wait.
const REPLIES_MAX: usize = 64;

/// What a client asks of its keeper.
pub(crate) enum Call {
    /// Something for the gateway.
    Ask(Box<Ask>, oneshot::Sender<Told>),
    /// A look at the machine, or a name from it.
    Look(Box<dyn FnOnce(&mut Machine) + Send>),
    /// Make the journal smaller, if nothing is unsettled; says whether it was done.
    Compact(oneshot::Sender<io::Result<bool>>),
    /// End, and say when it is done.
    Close(oneshot::Sender<()>),
}

/// A verdict and the request it is about.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) request_id: Option<RequestId>,
    pub(crate) verdict: Verdict,
}

/// How the till's half stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Requests that have something left to do, those that a cashier waits for among them.
    pub unsettled: usize,
    /// Whether the gateway has given no answers for a while.
    pub away: bool,
    /// Whether the journal could be written when it was last tried.
    pub writable: bool,
}

pub(crate) struct Keeper {
    pub(crate) clock: Clock,
    pub(crate) machine: Machine,
    /// None only while it is written to.
    pub(crate) journal: Option<Journal>,
    pub(crate) wire: Wire,
    pub(crate) calls: mpsc::Receiver<Call>,
    pub(crate) notices: Notices,
    pub(crate) standing: watch::Sender<Standing>,
}

/// What changes while the keeper runs.
struct Running {
    waiting: HashMap<Ticket, oneshot::Sender<Told>>,
    tickets: Ticket,
    exchanges: JoinSet<()>,
    replies: Replies,
    writable: bool,
    /// Whether this run wrote anything.
    wrote: bool,
    /// Whether the keeper ends: nothing is sent any more.
    ending: bool,
    compact_at: u64,
}

impl Keeper {
    pub(crate) async fn run(mut self) {
        let (replies, mut arriving) = mpsc::channel::<(Exchange, Reply)>(REPLIES_MAX);
        let mut running = Running {
            waiting: HashMap::new(),
            tickets: 0,
            exchanges: JoinSet::new(),
            replies,
            writable: true,
            wrote: false,
            ending: false,
            compact_at: self.machine.settings().compact_bytes,
        };
        let closed = loop {
            let Ok(wake) = self.work(&mut running).await else {
                // Nothing can be written any more. Who waits is told that the outcome is not known.
                return;
            };
            let wake = wake.map(|uptime| self.clock.instant(uptime));
            tokio::select! {
                call = self.calls.recv() => match call {
                    None => break None,
                    Some(Call::Close(done)) => break Some(done),
                    Some(call) => self.take_call(call, &mut running).await,
                },
                Some((exchange, reply)) = arriving.recv() => {
                    self.machine.replied(&self.clock.now(), &exchange, reply);
                    if let Some(off) = self.wire.clock_news() {
                        let seconds = off.as_secs();
                        self.notices.tell(Notice::ClockWrong { seconds });
                    }
                }
                () = self.notices.catch_up() => {}
                () = sleep_until(wake) => {}
            }
        };
        // Replies that are here already still count.
        running.exchanges.shutdown().await;
        while let Ok((exchange, reply)) = arriving.try_recv() {
            self.machine.replied(&self.clock.now(), &exchange, reply);
        }
        self.end(running).await;
        if let Some(done) = closed {
            let _ = done.send(());
        }
    }

    /// Gives up what somebody waits for, as at a deadline, and turns away who comes too late.
    async fn end(mut self, mut running: Running) {
        self.calls.close();
        running.ending = true;
        self.machine.stop(&self.clock.now());
        // If it fails, those who wait are told that the outcome is not known.
        let worked = self.work(&mut running).await;
        if worked.is_ok() && running.wrote {
            let at = self.clock.now().at;
            // Without it the next opening tells the last sale again.
            let _ = self.append(vec![Entry::Told { at }]).await;
        }
        drop(self.journal);
        while let Ok(call) = self.calls.try_recv() {
            if let Call::Ask(_, answer) = call {
                let verdict = Verdict::Refused(Refusal::Closed);
                let request_id = None;
                // They may be gone too.
                let _ = answer.send(Told {
                    request_id,
                    verdict,
                });
            }
        }
    }

    async fn take_call(&mut self, call: Call, running: &mut Running) {
        match call {
            Call::Ask(mut ask, answer) => {
                ask.correct_scan(self.wire.correction());
                running.tickets = running.tickets.wrapping_add(1);
                running.waiting.insert(running.tickets, answer);
                let now = self.clock.now();
                self.machine.order(&now, running.tickets, *ask);
            }
            Call::Look(look) => look(&mut self.machine),
            Call::Compact(done) => {
                let compacted = self.compact(running).await;
                let _ = done.send(compacted);
            }
            Call::Close(_) => {}
        }
    }

    /// Carries out every step there is, and says when there may be another. An error means that the
    /// keeper has to end.
    async fn work(
        &mut self,
        running: &mut Running,
    ) -> Result<Option<Duration>, tokio::task::JoinError> {
        let wake = loop {
            let step = match self.machine.next(&self.clock.now()) {
                Next::Do(step) => step,
                Next::Wait(wake) => break wake,
            };
            match step {
                Step::Write(entries) => match self.append(entries).await? {
                    Ok(()) => {
                        (running.writable, running.wrote) = (true, true);
                        self.machine.written(&self.clock.now());
                    }
                    Err(error) => {
                        running.writable = false;
                        self.machine
                            .unwritten(&self.clock.now(), &error.to_string());
                    }
                },
                // It is in the journal, for the next run.
                Step::Send(_) if running.ending => {}
                Step::Send(exchange) => {
                    let replies = running.replies.clone();
                    let wire = self.wire.clone();
                    running.exchanges.spawn(wire.exchange(exchange, replies));
                }
                Step::Tell {
                    ticket,
                    request_id,
                    verdict,
                } => {
                    if let Some(waiting) = running.waiting.remove(&ticket) {
                        // Whoever asked may have gone away; the verdict is in the journal.
                        let _ = waiting.send(Told {
                            request_id,
                            verdict,
                        });
                    }
                }
                Step::Notice(notice) => self.notices.tell(notice),
            }
        };
        while running.exchanges.try_join_next().is_some() {}
        self.publish(running);
        let bytes = self.journal.as_ref().map_or(0, Journal::bytes);
        if bytes > running.compact_at {
            // What fails here is tried again when the journal has grown.
            let _ = self.compact(running).await;
        }
        Ok(wake)
    }

    fn publish(&self, running: &Running) {
        let standing = Standing {
            unsettled: self.machine.book().unsettled(),
            away: self.machine.is_away(),
            writable: running.writable,
        };
        self.standing
            .send_if_modified(|told| std::mem::replace(told, standing) != standing);
    }

    async fn append(
        &mut self,
        entries: Vec<Entry>,
    ) -> Result<io::Result<()>, tokio::task::JoinError> {
        let Some(mut journal) = self.journal.take() else {
            return Ok(Err(io::Error::other("the journal is closed")));
        };
        let (journal, written) = spawn_blocking(move || {
            let written = journal.append(&entries);
            (journal, written)
        })
        .await?;
        self.journal = Some(journal);
        Ok(written)
    }

    /// Makes the journal smaller if every request has its end.
    async fn compact(&mut self, running: &mut Running) -> io::Result<bool> {
        if !self.machine.is_settled() {
            return Ok(false);
        }
        let Some(mut journal) = self.journal.take() else {
            return Ok(false);
        };
        let now = self.clock.now();
        let mut entries = self.machine.compacted(&now);
        entries.push(Entry::Told { at: now.at });
        let done = spawn_blocking(move || {
            let done = journal.compact(&entries);
            (journal, entries, done)
        });
        let (journal, entries, done) = done.await.map_err(io::Error::other)?;
        // A journal full of what has to be kept is not made anew for every request.
        let least = self.machine.settings().compact_bytes;
        running.compact_at = journal.bytes().saturating_mul(2).max(least);
        self.journal = Some(journal);
        done?;
        self.machine.compact(&entries);
        Ok(true)
    }
}

/// Notices on their way to whoever listens. Nobody may be listening, or not fast enough: the sale goes
/// on, and a request that came to another end than was promised waits until there is room.
pub(crate) struct Notices {
    listener: mpsc::Sender<Notice>,
    late: VecDeque<Notice>,
}

impl Notices {
    pub(crate) fn new(listener: mpsc::Sender<Notice>) -> Self {
        let late = VecDeque::new();
        Self { listener, late }
    }

    fn tell(&mut self, notice: Notice) {
        if let Err(TrySendError::Full(notice)) = self.listener.try_send(notice)
            && matters(&notice)
        {
            self.late.push_back(notice);
        }
    }

    /// Passes on one that waits; never ends while none does.
    async fn catch_up(&mut self) {
        if self.late.is_empty() {
            return std::future::pending().await;
        }
        match self.listener.reserve().await {
            Ok(room) => {
                if let Some(notice) = self.late.pop_front() {
                    room.send(notice);
                }
            }
            // Nobody listens any more.
            Err(_) => self.late.clear(),
        }
    }
}

/// Whether a cashier was promised something else.
fn matters(notice: &Notice) -> bool {
    matches!(notice, Notice::Settled { verdict, .. } if !matches!(verdict, Verdict::Approved(_)))
}

async fn sleep_until(wake: Option<std::time::Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => std::future::pending().await,
    }
}
