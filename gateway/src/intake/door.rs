//! The door: makes messages last before they are answered.
//!
//! One task takes all that wait and writes them as one transaction, then the next ones: idle, a message waits
//! for nobody; loaded, transactions grow by themselves. It starts with the first message and ends with
//! the last clone. Who goes away leaves the message to be written. What waits is bounded in number and bytes.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{Shops, letter};
use crate::{
    limits,
    secrets::Secrets,
    store::{NewMessage, Store, StoreError},
};

/// Why messages were not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AcceptError {
    /// Too many wait. Nothing happened.
    #[error("too many messages are waiting")]
    Full,
    /// The database. The messages may be there all the same; sending them again does no harm.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a caller brought, and where the outcome goes.
struct Waiting {
    messages: Vec<NewMessage>,
    reply: oneshot::Sender<Result<(), StoreError>>,
    _bytes: OwnedSemaphorePermit,
}

/// The entrance to the inbox. Cheap to clone.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

struct Inner {
    store: Store,
    shops: Shops,
    queue: mpsc::Sender<Waiting>,
    /// Until the task takes it.
    receiver: Mutex<Option<mpsc::Receiver<Waiting>>>,
    bytes: Arc<Semaphore>,
    woken: Arc<Notify>,
}

impl Intake {
    /// A door to this store's inbox. Nothing is begun yet.
    #[must_use]
    pub fn new(store: Store) -> Self {
        let (queue, receiver) = mpsc::channel(limits::INTAKE_CALLERS_WAITING_MAX);
        Self(Arc::new(Inner {
            shops: Shops::new(store.clone()),
            store,
            queue,
            receiver: Mutex::new(Some(receiver)),
            bytes: Arc::new(Semaphore::new(limits::INTAKE_BYTES_WAITING_MAX)),
            woken: Arc::new(Notify::new()),
        }))
    }

    /// What is known of shops.
    #[must_use]
    pub fn shops(&self) -> &Shops {
        &self.0.shops
    }

    /// Is told when messages were taken.
    #[must_use]
    pub fn woken(&self) -> Arc<Notify> {
        self.0.woken.clone()
    }

    /// Seals messages and makes them last. Once this is well they may be answered.
    ///
    /// # Errors
    /// [`AcceptError`].
    pub async fn accept(
        &self,
        secrets: &Secrets,
        mut messages: Vec<NewMessage>,
    ) -> Result<(), AcceptError> {
        self.begin();
        for message in &mut messages {
            letter::seal(secrets, message)?;
        }
        let bytes: usize = messages.iter().map(|message| message.body.len()).sum();
        let bytes = u32::try_from(bytes).map_err(|_| AcceptError::Full)?;
        let held = self.0.bytes.clone().try_acquire_many_owned(bytes);
        let held = held.map_err(|_| AcceptError::Full)?;
        let (reply, outcome) = oneshot::channel();
        let waiting = Waiting {
            messages,
            reply,
            _bytes: held,
        };
        let queued = self.0.queue.try_send(waiting);
        queued.map_err(|_| AcceptError::Full)?;
        match outcome.await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => {
                let ended = "the task that writes the inbox ended".into();
                Err(StoreError::OutcomeUnknown(ended).into())
            }
        }
    }

    fn begin(&self) {
        let mut receiver = self
            .0
            .receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(receiver) = receiver.take() {
            let (store, woken) = (self.0.store.clone(), self.0.woken.clone());
            tokio::spawn(write_all(store, woken, receiver));
        }
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").finish_non_exhaustive()
    }
}

async fn write_all(store: Store, woken: Arc<Notify>, mut queue: mpsc::Receiver<Waiting>) {
    let mut taken = Vec::new();
    while queue
        .recv_many(&mut taken, limits::INTAKE_CALLERS_TOGETHER_MAX)
        .await
        > 0
    {
        let (mut messages, mut callers) = (Vec::new(), Vec::with_capacity(taken.len()));
        for mut waiting in taken.drain(..) {
            messages.append(&mut waiting.messages);
            callers.push((waiting.reply, waiting._bytes));
        }
        let outcome = write(&store, &mut messages).await;
        if outcome.is_ok() {
            woken.notify_one();
        }
        for (reply, _) in callers {
            // Who went away needs no answer.
            let _ = reply.send(outcome.clone());
        }
    }
}

/// Writes them; again if another gateway was in the way.
async fn write(store: &Store, messages: &mut [NewMessage]) -> Result<(), StoreError> {
    let mut tries = 0;
    loop {
        match store.inbox_accept(messages).await {
            Err(error) if error.is_conflict() && tries < limits::INTAKE_TRIES_MAX => tries += 1,
            Err(error) => {
                tracing::warn!(error = %error, inbox.messages = messages.len(), "inbox.not_written");
                return Err(error);
            }
            Ok(()) => return Ok(()),
        }
    }
}
