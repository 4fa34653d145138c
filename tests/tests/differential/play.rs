//! The seeded list: what tills, phones and staff might ask over some months, made while the core
//! decides it, so that later commands can name what earlier ones made.

mod people;
mod tills;

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use ledger::{
    card_use::CardProof,
    command::{Activation, Adjustment, Command, Direction, Enrol, Operation, PosCommand},
    decide,
    decision::Answer,
    lot::Scope,
    member::MemberNo,
    programme::Programme,
    state::{Changes, InForce, State},
};
use member_card::{CardId, SigningKey, SpendLimit};
use pos_protocol::{CommandId, MemberId, Points, StoreId};
use uuid::Uuid;

const MEMBERS: u64 = 40;

/// Splitmix64: small, seeded, the same everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
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
    people: people::People,
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
            people: people::People::default(),
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
        match self.dice.below(125) {
            0..=87 => self.till_asks(),
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
            100.. => self.person(),
            _ => {
                let variant = [0, 1, 2, 3, 4, 99][usize::try_from(self.dice.below(6)).unwrap()];
                self.activate(variant);
            }
        }
    }

    fn member(&mut self) -> (MemberId, CardId) {
        *self.dice.pick(&self.cards).unwrap()
    }

    fn points(&mut self, most: u64) -> Points {
        Points::new(i64::try_from(self.dice.below(most)).unwrap()).unwrap()
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
