//! The broker is away, dies, freezes, runs out of memory.

use std::time::Duration;

use acceptance::{
    broker::Broker,
    databases::{Database, Engine},
    gateway_process::GatewayProcess,
    installation::Installation,
    on_each_database,
};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use crate::stage::{Crm, Running, Stage, metric, patiently};

/// A broker that is killed so soon after a queue was declared comes back with a queue that never works
/// again. Nothing tells when it has written enough.
const DECLARED_ON_DISK: Duration = Duration::from_secs(3);

on_each_database!(a_broker_that_comes_late_and_dies_again_and_again_loses_nothing);

async fn a_broker_that_comes_late_and_dies_again_and_again_loses_nothing(database: Database) {
    let mut broker = Broker::start("").await;
    broker.kill();
    let mut stage = Stage::new(&database).await;
    let relay = Running::start(&stage.store, &broker.url());
    stage.much_happens(20, 100).await;
    assert_eq!(
        stage.waiting().await,
        2_000,
        "nothing is removed while nobody takes it"
    );

    broker.restart().await;
    stage.drained().await;
    tokio::time::sleep(DECLARED_ON_DISK).await;
    for _ in 0..2 {
        // In the middle of sending: some are confirmed, some are on their way, most wait.
        stage.much_happens(20, 100).await;
        stage.waiting_below(1_700).await;
        broker.kill();
        stage.happen("purchase.completed", 1..=100).await;
        broker.restart().await;
    }
    stage.drained().await;

    // Between sending and confirming: the node takes bytes and answers nothing more.
    broker.freeze();
    let before = stage.events().await.len();
    stage.happen("points.adjusted", 0..=100).await;
    stage.placed(before + 101).await;
    broker.thaw();
    broker.kill();
    broker.restart().await;
    // Read only now: what a consumer had been given when its broker died, it gets again out of turn.
    let mut crm = Crm::reading(&broker.url());
    stage.agrees_with(&mut crm).await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_without_memory_is_waited_for() {
    let database = Database::create(Engine::Postgres).await;
    let broker = Broker::start("").await;
    let mut stage = Stage::new(&database).await;
    let mut start = Installation::new(database.url()).await.unwrap().serve();
    start
        .arguments
        .extend(["--amqp-url".into(), broker.url().into()]);
    let gateway = GatewayProcess::start(start).await.unwrap();
    let mut crm = Crm::reading(&broker.url());
    stage.happen("points.adjusted", 1..=10).await;
    stage.agrees_with(&mut crm).await;

    broker
        .ctl(&["set_vm_memory_high_watermark", "0.00001"])
        .await;
    // The broker blocks a connection when something is published over it.
    stage.much_happens(60, 100).await;
    gateway
        .line(|line| line.contains("broker.blocked"))
        .await
        .unwrap();
    metric(&gateway, "gateway_relay_blocked", |value| value > 0.0).await;
    metric(&gateway, "gateway_relay_lease_held", |value| value > 0.0).await;
    metric(&gateway, "gateway_outbox_waiting_events", |value| {
        value >= 5_000.0
    })
    .await;
    let taken = stage.events().await;
    let taken = taken.iter().filter(|event| event.stream_sequence.is_some());
    assert!(taken.count() < 6_000, "what is taken on is bounded");

    broker.ctl(&["set_vm_memory_high_watermark", "0.4"]).await;
    stage.agrees_with(&mut crm).await;
    metric(&gateway, "gateway_relay_blocked", |value| value == 0.0).await;
    metric(&gateway, "gateway_outbox_waiting_events", |value| {
        value == 0.0
    })
    .await;
    metric(&gateway, "gateway_outbox_oldest_seconds", |value| {
        value == 0.0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_closed_is_made_again() {
    let database = Database::create(Engine::Sqlite).await;
    let broker = Broker::start("").await;
    let mut stage = Stage::new(&database).await;
    let relay = Running::start(&stage.store, &broker.url());
    let mut crm = Crm::reading(&broker.url());
    for _ in 0..3 {
        stage.much_happens(5, 100).await;
        crm.has(crm.seen.len() + 50).await;
        for connection in relays(&broker).await {
            let why = "the test says so";
            broker.ctl(&["close_connection", &connection, why]).await;
        }
    }
    stage.agrees_with(&mut crm).await;
    let left = relays(&broker).await;
    assert!(left.len() <= 1, "no connection is left behind: {left:?}");
    relay.stop().await;
}

/// The connections of relays, by their process ids in the broker.
async fn relays(broker: &Broker) -> Vec<String> {
    let listed = broker
        .ctl(&["list_connections", "pid", "client_properties"])
        .await;
    let relays = listed
        .lines()
        .filter(|line| line.contains("point-gateway relay"));
    let pids = relays.filter_map(|line| line.split_whitespace().next());
    pids.map(ToOwned::to_owned).collect()
}

/// Threads of a process that the broker's driver made, one for each connection.
fn driver_threads(process: u32) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("the process runs");
    let names = tasks
        .flatten()
        .map(|task| std::fs::read_to_string(task.path().join("comm")));
    names
        .flatten()
        .filter(|name| name.starts_with("lapin"))
        .count()
}

/// A port that takes connections and never answers: a frozen host, a firewall, something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_says_nothing_is_left_without_a_trace() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqp://guest:guest@{}", silent.local_addr().unwrap());
    let database = Database::create(Engine::Sqlite).await;
    let mut start = Installation::new(database.url()).await.unwrap().serve();
    start.arguments.extend(["--amqp-url".into(), url.into()]);
    let gateway = GatewayProcess::start(start).await.unwrap();
    for _ in 0..2 {
        let (mut connection, _) = patiently("a connection", silent.accept()).await.unwrap();
        let mut header = [0; 8];
        connection.read_exact(&mut header).await.unwrap();
        assert_eq!(&header, b"AMQP\0\0\x09\x01");
        // It hangs up, and does not leave the connection to whoever collects such things.
        let end = patiently("the end", connection.read(&mut header)).await;
        assert_eq!(end.unwrap(), 0);
    }
    patiently("a third connection", silent.accept())
        .await
        .unwrap();
    let process = gateway.id().expect("it runs");
    assert!(
        driver_threads(process) <= 1,
        "{} threads",
        driver_threads(process)
    );
}
