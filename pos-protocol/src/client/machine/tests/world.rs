//! A till, its disk, the line and the gateway, moved one step at a time.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::gateway::Gateway;
use crate::{
    BasketId, Points, Receipt, ReceiptLine, RequestId, Yen,
    client::{
        ask::{Ask, Sale, Scan},
        book::Book,
        machine::{Exchange, Machine, Next, Notice, Reply, Step, Ticket},
        moment::Moment,
        record::Entry,
        settings::Settings,
        verdict::Verdict,
    },
};

pub(super) struct World {
    pub(super) gateway: Gateway,
    pub(super) machine: Machine,
    settings: Settings,
    /// What is on the disk.
    pub(super) disk: Vec<Entry>,
    pub(super) disk_full: bool,
    uptime: Duration,
    noise: u64,
    /// Requests on their way to the gateway, and replies on their way back.
    pub(super) going: Vec<Exchange>,
    pub(super) coming: Vec<(Exchange, Reply)>,
    /// Requests of a till that died, still on their way; nobody waits for their replies.
    pub(super) orphans: Vec<Exchange>,
    pub(super) told: BTreeMap<Ticket, Verdict>,
    /// The request ids that were told.
    pub(super) named: BTreeMap<Ticket, RequestId>,
    pub(super) notices: Vec<Notice>,
    tickets: Ticket,
}

impl World {
    pub(super) fn new(settings: Settings, points: i64) -> Self {
        let mut world = Self {
            gateway: Gateway::with_points(points),
            machine: Machine::new(
                settings.clone(),
                Book::default(),
                &moment(Duration::ZERO, 1),
            ),
            settings,
            disk: Vec::new(),
            disk_full: false,
            uptime: Duration::ZERO,
            noise: 1,
            going: Vec::new(),
            coming: Vec::new(),
            orphans: Vec::new(),
            told: BTreeMap::new(),
            named: BTreeMap::new(),
            notices: Vec::new(),
            tickets: 0,
        };
        world.restart();
        world
    }

    pub(super) fn now(&mut self) -> Moment {
        self.noise = self
            .noise
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(1);
        moment(self.uptime, self.noise)
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.uptime += by;
    }

    /// SIGKILL, and started again: only the disk is left. The line does not know.
    pub(super) fn restart(&mut self) {
        self.orphans.append(&mut self.going);
        self.coming.clear();
        let now = self.now();
        let book = self.book();
        self.machine = Machine::new(self.settings.clone(), book, &now);
    }

    fn book(&self) -> Book {
        Book::of(&self.disk)
    }

    pub(super) fn order(&mut self, ask: Ask) -> Ticket {
        self.tickets += 1;
        let now = self.now();
        self.machine.order(&now, self.tickets, ask);
        self.tickets
    }

    /// Takes one step, if there is one. `crash` kills the till: before a write is durable, after it,
    /// or before whatever else the step asks for.
    pub(super) fn step(&mut self, crash: Option<bool>) -> bool {
        let now = self.now();
        let Next::Do(step) = self.machine.next(&now) else {
            return false;
        };
        if let Some(after) = crash {
            if let (Step::Write(entries), true, false) = (&step, after, self.disk_full) {
                self.disk.extend(entries.iter().cloned());
            }
            self.restart();
            return true;
        }
        match step {
            Step::Write(_) if self.disk_full => self.machine.unwritten(&now, "no space left"),
            Step::Write(entries) => {
                self.disk.extend(entries);
                self.machine.written(&now);
                // A crash at this very moment would find the same book.
                assert_eq!(self.book(), *self.machine.book());
            }
            Step::Send(exchange) => {
                let written = self.disk.iter().any(|entry| {
                    matches!(entry, Entry::Request(request) if *request.message.request_id() == exchange.request_id)
                });
                assert!(written, "sent before it was written: {exchange:?}");
                self.going.push(exchange);
            }
            Step::Tell {
                ticket,
                request_id,
                verdict,
            } => {
                self.named.extend(request_id.map(|id| (ticket, id)));
                let before = self.told.insert(ticket, verdict);
                assert_eq!(before, None, "told twice");
            }
            Step::Notice(notice) => self.notices.push(notice),
        }
        true
    }

    /// Takes every step there is now.
    pub(super) fn steps(&mut self) {
        for _ in 0..10_000 {
            if !self.step(None) {
                return;
            }
        }
        panic!("the machine never rests");
    }

    /// The gateway gets a request; its reply goes on its way.
    pub(super) fn arrive(&mut self, exchange: &Exchange) {
        let at = self.now().at;
        let reply = match &exchange.message {
            Some(message) => self.gateway.post(message, at),
            None => self.gateway.status(&exchange.request_id),
        };
        self.coming.push((exchange.clone(), reply));
    }

    pub(super) fn reply(&mut self, exchange: &Exchange, reply: Reply) {
        let now = self.now();
        self.machine.replied(&now, exchange, reply);
    }

    /// Everything works from now on: runs until nothing is left to do.
    pub(super) fn heal(&mut self) {
        self.disk_full = false;
        for exchange in std::mem::take(&mut self.orphans) {
            self.arrive(&exchange);
            self.coming.pop();
        }
        for _ in 0..5_000 {
            self.steps();
            for exchange in std::mem::take(&mut self.going) {
                self.arrive(&exchange);
            }
            for (exchange, reply) in std::mem::take(&mut self.coming) {
                self.reply(&exchange, reply);
            }
            self.steps();
            if self.machine.is_settled() && self.going.is_empty() {
                return;
            }
            let now = self.now();
            let Next::Wait(wake) = self.machine.next(&now) else {
                panic!("every step was taken");
            };
            if self.going.is_empty() && self.coming.is_empty() {
                // Whoever was cut off by a crash has no reply to wait for.
                let wake = wake.expect("something is left to do and nothing will wake it");
                self.uptime = self.uptime.max(wake);
            }
        }
        panic!(
            "never settled: {:#?}",
            self.machine.book().work().collect::<Vec<_>>()
        );
    }
}

pub(super) fn begin() -> Timestamp {
    "2026-11-22T03:00:00Z".parse().unwrap()
}

fn moment(uptime: Duration, noise: u64) -> Moment {
    Moment {
        at: begin() + SignedDuration::try_from(uptime).unwrap(),
        uptime,
        noise,
    }
}

/// A card shown and scanned now, for one basket.
pub(super) fn scan(basket: &str, at: Timestamp) -> Scan {
    Scan {
        text: format!("{basket}@{at}"),
        at,
    }
}

pub(super) fn basket(name: &str) -> BasketId {
    BasketId::new(name).unwrap()
}

pub(super) fn sale(name: &str, scan: Scan, redeem: i64) -> Sale {
    Sale {
        basket_id: basket(name),
        scan,
        authorization_id: None,
        redeem_points: (redeem > 0).then(|| Points::new(redeem).unwrap()),
        receipt: receipt(name, 1_000),
    }
}

pub(super) fn receipt(number: &str, yen: i64) -> Receipt {
    let amount = Yen::new(yen).unwrap();
    Receipt {
        number: number.to_owned(),
        business_date: "2026-11-22".parse().unwrap(),
        occurred_at: begin(),
        lines: vec![ReceiptLine {
            line_no: 1,
            sku: "1".into(),
            name: "goods".into(),
            category: "goods".into(),
            quantity: 1,
            amount,
            tax_rate: 10,
        }],
        total: amount,
        tax: Yen::ZERO,
    }
}
