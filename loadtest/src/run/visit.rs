//! One shopper's errand, request by request.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use http_body_util::Full;
use hyper::{Request, body::Bytes};
use member_card::CardText;
use pos_protocol::Yen;

use super::{
    errand::{Errand, Operation},
    record::Record,
};
use crate::{
    clock,
    crowd::POINTS_HELD,
    till::Till,
    wire::{Answer, Place, Wire},
};

/// How long an answer may take before the till gives up.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Yen of each purchase: ten points at the load test's programme.
const PURCHASE_YEN: i64 = 1_080;
/// Purchases that are remembered to be given back.
const MADE_MAX: usize = 10_000;

/// An errand, with its first request ready to send.
#[derive(Debug)]
pub struct Visit {
    /// What for.
    pub errand: Errand,
    /// At which till.
    pub till: usize,
    /// The basket, and the first request.
    pub name: String,
    /// That request.
    pub request: Request<Full<Bytes>>,
}

impl Visit {
    /// Prepares an errand.
    ///
    /// # Errors
    /// If `name` is no request id.
    pub fn prepare(
        errand: Errand,
        (number, till): (usize, &Till),
        name: String,
        card: &CardText,
    ) -> anyhow::Result<Self> {
        let request = match errand {
            Errand::Authorize | Errand::Spend => till.authorization(&name, card, POINTS_HELD)?,
            Errand::Inquire => till.inquiry(&name, card)?,
            // Used by those that give back only if nothing was bought yet.
            Errand::Earn | Errand::Refund | Errand::Reverse => {
                till.purchase(&name, card, Yen::new(PURCHASE_YEN)?)?
            }
        };
        Ok(Self {
            errand,
            till: number,
            name,
            request,
        })
    }
}

/// A purchase that can be given back.
#[derive(Debug)]
struct Made {
    till: usize,
    request: String,
    purchase: String,
}

/// Where errands are carried out, and what is kept of them.
#[derive(Debug)]
pub struct Ground {
    place: Place,
    tills: Vec<Till>,
    record: Mutex<Record>,
    made: Mutex<VecDeque<Made>>,
    holds: Mutex<Vec<(usize, String)>>,
}

impl Ground {
    /// A gateway and the tills that speak to it.
    ///
    /// # Errors
    /// Never, with the constants of this crate.
    pub fn new(place: Place, tills: Vec<Till>) -> anyhow::Result<Self> {
        Ok(Self {
            place,
            tills,
            record: Mutex::new(Record::nothing()?),
            made: Mutex::default(),
            holds: Mutex::default(),
        })
    }

    /// The gateway.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The tills.
    #[must_use]
    pub fn tills(&self) -> &[Till] {
        &self.tills
    }

    /// Writes something down.
    pub fn note<T>(&self, write: impl FnOnce(&mut Record) -> T) -> T {
        write(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the record, and begins another.
    ///
    /// # Errors
    /// Never, with the constants of this crate.
    pub fn take_record(&self) -> anyhow::Result<Record> {
        let nothing = Record::nothing()?;
        Ok(self.note(|record| std::mem::replace(record, nothing)))
    }

    /// Takes the holds that nothing captured.
    #[must_use]
    pub fn take_holds(&self) -> Vec<(usize, String)> {
        std::mem::take(&mut self.holds.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Carries an errand out. The first latency counts from `due`, the others from the answer before
    /// them; `begun` is when the segment began.
    ///
    /// # Errors
    /// If a message cannot be written. An answer that does not come is noted, no error.
    pub async fn carry_out(
        &self,
        visit: Visit,
        wire: &mut Wire,
        due: Instant,
        begun: Instant,
    ) -> anyhow::Result<()> {
        let mut walk = Walk {
            ground: self,
            wire,
            since: due,
            begun,
        };
        match visit.errand {
            Errand::Inquire => walk.ask(Operation::Inquiry, visit.request).await.map(drop),
            Errand::Authorize => walk.hold(visit).await.map(|(visit, hold)| {
                self.keep_hold(visit.till, hold);
            }),
            Errand::Spend => walk.spend(visit).await,
            Errand::Earn => {
                let made = walk.buy(visit).await?;
                self.keep(made);
                Ok(())
            }
            Errand::Refund | Errand::Reverse => walk.give_back(visit).await,
        }
    }

    fn keep_hold(&self, till: usize, hold: Option<String>) {
        if let Some(hold) = hold {
            let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
            holds.push((till, hold));
        }
    }

    fn keep(&self, made: Option<Made>) {
        let mut kept = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made
            && kept.len() < MADE_MAX
        {
            kept.push_back(made);
        }
    }

    fn oldest(&self) -> Option<Made> {
        let mut kept = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        kept.pop_front()
    }

    fn till(&self, number: usize) -> anyhow::Result<&Till> {
        self.tills.get(number).context("a till")
    }
}

/// A shopper on the way.
struct Walk<'a> {
    ground: &'a Ground,
    wire: &'a mut Wire,
    since: Instant,
    begun: Instant,
}

impl Walk<'_> {
    async fn ask(
        &mut self,
        operation: Operation,
        request: Request<Full<Bytes>>,
    ) -> anyhow::Result<Option<Answer>> {
        let answer = match tokio::time::timeout(ANSWER_WITHIN, self.wire.send(request)).await {
            Ok(answer) => answer,
            Err(late) => {
                // Its answer may still come: the next request needs a connection without one.
                *self.wire = Wire::new(&self.ground.place);
                Err(late.into())
            }
        };
        let now = clock::instant();
        let took = now.saturating_duration_since(self.since);
        let at = now.saturating_duration_since(self.begun);
        self.since = now;
        self.ground
            .note(|record| record.answer(operation, &answer, took, at))?;
        Ok(answer.ok())
    }

    async fn hold(&mut self, visit: Visit) -> anyhow::Result<(Visit, Option<String>)> {
        let request = visit.request.clone();
        let answer = self.ask(Operation::Authorization, request).await?;
        let hold = answer.and_then(|answer| id_at(&answer, "/authorization/id"));
        Ok((visit, hold))
    }

    async fn spend(&mut self, visit: Visit) -> anyhow::Result<()> {
        let (visit, Some(hold)) = self.hold(visit).await? else {
            return Ok(());
        };
        let till = self.ground.till(visit.till)?;
        let yen = Yen::new(PURCHASE_YEN)?;
        let request = till.capture(&format!("{}-c", visit.name), &visit.name, &hold, yen)?;
        let answer = self.ask(Operation::Capture, request).await?;
        if answer.is_none_or(|answer| id_at(&answer, "/purchase/id").is_none()) {
            self.ground.keep_hold(visit.till, Some(hold));
        }
        Ok(())
    }

    async fn buy(&mut self, visit: Visit) -> anyhow::Result<Option<Made>> {
        let answer = self.ask(Operation::Purchase, visit.request).await?;
        let purchase = answer.and_then(|answer| id_at(&answer, "/purchase/id"));
        Ok(purchase.map(|purchase| Made {
            till: visit.till,
            request: visit.name,
            purchase,
        }))
    }

    async fn give_back(&mut self, visit: Visit) -> anyhow::Result<()> {
        let (errand, name) = (visit.errand, format!("{}-g", visit.name));
        let made = match self.ground.oldest() {
            Some(made) => made,
            None => match self.buy(visit).await? {
                Some(made) => made,
                None => return Ok(()),
            },
        };
        let till = self.ground.till(made.till)?;
        let (operation, request) = match errand {
            Errand::Reverse => (Operation::Reversal, till.reversal(&name, &made.request)?),
            _ => (Operation::Refund, till.refund(&name, &made.purchase)?),
        };
        self.ask(operation, request).await.map(drop)
    }
}

fn id_at(answer: &Answer, pointer: &str) -> Option<String> {
    let json = answer.json().ok()?;
    json.pointer(pointer)?.as_str().map(str::to_owned)
}
