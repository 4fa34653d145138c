//! One of each record, in two variants: one with every optional part, one with none.

mod persons;

pub(crate) use persons::*;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use gateway::store::Store;
use jiff::{Timestamp, civil::Date};
use ledger::{
    account::{Account, Motive, Transfer},
    card_use::{Binding, CardUse, ShortCode, UseKey},
    event::EventKind,
    lot::{Lender, Lot, LotExpiry, LotKey, Part, Pending, Scope},
    member::{Card, CardKind, CardStatus, Member, MemberNo, MemberStatus},
    programme::Programme,
    records::{
        Authorization, Earned, Event, HoldState, ProgrammeVersion, Purchase, PurchaseState, Refund,
        RequestKind, Settlement, StoredRequest,
    },
    state::{Changes, Edit, Edits, InForce},
};
use member_card::{CardId, SpendLimit};
use pos_protocol::{
    AuthorizationId, BasketId, EventId, LotId, MemberId, PendingId, Points, PurchaseId, Receipt,
    ReceiptLine, RefundId, RequestId, SettlementId, SettlementTotals, StoreId, TerminalId,
    TransferId, Yen,
};
use uuid::Uuid;

pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + number)
}
pub(crate) fn member_id(number: u128) -> MemberId {
    MemberId::new(uuid(number))
}
pub(crate) fn lot_id(number: u128) -> LotId {
    LotId::new(uuid(number))
}
pub(crate) fn points(number: i64) -> Points {
    Points::new(number).expect("points")
}
pub(crate) fn yen(number: i64) -> Yen {
    Yen::new(number).expect("yen")
}
pub(crate) fn day(text: &str) -> Date {
    text.parse().expect("a date")
}
pub(crate) fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(1_790_000_000_000_000 + micros).expect("a time")
}
pub(crate) fn terminal(name: &str) -> TerminalId {
    TerminalId::new(name).expect("a terminal id")
}
pub(crate) fn shop(name: &str) -> StoreId {
    StoreId::new(name).expect("a store id")
}
pub(crate) fn basket(name: &str) -> BasketId {
    BasketId::new(name).expect("a basket id")
}
pub(crate) fn request_id(name: &str) -> RequestId {
    RequestId::new(name).expect("a request id")
}

/// A card id whose highest bit is set.
pub(crate) fn card_id(number: u64) -> CardId {
    CardId::new(u64::MAX - number)
}

pub(crate) fn programme(name: &str) -> Arc<Programme> {
    let settings = serde_json::json!({
        "id": "demo",
        "name": name,
        "time_zone": "Asia/Tokyo",
        "earn": {"points": 1, "per_yen": 100},
        "classes": {"base": {"expiry": {"kind": "fixed", "months": 12}}},
    });
    Arc::new(serde_json::from_value(settings).expect("a programme"))
}

pub(crate) fn version(version: i64, name: &str) -> ProgrammeVersion {
    ProgrammeVersion {
        version,
        programme: programme(name),
        source: format!("# {name}\n"),
        actor: "staff:ume".into(),
        activated_at: time(version),
    }
}

pub(crate) fn fallback() -> InForce {
    InForce {
        programme: programme("nothing yet"),
        version: 0,
    }
}

pub(crate) fn member(number: u128) -> Member {
    let seed = u64::try_from(number).expect("a small number");
    let mut member = Member::new(
        member_id(number),
        MemberNo::from_seed(seed),
        "regular",
        time(1),
    );
    member.available = points(100);
    member
}

/// A member with something in every column.
pub(crate) fn full_member(number: u128) -> Member {
    Member {
        status: MemberStatus::Blocked,
        rank: "gold".into(),
        available: points(1),
        held: points(2),
        pending: points(3),
        owed: points(4),
        open_holds: 5,
        event_sequence: 6,
        last_activity_on: Some(day("2026-11-22")),
        merged_into: Some(member_id(number + 1_000)),
        merged: BTreeSet::from([member_id(number + 2_000), member_id(number + 3_000)]),
        earn_only_until: Some(time(7)),
        erased_at: Some(time(8)),
        ..member(number)
    }
}

pub(crate) fn card(number: u64, owner: MemberId) -> Card {
    Card {
        id: card_id(number),
        member_id: owner,
        kind: CardKind::Device,
        public_key: vec![4; 65],
        name: String::new(),
        status: CardStatus::Active,
        enrolled_at: time(2),
        revoked_at: None,
    }
}

/// A card that is a number.
pub(crate) fn number_card(number: u64, owner: MemberId) -> Card {
    Card {
        kind: CardKind::Plastic,
        public_key: vec![5; 32],
        name: "****2345".to_owned(),
        ..card(number, owner)
    }
}

pub(crate) fn revoked(card: Card) -> Card {
    Card {
        status: CardStatus::Revoked,
        revoked_at: Some(time(3)),
        ..card
    }
}

pub(crate) fn binding(purchase: Option<u128>) -> Binding {
    Binding {
        terminal_id: terminal("till-1"),
        basket_id: basket("basket/1"),
        bound_at: time(4),
        purchase_id: purchase.map(|number| PurchaseId::new(uuid(number))),
    }
}

pub(crate) fn card_use(card: u64, issued_at: u32, owner: MemberId) -> CardUse {
    CardUse {
        card_id: card_id(card),
        issued_at,
        member_id: owner,
        spend: SpendLimit::UpTo(500),
        binding: binding(None),
    }
}

pub(crate) fn short_code(number: u8, owner: MemberId) -> ShortCode {
    ShortCode {
        hash: [number; 32],
        card_id: Some(card_id(1)),
        member_id: owner,
        spend: SpendLimit::Unlimited,
        expires_at: time(5),
        binding: None,
    }
}

pub(crate) fn lot(number: u128, owner: MemberId, available: i64) -> Lot {
    Lot {
        id: lot_id(number),
        member_id: owner,
        key: LotKey {
            class: "base".into(),
            expiry: LotExpiry::Fixed,
            expires_on: Some(day("2027-11-30")),
            funding: "programme".into(),
            scope: Scope::default(),
            lender: None,
        },
        granted: points(1_000),
        available: points(available),
        held: Points::ZERO,
        pending: Points::ZERO,
        opened_at: time(6),
        origin: "purchase:1".into(),
        programme_version: 1,
    }
}

/// A lot that never expires and may be spent in few places.
pub(crate) fn narrow_lot(number: u128, owner: MemberId) -> Lot {
    let mut lot = lot(number, owner, 10);
    lot.key = LotKey {
        class: "bonus".into(),
        expiry: LotExpiry::Never,
        expires_on: None,
        funding: "brand".into(),
        scope: Scope {
            stores: BTreeSet::from([shop("ginza")]),
            categories: BTreeSet::from(["甘味".to_owned(), "it's \"quoted\"".to_owned()]),
        },
        lender: Some(Lender {
            member_id: member_id(4_000),
            lot_id: lot_id(4_001),
        }),
    };
    lot.held = points(20);
    lot.pending = points(30);
    lot
}

pub(crate) fn pending(number: u128, owner: MemberId, matures_on: Option<Date>) -> Pending {
    Pending {
        id: PendingId::new(uuid(number)),
        member_id: owner,
        lot_id: lot_id(number),
        purchase_id: PurchaseId::new(uuid(number)),
        points: points(7),
        matures_on,
    }
}

pub(crate) fn text_use(card: u64, issued_at: u32) -> UseKey {
    UseKey::Text {
        card_id: card_id(card),
        issued_at,
    }
}

pub(crate) fn authorization(number: u128, owner: MemberId, lots: &[u128]) -> Authorization {
    let part = |number: &u128| Part {
        lot_id: lot_id(*number),
        points: points(10),
    };
    Authorization {
        id: AuthorizationId::new(uuid(number)),
        member_id: owner,
        terminal_id: terminal("till-1"),
        store_id: shop("ginza"),
        basket_id: basket("basket/1"),
        used: text_use(1, 1_790_000_000),
        points: points(10),
        parts: lots.iter().map(part).collect(),
        state: HoldState::Held,
        captured: Points::ZERO,
        held_at: time(7),
        expires_at: time(8),
        resolved_at: None,
    }
}

pub(crate) fn receipt(business_date: &str, total: i64) -> Receipt {
    Receipt {
        number: "R-1".into(),
        business_date: day(business_date),
        occurred_at: time(9),
        lines: vec![ReceiptLine {
            line_no: 1,
            sku: "490".into(),
            name: "羊羹".into(),
            category: "甘味".into(),
            quantity: 2,
            amount: yen(total),
            tax_rate: 8,
        }],
        total: yen(total),
        tax: yen(0),
    }
}

pub(crate) fn purchase(number: u128, owner: MemberId, business_date: &str) -> Purchase {
    Purchase {
        id: PurchaseId::new(uuid(number)),
        member_id: owner,
        terminal_id: terminal("till-1"),
        store_id: shop("ginza"),
        basket_id: basket("basket/1"),
        authorization_id: None,
        used: UseKey::ShortCode([9; 32]),
        receipt: Arc::new(receipt(business_date, 2_000)),
        redeemed: points(30),
        redeemed_parts: vec![],
        shortfall: points(1),
        earned_points: points(20),
        earned: vec![],
        advice: false,
        shop_id: None,
        fee_earns: true,
        programme_version: 1,
        recorded_at: time(10),
        state: PurchaseState::Completed,
        refunded: BTreeMap::new(),
        refunded_amount: Yen::ZERO,
        restored: Points::ZERO,
        clawback_due: Points::ZERO,
    }
}

/// A purchase that captured a hold, earned into a lot, and was refunded in part.
pub(crate) fn full_purchase(
    number: u128,
    owner: MemberId,
    hold: u128,
    spent: u128,
    into: u128,
) -> Purchase {
    Purchase {
        authorization_id: Some(AuthorizationId::new(uuid(hold))),
        used: text_use(1, 1_790_000_000),
        redeemed_parts: vec![Part {
            lot_id: lot_id(spent),
            points: points(30),
        }],
        earned: vec![Earned {
            points: points(20),
            class: "base".into(),
            lot_id: lot_id(into),
            expires_on: Some(day("2027-11-30")),
            pending_id: Some(PendingId::new(uuid(number))),
            pending_until: Some(day("2026-12-01")),
            why: "1 point per 100 yen of 2,000".into(),
        }],
        advice: true,
        shop_id: Some("main".parse().expect("a shop id")),
        state: PurchaseState::Reversed,
        refunded: BTreeMap::from([(1, 2)]),
        refunded_amount: yen(2_000),
        restored: points(30),
        clawback_due: points(20),
        ..purchase(number, owner, "2026-11-22")
    }
}

pub(crate) fn refund(number: u128, of: &Purchase, business_date: &str) -> Refund {
    Refund {
        id: RefundId::new(uuid(number)),
        purchase_id: of.id,
        member_id: of.member_id,
        terminal_id: of.terminal_id.clone(),
        store_id: of.store_id.clone(),
        business_date: day(business_date),
        lines: BTreeMap::from([(1, 1), (7, 3)]),
        amount: yen(1_000),
        restored: points(15),
        lapsed: points(5),
        clawed_back: points(9),
        owed: points(1),
        shortfall: yen(2),
        reversal: true,
        at: time(11),
    }
}

pub(crate) fn request(name: &str, kind: RequestKind, effect: Option<u128>) -> StoredRequest {
    StoredRequest {
        terminal_id: terminal("till-1"),
        request_id: request_id(name),
        member_id: Some(member_id(1)),
        kind,
        fingerprint: Some([3; 32]),
        effect: effect.map(uuid),
        answer: "{\"outcome\":\"approved\",\"name\":\"甘味 \\u0000\"}".into(),
        at: time(12),
    }
}

pub(crate) fn tombstone(name: &str) -> StoredRequest {
    StoredRequest {
        member_id: None,
        fingerprint: None,
        answer: "{}".into(),
        ..request(name, RequestKind::Tombstone, None)
    }
}

pub(crate) fn settlement(number: u128) -> Settlement {
    let totals = |purchases| SettlementTotals {
        purchases,
        purchase_total: yen(2_000),
        points_redeemed: points(30),
        points_earned: points(20),
        refunds: 1,
        points_restored: points(15),
        points_clawed_back: points(9),
    };
    Settlement {
        id: SettlementId::new(uuid(number)),
        terminal_id: terminal("till-1"),
        store_id: shop("ginza"),
        business_date: day("2026-11-22"),
        till: totals(2),
        gateway: totals(1),
        at: time(13),
    }
}

pub(crate) fn transfer(
    number: u128,
    owner: MemberId,
    lot: Option<u128>,
    motive: Motive,
) -> Transfer {
    Transfer {
        id: TransferId::new(uuid(number)),
        member_id: owner,
        lot_id: lot.map(lot_id),
        debit: Account::ProgrammeIssued,
        credit: Account::MemberAvailable,
        points: points(100),
        motive,
        source: uuid(77),
        store_id: lot.map(|_| shop("ginza")),
        business_date: day("2026-11-22"),
        at: time(14),
    }
}

pub(crate) fn event(number: u128, owner: MemberId, sequence: i64, kind: EventKind) -> Event {
    Event {
        id: EventId::new(uuid(number)),
        member_id: Some(owner),
        member_sequence: sequence,
        kind,
        subject: format!("member/{owner}"),
        at: time(i64::try_from(number).expect("a small number")),
        data: "{\"points\":1}".into(),
    }
}

pub(crate) fn news(number: u128) -> Event {
    Event {
        member_id: None,
        member_sequence: 0,
        ..event(number, member_id(0), 0, EventKind::ProgrammeActivated)
    }
}

/// Rows that are new.
pub(crate) fn made<K: Ord, T>(
    rows: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Edits<K, T> {
    edits(rows, key, true)
}

/// Rows that were there before.
pub(crate) fn changed<K: Ord, T>(
    rows: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Edits<K, T> {
    edits(rows, key, false)
}

fn edits<K: Ord, T>(
    rows: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
    created: bool,
) -> Edits<K, T> {
    let rows = rows.into_iter();
    rows.map(|row| (key(&row), Edit { row, created })).collect()
}

/// New members, and nothing else.
pub(crate) fn with_members(rows: impl IntoIterator<Item = Member>) -> Changes {
    Changes {
        members: made(rows, |row| row.id),
        ..Changes::default()
    }
}

/// Writes in a batch of its own.
pub(crate) async fn commit(store: &Store, changes: &Changes) {
    let members = changes.members.keys().copied().collect();
    let mut batch = store.begin(&members).await.expect("a batch begins");
    batch.write(changes).await.expect("the rows are written");
    batch.commit().await.expect("the batch commits");
}

/// A store with programme 1 in force. What cases write into it are samples: no event of theirs was
/// decided by the ledger.
pub(crate) async fn seeded(database: &acceptance::databases::Database) -> Store {
    database.holds_samples();
    let store = database.migrated().await;
    let changes = Changes {
        programmes: vec![version(1, "first")],
        ..Changes::default()
    };
    commit(&store, &changes).await;
    store
}
