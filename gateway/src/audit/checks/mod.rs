//! The checks: each one sentence about a member's rows, and a pure function that holds them to it.
//!
//! A check reads only the rows it is given and derives what a stored number should be from other
//! rows, never from itself. Every check has a test that corrupts one row and sees it fail.

mod balances;
mod bindings;
mod cards;
mod events;
mod holds;
mod orders;
mod persons;
mod purchases;
pub(super) mod requests;
mod transfers;

use super::{rows::MemberRows, tally::Tally};

/// A sentence that has to be true of every member's rows.
pub struct Check {
    /// The invariant of the design it belongs to.
    pub invariant: &'static str,
    /// Its short name.
    pub name: &'static str,
    /// The sentence.
    pub says: &'static str,
    /// Holds one member's rows to it.
    pub(super) run: fn(&MemberRows, &mut Tally),
}

macro_rules! checks {
    ($($invariant:literal $module:ident $check:ident: $says:literal;)*) => {
        &[$(Check { invariant: $invariant, name: concat!(stringify!($module), ".", stringify!($check)), says: $says, run: $module::$check },)*]
    };
}

/// Every check, in the order of the invariants.
pub const CHECKS: &[Check] = checks! {
    "I1" transfers balanced: "a transfer moves at least one point between two different accounts that its motive allows";
    "I1" transfers belong: "a transfer that touches a member's points names one of the member's lots";
    "I9" balances lots: "a lot's available, held, pending and granted points are what its transfers add up to";
    "I9" balances members: "a member's points are the sum of the lots, and what the transfers add up to";
    "I9" balances pending: "the pending grants of a lot add up to its pending points";
    "I9" balances held: "the open holds of a lot add up to its held points, and of a member to the count of open holds";
    "I5" holds resolved_once: "a hold is captured, voided, reversed or expired once, and every point of it accounted for";
    "I5" holds captured_by_one: "a captured hold has exactly one purchase";
    "I9" purchases moved: "a purchase redeemed and earned what its transfers moved";
    "I9" purchases refunds: "refunds never give back more than was paid or take more than was earned, and add up";
    "I9" purchases refund_moved: "a refund restored and clawed back what its transfers moved";
    "I3" cards named_by_key: "a card's id is the hash of its key, and every text and code was made by one of the member's cards";
    "I3" bindings one_basket: "a card text or short code serves one basket of one terminal";
    "I3" bindings one_purchase: "a basket has at most one purchase that stands";
    "I4" requests named_once: "every authorization, purchase and refund is the effect of exactly one stored request";
    "I4" requests effects: "every approved request has its effect, and every declined or tombstoned one has none";
    "I6" requests answers: "every stored answer can be read and says what its effect's row says";
    "I9" orders purchases: "an order names one purchase of its own, of its goods, at its terminal; none that stands is left out";
    "I9" orders returned: "what an EC shop took back is what it told of the order, and all of it";
    "I10" persons forgotten: "an erased member has no identity, no points to spend and an empty profile";
    "I7" events sequence: "a member's events are numbered from 1 without a gap";
    "I7" events places: "a member's events got their places in the stream in the order of their numbers";
    "I7" events told_once: "every authorization, purchase and refund was told exactly once, and every end of a hold";
    "I7" events have_rows: "every event has the row it is about";
};

#[cfg(test)]
mod tests;
