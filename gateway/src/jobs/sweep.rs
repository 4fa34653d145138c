//! The sweep: lets time pass for members nobody asks about.
//!
//! Holds that ran out, pending points that mature, lots past their last day: every decision about a
//! member settles them first, so correctness never waits for the sweep. It makes balances, events and
//! reports right for the members in between. Several gateways may sweep at once; the second finds
//! nothing left to do.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use ledger::{
    calendar,
    command::{Command, Operation},
    decision::Answer,
};
use pos_protocol::{CommandId, MemberId};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    store::{Store, StoreError},
    writer::{WriteError, Writer},
};

/// Members swept in one round.
const ROUND_MEMBERS_MAX: u32 = 256;
/// Sweeps waiting in the writer at once: tills come first.
const IN_FLIGHT_MAX: usize = 16;
/// The longest pause after rounds that failed.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// The sweep's parts.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// Where due members are looked up.
    pub store: Store,
    /// Where they are settled.
    pub writer: Writer,
    /// What time it is.
    pub clock: Clock,
    /// The pause between two rounds.
    pub every: Duration,
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Members that were due, at most a round full.
    pub due: u32,
    /// Those that were settled.
    pub swept: u32,
}

impl Round {
    /// Whether more members may be due already.
    fn is_full(self) -> bool {
        self.due >= ROUND_MEMBERS_MAX && self.swept > 0
    }
}

impl Sweep {
    /// Sweeps until `shutdown` is cancelled. Run it as a task.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut pause = self.every;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = match self.round().await {
                Ok(round) if round.is_full() => Duration::ZERO,
                Ok(round) if round.swept == round.due => self.every,
                Ok(round) => {
                    let left = round.due - round.swept;
                    tracing::warn!(sweep.members_left = left, "sweep.members_left");
                    longer(pause, self.every)
                }
                Err(error) => {
                    metrics::counter!("gateway_sweep_failed_rounds_total").increment(1);
                    tracing::warn!(error = %error, "sweep.round_failed");
                    longer(pause, self.every)
                }
            };
        }
    }

    /// Settles the members that are due now, at most a round full of them.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be looked up.
    pub async fn round(&self) -> Result<Round, StoreError> {
        let now = self.clock.now();
        self.measure(now).await?;
        let Some(in_force) = self.store.programme().await? else {
            return Ok(Round::default());
        };
        let today = calendar::today(&in_force.programme, now);
        let due = self
            .store
            .members_due(now, today, ROUND_MEMBERS_MAX)
            .await?;
        let count = u32::try_from(due.len()).unwrap_or(u32::MAX);
        let swept = stream::iter(due)
            .map(|member_id| self.settle(member_id))
            .buffer_unordered(IN_FLIGHT_MAX)
            .filter(|settled| std::future::ready(*settled))
            .count()
            .await;
        let swept = u32::try_from(swept).unwrap_or(u32::MAX);
        metrics::counter!("gateway_sweep_members_total").increment(swept.into());
        Ok(Round { due: count, swept })
    }

    async fn settle(&self, member_id: MemberId) -> bool {
        let command = Command {
            id: CommandId::new(self.clock.new_id()),
            operation: Operation::Sweep { member_id },
        };
        match self.writer.submit(command, Some(member_id)).await {
            Ok(Answer::Done) => true,
            Ok(answer) => {
                tracing::error!(member.id = %member_id, answer = ?answer, "sweep.unexpected_answer");
                false
            }
            // The writer has told of its own trouble.
            Err(WriteError::QueueFull | WriteError::ShuttingDown) => false,
            Err(error) => {
                tracing::warn!(member.id = %member_id, error = %error, "sweep.member_failed");
                false
            }
        }
    }

    /// How long the oldest hold has been over its time, for alarms.
    async fn measure(&self, now: Timestamp) -> Result<(), StoreError> {
        let oldest = self.store.oldest_overdue_hold(now).await?;
        let age = oldest.map_or(0.0, |at| now.duration_since(at).as_secs_f64());
        metrics::gauge!("gateway_sweep_oldest_overdue_hold_seconds").set(age);
        Ok(())
    }
}

fn longer(pause: Duration, every: Duration) -> Duration {
    pause.max(every).saturating_mul(2).min(PAUSE_MAX.max(every))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_never_fall_below_the_usual_one() {
        let seconds = Duration::from_secs;
        assert_eq!(longer(seconds(0), seconds(5)), seconds(10));
        assert_eq!(longer(seconds(40), seconds(5)), seconds(60));
        assert_eq!(longer(seconds(90), seconds(90)), seconds(90));
    }

    #[test]
    fn only_a_full_round_that_got_somewhere_is_followed_at_once() {
        let round = |due, swept| Round { due, swept }.is_full();
        assert!(round(ROUND_MEMBERS_MAX, 1));
        assert!(!round(ROUND_MEMBERS_MAX, 0));
        assert!(!round(3, 3));
    }
}
