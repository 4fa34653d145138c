//! What tills ask.

use std::sync::Arc;

use jiff::SignedDuration;
use ledger::{
    calendar,
    card_use::{CardProof, Till},
    command::{Ask, Operation, Payment, PosCommand},
};
use member_card::{CardId, SpendLimit};
use pos_protocol::{
    Advice, BasketId, Points, Receipt, ReceiptLine, RefundLine, RequestId, SettlementTotals,
    StoreId, TerminalId, Yen,
};
use uuid::Uuid;

use super::Play;

const TILLS: u64 = 4;

impl Play {
    /// A request of a till.
    pub(super) fn till_asks(&mut self) {
        match self.dice.below(88) {
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
            _ => self.repeat(),
        }
    }

    pub(super) fn till(&mut self) -> Till {
        let number = self.dice.below(TILLS);
        Till {
            terminal_id: TerminalId::new(&format!("till-{number}")).unwrap(),
            store_id: StoreId::new(&format!("store-{}", number / 2)).unwrap(),
        }
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
            3..=6 => {
                if let Some(proof) = self.number() {
                    return proof;
                }
                self.member().1
            }
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

    pub(super) fn ask(&mut self, make: impl FnOnce(&mut Self, &Till) -> Ask) {
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

    pub(super) fn repeat(&mut self) {
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
}
