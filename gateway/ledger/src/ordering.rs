//! Booking what follows from an order's facts. See [`order`](crate::order).

use std::{collections::BTreeMap, sync::Arc};

use member_card::SpendLimit;
use pos_protocol::{
    BasketId, MemberId, PlacedOrder, Points, PurchaseId, Reason, Receipt, ReceiptLine, Yen,
};
use serde_json::json;

use crate::{
    account::{Account, Motive},
    card_use::{Binding, ShortCode, UseKey},
    command::{OrderReport, Side},
    decision::{Answer, Broken, Stop},
    earning::{earns, share},
    event::EventKind,
    identity::Proof,
    member::MemberStatus,
    order::{Described, Facts, NO_LINE, Order, OrderState, fee_line_no, numbered},
    payment::Paid,
    posting::{Posting, Slip},
    programme::{GrantMoment, SHIPPING_CATEGORY},
    purchase::{Channel, Earning, Sale},
    records::{Authorization, HoldState, Purchase},
    refund::{left_lines, refunded_yen},
};

impl Posting<'_> {
    pub(crate) fn report_order(&mut self, report: &OrderReport) -> Result<Answer, Stop> {
        let key = (report.shop_id.clone(), report.statement.order_id.clone());
        let known = self.order(key.clone()).cloned();
        let mut order = known.clone().unwrap_or_else(|| Order {
            shop_id: report.shop_id.clone(),
            id: report.statement.order_id.clone(),
            member_id: None,
            terminal_id: report.till.terminal_id.clone(),
            state: OrderState::Announced,
            facts: Facts::default(),
            purchase_id: None,
            remark: None,
            first_at: self.now,
            changed_at: self.now,
        });
        order.facts.learn(&report.statement);
        if order.member_id.is_none() {
            order.member_id = self.customer(report);
        }
        if let Some(member_id) = order.member_id {
            self.settle_due(member_id)?;
            let before = known.as_ref().and_then(|row| row.facts.described.as_ref());
            self.book_order(report, &mut order, member_id, before)?;
            // What went to a lot past its last day, or to an erased person, lapses at once.
            self.settle_due(member_id)?;
        }
        order.state = state_of(&order);
        order.remark = self.remark_of(report, &order);
        if known.as_ref() != Some(&order) {
            order.changed_at = self.now;
            self.tell_order(&order);
            self.put_order(key, order.clone());
        }
        Ok(Answer::OrderBooked {
            member_id: order.member_id.map(|id| self.root(id)),
            state: order.state,
            purchase_id: order.purchase_id,
        })
    }

    /// Whether the person takes no part for now.
    fn is_blocked(&self, member_id: MemberId) -> bool {
        let member = self.member(self.root(member_id));
        member.is_some_and(|member| member.status == MemberStatus::Blocked)
    }

    /// What is odd about an order, for people to look at.
    fn remark_of(&self, report: &OrderReport, order: &Order) -> Option<String> {
        let placed = &order.facts.described.as_ref()?.placed;
        if let Some(line) = order.facts.unknown_line(placed) {
            return Some(format!(
                "a shipment or refund names line {line}, which the order does not have"
            ));
        }
        let member_id = order.member_id?;
        if order.purchase_id.is_none() && order.facts.is_begun() && self.is_blocked(member_id) {
            return Some("the member is blocked; told again once it is not, it earns".to_owned());
        }
        let names_hold = placed.redemption.is_some();
        (names_hold && self.hold_of(report, placed, member_id).is_none())
            .then(|| "it names points that were not held for it".to_owned())
    }

    /// Who ordered: the member behind the shop's customer, or a new one that waits for the person.
    fn customer(&mut self, report: &OrderReport) -> Option<MemberId> {
        let claim = report.customer.as_ref()?;
        if let Some(member_id) = self.member_of(&Side::Identity(claim.clone())) {
            return Some(member_id);
        }
        let member_id = self.make_shadow(&report.newcomer);
        let actor = format!("shop:{}", report.shop_id);
        self.put_new_identity(claim, member_id, Proof::Order, &actor);
        Some(member_id)
    }

    fn book_order(
        &mut self,
        report: &OrderReport,
        order: &mut Order,
        member_id: MemberId,
        before: Option<&Described>,
    ) -> Result<(), Stop> {
        let Some(described) = order.facts.described.clone() else {
            return Ok(());
        };
        let placed = described.placed;
        let receipt = self.receipt(report, &placed);
        let standing = order.purchase_id.and_then(|id| self.sold(id)).cloned();
        // The purchase that stands was made from the description before.
        let same = before.is_some_and(|before| same_terms(&before.placed, &placed));
        let mut purchase = match standing {
            Some(purchase) if same && same_goods(&purchase.receipt, &receipt) => Some(purchase),
            Some(changed) => {
                self.undo(report, changed)?;
                None
            }
            None => None,
        };
        if purchase.is_none() && order.facts.is_begun() && !self.is_blocked(member_id) {
            let made = self.buy(report, &placed, receipt, member_id)?;
            // Of the person's records it is the one that pays.
            order.member_id = Some(made.member_id);
            purchase = Some(made);
        }
        if purchase.is_none() && order.facts.cancelled {
            self.let_go(report, &placed, member_id)?;
        }
        order.purchase_id = purchase.as_ref().map(|purchase| purchase.id);
        match purchase {
            Some(purchase) => self.follow_shipment(report, order, &placed, purchase),
            None => Ok(()),
        }
    }

    /// Takes the whole purchase of a changed order back; another follows.
    fn undo(&mut self, report: &OrderReport, purchase: Purchase) -> Result<(), Stop> {
        let left = left_lines(&purchase);
        self.take_back(&report.till, purchase, left, true, Points::ZERO)?;
        Ok(())
    }

    fn buy(
        &mut self,
        report: &OrderReport,
        placed: &PlacedOrder,
        receipt: Arc<Receipt>,
        member_id: MemberId,
    ) -> Result<Purchase, Stop> {
        let used = UseKey::ShortCode(report.used);
        let hold = self.hold_of(report, placed, member_id);
        let uses = [Some(used), hold.map(|hold| hold.used)]
            .into_iter()
            .flatten();
        let mut bindings = uses.filter_map(|used| self.binding(used));
        if bindings.any(|binding| binding.purchase_id.is_some()) {
            // Somebody captured the order's hold as a till does.
            return Err(Stop::decline(Reason::BasketCompleted));
        }
        let purchase_id = PurchaseId::new(self.new_id());
        let basket_id = BasketId::new(report.statement.order_id.as_str())
            .map_err(|_| Broken("an order's id names no basket"))?;
        let sale = Sale {
            till: &report.till,
            basket_id: &basket_id,
            receipt: &receipt,
            advice: None,
            channel: Channel::Ec {
                shop_id: &report.shop_id,
                order_id: &report.statement.order_id,
            },
        };
        self.bind_order(report, &basket_id, member_id);
        let points = placed.redemption.as_ref().and_then(|named| named.points);
        let paid = match self.hold_of(report, placed, member_id).cloned() {
            Some(hold) => self.pay_order(sale, purchase_id, &hold, points)?,
            None => Paid {
                member_id,
                used,
                authorization_id: None,
                parts: Vec::new(),
                shortfall: Points::ZERO,
            },
        };
        self.complete(sale, purchase_id, paid, Earning::UntilReleased)
    }

    /// The hold that the order names, if it was given to this shop for this order and holds points of the
    /// person who ordered: of any of the person's records, by account or by a code from the phone.
    fn hold_of(
        &self,
        report: &OrderReport,
        placed: &PlacedOrder,
        member_id: MemberId,
    ) -> Option<&Authorization> {
        let hold = self.authorization(placed.redemption.as_ref()?.authorization_id)?;
        let own = hold.terminal_id == report.till.terminal_id
            && hold.basket_id.as_str() == report.statement.order_id.as_str()
            && self.root(hold.member_id) == self.root(member_id);
        own.then_some(hold)
    }

    /// A cancelled order that never became a purchase needs its points no more.
    fn let_go(
        &mut self,
        report: &OrderReport,
        placed: &PlacedOrder,
        member_id: MemberId,
    ) -> Result<(), Stop> {
        let hold = self.hold_of(report, placed, member_id);
        let held = |hold: &&Authorization| hold.state == HoldState::Held;
        if let Some(hold) = hold.filter(held).cloned() {
            let member_id = hold.member_id;
            self.release(hold, HoldState::Voided)?;
            self.settle_due(member_id)?;
        }
        Ok(())
    }

    /// The order is its own basket: what allowed its hold, and what its purchase belongs to.
    fn bind_order(&mut self, report: &OrderReport, basket_id: &BasketId, member_id: MemberId) {
        if self.short_code(report.used).is_none() {
            let binding = Some(Binding::new(&report.till, basket_id, self.now));
            self.put_short_code(
                report.used,
                ShortCode {
                    hash: report.used,
                    card_id: None,
                    member_id,
                    spend: SpendLimit::Unlimited,
                    expires_at: self.now,
                    binding,
                },
            );
        }
    }

    /// The goods were sold: a hold that stands is captured, one that ran out pays with what is there, one
    /// that the shop let go pays nothing.
    fn pay_order(
        &mut self,
        sale: Sale<'_>,
        purchase_id: PurchaseId,
        hold: &Authorization,
        points: Option<Points>,
    ) -> Result<Paid, Stop> {
        let claimed = points.unwrap_or(hold.points).min(hold.points);
        let claimed = claimed.min(self.worth(sale.receipt.total));
        if hold.state == HoldState::Held {
            return self.capture(sale, hold.clone(), claimed);
        }
        let stood = matches!(hold.state, HoldState::Expired | HoldState::Captured);
        let wanted = if stood { claimed } else { Points::ZERO };
        self.pay_without_hold(sale, purchase_id, hold, (claimed, wanted))
    }

    /// Takes back what came back and releases what was shipped, up to what the facts say.
    fn follow_shipment(
        &mut self,
        report: &OrderReport,
        order: &Order,
        placed: &PlacedOrder,
        purchase: Purchase,
    ) -> Result<(), Stop> {
        let id = purchase.id;
        let returned = order.facts.returned(placed);
        let mut more = BTreeMap::new();
        for (line_no, pieces) in returned {
            let before = purchase.refunded.get(&line_no).copied().unwrap_or(0);
            let new = pieces.saturating_sub(before);
            if new > 0 {
                more.insert(line_no, new);
            }
        }
        let mut after = purchase.clone();
        for (line_no, pieces) in &more {
            let sum = after.refunded.entry(*line_no).or_default();
            *sum = sum.saturating_add(*pieces);
        }
        let pending = self.pending_target(order, placed, &after);
        if !more.is_empty() {
            self.take_back(&report.till, purchase, more, false, pending)?;
        }
        self.release_down_to(id, pending)?;
        Ok(())
    }

    /// How many of the points a purchase still earns stay pending: those of goods that are kept and not yet
    /// shipped, rounded up. Yen refunded for no line lessen the points of all lines alike. The shipping fee
    /// is shipped with the last of the goods.
    ///
    /// Whatever else is stated, this only falls: neither a shipment nor a refund leaves more unshipped. So
    /// what was released never has to be called back.
    fn pending_target(&self, order: &Order, placed: &PlacedOrder, purchase: &Purchase) -> Points {
        let granted = match self.programme().ec.grant_on {
            GrantMoment::Paid => order.facts.paid || order.facts.all_shipped,
            GrantMoment::Shipped => order.facts.all_shipped,
        };
        if granted {
            return Points::ZERO;
        }
        let shipped: BTreeMap<u32, u32> = numbered(placed)
            .map(|(line_no, line)| (line_no, order.facts.shipped_of(line)))
            .collect();
        let left = left_lines(purchase);
        let left = |line_no: u32| left.get(&line_no).copied().unwrap_or(0);
        let under_way = shipped.iter().any(|(line_no, gone)| left(*line_no) > *gone);
        let (mut kept, mut waiting) = (0_i64, 0_i64);
        let lines = purchase.receipt.lines.iter();
        for line in lines.filter(|line| earns(purchase.fee_earns, line)) {
            let pieces = left(line.line_no);
            let late = match shipped.get(&line.line_no) {
                Some(gone) => pieces.saturating_sub(*gone),
                None if under_way => pieces,
                None => 0,
            };
            kept = kept.saturating_add(yen_of(line, pieces));
            waiting = waiting.saturating_add(yen_of(line, late));
        }
        let (back, whole) = refunded_yen(purchase, |line| earns(purchase.fee_earns, line));
        let paid = whole.saturating_sub(back).get();
        let points = rounded_up(
            [purchase.earned_points.get(), waiting, paid],
            [whole.get(), kept],
        );
        points.map_or(Points::ZERO, |points| points.min(purchase.earned_points))
    }

    /// Makes pending points of a purchase spendable until only `keep` are left.
    fn release_down_to(&mut self, id: PurchaseId, keep: Points) -> Result<(), Stop> {
        let purchase = self.sold(id).cloned();
        let purchase = purchase.ok_or(Broken("an order names no loaded purchase"))?;
        let member_id = purchase.member_id;
        for pending_id in purchase
            .earned
            .iter()
            .filter_map(|earned| earned.pending_id)
        {
            let Some(mut grant) = self.pending((member_id, pending_id)).cloned() else {
                continue;
            };
            let points = grant.points.saturating_sub(keep);
            if points.is_zero() {
                continue;
            }
            let slip = Slip {
                store_id: Some(purchase.store_id.clone()),
                ..self.programme_slip(member_id, Motive::Maturity, grant.id.as_uuid())
            };
            let (pending, available) = (Account::MemberPending, Account::MemberAvailable);
            self.transfer(&slip, pending, available, Some(grant.lot_id), points)?;
            self.pay_debt(member_id, grant.lot_id, points)?;
            grant.points = grant.points.saturating_sub(points);
            self.put_pending((member_id, pending_id), grant);
            let data = json!({ "member_id": member_id, "purchase_id": id, "points": points });
            let subject = format!("purchase/{id}");
            self.member_event(member_id, EventKind::PointsMatured, subject, data);
        }
        Ok(())
    }

    /// The order as a receipt: its lines, and the shipping fee as one more.
    fn receipt(&self, report: &OrderReport, placed: &PlacedOrder) -> Arc<Receipt> {
        let mut lines: Vec<_> = numbered(placed)
            .map(|(line_no, line)| ReceiptLine {
                line_no,
                sku: line.sku.clone(),
                name: line.name.clone(),
                category: line.category.clone(),
                quantity: line.quantity,
                amount: line.amount,
                tax_rate: line.tax_rate,
            })
            .collect();
        if placed.shipping_fee > Yen::ZERO {
            lines.push(ReceiptLine {
                line_no: fee_line_no(placed),
                sku: SHIPPING_CATEGORY.to_owned(),
                name: SHIPPING_CATEGORY.to_owned(),
                category: SHIPPING_CATEGORY.to_owned(),
                quantity: 1,
                amount: placed.shipping_fee,
                tax_rate: 10,
            });
        }
        Arc::new(Receipt {
            number: placed.number.clone(),
            business_date: self.business_date(&report.till.store_id),
            occurred_at: placed.ordered_at,
            lines,
            total: placed.total,
            tax: placed.tax,
        })
    }

    fn tell_order(&mut self, order: &Order) {
        let Some(member_id) = order.member_id else {
            return;
        };
        let data = json!({
            "member_id": member_id,
            "shop_id": order.shop_id,
            "order_id": order.id,
            "state": order.state.word(),
            "purchase_id": order.purchase_id,
        });
        let subject = format!("member/{member_id}");
        self.member_event(member_id, EventKind::OrderChanged, subject, data);
    }
}

/// Yen of some pieces of a line; what is left over by the division is theirs.
fn yen_of(line: &ReceiptLine, pieces: u32) -> i64 {
    let others = i64::from(line.quantity.saturating_sub(pieces));
    let yen = share(line.amount.get(), others, i64::from(line.quantity));
    line.amount.get().saturating_sub(yen)
}

/// The product of `over` divided by that of `under`, rounded up; none where one divides by zero.
fn rounded_up(over: [i64; 3], under: [i64; 2]) -> Option<Points> {
    // Amounts end at 10^12, so that the product of three of them fits.
    let product = |factors: &[i64]| {
        let mut factors = factors.iter().map(|factor| i128::from(*factor));
        factors.try_fold(1_i128, i128::checked_mul)
    };
    let (over, under) = (product(&over)?, product(&under)?);
    let rounded = over
        .checked_add(under.checked_sub(1)?)?
        .checked_div(under)?;
    Points::new(i64::try_from(rounded).ok()?).ok()
}

/// Whether two receipts sell the same.
fn same_goods(one: &Receipt, other: &Receipt) -> bool {
    one.lines == other.lines && one.total == other.total && one.tax == other.tax
}

/// Whether two descriptions call their lines the same and are paid with the same points. Shipments and
/// refunds are told by the lines' names.
fn same_terms(one: &PlacedOrder, other: &PlacedOrder) -> bool {
    let names = |placed: &PlacedOrder| -> Vec<_> {
        let lines = placed.lines.iter();
        lines.map(|line| line.line_id.clone()).collect()
    };
    one.redemption == other.redemption && names(one) == names(other)
}

fn state_of(order: &Order) -> OrderState {
    let facts = &order.facts;
    let Some(Described { placed, .. }) = &facts.described else {
        return OrderState::Announced;
    };
    if facts.cancelled {
        return OrderState::Cancelled;
    }
    if order.member_id.is_none() {
        return OrderState::Anonymous;
    }
    let returned = facts.returned(placed);
    let kept = |line_no: u32, quantity: u32| {
        quantity.saturating_sub(returned.get(&line_no).copied().unwrap_or(0))
    };
    // Where a platform names no lines, goods came back once as many yen did.
    let flat = i64::from(returned.get(&NO_LINE).copied().unwrap_or(0));
    let (mut yen_kept, mut any_kept, mut all_gone) = (0_i64, false, true);
    for (line_no, line) in numbered(placed) {
        let left = kept(line_no, line.quantity);
        any_kept |= left > 0;
        all_gone &= facts.shipped_of(line) >= left;
        let (left, quantity) = (i64::from(left), i64::from(line.quantity));
        yen_kept = yen_kept.saturating_add(share(line.amount.get(), left, quantity));
    }
    let any_kept = any_kept && (flat == 0 || flat < yen_kept);
    match (any_kept, facts.any_shipped()) {
        (false, _) => OrderState::Returned,
        (true, true) if all_gone => OrderState::Shipped,
        (true, true) => OrderState::PartlyShipped,
        (true, false) if facts.paid => OrderState::Paid,
        (true, false) => OrderState::Placed,
    }
}
