//! A till at work: baskets of every kind, and what `till-semantics` asks of a till when no answer
//! comes. It writes its request down, asks again under the same id, or asks what became of it, or
//! undoes it; it never guesses.

use std::{sync::Arc, time::Duration};

use acceptance::{
    ask::{Ask, receipt},
    dice::Dice,
    phone::Shown,
    reply::Reply,
    till::{Lost, Pause, Till, is_final},
};
use member_card::SpendLimit;
use pos_protocol::{AuthorizationAnswer, AuthorizationId, PurchaseAnswer, PurchaseId};
use tokio::sync::mpsc;

use crate::{
    World,
    books::{Book, Deed, assert_same},
};

/// One in so many requests is given up by an impatient cashier before its answer can come.
const IMPATIENT_ONE_IN: u64 = 25;
/// One in so many answers is asked for again at once.
const DUPLICATE_ONE_IN: u64 = 5;
/// How often a till asks before the test gives up.
const ATTEMPTS_MAX: u32 = 400;

/// A text that lies on the counter, and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct OnCounter {
    pub(crate) member: usize,
    pub(crate) shown: Shown,
}

/// A basket with a card.
struct Basket {
    id: String,
    card: OnCounter,
}

/// What a request came to.
enum Settled {
    /// There is an answer.
    Answered(Reply),
    /// There was none, and the till undid the request.
    Undone,
}

/// A till and who stands behind it.
pub(crate) struct Cashier {
    world: Arc<World>,
    till: Till,
    dice: Dice,
    texts: mpsc::Sender<OnCounter>,
    requests: u32,
    baskets: u32,
}

impl Cashier {
    pub(crate) fn new(
        world: Arc<World>,
        till: Till,
        dice: Dice,
        texts: mpsc::Sender<OnCounter>,
    ) -> Self {
        Self {
            world,
            till,
            dice,
            texts,
            requests: 0,
            baskets: 0,
        }
    }

    /// Serves so many baskets.
    pub(crate) async fn serve(mut self, baskets: usize) {
        for _ in 0..baskets {
            self.serve_one().await;
            self.world.progress.send_modify(|served| *served += 1);
        }
    }

    async fn serve_one(&mut self) {
        let basket = self.open().await;
        if self.dice.one_in(2) && self.inquire(&basket).await.is_none() {
            return;
        }
        match self.dice.below(6) {
            0 => self.sell(&basket, 0).await,
            1 => {
                let redeem = self.dice.between(1, 150);
                self.sell(&basket, redeem).await;
            }
            2 => self.hold_and_sell(&basket).await,
            3 => self.hold_and_let_go(&basket).await,
            4 => self.hold_and_undo(&basket).await,
            _ => self.hold_and_forget(&basket).await,
        }
    }

    /// A shopper shows a card; somebody may be looking over the shoulder.
    async fn open(&mut self) -> Basket {
        let count = u64::try_from(self.world.members.len()).unwrap();
        let member = usize::try_from(self.dice.below(count)).unwrap();
        let spend = match self.dice.below(4) {
            0 => SpendLimit::UpTo(u32::try_from(self.dice.between(50, 300)).unwrap()),
            _ => SpendLimit::Unlimited,
        };
        let shown = self.world.members[member].phone.show(spend).await;
        let card = OnCounter { member, shown };
        // A full channel only means that the hostile tills are busy; this text is spared.
        let _ = self.texts.try_send(card.clone());
        self.basket(card)
    }

    fn basket(&mut self, card: OnCounter) -> Basket {
        self.baskets += 1;
        Basket {
            id: format!("b-{}", self.baskets),
            card,
        }
    }

    async fn inquire(&mut self, basket: &Basket) -> Option<Reply> {
        let ask = Ask::inquiry(&self.next_id(), &basket.id, &basket.card.shown.text);
        self.ask_with_card(basket, &ask, Deed::Look).await
    }

    async fn hold(&mut self, basket: &Basket) -> Option<Hold> {
        let points = self.dice.between(1, 200);
        let request_id = self.next_id();
        let ask = Ask::authorization(&request_id, &basket.id, &basket.card.shown.text, points);
        let reply = self.ask_with_card(basket, &ask, Deed::Hold).await?;
        let answer: AuthorizationAnswer = reply.parse();
        answer.authorization.map(|hold| {
            assert_eq!(hold.points.get(), points, "{reply:?}");
            Hold {
                id: hold.id,
                points,
                request_id,
            }
        })
    }

    async fn sell(&mut self, basket: &Basket, redeem: i64) {
        let (yen, receipt) = self.receipt();
        let ask = Ask::purchase(
            &self.next_id(),
            &basket.id,
            &basket.card.shown.text,
            redeem,
            receipt,
        );
        let deed = Deed::Sale { yen, held: 0 };
        if let Some(reply) = self.ask_with_card(basket, &ask, deed).await {
            self.after_the_sale(basket, &ask, &reply).await;
        }
    }

    async fn hold_and_sell(&mut self, basket: &Basket) {
        let Some(hold) = self.hold(basket).await else {
            return;
        };
        let (yen, receipt) = self.receipt();
        let redeem = match self.dice.below(3) {
            0 => Some(self.dice.between(1, hold.points)),
            _ => None,
        };
        let ask = Ask::capture(&self.next_id(), &basket.id, hold.id, redeem, receipt);
        let held = hold.points;
        let settled = self.settle(basket, &ask, Deed::Sale { yen, held }).await;
        match settled {
            Settled::Answered(reply) if reply.is_approved() => {
                self.after_the_sale(basket, &ask, &reply).await;
            }
            // The sale was undone before it could capture, so the hold may still stand.
            Settled::Undone => self.let_go(basket, &hold).await,
            Settled::Answered(reply) => {
                panic!("a hold of 1 to 200 points was not captured: {reply:?}")
            }
        }
    }

    async fn hold_and_let_go(&mut self, basket: &Basket) {
        if let Some(hold) = self.hold(basket).await {
            self.let_go(basket, &hold).await;
        }
    }

    async fn let_go(&mut self, basket: &Basket, hold: &Hold) {
        let ask = Ask::void(&self.next_id(), hold.id);
        let deed = Deed::LetGo { held: hold.points };
        self.settle(basket, &ask, deed).await;
    }

    async fn hold_and_undo(&mut self, basket: &Basket) {
        if let Some(hold) = self.hold(basket).await {
            let ask = Ask::reversal(&self.next_id(), &hold.request_id);
            let deed = Deed::Undo { held: hold.points };
            self.settle(basket, &ask, deed).await;
        }
    }

    /// Some holds stay open to the end, small ones, so that members do not run dry.
    async fn hold_and_forget(&mut self, basket: &Basket) {
        let hold = self.hold(basket).await;
        if let Some(hold) = hold.filter(|hold| hold.points > 20) {
            self.let_go(basket, &hold).await;
        }
    }

    /// One sale in three comes back, in part or whole, or is reversed.
    async fn after_the_sale(&mut self, basket: &Basket, sale: &Ask, reply: &Reply) {
        let Some(purchase) = reply.parse::<PurchaseAnswer>().purchase else {
            return;
        };
        match self.dice.below(6) {
            0 => self.refund(basket, purchase.id, None).await,
            1 => {
                self.refund(basket, purchase.id, Some(&[(2, 1)])).await;
                if self.dice.one_in(2) {
                    self.refund(basket, purchase.id, None).await;
                }
            }
            2 => {
                let ask = Ask::reversal(&self.next_id(), &sale.request_id);
                self.settle(basket, &ask, Deed::Undo { held: 0 }).await;
            }
            _ => {}
        }
    }

    async fn refund(
        &mut self,
        basket: &Basket,
        purchase: PurchaseId,
        lines: Option<&[(u32, u32)]>,
    ) {
        if self.dice.one_in(2) {
            let ask = Ask::refund_quote(&self.next_id(), purchase, lines);
            self.settle(basket, &ask, Deed::Quote).await;
        }
        let ask = Ask::refund(&self.next_id(), purchase, lines);
        self.settle(basket, &ask, Deed::Refund).await;
    }

    /// Tries a text that belongs to another basket.
    pub(crate) async fn replay(&mut self, card: OnCounter) {
        let basket = self.basket(card);
        match self.dice.below(3) {
            0 => {
                self.inquire(&basket).await;
            }
            1 => {
                if let Some(hold) = self.hold(&basket).await {
                    self.let_go(&basket, &hold).await;
                }
            }
            _ => self.sell(&basket, 1).await,
        }
    }

    /// Asks with a card; notes which basket the text served. `None` unless it was approved.
    async fn ask_with_card(&mut self, basket: &Basket, ask: &Ask, deed: Deed) -> Option<Reply> {
        match self.settle(basket, ask, deed).await {
            Settled::Answered(reply) if reply.is_approved() => Some(reply),
            _ => None,
        }
    }

    /// Sends a request and does not rest until it is known what became of it.
    async fn settle(&mut self, basket: &Basket, ask: &Ask, deed: Deed) -> Settled {
        let mut pause = Pause::default();
        for _ in 0..ATTEMPTS_MAX {
            match self.send(ask).await {
                Ok(reply) if is_final(&reply) => {
                    return Settled::Answered(self.acknowledge(basket, ask, deed, reply).await);
                }
                Ok(_) => {}
                Err(_) => self.world.books.lose(),
            }
            pause.wait().await;
            match self.dice.below(3) {
                0 => {
                    let stored = self.anywhere().insist_on_status(&ask.request_id).await;
                    if stored.status == 200 {
                        return Settled::Answered(
                            self.acknowledge(basket, ask, deed, stored).await,
                        );
                    }
                    assert_eq!(stored.status, 404, "{stored:?}");
                }
                1 if matches!(deed, Deed::Hold | Deed::Sale { .. }) => {
                    self.undo(basket, ask, deed).await;
                    return Settled::Undone;
                }
                _ => {}
            }
        }
        panic!("no answer to {} under {}", ask.path, ask.request_id);
    }

    /// Undoes a request whose answer never came. Whatever it had done by then is undone; if it had
    /// done nothing, it never will.
    async fn undo(&mut self, basket: &Basket, original: &Ask, deed: Deed) {
        let ask = Ask::reversal(&self.next_id(), &original.request_id);
        let undone = self.anywhere().insist(&ask).await.approved();
        let stored = self.anywhere().insist_on_status(&original.request_id).await;
        assert_eq!(
            stored.status, 200,
            "a reversed request has an answer: {stored:?}"
        );
        let effect = undone.word("/effect");
        assert_eq!(
            stored.is_approved(),
            effect != "nothing_to_reverse",
            "the original {stored:?}, its reversal {undone:?}"
        );
        let held = match deed {
            Deed::Hold if stored.is_approved() => stored.number("/authorization/points"),
            _ => 0,
        };
        self.post(basket, original, deed, &stored);
        self.post(basket, &ask, Deed::Undo { held }, &undone);
    }

    /// Takes an answer for what it is, and now and then asks for it again.
    async fn acknowledge(&mut self, basket: &Basket, ask: &Ask, deed: Deed, reply: Reply) -> Reply {
        assert_eq!(reply.status, 200, "{} {reply:?}", ask.path);
        self.post(basket, ask, deed, &reply);
        if self.dice.one_in(DUPLICATE_ONE_IN) {
            let again = self.anywhere().insist(ask).await;
            assert_same(&reply, &again, ask);
        }
        reply
    }

    fn post(&self, basket: &Basket, ask: &Ask, deed: Deed, reply: &Reply) {
        let (world, card) = (&self.world, &basket.card);
        let book: &Book = &world.members[card.member].book;
        book.post(deed, reply);
        world.books.keep(&self.till, ask, reply);
        if matches!(deed, Deed::Look | Deed::Hold | Deed::Sale { held: 0, .. }) {
            world
                .books
                .accept(&self.till, &basket.id, &card.shown, reply);
        }
    }

    /// Sends once. An impatient cashier hangs up while the request is on its way.
    async fn send(&mut self, ask: &Ask) -> Result<Reply, Lost> {
        let till = self.anywhere();
        if !self.dice.one_in(IMPATIENT_ONE_IN) {
            return till.send(ask).await;
        }
        let patience = Duration::from_millis(self.dice.below(20));
        match tokio::time::timeout(patience, till.send(ask)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Lost("the cashier hung up".into())),
        }
    }

    /// The till, at any of the gateways, as behind a load balancer.
    fn anywhere(&mut self) -> Till {
        let base: &String = self.dice.pick(&self.world.bases);
        self.till.at(base)
    }

    fn receipt(&mut self) -> (i64, pos_protocol::Receipt) {
        // Worth more than any hold, so that a capture is never declined for the receipt's sake.
        let yen = [self.dice.between(150, 4_000), self.dice.between(100, 9_999)];
        let number = format!("R-{}-{}", self.till.terminal, self.requests);
        (yen.iter().sum(), receipt(&number, &yen))
    }

    fn next_id(&mut self) -> String {
        self.requests += 1;
        format!("r-{}", self.requests)
    }
}

/// A hold that was approved.
struct Hold {
    id: AuthorizationId,
    points: i64,
    request_id: String,
}
