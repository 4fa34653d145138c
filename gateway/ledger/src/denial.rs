//! Why something that a shopper, a shop or staff asked for was not done.

use crate::account::words;

words! {
    /// Why something that a shopper, a shop or staff asked for was not done. A till's declines are
    /// [`Reason`](pos_protocol::Reason)s.
    Denial {
        /// The person behind the record was erased.
        MemberErased = "member_erased",
        /// One of the members is blocked; staff lets it take part again first.
        MemberBlocked = "member_blocked",
        /// Both are one member already.
        AlreadyMerged = "already_merged",
        /// The record was not merged into another.
        NotMerged = "not_merged",
        /// The person would have more records than can be merged.
        TooManyRecords = "too_many_records",
        /// The person would have more points than a ledger carries.
        AmountTooLarge = "amount_too_large",
        /// No such code, or one that was used or has ended.
        UnknownCode = "unknown_code",
        /// Too many wrong codes were entered; a new one is needed.
        TooManyAttempts = "too_many_attempts",
        /// The number is on another card.
        NumberTaken = "number_taken",
        /// Somebody else changed it first.
        Moved = "moved",
        /// The card was revoked.
        CardRevoked = "card_revoked",
        /// Somebody wants to approve what they proposed themselves.
        OwnProposal = "own_proposal",
        /// The proposal was approved or refused already.
        ProposalDecided = "proposal_decided",
        /// Nobody decided the proposal in time.
        ProposalExpired = "proposal_expired",
        /// The programme has no such class of points.
        UnknownClass = "unknown_class",
    }
}
