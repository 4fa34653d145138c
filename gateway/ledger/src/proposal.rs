//! Adjustments by staff that four eyes have to see.
//!
//! Up to a limit somebody adjusts alone. What goes beyond is only proposed: no point moves until another
//! person approves it, in the same decision that books it. Nobody approves their own proposal; a proposal
//! is decided once; one that nobody decided in time is over.

use jiff::{SignedDuration, Timestamp};
use pos_protocol::Points;
use uuid::Uuid;

use crate::{
    account::words,
    command::{Adjustment, AdjustmentRequest, ProposalDecision},
    decision::{Answer, Stop},
    denial::Denial,
    posting::Posting,
    programme::DeskRule,
};

words! {
    /// What has become of a proposal.
    ProposalState {
        /// Nobody decided it yet. Whether it may still be decided, its end says.
        Open = "open",
        /// Another person approved it, and it was booked.
        Approved = "approved",
        /// It was refused, or taken back by who proposed it.
        Refused = "refused",
    }
}

/// An adjustment that another person has to approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The proposal.
    pub id: Uuid,
    /// What is to be booked; its actor proposes it.
    pub adjustment: Adjustment,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// It must be decided before this.
    pub expires_at: Timestamp,
    /// What has become of it.
    pub state: ProposalState,
    /// Who decided it.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why, in words.
    pub decision_reason: Option<String>,
}

/// Whether one person may adjust so many points alone, after so many within a day.
#[must_use]
pub fn may_alone(rule: &DeskRule, points: Points, within_a_day: Points) -> bool {
    points <= rule.alone_points_max
        && within_a_day
            .checked_add(points)
            .is_some_and(|sum| sum <= rule.alone_points_per_day_max)
}

impl Posting<'_> {
    pub(crate) fn request_adjustment(
        &mut self,
        request: &AdjustmentRequest,
    ) -> Result<Answer, Stop> {
        let adjustment = &request.adjustment;
        let rule = self.programme().desk.clone();
        if may_alone(&rule, adjustment.points, request.within_a_day) {
            return self.adjust(adjustment);
        }
        // What could not be booked now is no proposal.
        let trial = self.trial().adjust(adjustment)?;
        if trial != Answer::Done {
            return Ok(trial);
        }
        let life = SignedDuration::from_hours(i64::from(rule.proposal_hours.get()));
        let id = self.new_id();
        let expires_at = self.now.checked_add(life).unwrap_or(self.now);
        let proposal = Proposal {
            id,
            adjustment: adjustment.clone(),
            proposed_at: self.now,
            expires_at,
            state: ProposalState::Open,
            decided_by: None,
            decided_at: None,
            decision_reason: None,
        };
        self.put_proposal(id, proposal);
        Ok(Answer::Proposed { id, expires_at })
    }

    pub(crate) fn decide_proposal(&mut self, decision: &ProposalDecision) -> Result<Answer, Stop> {
        let Some(proposal) = self.proposal(decision.id).cloned() else {
            return Ok(Answer::NotFound);
        };
        if proposal.state != ProposalState::Open {
            return Ok(Answer::Denied(Denial::ProposalDecided));
        }
        if self.now >= proposal.expires_at {
            return Ok(Answer::Denied(Denial::ProposalExpired));
        }
        if decision.approve {
            if decision.actor == proposal.adjustment.actor {
                return Ok(Answer::Denied(Denial::OwnProposal));
            }
            let proposed_by = &proposal.adjustment.actor;
            let adjustment = Adjustment {
                actor: format!("{proposed_by}, approved by {}", decision.actor),
                ..proposal.adjustment.clone()
            };
            let answer = self.adjust(&adjustment)?;
            if answer != Answer::Done {
                return Ok(answer);
            }
        }
        let state = match decision.approve {
            true => ProposalState::Approved,
            false => ProposalState::Refused,
        };
        let decided = Proposal {
            state,
            decided_by: Some(decision.actor.clone()),
            decided_at: Some(self.now),
            decision_reason: Some(decision.reason.clone()),
            ..proposal
        };
        self.put_proposal(decided.id, decided);
        Ok(Answer::Done)
    }
}
