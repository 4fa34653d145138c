//! The whole road, from the scanner to the CRM, while everything on it dies.
//!
//! Till programs with their journals sell at two gateways on one PostgreSQL; the relay tells RabbitMQ;
//! the example CRM counts. Gateways, tills, the broker and the CRM are killed (SIGKILL) along the way, and
//! half of the tills lose, delay and double their own traffic, and some cashiers cannot wait. Afterwards the audit is clean, every
//! sale that any till was told of has exactly one event, the CRM counted those and no others, first
//! deliveries keep each member's order, and every journal agrees with the gateway.
//!
//! The run is bounded by baskets, not by time, and tills do not run ahead of what is killed.
//! `END_TO_END_SCALE=3` makes it three times as long
//! (30 kills); `TEST_SEED` repeats a run's choices.

mod books;
mod cashier;
mod crm;
mod killer;
mod queue;
mod till;

use std::sync::Arc;

use acceptance::{
    broker::{Broker, VirtualHost},
    databases::{Database, Engine},
    dice::Dice,
    gateway_process::{GatewayProcess, Start},
    installation::{Installation, PROGRAMME, earn},
    phone::Phone,
    till::{Till, http_client},
};
use serde_json::json;
use tokio::{sync::watch, task::JoinSet};

use books::Books;
use cashier::Cashier;
use crm::Crm;
use queue::Witness;
use till::{Manner, TillProgram};

/// Tills, each a program of its own.
const TILLS: usize = 64;
/// Members whose cards are shown, over and over.
const MEMBERS: usize = 160;
/// Points each member begins with.
const POINTS_FIRST: i64 = 2_000;
/// Baskets that each till serves.
const BASKETS_PER_TILL: usize = 10;
/// How often something is killed.
const KILLS: usize = 10;
/// Phones that are set up at once.
const SETUP_AT_ONCE: usize = 16;
/// The store of every till.
const STORE: &str = "store-1";

/// What all cashiers share.
pub(crate) struct World {
    /// The members' phones.
    pub(crate) phones: Vec<Phone>,
    /// What cashiers were told.
    pub(crate) books: Books,
    /// Baskets served so far.
    pub(crate) served: watch::Sender<usize>,
    /// So many may be begun, that something is left to do when the next thing dies.
    pub(crate) allowed: watch::Sender<usize>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_dies_every_sale_is_told_once_and_journals_agree() {
    let scale = std::env::var("END_TO_END_SCALE").map_or(1, |text| text.parse().unwrap());
    let database = Database::create(Engine::Postgres).await;
    let mut broker = Broker::start("").await;
    let amqp_url = {
        let host = broker.virtual_host().await;
        prepare(&host).await;
        host.url()
    };
    let installation = Installation::new(database.url()).await.unwrap();
    let mut gateways = Vec::new();
    for _ in 0..2 {
        gateways.push(
            GatewayProcess::start(serve(&installation, &amqp_url))
                .await
                .unwrap(),
        );
    }
    let mut crm = Crm::new();
    crm.start(&amqp_url);
    let mut dice = Dice::for_run("end to end");
    let (tills, phones) = set_up(&installation, &gateways, &mut dice).await;
    let world = Arc::new(World {
        phones,
        books: Books::default(),
        served: watch::Sender::new(0),
        allowed: watch::Sender::new(0),
    });

    let pids = tills.iter().map(TillProgram::pid).collect();
    let mut work = JoinSet::new();
    for till in tills {
        let cashier = Cashier::new(world.clone(), till, dice.fork());
        work.spawn(cashier.serve(BASKETS_PER_TILL * scale));
    }
    let mut doomed = killer::Doomed {
        gateways: &mut gateways,
        broker: &mut broker,
        crm: &mut crm,
        amqp_url: &amqp_url,
        tills: pids,
    };
    let kills = killer::kill(
        &mut doomed,
        &world,
        KILLS * scale,
        TILLS * BASKETS_PER_TILL * scale,
    )
    .await;
    let mut tills = Vec::new();
    while let Some(ended) = work.join_next().await {
        tills.push(ended.unwrap());
    }

    let told = crm::drain(&database, &crm).await;
    let witness = Witness::read(&amqp_url, told.len()).await;
    witness.check(&told);
    world.books.check(&told);
    let mut journals = JoinSet::new();
    for till in tills {
        journals.spawn(async move { till.check().await });
    }
    let mut entries = 0;
    while let Some(checked) = journals.join_next().await {
        entries += checked.unwrap();
    }
    println!("killed: {kills}");
    println!("{}", world.books.summary());
    println!("{}", witness.summary());
    println!("{entries} journal entries agree with the gateway");
    println!("{}", installation.audit().await.unwrap());
}

/// A second queue beside the CRM's, that sees every delivery. Declared long before anything dies: a
/// node that is killed forgets what was declared in its last seconds.
async fn prepare(host: &VirtualHost<'_>) {
    host.declare_exchange(queue::EXCHANGE, "topic").await;
    host.declare_queue(queue::WITNESS, json!({"x-queue-type": "quorum"}))
        .await;
    host.bind(queue::EXCHANGE, queue::WITNESS, "#").await;
}

fn serve(installation: &Installation, amqp_url: &str) -> Start {
    let mut start = installation.serve();
    start
        .arguments
        .extend(["--amqp-url", amqp_url].map(Into::into));
    start
}

/// Makes the tills, their programs, and members with points.
async fn set_up(
    installation: &Installation,
    gateways: &[GatewayProcess],
    dice: &mut Dice,
) -> (Vec<TillProgram>, Vec<Phone>) {
    let mut tills = Vec::new();
    for number in 0..TILLS {
        let base = gateways[number % gateways.len()].base();
        let client = installation.till(&base, number, STORE).await.unwrap();
        let manner = Manner {
            chaos: (number % 2 == 0).then(|| dice.next_u64() >> 1),
            impatient: number % 8 < 2,
        };
        tills.push(TillProgram::start(client, manner).await);
    }
    // What members begin with is sold elsewhere: it stands in no till's journal.
    let base = gateways[0].base();
    let elsewhere = installation.till(&base, TILLS, STORE).await.unwrap();
    (tills, make_phones(&elsewhere).await)
}

async fn make_phones(client: &Till) -> Vec<Phone> {
    let (http, mut setups, mut phones) = (http_client(), JoinSet::new(), Vec::new());
    for _ in 0..MEMBERS {
        if setups.len() == SETUP_AT_ONCE {
            phones.extend(setups.join_next().await.map(Result::unwrap));
        }
        let (client, http) = (client.clone(), http.clone());
        setups.spawn(async move {
            let phone = Phone::with_client(PROGRAMME, http);
            phone.enrol(client.base()).await;
            earn(&client, &phone, POINTS_FIRST).await;
            phone
        });
    }
    while let Some(phone) = setups.join_next().await {
        phones.push(phone.unwrap());
    }
    phones
}
