//! Rows in, rows out: what a batch writes is what the next one loads.

use std::collections::BTreeSet;

use acceptance::{databases::Database, on_each_database};
use gateway::store::{Paged, Store, StoreError, StoredEvent};
use ledger::{
    account::{Motive, Transfer},
    card_use::Till,
    command::{Ask, Command, Operation, PosCommand},
    event::EventKind,
    identity::{IdentityKey, Merge, MergeAct},
    keys::Keys,
    lot::LotExpiry,
    member::Member,
    records::{
        Authorization, HoldState, ProgrammeVersion, PurchaseState, Refund, RequestKind, Settlement,
    },
    state::{Changes, State},
};
use member_card::SpendLimit;
use pos_protocol::{AuthorizationId, CommandId, PurchaseId};

use crate::samples::*;

on_each_database!(
    every_record_comes_back_as_it_was,
    every_changing_column_changes,
    what_is_kept_of_a_person_changes_and_is_forgotten,
    a_key_that_is_taken_is_a_conflict_and_nothing_is_written,
    a_row_that_is_not_there_cannot_be_changed,
    any_number_of_rows_is_written_read_and_changed,
    a_row_that_breaks_a_constraint_is_refused,
    a_reversal_leads_to_all_that_it_undoes,
    a_closed_lot_is_loaded_only_by_name,
    a_hold_that_still_runs_is_loaded_only_where_it_counts,
    totals_count_one_terminal_and_one_day,
    without_a_programme_nothing_loads,
    a_new_programme_is_seen_by_the_next_batch,
);

/// Keys that name every record of `changes`.
fn keys_of(changes: &Changes) -> Keys {
    Keys {
        members: changes.members.keys().copied().collect(),
        cards: changes.cards.keys().copied().collect(),
        card_uses: changes.card_uses.keys().copied().collect(),
        short_codes: changes.short_codes.keys().copied().collect(),
        lots: changes.lots.keys().map(|key| key.1).collect(),
        authorizations: changes.authorizations.keys().copied().collect(),
        purchases: changes.purchases.keys().copied().collect(),
        requests: changes
            .requests
            .iter()
            .map(|row| (row.terminal_id.clone(), row.request_id.clone()))
            .collect(),
        identities: changes.identities.keys().copied().collect(),
        link_codes: changes.link_codes.keys().copied().collect(),
        verifications: changes.verifications.keys().copied().collect(),
        proposals: changes.proposals.keys().copied().collect(),
        orders: changes.orders.keys().cloned().collect(),
        profiles: changes.profiles.keys().copied().collect(),
        ..Keys::default()
    }
}

async fn load(store: &Store, mut keys: Keys) -> State {
    let mut batch = store.begin(&keys.members).await.unwrap();
    let state = batch.load(&mut keys).await.unwrap();
    batch.rollback().await.unwrap();
    state
}

async fn all<R: Paged>(store: &Store) -> Vec<R> {
    let mut snapshot = store.snapshot().await.unwrap();
    let rows = snapshot.page(None, 1_000).await.unwrap();
    snapshot.end().await.unwrap();
    rows
}

/// Everything there is, twice: once full, once sparse.
fn everything() -> Changes {
    let (one, two) = (member_id(1), member_id(2));
    let mut used_code = short_code(2, one);
    used_code.spend = SpendLimit::EarnOnly;
    used_code.binding = Some(binding(Some(31)));
    let mut used_text = card_use(1, u32::MAX, one);
    used_text.spend = SpendLimit::Unlimited;
    used_text.binding = binding(Some(31));
    let mut captured = authorization(21, one, &[11, 12]);
    captured.used = ledger::card_use::UseKey::ShortCode([2; 32]);
    captured.state = HoldState::Captured;
    captured.captured = points(4);
    captured.resolved_at = Some(time(20));
    let sale = full_purchase(31, one, 21, 11, 12);
    Changes {
        members: made([full_member(1), member(2)], |row| row.id),
        cards: made(
            [revoked(card(1, one)), card(2, two), number_card(3, one)],
            |row| row.id,
        ),
        card_uses: made([used_text, card_use(2, 0, two)], |row| {
            (row.card_id, row.issued_at)
        }),
        short_codes: made([short_code(1, two), used_code], |row| row.hash),
        lots: made(
            [lot(11, one, 5), narrow_lot(12, one), lot(13, two, 0)],
            |row| (row.member_id, row.id),
        ),
        pending: made(
            [
                pending(14, one, Some(day("2026-12-01"))),
                pending(15, one, None),
            ],
            |row| (row.member_id, row.id),
        ),
        authorizations: made([captured, authorization(22, one, &[])], |row| row.id),
        requests: vec![
            request("b", RequestKind::Inquiry, None),
            request("a", RequestKind::RefundQuote, Some(99)),
            tombstone("c"),
        ],
        refunds: vec![refund(41, &sale, "2026-11-23")],
        purchases: made([sale, purchase(32, two, "2026-11-21")], |row| row.id),
        identities: made([identity(1, one), revoked_identity(2, one)], |row| row.key),
        link_codes: made([link_code(1, one)], |row| row.hash),
        verifications: made([verification(81, one)], |row| row.id),
        proposals: made([proposal(95, one), decided_proposal(96, one)], |row| row.id),
        orders: made([order("1001"), full_order("1002", two)], |row| {
            (row.shop_id.clone(), row.id.clone())
        }),
        profiles: made([profile(one), erased_profile(two)], |row| row.member_id),
        merges: vec![
            merge(91, MergeAct::Merged, one),
            merge(92, MergeAct::Unmerged, one),
        ],
        forgotten: vec![],
        settlements: vec![settlement(51)],
        transfers: vec![
            transfer(62, one, Some(11), Motive::Accrual),
            transfer(61, one, None, Motive::DebtSettlement),
        ],
        events: vec![event(71, one, 1, EventKind::MemberEnrolled), news(72)],
        programmes: vec![version(2, "second")],
    }
}

async fn every_record_comes_back_as_it_was(database: Database) {
    let store = seeded(&database).await;
    let changes = everything();
    commit(&store, &changes).await;

    let loaded = load(&store, keys_of(&changes)).await;
    let mut expected = State::new(loaded.in_force.clone());
    expected.apply(&changes);
    expected.totals.clear(); // not asked for
    assert_eq!(loaded.in_force.version, 2);
    assert_eq!(loaded.in_force.programme, programme("second"));
    assert_eq!(loaded.members, expected.members);
    assert_eq!(loaded.cards, expected.cards);
    assert_eq!(loaded.card_uses, expected.card_uses);
    assert_eq!(loaded.short_codes, expected.short_codes);
    assert_eq!(loaded.lots, expected.lots);
    assert_eq!(loaded.pending, expected.pending);
    assert_eq!(loaded.authorizations, expected.authorizations);
    assert_eq!(loaded.identities, expected.identities);
    assert_eq!(loaded.link_codes, expected.link_codes);
    assert_eq!(loaded.verifications, expected.verifications);
    assert_eq!(loaded.proposals, expected.proposals);
    assert_eq!(loaded.orders, expected.orders);
    assert_eq!(loaded.profiles, expected.profiles);
    assert_eq!(loaded.purchases, expected.purchases);
    assert_eq!(loaded.requests, expected.requests);
    assert_eq!(loaded.totals, expected.totals);

    assert_eq!(all::<Refund>(&store).await, changes.refunds);
    assert_eq!(all::<Settlement>(&store).await, changes.settlements);
    assert_eq!(all::<Merge>(&store).await, changes.merges);
    let versions = all::<ProgrammeVersion>(&store).await;
    assert_eq!(versions, [version(1, "first"), version(2, "second")]);
    let mut transfers = changes.transfers.clone();
    transfers.sort_by_key(|row| row.id);
    assert_eq!(all::<Transfer>(&store).await, transfers);
    let events = all::<StoredEvent>(&store).await;
    assert_eq!(events.len(), changes.events.len());
    for (kept, sent) in events.iter().zip(&changes.events) {
        assert_eq!(kept.id, sent.id);
        assert_eq!(kept.member_id, sent.member_id);
        assert_eq!(kept.member_sequence, sent.member_sequence);
        assert_eq!(kept.kind, sent.kind.word());
        assert_eq!(kept.subject, sent.subject);
        assert_eq!(kept.at, sent.at);
        assert_eq!(kept.data, sent.data);
        assert_eq!(kept.stream_sequence, None);
    }
    assert_eq!(store.outbox_status().await.unwrap().waiting, 2);
}

async fn every_changing_column_changes(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let mut rows = Changes {
        members: made([member(1), member(2)], |row| row.id),
        cards: made([card(1, one)], |row| row.id),
        card_uses: made([card_use(1, 5, one)], |row| (row.card_id, row.issued_at)),
        short_codes: made([short_code(1, one)], |row| row.hash),
        lots: made([lot(11, one, 5)], |row| (row.member_id, row.id)),
        pending: made([pending(14, one, None)], |row| (row.member_id, row.id)),
        authorizations: made([authorization(21, one, &[11])], |row| row.id),
        purchases: made([purchase(31, one, "2026-11-22")], |row| row.id),
        ..Changes::default()
    };
    rows.lots
        .values_mut()
        .for_each(|edit| edit.row.key.expiry = LotExpiry::Activity);
    commit(&store, &rows).await;

    rows.members = changed([full_member(1)], |row| row.id);
    rows.cards = changed([revoked(card(1, one))], |row| row.id);
    for edit in rows.card_uses.values_mut() {
        edit.created = false;
        edit.row.binding = binding(Some(31));
    }
    for edit in rows.short_codes.values_mut() {
        edit.created = false;
        edit.row.binding = Some(binding(Some(31)));
    }
    for edit in rows.lots.values_mut() {
        edit.created = false;
        let lot = &mut edit.row;
        lot.key.expires_on = Some(day("2028-02-29"));
        lot.granted = points(2_000);
        (lot.available, lot.held, lot.pending) = (points(6), points(7), points(8));
    }
    for edit in rows.pending.values_mut() {
        edit.created = false;
        (edit.row.points, edit.row.matures_on) = (points(1), Some(day("2026-12-24")));
    }
    for edit in rows.authorizations.values_mut() {
        edit.created = false;
        let hold = &mut edit.row;
        (hold.state, hold.captured) = (HoldState::Captured, points(3));
        hold.resolved_at = Some(time(30));
    }
    for edit in rows.purchases.values_mut() {
        edit.created = false;
        let sale = &mut edit.row;
        sale.state = PurchaseState::Reversed;
        sale.refunded = [(1, 2)].into();
        (sale.refunded_amount, sale.restored) = (yen(2_000), points(30));
        sale.clawback_due = points(20);
    }
    commit(&store, &rows).await;

    let loaded = load(&store, keys_of(&rows)).await;
    let mut expected = State::new(loaded.in_force.clone());
    expected.apply(&rows);
    assert_eq!(
        loaded.members, expected.members,
        "and the other member is not among them"
    );
    assert_eq!(loaded.cards, expected.cards);
    assert_eq!(loaded.card_uses, expected.card_uses);
    assert_eq!(loaded.short_codes, expected.short_codes);
    assert_eq!(loaded.lots, expected.lots);
    assert_eq!(loaded.pending, expected.pending);
    assert_eq!(loaded.authorizations, expected.authorizations);
    assert_eq!(loaded.purchases, expected.purchases);
    let other = load(&store, keys_of(&with_members([member(2)]))).await;
    assert_eq!(other.members.values().collect::<Vec<_>>(), [&member(2)]);
}

async fn what_is_kept_of_a_person_changes_and_is_forgotten(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let mut rows = Changes {
        members: made([member(1)], |row| row.id),
        identities: made([identity(1, one), identity(2, one)], |row| row.key),
        link_codes: made([link_code(1, one)], |row| row.hash),
        verifications: made([verification(81, one)], |row| row.id),
        orders: made([order("1001")], |row| (row.shop_id.clone(), row.id.clone())),
        profiles: made([profile(one)], |row| row.member_id),
        ..Changes::default()
    };
    commit(&store, &rows).await;

    rows.members.clear();
    rows.identities = changed([revoked_identity(1, one)], |row| row.key);
    for edit in rows.link_codes.values_mut() {
        edit.created = false;
        edit.row.used_at = Some(time(50));
    }
    for edit in rows.verifications.values_mut() {
        edit.created = false;
        (edit.row.attempts, edit.row.used_at) = (4, Some(time(51)));
    }
    rows.orders = changed([full_order("1001", one)], |row| {
        (row.shop_id.clone(), row.id.clone())
    });
    rows.profiles = changed([erased_profile(one)], |row| row.member_id);
    // One that is there, and one that was never there.
    rows.forgotten = vec![IdentityKey([2; 32]), IdentityKey([3; 32])];
    commit(&store, &rows).await;

    let mut keys = keys_of(&rows);
    keys.identities.extend(rows.forgotten.clone());
    let loaded = load(&store, keys).await;
    let mut expected = State::new(loaded.in_force.clone());
    expected.apply(&rows);
    assert_eq!(loaded.identities, expected.identities);
    assert_eq!(loaded.link_codes, expected.link_codes);
    assert_eq!(loaded.verifications, expected.verifications);
    assert_eq!(loaded.orders, expected.orders);
    assert_eq!(loaded.profiles, expected.profiles);
    let erased = Keys {
        erased: [one].into(),
        ..Keys::default()
    };
    let loaded = load(&store, erased).await;
    assert_eq!(loaded.identities.len(), 0, "the one left is another's now");
}

async fn a_key_that_is_taken_is_a_conflict_and_nothing_is_written(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let taken = Changes {
        members: made([member(1)], |row| row.id),
        cards: made([card(1, one)], |row| row.id),
        card_uses: made([card_use(1, 5, one)], |row| (row.card_id, row.issued_at)),
        short_codes: made([short_code(1, one)], |row| row.hash),
        requests: vec![request("a", RequestKind::Inquiry, None)],
        events: vec![event(71, one, 1, EventKind::MemberEnrolled)],
        ..Changes::default()
    };
    commit(&store, &taken).await;

    let mut same_number = member(3);
    same_number.number = member(1).number;
    let again = [
        with_members([same_number]),
        Changes {
            cards: taken.cards.clone(),
            ..Changes::default()
        },
        Changes {
            card_uses: taken.card_uses.clone(),
            ..Changes::default()
        },
        Changes {
            short_codes: taken.short_codes.clone(),
            ..Changes::default()
        },
        Changes {
            requests: taken.requests.clone(),
            ..Changes::default()
        },
        Changes {
            events: vec![event(79, one, 1, EventKind::PointsAdjusted)],
            ..Changes::default()
        },
        Changes {
            programmes: vec![version(1, "rival")],
            ..Changes::default()
        },
    ];
    for mut changes in again {
        changes.absorb(with_members([member(2)]));
        let mut batch = store.begin(&BTreeSet::new()).await.unwrap();
        let lost = batch.write(&changes).await.unwrap_err();
        assert!(lost.is_conflict(), "{lost} on {changes:?}");
        // A batch that failed cannot be committed by mistake.
        batch.commit().await.unwrap_err();
        assert_eq!(store.member(member_id(2)).await.unwrap(), None);
    }
}

/// As many as no statement carries at once, and as many as leave places over.
async fn any_number_of_rows_is_written_read_and_changed(database: Database) {
    let store = seeded(&database).await;
    let mut first = 1;
    for count in [3, 128, 131, 700] {
        let numbers = first..first + count;
        first += count;
        let news = with_members(numbers.clone().map(member));
        commit(&store, &news).await;
        let changes = Changes {
            members: changed(numbers.clone().map(full_member), |row| row.id),
            ..Changes::default()
        };
        commit(&store, &changes).await;
        let loaded = load(&store, keys_of(&changes)).await;
        let full = numbers.map(|number| (member_id(number), full_member(number)));
        assert_eq!(loaded.members, full.collect());
    }
}

/// Also if it is among the last of several statements.
async fn a_row_that_is_not_there_cannot_be_changed(database: Database) {
    let store = seeded(&database).await;
    let mut there = 0;
    for wanted in [2, 3, 700] {
        commit(&store, &with_members((there + 1..wanted).map(member))).await;
        there = wanted - 1;
        let changes = Changes {
            members: changed((1..=wanted).map(full_member), |row| row.id),
            ..Changes::default()
        };
        let mut batch = store.begin(&BTreeSet::new()).await.unwrap();
        let lost = batch.write(&changes).await.unwrap_err();
        assert!(lost.is_conflict(), "{lost}");
        batch.commit().await.unwrap_err();
        let kept = store.member(member_id(1)).await.unwrap().unwrap();
        assert_eq!(kept.member, member(1));
    }
}

async fn a_row_that_breaks_a_constraint_is_refused(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let mut nothing_moves = transfer(61, one, None, Motive::Accrual);
    nothing_moves.points = points(0);
    let mut in_a_circle = transfer(61, one, None, Motive::Accrual);
    in_a_circle.credit = in_a_circle.debit;
    let mut too_much = lot(11, one, 5);
    too_much.held = too_much.granted;
    let broken = [
        Changes {
            transfers: vec![nothing_moves],
            ..Changes::default()
        },
        Changes {
            transfers: vec![in_a_circle],
            ..Changes::default()
        },
        Changes {
            lots: made([too_much], |row| (row.member_id, row.id)),
            ..Changes::default()
        },
        Changes {
            events: vec![event(71, one, 0, EventKind::PointsAdjusted)],
            ..Changes::default()
        },
    ];
    for changes in broken {
        let mut batch = store.begin(&BTreeSet::new()).await.unwrap();
        let refused = batch.write(&changes).await.unwrap_err();
        assert!(
            matches!(refused, StoreError::Rejected(_)),
            "{refused} on {changes:?}"
        );
        batch.rollback().await.unwrap();
    }
}

async fn a_reversal_leads_to_all_that_it_undoes(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let mut resolved = authorization(21, one, &[11]);
    resolved.state = HoldState::Captured;
    resolved.resolved_at = Some(time(1));
    let changes = Changes {
        members: made([member(1), member(2)], |row| row.id),
        cards: made([card(1, one), card(2, member_id(2))], |row| row.id),
        card_uses: made([card_use(1, 1_790_000_000, one)], |row| {
            (row.card_id, row.issued_at)
        }),
        lots: made(
            [
                lot(11, one, 0),
                lot(12, one, 0),
                lot(13, one, 8),
                lot(14, one, 0),
            ],
            |row| (row.member_id, row.id),
        ),
        authorizations: made([resolved], |row| row.id),
        purchases: made([full_purchase(31, one, 21, 11, 12)], |row| row.id),
        requests: vec![request("sale", RequestKind::Purchase, Some(31))],
        ..Changes::default()
    };
    commit(&store, &changes).await;

    let mut keys = Keys::default();
    let undo = Command {
        id: CommandId::new(uuid(900)),
        operation: Operation::Pos(PosCommand {
            till: Till {
                terminal_id: terminal("till-1"),
                store_id: shop("ginza"),
            },
            request_id: request_id("undo"),
            fingerprint: [1; 32],
            ask: Ask::Reversal {
                original_request_id: request_id("sale"),
            },
        }),
    };
    keys.add(&undo, time(0));
    let mut batch = store.begin(&BTreeSet::new()).await.unwrap();
    let state = batch.load(&mut keys).await.unwrap();
    let unlocked = batch.unlocked(&state);
    batch.rollback().await.unwrap();

    assert!(state.purchases.contains_key(&PurchaseId::new(uuid(31))));
    assert_eq!(state.authorizations.len(), 1);
    assert_eq!(state.card_uses.len(), 1);
    assert_eq!(state.cards.keys().collect::<Vec<_>>(), [&card_id(1)]);
    assert_eq!(state.members.keys().collect::<Vec<_>>(), [&one]);
    let lots: Vec<_> = state.lots.keys().map(|key| key.1).collect();
    assert_eq!(
        lots,
        [lot_id(11), lot_id(12), lot_id(13)],
        "two by name, one because it is open"
    );
    match store {
        Store::Postgres { .. } => assert_eq!(unlocked, BTreeSet::from([one])),
        Store::Sqlite { .. } => assert_eq!(unlocked, BTreeSet::new()),
    }
}

async fn a_closed_lot_is_loaded_only_by_name(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let mut held = lot(12, one, 0);
    held.held = points(1);
    let mut waiting = lot(13, one, 0);
    waiting.pending = points(1);
    let changes = Changes {
        members: made([member(1)], |row| row.id),
        lots: made([lot(11, one, 0), held, waiting, lot(14, one, 1)], |row| {
            (row.member_id, row.id)
        }),
        ..Changes::default()
    };
    commit(&store, &changes).await;
    let of_member = Keys {
        members: BTreeSet::from([one]),
        ..Keys::default()
    };
    let open: Vec<_> = load(&store, of_member.clone())
        .await
        .lots
        .into_keys()
        .map(|key| key.1)
        .collect();
    assert_eq!(open, [lot_id(12), lot_id(13), lot_id(14)]);
    let named = Keys {
        lots: BTreeSet::from([lot_id(11), lot_id(12)]),
        ..of_member
    };
    assert_eq!(load(&store, named).await.lots.len(), 4);
}

async fn a_hold_that_still_runs_is_loaded_only_where_it_counts(database: Database) {
    let store = seeded(&database).await;
    let (one, two) = (member_id(1), member_id(2));
    let until = |number, member_id, seconds| Authorization {
        expires_at: time(seconds),
        ..authorization(number, member_id, &[])
    };
    let ended = Authorization {
        state: HoldState::Voided,
        resolved_at: Some(time(0)),
        ..until(24, one, 0)
    };
    let holds = [
        until(21, one, 10),
        until(22, one, 11),
        until(23, two, 10),
        ended,
    ];
    let holder = |number| Member {
        open_holds: 1,
        ..member(number)
    };
    let changes = Changes {
        members: made([holder(1), holder(2)], |row| row.id),
        authorizations: made(holds, |row| row.id),
        ..Changes::default()
    };
    commit(&store, &changes).await;
    let at = |seconds| Keys {
        members: BTreeSet::from([one]),
        until: time(seconds),
        ..Keys::default()
    };
    let found = async |keys| {
        let state = load(&store, keys).await;
        state.authorizations.into_keys().collect::<Vec<_>>()
    };
    let hold = |number| AuthorizationId::new(uuid(number));
    assert_eq!(found(at(9)).await, []);
    assert_eq!(found(at(10)).await, [hold(21)], "its last moment is over");
    assert_eq!(found(at(11)).await, [hold(21), hold(22)]);
    let named = Keys {
        authorizations: BTreeSet::from([hold(22), hold(24)]),
        ..at(10)
    };
    assert_eq!(found(named).await, [hold(21), hold(22), hold(24)]);
    let holder = Keys {
        holders: BTreeSet::from([one]),
        ..at(9)
    };
    assert_eq!(
        found(holder).await,
        [hold(21), hold(22)],
        "of one all count"
    );
}

async fn totals_count_one_terminal_and_one_day(database: Database) {
    let store = seeded(&database).await;
    let one = member_id(1);
    let today = [
        purchase(31, one, "2026-11-22"),
        purchase(32, one, "2026-11-22"),
    ];
    let yesterday = purchase(33, one, "2026-11-21");
    let mut elsewhere = purchase(34, one, "2026-11-22");
    elsewhere.terminal_id = terminal("till-2");
    let changes = Changes {
        refunds: vec![
            refund(41, &yesterday, "2026-11-22"),
            refund(42, &today[0], "2026-11-23"),
        ],
        purchases: made(today.into_iter().chain([yesterday, elsewhere]), |row| {
            row.id
        }),
        ..Changes::default()
    };
    commit(&store, &changes).await;

    let days = ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"];
    let keys = Keys {
        totals: days.map(|text| (terminal("till-1"), day(text))).into(),
        ..Keys::default()
    };
    let loaded = load(&store, keys.clone()).await;
    let mut counted = State::new(loaded.in_force.clone());
    counted.apply(&changes);
    assert_eq!(loaded.totals.len(), 4, "a day without sales has totals too");
    for key in &keys.totals {
        let expected = counted.totals.get(key).copied().unwrap_or_default();
        assert_eq!(loaded.totals.get(key), Some(&expected), "{key:?}");
    }
}

async fn without_a_programme_nothing_loads(database: Database) {
    let store = database.migrated().await;
    assert!(store.programme().await.unwrap().is_none());
    let mut batch = store.begin(&BTreeSet::new()).await.unwrap();
    let none = batch.load(&mut Keys::default()).await.unwrap_err();
    assert!(matches!(none, StoreError::NoProgramme), "{none}");
    let state = batch
        .load_or(&mut Keys::default(), Some(fallback()))
        .await
        .unwrap();
    assert_eq!(state.in_force.version, 0);
    batch.rollback().await.unwrap();
}

async fn a_new_programme_is_seen_by_the_next_batch(database: Database) {
    let store = seeded(&database).await;
    assert_eq!(load(&store, Keys::default()).await.in_force.version, 1);
    let other = database.migrated().await;
    let changes = Changes {
        programmes: vec![version(2, "second")],
        ..Changes::default()
    };
    commit(&other, &changes).await;
    let in_force = load(&store, Keys::default()).await.in_force;
    assert_eq!(in_force.version, 2);
    assert_eq!(in_force.programme, programme("second"));
    let read = store.programme().await.unwrap().unwrap();
    assert_eq!((read.version, read.programme), (2, programme("second")));
    let versions = store.programme_versions().await.unwrap();
    assert_eq!(versions, [version(1, "first"), version(2, "second")]);
}
