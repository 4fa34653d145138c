//! Events on their way from the outbox to the broker.
//!
//! ```text
//! outbox → (lease) → place in the stream, committed → Window → Publisher → confirmed → outbox row gone
//! ```
//!
//! Invariants: every committed event reaches the broker at least once, under one message id and with
//! one place in the stream, and a member's events are first received in their order. No event is sent
//! before its place is committed, none is removed before the broker confirmed it, and at most one
//! gateway sends. A broker that is away costs tills nothing: events wait in the database.
//!
//! Inside, in reading order: [`Relay`] is the loop and `turn` one of its
//! transactions; [`Window`] says what may be sent now; `lease` when
//! a gateway may take over; `link` keeps a connection up; [`Publisher`] sends and tells what became of
//! it; `topology` declares exchange and queues; [`Broker`] is where to connect; [`measure`] tells
//! alarms how old the outbox is. There are no locks here; those in the database are told in the store.

mod backoff;
mod broker;
mod gauge;
mod lease;
mod link;
pub(crate) mod measures;
mod publisher;
mod relay;
mod sparing;
mod topology;
mod turn;
mod window;

pub use broker::{Broker, BrokerError, BrokerUrlError};
pub use gauge::measure;
pub(crate) use lease::Watch as LeaseWatch;
pub use publisher::{Fate, Message, Publisher};
pub use relay::Relay;
pub use topology::{DEAD_EXCHANGE, DEAD_QUEUE, Declared, EXCHANGE, QUEUE};
pub use window::{Window, WindowLimits};
