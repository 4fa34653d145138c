//! Why points are what they are: what stands behind one entry of a history, one lot or one purchase.
//!
//! Nothing is guessed and nothing computed anew: every line tells what was written down when it was
//! decided. [`gather`] reads that, [`explain`] puts it into words, English and Japanese.

mod facts;
mod words;

use jiff::civil::Date;
use ledger::account::{Account, Motive};
use serde::Serialize;
use uuid::Uuid;

pub use facts::{Adjusted, Facts, Lent, gather};

/// One statement, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Line {
    /// What it is about: `act`, `receipt`, `order`, `arithmetic`, `refund`, `expiry`, `lot`, `lender`,
    /// `maturity`, `adjustment`, `origin`, `programme`.
    pub about: &'static str,
    /// In English.
    pub en: String,
    /// In Japanese.
    pub ja: String,
}

/// The receipt behind an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OfReceipt {
    /// The purchase.
    pub purchase_id: String,
    /// The number printed on the receipt.
    pub number: String,
    /// The store.
    pub store_id: String,
    /// What the store is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_name: Option<String>,
    /// The store's business day.
    #[schema(value_type = String, format = Date)]
    pub business_date: Date,
    /// The receipt's total in yen.
    pub total: i64,
}

/// The order of a shop behind an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OfOrder {
    /// The shop.
    pub shop_id: String,
    /// The order.
    pub order_id: String,
    /// What has become of it.
    pub state: &'static str,
}

/// All lines in one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Text {
    /// In English.
    pub en: String,
    /// In Japanese.
    pub ja: String,
}

/// Why points are what they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// What was asked about.
    pub entry: Uuid,
    /// `movement`, `lot` or `purchase`.
    pub kind: &'static str,
    /// Why a movement was made, a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motive: Option<&'static str>,
    /// Points of the movement, granted into the lot, or earned by the purchase.
    pub points: i64,
    /// The business day it was booked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub business_date: Option<Date>,
    /// The version of the programme that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub programme_version: Option<i64>,
    /// The receipt, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<OfReceipt>,
    /// The order, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OfOrder>,
    /// The same and more, statement by statement.
    pub lines: Vec<Line>,
    /// The lines, one below the other.
    pub text: Text,
}

/// Puts facts into words.
#[must_use]
pub fn explain(facts: &Facts) -> Explanation {
    let lines = words::lines(facts);
    let joined = |of: fn(&Line) -> &str| lines.iter().map(of).collect::<Vec<_>>().join("\n");
    let text = Text {
        en: joined(|line| &line.en),
        ja: joined(|line| &line.ja),
    };
    let transfer = facts.transfer.as_ref();
    let purchase = facts.purchase.as_ref();
    let (kind, points) = match (transfer, &facts.lot, purchase) {
        (Some(transfer), ..) => ("movement", transfer.points),
        (None, Some(lot), _) => ("lot", lot.granted),
        (None, None, purchase) => (
            "purchase",
            purchase.map_or_else(Default::default, |sold| sold.earned_points),
        ),
    };
    let receipt = purchase.map(|sold| OfReceipt {
        purchase_id: sold.id.to_string(),
        number: sold.receipt.number.clone(),
        store_id: sold.store_id.to_string(),
        store_name: facts.store_name.clone(),
        business_date: sold.receipt.business_date,
        total: sold.receipt.total.get(),
    });
    let order = facts.order.as_ref().map(|order| OfOrder {
        shop_id: order.shop_id.to_string(),
        order_id: order.id.to_string(),
        state: order.state.word(),
    });
    Explanation {
        entry: facts.entry,
        kind,
        motive: transfer.map(|transfer| transfer.motive.word()),
        points: points.get(),
        business_date: transfer
            .map(|transfer| transfer.business_date)
            .or(purchase.map(|sold| sold.receipt.business_date)),
        programme_version: programme_version(facts),
        receipt,
        order,
        lines,
        text,
    }
}

/// The version that decided what is asked about, where it was written down.
fn programme_version(facts: &Facts) -> Option<i64> {
    let by_purchase = facts.purchase.as_ref().map(|sold| sold.programme_version);
    let by_lot = facts.lot.as_ref().map(|lot| lot.programme_version);
    by_purchase.or(by_lot)
}

/// Whether a movement gave the member points.
fn gives(debit: Account, credit: Account) -> bool {
    let members = |account| {
        matches!(
            account,
            Account::MemberAvailable
                | Account::MemberHeld
                | Account::MemberPending
                | Account::MemberOwed
        )
    };
    members(credit) && !members(debit)
}

/// Whether a purchase of the same decision is what a movement is about.
fn is_of_sale(motive: Motive) -> bool {
    matches!(
        motive,
        Motive::Accrual | Motive::DebtSettlement | Motive::Capture | Motive::Shortfall
    )
}
