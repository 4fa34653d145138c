//! The basket on the counter.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use pos_protocol::{AuthorizationId, BasketId, Points, Receipt, ReceiptLine, Yen, client::Scan};

/// What lies on the counter until it is paid.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Basket {
    pub(crate) id: BasketId,
    pub(crate) scan: Option<Scan>,
    pub(crate) lines: Vec<ReceiptLine>,
    pub(crate) hold: Option<(AuthorizationId, Points)>,
    /// What the card may spend here, once the gateway has said so.
    pub(crate) spendable: Option<Points>,
}

impl Basket {
    pub(crate) fn new(id: BasketId) -> Self {
        Self {
            id,
            scan: None,
            lines: Vec::new(),
            hold: None,
            spendable: None,
        }
    }

    /// Puts pieces on the counter.
    ///
    /// # Errors
    /// If the amount is too large.
    pub(crate) fn add(
        &mut self,
        name: &str,
        price: Yen,
        quantity: u32,
        tax_rate: u8,
    ) -> Result<(), String> {
        let amount = price.get().checked_mul(i64::from(quantity));
        let amount = amount.and_then(|amount| Yen::new(amount).ok());
        let amount = amount.ok_or_else(|| "the amount is too large".to_owned())?;
        let line_no = u32::try_from(self.lines.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        self.lines.push(ReceiptLine {
            line_no,
            sku: name.to_owned(),
            name: name.to_owned(),
            category: "goods".to_owned(),
            quantity,
            amount,
            tax_rate,
        });
        Ok(())
    }

    pub(crate) fn total(&self) -> Yen {
        Yen::total(self.lines.iter().map(|line| line.amount))
    }

    /// Consumption tax inside the total: by rate, floored.
    pub(crate) fn tax(&self) -> Yen {
        let mut by_rate = BTreeMap::<u8, i64>::new();
        for line in &self.lines {
            let sum = by_rate.entry(line.tax_rate).or_default();
            *sum = sum.saturating_add(line.amount.get());
        }
        let inside = |(rate, sum): (u8, i64)| {
            let rate = i64::from(rate);
            let tax = sum
                .saturating_mul(rate)
                .checked_div(rate.saturating_add(100));
            Yen::new(tax.unwrap_or(0)).unwrap_or(Yen::ZERO)
        };
        Yen::total(by_rate.into_iter().map(inside))
    }

    /// The receipt, numbered after the basket.
    pub(crate) fn receipt(&self, at: Timestamp, business_date: Date) -> Receipt {
        Receipt {
            number: format!("R-{}", self.id),
            business_date,
            occurred_at: at,
            lines: self.lines.clone(),
            total: self.total(),
            tax: self.tax(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_is_inside_and_floored_by_rate() {
        let mut basket = Basket::new(BasketId::new("b").unwrap());
        let yen = |yen| Yen::new(yen).unwrap();
        basket.add("tea", yen(540), 2, 8).unwrap();
        basket.add("cup", yen(1_100), 1, 10).unwrap();
        assert_eq!((basket.total(), basket.tax()), (yen(2_180), yen(180)));
        let receipt = basket.receipt(Timestamp::UNIX_EPOCH, "2026-11-22".parse().unwrap());
        assert_eq!(receipt.violation(), None);
    }
}
