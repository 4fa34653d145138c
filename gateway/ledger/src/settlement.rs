//! Settlement: a terminal's totals of a business day, counted on both sides.

use jiff::civil::Date;
use pos_protocol::{Difference, RequestId, SettlementAnswer, SettlementId, SettlementTotals};
use serde_json::json;

use crate::{
    card_use::Till,
    event::EventKind,
    posting::Posting,
    records::{RequestKind, Settlement},
    reply::Reply,
};

impl Posting<'_> {
    pub(crate) fn settle(
        &mut self,
        till: &Till,
        request_id: &RequestId,
        business_date: Date,
        totals: SettlementTotals,
    ) -> Reply {
        let key = (till.terminal_id.clone(), business_date);
        let gateway = self.state.totals.get(&key).copied().unwrap_or_default();
        let id = SettlementId::new(self.new_id());
        let differences = differences(&totals, &gateway);
        let data = json!({
            "settlement_id": id,
            "terminal_id": till.terminal_id,
            "store_id": till.store_id,
            "business_date": business_date,
            "till": totals,
            "gateway": gateway,
            "differences": differences,
        });
        self.plain_event(
            EventKind::SettlementRecorded,
            format!("terminal/{}", till.terminal_id),
            &data,
        );
        self.changes.settlements.push(Settlement {
            id,
            terminal_id: till.terminal_id.clone(),
            store_id: till.store_id.clone(),
            business_date,
            till: totals,
            gateway,
            at: self.now,
        });
        let answer = SettlementAnswer {
            settlement_id: Some(id),
            till: Some(totals),
            gateway: Some(gateway),
            differences: Some(differences),
            ..SettlementAnswer::approved(request_id.clone())
        };
        Reply::new(RequestKind::Settlement, &answer).effect(id.as_uuid())
    }
}

/// Every total on which the two sides differ, in the order of the message.
fn differences(till: &SettlementTotals, gateway: &SettlementTotals) -> Vec<Difference> {
    let rows = |t: &SettlementTotals| {
        [
            ("purchases", i64::from(t.purchases)),
            ("purchase_total", t.purchase_total.get()),
            ("points_redeemed", t.points_redeemed.get()),
            ("points_earned", t.points_earned.get()),
            ("refunds", i64::from(t.refunds)),
            ("points_restored", t.points_restored.get()),
            ("points_clawed_back", t.points_clawed_back.get()),
        ]
    };
    rows(till)
        .into_iter()
        .zip(rows(gateway))
        .filter(|((_, till), (_, gateway))| till != gateway)
        .map(|((field, till), (_, gateway))| Difference {
            field: field.to_owned(),
            till,
            gateway,
        })
        .collect()
}
