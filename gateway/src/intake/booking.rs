//! One message, from its bytes to the ledger's answer.

use std::sync::Arc;

use ec::{NotUnderstood, Parsed};
use jiff::{SignedDuration, Timestamp};
use ledger::{
    command::{Command, Operation, OrderReport},
    decision::Answer,
    identity::{Claim, IdentityKey},
};
use moka::sync::Cache;
use outbound::ec_cube::FetchError;
use personal_data::Email;
use pos_protocol::{CommandId, MemberId, OrderCustomer, OrderStatement};

use super::{
    KnownShop, STATEMENT_TOPIC, Shops,
    cube::{CubeError, Cubes},
    letter,
};
use crate::{
    claims,
    clock::Clock,
    limits,
    newcomer::{self, NewcomerError},
    secrets::Secrets,
    store::{Fate, InboxMessage, Store},
    writer::{WriteError, Writer},
};

/// Gives messages their meaning and has it booked. Cheap to clone.
#[derive(Clone)]
pub(super) struct Booking {
    store: Store,
    writer: Writer,
    clock: Clock,
    secrets: Arc<Secrets>,
    shops: Shops,
    cubes: Cubes,
    /// Whose an identity is, as a hint of the lane and that no newcomer is needed.
    owners: Cache<[u8; 32], MemberId>,
}

/// Why a message is not done.
enum Stop {
    /// Its turn has not come.
    Later(Timestamp),
    /// Not now.
    Again(String),
    /// Not now, and perhaps never: a defect may be in the way, here or in what else was in the batch.
    Fault(String),
    /// Not now, and not before people mended something at the shop, who need hours for it.
    Refused(String),
    /// People have to look.
    Dead(String),
}

impl Stop {
    /// What becomes of a message that was tried this often before.
    fn fate(self, attempts: u32, now: Timestamp) -> Fate {
        match self {
            Self::Fault(why) if attempts >= limits::INTAKE_FAULTS_MAX => Fate::Dead(why),
            Self::Refused(why) if attempts >= limits::INTAKE_REFUSALS_MAX => Fate::Dead(why),
            Self::Again(why) | Self::Fault(why) | Self::Refused(why) => {
                Fate::Again(why, next_try(attempts, now))
            }
            Self::Later(at) => Fate::Later(at),
            Self::Dead(why) => Fate::Dead(why),
        }
    }
}

impl Booking {
    pub(super) fn new(
        (store, writer, clock): (Store, Writer, Clock),
        secrets: Arc<Secrets>,
        shops: Shops,
        cubes: Cubes,
    ) -> Self {
        Self {
            store,
            writer,
            clock,
            secrets,
            shops,
            cubes,
            owners: Cache::new(limits::OWNER_CACHE_ENTRIES_MAX),
        }
    }

    /// What becomes of a message. Nothing of it is lost if this is never answered.
    pub(super) async fn fate(&self, message: &mut InboxMessage) -> Fate {
        match letter::open(&self.secrets, message.id, &message.body) {
            Ok(plain) => message.body = plain,
            // A master key that is missing can be put back into the file, and the message be replayed.
            Err(error) => return Fate::Dead(format!("the message cannot be opened: {error}")),
        }
        let stop = match self.book_all(message).await {
            Ok(None) => return Fate::Done,
            Ok(Some(why)) => return Fate::Ignored(why.to_owned()),
            Err(stop) => stop,
        };
        stop.fate(message.attempts, self.clock.now())
    }

    /// Books all that a message says; if it says nothing, why.
    async fn book_all(&self, message: &InboxMessage) -> Result<Option<&'static str>, Stop> {
        let shop = self.shops.get(&message.shop_id, self.clock.now()).await;
        let shop = shop.map_err(|error| Stop::Again(error.to_string()))?;
        let shop = shop.ok_or_else(|| Stop::Dead("the shop is disabled".to_owned()))?;
        let mut ignored = None;
        let (mut booked, mut stopped) = (false, None);
        for parsed in meaning(&shop, message)? {
            match self.book_one(&shop, message, parsed).await {
                Ok(None) => booked = true,
                Ok(Some(why)) => ignored = Some(why),
                // What else the message says is booked all the same.
                Err(Stop::Dead(why)) if stopped.is_none() => stopped = Some(Stop::Dead(why)),
                Err(Stop::Dead(_)) => {}
                Err(stop) => stopped = Some(stop),
            }
        }
        match stopped {
            Some(stop) => Err(stop),
            None if booked => Ok(None),
            None => Ok(Some(ignored.unwrap_or("the message says nothing"))),
        }
    }

    async fn book_one(
        &self,
        shop: &KnownShop,
        message: &InboxMessage,
        parsed: Parsed,
    ) -> Result<Option<&'static str>, Stop> {
        let parsed = match parsed {
            Parsed::FetchOrder { id } => self
                .cubes
                .order(&shop.row, &id)
                .await
                .map_err(|error| not_fetched(&error))?,
            other => other,
        };
        match parsed {
            Parsed::Ignored(why) => Ok(Some(why)),
            Parsed::Statement(statement) => {
                self.report(shop, message, *statement).await?;
                Ok(None)
            }
            Parsed::FetchOrder { .. } => Err(Stop::Dead("an order names another".to_owned())),
        }
    }

    async fn report(
        &self,
        shop: &KnownShop,
        message: &InboxMessage,
        mut statement: OrderStatement,
    ) -> Result<(), Stop> {
        // Who it is goes apart, and only as a keyed hash; a test is nobody's.
        let named = statement.placed.as_mut();
        let named = named.map(|placed| std::mem::take(&mut placed.customer));
        let customer = named
            .filter(|_| !message.is_test)
            .and_then(|named| self.claim(shop, &named));
        let hint = match &customer {
            Some(claim) => self.owner(claim.key).await?,
            None => None,
        };
        let drawn = match (&customer, hint) {
            (Some(_), None) => newcomer::newcomer(&self.store, &self.clock).await,
            _ => newcomer::unchecked(&self.clock).map_err(NewcomerError::from),
        };
        let shop_id = shop.row.id.clone();
        let report = OrderReport {
            used: claims::order_use(&self.secrets.index, &shop_id, &statement.order_id),
            shop_id,
            till: shop.row.till.clone(),
            statement,
            customer,
            newcomer: drawn.map_err(|error| Stop::Again(error.to_string()))?,
        };
        let key = report.customer.as_ref().map(|claim| claim.key);
        let command = Command {
            id: CommandId::new(self.clock.new_id()),
            operation: Operation::ReportOrder(Box::new(report)),
        };
        match self.writer.submit(command, hint).await {
            Ok(Answer::OrderBooked { member_id, .. }) => {
                if let (Some(key), Some(member_id)) = (key, member_id) {
                    self.owners.insert(key.0, member_id);
                }
                Ok(())
            }
            Ok(Answer::Denied(denial)) => Err(Stop::Dead(denial.word().to_owned())),
            Ok(Answer::Refused(reason)) => Err(Stop::Dead(format!("refused: {reason:?}"))),
            Ok(other) => Err(Stop::Fault(format!("the ledger answered {other:?}"))),
            Err(error) => Err(not_written(&error)),
        }
    }

    fn claim(&self, shop: &KnownShop, named: &OrderCustomer) -> Option<Claim> {
        let (index, shop_id) = (&self.secrets.index, &shop.row.id);
        if let Some(id) = &named.id {
            return Some(claims::ec_customer(index, shop_id, id));
        }
        let email = Email::parse(named.email.as_deref()?).ok()?;
        Some(claims::ec_guest(index, shop_id, &email))
    }

    async fn owner(&self, key: IdentityKey) -> Result<Option<MemberId>, Stop> {
        if let Some(owner) = self.owners.get(&key.0) {
            return Ok(Some(owner));
        }
        let owner = self.store.identity_owner(key).await;
        owner.map_err(|error| Stop::Again(error.to_string()))
    }
}

/// What a message says, in the words of the shop's platform.
fn meaning(shop: &KnownShop, message: &InboxMessage) -> Result<Vec<Parsed>, Stop> {
    if message.topic == STATEMENT_TOPIC {
        let statement: OrderStatement = serde_json::from_slice(&message.body)
            .map_err(|_| Stop::Dead("the statement cannot be read".to_owned()))?;
        return Ok(vec![Parsed::Statement(Box::new(statement))]);
    }
    let Some(platform) = shop.row.platform.webhooks() else {
        return Err(Stop::Dead("the shop sends no webhooks".to_owned()));
    };
    ec::parse(platform, &message.topic, &message.body)
        .map_err(|error| Stop::Dead(error.to_string()))
}

fn not_fetched(error: &CubeError) -> Stop {
    let why = error.to_string();
    match error {
        CubeError::Busy(at) => Stop::Later(*at),
        CubeError::Fetch(FetchError::Retry(_)) | CubeError::Store(_) => Stop::Again(why),
        CubeError::Fetch(FetchError::Refused(_))
        | CubeError::NotUnderstood(NotUnderstood::Withheld(_)) => Stop::Refused(why),
        CubeError::NotUnderstood(_) | CubeError::NotSetUp => Stop::Dead(why),
    }
}

fn not_written(error: &WriteError) -> Stop {
    let why = error.to_string();
    match error {
        WriteError::Fault(_) => Stop::Fault(why),
        _ => Stop::Again(why),
    }
}

/// When to try again: twice as late each time, up to a limit.
fn next_try(attempts: u32, now: Timestamp) -> Timestamp {
    let doubled = limits::INTAKE_AGAIN_MS_MIN.saturating_mul(1_i64 << attempts.min(20));
    let pause = SignedDuration::from_millis(doubled.min(limits::INTAKE_AGAIN_MS_MAX));
    now.checked_add(pause).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use outbound::ec_cube::Refusal;

    use super::*;

    #[test]
    fn tries_grow_rarer_to_a_limit() {
        let now = Timestamp::UNIX_EPOCH;
        let after = |attempts| next_try(attempts, now).duration_since(now).as_millis();
        assert_eq!(after(0), i128::from(limits::INTAKE_AGAIN_MS_MIN));
        assert_eq!(after(2), i128::from(limits::INTAKE_AGAIN_MS_MIN * 4));
        assert_eq!(after(u32::MAX), i128::from(limits::INTAKE_AGAIN_MS_MAX));
    }

    #[test]
    fn a_shop_that_refuses_is_asked_for_hours() {
        for refused in [
            CubeError::Fetch(FetchError::Refused(Refusal::Grant)),
            CubeError::Fetch(FetchError::Refused(Refusal::AccessToken)),
            CubeError::Fetch(FetchError::Refused(Refusal::Status(403))),
            CubeError::Fetch(FetchError::Refused(Refusal::NoData)),
            CubeError::NotUnderstood(NotUnderstood::Withheld("the whole order")),
        ] {
            let (mut now, mut attempts) = (Timestamp::UNIX_EPOCH, 0);
            while let Fate::Again(_, at) = not_fetched(&refused).fate(attempts, now) {
                (now, attempts) = (at, attempts + 1);
            }
            let hours = now.duration_since(Timestamp::UNIX_EPOCH).as_hours();
            assert_eq!(hours, 24, "{refused}");
        }
        let unreadable = CubeError::NotUnderstood(NotUnderstood::NotJson);
        assert!(matches!(not_fetched(&unreadable), Stop::Dead(_)));
    }

    #[test]
    fn nothing_dies_of_a_busy_database() {
        for error in [
            WriteError::QueueFull,
            WriteError::ShuttingDown,
            WriteError::Unavailable(String::new()),
            WriteError::OutcomeUnknown(String::new()),
        ] {
            assert!(matches!(not_written(&error), Stop::Again(_)), "{error}");
        }
        let defect = WriteError::Fault(String::new());
        assert!(matches!(not_written(&defect), Stop::Fault(_)));
    }
}
