//! Several gateways, and gateways that die: one sends at a time, and another goes on.

use acceptance::{
    broker::Broker,
    databases::{Database, Engine},
    gateway_process::GatewayProcess,
    installation::Installation,
    on_each_database,
    proxy::{Flow, Proxy},
};
use gateway::store::{LeaseName, PoolSizes, Store};
use sqlx::Connection as _;

use crate::stage::{Crm, Running, Stage, metric, patiently};

on_each_database!(
    a_relay_that_stops_has_told_everything_and_lets_the_next_one_start,
    a_killed_gateway_is_followed_by_the_next_start,
);

async fn a_relay_that_stops_has_told_everything_and_lets_the_next_one_start(database: Database) {
    let host = Broker::shared().await.virtual_host().await;
    let mut stage = Stage::new(&database).await;
    let mut crm = Crm::reading(&host.url());
    for _ in 0..3 {
        let relay = Running::start(&stage.store, &host.url());
        stage.happen("points.adjusted", [1]).await;
        stage.drained().await;
        stage.much_happens(3, 50).await;
        relay.stop().await;
        assert_eq!(stage.store.outbox_status().await.unwrap().waiting, 0);
        let lease = stage.store.lease(LeaseName::Relay).await.unwrap();
        assert_eq!(lease.holder, None);
    }
    stage.agrees_with(&mut crm).await;
    assert_eq!(crm.deliveries, crm.seen.len(), "nothing was told twice");
}

async fn serve(database: &Database, amqp_url: &str) -> GatewayProcess {
    let mut start = Installation::new(database.url()).await.unwrap().serve();
    start
        .arguments
        .extend(["--amqp-url", amqp_url].map(Into::into));
    GatewayProcess::start(start).await.unwrap()
}

async fn a_killed_gateway_is_followed_by_the_next_start(database: Database) {
    let host = Broker::shared().await.virtual_host().await;
    let mut stage = Stage::new(&database).await;
    let mut gateway = serve(&database, &host.url()).await;
    let mut crm = Crm::reading(&host.url());
    for _ in 0..3 {
        stage.much_happens(10, 100).await;
        crm.has(crm.seen.len() + 200).await;
        gateway.kill().await.unwrap();
        stage.happen("purchase.completed", 0..=100).await;
        gateway.restart().await.unwrap();
    }
    stage.agrees_with(&mut crm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_gateways_one_sends_and_the_other_takes_over() {
    let host = Broker::shared().await.virtual_host().await;
    let database = Database::create(Engine::Postgres).await;
    let mut stage = Stage::new(&database).await;
    let mut crm = Crm::reading(&host.url());
    let mut holder = serve(&database, &host.url()).await;
    metric(&holder, "gateway_relay_lease_held", |value| value > 0.0).await;
    for _ in 0..2 {
        let rival = serve(&database, &host.url()).await;
        metric(&rival, "gateway_relay_connected", |value| value > 0.0).await;
        stage.much_happens(10, 100).await;
        crm.has(crm.seen.len() + 200).await;
        metric(&rival, "gateway_relay_lease_held", |value| value == 0.0).await;
        holder.kill().await.unwrap();
        metric(&rival, "gateway_relay_lease_held", |value| value > 0.0).await;
        stage.happen("purchase.completed", 0..=100).await;
        stage.agrees_with(&mut crm).await;
        holder = rival;
    }
}

/// Confirmed by the broker and not yet known to the database: it is told again, as the same message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_killed_between_confirmation_and_removal_tells_twice_and_loses_nothing() {
    let host = Broker::shared().await.virtual_host().await;
    let database = Database::create(Engine::Postgres).await;
    let mut stage = Stage::new(&database).await;
    stage.happen("points.adjusted", 0..=100).await;
    // Rows that somebody has locked can be given places and cannot be removed.
    let mut lock = sqlx::PgConnection::connect(database.url()).await.unwrap();
    let lock_rows = "BEGIN; SELECT * FROM outbox FOR UPDATE";
    sqlx::raw_sql(lock_rows).execute(&mut lock).await.unwrap();
    let mut gateway = serve(&database, &host.url()).await;
    let mut crm = Crm::reading(&host.url());
    crm.has(101).await;
    gateway.kill().await.unwrap();
    sqlx::raw_sql("ROLLBACK").execute(&mut lock).await.unwrap();
    assert!(stage.store.outbox_status().await.unwrap().waiting >= 101);

    gateway.restart().await.unwrap();
    stage.happen("purchase.completed", 0..=100).await;
    stage.agrees_with(&mut crm).await;
    assert!(
        crm.deliveries >= crm.seen.len() + 101,
        "{} deliveries",
        crm.deliveries
    );
}

/// A holder that cannot reach the database stops sending and another takes over; when it comes back
/// it finds its lease gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_without_its_database_gives_way() {
    let host = Broker::shared().await.virtual_host().await;
    let database = Database::create(Engine::Postgres).await;
    let mut stage = Stage::new(&database).await;
    let (proxy, url) = Proxy::before_database(database.url()).await.unwrap();
    let sizes = PoolSizes { write: 1, read: 1 };
    let cut_off = Store::open(&url.parse().unwrap(), sizes).await.unwrap();
    let first = Running::start(&cut_off, &host.url());
    let mut crm = Crm::reading(&host.url());
    stage.much_happens(5, 100).await;
    crm.has(100).await;
    let holder = stage.store.lease(LeaseName::Relay).await.unwrap().holder;
    proxy.set(Flow::Frozen);
    let second = Running::start(&stage.store, &host.url());
    stage.happen("purchase.completed", 0..=100).await;
    stage.agrees_with(&mut crm).await;
    let now = stage.store.lease(LeaseName::Relay).await.unwrap().holder;
    assert!(now.is_some() && now != holder, "{now:?}");
    proxy.set(Flow::Open);
    stage.happen("purchase.completed", 0..=100).await;
    stage.agrees_with(&mut crm).await;
    second.stop().await;
    // The first is asked to stop last: if it still believed to hold the lease, it would show now.
    stage.happen("purchase.completed", 0..=100).await;
    stage.agrees_with(&mut crm).await;
    patiently("stopping", first.stop()).await;
}
