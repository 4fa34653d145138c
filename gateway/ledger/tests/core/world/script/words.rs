//! The words of a line, and what they stand for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use member_card::SpendLimit;
use pos_protocol::{Points, ReceiptLine, RefundLine, SettlementTotals, Yen};

/// The `key=value` words of a line, and its bare words.
pub(super) struct Words<'s> {
    pub(super) bare: Vec<&'s str>,
    options: BTreeMap<&'s str, &'s str>,
}

impl<'s> Words<'s> {
    pub(super) fn of(line: &'s str) -> Self {
        let is_option = |word: &&str| {
            word.split_once('=')
                .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase()))
        };
        let (options, bare) = line.split_whitespace().partition::<Vec<_>, _>(is_option);
        let options = options
            .into_iter()
            .filter_map(|word| word.split_once('='))
            .collect();
        Self { bare, options }
    }

    pub(super) fn get(&self, option: &str) -> Option<&'s str> {
        self.options.get(option).copied()
    }

    pub(super) fn is(&self, option: &str) -> bool {
        self.get(option) == Some("yes")
    }

    pub(super) fn points(&self, option: &str) -> Option<Points> {
        self.get(option).map(points)
    }

    pub(super) fn count(&self, option: &str) -> u32 {
        self.get(option).map_or(0, |text| text.parse().unwrap())
    }

    pub(super) fn list<T: std::str::FromStr + Ord>(&self, option: &str) -> BTreeSet<T> {
        let texts = self
            .get(option)
            .map_or(Vec::new(), |text| text.split('+').collect());
        texts
            .into_iter()
            .filter_map(|text| text.parse().ok())
            .collect()
    }
}

pub(super) fn points(text: &str) -> Points {
    Points::new(text.parse().unwrap()).unwrap()
}

pub(super) fn yen(text: &str) -> Yen {
    Yen::new(text.parse().unwrap()).unwrap()
}

pub(super) fn duration(text: &str) -> SignedDuration {
    let (number, unit) = text.split_at(text.len() - 1);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => panic!("{text} is no time span"),
    };
    SignedDuration::from_secs(number.parse::<i64>().unwrap() * seconds)
}

pub(super) fn spend(words: &Words<'_>) -> SpendLimit {
    match words.get("spend") {
        None => SpendLimit::Unlimited,
        Some("none") => SpendLimit::EarnOnly,
        Some(limit) => SpendLimit::UpTo(limit.parse().unwrap()),
    }
}

/// `1000`, or `food:2=1000`.
pub(super) fn line(line_no: u32, text: &str) -> ReceiptLine {
    let (what, amount) = text.split_once('=').unwrap_or(("goods:1", text));
    let (category, quantity) = what.split_once(':').unwrap();
    ReceiptLine {
        line_no,
        sku: format!("sku-{line_no}"),
        name: category.to_owned(),
        category: category.to_owned(),
        quantity: quantity.parse().unwrap(),
        amount: yen(amount),
        tax_rate: 10,
    }
}

/// `1x2`: two pieces of line 1.
pub(super) fn refund_line(text: &str) -> RefundLine {
    let (line_no, quantity) = text.split_once('x').unwrap();
    RefundLine {
        line_no: line_no.parse().unwrap(),
        quantity: quantity.parse().unwrap(),
    }
}

pub(super) fn totals(words: &Words<'_>) -> SettlementTotals {
    let points = |option| words.points(option).unwrap_or(Points::ZERO);
    SettlementTotals {
        purchases: words.count("purchases"),
        purchase_total: words.get("total").map_or(Yen::ZERO, yen),
        points_redeemed: points("redeemed"),
        points_earned: points("earned"),
        refunds: words.count("refunds"),
        points_restored: points("restored"),
        points_clawed_back: points("clawed"),
    }
}
