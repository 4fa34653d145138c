//! Identifiers. Ids the gateway makes are UUID v7; ids others make are short printable texts.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdError {
    what: &'static str,
    rule: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} is {}", self.what, self.rule)
    }
}

impl std::error::Error for IdError {}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $legal:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 64))]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// The id from its text.
            ///
            /// # Errors
            #[doc = concat!("[`IdError`] unless the text is ", $rule, ".")]
            pub fn new(text: &str) -> Result<Self, IdError> {
                let legal: fn(char) -> bool = $legal;
                if (1..=64).contains(&text.len()) && text.chars().all(legal) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError { what: $what, rule: $rule })
                }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id! {
    /// What a till calls one request; unique per terminal, written down before it is sent.
    RequestId, "request_id", |c| c.is_ascii_graphic(), "1 to 64 printable ASCII characters without spaces"
}
text_id! {
    /// What a till calls one basket (one sale from first scan to receipt); unique per terminal.
    BasketId, "basket_id", |c| c.is_ascii_graphic(), "1 to 64 printable ASCII characters without spaces"
}
text_id! {
    /// A till.
    TerminalId, "terminal id", |c| c.is_ascii_alphanumeric() || "._-".contains(c), "1 to 64 characters of A-Z a-z 0-9 . _ -"
}
text_id! {
    /// A store.
    StoreId, "store id", |c| c.is_ascii_alphanumeric() || "._-".contains(c), "1 to 64 characters of A-Z a-z 0-9 . _ -"
}

text_id! {
    /// What an EC shop calls one order; unique in the shop.
    OrderId, "order_id", |c| c.is_ascii_graphic(), "1 to 64 printable ASCII characters without spaces"
}
text_id! {
    /// An EC shop.
    ShopId, "shop id", |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-', "1 to 64 characters of a-z 0-9 -"
}

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = Uuid))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id with this UUID.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

uuid_id! {
    /// One member record, whatever cards and accounts lead to it.
    MemberId,
    /// One command on the write path; the ids of what it makes are derived from it.
    CommandId,
    /// One authorization: a hold on points for one basket.
    AuthorizationId,
    /// One completed purchase.
    PurchaseId,
    /// One refund of a purchase, whole or in part.
    RefundId,
    /// One lot of points.
    LotId,
    /// One grant of points that are earned but not yet spendable.
    PendingId,
    /// One transfer between two accounts.
    TransferId,
    /// One event; also its message id at the broker.
    EventId,
    /// One settlement of a till's business day.
    SettlementId,
    /// One merge of two members.
    MergeId,
}
