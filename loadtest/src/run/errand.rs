//! What shoppers come for: the kinds of errand, and how many of each.

use clap::ValueEnum;
use serde::Serialize;

/// What is asked of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// Authorizations that hold one point; holds are let go between the timed segments
    Authorize,
    /// Purchases that only earn
    Accrue,
    /// 70 % purchases that only earn, 20 % an authorization and the purchase that captures it, 5 %
    /// inquiries, 5 % refunds and reversals of purchases made before
    Mix,
}

/// What one shopper comes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// Hold a point.
    Authorize,
    /// Buy, and earn points.
    Earn,
    /// Hold a point, then buy with it.
    Spend,
    /// Look.
    Inquire,
    /// Give a purchase back.
    Refund,
    /// Have a purchase undone by the request id that made it.
    Reverse,
}

/// A request of a till.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Hold a point.
    Authorization,
    /// A purchase that only earns.
    Purchase,
    /// A purchase that captures a hold.
    Capture,
    /// A look at points.
    Inquiry,
    /// A refund of a whole purchase.
    Refund,
    /// A reversal of a purchase.
    Reversal,
}

/// Errands after which proportions repeat.
const ROUND: u64 = 20;

impl Scenario {
    /// What shopper number `number` comes for. Of every twenty that follow each other, each kind has
    /// its exact share.
    #[must_use]
    pub fn errand(self, number: u64) -> Errand {
        match self {
            Self::Authorize => Errand::Authorize,
            Self::Accrue => Errand::Earn,
            // 7 and 20 have no divisor in common: every place comes once, kinds well apart.
            Self::Mix => match number % ROUND * 7 % ROUND {
                0..14 => Errand::Earn,
                14..18 => Errand::Spend,
                18 => Errand::Inquire,
                _ if (number / ROUND).is_multiple_of(2) => Errand::Refund,
                _ => Errand::Reverse,
            },
        }
    }
}

impl Operation {
    /// Its name, as JSON has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Purchase => "purchase",
            Self::Capture => "capture",
            Self::Inquiry => "inquiry",
            Self::Refund => "refund",
            Self::Reversal => "reversal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(from: u64, to: u64, errand: Errand) -> usize {
        (from..to)
            .filter(|number| Scenario::Mix.errand(*number) == errand)
            .count()
    }

    #[test]
    fn a_mix_has_its_proportions_wherever_it_begins() {
        for from in [0, 7, 1_013] {
            for (errand, share) in [
                (Errand::Earn, 280),
                (Errand::Spend, 80),
                (Errand::Inquire, 20),
                (Errand::Refund, 10),
                (Errand::Reverse, 10),
                (Errand::Authorize, 0),
            ] {
                assert_eq!(
                    count(from, from + 400, errand),
                    share,
                    "{errand:?} from {from}"
                );
            }
        }
    }

    #[test]
    fn the_others_have_one_kind() {
        for number in 0..50 {
            assert_eq!(Scenario::Authorize.errand(number), Errand::Authorize);
            assert_eq!(Scenario::Accrue.errand(number), Errand::Earn);
        }
    }
}
