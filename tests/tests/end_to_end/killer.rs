//! Kills what is on the road, in turns, evenly over the baskets.

use std::{
    collections::BTreeMap,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use acceptance::{broker::Broker, gateway_process::GatewayProcess};

use crate::{World, crm::Crm};

/// Everything that may be killed.
pub(crate) struct Doomed<'a> {
    pub(crate) gateways: &'a mut [GatewayProcess],
    pub(crate) broker: &'a mut Broker,
    pub(crate) crm: &'a mut Crm,
    pub(crate) amqp_url: &'a str,
    pub(crate) tills: Vec<Arc<AtomicU32>>,
}

/// The turns: gateways most often.
const TURNS: [&str; 10] = [
    "gateway", "till", "broker", "gateway", "crm", "till", "gateway", "broker", "till", "gateway",
];

/// Kills so often, and starts again what does not do so by itself. What was killed, and how often.
pub(crate) async fn kill(
    doomed: &mut Doomed<'_>,
    world: &World,
    kills: usize,
    baskets: usize,
) -> String {
    let mut served = world.served.subscribe();
    let mut killed = BTreeMap::<&str, usize>::new();
    for kill in 1..=kills {
        let threshold = baskets * kill / (kills + 1);
        let ahead = baskets * (kill + 1) / (kills + 1);
        world.allowed.send_replace(ahead);
        served
            .wait_for(|served| *served >= threshold)
            .await
            .unwrap();
        let turn = TURNS[(kill - 1) % TURNS.len()];
        *killed.entry(turn).or_default() += 1;
        match turn {
            "gateway" => {
                let number = killed[turn] % doomed.gateways.len();
                let gateway = &mut doomed.gateways[number];
                gateway.kill().await.unwrap();
                gateway.restart().await.unwrap();
            }
            "broker" => {
                doomed.broker.kill();
                doomed.broker.restart().await;
            }
            "crm" => {
                doomed.crm.kill().await;
                doomed.crm.start(doomed.amqp_url);
            }
            _ => {
                // Its cashier notices, and starts it again.
                let number = killed[turn] * 7 % doomed.tills.len();
                let pid = doomed.tills[number].load(Ordering::SeqCst).to_string();
                let sent = Command::new("sh")
                    .args(["-c", "kill -9 \"$0\"", &pid])
                    .status();
                assert!(sent.unwrap().success(), "no till {pid}");
            }
        }
    }
    world.allowed.send_replace(usize::MAX);
    format!("{killed:?}")
}
