//! Exchange and queues that are taken away, changed, or were somebody else's from the beginning.

use acceptance::{
    broker::{Broker, VirtualHost},
    databases::{Database, Engine},
    gateway_process::GatewayProcess,
    installation::Installation,
    on_each_database,
};
use gateway::outbox::{DEAD_EXCHANGE, DEAD_QUEUE, EXCHANGE, QUEUE};
use serde_json::json;

use crate::stage::{Crm, Running, Stage};

on_each_database!(an_event_that_no_queue_takes_holds_back_only_its_member);

async fn an_event_that_no_queue_takes_holds_back_only_its_member(database: Database) {
    let host = Broker::shared().await.virtual_host().await;
    own_queue(&host, json!({}), "purchase.*").await;
    let mut stage = Stage::new(&database).await;
    let relay = Running::start(&stage.store, &host.url());
    let mut crm = Crm::reading(&host.url());
    stage.happen("purchase.completed", [1, 2, 3]).await;
    stage.happen("points.adjusted", [1, 0]).await;
    for _ in 0..10 {
        stage.happen("purchase.completed", 0..=5).await;
    }
    crm.has(3 + 5 * 10).await;
    let (member, _) = crm.first.first_key_value().expect("a member");
    assert_eq!(
        crm.first[member],
        [1],
        "the first member's later events wait for the one that comes back"
    );
    assert_eq!(crm.first.len(), 5);

    host.bind(EXCHANGE, QUEUE, "points.adjusted").await;
    stage.agrees_with(&mut crm).await;
    relay.stop().await;
}

/// A queue that was there before the gateway: it is not the gateway's to change.
async fn own_queue(host: &VirtualHost<'_>, arguments: serde_json::Value, key: &str) {
    host.declare_exchange(EXCHANGE, "topic").await;
    host.declare_queue(QUEUE, arguments).await;
    host.bind(EXCHANGE, QUEUE, key).await;
}

async fn stage_of(engine: Engine) -> (Database, Stage) {
    let database = Database::create(engine).await;
    let stage = Stage::new(&database).await;
    (database, stage)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_taken_away_is_made_again() {
    let host = Broker::shared().await.virtual_host().await;
    let (_database, mut stage) = stage_of(Engine::Postgres).await;
    let relay = Running::start(&stage.store, &host.url());
    let mut crm = Crm::reading(&host.url());
    stage.happen("points.adjusted", 0..=50).await;
    stage.agrees_with(&mut crm).await;

    host.delete("queues", QUEUE).await;
    stage.much_happens(10, 50).await;
    stage.agrees_with(&mut crm).await;

    host.unbind(EXCHANGE, QUEUE, "#").await;
    stage.much_happens(10, 50).await;
    stage.agrees_with(&mut crm).await;

    host.delete("exchanges", EXCHANGE).await;
    stage.much_happens(10, 50).await;
    stage.agrees_with(&mut crm).await;
    relay.stop().await;
}

/// While queues come and go all the time, with many messages in flight: not one that came back may be
/// taken for one that arrived.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_back_is_never_taken_for_confirmed() {
    let host = Broker::shared().await.virtual_host().await;
    own_queue(&host, json!({}), "#").await;
    let (_database, mut stage) = stage_of(Engine::Postgres).await;
    let relay = Running::start(&stage.store, &host.url());
    let mut crm = Crm::reading(&host.url());
    for _ in 0..20 {
        stage.happen("points.adjusted", 0..=100).await;
        stage.happen("purchase.completed", 0..=100).await;
        host.unbind(EXCHANGE, QUEUE, "#").await;
        stage.happen("points.adjusted", 0..=100).await;
        host.bind(EXCHANGE, QUEUE, "#").await;
    }
    stage.agrees_with(&mut crm).await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_gets_the_rest_when_it_is_read() {
    let host = Broker::shared().await.virtual_host().await;
    own_queue(
        &host,
        json!({ "x-max-length": 10, "x-overflow": "reject-publish" }),
        "#",
    )
    .await;
    let (_database, mut stage) = stage_of(Engine::Sqlite).await;
    let relay = Running::start(&stage.store, &host.url());
    stage.much_happens(3, 50).await;
    stage.placed(150).await;
    let mut crm = Crm::reading(&host.url());
    stage.agrees_with(&mut crm).await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_differs_is_used_as_it_is_and_said_once() {
    let host = Broker::shared().await.virtual_host().await;
    own_queue(&host, json!({}), "#").await;
    let (database, mut stage) = stage_of(Engine::Sqlite).await;
    let mut start = Installation::new(database.url()).await.unwrap().serve();
    start
        .arguments
        .extend(["--amqp-url".into(), host.url().into()]);
    let gateway = GatewayProcess::start(start).await.unwrap();
    let mut crm = Crm::reading(&host.url());
    stage.happen("points.adjusted", 0..=20).await;
    stage.agrees_with(&mut crm).await;
    let said = gateway
        .line(|line| line.contains("broker.differs"))
        .await
        .unwrap();
    assert!(
        said.contains(QUEUE) && said.contains("inequivalent"),
        "{said}"
    );
    let queue = host.thing("queues", QUEUE).await.expect("the queue");
    assert_eq!(queue["type"], "classic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_consumer_cannot_stomach_ends_with_the_dead_letters() {
    let host = Broker::shared().await.virtual_host().await;
    let (_database, mut stage) = stage_of(Engine::Sqlite).await;
    let relay = Running::start(&stage.store, &host.url());
    stage.happen("points.adjusted", [1]).await;
    stage.drained().await;
    for (kind, name) in [
        ("exchanges", EXCHANGE),
        ("exchanges", DEAD_EXCHANGE),
        ("queues", QUEUE),
        ("queues", DEAD_QUEUE),
    ] {
        assert!(host.thing(kind, name).await.is_some(), "{name}");
    }
    crate::stage::fail_at(&host.url(), QUEUE).await;
    let mut dead = Crm::reading_from(&host.url(), DEAD_QUEUE);
    dead.has(1).await;
    relay.stop().await;
}
