//! Tells people that somebody joined their membership. Owed from the moment the merge is committed: a
//! gateway that dies leaves it to the next one, and whoever closes a connection stops nothing.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use ledger::identity::Merge;
use outbound::delivery::Delivery;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    person::notice,
    secrets::Secrets,
    store::{Store, StoreError},
};

/// Merges taken at once.
const PAGE_MERGES: u32 = 20;
/// The pause once nothing is due.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a notice is put off that could not be delivered, or whose gateway died.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(3);
/// After so long nobody is told any more.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The job's parts.
#[derive(Clone)]
pub struct Notices {
    /// Where the merges are.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// To open the profiles in which the addresses stand.
    pub secrets: Arc<Secrets>,
    /// Where notices go.
    pub delivery: Delivery,
}

impl Notices {
    /// Tells until `shutdown` is cancelled. Run it as a task.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            let more = self.page().await.unwrap_or_else(|error| {
                tracing::warn!(error = %error, "notices.page_failed");
                false
            });
            let pause = if more { Duration::ZERO } else { PAUSE };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Tells what is due, at most a page of it; whether there may be more.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn page(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let again_at = now.checked_add(AGAIN_AFTER).unwrap_or(now);
        let due = self
            .store
            .take_untold_merges(now, again_at, PAGE_MERGES)
            .await?;
        for merge in &due {
            if self.is_told(merge).await {
                self.store.merge_told(merge.id, self.clock.now()).await?;
            }
        }
        Ok(due.len() >= usize::try_from(PAGE_MERGES).unwrap_or(usize::MAX))
    }

    /// Whether nobody is to be told of it any more.
    async fn is_told(&self, merge: &Merge) -> bool {
        let told = notice::merged(
            &self.store,
            &self.secrets,
            &self.delivery,
            &self.clock,
            merge,
        );
        let Err(error) = told.await else {
            return true;
        };
        let given_up = self.clock.now().duration_since(merge.at) > GIVEN_UP_AFTER;
        tracing::warn!(member.id = %merge.into, error = %error, given_up, "person.notice_failed");
        given_up
    }
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}
