//! Short names for what a script talks about.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use ledger::{
    card_use::{CardProof, Till},
    command::{Enrol, PosCommand},
    identity::{Claim, Newcomer},
    member::MemberNo,
};
use member_card::CardId;
use pos_protocol::MemberId;
use serde_json::Value;
use uuid::Uuid;

/// What the names of a script stand for.
#[derive(Default)]
pub(super) struct Names {
    /// Card texts and short codes that the script named.
    pub(super) cards: BTreeMap<String, CardProof>,
    /// The text a basket first showed of a member, used until the basket ends.
    pub(super) baskets: BTreeMap<(String, String, String), CardProof>,
    /// What was asked under a label, and the first answer to it.
    pub(super) requests: BTreeMap<String, (PosCommand, Value)>,
    /// Requests without a label.
    pub(super) unnamed: u32,
    /// Plastic cards and wallet passes.
    pub(super) numbers: BTreeSet<String>,
    /// Verifications that were begun.
    pub(super) verifications: BTreeMap<String, Uuid>,
}

/// A number that stands for a name, the same in every run.
pub(super) fn number(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// The member of this name.
pub(crate) fn member_id(name: &str) -> MemberId {
    MemberId::new(uuid(name))
}

/// An id that stands for a name.
pub(super) fn uuid(name: &str) -> Uuid {
    Uuid::from_u64_pair(number(name), number(name))
}

/// The card of the member of this name.
pub(crate) fn card_id(name: &str) -> CardId {
    CardId::new(number(name))
}

/// The till of this name; `s1.t2` stands in store `s1`.
pub(crate) fn till(name: &str) -> Till {
    let (store, _) = name.split_once('.').expect("a till is named store.till");
    Till {
        terminal_id: name.parse().unwrap(),
        store_id: store.parse().unwrap(),
    }
}

/// What enrols the member of this name.
pub(crate) fn enrol(name: &str) -> Enrol {
    Enrol {
        card_id: card_id(name),
        public_key: vec![4; 65],
        member_id: member_id(name),
        member_no: MemberNo::from_seed(number(name)),
    }
}

/// The member to make for this name.
pub(crate) fn newcomer(name: &str) -> Newcomer {
    Newcomer {
        member_id: member_id(name),
        member_no: MemberNo::from_seed(number(name)),
    }
}

/// A stand-in for a hash of what has this name.
pub(crate) fn hash(name: &str) -> [u8; 32] {
    let mut hash = [5; 32];
    hash[..8].copy_from_slice(&number(name).to_be_bytes());
    hash
}

/// The identity of this name, as somebody shows it.
pub(crate) fn claim(name: &str) -> Claim {
    super::script::claim_of(name)
}

/// What an order of the shop is counted by, as a basket.
pub(crate) fn order_use(order_id: &str) -> [u8; 32] {
    hash(&format!("order {order_id}"))
}
