//! What each type of the ledger looks like in a column.

use std::{str::FromStr, sync::Arc};

use jiff::{Timestamp, civil::Date};
use ledger::{
    account::{Account, Motive},
    command::Direction,
    identity::{IdentityKey, IdentityKind, MergeAct, Proof},
    lot::LotExpiry,
    member::{CardKind, CardStatus, MemberNo, MemberStatus},
    order::OrderState,
    proposal::ProposalState,
    records::{HoldState, PurchaseState, RequestKind},
};
use member_card::{CardId, SpendLimit};
use pos_protocol::{
    AuthorizationId, BasketId, EventId, LotId, MemberId, MergeId, OrderId, PendingId, Points,
    PurchaseId, RefundId, RequestId, SettlementId, ShopId, StoreId, TerminalId, TransferId, Yen,
};
use uuid::Uuid;

use super::{
    row::Cell,
    sql::{Kind, Value},
};

macro_rules! cell {
    ($type:ty, $kind:ident, |$self:ident| $to:expr, |$value:pat_param| $from:expr) => {
        impl Cell for $type {
            const KIND: Kind = Kind::$kind;

            fn to_value(&self) -> Value<'_> {
                let $self = self;
                Value::$kind($to)
            }

            fn from_value(value: Value<'_>) -> Option<Self> {
                match value {
                    Value::$kind($value) => $from,
                    _ => None,
                }
            }
        }
    };
}

macro_rules! uuids {
    ($($type:ty),* $(,)?) => {
        $(cell!($type, Uuid, |id| id.as_uuid(), |uuid| Some(Self::new(uuid)));)*
    };
}
uuids!(
    AuthorizationId,
    EventId,
    LotId,
    MemberId,
    MergeId,
    PendingId,
    PurchaseId,
    RefundId,
    SettlementId,
    TransferId,
);

macro_rules! text_ids {
    ($($type:ty),* $(,)?) => {
        $(cell!($type, Text, |id| id.as_str().into(), |text| Self::from_str(&text).ok());)*
    };
}
text_ids!(BasketId, OrderId, RequestId, ShopId, StoreId, TerminalId);

macro_rules! words {
    ($($type:ty),* $(,)?) => {
        $(cell!($type, Text, |value| value.word().into(), |text| Self::from_word(&text));)*
    };
}
words!(
    Account,
    CardKind,
    CardStatus,
    Direction,
    HoldState,
    IdentityKind,
    LotExpiry,
    MemberStatus,
    MergeAct,
    Motive,
    OrderState,
    Proof,
    ProposalState,
    PurchaseState,
    RequestKind,
);

cell!(Uuid, Uuid, |uuid| *uuid, |uuid| Some(uuid));
cell!(String, Text, |text| text.as_str().into(), |text| Some(
    text.into_owned()
));
cell!(Arc<str>, Text, |text| text.as_ref().into(), |text| Some(
    text.as_ref().into()
));
cell!(i64, Int, |number| *number, |number| Some(number));
cell!(u32, Int, |number| i64::from(*number), |number| number
    .try_into()
    .ok());
cell!(bool, Bool, |flag| *flag, |flag| Some(flag));
cell!(Vec<u8>, Bytes, |bytes| bytes, |bytes| Some(bytes.to_vec()));
cell!([u8; 32], Bytes, |bytes| bytes, |bytes| bytes
    .try_into()
    .ok());
cell!(IdentityKey, Bytes, |key| &key.0, |bytes| bytes
    .try_into()
    .ok()
    .map(Self));
cell!(Points, Int, |points| points.get(), |number| Self::new(
    number
)
.ok());
cell!(Yen, Int, |yen| yen.get(), |number| Self::new(number).ok());
cell!(MemberNo, Text, |number| number.as_str().into(), |text| {
    Self::parse(&text)
});

// Microseconds since 1970; the clock gives no finer times.
cell!(Timestamp, Int, |time| time.as_microsecond(), |micros| {
    Self::from_microsecond(micros).ok()
});

// `YYYY-MM-DD`, which sorts as the days do.
cell!(Date, Text, |date| date.to_string().into(), |text| text
    .parse()
    .ok());

// The same 64 bits: a database has no unsigned numbers.
cell!(CardId, Int, |id| id.get().cast_signed(), |number| Some(
    Self::new(number.cast_unsigned())
));

cell!(
    SpendLimit,
    Text,
    |limit| match limit {
        SpendLimit::EarnOnly => "earn_only".into(),
        SpendLimit::Unlimited => "unlimited".into(),
        SpendLimit::UpTo(points) => points.to_string().into(),
    },
    |text| match text.as_ref() {
        "earn_only" => Some(Self::EarnOnly),
        "unlimited" => Some(Self::Unlimited),
        points => points.parse().ok().map(Self::UpTo),
    }
);
