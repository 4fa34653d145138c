//! Reads beside the write path.

use std::collections::BTreeSet;

use acceptance::{databases::Database, on_each_database};
use gateway::store::{EventFilter, Span, Store};
use ledger::{
    account::{Account, Motive},
    event::EventKind,
    lot::LotExpiry,
    member::Member,
    records::{HoldState, RequestKind},
    state::Changes,
};
use pos_protocol::{AuthorizationId, EventId, PurchaseId, TransferId};

use crate::samples::*;

on_each_database!(
    single_records_are_found_by_their_names,
    owners_are_found,
    a_member_comes_with_open_lots_and_cards,
    history_runs_backwards_without_holds,
    events_are_read_per_member_and_by_filter,
    members_are_due_when_time_has_brought_something,
    the_outbox_tells_its_length_and_age,
    pages_give_every_record_once,
    spans_of_members_leave_nobody_out,
    transfers_add_up_by_lot_and_by_account,
    a_snapshot_does_not_see_what_is_written_later,
);

async fn single_records_are_found_by_their_names(database: Database) {
    let store = seeded(&database).await;
    store.ping().await.unwrap();
    let changes = Changes {
        cards: made([card(1, member_id(1))], |row| row.id),
        requests: vec![request("a", RequestKind::Inquiry, None)],
        ..with_members([member(1)])
    };
    commit(&store, &changes).await;
    let both = BTreeSet::from([card_id(1), card_id(2)]);
    assert_eq!(
        store.cards(&both).await.unwrap(),
        [card(1, member_id(1))],
        "those there are"
    );
    assert_eq!(store.cards(&BTreeSet::new()).await.unwrap(), []);
    let till = terminal("till-1");
    let found = store.request(&till, &request_id("a")).await.unwrap();
    assert_eq!(found.as_ref(), changes.requests.first());
    assert_eq!(store.request(&till, &request_id("A")).await.unwrap(), None);
    assert_eq!(
        store
            .request(&terminal("till-2"), &request_id("a"))
            .await
            .unwrap(),
        None
    );
    let found = store.member_by_no(&member(1).number).await.unwrap();
    assert_eq!(found, Some(member(1)));
    assert_eq!(store.member_by_no(&member(2).number).await.unwrap(), None);
}

async fn owners_are_found(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let changes = Changes {
        short_codes: made([short_code(1, one)], |row| row.hash),
        authorizations: made([authorization(21, one, &[])], |row| row.id),
        purchases: made([purchase(31, one, "2026-11-22")], |row| row.id),
        requests: vec![request("a", RequestKind::Inquiry, None), tombstone("b")],
        ..Changes::default()
    };
    commit(&store, &changes).await;
    let till = terminal("till-1");
    let hold = |number| AuthorizationId::new(uuid(number));
    let sale = |number| PurchaseId::new(uuid(number));
    assert_eq!(
        store.authorization_owner(hold(21)).await.unwrap(),
        Some(one)
    );
    assert_eq!(store.authorization_owner(hold(22)).await.unwrap(), None);
    assert_eq!(store.purchase_owner(sale(31)).await.unwrap(), Some(one));
    assert_eq!(store.purchase_owner(sale(32)).await.unwrap(), None);
    assert_eq!(store.short_code_owner(&[1; 32]).await.unwrap(), Some(one));
    assert_eq!(store.short_code_owner(&[2; 32]).await.unwrap(), None);
    assert_eq!(
        store.request_owner(&till, &request_id("a")).await.unwrap(),
        Some(one)
    );
    assert_eq!(
        store.request_owner(&till, &request_id("b")).await.unwrap(),
        None
    );
    assert_eq!(
        store.request_owner(&till, &request_id("c")).await.unwrap(),
        None
    );
}

async fn a_member_comes_with_open_lots_and_cards(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let mut older = revoked(card(9, one));
    older.enrolled_at = time(0);
    let changes = Changes {
        cards: made(
            [card(1, one), older.clone(), card(3, member_id(2))],
            |row| row.id,
        ),
        lots: made(
            [lot(11, one, 0), lot(12, one, 5), lot(13, member_id(2), 5)],
            |row| (row.member_id, row.id),
        ),
        ..with_members([member(1), member(2)])
    };
    commit(&store, &changes).await;
    let record = store.member(one).await.unwrap().unwrap();
    assert_eq!(record.member, member(1));
    assert_eq!(record.lots, [lot(12, one, 5)]);
    assert_eq!(record.cards, [older, card(1, one)]);
    assert_eq!(store.member(member_id(3)).await.unwrap(), None);
}

async fn history_runs_backwards_without_holds(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let moved = [
        (61, Motive::Accrual),
        (62, Motive::Hold),
        (63, Motive::Release),
        (64, Motive::Capture),
        (65, Motive::Expiry),
    ];
    let mut transfers: Vec<_> = moved
        .map(|(number, motive)| transfer(number, one, Some(11), motive))
        .into();
    transfers.push(transfer(66, member_id(2), None, Motive::Accrual));
    commit(
        &store,
        &Changes {
            transfers,
            ..Changes::default()
        },
    )
    .await;
    let numbers = async |before: Option<u128>, limit| {
        let before = before.map(|number| TransferId::new(uuid(number)));
        let found = store.history(one, before, limit).await.unwrap();
        found
            .iter()
            .map(|row| row.id.as_uuid().as_u128() & 0xFF)
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(None, 10).await, [65, 64, 61]);
    assert_eq!(numbers(None, 2).await, [65, 64]);
    assert_eq!(numbers(Some(64), 2).await, [61]);
    let newest = store.history(one, None, 1).await.unwrap();
    assert_eq!(newest, [transfer(65, one, Some(11), Motive::Expiry)]);
}

fn numbers(events: &[gateway::store::StoredEvent]) -> Vec<u128> {
    events
        .iter()
        .map(|event| event.id.as_uuid().as_u128() & 0xFF)
        .collect()
}

async fn events_are_read_per_member_and_by_filter(database: Database) {
    let store = seeded(&database).await;
    let (one, two) = (member_id(1), member_id(2));
    let mut first = member(1);
    first.event_sequence = 3;
    let changes = Changes {
        events: vec![
            event(71, one, 1, EventKind::CardEnrolled),
            event(72, two, 1, EventKind::CardEnrolled),
            event(73, one, 2, EventKind::PurchaseCompleted),
            event(74, one, 3, EventKind::PurchaseRefunded),
            news(75),
        ],
        ..with_members([first, member(2)])
    };
    commit(&store, &changes).await;
    let sequences = store
        .event_sequences(&[one, two, member_id(3)])
        .await
        .unwrap();
    let sequences: std::collections::BTreeMap<_, _> = sequences.into_iter().collect();
    assert_eq!(sequences, [(one, 3), (two, 0)].into());
    assert_eq!(store.event_sequences(&[]).await.unwrap(), []);

    assert_eq!(
        numbers(&store.events_after(one, 0, 10).await.unwrap()),
        [71, 73, 74]
    );
    assert_eq!(numbers(&store.events_after(one, 1, 1).await.unwrap()), [73]);

    let read =
        async |filter: EventFilter, limit| numbers(&store.events(&filter, limit).await.unwrap());
    let all = EventFilter::default();
    assert_eq!(read(all.clone(), 10).await, [71, 72, 73, 74, 75]);
    assert_eq!(read(all.clone(), 2).await, [71, 72]);
    let after = Some(EventId::new(uuid(73)));
    assert_eq!(
        read(
            EventFilter {
                after,
                ..all.clone()
            },
            10
        )
        .await,
        [74, 75]
    );
    let kind_prefix = "purchase.".to_owned();
    let purchases = EventFilter {
        kind_prefix,
        ..all.clone()
    };
    assert_eq!(read(purchases.clone(), 10).await, [73, 74]);
    let since = Some(time(74));
    let later = EventFilter {
        since,
        ..purchases.clone()
    };
    assert_eq!(read(later, 10).await, [74]);
    let earlier = EventFilter {
        until: since,
        ..purchases
    };
    assert_eq!(read(earlier.clone(), 10).await, [73]);
    let newest =
        async |filter: EventFilter| numbers(&store.newest_events(&filter, 1).await.unwrap());
    assert_eq!(newest(earlier.clone()).await, [73]);
    let member_id = Some(one);
    let of_one = EventFilter {
        member_id,
        ..earlier
    };
    assert_eq!(newest(of_one).await, [73]);
    let member_id = Some(two);
    assert_eq!(
        read(
            EventFilter {
                member_id,
                ..all.clone()
            },
            10
        )
        .await,
        [72]
    );
    // A pattern is no prefix.
    let kind_prefix = "%".to_owned();
    assert_eq!(read(EventFilter { kind_prefix, ..all }, 10).await, []);
}

async fn members_are_due_when_time_has_brought_something(database: Database) {
    let store = seeded(&database).await;
    let id = member_id;
    let today = day("2026-11-22");
    let mut settled = authorization(23, id(3), &[]);
    (settled.state, settled.resolved_at) = (HoldState::Voided, Some(time(0)));
    let mut later = authorization(22, id(2), &[]);
    later.expires_at = time(9);
    let mut emptied = pending(46, id(6), Some(today));
    emptied.points = points(0);
    let dated = |number, owner, last: Option<&str>, available| {
        let mut lot = lot(number, owner, available);
        lot.key.expires_on = last.map(day);
        lot.key.expiry = if last.is_some() {
            LotExpiry::Fixed
        } else {
            LotExpiry::Never
        };
        lot
    };
    let mut held_only = dated(59, id(19), Some("2026-11-21"), 0);
    held_only.held = points(1);
    let changes = Changes {
        authorizations: made([authorization(21, id(1), &[]), later, settled], |row| {
            row.id
        }),
        pending: made(
            [
                pending(44, id(4), Some(today)),
                pending(45, id(5), Some(day("2026-11-23"))),
                emptied,
                pending(47, id(7), None),
                pending(48, id(1), Some(today)),
            ],
            |row| (row.member_id, row.id),
        ),
        lots: made(
            [
                dated(51, id(8), Some("2026-11-21"), 1),
                dated(52, id(9), Some("2026-11-22"), 1),
                dated(53, id(10), Some("2026-11-21"), 0),
                dated(54, id(11), None, 1),
                held_only,
            ],
            |row| (row.member_id, row.id),
        ),
        ..Changes::default()
    };
    commit(&store, &changes).await;
    let due = store.members_due(time(8), today, 10).await.unwrap();
    assert_eq!(due, [id(1), id(4), id(8)]);
    assert_eq!(store.members_due(time(8), today, 2).await.unwrap().len(), 2);
    let due = store
        .members_due(time(7), day("2026-11-21"), 10)
        .await
        .unwrap();
    assert_eq!(due, []);
}

async fn the_outbox_tells_its_length_and_age(database: Database) {
    let store = seeded(&database).await;
    let empty = store.outbox_status().await.unwrap();
    assert_eq!((empty.waiting, empty.oldest), (0, None));
    let events = vec![
        event(72, member_id(1), 2, EventKind::CardRevoked),
        event(71, member_id(1), 1, EventKind::CardEnrolled),
        news(73),
    ];
    commit(
        &store,
        &Changes {
            events,
            ..Changes::default()
        },
    )
    .await;
    let status = store.outbox_status().await.unwrap();
    assert_eq!((status.waiting, status.oldest), (3, Some(time(71))));
    let mut snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.outbox_orphans(10).await.unwrap(), []);
    snapshot.end().await.unwrap();
}

async fn pages_give_every_record_once(database: Database) {
    let store = seeded(&database).await;
    let changes = Changes {
        requests: ["a", "b", "c", "d", "e"]
            .map(|name| request(name, RequestKind::Void, None))
            .into(),
        ..with_members((1..=5).map(member))
    };
    commit(&store, &changes).await;
    let mut snapshot = store.snapshot().await.unwrap();
    let mut names = Vec::new();
    let mut last = None;
    loop {
        let page = snapshot
            .page::<ledger::records::StoredRequest>(last.as_ref(), 2)
            .await
            .unwrap();
        names.extend(page.iter().map(|row| row.request_id.to_string()));
        if page.len() < 2 {
            break;
        }
        last = page.into_iter().next_back();
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    let page = snapshot.page::<Member>(Some(&member(3)), 10).await.unwrap();
    assert_eq!(page, [member(4), member(5)]);
    snapshot.end().await.unwrap();
}

async fn lots_in(store: &Store, span: Span) -> Vec<u128> {
    let mut snapshot = store.snapshot().await.unwrap();
    let lots = snapshot.lots(span).await.unwrap();
    snapshot.end().await.unwrap();
    lots.iter()
        .map(|lot| lot.id.as_uuid().as_u128() & 0xFF)
        .collect()
}

async fn spans_of_members_leave_nobody_out(database: Database) {
    let store = seeded(&database).await;
    // The members 2, 4 and 9 have no row of their own.
    let owners = [(11, 1), (12, 2), (13, 3), (14, 4), (15, 5), (19, 9)];
    let lots = owners.map(|(number, owner)| lot(number, member_id(owner), 5));
    let changes = Changes {
        lots: made(lots, |row| (row.member_id, row.id)),
        ..with_members([member(1), member(3), member(5)])
    };
    commit(&store, &changes).await;
    let to = |number| Some(member_id(number));
    let span = |after, through| Span { after, through };
    assert_eq!(lots_in(&store, span(None, to(3))).await, [11, 12, 13]);
    assert_eq!(lots_in(&store, span(to(3), to(5))).await, [14, 15]);
    assert_eq!(lots_in(&store, span(to(5), None)).await, [19]);
    assert_eq!(lots_in(&store, Span::default()).await.len(), 6);
}

async fn transfers_add_up_by_lot_and_by_account(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let mut spent = transfer(62, one, Some(11), Motive::Hold);
    (spent.debit, spent.credit) = (Account::MemberAvailable, Account::MemberHeld);
    spent.points = points(30);
    let mut owed = transfer(63, one, None, Motive::Clawback);
    (owed.debit, owed.credit) = (Account::MemberOwed, Account::ProgrammeIssued);
    let transfers = vec![
        transfer(61, one, Some(11), Motive::Accrual),
        spent.clone(),
        owed.clone(),
        transfer(64, member_id(2), Some(12), Motive::Accrual),
    ];
    let events = vec![
        event(72, one, 2, EventKind::CardRevoked),
        event(71, one, 1, EventKind::CardEnrolled),
        news(73),
    ];
    commit(
        &store,
        &Changes {
            transfers,
            events,
            ..Changes::default()
        },
    )
    .await;
    let mut snapshot = store.snapshot().await.unwrap();
    let span = Span {
        after: None,
        through: Some(one),
    };
    let balances = snapshot.lot_balances(span).await.unwrap();
    let mut found: Vec<_> = balances
        .iter()
        .map(|row| {
            (
                row.lot_id.map(|lot| lot.as_uuid().as_u128() & 0xFF),
                row.account,
                row.points,
            )
        })
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            (None, Account::MemberOwed, -100),
            (None, Account::ProgrammeIssued, 100),
            (Some(11), Account::MemberAvailable, 70),
            (Some(11), Account::MemberHeld, 30),
            (Some(11), Account::ProgrammeIssued, -100),
        ]
    );
    let mut accounts = snapshot.account_balances().await.unwrap();
    accounts.sort_unstable();
    assert_eq!(
        accounts,
        [
            (Account::MemberAvailable, 170),
            (Account::MemberHeld, 30),
            (Account::MemberOwed, -100),
            (Account::ProgrammeIssued, -100),
        ]
    );
    let mut moved: Vec<_> = snapshot.transfers(span).await.unwrap();
    assert_eq!(moved.len(), 3);
    assert_eq!(moved.pop(), Some(owed));
    assert_eq!(numbers(&snapshot.events(span).await.unwrap()), [71, 72]);
    snapshot.end().await.unwrap();
}

async fn a_snapshot_does_not_see_what_is_written_later(database: Database) {
    let store = seeded(&database).await;
    let sale = purchase(31, member_id(1), "2026-11-22");
    let given_back = refund(41, &sale, "2026-11-23");
    let changes = Changes {
        purchases: made([sale], |row| row.id),
        refunds: vec![given_back.clone()],
        authorizations: made([authorization(21, member_id(1), &[])], |row| row.id),
        pending: made([pending(44, member_id(1), None)], |row| {
            (row.member_id, row.id)
        }),
        ..with_members([member(1)])
    };
    commit(&store, &changes).await;
    let mut snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.page::<Member>(None, 10).await.unwrap().len(), 1);
    let more = Changes {
        lots: made([lot(12, member_id(2), 5)], |row| (row.member_id, row.id)),
        ..with_members([member(2)])
    };
    commit(&store, &more).await;
    assert_eq!(snapshot.page::<Member>(None, 10).await.unwrap().len(), 1);
    assert_eq!(snapshot.lots(Span::default()).await.unwrap(), []);
    let sales = snapshot.page(None, 10).await.unwrap();
    assert_eq!(snapshot.refunds_of(&sales).await.unwrap(), [given_back]);
    let holds = snapshot.held_authorizations(Span::default()).await.unwrap();
    let ids: Vec<_> = holds.iter().map(|hold| hold.id).collect();
    assert_eq!(snapshot.authorizations(&ids).await.unwrap(), holds);
    assert_eq!(snapshot.pending(Span::default()).await.unwrap().len(), 1);
    snapshot.end().await.unwrap();
    assert_eq!(lots_in(&store, Span::default()).await, [12]);
}
