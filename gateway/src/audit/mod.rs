//! The audit: rechecks a whole database, one member after the other, while gateways run.
//!
//! Everything is read in one snapshot ([`Store::long_snapshot`]), so what is being written meanwhile is
//! seen whole or not at all. Tables are read side by side in the order of their members; memory holds
//! one member's rows and a page of each table. Nothing is repaired: repair is by new entries, and a
//! row that breaks an invariant is evidence.
//!
//! [`CHECKS`] are pure and look at one member; `wide` is what only the whole database can show.

mod checks;
mod families;
mod rows;
mod tally;
mod wide;

pub use checks::{CHECKS, Check};
pub use rows::MemberRows;
pub use tally::{Finding, Tally};

use ledger::{
    account::Transfer,
    card_use::{CardUse, ShortCode},
    identity::Identity,
    lot::{Lot, Pending},
    member::{Card, Member},
    order::Order,
    profile::Profile,
    records::{Authorization, Purchase, Refund, StoredRequest},
};

use crate::store::{ByMember, EventHead, OfMember, Snapshot, Store, StoreError, Unreadable};
use wide::Wide;

/// How far an audit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Members checked.
    pub members_done: u64,
    /// Members there are.
    pub members: u64,
}

/// One line of a report.
#[derive(Debug, Clone)]
pub struct Line {
    /// The invariant.
    pub invariant: &'static str,
    /// The check's short name.
    pub name: &'static str,
    /// The sentence that has to be true.
    pub says: &'static str,
    /// What was counted.
    pub tally: Tally,
}

/// What an audit found.
#[derive(Debug, Clone)]
pub struct Report {
    /// Members checked.
    pub members: u64,
    /// Transfers replayed.
    pub transfers: u64,
    /// Every check that was made.
    pub lines: Vec<Line>,
    /// The first row that breaks an invariant, with the name of the check.
    pub first: Option<(&'static str, Finding)>,
}

impl Report {
    /// Whether nothing is broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lines.iter().all(|line| line.tally.broken == 0)
    }
}

/// Rechecks everything; `progress` is called after every member.
///
/// # Errors
/// [`StoreError`] if the database cannot be read. A row that makes no sense is a finding, no error.
pub async fn run(store: &Store, mut progress: impl FnMut(Progress)) -> Result<Report, StoreError> {
    let mut snapshot = store.long_snapshot().await?;
    let members = snapshot.members_count().await?;
    let mut feeds = Feeds::begin(&mut snapshot).await?;
    let mut audit = Audit::new();
    let mut members_done = 0;
    while let Some(rows) = feeds.member(&mut snapshot, &mut audit.wide).await? {
        audit.member(&rows);
        members_done += 1;
        progress(Progress {
            members_done,
            members,
        });
    }
    feeds.rest(&mut snapshot, &mut audit.wide).await?;
    audit.wide.finish(&mut snapshot).await?;
    snapshot.end().await?;
    Ok(audit.report(members_done))
}

/// The tallies in the making.
struct Audit {
    tallies: Vec<Tally>,
    first: Option<(&'static str, Finding)>,
    wide: Wide,
}

impl Audit {
    fn new() -> Self {
        Self {
            tallies: CHECKS.iter().map(|_| Tally::default()).collect(),
            first: None,
            wide: Wide::default(),
        }
    }

    fn member(&mut self, rows: &MemberRows) {
        if self.first.is_none() {
            self.first = self.wide.first();
        }
        self.wide.count(rows);
        for (check, tally) in CHECKS.iter().zip(&mut self.tallies) {
            (check.run)(rows, tally);
            if self.first.is_none()
                && let Some(finding) = tally.findings.first()
            {
                self.first = Some((check.name, finding.clone()));
            }
        }
    }

    fn report(self, members: u64) -> Report {
        let transfers = self.wide.transfers;
        let first = self.first.or_else(|| self.wide.first());
        let of_members = CHECKS.iter().zip(self.tallies).map(|(check, tally)| Line {
            invariant: check.invariant,
            name: check.name,
            says: check.says,
            tally,
        });
        let mut lines: Vec<_> = of_members.chain(self.wide.lines()).collect();
        lines.sort_by_key(|line| (line.invariant.len(), line.invariant));
        Report {
            members,
            transfers,
            lines,
            first,
        }
    }
}

/// Every table that belongs to members, read side by side.
struct Feeds {
    members: ByMember<Member>,
    cards: ByMember<Card>,
    lots: ByMember<Lot>,
    pending: ByMember<Pending>,
    transfers: ByMember<Transfer>,
    authorizations: ByMember<Authorization>,
    purchases: ByMember<Purchase>,
    refunds: ByMember<Refund>,
    requests: ByMember<StoredRequest>,
    card_uses: ByMember<CardUse>,
    short_codes: ByMember<ShortCode>,
    identities: ByMember<Identity>,
    orders: ByMember<Order>,
    profiles: ByMember<Profile>,
    events: ByMember<EventHead>,
}

impl Feeds {
    async fn begin(snapshot: &mut Snapshot) -> Result<Self, StoreError> {
        Ok(Self {
            members: snapshot.by_member().await?,
            cards: snapshot.by_member().await?,
            lots: snapshot.by_member().await?,
            pending: snapshot.by_member().await?,
            transfers: snapshot.by_member().await?,
            authorizations: snapshot.by_member().await?,
            purchases: snapshot.by_member().await?,
            refunds: snapshot.by_member().await?,
            requests: snapshot.by_member().await?,
            card_uses: snapshot.by_member().await?,
            short_codes: snapshot.by_member().await?,
            identities: snapshot.by_member().await?,
            orders: snapshot.by_member().await?,
            profiles: snapshot.by_member().await?,
            events: snapshot.by_member().await?,
        })
    }

    /// The next member with everything that is the member's.
    async fn member(
        &mut self,
        snapshot: &mut Snapshot,
        wide: &mut Wide,
    ) -> Result<Option<MemberRows>, StoreError> {
        let Some(member) = self.members.next(snapshot).await? else {
            wide.unreadable(&mut self.members.unreadable);
            return Ok(None);
        };
        wide.unreadable(&mut self.members.unreadable);
        let id = member.id;
        let mut take = Take { snapshot, wide };
        Ok(Some(MemberRows {
            cards: take.of(&mut self.cards, id).await?,
            lots: take.of(&mut self.lots, id).await?,
            pending: take.of(&mut self.pending, id).await?,
            transfers: take.of(&mut self.transfers, id).await?,
            authorizations: take.of(&mut self.authorizations, id).await?,
            purchases: take.of(&mut self.purchases, id).await?,
            refunds: take.of(&mut self.refunds, id).await?,
            requests: take.of(&mut self.requests, id).await?,
            card_uses: take.of(&mut self.card_uses, id).await?,
            short_codes: take.of(&mut self.short_codes, id).await?,
            identities: take.of(&mut self.identities, id).await?,
            orders: take.of(&mut self.orders, id).await?,
            profiles: take.of(&mut self.profiles, id).await?,
            events: take.of(&mut self.events, id).await?,
            member,
        }))
    }

    /// What is left when there are no more members belongs to none.
    async fn rest(&mut self, snapshot: &mut Snapshot, wide: &mut Wide) -> Result<(), StoreError> {
        let mut take = Take { snapshot, wide };
        take.rest(&mut self.cards).await?;
        take.rest(&mut self.lots).await?;
        take.rest(&mut self.pending).await?;
        take.rest(&mut self.transfers).await?;
        take.rest(&mut self.authorizations).await?;
        take.rest(&mut self.purchases).await?;
        take.rest(&mut self.refunds).await?;
        take.rest(&mut self.requests).await?;
        take.rest(&mut self.card_uses).await?;
        take.rest(&mut self.short_codes).await?;
        take.rest(&mut self.identities).await?;
        take.rest(&mut self.orders).await?;
        take.rest(&mut self.profiles).await?;
        take.rest(&mut self.events).await
    }
}

/// Takes rows, and tells the strays and the unreadable ones among them.
struct Take<'a> {
    snapshot: &'a mut Snapshot,
    wide: &'a mut Wide,
}

impl Take<'_> {
    async fn of<R: OfMember>(
        &mut self,
        feed: &mut ByMember<R>,
        member: pos_protocol::MemberId,
    ) -> Result<Vec<R>, StoreError> {
        let (own, strays) = feed.up_to(self.snapshot, member).await?;
        self.wide.belong(own.len());
        strays.iter().for_each(|row| self.wide.stray(row));
        self.wide.unreadable(&mut feed.unreadable);
        Ok(own)
    }

    async fn rest<R: OfMember>(&mut self, feed: &mut ByMember<R>) -> Result<(), StoreError> {
        while let Some(row) = feed.next(self.snapshot).await? {
            self.wide.stray(&row);
        }
        self.wide.unreadable(&mut feed.unreadable);
        Ok(())
    }
}
