//! Names of requests and baskets: `JOURNAL-GENERATION-N`, unique without asking anybody.
//!
//! The journal's part is drawn once, the generation's at every opening. So two tills with one
//! terminal id differ, and so does a till whose journal was restored from yesterday's copy.

use super::{
    moment::Moment,
    record::{FORMAT, Opened, Owner},
};
use crate::{BasketId, IdError, RequestId};

/// Makes names.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    opened: Opened,
    count: u64,
}

impl Names {
    /// Names of a new generation of the journal that `before` is about, or of a new journal.
    pub(crate) fn next_generation(before: Option<&Opened>, now: &Moment, why: &str) -> Self {
        let journal = match before {
            Some(opened) => opened.journal.clone(),
            None => format!("{:08x}", now.noise >> 32),
        };
        Self {
            opened: Opened {
                format: FORMAT,
                journal,
                generation: format!("{:07x}", now.noise & 0x0FFF_FFFF),
                at: now.at,
                why: why.to_owned(),
                owner: before.and_then(|opened| opened.owner.clone()),
            },
            count: 0,
        }
    }

    pub(crate) fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Whose requests are named.
    pub(crate) fn belong_to(&mut self, owner: Owner) {
        self.opened.owner = Some(owner);
    }

    pub(crate) fn request(&mut self) -> Result<RequestId, IdError> {
        let name = self.next("");
        RequestId::new(&name)
    }

    pub(crate) fn basket(&mut self) -> Result<BasketId, IdError> {
        let name = self.next("b");
        BasketId::new(&name)
    }

    fn next(&mut self, kind: &str) -> String {
        self.count = self.count.saturating_add(1);
        let Opened {
            journal,
            generation,
            ..
        } = &self.opened;
        format!("{journal}-{generation}-{kind}{}", self.count)
    }
}
