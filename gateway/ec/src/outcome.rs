//! What may come of reading a message.

use pos_protocol::{OrderId, OrderStatement};

use crate::Platform;

/// What a message means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// What is known of an order.
    Statement(Box<OrderStatement>),
    /// Something happened to this order; the platform tells what only when asked.
    FetchOrder {
        /// The platform's id of the order.
        id: OrderId,
    },
    /// The message says nothing of goods or money; why.
    Ignored(&'static str),
}

/// Why a message has no meaning here. Says where, never what stood there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotUnderstood {
    /// Not JSON, or nested too deeply.
    #[error("the body is not JSON")]
    NotJson,
    /// A message of another platform came to this shop.
    #[error("this looks like a message of {0}; is the shop set up as the right platform?")]
    AnotherPlatform(Platform),
    /// A field that the platform documents is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// A field is not of the documented form.
    #[error("{pointer}: {detail}")]
    Malformed {
        /// JSON pointer.
        pointer: String,
        /// What it should be.
        detail: &'static str,
    },
    /// A shop that was asked answers with errors in place of what was asked for. Asking again may help.
    #[error("the shop answers with errors and without {0}")]
    Withheld(&'static str),
    /// The order is in another currency than yen.
    #[error("{0}: the currency is not JPY")]
    Currency(String),
    /// The fields are in order, but what they say together is not.
    #[error("{pointer}: {detail}")]
    Contradiction {
        /// JSON pointer into the statement.
        pointer: String,
        /// What is wrong.
        detail: String,
    },
}

impl Parsed {
    /// A statement, if it is well-formed.
    pub(crate) fn statement(statement: OrderStatement) -> Result<Self, NotUnderstood> {
        match statement.violation() {
            Some((pointer, detail)) => Err(NotUnderstood::Contradiction { pointer, detail }),
            None => Ok(Self::Statement(Box::new(statement))),
        }
    }
}
