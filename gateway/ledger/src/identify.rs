//! From a scanned card to a member: is the text good for this basket, now?
//!
//! The checks run in a fixed order: genuine, known, not used by another basket, not blocked, fresh.
//! A text that passes is bound to the basket, durably, whatever is decided afterwards.

use jiff::{SignedDuration, Timestamp};
use member_card::{CardId, Freshness, FreshnessWindow, SpendLimit, freshness};
use pos_protocol::{BasketId, MemberId, Points, Reason};
use serde_json::json;

use crate::{
    card_use::{Binding, CardProof, CardUse, ShortCode, ShortCodeHash, Till, UseKey},
    decision::Stop,
    event::EventKind,
    identity::Identity,
    member::{Card, CardKind, CardStatus, MemberStatus},
    posting::Posting,
};

/// Seconds for which a wallet pass shows one password.
const PASS_STEP_S: u32 = 30;

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
            } => {
                let text = (card_id, issued_at, spend);
                self.identify_text(till, basket_id, CardKind::Device, text, scanned_at)
            }
            CardProof::Pass { card_id, step_at } => {
                let most = self.programme().cards.wallet_points_per_basket.get();
                let spend = SpendLimit::UpTo(
                    u32::try_from(most)
                        .unwrap_or(u32::MAX)
                        .min(SpendLimit::POINTS_MAX),
                );
                let text = (card_id, step_at, spend);
                self.identify_text(till, basket_id, CardKind::Wallet, text, scanned_at)
            }
            CardProof::ShortCode(hash) => {
                self.identify_short_code(till, basket_id, hash, scanned_at)
            }
            CardProof::Number { card_id, used } => {
                let plastic = |card: &&Card| card.kind == CardKind::Plastic;
                let card = self.card(card_id).filter(plastic);
                let member_id = card.ok_or(Stop::decline(Reason::UnknownCard))?.member_id;
                let owner = (Some(card_id), member_id, SpendLimit::EarnOnly);
                self.identify_basket(till, basket_id, used, owner, scanned_at)
            }
            CardProof::Customer { key, used } => {
                let standing = |row: &&Identity| row.revoked_at.is_none();
                let customer = self.identity(key).filter(standing);
                let member_id = customer
                    .ok_or(Stop::decline(Reason::UnknownCard))?
                    .member_id;
                let owner = (None, member_id, SpendLimit::Unlimited);
                self.identify_basket(till, basket_id, used, owner, scanned_at)
            }
        }
    }

    fn identify_text(
        &mut self,
        till: &Till,
        basket_id: &BasketId,
        kind: CardKind,
        (card_id, issued_at, spend): (CardId, u32, SpendLimit),
        scanned_at: Timestamp,
    ) -> Result<Presented, Stop> {
        let card = self.card(card_id).filter(|card| card.kind == kind);
        let member_id = card.ok_or(Stop::decline(Reason::UnknownCard))?.member_id;
        let used = UseKey::Text { card_id, issued_at };
        self.settle_due(member_id)?;
        if self.check_binding(till, basket_id, used, member_id, scanned_at)? {
            self.check_standing(Some(card_id), member_id)?;
            let allowed = self
                .card_use((card_id, issued_at))
                .map_or(spend, |first| first.spend);
            return Ok(self.presented(used, member_id, allowed));
        }
        self.check_standing(Some(card_id), member_id)?;
        match freshness(issued_at, scanned_at.as_second(), self.window(kind)) {
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
        Ok(self.presented(used, member_id, spend))
    }

    /// When a text is fresh. A pass shows the password of its own clock's step; the step before and the
    /// one after are good as well (RFC 6238, section 5.2).
    fn window(&self, kind: CardKind) -> FreshnessWindow {
        let rule = &self.programme().cards;
        match kind {
            CardKind::Wallet => FreshnessWindow {
                before_s: PASS_STEP_S.saturating_mul(2).saturating_sub(1),
                after_s: PASS_STEP_S,
            },
            CardKind::Device | CardKind::Plastic => FreshnessWindow {
                before_s: rule.fresh_before_seconds.get(),
                after_s: rule.fresh_after_seconds.get(),
            },
        }
    }

    /// Whether the record took over an address lately, and only earns for now.
    pub(crate) fn earns_only(&self, member_id: MemberId) -> bool {
        let member = self.member(member_id);
        let until = member.and_then(|member| member.earn_only_until);
        until.is_some_and(|until| until > self.now)
    }

    /// What a basket may do under this text. A record that only earns for now spends nothing.
    fn presented(&self, used: UseKey, member_id: MemberId, spend: SpendLimit) -> Presented {
        let spend = if self.earns_only(member_id) {
            SpendLimit::EarnOnly
        } else {
            spend
        };
        Presented {
            used,
            member_id,
            spend,
        }
    }

    /// A number, or a customer that a shop has signed in, says nothing of its own time: it is bound to the
    /// basket that shows it, and serves it for the basket's life.
    fn identify_basket(
        &mut self,
        till: &Till,
        basket_id: &BasketId,
        hash: ShortCodeHash,
        (card_id, member_id, spend): (Option<CardId>, MemberId, SpendLimit),
        scanned_at: Timestamp,
    ) -> Result<Presented, Stop> {
        let used = UseKey::ShortCode(hash);
        self.settle_due(member_id)?;
        let bound = self.check_binding(till, basket_id, used, member_id, scanned_at)?;
        // The customer may have become another member's since.
        let first = self.short_code(hash).map(|code| code.member_id);
        if first.is_some_and(|first| first != member_id) {
            return Err(Stop::decline(Reason::CardAlreadyUsed));
        }
        self.check_standing(card_id, member_id)?;
        if !bound {
            let binding = Some(Binding::new(till, basket_id, self.now));
            self.put_short_code(
                hash,
                ShortCode {
                    hash,
                    card_id,
                    member_id,
                    spend,
                    expires_at: self.now,
                    binding,
                },
            );
        }
        Ok(self.presented(used, member_id, spend))
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
        let presented = self.presented(used, member_id, code.spend);
        if !bound {
            if code.expires_at <= scanned_at {
                return Err(Stop::decline_member(Reason::CardTextExpired, member_id));
            }
            let binding = Some(Binding::new(till, basket_id, self.now));
            self.put_short_code(hash, ShortCode { binding, ..code });
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

    /// Whether the card is good, if one was shown, and the person takes part.
    fn check_standing(&self, card_id: Option<CardId>, member_id: MemberId) -> Result<(), Stop> {
        let good = |id| matches!(self.card(id), Some(card) if card.status == CardStatus::Active);
        if !card_id.is_none_or(good) {
            return Err(Stop::decline(Reason::CardBlocked));
        }
        match self.member(self.root(member_id)) {
            Some(member) if member.erased_at.is_some() => Err(Stop::decline(Reason::CardBlocked)),
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
