//! Members and the cards that lead to them.

use std::{collections::BTreeSet, fmt};

use jiff::{Timestamp, civil::Date};
use member_card::CardId;
use pos_protocol::{MemberId, MemberView, Points};

use crate::account::words;

/// A member number: 11 digits and a Luhn check digit (ISO/IEC 7812-1), so that a typing slip is noticed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberNo(String);

impl MemberNo {
    /// The number with these eleven leading digits (`seed` modulo 10^11).
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let digits = format!("{:011}", seed % 100_000_000_000);
        let check = luhn(&digits);
        Self(format!("{digits}{check}"))
    }

    /// The number, if `text` is 12 digits with the right check digit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, check) = text.split_at_checked(11)?;
        let sound = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        (sound && check == luhn(digits).to_string()).then(|| Self(text.to_owned()))
    }

    /// The twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last four digits behind stars, as a cashier sees it.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("********{}", self.0.get(8..).unwrap_or_default())
    }
}

impl fmt::Display for MemberNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The Luhn check digit of `digits`.
fn luhn(digits: &str) -> u32 {
    // Twice the digit, its two digits added up.
    let doubled = |digit: u32| {
        [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
            .into_iter()
            .nth(digit as usize)
            .unwrap_or(0)
    };
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(place, digit)| {
            if place % 2 == 0 {
                doubled(digit)
            } else {
                digit
            }
        })
        .sum();
    10_u32.saturating_sub(sum % 10) % 10
}

words! {
    /// Whether a member takes part.
    MemberStatus {
        /// Takes part.
        Active = "active",
        /// Blocked by staff: earns nothing, spends nothing.
        Blocked = "blocked",
    }
}

/// One member record. The balances follow the transfers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The member.
    pub id: MemberId,
    /// What people call the member by.
    pub number: MemberNo,
    /// Whether the member takes part.
    pub status: MemberStatus,
    /// Rank in the programme.
    pub rank: String,
    /// Sum of the lots' available points.
    pub available: Points,
    /// Sum of the lots' held points.
    pub held: Points,
    /// Sum of the lots' pending points.
    pub pending: Points,
    /// Debt after clawbacks: minus the balance of `member.owed`.
    pub owed: Points,
    /// Authorizations in state held.
    pub open_holds: u32,
    /// Sequence number of the member's newest event.
    pub event_sequence: i64,
    /// Day of the newest purchase.
    pub last_activity_on: Option<Date>,
    /// When the member was made.
    pub enrolled_at: Timestamp,
    /// The record this one was merged into: an alias, whose cards and orders go on working.
    pub merged_into: Option<MemberId>,
    /// Records that were merged into this one.
    pub merged: BTreeSet<MemberId>,
    /// Until then the record's cards and customers earn and do not spend: it took over another's address.
    pub earn_only_until: Option<Timestamp>,
    /// When the person behind the record was erased; the ledger stays.
    pub erased_at: Option<Timestamp>,
}

impl Member {
    /// A member with nothing.
    #[must_use]
    pub fn new(id: MemberId, number: MemberNo, rank: &str, enrolled_at: Timestamp) -> Self {
        Self {
            id,
            number,
            status: MemberStatus::Active,
            rank: rank.to_owned(),
            available: Points::ZERO,
            held: Points::ZERO,
            pending: Points::ZERO,
            owed: Points::ZERO,
            open_holds: 0,
            event_sequence: 0,
            last_activity_on: None,
            enrolled_at,
            merged_into: None,
            merged: BTreeSet::new(),
            earn_only_until: None,
            erased_at: None,
        }
    }

    /// The records this one is linked to directly, by merges that stand.
    pub fn linked(&self) -> impl Iterator<Item = MemberId> + '_ {
        self.merged_into
            .into_iter()
            .chain(self.merged.iter().copied())
    }

    /// What a cashier sees.
    #[must_use]
    pub fn view(&self) -> MemberView {
        let masked = self.number.masked();
        let shown = masked.get(8..).unwrap_or_default();
        MemberView {
            display_name: format!("Member {shown}"),
            rank: self.rank.clone(),
            member_no_masked: masked,
        }
    }
}

words! {
    /// Whether a card is good.
    CardStatus {
        /// Good.
        Active = "active",
        /// Revoked, for ever.
        Revoked = "revoked",
    }
}

words! {
    /// What a card is, and so what it may do.
    CardKind {
        /// The key of one phone: earns, and spends what the phone allows.
        Device = "device",
        /// A wallet pass with a rotating barcode: earns, and spends up to the programme's limit.
        Wallet = "wallet",
        /// A number that anybody can copy: earns only.
        Plastic = "plastic",
    }
}

/// A card: what a till scans, leading to one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// First 8 bytes of SHA-256 of a phone's key; first 8 bytes of a number's keyed hash.
    pub id: CardId,
    /// Whose.
    pub member_id: MemberId,
    /// What it is.
    pub kind: CardKind,
    /// A phone's public key, a SEC1 uncompressed point of 65 bytes; a number's keyed hash, 32 bytes.
    pub public_key: Vec<u8>,
    /// What its owner calls it; for a number, its last digits. Empty if nobody gave it a name.
    pub name: String,
    /// Whether it is good.
    pub status: CardStatus,
    /// When the phone first showed it.
    pub enrolled_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}
