//! A cashier: baskets of every kind, typed into a till that may be killed under the fingers.

use std::sync::Arc;

use acceptance::dice::Dice;
use member_card::SpendLimit;
use serde_json::Value;

use crate::{
    World,
    till::{Killed, TillProgram},
};

/// A till and who stands behind it.
pub(crate) struct Cashier {
    world: Arc<World>,
    till: TillProgram,
    dice: Dice,
}

impl Cashier {
    pub(crate) fn new(world: Arc<World>, till: TillProgram, dice: Dice) -> Self {
        Self { world, till, dice }
    }

    /// Serves so many baskets, then settles what is left.
    pub(crate) async fn serve(mut self, baskets: usize) -> TillProgram {
        let mut allowed = self.world.allowed.subscribe();
        for _ in 0..baskets {
            let served = &self.world.served;
            let may = allowed
                .wait_for(|allowed| *served.borrow() < *allowed)
                .await;
            drop(may.unwrap());
            if self.serve_one().await.is_err() {
                self.world.books.till_killed();
                self.till.restart().await;
            }
            self.world.served.send_modify(|served| *served += 1);
        }
        loop {
            match self.command("wait").await {
                Ok(_) => return self.till,
                Err(Killed) => self.till.restart().await,
            }
        }
    }

    async fn serve_one(&mut self) -> Result<(), Killed> {
        let phones = u64::try_from(self.world.phones.len()).unwrap();
        let phone = usize::try_from(self.dice.below(phones)).unwrap();
        let shown = self.world.phones[phone].show(SpendLimit::Unlimited).await;
        self.command(&format!("scan {}", shown.text.to_digits()))
            .await?;
        let price = self.dice.between(100, 5_000);
        self.command(&format!("item tea {price} x2")).await?;
        let points = self.dice.between(1, 90);
        match self.dice.below(6) {
            0 => drop(self.pay("pay").await?),
            1 => drop(self.pay(&format!("pay {points}")).await?),
            2 => {
                self.command(&format!("points {points}")).await?;
                self.pay("pay").await?;
            }
            3 => {
                self.command(&format!("points {points}")).await?;
                self.command("void").await?;
            }
            4 => {
                if self.pay("pay").await? == "approved" {
                    self.command("refund last 1 x1").await?;
                }
            }
            _ => {
                if matches!(self.pay("pay").await?.as_str(), "approved" | "queued") {
                    self.command("undo").await?;
                }
            }
        }
        Ok(())
    }

    /// Ends the basket; the verdict. What was not sold is forgotten.
    async fn pay(&mut self, command: &str) -> Result<String, Killed> {
        let lines = self.command(command).await?;
        let last = lines.last().unwrap();
        let verdict = last["verdict"].as_str().unwrap_or_default().to_owned();
        if !matches!(verdict.as_str(), "approved" | "queued") {
            self.command("void").await?;
        }
        Ok(verdict)
    }

    async fn command(&mut self, command: &str) -> Result<Vec<Value>, Killed> {
        let lines = self.till.command(command).await?;
        for line in &lines {
            self.world.books.hear(line);
        }
        Ok(lines)
    }
}
