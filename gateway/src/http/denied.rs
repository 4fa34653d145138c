//! What a caller is told when a rule about persons says no.

use ledger::{decision::Answer, denial::Denial};
use pos_protocol::MemberId;

use super::{
    App,
    problem::{Problem, ProblemKind},
};

/// A rule says no.
pub(super) fn denied(denial: Denial) -> Problem {
    let text = match denial {
        Denial::MemberErased => "the person was erased",
        Denial::MemberBlocked => "one of the members is blocked",
        Denial::AlreadyMerged => "both are one member already",
        Denial::NotMerged => "the record was not merged into another",
        Denial::TooManyRecords => "the person would have more records than can be merged",
        Denial::AmountTooLarge => "the person would have more points than a ledger carries",
        Denial::UnknownCode => "no such code, or it was used or has ended",
        Denial::TooManyAttempts => "too many wrong codes; ask for a new one",
        Denial::NumberTaken => "the number is on another card",
        Denial::Moved => "it was changed meanwhile; read it again",
        Denial::CardRevoked => "the card was revoked",
        Denial::OwnProposal => "nobody approves what they proposed themselves",
        Denial::ProposalDecided => "the proposal was approved or refused already",
        Denial::ProposalExpired => "nobody decided the proposal in time; propose it anew",
        Denial::UnknownClass => "the programme has no such class of points",
    };
    Problem::new(ProblemKind::Conflict, format!("{}: {text}.", denial.word()))
}

/// What the ledger says to staff when it did not do what was asked.
pub(super) fn no(answer: &Answer) -> Problem {
    match answer {
        Answer::Denied(denial) => denied(*denial),
        Answer::Refused(reason) => Problem::new(
            ProblemKind::Conflict,
            format!("{}: the rules of the programme say no.", reason.word()),
        ),
        Answer::NotFound => Problem::new(ProblemKind::UnknownResource, "There is no such thing."),
        other => unexpected(other),
    }
}

/// An answer that this call never gets.
pub(super) fn unexpected(answer: &Answer) -> Problem {
    Problem::fault(format!("the ledger answered {answer:?}"))
}

impl App {
    /// The link would merge the caller with another member.
    pub(super) async fn would_merge(&self, other: MemberId) -> Problem {
        match self.store().member(other).await {
            Ok(record) => {
                let number = record.map(|record| record.member.number.masked());
                let number = number.unwrap_or_default();
                Problem::new(
                    ProblemKind::WouldMerge,
                    format!(
                        "The other side is the member {number}; send `agree_to_merge`: true to become one member."
                    ),
                )
            }
            Err(error) => error.into(),
        }
    }
}
