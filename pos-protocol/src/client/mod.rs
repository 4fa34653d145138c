//! The till's half of the protocol.

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
mod totals;
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
pub use machine::{Exchange, Machine, Notice, Reply, Step, Ticket};
pub use message::{GiveUp, Message, OfflineSpending, Operation, Reading, Request};
pub use moment::Moment;
pub use record::{Entry, FORMAT, Opened};
pub use settings::{BusinessDay, Settings};
pub use totals::Sold;
pub use verdict::{Decline, Language, Refusal, Verdict, Why};
pub use wire::Account;
