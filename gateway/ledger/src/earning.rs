//! How many points a receipt earns, and why in words.

use pos_protocol::{Points, Receipt, ReceiptLine, Yen};

use crate::programme::{Basis, EarnRule, Programme, Rounding, SHIPPING_CATEGORY, ShippingFee};

/// `a × b ÷ c`, floored; zero where `c` is zero. Exact for any amounts.
pub(crate) fn share(a: i64, b: i64, c: i64) -> i64 {
    i128::from(a)
        .checked_mul(i128::from(b))
        .and_then(|product| product.checked_div(i128::from(c)))
        .and_then(|quotient| i64::try_from(quotient).ok())
        .unwrap_or(0)
}

/// Whether a shipping fee earns by this programme.
pub(crate) fn fee_earns(programme: &Programme) -> bool {
    programme.ec.shipping_fee == ShippingFee::Included
}

/// Whether a line earns at all; `fee_earns` tells of shipping fees.
pub(crate) fn earns(fee_earns: bool, line: &ReceiptLine) -> bool {
    fee_earns || line.category != SHIPPING_CATEGORY
}

/// The yen a receipt earns on: without tax and without the part paid with points, as the rule says.
/// The tax within the part paid with points is taken out once, not twice.
fn basis_yen(programme: &Programme, receipt: &Receipt, redeemed: Points) -> i64 {
    let total = receipt.total.get();
    let paid_with_points = redeemed
        .get()
        .saturating_mul(i64::from(programme.yen_per_point.get()))
        .min(total);
    let fee_earns = fee_earns(programme);
    let idle = receipt.lines.iter().filter(|line| !earns(fee_earns, line));
    let idle = Yen::total(idle.map(|line| line.amount)).get();
    let earning = total.saturating_sub(idle);
    let counted = match programme.earn.paid_with_points {
        Basis::Included => earning,
        Basis::Excluded => earning.min(total.saturating_sub(paid_with_points)),
    };
    match programme.earn.tax {
        Basis::Included => counted,
        Basis::Excluded => counted.saturating_sub(share(receipt.tax.get(), counted, total)),
    }
}

/// Points the receipt earns, rounded once; `None` above the largest amount.
pub(crate) fn earned(
    programme: &Programme,
    receipt: &Receipt,
    redeemed: Points,
) -> Option<(Points, String)> {
    let EarnRule {
        points,
        per_yen,
        rounding,
        ..
    } = programme.earn;
    let basis = basis_yen(programme, receipt, redeemed);
    let (basis_wide, per_yen_wide) = (i128::from(basis), i128::from(per_yen.get()));
    let product = basis_wide.checked_mul(i128::from(points))?;
    let rounded = match rounding {
        Rounding::Down => product.checked_div(per_yen_wide)?,
        Rounding::Up => product
            .checked_add(per_yen_wide.checked_sub(1)?)?
            .checked_div(per_yen_wide)?,
        // floor((2·product + per_yen) ÷ (2·per_yen)): exact for odd and even `per_yen`.
        Rounding::HalfUp => product
            .checked_mul(2)?
            .checked_add(per_yen_wide)?
            .checked_div(per_yen_wide.checked_mul(2)?)?,
    };
    let earned = Points::new(i64::try_from(rounded).ok()?).ok()?;
    Some((earned, reason(programme, basis, earned)))
}

fn reason(programme: &Programme, basis: i64, earned: Points) -> String {
    let EarnRule {
        points,
        per_yen,
        tax,
        paid_with_points,
        rounding,
        ..
    } = &programme.earn;
    let tax = match tax {
        Basis::Included => "tax included",
        Basis::Excluded => "without tax",
    };
    let paid = match paid_with_points {
        Basis::Included => "whole receipt",
        Basis::Excluded => "without the part paid with points",
    };
    let rounding = match rounding {
        Rounding::Down => "rounded down",
        Rounding::HalfUp => "rounded half up",
        Rounding::Up => "rounded up",
    };
    format!("{points} per {per_yen} yen of {basis} yen ({tax}, {paid}), {rounding}: {earned}")
}
