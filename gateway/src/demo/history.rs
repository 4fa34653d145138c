//! Eight weeks of business for the console to show: a dozen members who buy at several stores and in an EC shop.
//!
//! All of it goes through a writer, like at any other gateway, on a clock of its own that is moved from sale to
//! sale. It is made once, and not again where the first of it is there.

use std::{io, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use ledger::{
    calendar,
    card_use::{CardProof, Till},
    command::{
        Adjustment, AdjustmentRequest, Ask, Command, Direction, Enrol, Merging, Operation,
        OrderReport, Payment, PosCommand, ProfileChange,
    },
    decision::Answer,
    lot::Scope,
    programme::{BASE_CLASS, Programme},
};
use member_card::{CardId, SigningKey, SpendLimit};
use personal_data::{Profile, ProfileInput};
use pos_protocol::{
    BasketId, CommandId, MemberId, OrderId, Points, Receipt, ReceiptLine, RequestId, ShopId,
    StoreId, TerminalId, Yen,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Demo, DemoError, unexpected};
use crate::{
    claims,
    clock::Clock,
    intake::letter,
    newcomer,
    person::profile,
    secrets::Secrets,
    store::{Fate, NewMessage, Store, StoreError, till_of},
    writer::{Writer, WriterOptions},
};

/// How far back it begins.
const DAYS: i64 = 56;
/// Days between two purchases of one member.
const EVERY_DAYS: i64 = 8;
/// Where members buy: store and till.
const TILLS: [(&str, &str); 3] = [
    ("store-1", "till-2"),
    ("store-2", "till-3"),
    ("store-3", "till-4"),
];
/// The shop of the orders.
const SHOP: &str = "shop-1";
/// Goods: name, category, tax rate in per cent.
const GOODS: [(&str, &str, u8); 4] = [
    ("煎茶", "food", 8),
    ("湯のみ", "household", 10),
    ("羊羹", "food", 8),
    ("手ぬぐい", "clothing", 10),
];
/// Members who told something of themselves: name, reading, birthday, address. The first two may be one person.
const TOLD: [(&str, &str, &str, &str); 4] = [
    (
        "見本 花子",
        "ミホン ハナコ",
        "1990-04-01",
        "hanako@example.jp",
    ),
    (
        "見本 花子",
        "ミホン ハナコ",
        "1990-04-01",
        "hanako.work@example.jp",
    ),
    (
        "試用 太郎",
        "シヨウ タロウ",
        "1984-11-30",
        "taro@example.jp",
    ),
    (
        "例文 さくら",
        "レイブン サクラ",
        "2001-03-21",
        "sakura@example.jp",
    ),
];
const MEMBERS: i64 = 12;

/// A member on the way.
struct Customer {
    member_id: MemberId,
    card_id: CardId,
}

struct Player<'a> {
    store: &'a Store,
    writer: &'a Writer,
    clock: Clock,
    secrets: &'a Secrets,
    programme: Arc<Programme>,
    customers: Vec<Customer>,
    sales: i64,
}

impl Demo<'_> {
    /// Makes the history, unless its first sale is there.
    pub(super) async fn history(&self) -> Result<(), DemoError> {
        let (_, till) = TILLS[0];
        let (till, first) = (TerminalId::new(till)?, request_id(1)?);
        if self.store.request(&till, &first).await?.is_some() {
            return Ok(());
        }
        let in_force = self.store.programme().await?;
        let programme = in_force.ok_or(StoreError::NoProgramme)?.programme;
        // It ends before today does.
        let back = SignedDuration::from_hours(24 * (DAYS + 1));
        let start = self
            .clock
            .now()
            .checked_sub(back)
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let clock = Clock::manual(start);
        let options = WriterOptions {
            lanes: 1,
            answer_deadline: Duration::from_secs(30),
            ..WriterOptions::for_store(self.store)
        };
        let (writer, lanes) = Writer::start(self.store, clock.clone(), &options);
        let player = Player {
            store: self.store,
            writer: &writer,
            clock,
            secrets: self.secrets,
            programme,
            customers: Vec::new(),
            sales: 0,
        };
        let played = player.play(start).await;
        drop(writer);
        lanes.drained().await;
        played
    }
}

fn request_id(sale: i64) -> Result<RequestId, DemoError> {
    Ok(RequestId::new(&format!("history-{sale}"))?)
}

impl Player<'_> {
    async fn play(mut self, start: Timestamp) -> Result<(), DemoError> {
        for day in 0..DAYS {
            let opens = SignedDuration::from_hours(24 * day + day % 9);
            let opens = start.checked_add(opens).unwrap_or(start);
            self.clock.advance(opens.duration_since(self.clock.now()));
            if day % 4 == 0 && day / 4 < MEMBERS {
                self.enrol().await?;
            }
            for number in 0..self.customers.len() {
                let place = i64::try_from(number).unwrap_or_default();
                if (day + 3 * place) % EVERY_DAYS == 0 {
                    self.buy(number, place, day).await?;
                }
            }
            if day % 7 == 5 {
                self.order(day / 7).await?;
            }
        }
        self.tell().await?;
        self.merge().await?;
        self.propose().await?;
        self.dead_letter().await
    }

    fn pass(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    async fn submit(&self, operation: Operation) -> Result<Answer, DemoError> {
        let id = CommandId::new(self.clock.new_id());
        Ok(self.writer.submit(Command { id, operation }, None).await?)
    }

    async fn enrol(&mut self) -> Result<(), DemoError> {
        let randomness = |error| DemoError::Key("a card".into(), io::Error::other(error));
        let key = SigningKey::generate().map_err(|error| randomness(error.to_string()))?;
        let newcomer = newcomer::newcomer(self.store, &self.clock)
            .await
            .map_err(|error| randomness(error.to_string()))?;
        let enrol = Operation::Enrol(Enrol {
            card_id: key.card_id(),
            public_key: key.public_key().to_sec1().to_vec(),
            member_id: newcomer.member_id,
            member_no: newcomer.member_no,
        });
        match self.submit(enrol).await? {
            Answer::Enrolled {
                member_id, card_id, ..
            } => self.customers.push(Customer { member_id, card_id }),
            other => return Err(unexpected(&other)),
        }
        Ok(())
    }

    /// A receipt of one or two lines, paid with a few points now and then.
    async fn buy(&mut self, number: usize, place: i64, day: i64) -> Result<(), DemoError> {
        self.sales += 1;
        self.pass(7);
        let Some(customer) = self.customers.get(number) else {
            return Ok(());
        };
        let mut tills = TILLS.iter().cycle();
        // Everybody has a store of their own, and sometimes buys in another.
        let away = i64::from(day % 5 == 0);
        let (store, till) = tills
            .nth(usize::try_from((place + away) % 3).unwrap_or(0))
            .unwrap_or(&TILLS[0]);
        let till = match self.sales {
            1 => TILLS[0],
            _ => (*store, *till),
        };
        let till = Till {
            terminal_id: TerminalId::new(till.1)?,
            store_id: StoreId::new(till.0)?,
        };
        let redeem = if self.sales % 3 == 0 { 12 } else { 0 };
        let points = self.store.member(customer.member_id).await?;
        let has = points.is_some_and(|record| record.member.available.get() >= redeem);
        let now = self.clock.now();
        let card = CardProof::Text {
            card_id: customer.card_id,
            issued_at: u32::try_from(now.as_second()).unwrap_or_default(),
            spend: SpendLimit::Unlimited,
        };
        let redeem = if has { redeem } else { 0 };
        let request = request_id(self.sales)?;
        let ask = Ask::Purchase {
            basket_id: BasketId::new(request.as_str())?,
            payment: Payment::Card {
                card,
                redeem: Points::new(redeem).unwrap_or(Points::ZERO),
            },
            receipt: Arc::new(self.receipt(&till.store_id, place, now)),
            advice: None,
        };
        let pos = PosCommand {
            till,
            fingerprint: Sha256::digest(request.as_str()).into(),
            request_id: request,
            ask,
        };
        match self.submit(Operation::Pos(pos)).await? {
            Answer::Message(text) if text.contains("\"approved\"") => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    fn receipt(&self, store: &StoreId, place: i64, now: Timestamp) -> Receipt {
        let line = |line_no: u32, seed: i64| {
            let at = usize::try_from(seed % 4).unwrap_or(0);
            let (name, category, tax_rate) = GOODS.get(at).copied().unwrap_or(GOODS[0]);
            let yen = 1_080 + 540 * (seed % 7);
            ReceiptLine {
                line_no,
                sku: format!("49000000000{:02}", at * 11),
                name: name.into(),
                category: category.into(),
                quantity: 1,
                amount: Yen::new(yen).unwrap_or(Yen::ZERO),
                tax_rate,
            }
        };
        let lines = vec![line(1, self.sales + place), line(2, 3 * self.sales + 1)];
        let total = Yen::total(lines.iter().map(|line| line.amount));
        let tax = lines.iter().map(|line| {
            let rate = i64::from(line.tax_rate);
            line.amount.get() * rate / (100 + rate)
        });
        Receipt {
            number: format!("H-{}", self.sales),
            business_date: calendar::business_date(&self.programme, store, now),
            occurred_at: now,
            tax: Yen::new(tax.sum()).unwrap_or(Yen::ZERO),
            lines,
            total,
        }
    }

    /// An order of one of two customers of the EC shop, paid and shipped.
    async fn order(&mut self, week: i64) -> Result<(), DemoError> {
        self.pass(11);
        let shop_id = ShopId::new(SHOP)?;
        let name = format!("W-{}", 1_001 + week);
        let order_id = OrderId::new(&name)?;
        let now = self.clock.now();
        let statement = json!({
            "order_id": name, "as_of": now, "paid": true, "shipped": "everything",
            "placed": {
                "number": format!("#{name}"), "ordered_at": now,
                "lines": [{ "line_id": "1", "sku": "4900000000033", "name": "煎茶 詰め合わせ", "category": "food",
                            "quantity": 1, "amount": 3_240 + 540 * week, "tax_rate": 8 }],
                "total": 3_240 + 540 * week, "tax": (3_240 + 540 * week) * 8 / 108,
            },
        });
        let read = serde_json::from_value(statement);
        let statement = read.map_err(|error| DemoError::Answer(error.to_string()))?;
        let newcomer = newcomer::newcomer(self.store, &self.clock).await;
        let newcomer = newcomer.map_err(|error| DemoError::Answer(error.to_string()))?;
        let index = &self.secrets.index;
        let report = OrderReport {
            used: claims::order_use(index, &shop_id, &order_id),
            till: till_of(&shop_id)?,
            customer: Some(claims::ec_customer(index, &shop_id, customer_of(week))),
            shop_id,
            statement,
            newcomer,
        };
        match self
            .submit(Operation::ReportOrder(Box::new(report)))
            .await?
        {
            Answer::OrderBooked { .. } => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    async fn tell(&self) -> Result<(), DemoError> {
        let today = calendar::today(&self.programme, self.clock.now());
        for (customer, (name, kana, birthday, email)) in self.customers.iter().zip(TOLD) {
            let told = ProfileInput {
                name: Some(name.into()),
                kana: Some(kana.into()),
                birthday: Some(birthday.into()),
                email: Some(email.into()),
                ..ProfileInput::default()
            };
            let wrong = |error: String| DemoError::Answer(error);
            let told = Profile::parse(&told, today).map_err(|error| wrong(error.to_string()))?;
            let member_id = customer.member_id;
            let sealed = profile::seal(self.secrets, member_id, &told);
            let change = ProfileChange {
                member_id,
                replaces: 0,
                sealed: sealed.map_err(|error| wrong(error.to_string()))?,
                actor: format!("card:{}", customer.card_id),
            };
            match self.submit(Operation::SetProfile(Box::new(change))).await? {
                Answer::Done => {}
                other => return Err(unexpected(&other)),
            }
        }
        Ok(())
    }

    /// The shop's first customer turns out to be one of the members.
    async fn merge(&self) -> Result<(), DemoError> {
        let shop_id = ShopId::new(SHOP)?;
        let claim = claims::ec_customer(&self.secrets.index, &shop_id, customer_of(0));
        let ordered = self.store.identity_owner(claim.key).await?;
        let (Some(member_id), Some(customer)) = (ordered, self.customers.get(2)) else {
            return Ok(());
        };
        let merging = Merging {
            member_id,
            into: customer.member_id,
            reason: "same person, shown at the desk".into(),
            actor: "support-1".into(),
        };
        match self.submit(Operation::Merge(Box::new(merging))).await? {
            Answer::Linked { .. } => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// More than one person adjusts alone: it waits for another manager.
    async fn propose(&self) -> Result<(), DemoError> {
        let Some(customer) = self.customers.get(3) else {
            return Ok(());
        };
        let request = AdjustmentRequest {
            adjustment: Adjustment {
                member_id: customer.member_id,
                direction: Direction::Grant,
                points: Points::new(5_000).unwrap_or(Points::ZERO),
                class: BASE_CLASS.into(),
                scope: Scope::default(),
                reason: "parcel lost, complaint 118".into(),
                actor: "support-1".into(),
            },
            within_a_day: Points::ZERO,
        };
        match self
            .submit(Operation::RequestAdjustment(Box::new(request)))
            .await?
        {
            // Another programme may allow more, or have no such limit.
            Answer::Proposed { .. } | Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// A message that nobody understood.
    async fn dead_letter(&self) -> Result<(), DemoError> {
        let (id, now) = (self.clock.new_id(), self.clock.now());
        let mut messages = [NewMessage {
            id,
            shop_id: ShopId::new("shop-2")?,
            repeat_key: None,
            topic: "order.updated".into(),
            is_test: false,
            body: b"{\"id\":\"?\"}".to_vec(),
            received_at: now,
        }];
        letter::seal(self.secrets, &mut messages[0])?;
        self.store.inbox_accept(&mut messages).await?;
        let fate = Fate::Dead("the order has no id that is a number".into());
        Ok(self.store.inbox_settle(&[(id, fate)], now).await?)
    }
}

/// The shop's customer of a week's order.
fn customer_of(week: i64) -> &'static str {
    if week % 3 == 1 { "4712" } else { "4711" }
}
