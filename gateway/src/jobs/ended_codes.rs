//! Deletes link codes and verifications that ended more than a day ago. Nothing rests on it: a code that
//! has ended is refused whether or not it is still there.

use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    store::{Store, StoreError},
};

/// Rows of one table deleted at once: tills wait for no more.
const PAGE_ROWS: u32 = 200;
/// The pause between two pages.
const PAGE_PAUSE: Duration = Duration::from_secs(1);
/// The pause once nothing is left.
const PAUSE: Duration = Duration::from_secs(15 * 60);
/// How long an ended code stays.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The job's parts.
#[derive(Debug, Clone)]
pub struct EndedCodes {
    /// Where the codes are.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
}

impl EndedCodes {
    /// Deletes until `shutdown` is cancelled. Run it as a task.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut pause = PAGE_PAUSE;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = match self.page().await {
                Ok(true) => PAGE_PAUSE,
                Ok(false) => PAUSE,
                Err(error) => {
                    tracing::warn!(error = %error, "ended_codes.page_failed");
                    PAUSE
                }
            };
        }
    }

    /// Deletes one page; whether there may be more.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn page(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let before = now.checked_sub(KEPT).unwrap_or(now);
        let gone = self.store.delete_ended_codes(before, PAGE_ROWS).await?;
        Ok(gone >= usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use ledger::{
        command::{Command, MakeLinkCode, Operation, Side},
        decision::Answer,
        identity::{Claim, IdentityKey, IdentityKind, Newcomer},
        member::MemberNo,
    };
    use pos_protocol::{CommandId, MemberId};

    use super::*;
    use crate::{
        programme_file,
        store::{DatabaseUrl, PoolSizes},
        writer::{Writer, WriterOptions},
    };

    #[tokio::test]
    async fn a_code_stays_for_a_day_after_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(directory.path().join("codes.db"));
        let store = Store::open(&url, PoolSizes::default()).await.unwrap();
        store.migrate().await.unwrap();
        let clock = Clock::manual("2026-11-22T03:00:00Z".parse().unwrap());
        let (writer, _lanes) =
            Writer::start(&store, clock.clone(), &WriterOptions::for_store(&store));
        let submit = |operation| {
            let id = CommandId::new(clock.new_id());
            writer.submit(Command { id, operation }, None)
        };
        let programme = programme_file::parse("demo.toml", programme_file::DEMO).unwrap();
        let activation = ledger::command::Activation {
            replaces: 0,
            programme: programme.into(),
            source: programme_file::DEMO.into(),
            actor: "test".into(),
        };
        submit(Operation::ActivateProgramme(Box::new(activation)))
            .await
            .unwrap();
        let make = MakeLinkCode {
            hash: [1; 32],
            side: Side::Identity(Claim {
                key: IdentityKey([2; 32]),
                kind: IdentityKind::EcCustomer,
                issuer: "main".into(),
                label: "42".into(),
            }),
            shown_by: "shop:main".into(),
            newcomer: Newcomer {
                member_id: MemberId::new(clock.new_id()),
                member_no: MemberNo::from_seed(1),
            },
        };
        let made = submit(Operation::MakeLinkCode(Box::new(make.clone()))).await;
        assert!(matches!(made, Ok(Answer::CodeMade { .. })));
        let job = EndedCodes {
            store: store.clone(),
            clock: clock.clone(),
        };
        clock.advance(SignedDuration::from_hours(24));
        assert!(!job.page().await.unwrap());
        // Still there: the same code cannot be made again.
        let again = submit(Operation::MakeLinkCode(Box::new(make.clone()))).await;
        assert!(matches!(again, Ok(Answer::Denied(_))), "{again:?}");
        clock.advance(SignedDuration::from_mins(11));
        assert!(!job.page().await.unwrap());
        let anew = submit(Operation::MakeLinkCode(Box::new(make))).await;
        assert!(matches!(anew, Ok(Answer::CodeMade { .. })), "{anew:?}");
    }
}
