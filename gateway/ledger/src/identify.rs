//! From a scanned card to a member: is the text good for this basket, now?
//!
//! The checks run in a fixed order: genuine, known, not used by another basket, not blocked, fresh.
//! A text that passes is bound to the basket, durably, whatever is decided afterwards.

use jiff::{SignedDuration, Timestamp};
use member_card::{CardId, Freshness, FreshnessWindow, SpendLimit, freshness};
use pos_protocol::{BasketId, MemberId, Points, Reason};
use serde_json::json;

use crate::{
    card_use::{Binding, CardProof, CardUse, ShortCodeHash, Till, UseKey},
    decision::Stop,
    event::EventKind,
    member::{CardStatus, MemberStatus},
    posting::Posting,
};

/// A card text that serves this basket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Presented {
    pub(crate) used: UseKey,
    pub(crate) member_id: MemberId,
    pub(crate) spend: SpendLimit,
}

impl Posting<'_> {
    /// Finds the member behind a card and binds the text to the basket. `scanned_at` is the time at
    /// which the text must have been fresh: now, or the scan of an advice.
    pub(crate) fn identify(
        &mut self,
        till: &Till,
        basket_id: &BasketId,
        card: &CardProof,
        scanned_at: Timestamp,
    ) -> Result<Presented, Stop> {
        match *card {
            CardProof::NotGenuine => Err(Stop::decline(Reason::UnknownCard)),
            CardProof::Text {
                card_id,
                issued_at,
                spend,
            } => self.identify_text(till, basket_id, (card_id, issued_at, spend), scanned_at),
            CardProof::ShortCode(hash) => {
                self.identify_short_code(till, basket_id, hash, scanned_at)
            }
        }
    }

    fn identify_text(
        &mut self,
        till: &Till,
        basket_id: &BasketId,
        (card_id, issued_at, spend): (CardId, u32, SpendLimit),
        scanned_at: Timestamp,
    ) -> Result<Presented, Stop> {
        let member_id = self
            .card(card_id)
            .ok_or(Stop::decline(Reason::UnknownCard))?
            .member_id;
        let used = UseKey::Text { card_id, issued_at };
        self.settle_due(member_id)?;
        if self.check_binding(till, basket_id, used, member_id, scanned_at)? {
            self.check_standing(card_id, member_id)?;
            let allowed = self
                .card_use((card_id, issued_at))
                .map_or(spend, |first| first.spend);
            return Ok(Presented {
                used,
                member_id,
                spend: allowed,
            });
        }
        self.check_standing(card_id, member_id)?;
        let rule = &self.programme().cards;
        let window = FreshnessWindow {
            before_s: rule.fresh_before_seconds.get(),
            after_s: rule.fresh_after_seconds.get(),
        };
        match freshness(issued_at, scanned_at.as_second(), window) {
            Freshness::Fresh => {}
            Freshness::Stale => {
                return Err(Stop::decline_member(Reason::CardTextExpired, member_id));
            }
            Freshness::FromTheFuture => {
                return Err(Stop::decline_member(Reason::CardTextFromFuture, member_id));
            }
        }
        let binding = Binding::new(till, basket_id, self.now);
        self.put_card_use(
            (card_id, issued_at),
            CardUse {
                card_id,
                issued_at,
                member_id,
                spend,
                binding,
            },
        );
        Ok(Presented {
            used,
            member_id,
            spend,
        })
    }

    fn identify_short_code(
        &mut self,
        till: &Till,
        basket_id: &BasketId,
        hash: ShortCodeHash,
        scanned_at: Timestamp,
    ) -> Result<Presented, Stop> {
        let code = self
            .short_code(hash)
            .cloned()
            .ok_or(Stop::decline(Reason::UnknownCard))?;
        let (used, member_id) = (UseKey::ShortCode(hash), code.member_id);
        self.settle_due(member_id)?;
        let bound = self.check_binding(till, basket_id, used, member_id, scanned_at)?;
        self.check_standing(code.card_id, member_id)?;
        let presented = Presented {
            used,
            member_id,
            spend: code.spend,
        };
        if !bound {
            if code.expires_at <= scanned_at {
                return Err(Stop::decline_member(Reason::CardTextExpired, member_id));
            }
            let binding = Some(Binding::new(till, basket_id, self.now));
            self.put_short_code(hash, crate::card_use::ShortCode { binding, ..code });
        }
        Ok(presented)
    }

    /// Whether the text already serves this basket. A text that serves another is declined, and said
    /// aloud: fraud rules count it.
    fn check_binding(
        &mut self,
        till: &Till,
        basket_id: &BasketId,
        used: UseKey,
        member_id: MemberId,
        scanned_at: Timestamp,
    ) -> Result<bool, Stop> {
        let Some(binding) = self.binding(used).cloned() else {
            return Ok(false);
        };
        if !binding.serves(till, basket_id) {
            let data = json!({
                "member_id": member_id,
                "terminal_id": till.terminal_id,
                "store_id": till.store_id,
                "basket_id": basket_id,
                "first_terminal_id": binding.terminal_id,
                "first_basket_id": binding.basket_id,
                "first_used_at": binding.bound_at,
            });
            self.member_event(
                member_id,
                EventKind::CardTextReused,
                format!("member/{member_id}"),
                data,
            );
            return Err(Stop::decline(Reason::CardAlreadyUsed));
        }
        let life =
            SignedDuration::from_mins(i64::from(self.programme().cards.basket_minutes.get()));
        // An advice may come long after its basket ended; what counts is when the card was read.
        if scanned_at.duration_since(binding.bound_at) > life {
            return Err(Stop::decline_member(Reason::CardTextExpired, member_id));
        }
        Ok(true)
    }

    fn check_standing(&self, card_id: CardId, member_id: MemberId) -> Result<(), Stop> {
        match self.card(card_id) {
            Some(card) if card.status == CardStatus::Active => {}
            _ => return Err(Stop::decline(Reason::CardBlocked)),
        }
        match self.member(member_id) {
            Some(member) if member.status == MemberStatus::Active => Ok(()),
            Some(_) => Err(Stop::decline(Reason::MemberBlocked)),
            None => Err(Stop::Broken(crate::decision::Broken(
                "a card leads to no member",
            ))),
        }
    }

    /// Points the basket may still promise under this text: the shopper's limit and the
    /// programme's, less what open holds of the same text have promised already.
    pub(crate) fn allowance(&self, presented: Presented) -> Allowance {
        let promised = Points::total(
            self.holds_of(presented.member_id)
                .iter()
                .filter(|hold| hold.used == presented.used)
                .map(|hold| hold.points),
        );
        let by_card = match presented.spend {
            SpendLimit::EarnOnly => Points::ZERO,
            SpendLimit::UpTo(points) => Points::new(i64::from(points)).unwrap_or(Points::ZERO),
            SpendLimit::Unlimited => Points::MAX,
        };
        Allowance {
            earn_only: presented.spend == SpendLimit::EarnOnly,
            by_card: by_card.saturating_sub(promised),
            by_programme: self
                .programme()
                .limits
                .points_per_basket
                .saturating_sub(promised),
        }
    }
}

/// What may still be promised.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    earn_only: bool,
    by_card: Points,
    by_programme: Points,
}

impl Allowance {
    /// The lower of the limits.
    pub(crate) fn points(self) -> Points {
        self.by_card.min(self.by_programme)
    }

    /// The limit that `points` would break first.
    pub(crate) fn refusal(self, points: Points) -> Option<Reason> {
        if self.earn_only {
            Some(Reason::SpendNotAllowed)
        } else if points > self.by_card {
            Some(Reason::AboveCardLimit)
        } else if points > self.by_programme {
            Some(Reason::AboveProgrammeLimit)
        } else {
            None
        }
    }
}
