//! Settlement: a terminal's totals of a business day, counted on both sides.

use pos_protocol::SettlementTotals;

use crate::records::{Purchase, Refund};

/// Adds a purchase to its terminal's day.
pub fn count_purchase(totals: &mut SettlementTotals, purchase: &Purchase) {
    totals.purchases = totals.purchases.saturating_add(1);
    totals.purchase_total = totals.purchase_total.saturating_add(purchase.receipt.total);
    totals.points_redeemed = totals
        .points_redeemed
        .saturating_add(purchase.redeemed)
        .saturating_add(purchase.shortfall);
    totals.points_earned = totals.points_earned.saturating_add(purchase.earned_points);
}

/// Adds a refund to the day it posts to.
pub fn count_refund(totals: &mut SettlementTotals, refund: &Refund) {
    totals.refunds = totals.refunds.saturating_add(1);
    totals.points_restored = totals.points_restored.saturating_add(refund.restored);
    totals.points_clawed_back = totals.points_clawed_back.saturating_add(refund.clawed_back);
}
