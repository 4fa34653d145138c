//! The till's half of the protocol: a client with a durable journal.
//!
//! What it promises: a sale is never lost and never doubled, whatever dies. A request is in the
//! [`Journal`], on the disk, before it is sent; an approval, before it is told. After a lost answer the
//! gateway is asked what became of the request, and the same request is sent again under the same id.
//! When the cashier can wait no longer, it is given up the way its kind asks for ([`GiveUp`]):
//!
//! | request | given up | the cashier is told |
//! | --- | --- | --- |
//! | inquiry, refund quote, settlement | forgotten | not asked |
//! | authorization | reversed | not asked |
//! | purchase with points and no hold | reversed, unless the store bears the risk | not asked |
//! | purchase that earns only, or captures a hold | kept | queued |
//! | void, refund, reversal | kept | queued |
//!
//! Kept means: repeated under its id until it is answered, across restarts. A kept purchase that is
//! declined for its age is told as an advice. Requests of one basket go in the order in which they were
//! written.
//!
//! A till program holds a [`Client`]: it asks, and is told a [`Verdict`]. Behind it a task of its own
//! holds the [`Journal`], which keeps [`Entry`]s; the [`Book`], which is what they add up to; and the
//! [`Machine`], which decides without I/O what to write, send and tell. `docs/till-client.md` has all of
//! it for other languages.
//!
//! ```no_run
//! # async fn example(receipt: pos_protocol::Receipt) -> Result<(), Box<dyn std::error::Error>> {
//! use std::path::Path;
//! use pos_protocol::client::{Account, Client, Language, Operation, Sale, Scan, Settings, Verdict};
//!
//! let account = Account {
//!     gateway: "https://points.example".into(),
//!     client_id: "till-1".into(),
//!     client_secret: std::env::var("TILL_CLIENT_SECRET")?,
//! };
//! let (client, opening, notices) = Client::open(Path::new("till-1"), account, Settings::default())?;
//! let basket_id = client.new_basket().await.map_err(|refusal| refusal.to_string())?;
//! let scan = Scan { text: "7001…".into(), at: client.now() };
//! let sale = Sale { basket_id, scan, authorization_id: None, redeem_points: None, receipt };
//! match client.purchase(sale).await.verdict {
//!     Verdict::Approved(answer) => println!("{:?}", answer.purchase),
//!     verdict => println!("{}", verdict.words(Operation::Purchase, Language::Japanese)),
//! }
//! # drop((opening, notices));
//! # Ok(())
//! # }
//! ```

mod ask;
mod book;
mod chaos;
mod frame;
mod handle;
mod journal;
mod keeper;
mod line;
mod machine;
mod message;
mod moment;
mod names;
mod record;
mod settings;
mod skew;
mod totals;
mod untold;
mod verdict;
mod wire;
mod words;

pub use ask::{Ask, Sale, Scan};
pub use book::{Book, Known, Place, State, Work};
pub use chaos::Chaos;
pub use frame::{Line, decode, encode};
pub use handle::{Answered, Client, OpenError, Opening, RequestStatus};
pub use journal::{DAMAGED_FILE, Found, JOURNAL_FILE, Journal, JournalError};
pub use keeper::Standing;
pub use machine::{Exchange, Machine, Next, Notice, Reply, Step, Ticket};
pub use message::{GiveUp, Message, OfflineSpending, Operation, Reading, Request};
pub use moment::Moment;
pub use record::{Entry, FORMAT, Opened, Owner};
pub use settings::{BusinessDay, Settings};
pub use totals::Sold;
pub use untold::Untold;
pub use verdict::{Decline, Language, Refusal, Verdict, Why};
pub use wire::Account;
