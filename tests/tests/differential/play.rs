//! The seeded list: what tills, phones and staff might ask over some months, made while the core
//! decides it, so that later commands can name what earlier ones made.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use ledger::{
    calendar,
    card_use::{CardProof, Till},
    command::{
        Activation, Adjustment, Ask, Command, Direction, Enrol, Operation, Payment, PosCommand,
    },
    decide,
    decision::Answer,
    lot::Scope,
    member::MemberNo,
    programme::Programme,
    state::{Changes, InForce, State},
};
use member_card::{CardId, SigningKey, SpendLimit};
use pos_protocol::{
    Advice, BasketId, CommandId, MemberId, Points, Receipt, ReceiptLine, RefundLine, RequestId,
    SettlementTotals, StoreId, TerminalId, Yen,
};
use uuid::Uuid;

const MEMBERS: u64 = 40;
const TILLS: u64 = 4;

/// Splitmix64: small, seeded, the same everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to `sides` − 1.
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.next() % sides.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = usize::try_from(self.below(from.len() as u64)).ok()?;
        from.get(place)
    }
}

/// One command, when it arrives, and what the core answers.
pub(crate) struct Step {
    pub(crate) command: Command,
    pub(crate) at: Timestamp,
    pub(crate) answer: Answer,
}

/// The list, and what the core has at its end.
pub(crate) struct Play {
    pub(crate) steps: Vec<Step>,
    pub(crate) state: State,
    /// All that was ever appended.
    pub(crate) kept: Changes,
    dice: Dice,
    now: Timestamp,
    cards: Vec<(MemberId, CardId)>,
    texts: Vec<CardProof>,
    sent: Vec<PosCommand>,
    codes: u64,
}

impl Play {
    pub(crate) fn new(seed: u64, commands: usize) -> Self {
        let now: Timestamp = "2026-11-22T01:00:00Z".parse().unwrap();
        let first = programme(0);
        let mut play = Self {
            steps: Vec::with_capacity(commands),
            state: State::new(InForce {
                programme: first,
                version: 0,
            }),
            kept: Changes::default(),
            dice: Dice::new(seed),
            now,
            cards: Vec::new(),
            texts: Vec::new(),
            sent: Vec::new(),
            codes: 0,
        };
        play.activate(0);
        for number in 0..MEMBERS {
            play.enrol(number);
        }
        while play.steps.len() < commands {
            play.pass_time();
            play.anything();
        }
        play
    }

    /// How many answers of each kind the list has, so that a reader sees it is not all declines.
    pub(crate) fn summary(&self) -> String {
        let mut counts = BTreeMap::<String, u32>::new();
        for step in &self.steps {
            let word = match &step.answer {
                Answer::Message(text) if text.contains("\"approved\"") => "approved".to_owned(),
                Answer::Message(text) => {
                    let reason = text
                        .split("\"reason\":\"")
                        .nth(1)
                        .and_then(|rest| rest.split('"').next());
                    reason.unwrap_or("?").to_owned()
                }
                other => format!("{other:?}")
                    .split([' ', '(', '{'])
                    .next()
                    .unwrap_or("?")
                    .to_owned(),
            };
            *counts.entry(word).or_default() += 1;
        }
        format!("{counts:?}")
    }

    fn pass_time(&mut self) {
        let seconds = match self.dice.below(400) {
            0 => self.dice.below(30 * 86_400),
            1..=9 => self.dice.below(7_200),
            10..=199 => self.dice.below(10),
            _ => 0,
        };
        self.now += SignedDuration::from_secs(i64::try_from(seconds).unwrap());
        self.now += SignedDuration::from_millis(1);
    }

    fn step(&mut self, operation: Operation) -> Answer {
        let number = u128::try_from(self.steps.len() + 1).unwrap();
        let millis = u128::try_from(self.now.as_millisecond()).unwrap();
        // The shape of a UUID v7, with the low 16 bits free.
        let id = CommandId::new(Uuid::from_u128(
            millis << 80 | 7 << 76 | 2 << 62 | number << 16,
        ));
        let command = Command { id, operation };
        let decision = decide(&self.state, &command, self.now);
        self.state.apply(&decision.changes);
        self.kept.absorb(decision.changes);
        assert!(
            !matches!(decision.answer, Answer::Fault(_)),
            "{:?}: {:?}",
            decision.answer,
            command
        );
        self.steps.push(Step {
            command,
            at: self.now,
            answer: decision.answer.clone(),
        });
        decision.answer
    }

    fn activate(&mut self, variant: u64) {
        let replaces = self.state.in_force.version - i64::from(variant == 99);
        let programme = programme(variant);
        let activation = Activation {
            replaces,
            programme,
            source: format!("# {variant}"),
            actor: "staff".into(),
        };
        self.step(Operation::ActivateProgramme(Box::new(activation)));
    }

    fn enrol(&mut self, number: u64) {
        let member_id = MemberId::new(Uuid::from_u128(
            u128::from(number + 1) << 64 | 7 << 76 | 2 << 62,
        ));
        let key = SigningKey::from_hex(&format!("{:064x}", number + 1)).expect("a key");
        let card_id = key.card_id();
        let member_no = MemberNo::from_seed(number * 7_919);
        let public_key = key.public_key().to_sec1().to_vec();
        self.step(Operation::Enrol(Enrol {
            card_id,
            public_key,
            member_id,
            member_no,
        }));
        if !self.cards.contains(&(member_id, card_id)) {
            self.cards.push((member_id, card_id));
        }
    }

    fn anything(&mut self) {
        match self.dice.below(100) {
            0..=9 => self.ask(|play, till| {
                let (basket_id, card) = (play.basket(till), play.card());
                Ask::Inquiry { basket_id, card }
            }),
            10..=29 => self.ask(|play, till| {
                let (basket_id, card) = (play.basket(till), play.card());
                Ask::Authorization {
                    basket_id,
                    card,
                    points: play.points(400),
                }
            }),
            30..=34 => self.ask(|play, _| play.void()),
            35..=59 => self.ask(Self::purchase),
            60..=69 => self.ask(|play, _| play.refund()),
            70..=77 => self.ask(|play, till| play.reversal(till)),
            78..=80 => self.ask(|play, till| play.settlement(till)),
            81..=87 => self.repeat(),
            88..=91 => self.adjust(),
            92..=93 => self.make_short_code(),
            94..=95 => {
                let member_id = self.member().0;
                self.step(Operation::Sweep { member_id });
            }
            96 => {
                let number = self.dice.below(MEMBERS + 5);
                self.enrol(number);
            }
            97 => self.block_or_revoke(),
            _ => {
                let variant = [0, 1, 2, 3, 4, 99][usize::try_from(self.dice.below(6)).unwrap()];
                self.activate(variant);
            }
        }
    }

    fn till(&mut self) -> Till {
        let number = self.dice.below(TILLS);
        Till {
            terminal_id: TerminalId::new(&format!("till-{number}")).unwrap(),
            store_id: StoreId::new(&format!("store-{}", number / 2)).unwrap(),
        }
    }

    fn member(&mut self) -> (MemberId, CardId) {
        *self.dice.pick(&self.cards).unwrap()
    }

    fn points(&mut self, most: u64) -> Points {
        Points::new(i64::try_from(self.dice.below(most)).unwrap()).unwrap()
    }

    fn basket(&mut self, _till: &Till) -> BasketId {
        // Few names, so that baskets meet again.
        BasketId::new(&format!("b{}", self.dice.below(60))).unwrap()
    }

    fn card(&mut self) -> CardProof {
        let again = self.dice.below(10) < 4;
        if again
            && let Some(text) = self
                .dice
                .pick(&self.texts[self.texts.len().saturating_sub(30)..])
                .cloned()
        {
            return text;
        }
        let card_id = match self.dice.below(50) {
            0 => return CardProof::NotGenuine,
            1 => CardId::new(1),
            2 => return CardProof::ShortCode([9; 32]),
            _ => self.member().1,
        };
        let skew = i64::try_from(self.dice.below(50)).unwrap()
            - 40
            - i64::from(self.dice.below(20) == 0) * 60;
        let issued_at = u32::try_from(self.now.as_second() + skew.min(20)).unwrap();
        let spend = match self.dice.below(8) {
            0 => SpendLimit::EarnOnly,
            1 => SpendLimit::UpTo(u32::try_from(self.dice.below(300)).unwrap()),
            _ => SpendLimit::Unlimited,
        };
        let text = CardProof::Text {
            card_id,
            issued_at,
            spend,
        };
        self.texts.push(text.clone());
        text
    }

    fn ask(&mut self, make: impl FnOnce(&mut Self, &Till) -> Ask) {
        let mut till = self.till();
        let ask = make(self, &till);
        // A purchase by authorization and a void belong to the till of the hold, mostly.
        let hold = match &ask {
            Ask::Void { authorization_id }
            | Ask::Purchase {
                payment:
                    Payment::Authorization {
                        authorization_id, ..
                    },
                ..
            } => self.state.authorizations.get(authorization_id),
            _ => None,
        };
        if let Some(hold) = hold
            && self.dice.below(10) > 0
        {
            till = Till {
                terminal_id: hold.terminal_id.clone(),
                store_id: hold.store_id.clone(),
            };
        }
        let number = self.steps.len();
        let request_id = RequestId::new(&format!("r{number}")).unwrap();
        let mut fingerprint = [0; 32];
        fingerprint[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let command = PosCommand {
            till,
            request_id,
            fingerprint,
            ask,
        };
        self.sent.push(command.clone());
        self.step(Operation::Pos(command));
    }

    fn repeat(&mut self) {
        let Some(mut command) = self.dice.pick(&self.sent).cloned() else {
            return;
        };
        if self.dice.below(4) == 0 {
            command.fingerprint[31] ^= 1;
        }
        self.step(Operation::Pos(command));
    }

    fn void(&mut self) -> Ask {
        let ids: Vec<_> = self
            .state
            .authorizations
            .keys()
            .rev()
            .take(20)
            .copied()
            .collect();
        let authorization_id = self.dice.pick(&ids).copied();
        Ask::Void {
            authorization_id: authorization_id
                .unwrap_or(pos_protocol::AuthorizationId::new(Uuid::max())),
        }
    }

    fn purchase(&mut self, till: &Till) -> Ask {
        let holds: Vec<_> = self
            .state
            .authorizations
            .values()
            .rev()
            .take(12)
            .cloned()
            .collect();
        let advice = (self.dice.below(8) == 0).then(|| Advice {
            scanned_at: self.now - SignedDuration::from_secs(30),
        });
        let receipt = Arc::new(self.receipt(till));
        if self.dice.below(2) == 0
            && let Some(hold) = self.dice.pick(&holds).cloned()
        {
            let redeem = (self.dice.below(2) == 0).then(|| self.points(300));
            let payment = Payment::Authorization {
                authorization_id: hold.id,
                redeem,
            };
            return Ask::Purchase {
                basket_id: hold.basket_id,
                payment,
                receipt,
                advice,
            };
        }
        let redeem = if self.dice.below(3) == 0 {
            self.points(300)
        } else {
            Points::ZERO
        };
        let payment = Payment::Card {
            card: self.card(),
            redeem,
        };
        Ask::Purchase {
            basket_id: self.basket(till),
            payment,
            receipt,
            advice,
        }
    }

    fn receipt(&mut self, till: &Till) -> Receipt {
        let lines: Vec<ReceiptLine> = (1..=1 + self.dice.below(4))
            .map(|line_no| ReceiptLine {
                line_no: u32::try_from(line_no).unwrap(),
                sku: format!("sku-{line_no}"),
                name: "goods".to_owned(),
                category: if line_no.is_multiple_of(2) {
                    "food"
                } else {
                    "books"
                }
                .to_owned(),
                quantity: 1 + u32::try_from(self.dice.below(4)).unwrap(),
                amount: Yen::new(i64::try_from(self.dice.below(30_000)).unwrap()).unwrap(),
                tax_rate: 10,
            })
            .collect();
        let total = Yen::total(lines.iter().map(|line| line.amount));
        let open =
            calendar::business_date(&self.state.in_force.programme, &till.store_id, self.now);
        let wrong_day = self.dice.below(40) == 0;
        Receipt {
            number: format!("R-{}", self.steps.len()),
            business_date: if wrong_day {
                calendar::days_after(open, 9)
            } else {
                open
            },
            occurred_at: self.now,
            total,
            tax: Yen::new(total.get() / 11).unwrap(),
            lines,
        }
    }

    fn refund(&mut self) -> Ask {
        let purchases: Vec<_> = self
            .state
            .purchases
            .values()
            .rev()
            .take(25)
            .cloned()
            .collect();
        let quote = self.dice.below(3) == 0;
        let Some(purchase) = self.dice.pick(&purchases) else {
            return Ask::Refund {
                purchase_id: pos_protocol::PurchaseId::new(Uuid::max()),
                lines: None,
                quote,
            };
        };
        let lines = (self.dice.below(3) > 0).then(|| {
            let line_no = 1 + u32::try_from(self.dice.below(4)).unwrap();
            vec![RefundLine {
                line_no,
                quantity: 1 + u32::try_from(self.dice.below(2)).unwrap(),
            }]
        });
        Ask::Refund {
            purchase_id: purchase.id,
            lines,
            quote,
        }
    }

    fn reversal(&mut self, till: &Till) -> Ask {
        let recent = self.sent.len().saturating_sub(40);
        let own: Vec<_> = self.sent[recent..]
            .iter()
            .filter(|sent| sent.till == *till)
            .cloned()
            .collect();
        let early = self.dice.below(5) == 0;
        let original_request_id = match self.dice.pick(&own) {
            Some(sent) if !early => sent.request_id.clone(),
            // One of the next requests: the tombstone comes first.
            _ => RequestId::new(&format!(
                "r{}",
                self.steps.len() + 1 + usize::try_from(self.dice.0 % 6).unwrap()
            ))
            .unwrap(),
        };
        Ask::Reversal {
            original_request_id,
        }
    }

    fn settlement(&mut self, till: &Till) -> Ask {
        let business_date =
            calendar::business_date(&self.state.in_force.programme, &till.store_id, self.now);
        Ask::Settlement {
            business_date,
            totals: SettlementTotals::default(),
        }
    }

    fn adjust(&mut self) {
        let member_id = self.member().0;
        let direction = if self.dice.below(4) > 0 {
            Direction::Grant
        } else {
            Direction::Take
        };
        let class =
            ["base", "bonus", "none"][usize::try_from(self.dice.below(3)).unwrap()].to_owned();
        let scope = match self.dice.below(3) {
            0 => Scope {
                stores: [StoreId::new("store-0").unwrap()].into(),
                ..Scope::default()
            },
            1 => Scope {
                categories: ["books".to_owned()].into(),
                ..Scope::default()
            },
            _ => Scope::default(),
        };
        let points = self.points(900);
        let (reason, actor) = ("sorry".to_owned(), "staff".to_owned());
        self.step(Operation::Adjust(Adjustment {
            member_id,
            direction,
            points,
            class,
            scope,
            reason,
            actor,
        }));
    }

    fn make_short_code(&mut self) {
        self.codes += 1;
        let mut hash = [7; 32];
        hash[..8].copy_from_slice(&self.codes.to_be_bytes());
        let card_id = self.member().1;
        self.texts.push(CardProof::ShortCode(hash));
        self.step(Operation::MakeShortCode {
            card_id,
            hash,
            spend: SpendLimit::Unlimited,
        });
    }

    fn block_or_revoke(&mut self) {
        let (member_id, card_id) = self.member();
        if self.dice.below(40) == 0 {
            self.step(Operation::RevokeCard { member_id, card_id });
        } else {
            let blocked = self.dice.below(5) == 0;
            let (reason, actor) = ("asked".to_owned(), "staff".to_owned());
            self.step(Operation::SetBlocked {
                member_id,
                blocked,
                reason,
                actor,
            });
        }
    }
}

/// Five programmes that differ in every policy a rule reads.
fn programme(variant: u64) -> Arc<Programme> {
    let third = |words: [&'static str; 3]| words[usize::try_from(variant % 3).unwrap()];
    let expiry = third(["never", "fixed", "activity"]);
    let base = match expiry {
        "never" => serde_json::json!({ "expiry": { "kind": "never" } }),
        kind => serde_json::json!({ "expiry": { "kind": kind, "months": 2 } }),
    };
    let expired = match variant % 2 {
        0 => serde_json::json!({ "kind": "lapse" }),
        _ => serde_json::json!({ "kind": "grace", "days": 7 }),
    };
    let settings = serde_json::json!({
        "id": "demo",
        "name": "Demo",
        "time_zone": "Asia/Tokyo",
        "yen_per_point": 1 + variant % 2,
        "earn": {
            "points": 1 + variant % 3,
            "per_yen": 100,
            "tax": if variant.is_multiple_of(2) { "included" } else { "excluded" },
            "paid_with_points": if variant.is_multiple_of(3) { "included" } else { "excluded" },
            "rounding": third(["down", "half_up", "up"]),
            "pending_days": if variant == 2 { 3 } else { 0 },
        },
        "holds": { "minutes": 10 },
        "classes": { "base": base, "bonus": { "expiry": { "kind": "fixed", "months": 1 } } },
        "returns": {
            "expired": expired,
            "clawback": third(["within_balance", "owe", "deduct"]),
            "scope": third(["terminal", "store", "chain"]),
        },
        "limits": { "points_per_basket": 350, "open_holds_per_member": 3 },
    });
    Arc::new(serde_json::from_value(settings).expect("a programme"))
}
