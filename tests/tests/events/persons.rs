//! What the stand can ask for persons: links, merges, numbered cards, orders of a shop, erasure.

use gateway::clock::Clock;
use ledger::{
    command::{
        Confirm, Erasure, IssueCard, Link, Merging, Operation, OrderReport, ProfileChange, Side,
        StartVerification, Unmerging,
    },
    decision::Answer,
    identity::{Claim, IdentityKey, IdentityKind, Newcomer, Proof},
    member::{CardKind, MemberNo},
    profile::SealedProfile,
};
use member_card::CardId;
use pos_protocol::{
    LineQuantity, MemberId, OrderLine, OrderRefund, OrderStatement, PlacedOrder, Shipped, Yen,
};

use crate::stand::{Shopper, Stand, till};

/// The shop of all orders.
pub(crate) const SHOP: &str = "main";

/// A claim that is found by its number.
pub(crate) fn claim(kind: IdentityKind, number: u8) -> Claim {
    let of_shop = matches!(kind, IdentityKind::EcCustomer | IdentityKind::EcGuest);
    Claim {
        key: IdentityKey([number; 32]),
        kind,
        issuer: if of_shop { SHOP } else { "" }.into(),
        label: "a***@example.com".into(),
    }
}

/// Nothing said of an order yet.
pub(crate) fn statement(stand: &Stand, order_id: &str) -> OrderStatement {
    OrderStatement {
        order_id: order_id.parse().unwrap(),
        as_of: stand.now(),
        placed: None,
        paid: false,
        cancelled: false,
        shipped: Shipped::Nothing,
        refunds: Vec::new(),
    }
}

/// Two pieces of line `a` for so many yen, paid.
pub(crate) fn paid(stand: &Stand, order_id: &str, yen: i64) -> OrderStatement {
    let total = Yen::new(yen).unwrap();
    let line = OrderLine {
        line_id: "a".into(),
        sku: "4901".into(),
        name: "煎茶".into(),
        category: "food".into(),
        quantity: 2,
        amount: total,
        tax_rate: 8,
    };
    let placed = PlacedOrder {
        number: format!("#{order_id}"),
        ordered_at: stand.now(),
        customer: pos_protocol::OrderCustomer::default(),
        lines: vec![line],
        shipping_fee: Yen::ZERO,
        total,
        tax: Yen::new(yen * 8 / 108).unwrap(),
        redemption: None,
    };
    OrderStatement {
        placed: Some(placed),
        paid: true,
        ..statement(stand, order_id)
    }
}

/// One piece of line `a` and some yen came back.
pub(crate) fn refunded(stand: &Stand, order_id: &str, yen: i64) -> OrderStatement {
    let refund = |refund_id: &str, lines, amount| OrderRefund {
        refund_id: refund_id.into(),
        lines,
        amount,
    };
    let piece = LineQuantity {
        line_id: "a".into(),
        quantity: 1,
    };
    OrderStatement {
        refunds: vec![
            refund("r1", vec![piece], Yen::ZERO),
            refund("r2", Vec::new(), Yen::new(yen).unwrap()),
        ],
        ..statement(stand, order_id)
    }
}

impl Stand {
    fn newcomer(&self) -> Newcomer {
        Newcomer {
            member_id: MemberId::new(self.clock.new_id()),
            member_no: MemberNo::from_seed(u64::from(number_of(&self.clock))),
        }
    }

    pub(crate) async fn merge(&self, alias: MemberId, into: MemberId) {
        let merging = Merging {
            member_id: alias,
            into,
            reason: "the same person, by her licence".into(),
            actor: "cli:akiko".into(),
        };
        let answer = self.submit(Operation::Merge(Box::new(merging))).await;
        assert!(matches!(answer, Answer::Linked { .. }), "{answer:?}");
    }

    pub(crate) async fn unmerge(&self, alias: MemberId) {
        let unmerging = Unmerging {
            member_id: alias,
            reason: "two persons after all".into(),
            actor: "cli:akiko".into(),
        };
        let answer = self.submit(Operation::Unmerge(Box::new(unmerging))).await;
        assert_eq!(answer, Answer::Done);
    }

    /// Proves that an identity is the shopper's.
    pub(crate) async fn link(&self, shopper: Shopper, other: Claim) {
        let link = Link {
            asker: Side::Card(shopper.card_id),
            other: Side::Identity(other),
            proof: Proof::IdToken,
            actor: "shop:main".into(),
            agreed: false,
            only_known: false,
            cool_down: false,
            newcomer: None,
        };
        let answer = self.submit(Operation::Link(Box::new(link))).await;
        assert!(matches!(answer, Answer::Linked { .. }), "{answer:?}");
    }

    /// Sends a code to an address, and the shopper brings it back.
    pub(crate) async fn verify(&self, shopper: Shopper, claim: Claim) {
        let start = StartVerification {
            card_id: shopper.card_id,
            claim,
            code_hash: [5; 32],
        };
        let started = self.submit(Operation::StartVerification(Box::new(start)));
        let Answer::CodeMade { id, .. } = started.await else {
            panic!("no code was made");
        };
        let confirm = Confirm {
            id,
            card_id: shopper.card_id,
            code_hash: [5; 32],
            agreed: true,
        };
        let answer = self.submit(Operation::Confirm(Box::new(confirm))).await;
        assert!(matches!(answer, Answer::Linked { .. }), "{answer:?}");
    }

    pub(crate) async fn unlink(&self, member_id: MemberId, claim: &Claim) {
        let key = claim.key;
        let answer = self.submit(Operation::RevokeIdentity { member_id, key });
        assert_eq!(answer.await, Answer::Done);
    }

    /// A card that is a number, for a member of its own or for a shopper.
    pub(crate) async fn issue(
        &self,
        kind: CardKind,
        number: u8,
        asker: Option<Shopper>,
    ) -> Shopper {
        let key = [number; 32];
        let issue = IssueCard {
            card_id: CardId::of_number(&key),
            key: key.to_vec(),
            kind,
            name: "1234".into(),
            asker: asker.map(|shopper| shopper.card_id),
            newcomer: self.newcomer(),
            lots: Vec::new(),
            origin: "import:base.csv".into(),
            actor: "cli:akiko".into(),
        };
        match self.submit(Operation::IssueCard(Box::new(issue))).await {
            Answer::Enrolled {
                card_id, member_id, ..
            } => Shopper { member_id, card_id },
            other => panic!("{other:?}"),
        }
    }

    /// The shop says how an order stands; whose it is then.
    pub(crate) async fn order(
        &self,
        statement: OrderStatement,
        customer: Option<Claim>,
    ) -> MemberId {
        assert_eq!(statement.violation(), None);
        let mut used = [0xEC; 32];
        let id = statement.order_id.as_str().as_bytes();
        used[..id.len()].copy_from_slice(id);
        let mut shop = till("main.ec");
        shop.store_id = "ec-main".parse().unwrap();
        let report = OrderReport {
            shop_id: SHOP.parse().unwrap(),
            till: shop,
            statement,
            customer,
            used,
            newcomer: self.newcomer(),
        };
        match self.submit(Operation::ReportOrder(Box::new(report))).await {
            Answer::OrderBooked { member_id, .. } => member_id.expect("somebody ordered"),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn set_profile(&self, shopper: Shopper) {
        let change = ProfileChange {
            member_id: shopper.member_id,
            replaces: 0,
            sealed: SealedProfile {
                key_id: "k1".into(),
                wrapped_key: vec![1],
                sealed: vec![2],
                terms: ledger::profile::Terms::default(),
            },
            actor: "cli:akiko".into(),
        };
        let answer = self.submit(Operation::SetProfile(Box::new(change))).await;
        assert_eq!(answer, Answer::Done);
    }

    pub(crate) async fn erase(&self, member_id: MemberId) {
        let erasure = Erasure {
            member_id,
            reason: "asked to be forgotten".into(),
            actor: "cli:akiko".into(),
        };
        let answer = self.submit(Operation::Erase(Box::new(erasure))).await;
        assert_eq!(answer, Answer::Done);
    }
}

/// A number that differs from moment to moment.
fn number_of(clock: &Clock) -> u32 {
    u32::try_from(clock.now().as_millisecond().rem_euclid(1_000_000_000)).unwrap()
}
