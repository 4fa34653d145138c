//! The records of one person, once they are merged.
//!
//! A merge moves nothing. It links two records; from then on a decision about one of them is a decision
//! about all: they are locked together, their points are one balance, and any of their cards and orders
//! works as before. Every row stays with the record it was made under, so histories stay true and a merge
//! can be undone.
//!
//! Points are pooled when a basket needs them. What a basket of one record takes from a lot of another
//! goes through [`Account::ProgrammeClearing`] into a lot of its own that names its lender; holds,
//! purchases and refunds know only lots of their own record. What comes free in such a lot goes back to
//! its lender in the same decision, whether or not the two are still merged. So a lot with a lender never
//! has available points once a decision is made.

use std::collections::BTreeSet;

use jiff::civil::Date;
use pos_protocol::{LotId, MemberId, MemberView, Points};
use serde_json::json;

use crate::{
    account::{Account, Motive},
    decision::Broken,
    event::EventKind,
    lot::{Lender, Lot, LotKey, Part},
    member::Member,
    posting::{Posting, Slip},
};

/// Records of one person, at most.
pub const RECORDS_PER_PERSON_MAX: usize = 32;

impl Posting<'_> {
    /// The record that all others of the person were merged into.
    pub(crate) fn root(&self, member_id: MemberId) -> MemberId {
        let mut root = member_id;
        for _ in 0..RECORDS_PER_PERSON_MAX {
            match self.member(root).and_then(|member| member.merged_into) {
                Some(into) => root = into,
                None => break,
            }
        }
        root
    }

    /// All records of the person: this one first, the others in order of their ids.
    pub(crate) fn family(&self, member_id: MemberId) -> Vec<MemberId> {
        let alone = |member: &Member| member.merged_into.is_none() && member.merged.is_empty();
        if self.member(member_id).is_none_or(alone) {
            return vec![member_id];
        }
        let mut known = BTreeSet::from([member_id]);
        let mut next = vec![member_id];
        while let Some(id) = next.pop() {
            let linked = self.member(id).into_iter().flat_map(Member::linked);
            next.extend(linked.filter(|id| known.insert(*id)));
        }
        known.remove(&member_id);
        std::iter::once(member_id).chain(known).collect()
    }

    /// The sum of a balance over all records of the person.
    pub(crate) fn total(&self, member_id: MemberId, of: impl Fn(&Member) -> Points) -> Points {
        let family = self.family(member_id).into_iter();
        Points::total(family.filter_map(|id| self.member(id)).map(of))
    }

    /// What a cashier sees of the person.
    pub(crate) fn view(&self, member_id: MemberId) -> Option<MemberView> {
        self.member(self.root(member_id)).map(Member::view)
    }

    /// Open authorizations of all records of the person.
    pub(crate) fn total_holds(&self, member_id: MemberId) -> u32 {
        let family = self.family(member_id).into_iter();
        let open = family
            .filter_map(|id| self.member(id))
            .map(|member| member.open_holds);
        open.fold(0, u32::saturating_add)
    }

    /// The day of the person's newest purchase.
    pub(crate) fn last_activity(&self, member_id: MemberId) -> Option<Date> {
        let family = self.family(member_id).into_iter();
        family
            .filter_map(|id| self.member(id)?.last_activity_on)
            .max()
    }

    /// The loaded lots of all records of the person.
    pub(crate) fn pool(&self, member_id: MemberId) -> Vec<&Lot> {
        let family = self.family(member_id).into_iter();
        family.flat_map(|id| self.lots_of(id)).collect()
    }

    /// Brings the parts that lie in lots of the person's other records into lots of this one; says where
    /// all of them are then, in the same order.
    pub(crate) fn gather(&mut self, slip: &Slip, parts: Vec<Part>) -> Result<Vec<Part>, Broken> {
        let own =
            |part: &Part, posting: &Self| posting.lot((slip.member_id, part.lot_id)).is_some();
        let mut gathered = Vec::with_capacity(parts.len());
        for part in parts {
            gathered.push(if own(&part, self) {
                part
            } else {
                self.borrow(slip, part)?
            });
        }
        Ok(gathered)
    }

    fn borrow(&mut self, slip: &Slip, part: Part) -> Result<Part, Broken> {
        let (borrower, points) = (slip.member_id, part.points);
        let mut others = self.family(borrower).into_iter();
        let lender = others.find(|id| self.lot((*id, part.lot_id)).is_some());
        let lender = lender.ok_or(Broken("a part lies in no lot of the person"))?;
        let lent = self.lot((lender, part.lot_id)).cloned();
        let lent = lent.ok_or(Broken("a part lies in no loaded lot"))?;
        let (member_id, lot_id) = (lender, lent.id);
        let key = LotKey {
            lender: Some(Lender { member_id, lot_id }),
            ..lent.key
        };
        let own = self.lot_for(borrower, key, &format!("lot:{lot_id}"));
        let motive = Motive::Pooling;
        self.clear(slip, motive, (lender, lot_id), (borrower, own), points)?;
        let data = json!({
            "member_id": lender,
            "to_member_id": borrower,
            "lot_id": lot_id,
            "points": points,
        });
        self.member_event(
            lender,
            EventKind::PointsPooled,
            format!("lot/{lot_id}"),
            data,
        );
        Ok(Part {
            lot_id: own,
            points,
        })
    }

    /// Sends available points of lots with a lender back to where they came from.
    pub(crate) fn send_home(&mut self, member_id: MemberId) -> Result<(), Broken> {
        let free = |lot: &&Lot| lot.key.lender.is_some() && !lot.available.is_zero();
        let lots: Vec<Lot> = self
            .lots_of(member_id)
            .into_iter()
            .filter(free)
            .cloned()
            .collect();
        for lot in lots {
            let (lender, _) = self.return_part(member_id, lot.id, lot.available)?;
            // A lender that was parted meanwhile may not be asked about again for long.
            self.expire_lots(lender)?;
        }
        Ok(())
    }

    /// Returns points of one lot to its lender, if it has one; says whose lot they lie in then.
    pub(crate) fn return_part(
        &mut self,
        member_id: MemberId,
        lot_id: LotId,
        points: Points,
    ) -> Result<(MemberId, LotId), Broken> {
        let lender = self.lot((member_id, lot_id)).and_then(|lot| lot.key.lender);
        let Some(lender) = lender else {
            return Ok((member_id, lot_id));
        };
        let home = (lender.member_id, lender.lot_id);
        let slip = self.programme_slip(member_id, Motive::PoolingReturn, lot_id.as_uuid());
        self.clear(
            &slip,
            Motive::PoolingReturn,
            (member_id, lot_id),
            home,
            points,
        )?;
        let data = json!({
            "member_id": lender.member_id,
            "from_member_id": member_id,
            "lot_id": lender.lot_id,
            "points": points,
        });
        let subject = format!("lot/{}", lender.lot_id);
        self.member_event(lender.member_id, EventKind::PointsReturned, subject, data);
        Ok(home)
    }

    /// Moves available points from a lot of one record to a lot of another, by two transfers.
    fn clear(
        &mut self,
        slip: &Slip,
        motive: Motive,
        (from, from_lot): (MemberId, LotId),
        (to, to_lot): (MemberId, LotId),
        points: Points,
    ) -> Result<(), Broken> {
        let (available, clearing) = (Account::MemberAvailable, Account::ProgrammeClearing);
        let of = |member_id| Slip {
            member_id,
            motive,
            ..slip.clone()
        };
        self.transfer(&of(from), available, clearing, Some(from_lot), points)?;
        self.transfer(&of(to), clearing, available, Some(to_lot), points)
    }

    /// Pays what the person owes from points just granted into `lot_id`: this record's debt first, then
    /// that of the others.
    pub(crate) fn pay_debt(
        &mut self,
        member_id: MemberId,
        lot_id: LotId,
        granted: Points,
    ) -> Result<(), Broken> {
        let mut left = granted;
        for debtor in self.family(member_id) {
            let owed = self
                .member(debtor)
                .map_or(Points::ZERO, |member| member.owed);
            let paid = owed.min(left);
            if paid.is_zero() {
                continue;
            }
            left = left.saturating_sub(paid);
            let slip = self.programme_slip(member_id, Motive::DebtSettlement, lot_id.as_uuid());
            let (available, clearing) = (Account::MemberAvailable, Account::ProgrammeClearing);
            if debtor == member_id {
                self.transfer(&slip, available, Account::MemberOwed, Some(lot_id), paid)?;
                continue;
            }
            self.transfer(&slip, available, clearing, Some(lot_id), paid)?;
            let slip = Slip {
                member_id: debtor,
                ..slip
            };
            self.transfer(&slip, clearing, Account::MemberOwed, None, paid)?;
            let data = json!({ "member_id": debtor, "by_member_id": member_id, "points": paid });
            let subject = format!("member/{debtor}");
            self.member_event(debtor, EventKind::DebtSettled, subject, data);
        }
        Ok(())
    }
}
