//! A few people, all at once: merges and unmerges that cross, orders told in any order, baskets, refunds
//! and links, over two gateways' writers on one database. Whatever happens, every invariant holds
//! afterwards, and nothing was ever a fault.
//!
//! `GATEWAY_STORM_SECONDS=60` storms longer; `TEST_SEED` repeats what is done, not when.

mod people;
mod thousand;

use std::{sync::Arc, time::Duration};

use acceptance::{
    databases::{Database, Engine},
    dice::Dice,
};
use gateway::{
    audit,
    clock::{self, Clock},
    programme_file,
    store::Store,
    writer::{Lanes, WriteError, Writer, WriterOptions},
};
use ledger::{
    command::{Activation, Command, Operation},
    decision::Answer,
};
use pos_protocol::CommandId;

use people::People;

/// How long a storm lasts, if nothing else is said.
const STORM: Duration = Duration::from_secs(6);
/// Callers of each gateway.
const CALLERS: u64 = 12;

fn duration() -> Duration {
    let seconds = std::env::var("GATEWAY_STORM_SECONDS").ok();
    let seconds = seconds.map(|text| text.parse().expect("a number of seconds"));
    seconds.map_or(STORM, Duration::from_secs)
}

/// A gateway's write path.
struct Gateway {
    store: Store,
    writer: Writer,
    lanes: Lanes,
    clock: Clock,
}

impl Gateway {
    async fn start(database: &Database) -> Self {
        let store = database.migrated().await;
        let clock = Clock::system();
        let options = WriterOptions {
            answer_deadline: Duration::from_secs(60),
            ..WriterOptions::for_store(&store)
        };
        let (writer, lanes) = Writer::start(&store, clock.clone(), &options);
        Self {
            store,
            writer,
            lanes,
            clock,
        }
    }

    async fn submit(&self, operation: Operation) -> Answer {
        submit(&self.writer, &self.clock, operation).await
    }
}

async fn submit(writer: &Writer, clock: &Clock, operation: Operation) -> Answer {
    let id = CommandId::new(clock.new_id());
    let command = Command { id, operation };
    match writer.submit(command, None).await {
        Ok(answer) => answer,
        Err(WriteError::QueueFull) => panic!("a few callers cannot fill a queue"),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_on_postgres() {
    storm(Engine::Postgres, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_gateway_on_sqlite() {
    storm(Engine::Sqlite, 1).await;
}

/// Puts the demo's programme in force.
async fn in_force(gateway: &Gateway) {
    let programme = programme_file::parse("demo.toml", programme_file::DEMO).unwrap();
    let activation = Activation {
        replaces: 0,
        programme: Arc::new(programme),
        source: programme_file::DEMO.to_owned(),
        actor: "test".to_owned(),
    };
    let activated = gateway.submit(Operation::ActivateProgramme(Box::new(activation)));
    assert_eq!(activated.await, Answer::ProgrammeActivated { version: 1 });
}

async fn storm(engine: Engine, gateways: usize) {
    let mut dice = Dice::for_run(&format!("storm on {engine:?}"));
    let database = Database::create(engine).await;
    let mut running = Vec::new();
    for _ in 0..gateways {
        running.push(Gateway::start(&database).await);
    }
    let first = running.first().expect("a gateway");
    in_force(first).await;
    let people = Arc::new(People::new(&first.clock));
    for operation in people.beginnings(&first.clock) {
        let answer = first.submit(operation).await;
        assert!(
            !matches!(answer, Answer::NotFound | Answer::Denied(_)),
            "{answer:?}"
        );
    }
    let ends = clock::instant() + duration();
    let mut callers = Vec::new();
    for gateway in &running {
        for _ in 0..CALLERS {
            let (writer, clock) = (gateway.writer.clone(), gateway.clock.clone());
            let mut caller = people::Caller::new(people.clone(), Dice::from_seed(dice.next_u64()));
            callers.push(tokio::spawn(async move {
                let mut done = 0_u64;
                while clock::instant() < ends {
                    let answer = submit(&writer, &clock, caller.next(&clock)).await;
                    caller.note(&answer);
                    done += 1;
                }
                done
            }));
        }
    }
    let mut commands = 0;
    for caller in callers {
        commands += caller.await.expect("no command was a fault");
    }
    println!(
        "{commands} commands; what was answered: {:?}",
        people.answered()
    );
    for word in people::WANTED {
        let count = people.answered().get(word).copied().unwrap_or(0);
        assert!(count > 0, "nothing was ever {word}");
    }
    let store = first.store.clone();
    for gateway in running {
        drop(gateway.writer);
        gateway.lanes.drained().await;
    }
    let report = audit::run(&store, |_| {}).await.expect("the audit runs");
    assert!(report.is_clean(), "{:?}", report.first);
    println!(
        "{} members, {} transfers, audit clean",
        report.members, report.transfers
    );
}
