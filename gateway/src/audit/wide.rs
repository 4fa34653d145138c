//! What only the whole database can show: sums over all members, rows that belong to nobody.

use std::collections::BTreeMap;

use ledger::{
    account::Account,
    records::{RequestKind, Settlement},
};

use super::{Finding, Line, MemberRows, Tally, Unreadable, checks::requests, families::Families};
use crate::store::{OfMember, Snapshot, StoreError};

/// Outbox rows and settlements read at once.
const PAGE_ROWS: u32 = 500;

/// The tallies that look at more than one member.
#[derive(Default)]
pub(super) struct Wide {
    readable: Tally,
    owned: Tally,
    sums: Tally,
    outbox: Tally,
    untold: Tally,
    stream: Tally,
    effects: Tally,
    answers: Tally,
    settled: Tally,
    /// Transfers of members.
    pub(super) transfers: u64,
    families: Families,
    lent: Tally,
    accounts: BTreeMap<Account, i128>,
    /// What members have, less what they owe.
    balances: i128,
}

impl Wide {
    /// Rows that belong to the member whose they say they are.
    pub(super) fn belong(&mut self, rows: usize) {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        self.owned.checked += rows;
        self.readable.checked += rows;
    }

    /// A row of a member who is not there.
    pub(super) fn stray<R: OfMember>(&mut self, row: &R) {
        self.owned.expect(false, R::table_name(), row.key(), || {
            format!("there is no member {}", row.owner())
        });
    }

    /// Rows that cannot be understood.
    pub(super) fn unreadable(&mut self, found: &mut Vec<Unreadable>) {
        for row in found.drain(..) {
            self.readable
                .expect(false, row.table, row.key, || row.why.clone());
        }
    }

    /// Adds a member to the sums.
    pub(super) fn count(&mut self, rows: &MemberRows) {
        self.belong(1);
        self.families.count(&rows.member);
        for transfer in &rows.transfers {
            self.transfers += 1;
            let points = i128::from(transfer.points.get());
            *self.accounts.entry(transfer.debit).or_default() -= points;
            *self.accounts.entry(transfer.credit).or_default() += points;
        }
        let member = &rows.member;
        for points in [member.available, member.held, member.pending] {
            self.balances += i128::from(points.get());
        }
        self.balances -= i128::from(member.owed.get());
    }

    /// Reads what no member leads to, and adds up.
    pub(super) async fn finish(&mut self, snapshot: &mut Snapshot) -> Result<(), StoreError> {
        let settlements_asked = self.loose_requests(snapshot).await?;
        self.settlements(snapshot, settlements_asked).await?;
        for event in snapshot.outbox_orphans(PAGE_ROWS).await? {
            self.outbox.expect(false, "outbox", event, || {
                "it waits to be sent, and its event is not there or says otherwise".into()
            });
        }
        self.outbox.checked += 1;
        self.stream(snapshot).await?;
        let stored = snapshot.account_balances().await?;
        self.add_up(&stored);
        self.families.finish();
        for lot in snapshot.lots_lent_by_nobody(PAGE_ROWS).await? {
            self.lent.expect(false, "lots", lot, || {
                "it was lent by a lot that is not there, or not another record's own".into()
            });
        }
        self.lent.checked += 1;
        Ok(())
    }

    /// The published stream: a place for every event that does not wait for one.
    async fn stream(&mut self, snapshot: &mut Snapshot) -> Result<(), StoreError> {
        for event in snapshot.untold_events(PAGE_ROWS).await? {
            self.untold.expect(false, "events", event, || {
                "it was never sent, and does not wait to be sent".into()
            });
        }
        self.untold.checked += 1;
        for place in snapshot.place_orphans(PAGE_ROWS).await? {
            self.stream.expect(false, "event_stream", place, || {
                "its event is not there, or is another member's".into()
            });
        }
        let after_gap = snapshot.place_out_of_line().await?;
        let key = after_gap.unwrap_or_default();
        self.stream
            .expect(after_gap.is_none(), "event_stream", key, || {
                "a place before it is missing".into()
            });
        Ok(())
    }

    fn add_up(&mut self, stored: &[(Account, i64)]) {
        for (account, sum) in stored {
            let walked = self.accounts.get(account).copied().unwrap_or_default();
            self.sums.same(
                ("accounts", account.word()),
                "the sum over all transfers",
                *sum,
                "the members' transfers",
                walked,
            );
        }
        let all: i128 = stored.iter().map(|(_, sum)| i128::from(*sum)).sum();
        self.sums
            .same(("accounts", "all"), "the sum", 0_i64, "they", all);
        let clearing = stored
            .iter()
            .find(|(account, _)| *account == Account::ProgrammeClearing);
        let under_way = clearing.map_or(0, |(_, sum)| i128::from(*sum));
        self.families.tally.same(
            ("accounts", Account::ProgrammeClearing.word()),
            "points under way between records of one person",
            0_i64,
            "all transfers",
            under_way,
        );
        let outside: i128 = stored
            .iter()
            .filter(|(account, _)| !is_member_account(*account))
            .map(|(_, sum)| i128::from(*sum))
            .sum();
        self.sums.same(
            ("accounts", "members"),
            "what all members have less what they owe",
            self.balances,
            "points issued, spent, lapsed and borne by stores",
            -outside,
        );
    }

    /// Requests that touched no member; returns how many settlements were asked for.
    async fn loose_requests(&mut self, snapshot: &mut Snapshot) -> Result<u64, StoreError> {
        let (mut settlements, mut after) = (0, (String::new(), String::new()));
        loop {
            let page = snapshot.loose_requests((&after.0, &after.1)).await?;
            if page.is_empty() {
                return Ok(settlements);
            }
            let mut unreadable = Vec::new();
            for row in page {
                let request = match row {
                    Ok(request) => request,
                    Err(row) => {
                        let (terminal, request) = row.key.split_once('/').unwrap_or_default();
                        after = (terminal.to_owned(), request.to_owned());
                        unreadable.push(row);
                        continue;
                    }
                };
                requests::request_effect(&request, &mut self.effects);
                requests::readable(&request, &mut self.answers);
                settlements +=
                    u64::from(request.kind == RequestKind::Settlement && request.effect.is_some());
                after = (
                    request.terminal_id.to_string(),
                    request.request_id.to_string(),
                );
            }
            self.unreadable(&mut unreadable);
        }
    }

    /// There are as many settlements as requests that made one.
    async fn settlements(&mut self, snapshot: &mut Snapshot, asked: u64) -> Result<(), StoreError> {
        let (mut count, mut last): (u64, Option<Settlement>) = (0, None);
        loop {
            let page: Vec<Settlement> = snapshot.page(last.as_ref(), PAGE_ROWS).await?;
            count += u64::try_from(page.len()).unwrap_or(u64::MAX);
            match page.into_iter().last() {
                Some(row) => last = Some(row),
                None => break,
            }
        }
        self.settled.same(
            ("settlements", "all"),
            "their number",
            count,
            "the requests that made one",
            asked,
        );
        Ok(())
    }

    fn named(&self) -> [(&'static str, &'static str, &'static str, &Tally); 11] {
        [
            (
                "I11",
                "rows.readable",
                "every row can be understood",
                &self.readable,
            ),
            (
                "I9",
                "rows.owned",
                "every row belongs to a member who is there",
                &self.owned,
            ),
            (
                "I1",
                "accounts.sums",
                "all accounts add up to zero, and members have what was issued and neither spent nor lapsed",
                &self.sums,
            ),
            (
                "I10",
                "families.linked",
                "merged records name each other, in no ring, and no points are under way between records",
                &self.families.tally,
            ),
            (
                "I10",
                "lots.lent",
                "points that a record borrowed come from a lot of another record",
                &self.lent,
            ),
            (
                "I7",
                "events.outbox",
                "every event that waits to be sent is in the log",
                &self.outbox,
            ),
            (
                "I7",
                "events.told",
                "every event waits to be sent or has its place in the stream",
                &self.untold,
            ),
            (
                "I7",
                "events.stream",
                "places in the stream count from 1 without a gap, and each is an event's",
                &self.stream,
            ),
            (
                "I4",
                "requests.loose_effects",
                "a request that touched no member made nothing but a settlement, and a tombstone nothing at all",
                &self.effects,
            ),
            (
                "I6",
                "requests.loose_answers",
                "every stored answer that names no member can be read",
                &self.answers,
            ),
            (
                "I4",
                "settlements.asked",
                "every settlement was asked for",
                &self.settled,
            ),
        ]
    }

    /// The first finding, in the order of the checks.
    pub(super) fn first(&self) -> Option<(&'static str, Finding)> {
        self.named().into_iter().find_map(|(_, name, _, tally)| {
            tally
                .findings
                .first()
                .map(|finding| (name, finding.clone()))
        })
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let line = |(invariant, name, says, tally): (_, _, _, &Tally)| Line {
            invariant,
            name,
            says,
            tally: tally.clone(),
        };
        self.named().into_iter().map(line).collect()
    }
}

fn is_member_account(account: Account) -> bool {
    matches!(
        account,
        Account::MemberAvailable
            | Account::MemberHeld
            | Account::MemberPending
            | Account::MemberOwed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_that_differ_are_found() {
        let mut wide = Wide::default();
        wide.accounts.insert(Account::ProgrammeIssued, -10);
        wide.accounts.insert(Account::MemberAvailable, 10);
        wide.balances = 10;
        let mut sound = [
            (Account::ProgrammeIssued, -10),
            (Account::MemberAvailable, 10),
        ];
        wide.add_up(&sound);
        assert_eq!(wide.sums.broken, 0);
        // A transfer of nobody.
        sound[1].1 = 11;
        wide.add_up(&sound);
        assert_eq!(wide.sums.broken, 2, "{:?}", wide.sums.findings);
        // A member who has what nobody issued.
        sound[1].1 = 10;
        wide.balances = 12;
        wide.add_up(&sound);
        assert_eq!(wide.sums.broken, 3, "{:?}", wide.sums.findings);
    }
}
