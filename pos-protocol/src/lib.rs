//! The vocabulary a till and the point gateway share: ids, amounts, messages, response codes.
//!
//! Everything here is data. A value of one of these types is already well-formed: amounts are in
//! range, ids have a legal shape, unknown fields were refused. Whether a request is *granted* is
//! decided elsewhere (crate `ledger`); what its bytes may look like is decided here.
//!
//! JSON is snake_case, ids are strings, points and yen are integers, times are RFC 3339 UTC and
//! business dates are `YYYY-MM-DD`.

mod amount;
mod answer;
mod id;
mod order;
mod receipt;
mod request;
mod response_code;

pub use amount::{AmountOutOfRange, Points, Yen};
pub use answer::{
    AuthorizationAnswer, AuthorizationView, Balance, DeclineAnswer, Difference, EarnedView,
    InquiryAnswer, MemberView, OriginalView, PurchaseAnswer, PurchaseView, RefundAnswer,
    RefundView, ReversalAnswer, ReversalEffect, SettlementAnswer, VoidAnswer,
};
pub use id::{
    AuthorizationId, BasketId, CommandId, EventId, IdError, LotId, MemberId, MergeId, OrderId,
    PendingId, PurchaseId, RefundId, RequestId, SettlementId, ShopId, StoreId, TerminalId,
    TransferId,
};
pub use order::{
    LineQuantity, ORDER_LINES_MAX, ORDER_REFUNDS_MAX, OrderCustomer, OrderLine, OrderRedemption,
    OrderRefund, OrderStatement, PlacedOrder, Shipped,
};
pub use receipt::{LINES_MAX, Receipt, ReceiptLine, ReceiptViolation, TEXT_CHARS_MAX};
pub use request::{
    Advice, AuthorizationRequest, InquiryRequest, PurchaseRequest, RefundLine, RefundRequest,
    ReversalRequest, SettlementRequest, SettlementTotals, VoidRequest,
};
pub use response_code::{Outcome, Reason, ResponseCode};

#[cfg(feature = "client")]
pub mod client;
