//! Records of persons: identities, codes, merges, orders, personal data.

use std::collections::BTreeMap;

use ledger::{
    command::{Adjustment, Direction},
    identity::{
        Claim, Identity, IdentityKey, IdentityKind, LinkCode, Merge, MergeAct, Proof, Verification,
    },
    lot::Scope,
    order::{Described, Facts, Order, OrderState, Returned},
    profile::{Profile, SealedProfile, Terms},
    proposal::{Proposal, ProposalState},
};
use pos_protocol::{
    MemberId, MergeId, OrderCustomer, OrderLine, PlacedOrder, Points, PurchaseId, StoreId,
};

use super::{member_id, terminal, time, uuid, yen};

pub(crate) fn identity(number: u8, owner: MemberId) -> Identity {
    Identity {
        key: IdentityKey([number; 32]),
        kind: IdentityKind::EcCustomer,
        issuer: "main".to_owned(),
        member_id: owner,
        label: "42".to_owned(),
        proof: Proof::Order,
        actor: "shop:main".to_owned(),
        proven_at: time(31),
        revoked_at: None,
    }
}

pub(crate) fn revoked_identity(number: u8, owner: MemberId) -> Identity {
    Identity {
        member_id: member_id(9),
        label: "t***@example.jp".to_owned(),
        proof: Proof::OneTimeCode,
        actor: "card:1".to_owned(),
        proven_at: time(32),
        revoked_at: Some(time(33)),
        ..identity(number, owner)
    }
}

pub(crate) fn link_code(number: u8, owner: MemberId) -> LinkCode {
    LinkCode {
        hash: [number; 32],
        member_id: owner,
        shown_by: "card".to_owned(),
        expires_at: time(34),
        cool_down: true,
        used_at: None,
    }
}

pub(crate) fn verification(number: u128, owner: MemberId) -> Verification {
    Verification {
        id: uuid(number),
        member_id: owner,
        claim: Claim {
            key: IdentityKey([7; 32]),
            kind: IdentityKind::Phone,
            issuer: String::new(),
            label: "090-****-5678".to_owned(),
        },
        code_hash: [8; 32],
        expires_at: time(35),
        attempts: 0,
        used_at: None,
    }
}

/// An adjustment that waits for another person.
pub(crate) fn proposal(number: u128, owner: MemberId) -> Proposal {
    Proposal {
        id: uuid(number),
        adjustment: Adjustment {
            member_id: owner,
            direction: Direction::Take,
            points: Points::new(7_000).unwrap(),
            class: "base".to_owned(),
            scope: Scope {
                stores: [StoreId::new("ginza").unwrap()].into(),
                categories: ["food".to_owned()].into(),
            },
            reason: "誤り".to_owned(),
            actor: "staff-1".to_owned(),
        },
        proposed_at: time(36),
        expires_at: time(37),
        state: ProposalState::Open,
        decided_by: None,
        decided_at: None,
        decision_reason: None,
    }
}

pub(crate) fn decided_proposal(number: u128, owner: MemberId) -> Proposal {
    Proposal {
        state: ProposalState::Approved,
        decided_by: Some("staff-2".to_owned()),
        decided_at: Some(time(38)),
        decision_reason: Some("checked".to_owned()),
        ..proposal(number, owner)
    }
}

pub(crate) fn merge(number: u128, act: MergeAct, owner: MemberId) -> Merge {
    Merge {
        id: MergeId::new(uuid(number)),
        act,
        member_id: owner,
        into: member_id(2),
        proof: Proof::Staff,
        reason: "同一人物".to_owned(),
        actor: "staff:ume".to_owned(),
        at: time(36),
    }
}

/// An order that little is known of.
pub(crate) fn order(name: &str) -> Order {
    Order {
        shop_id: "main".parse().expect("a shop id"),
        id: name.parse().expect("an order id"),
        member_id: None,
        terminal_id: terminal("shop-main"),
        state: OrderState::Announced,
        facts: Facts::default(),
        purchase_id: None,
        remark: None,
        first_at: time(37),
        changed_at: time(38),
    }
}

/// An order with something in every column.
pub(crate) fn full_order(name: &str, owner: MemberId) -> Order {
    let placed = PlacedOrder {
        number: "#1001".to_owned(),
        ordered_at: time(0),
        customer: OrderCustomer::default(),
        lines: vec![OrderLine {
            line_id: "l1".to_owned(),
            sku: "sku".to_owned(),
            name: "甘味".to_owned(),
            category: "food".to_owned(),
            quantity: 2,
            amount: yen(2_000),
            tax_rate: 8,
        }],
        shipping_fee: yen(500),
        total: yen(2_500),
        tax: yen(193),
        redemption: None,
    };
    let back = Returned {
        lines: BTreeMap::from([("l1".to_owned(), 1)]),
        amount: yen(10),
    };
    Order {
        member_id: Some(owner),
        state: OrderState::PartlyShipped,
        facts: Facts {
            described: Some(Described {
                as_of: time(1),
                placed,
            }),
            paid: true,
            cancelled: false,
            all_shipped: false,
            shipped: BTreeMap::from([("l1".to_owned(), 1)]),
            refunds: BTreeMap::from([("r1".to_owned(), back)]),
        },
        purchase_id: Some(PurchaseId::new(uuid(31))),
        remark: Some("odd".to_owned()),
        changed_at: time(39),
        ..order(name)
    }
}

pub(crate) fn profile(owner: MemberId) -> Profile {
    Profile {
        member_id: owner,
        version: 1,
        sealed: SealedProfile {
            key_id: "k1".to_owned(),
            wrapped_key: vec![1, 2, 3],
            sealed: vec![4, 5],
            terms: Terms {
                email: Some([1; 32]),
                phone: Some([2; 32]),
                person: Some([3; 32]),
                kana: Some([4; 32]),
            },
        },
        changed_at: time(40),
    }
}

/// The personal data of somebody who was erased.
pub(crate) fn erased_profile(owner: MemberId) -> Profile {
    Profile {
        version: 2,
        sealed: SealedProfile::default(),
        changed_at: time(41),
        ..profile(owner)
    }
}
