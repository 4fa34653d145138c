//! Whatever happens on the way: nothing is lost, nothing is doubled, and what the cashier was told is
//! true in the end.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;

use super::{
    gateway::calendar,
    world::{World, basket, sale, scan},
};
use crate::{
    AuthorizationAnswer, AuthorizationId, Points,
    client::{
        ask::{Ask, Sale, Scan},
        machine::{Notice, Reply, Ticket},
        message::{OfflineSpending, Operation},
        settings::Settings,
        verdict::Verdict,
    },
};

/// What the cashier of a basket knows.
#[derive(Debug, Clone)]
struct Basket {
    scan: Scan,
    /// What is waited for.
    waits: Option<(Ticket, Doing)>,
    /// What the cashier was told last about a sale.
    sale: Belief,
    /// A hold that was approved.
    hold: Option<AuthorizationId>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Doing {
    Hold,
    Sell { redeem: bool },
    LetGo,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Belief {
    /// No sale, as far as the cashier knows.
    None,
    /// It counts.
    Counts,
    /// The till died while the cashier waited.
    Unknown,
}

struct Shop {
    world: World,
    baskets: BTreeMap<String, Basket>,
    store_bears_risk: bool,
}

impl Shop {
    /// One thing happens, chosen by two numbers.
    fn happen(&mut self, what: u8, which: u8) {
        match what % 16 {
            0..=2 => self.open(which),
            3 => self.go_on(which),
            4 | 5 => {
                self.world.step(None);
            }
            6 => self.world.steps(),
            7 | 8 => self.deliver(which, true, which.is_multiple_of(4)),
            9 => self.deliver(which, false, false),
            10 => self.reply(which, true),
            11 => self.reply(which, which.is_multiple_of(3)),
            12 => self.gateway_is_unwell(which),
            13 => {
                let ms = [20, 300, 1_200, 6_000, 50_000, 2_000_000][usize::from(which % 6)];
                self.world.advance(Duration::from_millis(ms));
            }
            14 => self.world.disk_full = which.is_multiple_of(4),
            _ => self.crash(which),
        }
        self.listen();
    }

    fn open(&mut self, which: u8) {
        let name = format!("b-{}", self.baskets.len());
        let at = self.world.now().at;
        let scan = scan(&name, at);
        let basket = Basket {
            scan,
            waits: None,
            sale: Belief::None,
            hold: None,
        };
        self.baskets.insert(name.clone(), basket);
        match which % 3 {
            0 => self.hold(&name),
            1 => self.sell(&name, 200),
            _ => self.sell(&name, 0),
        }
    }

    /// A cashier who was told something does the next thing.
    fn go_on(&mut self, which: u8) {
        let idle = |(_, basket): &(&String, &Basket)| {
            basket.waits.is_none() && basket.sale == Belief::None
        };
        let names: Vec<String> = self
            .baskets
            .iter()
            .filter(idle)
            .map(|(name, _)| name.clone())
            .collect();
        let Some(name) = names.get(usize::from(which) % names.len().max(1)) else {
            return;
        };
        let held = self.baskets[name].hold.is_some();
        match which % 4 {
            0 if held => self.let_go(name),
            // With a hold that is more than it promised.
            1 | 2 if !held || which.is_multiple_of(3) => self.sell(name, 200),
            _ => self.sell(name, 0),
        }
    }

    fn hold(&mut self, name: &str) {
        let ask = Ask::Authorization {
            basket_id: basket(name),
            scan: self.baskets[name].scan.clone(),
            points: Points::new(100).unwrap(),
        };
        self.ask(name, ask, Doing::Hold);
    }

    fn sell(&mut self, name: &str, redeem: i64) {
        let known = &self.baskets[name];
        let sale = Sale {
            authorization_id: known.hold,
            ..sale(name, known.scan.clone(), redeem)
        };
        let redeem = redeem > 0;
        self.ask(name, Ask::Purchase(sale), Doing::Sell { redeem });
    }

    fn let_go(&mut self, name: &str) {
        let Some(authorization_id) = self.baskets[name].hold else {
            return;
        };
        let basket_id = basket(name);
        let ask = Ask::Void {
            basket_id,
            authorization_id,
        };
        self.ask(name, ask, Doing::LetGo);
    }

    fn ask(&mut self, name: &str, ask: Ask, doing: Doing) {
        let ticket = self.world.order(ask);
        if let Some(basket) = self.baskets.get_mut(name) {
            basket.waits = Some((ticket, doing));
        }
    }

    /// What was told reaches the cashiers.
    fn listen(&mut self) {
        for basket in self.baskets.values_mut() {
            let Some((ticket, doing)) = basket.waits else {
                continue;
            };
            let Some(verdict) = self.world.told.get(&ticket) else {
                continue;
            };
            basket.waits = None;
            match (doing, verdict) {
                (Doing::Hold, Verdict::Approved(answer)) => {
                    let answer: AuthorizationAnswer =
                        serde_json::from_value(answer.clone()).unwrap();
                    basket.hold = answer.authorization.map(|hold| hold.id);
                }
                (Doing::Sell { .. }, Verdict::Approved(_) | Verdict::Queued { .. }) => {
                    basket.sale = Belief::Counts;
                }
                (Doing::LetGo, Verdict::Approved(_) | Verdict::Queued { .. }) => basket.hold = None,
                (Doing::Sell { redeem: false }, Verdict::NotAsked { .. }) => {
                    panic!("a sale without points of its own was not taken: {verdict:?}")
                }
                _ => {}
            }
        }
    }

    /// A request arrives, twice perhaps, or is lost on the way.
    fn deliver(&mut self, which: u8, arrives: bool, twice: bool) {
        if arrives
            && which.is_multiple_of(5)
            && let Some(orphan) = self.world.orphans.pop()
        {
            self.world.arrive(&orphan);
            self.world.coming.pop();
        }
        if self.world.going.is_empty() {
            return;
        }
        let at = usize::from(which) % self.world.going.len();
        let exchange = self.world.going.remove(at);
        if arrives {
            self.world.arrive(&exchange);
        } else if which.is_multiple_of(2) {
            self.world.reply(&exchange, Reply::Lost);
        } else {
            self.world
                .reply(&exchange, Reply::NotSent { retry_after: None });
        }
        if twice {
            self.world.arrive(&exchange);
        }
    }

    /// A reply comes back; or it is lost, and comes late all the same, or never.
    fn reply(&mut self, which: u8, arrives: bool) {
        if self.world.coming.is_empty() {
            return;
        }
        let at = usize::from(which) % self.world.coming.len();
        let (exchange, reply) = self.world.coming.remove(at);
        if arrives {
            self.world.reply(&exchange, reply);
            return;
        }
        self.world.reply(&exchange, Reply::Lost);
        if which.is_multiple_of(2) {
            self.world.coming.push((exchange, reply));
        }
    }

    /// The request is answered with a fault; perhaps it took effect.
    fn gateway_is_unwell(&mut self, which: u8) {
        if self.world.going.is_empty() {
            return;
        }
        let exchange = self.world.going.remove(0);
        if which.is_multiple_of(2) {
            self.world.arrive(&exchange);
            self.world.coming.pop();
        }
        let status = [500, 503, 409, 408, 502][usize::from(which) % 5];
        let retry_after = (which.is_multiple_of(3)).then_some(Duration::from_secs(1));
        let reply = Reply::Http {
            status,
            body: None,
            retry_after,
        };
        self.world.reply(&exchange, reply);
    }

    fn crash(&mut self, which: u8) {
        if which.is_multiple_of(7) {
            // Just after the journal was made smaller, at a moment when not all is settled.
            let now = self.world.now();
            self.world.disk = self.world.machine.compacted(&now);
        }
        if which.is_multiple_of(3) || !self.world.step(Some(which % 3 == 1)) {
            self.world.restart();
        }
        for basket in self.baskets.values_mut() {
            // What was told before the till died was told.
            let told = basket
                .waits
                .is_some_and(|(ticket, _)| self.world.told.contains_key(&ticket));
            if told {
                continue;
            }
            if let Some((_, doing)) = basket.waits.take() {
                match doing {
                    Doing::Sell { .. } => basket.sale = Belief::Unknown,
                    // Nobody knows what the hold's name is, or whether it stands.
                    Doing::Hold | Doing::LetGo => basket.hold = None,
                }
            }
        }
    }

    /// All is well again, and nothing is left to do.
    fn check(mut self) {
        self.listen();
        self.world.heal();
        self.listen();
        let (gateway, book) = (&self.world.gateway, self.world.machine.book());
        let shortfalls = gateway
            .bought
            .values()
            .filter(|bought| bought.above_promise);
        assert!(
            self.store_bears_risk || shortfalls.count() == 0,
            "the store bears what nobody promised"
        );
        for (name, basket) in &self.baskets {
            let sales = gateway.live(name).count();
            assert!(sales <= 1, "{name} was sold {sales} times");
            let declined = self.world.notices.iter().any(|notice| {
                matches!(notice, Notice::Settled { basket_id: Some(id), operation: Operation::Purchase,
                    verdict: Verdict::Declined(_), .. } if id.as_str() == name)
            });
            match basket.sale {
                Belief::Counts => assert!(sales == 1 || declined, "{name} was lost: {basket:?}"),
                Belief::None => assert_eq!(sales, 0, "{name} was sold behind the cashier's back"),
                Belief::Unknown => {}
            }
        }
        for (id, hold) in &gateway.holds {
            let wanted = self
                .baskets
                .values()
                .any(|known| known.hold.map(AuthorizationId::as_uuid) == Some(*id));
            let in_journal = book
                .open_holds()
                .iter()
                .any(|(_, open)| open.as_uuid() == *id);
            assert!(
                hold.state != "held" || wanted || in_journal,
                "a hold nobody knows of: {hold:?}"
            );
        }
        let ours: Vec<String> = book
            .sold()
            .filter(|sold| !sold.reversed)
            .map(|sold| sold.request_id.to_string())
            .collect();
        let theirs = gateway.bought.values().filter(|bought| !bought.reversed);
        let mut theirs: Vec<String> = theirs.map(|bought| bought.request_id.clone()).collect();
        let mut sorted = ours;
        sorted.sort();
        theirs.sort();
        assert_eq!(sorted, theirs, "the journal's sales and the gateway's");
        let day = "2026-11-22".parse().unwrap();
        assert_eq!(book.totals(day, &calendar()), gateway.totals());
        let compacted =
            crate::client::Book::of(&book.compacted(super::world::begin(), 0, &calendar()));
        assert_eq!(compacted.totals(day, &calendar()), gateway.totals());
        assert_eq!(compacted.open_holds(), book.open_holds());
        assert_eq!(compacted.unsettled(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1_000), max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_or_doubled(
        happenings in prop::collection::vec((any::<u8>(), any::<u8>()), 0..120),
        store_bears_risk in any::<bool>(),
        points in 0_i64..900,
    ) {
        let offline_spending = if store_bears_risk { OfflineSpending::StoreBearsRisk } else { OfflineSpending::Refuse };
        let settings = Settings { offline_spending, ..Settings::default() };
        let mut shop = Shop { world: World::new(settings, points), baskets: BTreeMap::new(), store_bears_risk };
        for (what, which) in happenings {
            shop.happen(what, which);
        }
        shop.check();
    }
}
