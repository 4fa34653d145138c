//! Nothing goes wrong.

use acceptance::{broker::Broker, databases::Database, on_each_database};

use crate::stage::{Crm, Running, Stage};

on_each_database!(
    everything_that_happens_is_told_in_order,
    what_waited_before_there_was_a_broker_is_told_too,
);

async fn everything_that_happens_is_told_in_order(database: Database) {
    let host = Broker::shared().await.virtual_host().await;
    let mut stage = Stage::new(&database).await;
    let relay = Running::start(&stage.store, &host.url());
    let mut crm = Crm::reading(&host.url());
    for _ in 0..20 {
        stage.happen("points.adjusted", 0..20).await;
        stage.happen("purchase.completed", [1, 1, 2]).await;
    }
    stage.agrees_with(&mut crm).await;
    assert_eq!(crm.deliveries, 460, "and once, where nothing goes wrong");
    relay.stop().await;
}

async fn what_waited_before_there_was_a_broker_is_told_too(database: Database) {
    let host = Broker::shared().await.virtual_host().await;
    let mut stage = Stage::new(&database).await;
    stage.much_happens(30, 100).await;
    let relay = Running::start(&stage.store, &host.url());
    let mut crm = Crm::reading(&host.url());
    stage.agrees_with(&mut crm).await;
    relay.stop().await;
}
