//! Reads over the whole programme, one at a time.
//!
//! They go on the connections that tills read by, so there is never more than one of them, also when people stop
//! waiting and ask again: a statement that was begun is not ended by a caller that hung up, and keeps its turn.

use std::sync::Arc;

use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::super::problem::Problem;

/// Whose turn it is.
#[derive(Clone, Default)]
pub(in super::super) struct Turns(Arc<Mutex<()>>);

impl Turns {
    /// Reads when it is this one's turn. Who hangs up before has not begun; who does later has it read to its end.
    pub(super) async fn run<T>(
        &self,
        reading: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
    {
        let turn = self.0.clone().lock_owned().await;
        let task = async move {
            let _turn = turn;
            reading.await
        };
        let task = tokio::spawn(task.in_current_span());
        task.await.map_err(Problem::fault)?
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn who_hangs_up_keeps_the_turn_until_the_read_has_ended() {
        let turns = Turns::default();
        let (begun, has_begun) = oneshot::channel();
        let (end, ends) = oneshot::channel::<()>();
        let reading = {
            let turns = turns.clone();
            tokio::spawn(async move {
                let read = async move {
                    begun.send(()).ok();
                    ends.await.ok();
                    Ok(())
                };
                turns.run(read).await
            })
        };
        has_begun.await.unwrap();
        reading.abort();
        assert!(reading.await.unwrap_err().is_cancelled());
        assert!(turns.0.try_lock().is_err(), "its statement still runs");
        end.send(()).unwrap();
        turns.run(async { Ok(()) }).await.unwrap();
    }
}
