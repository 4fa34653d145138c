//! A cashier's session: one basket at a time. All that has to survive is in the journal.

use std::path::PathBuf;

use jiff::civil::Date;
use pos_protocol::{
    AuthorizationAnswer, AuthorizationId, BasketId, InquiryAnswer, Points, PurchaseId, RequestId,
    client::{Answered, Ask, BusinessDay, Client, Sale, Scan, Verdict},
};
use serde_json::{Value, json};

use crate::{
    basket::Basket,
    command::{Command, HELP, Return},
    journal_lines,
    output::Output,
};

/// The till and what lies on its counter.
pub(crate) struct Session {
    client: Client,
    output: Output,
    journal: PathBuf,
    basket: Option<Basket>,
    last_sale: Option<RequestId>,
    understood: bool,
}

impl Session {
    pub(crate) fn new(client: Client, output: Output, journal: PathBuf) -> Self {
        Self {
            client,
            output,
            journal,
            basket: None,
            last_sale: None,
            understood: true,
        }
    }

    /// Lets holds of an earlier run go: their baskets died with it.
    pub(crate) fn let_go(&self, holds: Vec<(BasketId, AuthorizationId)>) {
        for (basket_id, authorization_id) in holds {
            let (client, output) = (self.client.clone(), self.output.clone());
            tokio::spawn(async move {
                let basket = basket_id.clone();
                let ask = Ask::Void {
                    basket_id,
                    authorization_id,
                };
                let operation = ask.operation();
                let answered = client.order(ask).await;
                output.answered(("let_go", operation), Some(&basket), &answered);
            });
        }
    }

    /// Carries out one line; false when it was the last.
    pub(crate) async fn line(&mut self, line: &str) -> bool {
        let done = match Command::parse(line) {
            Ok(Command::Quit) => return false,
            Ok(command) => self.run(command).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            self.understood = false;
            self.output.wrong(line, &error);
        }
        true
    }

    /// Ends the session; whether every command was understood.
    pub(crate) async fn close(self) -> bool {
        self.client.close().await;
        self.understood
    }

    async fn run(&mut self, command: Command) -> Result<(), String> {
        match command {
            Command::Nothing | Command::Quit => {}
            Command::Scan(text) => self.scan(text).await?,
            Command::Item {
                name,
                price,
                quantity,
                tax_rate,
            } => {
                let basket = self.open().await?;
                basket.add(&name, price, quantity, tax_rate)?;
                self.show();
            }
            Command::Points(points) => self.points(points).await?,
            Command::Pay(points) => self.pay(points).await?,
            Command::Void => self.void().await?,
            Command::Quote(goods) => {
                let (purchase_id, lines) = self.sold(goods).await?;
                let ask = Ask::RefundQuote { purchase_id, lines };
                self.ask("quote", None, ask).await;
            }
            Command::Refund(goods) => {
                let (purchase_id, lines) = self.sold(goods).await?;
                let ask = Ask::Refund { purchase_id, lines };
                self.ask("refund", None, ask).await;
            }
            Command::Undo(request) => {
                let last = || self.last_sale.clone().ok_or("nothing was sold yet");
                let original_request_id = request.map_or_else(last, Ok)?;
                let ask = Ask::Reversal {
                    original_request_id,
                };
                self.ask("undo", None, ask).await;
            }
            Command::Settle { day, anyway } => self.settle(day, anyway).await?,
            Command::Totals(day) => {
                let day = day.unwrap_or_else(|| self.client.business_date());
                self.totals("totals", day).await?;
            }
            Command::Status(None) => self.output.standing("status", self.client.standing()),
            Command::Status(Some(id)) => {
                let status = self.client.status(id.clone()).await;
                self.output.status(&id, &status);
            }
            Command::Wait => {
                let settled = self.client.settled().await;
                settled.map_err(|refusal| refusal.to_string())?;
                self.output.standing("wait", self.client.standing());
            }
            Command::Journal => self.print_journal()?,
            Command::Compact => self.compact().await?,
            Command::Help => self.output.say(
                || json!({"command": "help", "text": HELP}),
                || HELP.to_owned(),
            ),
        }
        Ok(())
    }

    /// Orders and shows the verdict.
    async fn ask(&self, command: &str, basket: Option<&BasketId>, ask: Ask) -> Answered<Value> {
        let operation = ask.operation();
        let answered = self.client.order(ask).await;
        self.output
            .answered((command, operation), basket, &answered);
        answered
    }

    /// The basket on the counter; a new one if there is none.
    async fn open(&mut self) -> Result<&mut Basket, String> {
        if self.basket.is_none() {
            let id = self.client.new_basket().await;
            let id = id.map_err(|refusal| refusal.to_string())?;
            self.basket = Some(Basket::new(id));
        }
        self.basket
            .as_mut()
            .ok_or_else(|| "there is no basket".to_owned())
    }

    fn show(&self) {
        if let Some(basket) = &self.basket {
            self.output.basket(basket);
        }
    }

    async fn scan(&mut self, text: String) -> Result<(), String> {
        let at = self.client.now();
        let scan = Scan { text, at };
        let basket = self.open().await?;
        let basket_id = basket.id.clone();
        basket.scan = Some(scan.clone());
        basket.spendable = None;
        let ask = Ask::Inquiry {
            basket_id: basket_id.clone(),
            scan,
        };
        let answered = self.ask("scan", Some(&basket_id), ask).await;
        let spendable =
            approval::<InquiryAnswer>(answered.verdict).and_then(|answer| answer.points?.spendable);
        self.open().await?.spendable = spendable;
        Ok(())
    }

    /// Holds points for the basket, or lets them go.
    async fn points(&mut self, points: Option<Points>) -> Result<(), String> {
        let basket = self.open().await?;
        let scan = basket.scan.clone().ok_or("scan a card first")?;
        let (basket_id, total, spendable) = (basket.id.clone(), basket.total(), basket.spendable);
        let points = match points {
            Some(points) => points,
            None => {
                let spendable = spendable.ok_or("what can be spent is not known; name a number")?;
                // A point pays a yen; the gateway has the last word.
                spendable.min(Points::new(total.get()).unwrap_or(spendable))
            }
        };
        if let Some((authorization_id, _)) = basket.hold.take() {
            let basket_id = basket_id.clone();
            let ask = Ask::Void {
                basket_id: basket_id.clone(),
                authorization_id,
            };
            self.ask("void", Some(&basket_id), ask).await;
        }
        if !points.is_zero() {
            let ask = Ask::Authorization {
                basket_id: basket_id.clone(),
                scan,
                points,
            };
            let answered = self.ask("points", Some(&basket_id), ask).await;
            let hold = approval::<AuthorizationAnswer>(answered.verdict)
                .and_then(|answer| answer.authorization);
            self.open().await?.hold = hold.map(|hold| (hold.id, hold.points));
        }
        self.show();
        Ok(())
    }

    async fn pay(&mut self, points: Option<Points>) -> Result<(), String> {
        let (at, day) = (self.client.now(), self.client.business_date());
        let basket = self.open().await?;
        if basket.lines.is_empty() {
            return Err("the basket is empty".to_owned());
        }
        let (basket_id, receipt) = (basket.id.clone(), basket.receipt(at, day));
        let Some(scan) = basket.scan.clone() else {
            self.basket = None;
            let sold = json!({"command": "pay", "verdict": "no_card", "basket_id": basket_id});
            self.output
                .say(|| sold, || "Sold without a card.".to_owned());
            return Ok(());
        };
        let worth = Points::new(receipt.total.get()).unwrap_or(Points::MAX);
        let redeem_points = match basket.hold {
            // A hold is captured whole, unless it is more than the sale is worth.
            Some((_, held)) => points.or_else(|| (held > worth).then_some(worth)),
            None => points.filter(|points| !points.is_zero()),
        };
        let number = receipt.number.clone();
        let sale = Sale {
            basket_id: basket_id.clone(),
            scan,
            authorization_id: basket.hold.map(|(id, _)| id),
            redeem_points,
            receipt,
        };
        let ask = Ask::Purchase(sale);
        let answered = self.ask("pay", Some(&basket_id), ask).await;
        if matches!(
            answered.verdict,
            Verdict::Approved(_) | Verdict::Queued { .. }
        ) {
            self.last_sale = answered.request_id;
            self.basket = None;
            self.output.say(
                || json!({"command": "receipt", "basket_id": basket_id, "receipt": number}),
                || format!("Receipt {number}"),
            );
        }
        Ok(())
    }

    async fn void(&mut self) -> Result<(), String> {
        let basket = self.basket.take().ok_or("there is no basket")?;
        match basket.hold {
            Some((authorization_id, _)) => {
                let basket_id = basket.id.clone();
                let ask = Ask::Void {
                    basket_id,
                    authorization_id,
                };
                self.ask("void", Some(&basket.id), ask).await;
            }
            None => self.output.say(
                || json!({"command": "void", "verdict": "no_hold", "basket_id": basket.id}),
                || "The basket is forgotten.".to_owned(),
            ),
        }
        Ok(())
    }

    /// The purchase behind a receipt's number, its own id, or `last`.
    async fn sold(
        &self,
        goods: Return,
    ) -> Result<(PurchaseId, Option<Vec<pos_protocol::RefundLine>>), String> {
        let Return { receipt, lines } = goods;
        if let Ok(id) = receipt.parse() {
            return Ok((id, lines));
        }
        let wanted = receipt.clone();
        let found = self.client.book(move |book| {
            let mut latest = book.sold().rev();
            let found = latest
                .find(|sold| sold.receipt.number == wanted || wanted == "last" && !sold.reversed);
            found.map(|sold| sold.purchase_id)
        });
        let found = found.await.map_err(|refusal| refusal.to_string())?;
        let id = found.ok_or_else(|| format!("no approved sale with the receipt {receipt}"))?;
        Ok((id, lines))
    }

    async fn settle(&self, day: Option<Date>, anyway: bool) -> Result<(), String> {
        let business_date = day.unwrap_or_else(|| self.client.business_date());
        let ask = Ask::Settlement {
            business_date,
            anyway,
        };
        let answered = self.ask("settle", None, ask).await;
        if matches!(answered.verdict, Verdict::Approved(_)) {
            // The day is done; a journal that cannot be made smaller now is made so later.
            let _ = self.client.compact().await;
        }
        Ok(())
    }

    async fn totals(&self, command: &str, day: Date) -> Result<(), String> {
        let calendar: BusinessDay = self.client.settings().business_day.clone();
        let totals = self.client.book(move |book| book.totals(day, &calendar));
        let totals = totals.await.map_err(|refusal| refusal.to_string())?;
        self.output.totals(command, day, &totals);
        Ok(())
    }

    fn print_journal(&self) -> Result<(), String> {
        let file = self.journal.join("journal");
        for entry in journal_lines(&file).map_err(|error| format!("{error:#}"))? {
            self.output.say(
                || serde_json::from_str(&entry).unwrap_or_default(),
                || entry.clone(),
            );
        }
        Ok(())
    }

    async fn compact(&self) -> Result<(), String> {
        let done = self.client.compact().await;
        let done = done.map_err(|error| format!("the journal stays as it is: {error}"))?;
        self.output.say(
            || json!({"command": "compact", "done": done}),
            || {
                let said = if done {
                    "The journal is smaller now."
                } else {
                    "Not while requests are unsettled."
                };
                said.to_owned()
            },
        );
        Ok(())
    }
}

/// An approval as what it is.
fn approval<A: serde::de::DeserializeOwned>(verdict: Verdict) -> Option<A> {
    serde_json::from_value(verdict.approved()?).ok()
}
