//! Accounts and transfers: where points are and how they move.
//!
//! All accounts are credit-normal: a credit makes the balance grow, a debit makes it shrink. A
//! transfer has one debit and one credit of the same points, so the sum over all accounts is zero
//! after every transfer. There is no running "house" row: the programme's totals are sums.

use jiff::{Timestamp, civil::Date};
use pos_protocol::{LotId, MemberId, Points, StoreId, TransferId};
use uuid::Uuid;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value, in reading order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable word in rows and events.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The value a stored word stands for.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// An account. Member accounts belong to the transfer's member, store accounts to its store.
    Account {
        /// Points the member can spend.
        MemberAvailable = "member.available",
        /// Points promised to an open basket.
        MemberHeld = "member.held",
        /// Points earned and not yet spendable.
        MemberPending = "member.pending",
        /// What the member owes after a clawback; its balance is never above zero.
        MemberOwed = "member.owed",
        /// Where points come from; its balance is minus what was granted and not taken back.
        ProgrammeIssued = "programme.issued",
        /// Points that expired unspent.
        ProgrammeBreakage = "programme.breakage",
        /// Points on their way between two records of one person; zero after every command.
        ProgrammeClearing = "programme.clearing",
        /// Points spent at the store.
        StoreRedeemed = "store.redeemed",
        /// Points an advice claimed and no member had; the store bears them.
        StoreShortfall = "store.shortfall",
    }
}

words! {
    /// Why a transfer was made.
    Motive {
        /// A purchase earned.
        Accrual = "accrual",
        /// A member earned while owing.
        DebtSettlement = "debt_settlement",
        /// An authorization holds.
        Hold = "hold",
        /// A hold's points went back: captured in part, voided, reversed or timed out.
        Release = "release",
        /// A hold became a payment.
        Capture = "capture",
        /// An advice claimed more than there was.
        Shortfall = "shortfall",
        /// A refund gave spent points back.
        Restoration = "restoration",
        /// A refund took earned points back.
        Clawback = "clawback",
        /// Points passed their last day.
        Expiry = "expiry",
        /// Lapsed points of a refund were granted anew for some days.
        Grace = "grace",
        /// Pending points became spendable.
        Maturity = "maturity",
        /// Staff granted or took points.
        Adjustment = "adjustment",
        /// Points went to a basket of another record of the same person.
        Pooling = "pooling",
        /// Pooled points that were not spent went back.
        PoolingReturn = "pooling_return",
    }
}

/// Points moving from one account to another, for ever. `points` is above zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Derived from the command's id.
    pub id: TransferId,
    /// The member whose accounts or lots are touched; shortfalls name the member of the purchase.
    pub member_id: MemberId,
    /// The lot the points belong to, where a member account is touched (never for `member.owed` alone).
    pub lot_id: Option<LotId>,
    /// The account that loses.
    pub debit: Account,
    /// The account that gains.
    pub credit: Account,
    /// How many; at least 1.
    pub points: Points,
    /// Why.
    pub motive: Motive,
    /// The authorization, purchase, refund, pending grant, lot or command that caused it.
    pub source: Uuid,
    /// The store, where one is involved.
    pub store_id: Option<StoreId>,
    /// The store's business day, or the programme's calendar day where no store is involved.
    pub business_date: Date,
    /// When it was decided.
    pub at: Timestamp,
}
