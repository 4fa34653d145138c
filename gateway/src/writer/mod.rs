//! The one write path: commands in, batches through the database, answers out.
//!
//! A command goes to the lane of its member. A lane takes whatever is queued, up to a limit, runs it
//! as one transaction, answers all, and takes the next. There is no timer: idle, a batch is one
//! command and waits for nothing; loaded, batches grow by themselves.
//!
//! Lanes make one member's commands meet in one batch. Correctness never rests on that: other
//! gateways share the database, and rows are locked in sorted order before they are read.
//!
//! A lane is a task of its own. A caller that goes away leaves its command to be carried out; no
//! transaction is ever left half-way on a pooled connection.

mod batch;
mod families;
mod health;
mod lane;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use ledger::{command::Command, decision::Answer};
use pos_protocol::MemberId;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use crate::{clock::Clock, limits, store::Store};

/// Is told which members a committed batch touched.
pub type Committed = Arc<dyn Fn(&[MemberId]) + Send + Sync>;

/// What a writer is made with.
#[derive(Clone)]
pub struct WriterOptions {
    /// Lanes, each with a connection of its own. SQLite has one writer, so one lane serves it best.
    pub lanes: usize,
    /// Commands in one batch, at most. One makes every command a transaction of its own.
    pub batch_commands_max: usize,
    /// Commands waiting in one lane, at most; the next one is refused at once.
    pub queue_commands_max: usize,
    /// How long a caller waits for its answer before the outcome counts as unknown.
    pub answer_deadline: Duration,
    /// Told which members a committed batch touched.
    pub committed: Committed,
}

impl WriterOptions {
    /// The defaults for this store.
    #[must_use]
    pub fn for_store(store: &Store) -> Self {
        let lanes = match store {
            Store::Postgres { .. } => 2,
            Store::Sqlite { .. } => 1,
        };
        Self {
            lanes,
            batch_commands_max: limits::BATCH_COMMANDS_MAX,
            queue_commands_max: limits::LANE_QUEUE_COMMANDS_MAX,
            answer_deadline: Duration::from_millis(900),
            committed: Arc::new(|_| {}),
        }
    }
}

impl fmt::Debug for WriterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriterOptions")
            .field("lanes", &self.lanes)
            .field("batch_commands_max", &self.batch_commands_max)
            .field("queue_commands_max", &self.queue_commands_max)
            .field("answer_deadline", &self.answer_deadline)
            .finish_non_exhaustive()
    }
}

/// Why a command has no answer. None of these says anything about points.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The lane is full. Nothing happened; try again in a moment.
    #[error("too many commands are waiting")]
    QueueFull,
    /// The writer is shutting down. Nothing happened.
    #[error("the gateway is shutting down")]
    ShuttingDown,
    /// The database cannot take writes now. Nothing happened.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The command may have been carried out or not; ask again under the same request id.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// A defect: the state or the rows contradict themselves. Nothing happened.
    #[error("fault: {0}")]
    Fault(String),
}

/// A command on its way, with the time it arrived and where its answer goes.
struct Job {
    command: Command,
    arrived_at: Timestamp,
    member_hint: Option<MemberId>,
    reply: oneshot::Sender<Result<Answer, WriteError>>,
}

/// The entrance to the lanes. Cheap to clone; the lanes end when every clone is gone.
#[derive(Clone, Debug)]
pub struct Writer {
    lanes: Arc<[mpsc::Sender<Job>]>,
    clock: Clock,
    answer_deadline: Duration,
    tally: Arc<Tally>,
}

/// What the lanes tell of themselves.
#[derive(Debug)]
struct Tally {
    batches: AtomicU64,
    families: families::Families,
    health: health::Health,
}

/// The running lanes.
#[derive(Debug)]
pub struct Lanes(JoinSet<()>);

impl Lanes {
    /// Waits until every queued command has been answered. Comes back once all [`Writer`]s are gone.
    pub async fn drained(mut self) {
        while let Some(ended) = self.0.join_next().await {
            if let Err(error) = ended {
                tracing::error!(error = %error, "writer.lane_failed");
            }
        }
    }
}

impl Writer {
    /// Starts the lanes.
    #[must_use]
    pub fn start(store: &Store, clock: Clock, options: &WriterOptions) -> (Self, Lanes) {
        let mut tasks = JoinSet::new();
        let tally = Arc::new(Tally {
            batches: AtomicU64::new(0),
            families: families::Families::new(),
            health: health::Health::new(),
        });
        let lanes = (0..options.lanes.max(1))
            .map(|number| {
                let (sender, receiver) = mpsc::channel(options.queue_commands_max.max(1));
                let lane = lane::Lane::new(number, store.clone(), options, tally.clone());
                tasks.spawn(Arc::new(lane).run(receiver));
                sender
            })
            .collect();
        (
            Self {
                lanes,
                clock,
                answer_deadline: options.answer_deadline,
                tally,
            },
            Lanes(tasks),
        )
    }

    /// Has one command decided and made durable. `member_hint` names the member it will turn out to
    /// be about, if the caller knows; it chooses the lane and the first lock, and decides nothing.
    ///
    /// # Errors
    /// [`WriteError`], none of which is an answer. After [`WriteError::OutcomeUnknown`] the command
    /// may still be carried out.
    pub async fn submit(
        &self,
        command: Command,
        member_hint: Option<MemberId>,
    ) -> Result<Answer, WriteError> {
        let place = member_hint.map_or(command.id.as_uuid(), MemberId::as_uuid);
        let Some(lane) = self.lanes.get(lane_of(place, self.lanes.len())) else {
            return Err(WriteError::ShuttingDown);
        };
        let (reply, answer) = oneshot::channel();
        let job = Job {
            command,
            arrived_at: self.clock.now(),
            member_hint,
            reply,
        };
        lane.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => {
                metrics::counter!("gateway_writer_queue_full_total").increment(1);
                WriteError::QueueFull
            }
            mpsc::error::TrySendError::Closed(_) => WriteError::ShuttingDown,
        })?;
        match tokio::time::timeout(self.answer_deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(WriteError::OutcomeUnknown("the lane ended".into())),
            Err(_) => Err(WriteError::OutcomeUnknown(
                "no answer within the deadline".into(),
            )),
        }
    }

    /// Batches run so far over all lanes.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.tally.batches.load(Ordering::Relaxed)
    }

    /// Whether the write path works: false for a few seconds after a batch failed because the database
    /// could not take it, until one succeeds, and when a lane has ended.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.tally.health.is_good() && self.lanes.iter().all(|lane| !lane.is_closed())
    }

    /// How many commands wait in each lane, and how many may.
    #[must_use]
    pub fn depths(&self) -> Vec<(usize, usize)> {
        let lanes = self.lanes.iter();
        let depth = |lane: &mpsc::Sender<Job>| {
            let most = lane.max_capacity();
            (most.saturating_sub(lane.capacity()), most)
        };
        lanes.map(depth).collect()
    }

    /// Commands waiting over all lanes.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.lanes
            .iter()
            .map(|lane| lane.max_capacity() - lane.capacity())
            .sum()
    }
}

/// The lane of a member: a multiplicative hash, because v7 ids differ mostly in their middle.
fn lane_of(id: uuid::Uuid, lanes: usize) -> usize {
    let (high, low) = id.as_u64_pair();
    let mixed = (high ^ low.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    usize::try_from(mixed).unwrap_or(0) % lanes.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_spread_over_the_lanes() {
        let clock = Clock::system();
        let mut seen = [0_u32; 4];
        for _ in 0..4_000 {
            seen[lane_of(clock.new_id(), 4)] += 1;
        }
        assert!(
            seen.iter().all(|count| (800..1_200).contains(count)),
            "{seen:?}"
        );
    }
}
