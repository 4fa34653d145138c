//! The purchase: captures its hold or spends in one go, accrues, and closes its basket.
//!
//! An advice reports a sale that already happened. It is held to who the member is, but never to
//! what the member has: what is there is taken, the rest is the store's shortfall.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, civil::Date};
use pos_protocol::{
    Advice, BasketId, EarnedView, LotId, MemberId, OrderId, PendingId, Points, PurchaseAnswer,
    PurchaseId, PurchaseView, Reason, Receipt, RequestId, ShopId, Yen,
};
use serde_json::json;

use crate::{
    account::{Account, Motive},
    calendar,
    card_use::{Till, UseKey},
    command::Payment,
    decision::{Broken, Stop},
    due::Renewed,
    earning,
    event::EventKind,
    lot::{self, LotKey, Pending, Scope},
    payment::Paid,
    posting::{Posting, Slip},
    programme::BASE_CLASS,
    records::{Earned, Purchase, PurchaseState, RequestKind},
    reply::Reply,
};

/// How far apart the till's clock and the gateway's may be before the event says so, in seconds.
const CLOCK_SKEW_FLAGGED_S: i64 = 300;

/// A purchase as the till reports it.
#[derive(Clone, Copy)]
pub(crate) struct Sale<'c> {
    pub(crate) till: &'c Till,
    pub(crate) basket_id: &'c BasketId,
    pub(crate) receipt: &'c Arc<Receipt>,
    pub(crate) advice: Option<&'c Advice>,
    pub(crate) channel: Channel<'c>,
}

/// Where a sale was made.
#[derive(Clone, Copy)]
pub(crate) enum Channel<'c> {
    /// At a till.
    Store,
    /// In an EC shop.
    Ec {
        shop_id: &'c ShopId,
        order_id: &'c OrderId,
    },
}

/// When what a sale earns can be spent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earning {
    /// As the programme's earn rule says.
    ByRule,
    /// Once an act releases it.
    UntilReleased,
}

impl Sale<'_> {
    /// Whether the sale has happened already: then it is not refused for lack of points.
    pub(crate) fn is_done(self) -> bool {
        self.advice.is_some() || matches!(self.channel, Channel::Ec { .. })
    }
}

/// Points that a purchase earns.
struct Accrual {
    purchase_id: PurchaseId,
    member_id: MemberId,
    points: Points,
    why: String,
    earning: Earning,
}

impl Posting<'_> {
    pub(crate) fn purchase(
        &mut self,
        sale: Sale<'_>,
        request_id: &RequestId,
        payment: &Payment,
    ) -> Result<Reply, Stop> {
        let purchase_id = PurchaseId::new(self.new_id());
        self.check_advice_delay(sale.advice)?;
        let paid = self.pay(sale, purchase_id, payment)?;
        let purchase = self.complete(sale, purchase_id, paid, Earning::ByRule)?;
        if self.is_erased(purchase.member_id) {
            // Goods that had left were still to be booked; what they earned lapses.
            self.settle_due(purchase.member_id)?;
        }
        let answer = PurchaseAnswer {
            purchase: Some(purchase_view(&purchase)),
            points: self.balance(purchase.member_id),
            ..PurchaseAnswer::approved(request_id.clone())
        };
        Ok(Reply::new(RequestKind::Purchase, &answer)
            .member(purchase.member_id)
            .effect(purchase_id.as_uuid()))
    }

    /// An advice may arrive only so late, and not before its scan.
    fn check_advice_delay(&self, advice: Option<&Advice>) -> Result<(), Stop> {
        let Some(advice) = advice else { return Ok(()) };
        let rule = &self.programme().cards;
        let delay = self.now.duration_since(advice.scanned_at);
        if delay > SignedDuration::from_hours(i64::from(rule.advice_hours.get())) {
            return Err(Stop::decline(Reason::AdviceTooLate));
        }
        if delay < SignedDuration::from_secs(-CLOCK_SKEW_FLAGGED_S) {
            return Err(Stop::decline(Reason::CardTextFromFuture));
        }
        Ok(())
    }

    /// What must hold before anything moves: the basket is open, the day is open, amounts fit.
    pub(crate) fn check_sale(
        &self,
        sale: Sale<'_>,
        member_id: MemberId,
        used: UseKey,
    ) -> Result<(), Stop> {
        let decline = |reason| Stop::decline_member(reason, member_id);
        if self
            .binding(used)
            .is_some_and(|binding| binding.purchase_id.is_some())
        {
            return Err(decline(Reason::BasketCompleted));
        }
        let open = self.business_date(&sale.till.store_id);
        let late = match sale.advice {
            Some(_) => self
                .programme()
                .cards
                .advice_hours
                .get()
                .div_ceil(24)
                .saturating_add(1),
            None => 1,
        };
        let day = sale.receipt.business_date;
        if day > calendar::days_after(open, 1) || calendar::days_after(day, late) < open {
            return Err(decline(Reason::BusinessDateNotOpen));
        }
        let most = earning::earned(self.programme(), sale.receipt, Points::ZERO);
        match most {
            Some((most, _)) if self.has_room_for(member_id, most) => Ok(()),
            _ => Err(decline(Reason::AmountTooLarge)),
        }
    }

    /// Books shortfall and accrual, closes the basket and writes the purchase.
    pub(crate) fn complete(
        &mut self,
        sale: Sale<'_>,
        id: PurchaseId,
        paid: Paid,
        earning: Earning,
    ) -> Result<Purchase, Stop> {
        let Paid {
            member_id,
            used,
            authorization_id,
            parts,
            shortfall,
        } = paid;
        let slip = self.sale_slip(sale, member_id, Motive::Shortfall, id.as_uuid());
        self.transfer(
            &slip,
            Account::StoreShortfall,
            Account::StoreRedeemed,
            None,
            shortfall,
        )?;
        let redeemed = lot::sum(&parts);
        let claimed = redeemed.saturating_add(shortfall);
        let (earned_points, why) = earning::earned(self.programme(), sale.receipt, claimed)
            .ok_or(Stop::decline_member(Reason::AmountTooLarge, member_id))?;
        let renewed = self.note_activity(member_id);
        if !self.has_room_for(member_id, earned_points) {
            return Err(Stop::decline_member(Reason::AmountTooLarge, member_id));
        }
        let accrual = Accrual {
            purchase_id: id,
            member_id,
            points: earned_points,
            why,
            earning,
        };
        let earned = self.accrue(sale, accrual)?;
        let purchase = Purchase {
            id,
            member_id,
            terminal_id: sale.till.terminal_id.clone(),
            store_id: sale.till.store_id.clone(),
            basket_id: sale.basket_id.clone(),
            authorization_id,
            used,
            receipt: sale.receipt.clone(),
            redeemed,
            redeemed_parts: parts,
            shortfall,
            earned_points,
            earned,
            advice: sale.advice.is_some(),
            shop_id: match sale.channel {
                Channel::Store => None,
                Channel::Ec { shop_id, .. } => Some(shop_id.clone()),
            },
            fee_earns: earning::fee_earns(self.programme()),
            programme_version: self.state.in_force.version,
            recorded_at: self.now,
            state: PurchaseState::Completed,
            refunded: BTreeMap::new(),
            refunded_amount: Yen::ZERO,
            restored: Points::ZERO,
            clawback_due: Points::ZERO,
        };
        self.edit_binding(used, |binding| binding.purchase_id = Some(id));
        self.tell_purchase(sale, &purchase, &renewed);
        self.put_purchase(id, purchase.clone());
        Ok(purchase)
    }

    pub(crate) fn sale_slip(
        &self,
        sale: Sale<'_>,
        member_id: MemberId,
        motive: Motive,
        source: uuid::Uuid,
    ) -> Slip {
        Slip {
            member_id,
            motive,
            source,
            store_id: Some(sale.till.store_id.clone()),
            business_date: sale.receipt.business_date,
        }
    }

    fn accrue(&mut self, sale: Sale<'_>, accrual: Accrual) -> Result<Vec<Earned>, Stop> {
        let Accrual {
            purchase_id,
            member_id,
            points,
            why,
            earning,
        } = accrual;
        if points.is_zero() {
            return Ok(Vec::new());
        }
        let programme = self.programme();
        let key = LotKey::granted(programme, BASE_CLASS, self.today, Scope::default())
            .ok_or(Broken("the programme has no base class"))?;
        let expires_on = key.expires_on;
        let lot_id = self.lot_for(member_id, key, &format!("purchase:{purchase_id}"));
        let days = programme.earn.pending_days.get();
        let matures_on = match earning {
            Earning::ByRule => Some(calendar::days_after(self.today, days)),
            Earning::UntilReleased => None,
        };
        let slip = self.sale_slip(sale, member_id, Motive::Accrual, purchase_id.as_uuid());
        let pending_id = if matures_on == Some(self.today) {
            self.transfer(
                &slip,
                Account::ProgrammeIssued,
                Account::MemberAvailable,
                Some(lot_id),
                points,
            )?;
            self.pay_debt(member_id, lot_id, points)?;
            None
        } else {
            self.transfer(
                &slip,
                Account::ProgrammeIssued,
                Account::MemberPending,
                Some(lot_id),
                points,
            )?;
            Some(self.add_pending(member_id, lot_id, purchase_id, points, matures_on))
        };
        Ok(vec![Earned {
            points,
            class: BASE_CLASS.to_owned(),
            lot_id,
            expires_on,
            pending_id,
            pending_until: matures_on.filter(|_| pending_id.is_some()),
            why,
        }])
    }

    fn add_pending(
        &mut self,
        member_id: MemberId,
        lot_id: LotId,
        purchase_id: PurchaseId,
        points: Points,
        matures_on: Option<Date>,
    ) -> PendingId {
        let id = PendingId::new(self.new_id());
        let grant = Pending {
            id,
            member_id,
            lot_id,
            purchase_id,
            points,
            matures_on,
        };
        self.put_pending((member_id, id), grant);
        id
    }

    fn tell_purchase(
        &mut self,
        sale: Sale<'_>,
        purchase: &Purchase,
        renewed: &BTreeMap<String, Renewed>,
    ) {
        let renewed = renewed.iter().map(|(class, renewed)| {
            json!({ "class": class, "expires_on": renewed.expires_on, "points": renewed.points })
        });
        let skew = self
            .now
            .duration_since(purchase.receipt.occurred_at)
            .as_secs();
        let (channel, shop_id, order_id) = match sale.channel {
            Channel::Store => ("store", None, None),
            Channel::Ec { shop_id, order_id } => ("ec", Some(shop_id), Some(order_id)),
        };
        let flagged =
            !sale.is_done() && !(-CLOCK_SKEW_FLAGGED_S..=CLOCK_SKEW_FLAGGED_S).contains(&skew);
        let data = json!({
            "purchase_id": purchase.id,
            "member_id": purchase.member_id,
            "store_id": purchase.store_id,
            "terminal_id": purchase.terminal_id,
            "basket_id": purchase.basket_id,
            "channel": channel,
            "shop_id": shop_id,
            "order_id": order_id,
            "authorization_id": purchase.authorization_id,
            "receipt": purchase.receipt.as_ref(),
            "points_redeemed": purchase.redeemed,
            "points_shortfall": purchase.shortfall,
            "points_earned": purchase.earned_points,
            "earned": purchase.earned.iter().map(earned_view).collect::<Vec<_>>(),
            "renewed": renewed.collect::<Vec<_>>(),
            "programme_version": purchase.programme_version,
            "advice": purchase.advice,
            "scanned_at": sale.advice.map(|advice| advice.scanned_at),
            "recorded_at": purchase.recorded_at,
            "till_clock_skew_seconds": flagged.then_some(skew),
        });
        let subject = format!("purchase/{}", purchase.id);
        self.member_event(
            purchase.member_id,
            EventKind::PurchaseCompleted,
            subject,
            data,
        );
    }
}

fn earned_view(earned: &Earned) -> EarnedView {
    EarnedView {
        points: earned.points,
        class: earned.class.clone(),
        expires_on: earned.expires_on,
        pending_until: earned.pending_until,
        why: earned.why.clone(),
    }
}

fn purchase_view(purchase: &Purchase) -> PurchaseView {
    PurchaseView {
        id: purchase.id,
        points_redeemed: purchase.redeemed,
        points_shortfall: Some(purchase.shortfall).filter(|points| !points.is_zero()),
        points_earned: purchase.earned_points,
        earned: purchase.earned.iter().map(earned_view).collect(),
    }
}
