//! The beginning and the end of a run: whose requests follow, and what who still waits is told.

use super::Machine;
use crate::client::{moment::Moment, record::Owner, verdict::Why};

impl Machine {
    /// Whose requests this run writes down. Before the first step.
    pub fn belong_to(&mut self, owner: Owner) {
        self.names.belong_to(owner);
        self.new_names = Some(self.names.opened().clone());
    }

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
