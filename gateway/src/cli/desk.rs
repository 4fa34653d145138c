//! Where commands of the command line are handed in: the writer, for one caller.

use std::time::Duration;

use ledger::{
    command::{Command, Operation},
    decision::Answer,
    state::InForce,
};
use pos_protocol::{CommandId, MemberId};

pub(super) use crate::desk::remark;

use super::{
    Failure, Settings,
    database::{self, DatabaseArgs},
};
use crate::{
    clock::Clock,
    store::{DatabaseUrl, PoolSizes, Store, StoreError},
    writer::{Lanes, Writer, WriterOptions},
};

/// How long a command may take: longer than a till would wait, because nobody stands in a queue.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// An open store and its writer.
pub(super) struct Desk {
    pub(super) store: Store,
    pub(super) clock: Clock,
    writer: Writer,
    lanes: Lanes,
}

impl Desk {
    pub(super) async fn open(args: &DatabaseArgs, settings: &Settings) -> Result<Self, Failure> {
        Self::open_url(&args.url(settings)?).await
    }

    pub(super) async fn open_url(url: &DatabaseUrl) -> Result<Self, Failure> {
        let store = database::open_existing(url, PoolSizes { write: 1, read: 2 }).await?;
        Ok(Self::over(store))
    }

    /// A desk over a store that is open already.
    pub(super) fn over(store: Store) -> Self {
        let clock = Clock::system();
        let options = WriterOptions {
            lanes: 1,
            answer_deadline: ANSWER_DEADLINE,
            ..WriterOptions::for_store(&store)
        };
        let (writer, lanes) = Writer::start(&store, clock.clone(), &options);
        Self {
            store,
            clock,
            writer,
            lanes,
        }
    }

    /// Has one operation decided and made durable.
    pub(super) async fn submit(
        &self,
        operation: Operation,
        member: Option<MemberId>,
    ) -> Result<Answer, Failure> {
        let id = CommandId::new(self.clock.new_id());
        let command = Command { id, operation };
        Ok(self.writer.submit(command, member).await?)
    }

    /// The programme in force; a failure where there is none.
    pub(super) async fn programme(&self) -> Result<InForce, Failure> {
        let in_force = self.store.programme().await?;
        Ok(in_force.ok_or(StoreError::NoProgramme)?)
    }

    /// The writer itself.
    pub(super) fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Stops the writer and leaves the store open; what was submitted has been answered.
    pub(super) async fn leave(self) {
        drop(self.writer);
        self.lanes.drained().await;
    }

    /// Closes everything; what was submitted has been answered.
    pub(super) async fn close(self) {
        let store = self.store.clone();
        self.leave().await;
        store.close().await;
    }
}

/// Who works here, for the record: `cli:` and the name of the system's user.
pub(super) fn actor(given: Option<String>) -> String {
    let named = |key: &str| std::env::var(key).ok().filter(|name| !name.is_empty());
    given.unwrap_or_else(|| {
        let user = named("USER").or_else(|| named("LOGNAME"));
        let user = user.and_then(|user| remark(&user).ok());
        format!("cli:{}", user.unwrap_or_else(|| "unknown".into()))
    })
}
