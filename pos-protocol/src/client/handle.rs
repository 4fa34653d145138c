//! What a till program holds: open the journal, ask, be told.

use std::{fmt, io, path::Path};

use jiff::{Timestamp, civil::Date};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    ask::{Ask, Sale, Scan},
    book::Book,
    chaos::Chaos,
    journal::{Journal, JournalError},
    keeper::{Call, Keeper, Notices, Standing, Told},
    machine::{Exchange, Machine, Notice, Reply},
    moment::Clock,
    record::Owner,
    settings::Settings,
    untold::{Untold, untold},
    verdict::{Refusal, Verdict, Why},
    wire::{Account, Wire},
};
use crate::{
    AuthorizationAnswer, AuthorizationId, BasketId, InquiryAnswer, Points, PurchaseAnswer,
    PurchaseId, RefundAnswer, RefundLine, RequestId, ReversalAnswer, SettlementAnswer, VoidAnswer,
};

/// Calls that wait for the keeper; more wait outside.
const CALLS_MAX: usize = 64;
/// Notices that nobody has read yet; later ones are lost.
const NOTICES_MAX: usize = 1_024;

/// Why the till's half cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The journal.
    Journal(JournalError),
    /// The system gives no TLS.
    Http(reqwest::Error),
    /// The account's gateway is no URL.
    Gateway,
    /// The journal has unsettled requests of another account: sent under this one, they would not be
    /// known, or be somebody else's.
    Foreign {
        /// Whose they are.
        owner: Owner,
        /// Whose the account is.
        account: Owner,
        /// How many.
        unsettled: usize,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::Http(error) => write!(f, "cannot set up HTTP: {error}"),
            Self::Gateway => f.write_str("the gateway's URL is not one"),
            Self::Foreign {
                owner,
                account,
                unsettled,
            } => write!(
                f,
                "the journal has {unsettled} unsettled requests of {owner}, and this is {account}; \
                 let them settle first, or use a folder of its own"
            ),
        }
    }
}

impl std::error::Error for OpenError {}

/// What was found in the journal when it was opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// Bytes of a half-written last record, cut off. Nothing had been sent for it.
    pub torn_bytes: u64,
    /// Damaged records, set aside.
    pub damaged_records: usize,
    /// Requests with something left to do; they are taken up again at once.
    pub unsettled: usize,
    /// Holds of an earlier run of which nothing further is known. Void those whose basket is gone.
    pub open_holds: Vec<(BasketId, AuthorizationId)>,
    /// Whether the till's secret and card texts go to another machine unencrypted: the gateway's URL
    /// begins with `http://`.
    pub in_clear: bool,
    /// Sales and refunds of the last run whose verdict may not have been told.
    pub untold: Vec<Untold>,
}

/// What became of a request, for the cashier.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered<A> {
    /// The request, if it got a name.
    pub request_id: Option<RequestId>,
    /// The end.
    pub verdict: Verdict<A>,
}

/// What the gateway has under a request id.
#[derive(Debug, Clone, PartialEq)]
pub enum RequestStatus {
    /// The stored answer.
    Answered(Value),
    /// The request never arrived.
    Unknown,
    /// The gateway could not be asked.
    NotAsked(Why),
}

/// The till's half of the protocol. Cheap to clone; the last one that is dropped ends it.
#[derive(Clone)]
pub struct Client {
    calls: mpsc::Sender<Call>,
    pub(crate) standing: watch::Receiver<Standing>,
    wire: Wire,
    clock: Clock,
    settings: Settings,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("standing", &*self.standing.borrow())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Opens the journal in `folder` and takes up what it holds unsettled. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open(
        folder: &Path,
        account: Account,
        settings: Settings,
    ) -> Result<(Self, Opening, mpsc::Receiver<Notice>), OpenError> {
        Self::open_over(folder, account, settings, None)
    }

    /// The same over a bad line, for rehearsals.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open_over(
        folder: &Path,
        account: Account,
        settings: Settings,
        chaos: Option<Chaos>,
    ) -> Result<(Self, Opening, mpsc::Receiver<Notice>), OpenError> {
        let clock = Clock::start();
        let owner = account.owner().ok_or(OpenError::Gateway)?;
        let in_clear = account.in_clear();
        let wire = Wire::new(account, clock, &settings, chaos).map_err(OpenError::Http)?;
        let (journal, found) = Journal::open(folder).map_err(OpenError::Journal)?;
        let book = Book::of(&found.entries);
        check_owner(&book, &owner, settings.gateway_moved)?;
        let opening = Opening {
            torn_bytes: found.torn_bytes,
            damaged_records: found.damaged_records,
            unsettled: book.unsettled(),
            open_holds: book.open_holds(),
            in_clear,
            untold: untold(&found.entries, &book, settings.offline_spending),
        };
        let (calls, called) = mpsc::channel(CALLS_MAX);
        let (notices, noticed) = mpsc::channel(NOTICES_MAX);
        let (standing, stands) = watch::channel(Standing {
            unsettled: book.unsettled(),
            away: false,
            writable: true,
        });
        let mut machine = Machine::new(settings.clone(), book, &clock.now());
        machine.belong_to(owner);
        let keeper = Keeper {
            clock,
            machine,
            journal: Some(journal),
            wire: wire.clone(),
            calls: called,
            notices: Notices::new(notices),
            standing,
        };
        tokio::spawn(keeper.run());
        let client = Self {
            calls,
            standing: stands,
            wire,
            clock,
            settings,
        };
        Ok((client, opening, noticed))
    }

    /// How the till is set up.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The till's wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now().at
    }

    /// The store's business day now.
    #[must_use]
    pub fn business_date(&self) -> Date {
        self.settings.business_day.of(self.now())
    }

    /// A name for a new basket, unique for the terminal.
    ///
    /// # Errors
    /// [`Refusal::Closed`]
    pub async fn new_basket(&self) -> Result<BasketId, Refusal> {
        let named = self.look(Machine::new_basket).await?;
        named.map_err(|error| Refusal::Malformed(error.to_string()))
    }

    /// Whose card is this, and what can it spend here?
    pub async fn inquire(&self, basket_id: BasketId, scan: Scan) -> Answered<InquiryAnswer> {
        self.ask(Ask::Inquiry { basket_id, scan }).await
    }

    /// Hold points for the basket.
    pub async fn authorize(
        &self,
        basket_id: BasketId,
        scan: Scan,
        points: Points,
    ) -> Answered<AuthorizationAnswer> {
        let ask = Ask::Authorization {
            basket_id,
            scan,
            points,
        };
        self.ask(ask).await
    }

    /// Let a hold go.
    pub async fn void(
        &self,
        basket_id: BasketId,
        authorization_id: AuthorizationId,
    ) -> Answered<VoidAnswer> {
        let ask = Ask::Void {
            basket_id,
            authorization_id,
        };
        self.ask(ask).await
    }

    /// The sale. Dropping this future, as that of any order, does not cancel what was ordered.
    pub async fn purchase(&self, sale: Sale) -> Answered<PurchaseAnswer> {
        self.ask(Ask::Purchase(sale)).await
    }

    /// What would a refund do? `lines`: what comes back; none for all that is left.
    pub async fn refund_quote(
        &self,
        purchase_id: PurchaseId,
        lines: Option<Vec<RefundLine>>,
    ) -> Answered<RefundAnswer> {
        self.ask(Ask::RefundQuote { purchase_id, lines }).await
    }

    /// Goods come back. `lines` as in the quote.
    pub async fn refund(
        &self,
        purchase_id: PurchaseId,
        lines: Option<Vec<RefundLine>>,
    ) -> Answered<RefundAnswer> {
        self.ask(Ask::Refund { purchase_id, lines }).await
    }

    /// Undo an earlier request of this till, whatever became of it.
    pub async fn reverse(&self, original_request_id: RequestId) -> Answered<ReversalAnswer> {
        let ask = Ask::Reversal {
            original_request_id,
        };
        self.ask(ask).await
    }

    /// Compare a business day's totals. Refused while requests of the day are unanswered, unless
    /// `anyway`.
    pub async fn settle(&self, business_date: Date, anyway: bool) -> Answered<SettlementAnswer> {
        let ask = Ask::Settlement {
            business_date,
            anyway,
        };
        let settled = self.ask(ask).await;
        if matches!(settled.verdict, Verdict::Approved(_)) {
            // A day is done. If it cannot be made smaller now, then later.
            let _ = self.compact().await;
        }
        settled
    }

    /// What the gateway has under a request id. Changes nothing, in the journal neither.
    pub async fn status(&self, request_id: RequestId) -> RequestStatus {
        let exchange = Exchange {
            number: 0,
            request_id,
            message: None,
        };
        match self.wire.attempt(&exchange).await {
            Reply::Http {
                status: 200,
                body: Some(answer),
                ..
            } => RequestStatus::Answered(answer),
            Reply::Http { status: 404, .. } => RequestStatus::Unknown,
            Reply::Operator(what) => RequestStatus::NotAsked(Why::Operator(what)),
            Reply::NotSent { .. } => RequestStatus::NotAsked(Why::Away),
            Reply::Http { .. } | Reply::Lost => RequestStatus::NotAsked(Why::NoAnswer),
        }
    }

    /// Any of the above, with the answer as it came.
    pub async fn order(&self, ask: Ask) -> Answered<Value> {
        let (answer, told) = oneshot::channel();
        let without_name = |verdict| Told {
            request_id: None,
            verdict,
        };
        let told = match self.calls.send(Call::Ask(Box::new(ask), answer)).await {
            // A keeper that ends tells everybody; one that breaks tells nobody.
            Ok(()) => told
                .await
                .unwrap_or_else(|_| without_name(Verdict::Unknown)),
            Err(_) => without_name(Verdict::Refused(Refusal::Closed)),
        };
        Answered {
            request_id: told.request_id,
            verdict: told.verdict,
        }
    }

    async fn ask<A: DeserializeOwned>(&self, ask: Ask) -> Answered<A> {
        let Answered {
            request_id,
            verdict,
        } = self.order(ask).await;
        let verdict = match verdict.map(serde_json::from_value) {
            Verdict::Approved(Ok(answer)) => Verdict::Approved(answer),
            // The machine takes only approvals that have this form.
            Verdict::Approved(Err(error)) => {
                Verdict::Refused(Refusal::Malformed(error.to_string()))
            }
            Verdict::Declined(decline) => Verdict::Declined(decline),
            Verdict::NotAsked { why, undoing } => Verdict::NotAsked { why, undoing },
            Verdict::Queued { why } => Verdict::Queued { why },
            Verdict::Refused(refusal) => Verdict::Refused(refusal),
            Verdict::Unknown => Verdict::Unknown,
        };
        Answered {
            request_id,
            verdict,
        }
    }

    /// How the till's half stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    /// Waits until every request has its end.
    ///
    /// # Errors
    /// [`Refusal::Closed`]
    pub async fn settled(&self) -> Result<(), Refusal> {
        // What was ordered before this is known to the keeper before it answers.
        self.look(|_| ()).await?;
        let mut standing = self.standing.clone();
        let settled = standing.wait_for(|standing| standing.unsettled == 0);
        settled.await.map(|_| ()).map_err(|_| Refusal::Closed)
    }

    /// Looks into the book.
    ///
    /// # Errors
    /// [`Refusal::Closed`]
    pub async fn book<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Book) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        self.look(move |machine| look(machine.book())).await
    }

    /// Makes the journal smaller if every request has its end; says whether it was done. It is done
    /// by itself when the journal has grown, and after a settlement.
    ///
    /// # Errors
    /// If the new journal cannot be written; the old one goes on.
    pub async fn compact(&self) -> io::Result<bool> {
        let closed = || io::Error::other(Refusal::Closed.to_string());
        let (answer, done) = oneshot::channel();
        let sent = self.calls.send(Call::Compact(answer)).await;
        sent.map_err(|_| closed())?;
        done.await.map_err(|_| closed())?
    }

    /// Ends the till's half. Who still waits is told what the deadline would have told; what is
    /// unsettled stays in the journal.
    pub async fn close(self) {
        let (answer, done) = oneshot::channel();
        if self.calls.send(Call::Close(answer)).await.is_ok() {
            // An error means that it has ended already.
            let _ = done.await;
        }
    }

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Machine) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (answer, seen) = oneshot::channel();
        let look = move |machine: &mut Machine| drop(answer.send(look(machine)));
        let sent = self.calls.send(Call::Look(Box::new(look))).await;
        sent.map_err(|_| Refusal::Closed)?;
        seen.await.map_err(|_| Refusal::Closed)
    }
}

/// Unsettled requests are sent only where they were meant to go.
fn check_owner(book: &Book, account: &Owner, moved: bool) -> Result<(), OpenError> {
    let owner = book.opened().and_then(|opened| opened.owner.as_ref());
    let foreign = owner.filter(|owner| {
        owner.client_id != account.client_id || (owner.gateway != account.gateway && !moved)
    });
    match (foreign, book.unsettled()) {
        (None, _) | (_, 0) => Ok(()),
        (Some(owner), unsettled) => Err(OpenError::Foreign {
            owner: owner.clone(),
            account: account.clone(),
            unsettled,
        }),
    }
}
