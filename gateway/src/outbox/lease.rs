//! When a gateway may take the relay's lease, or the intake's, from another one.
//!
//! Each side measures with its own monotonic clock only. A holder stops sending when the last beat that
//! it knows of was begun [`limits::RELAY_HOLD_MS`] ago; a rival takes over when it has seen one beat
//! for [`limits::RELAY_UNSEEN_MS`], which is longer, counted from when it had seen it first to when it
//! asked again. So the holder has stopped when the rival starts, and what it sent is on its way.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::{limits, store::Lease};

/// What a gateway has seen of a lease it would like to have.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    seen: Option<(i64, Instant)>,
}

impl Watch {
    /// Whether `holder` may try to take the lease, which it asked for at `asked` and got at `answered`.
    pub(crate) fn may_take(
        &mut self,
        lease: Lease,
        holder: Uuid,
        asked: Instant,
        answered: Instant,
    ) -> bool {
        // Its own from before: a taking whose answer was lost.
        if lease.holder.is_none_or(|other| other == holder) {
            return true;
        }
        match self.seen {
            Some((beat, since)) if beat == lease.beat => {
                let unseen = Duration::from_millis(limits::RELAY_UNSEEN_MS);
                asked.saturating_duration_since(since) >= unseen
            }
            _ => {
                self.seen = Some((lease.beat, answered));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_lease_is_taken_when_it_is_free_or_stands_still() {
        let (me, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let start = clock::instant();
        let at = |ms| start + Duration::from_millis(ms);
        let lease = |holder, beat| Lease {
            holder,
            beat,
            mark: 0,
        };
        let mut watch = Watch::default();
        assert!(watch.may_take(lease(None, 7), me, at(0), at(1)));
        assert!(watch.may_take(lease(Some(me), 7), me, at(0), at(1)));
        let unseen = limits::RELAY_UNSEEN_MS;
        // The first sight counts from its answer, the second from its question.
        assert!(!watch.may_take(lease(Some(other), 7), me, at(0), at(100)));
        assert!(!watch.may_take(lease(Some(other), 7), me, at(unseen), at(unseen + 500)));
        // It lives.
        assert!(!watch.may_take(lease(Some(other), 8), me, at(unseen + 50), at(unseen + 50)));
        assert!(!watch.may_take(
            lease(Some(other), 8),
            me,
            at(unseen + 100),
            at(unseen + 100)
        ));
        assert!(watch.may_take(
            lease(Some(other), 8),
            me,
            at(2 * unseen + 50),
            at(9 * unseen)
        ));
    }
}
