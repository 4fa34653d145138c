//! A ledger over a real store and the real writer, with a clock that the test moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use acceptance::databases::Database;
use gateway::{
    clock::Clock,
    programme_file,
    store::{EventFilter, Store, StoredEvent},
    writer::{Lanes, Writer, WriterOptions},
};
use jiff::{SignedDuration, Timestamp};
use ledger::{
    card_use::{CardProof, Till},
    command::{
        Activation, Adjustment, Ask, Command, Direction, Enrol, Operation, Payment, PosCommand,
    },
    decision::Answer,
    lot::Scope,
    member::MemberNo,
    programme::Programme,
};
use member_card::{CardId, SigningKey, SpendLimit};
use pos_protocol::{
    BasketId, CommandId, MemberId, Points, Receipt, ReceiptLine, RequestId, StoreId, TerminalId,
    Yen,
};
use serde_json::Value;

/// Events that a test reads at once: more than it makes.
const EVENTS_MAX: u32 = 10_000;

pub(crate) struct Stand {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    writer: Writer,
    lanes: Lanes,
    count: AtomicU32,
}

/// Somebody with a card.
#[derive(Clone, Copy)]
pub(crate) struct Shopper {
    pub(crate) member_id: MemberId,
    pub(crate) card_id: CardId,
}

impl Stand {
    /// With the demo programme, edited.
    pub(crate) async fn open(database: &Database, edit: impl FnOnce(&mut Programme)) -> Self {
        let store = database.migrated().await;
        let clock = Clock::manual("2026-11-22T03:00:00Z".parse().unwrap());
        let options = WriterOptions {
            answer_deadline: Duration::from_secs(60),
            ..WriterOptions::for_store(&store)
        };
        let (writer, lanes) = Writer::start(&store, clock.clone(), &options);
        let stand = Self {
            store,
            clock,
            writer,
            lanes,
            count: AtomicU32::new(0),
        };
        let mut programme = programme_file::parse("demo", programme_file::DEMO).unwrap();
        edit(&mut programme);
        let activation = Activation {
            replaces: 0,
            programme: Arc::new(programme),
            source: programme_file::DEMO.into(),
            actor: "cli:akiko".into(),
        };
        stand
            .submit(Operation::ActivateProgramme(Box::new(activation)))
            .await;
        stand
    }

    pub(crate) async fn submit(&self, operation: Operation) -> Answer {
        let id = CommandId::new(self.clock.new_id());
        let answer = self.writer.submit(Command { id, operation }, None).await;
        // Every command a moment of its own.
        self.clock.advance(SignedDuration::from_millis(20));
        answer.unwrap()
    }

    /// A number that no call before got.
    fn next(&self) -> u32 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) async fn enrol(&self) -> Shopper {
        let number = self.next();
        let key = SigningKey::from_hex(&format!("{number:064x}")).unwrap();
        let shopper = Shopper {
            member_id: MemberId::new(self.clock.new_id()),
            card_id: key.card_id(),
        };
        let enrol = Enrol {
            card_id: shopper.card_id,
            public_key: key.public_key().to_sec1().to_vec(),
            member_id: shopper.member_id,
            member_no: MemberNo::from_seed(number.into()),
        };
        self.submit(Operation::Enrol(enrol)).await;
        shopper
    }

    pub(crate) async fn adjust(
        &self,
        shopper: Shopper,
        direction: Direction,
        count: i64,
        class: &str,
    ) {
        let adjustment = Adjustment {
            member_id: shopper.member_id,
            direction,
            points: points(count),
            class: class.into(),
            scope: Scope::default(),
            reason: "goodwill after a broken cup".into(),
            actor: "cli:akiko".into(),
        };
        let answer = self.submit(Operation::Adjust(adjustment)).await;
        assert_eq!(answer, Answer::Done);
    }

    /// A text of the card that was never shown before.
    pub(crate) fn text(&self, shopper: Shopper) -> CardProof {
        self.pass(1);
        CardProof::Text {
            card_id: shopper.card_id,
            issued_at: u32::try_from(self.clock.now().as_second()).unwrap(),
            spend: SpendLimit::Unlimited,
        }
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A till's request; its answer, approved or not.
    pub(crate) async fn ask(&self, request_id: &str, ask: Ask) -> Value {
        let pos = PosCommand {
            till: till("till-1"),
            request_id: RequestId::new(request_id).unwrap(),
            fingerprint: [0; 32],
            ask,
        };
        match self.submit(Operation::Pos(pos)).await {
            Answer::Message(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// A sale in a basket of its own; the purchase's answer.
    pub(crate) async fn sell(
        &self,
        shopper: Shopper,
        request_id: &str,
        receipt: Receipt,
        redeem: i64,
    ) -> Value {
        let card = self.text(shopper);
        self.sell_by(card, request_id, receipt, redeem).await
    }

    /// The same by any card.
    pub(crate) async fn sell_by(
        &self,
        card: CardProof,
        request_id: &str,
        receipt: Receipt,
        redeem: i64,
    ) -> Value {
        let ask = Ask::Purchase {
            basket_id: basket(request_id),
            payment: Payment::Card {
                card,
                redeem: points(redeem),
            },
            receipt: Arc::new(receipt),
            advice: None,
        };
        let answer = self.ask(request_id, ask).await;
        assert_eq!(answer["outcome"], "approved", "{answer}");
        answer
    }

    pub(crate) fn receipt(&self, lines: Vec<ReceiptLine>) -> Receipt {
        let total = Yen::total(lines.iter().map(|line| line.amount));
        let receipt = Receipt {
            number: "R-20261122-0042".into(),
            business_date: "2026-11-22".parse().unwrap(),
            occurred_at: self.now(),
            tax: Yen::new(total.get() * 8 / 108).unwrap(),
            total,
            lines,
        };
        assert_eq!(receipt.violation(), None);
        receipt
    }

    /// Every event, in order.
    pub(crate) async fn events(&self) -> Vec<StoredEvent> {
        let all = EventFilter::default();
        self.store.events(&all, EVENTS_MAX).await.unwrap()
    }

    pub(crate) async fn close(self) {
        drop(self.writer);
        self.lanes.drained().await;
        self.store.close().await;
    }
}

pub(crate) fn till(terminal: &str) -> Till {
    Till {
        terminal_id: TerminalId::new(terminal).unwrap(),
        store_id: StoreId::new("shibuya").unwrap(),
    }
}

pub(crate) fn basket(name: &str) -> BasketId {
    BasketId::new(&format!("basket-{name}")).unwrap()
}

pub(crate) fn points(count: i64) -> Points {
    Points::new(count).unwrap()
}

/// A line of a receipt.
pub(crate) fn line(line_no: u32, name: &str, quantity: u32, amount: i64) -> ReceiptLine {
    ReceiptLine {
        line_no,
        sku: format!("490{line_no:04}"),
        name: name.into(),
        category: "food".into(),
        quantity,
        amount: Yen::new(amount).unwrap(),
        tax_rate: 8,
    }
}
