//! A business day's totals, from the journal.
//!
//! They follow the gateway's rule: a purchase counts on the day of its receipt, also when it was
//! undone afterwards; a refund, and the reversal of a purchase, on the day it was answered.

use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{book::Book, message::Message, settings::BusinessDay};
use crate::{
    Points, PurchaseAnswer, PurchaseId, Receipt, RefundAnswer, RefundView, RequestId,
    ReversalAnswer, SettlementTotals,
};

/// A sale that the gateway approved, as the journal has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sold {
    /// The request that made it.
    pub request_id: RequestId,
    /// The purchase.
    pub purchase_id: PurchaseId,
    /// Its receipt.
    pub receipt: Receipt,
    /// Points paid with, a shortfall included.
    pub points_redeemed: Points,
    /// Points earned.
    pub points_earned: Points,
    /// Whether it was undone by a reversal.
    pub reversed: bool,
}

impl Book {
    /// Every approved sale, oldest first.
    pub fn sold(&self) -> impl DoubleEndedIterator<Item = Sold> {
        self.requests().filter_map(|known| {
            let sale = known.request.message.purchase()?;
            let purchase = parse::<PurchaseAnswer>(known.approval()?)?.purchase?;
            let shortfall = purchase.points_shortfall.unwrap_or_default();
            let reversed = matches!(known.state, super::book::State::Reversed { .. });
            Some(Sold {
                request_id: sale.request_id.clone(),
                purchase_id: purchase.id,
                receipt: sale.receipt.clone(),
                points_redeemed: purchase.points_redeemed.saturating_add(shortfall),
                points_earned: purchase.points_earned,
                reversed,
            })
        })
    }

    /// The totals of a business day.
    #[must_use]
    pub fn totals(&self, day: Date, calendar: &BusinessDay) -> SettlementTotals {
        let mut totals = SettlementTotals::default();
        for sold in self.sold().filter(|sold| sold.receipt.business_date == day) {
            totals.purchases = totals.purchases.saturating_add(1);
            totals.purchase_total = totals.purchase_total.saturating_add(sold.receipt.total);
            totals.points_redeemed = totals.points_redeemed.saturating_add(sold.points_redeemed);
            totals.points_earned = totals.points_earned.saturating_add(sold.points_earned);
        }
        for refund in self.refunds_of(day, calendar) {
            totals.refunds = totals.refunds.saturating_add(1);
            totals.points_restored = totals
                .points_restored
                .saturating_add(refund.points_restored);
            totals.points_clawed_back = totals
                .points_clawed_back
                .saturating_add(refund.points_clawed_back);
        }
        totals
    }

    fn refunds_of(&self, day: Date, calendar: &BusinessDay) -> impl Iterator<Item = RefundView> {
        self.requests().filter_map(move |known| {
            known.answered_at.filter(|at| calendar.of(*at) == day)?;
            match &known.request.message {
                Message::Refund(..) => parse::<RefundAnswer>(known.approval()?)?.refund,
                Message::Reversal(_) => parse::<ReversalAnswer>(known.approval()?)?.refund,
                _ => None,
            }
        })
    }

    /// Requests whose answer is missing in the totals of `day`.
    #[must_use]
    pub fn unsettled_on(&self, day: Date, calendar: &BusinessDay) -> usize {
        self.work()
            .filter(|(_, known, _)| match known.request.message.purchase() {
                Some(sale) => sale.receipt.business_date == day,
                None => calendar.of(known.request.at) <= day,
            })
            .count()
    }
}

fn parse<A: DeserializeOwned>(answer: Value) -> Option<A> {
    serde_json::from_value(answer).ok()
}
