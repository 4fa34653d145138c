//! One seeded list of commands through the pure core, SQLite and PostgreSQL: the same answers and the
//! same rows, whatever the batches.
//!
//! The core decides one command at a time over all rows there are. The stores run the same list
//! through the writer in batches of random size, over only the rows that each batch loads.

mod play;

use std::fmt::Debug;

use acceptance::databases::{Database, Engine};
use gateway::{
    clock::Clock,
    store::{Paged, PoolSizes, Snapshot, Store, StoredEvent},
    writer::{Writer, WriterOptions},
};
use ledger::{
    account::Transfer,
    card_use::{CardUse, ShortCode},
    decision::Answer,
    identity::{Identity, LinkCode, Merge, Verification},
    lot::{Lot, Pending},
    member::{Card, Member},
    order::Order,
    profile::Profile,
    proposal::Proposal,
    records::{Authorization, ProgrammeVersion, Purchase, Refund, Settlement, StoredRequest},
};

use play::{Play, Step};

/// Commands in the list; `DIFFERENTIAL_COMMANDS` makes it longer.
const COMMANDS: usize = 10_000;
/// Chooses the list; `DIFFERENTIAL_SEED` chooses another.
const SEED: u64 = 20_261_122;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_sqlite_and_postgresql_agree_on_every_answer_and_row() {
    let seed = setting("DIFFERENTIAL_SEED", SEED);
    let commands = usize::try_from(setting("DIFFERENTIAL_COMMANDS", COMMANDS as u64)).unwrap();
    println!("differential: seed {seed}, {commands} commands");
    let play = Play::new(seed, commands);
    println!("differential: {}", play.summary());
    let expected = core_rows(&play);
    for engine in Engine::ALL {
        let database = Database::create(engine).await;
        let store = database.migrated().await;
        let answers = run(&store, &play.steps, seed).await;
        for (number, (step, answer)) in play.steps.iter().zip(&answers).enumerate() {
            assert_eq!(
                *answer, step.answer,
                "{engine:?}, command {number}: {:?}",
                step.command
            );
        }
        let rows = store_rows(&store).await;
        for ((table, core), (_, found)) in expected.iter().zip(&rows) {
            assert_same(engine, table, core, found);
        }
        assert_clean(engine, &store).await;
        store.close().await;
        for (statement, check) in TAMPERINGS {
            let copy = database.copy().await;
            copy.tamper(statement).await;
            assert_found(&copy, statement, check).await;
        }
    }
}

/// One change each to what only much that happened can show, and the check that has to notice.
const TAMPERINGS: &[(&str, &str)] = &[
    (
        "UPDATE lots SET lender_lot = lot_id WHERE lender_lot IS NOT NULL",
        "lots.lent",
    ),
    (
        "UPDATE ec_orders SET purchase_id = NULL",
        "orders.purchases",
    ),
    ("UPDATE members SET merged_into = NULL", "families.linked"),
    (
        "UPDATE profiles SET wrapped_key = identity_key FROM identities
         WHERE profiles.member_id IN (SELECT member_id FROM members WHERE erased_at IS NOT NULL)",
        "persons.forgotten",
    ),
    (
        "DELETE FROM members WHERE merged_into IS NOT NULL",
        "rows.owned",
    ),
];

async fn assert_found(database: &Database, statement: &str, check: &str) {
    let store = database.open(PoolSizes::default()).await;
    let report = gateway::audit::run(&store, |_| {}).await.expect("an audit");
    let line = report.lines.iter().find(|line| line.name == check);
    let broken = line.expect("a check of this name").tally.broken;
    assert!(broken > 0, "{check} does not notice {statement}");
    store.close().await;
}

/// Runs the list through a writer with one lane, so that arrival order is list order. Each batch is
/// as large as what was submitted before the lane came round.
async fn run(store: &Store, steps: &[Step], seed: u64) -> Vec<Answer> {
    let clock = Clock::manual(steps[0].at);
    let options = WriterOptions {
        lanes: 1,
        answer_deadline: std::time::Duration::from_secs(300),
        ..WriterOptions::for_store(store)
    };
    let (writer, lanes) = Writer::start(store, clock.clone(), &options);
    let mut dice = play::Dice::new(seed ^ 0xBA7C);
    let mut answers = Vec::with_capacity(steps.len());
    let mut rest = steps;
    while !rest.is_empty() {
        let size = usize::try_from(dice.below(64)).unwrap() + 1;
        let (group, later) = rest.split_at(size.min(rest.len()));
        rest = later;
        // A future submits when it is first polled, and they are polled in order.
        let submitted = group.iter().map(|step| submit(&writer, &clock, step));
        answers.extend(futures_util::future::join_all(submitted).await);
    }
    println!("differential: {} batches", writer.batches());
    drop(writer);
    lanes.drained().await;
    answers
}

async fn submit(writer: &Writer, clock: &Clock, step: &Step) -> Answer {
    clock.advance(step.at.duration_since(clock.now()));
    writer
        .submit(step.command.clone(), None)
        .await
        .expect("an answer")
}

type Table = (&'static str, Vec<String>);

fn lines<T: Debug>(name: &'static str, rows: impl IntoIterator<Item = T>) -> Table {
    let mut lines: Vec<String> = rows.into_iter().map(|row| format!("{row:?}")).collect();
    lines.sort_unstable();
    (name, lines)
}

fn core_rows(play: &Play) -> Vec<Table> {
    let Play { state, kept, .. } = play;
    let events = kept.events.iter().map(|event| StoredEvent {
        id: event.id,
        member_id: event.member_id,
        member_sequence: event.member_sequence,
        kind: event.kind.word().to_owned(),
        subject: event.subject.clone(),
        at: event.at,
        data: event.data.clone(),
        stream_sequence: None,
    });
    vec![
        lines("programmes", &kept.programmes),
        lines("members", state.members.values()),
        lines("cards", state.cards.values()),
        lines("card_uses", state.card_uses.values()),
        lines("short_codes", state.short_codes.values()),
        lines("lots", state.lots.values()),
        lines("pending", state.pending.values()),
        lines("authorizations", state.authorizations.values()),
        lines("purchases", state.purchases.values()),
        lines("refunds", &kept.refunds),
        lines("identities", state.identities.values()),
        lines("link_codes", state.link_codes.values()),
        lines("verifications", state.verifications.values()),
        lines("proposals", state.proposals.values()),
        lines("merges", &kept.merges),
        lines("profiles", state.profiles.values()),
        lines("ec_orders", state.orders.values()),
        lines("requests", state.requests.values()),
        lines("settlements", &kept.settlements),
        lines("transfers", &kept.transfers),
        lines("events", events),
    ]
}

async fn store_rows(store: &Store) -> Vec<Table> {
    let mut at = store.snapshot().await.expect("a snapshot");
    let rows = vec![
        table::<ProgrammeVersion>("programmes", &mut at).await,
        table::<Member>("members", &mut at).await,
        table::<Card>("cards", &mut at).await,
        table::<CardUse>("card_uses", &mut at).await,
        table::<ShortCode>("short_codes", &mut at).await,
        table::<Lot>("lots", &mut at).await,
        table::<Pending>("pending", &mut at).await,
        table::<Authorization>("authorizations", &mut at).await,
        table::<Purchase>("purchases", &mut at).await,
        table::<Refund>("refunds", &mut at).await,
        table::<Identity>("identities", &mut at).await,
        table::<LinkCode>("link_codes", &mut at).await,
        table::<Verification>("verifications", &mut at).await,
        table::<Proposal>("proposals", &mut at).await,
        table::<Merge>("merges", &mut at).await,
        table::<Profile>("profiles", &mut at).await,
        table::<Order>("ec_orders", &mut at).await,
        table::<StoredRequest>("requests", &mut at).await,
        table::<Settlement>("settlements", &mut at).await,
        table::<Transfer>("transfers", &mut at).await,
        table::<StoredEvent>("events", &mut at).await,
    ];
    at.end().await.expect("the snapshot ends");
    rows
}

async fn table<R: Paged + Debug>(name: &'static str, at: &mut Snapshot) -> Table {
    lines(name, at.page::<R>(None, u32::MAX).await.expect("the rows"))
}

/// What the ledger decides passes the audit, whatever it was asked.
async fn assert_clean(engine: Engine, store: &Store) {
    let report = gateway::audit::run(store, |_| {}).await.expect("an audit");
    assert!(report.is_clean(), "{engine:?}: {:?}", report.first);
    for line in &report.lines {
        println!("audit: {engine:?} {} {}", line.tally.checked, line.says);
    }
}

fn assert_same(engine: Engine, table: &str, core: &[String], found: &[String]) {
    let difference = core.iter().zip(found).find(|(core, found)| core != found);
    if let Some((core, found)) = difference {
        panic!("{engine:?} {table}:\n core  {core}\n found {found}");
    }
    assert_eq!(
        core.len(),
        found.len(),
        "{engine:?} {table}: the number of rows"
    );
    println!(
        "differential: {engine:?} {table}: {} rows agree",
        core.len()
    );
}
