//! The end of a run: who still waits is told what a deadline would have told them.

use super::Machine;
use crate::client::{moment::Moment, verdict::Why};

impl Machine {
    /// The till stops: nobody waits any longer than now. What is to be written and told for that is
    /// in the next steps; what they would send is left to the next run.
    pub fn stop(&mut self, now: &Moment) {
        for live in self.live.values_mut() {
            if let Some((_, until)) = &mut live.waiting {
                *until = (*until).min(now.uptime);
                live.why.get_or_insert(Why::Restarted);
            }
        }
    }
}
