//! What can be asked about a person: identities, merges, profiles; and what EC shops report.

use jiff::civil::Date;
use member_card::CardId;
use pos_protocol::{MemberId, OrderStatement, Points, ShopId};
use uuid::Uuid;

use crate::{
    card_use::{ShortCodeHash, Till},
    identity::{Claim, CodeHash, Newcomer, Proof},
    member::CardKind,
    profile::SealedProfile,
};

/// One of the two sides of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// A card that signed the request.
    Card(CardId),
    /// A member that a code or staff names.
    Member(MemberId),
    /// An identity that was proved, or that a shop states of its own customer.
    Identity(Claim),
}

/// Two sides, both proved, turn out to be one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Who asks.
    pub asker: Side,
    /// The other side.
    pub other: Side,
    /// How the other side was proved.
    pub proof: Proof,
    /// Who says so.
    pub actor: String,
    /// Whether the asker agreed to a merge, should both be members.
    pub agreed: bool,
    /// The other side must be known already: a shop's word makes no identity of its own.
    pub only_known: bool,
    /// After a merge the asker's records only earn for some hours.
    pub cool_down: bool,
    /// The member to make for an asker that nobody knows, where it has to be held back.
    pub newcomer: Option<Newcomer>,
}

/// A code is to be shown that links whoever enters it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeLinkCode {
    /// SHA-256 of the code.
    pub hash: CodeHash,
    /// To whom it is shown.
    pub side: Side,
    /// The channel that shows it.
    pub shown_by: String,
    /// The member to make for a shop's customer that nobody knows.
    pub newcomer: Newcomer,
}

/// A code that links was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnterLinkCode {
    /// SHA-256 of the code.
    pub hash: CodeHash,
    /// Who entered it.
    pub side: Side,
    /// The channel it was entered in.
    pub actor: String,
    /// Whether who entered it agreed to a merge.
    pub agreed: bool,
}

/// A code was sent to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartVerification {
    /// The card that asks.
    pub card_id: CardId,
    /// The address.
    pub claim: Claim,
    /// SHA-256 of the code.
    pub code_hash: CodeHash,
}

/// A code that was sent to an address came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// The verification.
    pub id: Uuid,
    /// The card that asks; the one that began.
    pub card_id: CardId,
    /// SHA-256 of the code that came back.
    pub code_hash: CodeHash,
    /// Whether the asker agreed to a merge, should the address be another member's.
    pub agreed: bool,
}

/// A plastic card or wallet pass is made known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueCard {
    /// The card, first 8 bytes of `key`.
    pub card_id: CardId,
    /// Keyed hash of its number, 32 bytes.
    pub key: Vec<u8>,
    /// Plastic or wallet.
    pub kind: CardKind,
    /// Its last digits.
    pub name: String,
    /// The card that asks for it; none makes a new member.
    pub asker: Option<CardId>,
    /// The member to make.
    pub newcomer: Newcomer,
    /// Points it brings along.
    pub lots: Vec<OpeningLot>,
    /// Where it comes from, for example `import:base.csv`.
    pub origin: String,
    /// Who.
    pub actor: String,
}

/// Points that a card of an older system brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningLot {
    /// How many.
    pub points: Points,
    /// Their class.
    pub class: String,
    /// The last day they can be spent; none as the class says.
    pub expires_on: Option<Date>,
}

/// Staff merges two members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merging {
    /// The one that becomes an alias.
    pub member_id: MemberId,
    /// The one that stays.
    pub into: MemberId,
    /// Why, in words.
    pub reason: String,
    /// Who.
    pub actor: String,
}

/// Staff parts a merged member from the one it was merged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmerging {
    /// The alias.
    pub member_id: MemberId,
    /// Why, in words.
    pub reason: String,
    /// Who.
    pub actor: String,
}

/// An EC shop says how an order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderReport {
    /// The shop.
    pub shop_id: ShopId,
    /// The terminal and store that stand for the shop.
    pub till: Till,
    /// What it says. Without the customer, who is `customer`.
    pub statement: OrderStatement,
    /// Who ordered.
    pub customer: Option<Claim>,
    /// Hash of shop and order: the order as a basket.
    pub used: ShortCodeHash,
    /// The member to make for a customer that nobody knows.
    pub newcomer: Newcomer,
}

/// Personal data, sealed at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileChange {
    /// The member.
    pub member_id: MemberId,
    /// The version it was changed from; 0 where there was none.
    pub replaces: i64,
    /// The sealed data.
    pub sealed: SealedProfile,
    /// Who.
    pub actor: String,
}

/// The person behind a member is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The member.
    pub member_id: MemberId,
    /// Why, in words.
    pub reason: String,
    /// Who.
    pub actor: String,
}
