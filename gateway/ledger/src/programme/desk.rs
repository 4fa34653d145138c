//! Settings of the staff's desk.

use pos_protocol::Points;
use serde::{Deserialize, Serialize};

use super::values::Hours;

/// What staff may do alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeskRule {
    /// Points one person may grant or take at once without another one's approval.
    pub alone_points_max: Points,
    /// The same of all members within 24 hours.
    pub alone_points_per_day_max: Points,
    /// How long another person may approve what is more.
    pub proposal_hours: Hours,
}

impl Default for DeskRule {
    fn default() -> Self {
        let points = |number| Points::new(number).unwrap_or(Points::ZERO);
        Self {
            alone_points_max: points(1_000),
            alone_points_per_day_max: points(5_000),
            proposal_hours: Hours(72),
        }
    }
}
