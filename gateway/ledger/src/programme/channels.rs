//! Settings of the channels beside the till: linking identities, orders of EC shops.

use serde::{Deserialize, Serialize};

use super::values::{Attempts, Hours, Minutes};

/// How identities are linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkRule {
    /// Life of a code that links, or that is sent to an address.
    pub code_minutes: Minutes,
    /// Wrong codes after which a new one is needed.
    pub attempts_max: Attempts,
    /// How long a card only earns after it took over an address.
    pub cool_down_hours: Hours,
}

impl Default for LinkRule {
    fn default() -> Self {
        Self {
            code_minutes: Minutes(10),
            attempts_max: Attempts(5),
            cool_down_hours: Hours(72),
        }
    }
}

/// How orders of EC shops earn.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EcRule {
    /// When the points of an order can be spent; until then they are pending.
    pub grant_on: GrantMoment,
    /// Whether the shipping fee earns.
    pub shipping_fee: ShippingFee,
}

/// When the points of an order can be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantMoment {
    /// As its lines are shipped.
    #[default]
    Shipped,
    /// Once it is paid.
    Paid,
}

/// Whether the shipping fee earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShippingFee {
    /// It is taken out first.
    #[default]
    Excluded,
    /// It earns like goods.
    Included,
}
