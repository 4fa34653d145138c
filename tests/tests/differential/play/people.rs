//! What is asked about persons: merges, links, cards that are numbers, orders of two shops, profiles,
//! erasure. Ids and addresses are few, so that they meet again.

use ledger::{
    card_use::{CardProof, Till},
    command::{
        Ask, Confirm, EnterLinkCode, Erasure, IssueCard, Link, MakeLinkCode, Merging, OpeningLot,
        Operation, OrderReport, PosCommand, ProfileChange, Side, StartVerification, Unmerging,
    },
    decision::Answer,
    identity::{Claim, IdentityKey, IdentityKind, Newcomer, Proof},
    member::{CardKind, MemberNo},
    profile::{SealedProfile, Terms},
};
use member_card::CardId;
use pos_protocol::{
    AuthorizationId, BasketId, LineQuantity, MemberId, OrderCustomer, OrderLine, OrderRedemption,
    OrderRefund, OrderStatement, PlacedOrder, Points, RequestId, Shipped, StoreId, TerminalId, Yen,
};
use uuid::Uuid;

use super::Play;

/// Identities there are.
const CLAIMS: u64 = 60;
/// Orders of each shop that are talked about at a time.
const OPEN_ORDERS: u64 = 12;

/// What was made for persons so far.
#[derive(Default)]
pub(super) struct People {
    newcomers: u64,
    numbers: Vec<(CardId, CardKind)>,
    codes: Vec<[u8; 32]>,
    verifications: Vec<(Uuid, CardId)>,
    holds: Vec<(String, AuthorizationId)>,
}

fn claim(number: u64) -> Claim {
    let kinds = IdentityKind::ALL;
    let kind = kinds[usize::try_from(number).unwrap() % kinds.len()];
    let issuer = match kind {
        IdentityKind::EcCustomer | IdentityKind::EcGuest => shop_name(number / 5),
        IdentityKind::OpenId => "https://id.example".to_owned(),
        IdentityKind::Email | IdentityKind::Phone => String::new(),
    };
    Claim {
        key: IdentityKey([u8::try_from(number).unwrap(); 32]),
        kind,
        issuer,
        label: format!("n***{number}"),
    }
}

fn shop_name(number: u64) -> String {
    format!("shop-{}", number % 2)
}

fn shop_till(shop: &str) -> Till {
    Till {
        terminal_id: TerminalId::new(&format!("{shop}.ec")).unwrap(),
        store_id: StoreId::new("store-ec").unwrap(),
    }
}

/// What stands for an order as a basket.
fn used(shop: &str, order_id: &str) -> [u8; 32] {
    let name = format!("{shop}/{order_id}");
    let mut used = [0xEC; 32];
    used[..name.len()].copy_from_slice(name.as_bytes());
    used
}

impl Play {
    /// Something about a person.
    pub(super) fn person(&mut self) {
        match self.dice.below(34) {
            0..=2 => self.merge(),
            3..=4 => self.unmerge(),
            5..=7 => self.link(),
            8..=9 => self.make_link_code(),
            10..=11 => self.enter_link_code(),
            12..=13 => self.start_verification(),
            14..=15 => self.confirm(),
            16 => self.revoke_identity(),
            17 => self.issue_card(),
            18 => self.name_card(),
            19..=20 => self.hold_for_order(),
            21..=29 => self.report_order(),
            30..=32 => self.set_profile(),
            _ => self.erase(),
        }
    }

    /// A proof by a card that is a number, if there is one.
    pub(super) fn number(&mut self) -> Option<CardProof> {
        let (card_id, kind) = *self.dice.pick(&self.people.numbers)?;
        Some(match kind {
            CardKind::Wallet => CardProof::Pass {
                card_id,
                step_at: u32::try_from(self.now.as_second() / 30 * 30).unwrap(),
            },
            CardKind::Plastic | CardKind::Device => {
                let mut used = [0xCA; 32];
                used[..8].copy_from_slice(&card_id.get().to_be_bytes());
                used[8] = u8::try_from(self.dice.below(40)).unwrap();
                CardProof::Number { card_id, used }
            }
        })
    }

    fn coin(&mut self) -> bool {
        self.dice.below(2) == 0
    }

    fn newcomer(&mut self) -> Newcomer {
        self.people.newcomers += 1;
        let number = 1_000 + self.people.newcomers;
        Newcomer {
            member_id: MemberId::new(Uuid::from_u128(
                u128::from(number) << 64 | 7 << 76 | 2 << 62,
            )),
            member_no: MemberNo::from_seed(1_000_000 + number),
        }
    }

    /// Anybody, with or without a card.
    fn anybody(&mut self) -> MemberId {
        let all: Vec<_> = self.state.members.keys().copied().collect();
        *self.dice.pick(&all).unwrap()
    }

    fn claim(&mut self) -> Claim {
        claim(self.dice.below(CLAIMS))
    }

    fn side(&mut self) -> Side {
        match self.dice.below(3) {
            0 => Side::Card(self.member().1),
            1 => Side::Member(self.anybody()),
            _ => Side::Identity(self.claim()),
        }
    }

    fn merge(&mut self) {
        let (member_id, into) = (self.anybody(), self.anybody());
        self.step(Operation::Merge(Box::new(Merging {
            member_id,
            into,
            reason: "the same".into(),
            actor: "staff".into(),
        })));
    }

    fn unmerge(&mut self) {
        let members = self.state.members.values();
        let merged: Vec<_> = members
            .filter(|member| member.merged_into.is_some())
            .map(|member| member.id)
            .collect();
        let member_id = match self.dice.pick(&merged) {
            Some(id) => *id,
            None => self.anybody(),
        };
        self.step(Operation::Unmerge(Box::new(Unmerging {
            member_id,
            reason: "two".into(),
            actor: "staff".into(),
        })));
    }

    fn link(&mut self) {
        let (asker, other) = (self.side(), self.side());
        let proofs = Proof::ALL;
        let proof = *self.dice.pick(proofs).unwrap();
        let link = Link {
            asker,
            other,
            proof,
            actor: "shop:shop-0".into(),
            agreed: self.dice.below(4) == 0,
            only_known: self.dice.below(4) == 0,
            cool_down: self.coin(),
            newcomer: None,
        };
        self.step(Operation::Link(Box::new(link)));
    }

    fn make_link_code(&mut self) {
        let again = self.dice.below(20) == 0;
        let known = self.people.codes.last().copied().filter(|_| again);
        let hash = known.unwrap_or_else(|| {
            let mut hash = [3; 32];
            hash[..8].copy_from_slice(&(self.people.codes.len() as u64).to_be_bytes());
            hash
        });
        self.people.codes.push(hash);
        let make = MakeLinkCode {
            hash,
            side: self.side(),
            shown_by: "card".into(),
            newcomer: self.newcomer(),
        };
        self.step(Operation::MakeLinkCode(Box::new(make)));
    }

    fn enter_link_code(&mut self) {
        let recent = self.people.codes.len().saturating_sub(4);
        let hash = self.dice.pick(&self.people.codes[recent..]).copied();
        let enter = EnterLinkCode {
            hash: hash.unwrap_or([4; 32]),
            side: self.side(),
            actor: "shop:shop-1".into(),
            agreed: self.coin(),
        };
        self.step(Operation::EnterLinkCode(Box::new(enter)));
    }

    fn start_verification(&mut self) {
        let (card_id, claim) = (self.member().1, self.claim());
        let start = StartVerification {
            card_id,
            claim,
            code_hash: [5; 32],
        };
        if let Answer::CodeMade { id, .. } =
            self.step(Operation::StartVerification(Box::new(start)))
        {
            self.people.verifications.push((id, card_id));
        }
    }

    fn confirm(&mut self) {
        let recent = self.people.verifications.len().saturating_sub(4);
        let known = self.dice.pick(&self.people.verifications[recent..]);
        let (id, mut card_id) = known.copied().unwrap_or((Uuid::max(), CardId::new(1)));
        if self.dice.below(10) == 0 {
            card_id = self.member().1;
        }
        let wrong = self.dice.below(4) == 0;
        let confirm = Confirm {
            id,
            card_id,
            code_hash: if wrong { [6; 32] } else { [5; 32] },
            agreed: self.dice.below(3) == 0,
        };
        self.step(Operation::Confirm(Box::new(confirm)));
    }

    fn revoke_identity(&mut self) {
        let all: Vec<_> = self.state.identities.values().cloned().collect();
        let (member_id, key) = match self.dice.pick(&all) {
            Some(row) if self.dice.below(5) > 0 => (row.member_id, row.key),
            _ => (self.anybody(), self.claim().key),
        };
        self.step(Operation::RevokeIdentity { member_id, key });
    }

    fn issue_card(&mut self) {
        let number = u8::try_from(self.dice.below(40)).unwrap();
        let kind = if self.coin() {
            CardKind::Wallet
        } else {
            CardKind::Plastic
        };
        let key = [number; 32];
        let card_id = CardId::of_number(&key);
        let lots = (0..self.dice.below(3)).map(|lot| OpeningLot {
            points: Points::new(i64::from(number) * 3).unwrap(),
            class: ["base", "bonus"][usize::try_from(lot).unwrap()].to_owned(),
            expires_on: (number % 3 > 0)
                .then(|| format!("2026-1{}-20", 1 + number % 2).parse().unwrap()),
        });
        let issue = IssueCard {
            card_id,
            key: key.to_vec(),
            kind,
            name: format!("{number:04}"),
            lots: lots.collect(),
            asker: (self.coin()).then(|| self.member().1),
            newcomer: self.newcomer(),
            origin: "import:base.csv".into(),
            actor: "staff".into(),
        };
        if let Answer::Enrolled { created: true, .. } =
            self.step(Operation::IssueCard(Box::new(issue)))
        {
            self.people.numbers.push((card_id, kind));
        }
    }

    fn name_card(&mut self) {
        let (member_id, card_id) = self.member();
        let name = format!("phone {}", self.dice.below(3));
        self.step(Operation::NameCard {
            member_id,
            card_id,
            name,
        });
    }

    /// A shop, and one of the orders that it talks about these days.
    fn shop_and_order(&mut self) -> (String, String) {
        let shop = shop_name(self.dice.below(2));
        let first = self.steps.len() as u64 / 400 * 8;
        (shop, format!("o{}", first + self.dice.below(OPEN_ORDERS)))
    }

    fn hold_for_order(&mut self) {
        let (shop, order_id) = self.shop_and_order();
        let request_id = RequestId::new(&format!("e{}", self.steps.len())).unwrap();
        let pos = PosCommand {
            till: shop_till(&shop),
            request_id,
            fingerprint: [8; 32],
            ask: Ask::Authorization {
                basket_id: BasketId::new(&order_id).unwrap(),
                card: CardProof::Customer {
                    key: self.claim().key,
                    used: used(&shop, &order_id),
                },
                points: self.points(300),
            },
        };
        if let Answer::Message(text) = self.step(Operation::Pos(pos)) {
            let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
            if let Ok(id) = serde_json::from_value(answer["authorization"]["id"].clone()) {
                self.people.holds.push((order_id, id));
            }
        }
    }

    fn report_order(&mut self) {
        let (shop, order_id) = self.shop_and_order();
        let refunds = (0..self.dice.below(6).saturating_sub(3)).map(|_| self.refund_of_order());
        let refunds: Vec<_> = refunds.collect();
        let shipped = match self.dice.below(6) {
            0 => Shipped::Everything,
            1..=2 => Shipped::Lines(vec![self.pieces()]),
            _ => Shipped::Nothing,
        };
        let statement = OrderStatement {
            as_of: self.now,
            placed: (self.dice.below(4) > 0).then(|| self.placed(&order_id)),
            paid: self.coin(),
            cancelled: self.dice.below(12) == 0,
            shipped,
            refunds,
            order_id: order_id.parse().unwrap(),
        };
        assert_eq!(statement.violation(), None);
        let report = OrderReport {
            shop_id: shop.parse().unwrap(),
            till: shop_till(&shop),
            statement,
            customer: (self.dice.below(3) > 0).then(|| self.claim()),
            used: used(&shop, &order_id),
            newcomer: self.newcomer(),
        };
        self.step(Operation::ReportOrder(Box::new(report)));
    }

    fn pieces(&mut self) -> LineQuantity {
        LineQuantity {
            line_id: format!("l{}", self.dice.below(3)),
            quantity: 1 + u32::try_from(self.dice.below(3)).unwrap(),
        }
    }

    fn refund_of_order(&mut self) -> OrderRefund {
        let whole = self.coin();
        OrderRefund {
            refund_id: format!("r{}", self.dice.next()),
            lines: if whole {
                vec![self.pieces()]
            } else {
                Vec::new()
            },
            amount: if whole {
                Yen::ZERO
            } else {
                Yen::new(1 + i64::try_from(self.dice.below(900)).unwrap()).unwrap()
            },
        }
    }

    fn placed(&mut self, order_id: &str) -> PlacedOrder {
        // Mostly the same goods, so that most descriptions change nothing.
        let variant = u32::from(self.dice.below(6) == 0);
        let lines: Vec<_> = (0..2 + variant)
            .map(|number| OrderLine {
                line_id: format!("l{number}"),
                sku: format!("sku-{number}"),
                name: "goods".into(),
                category: if number == 1 { "food" } else { "books" }.into(),
                quantity: 1 + number,
                amount: Yen::new(3_000 + i64::from(number) * 777).unwrap(),
                tax_rate: 10,
            })
            .collect();
        let shipping_fee = Yen::new(i64::from(variant) * 500).unwrap();
        let total = Yen::total(lines.iter().map(|line| line.amount)).saturating_add(shipping_fee);
        let mut holds = self.people.holds.iter().rev();
        let hold = holds
            .find(|(order, _)| order == order_id)
            .map(|(_, id)| *id);
        PlacedOrder {
            number: "1".into(),
            ordered_at: self.now,
            customer: OrderCustomer::default(),
            lines,
            shipping_fee,
            total,
            tax: Yen::ZERO,
            redemption: hold.map(|authorization_id| OrderRedemption {
                authorization_id,
                points: None,
            }),
        }
    }

    fn set_profile(&mut self) {
        let member_id = self.anybody();
        let known = self.state.profiles.get(&member_id);
        let version = known.map_or(0, |row| row.version);
        let stale = i64::from(self.dice.below(6) == 0);
        let byte = u8::try_from(self.dice.below(256)).unwrap();
        let term = |wanted: bool| wanted.then_some([byte; 32]);
        let change = ProfileChange {
            member_id,
            replaces: version + stale,
            sealed: SealedProfile {
                key_id: "k1".into(),
                wrapped_key: vec![byte; 40],
                sealed: vec![byte; 100],
                terms: Terms {
                    email: term(byte.is_multiple_of(2)),
                    phone: term(byte.is_multiple_of(3)),
                    person: term(byte.is_multiple_of(5)),
                    kana: term(byte.is_multiple_of(7)),
                },
            },
            actor: "staff".into(),
        };
        self.step(Operation::SetProfile(Box::new(change)));
    }

    fn erase(&mut self) {
        if self.dice.below(4) > 0 {
            return;
        }
        let erasure = Erasure {
            member_id: self.anybody(),
            reason: "asked".into(),
            actor: "staff".into(),
        };
        self.step(Operation::Erase(Box::new(erasure)));
    }
}
