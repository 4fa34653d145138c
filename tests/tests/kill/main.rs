//! Gateways are killed (SIGKILL) again and again under the mixed traffic of many tills. After all of
//! it, nothing acknowledged is lost, nothing happened twice, no card text served two baskets, and
//! every balance is the one that the tills' own books say.
//!
//! The run is bounded by baskets, not by time. `KILL_TEST_SCALE=10` makes it ten times as long;
//! `TEST_SEED` repeats a run's choices.

mod books;
mod cashier;
mod hostile;

use std::sync::Arc;

use acceptance::{
    databases::{Database, Engine},
    dice::Dice,
    gateway_process::GatewayProcess,
    installation::{Installation, PROGRAMME, earn},
    on_each_database,
    phone::Phone,
    till::{Till, http_client},
};
use tokio::{
    sync::{Mutex, mpsc, watch},
    task::JoinSet,
};

use books::{Book, Books};
use cashier::Cashier;

/// Members whose cards are shown, over and over.
const MEMBERS: usize = 200;
/// Tills that serve baskets.
const TILLS: usize = 56;
/// Tills that show every text they can get hold of in a basket of their own.
const HOSTILE_TILLS: usize = 8;
/// Baskets that each till serves.
const BASKETS_PER_TILL: usize = 8;
/// How often a gateway is killed.
const KILLS: usize = 10;
/// Points each member begins with.
const POINTS_FIRST: i64 = 2_000;
/// Texts on their way to the hostile tills.
const TEXTS_MAX: usize = 4_096;
/// Phones that are set up at once.
const SETUP_AT_ONCE: usize = 16;

/// What all tills share.
pub(crate) struct World {
    /// The gateways' base URLs.
    pub(crate) bases: Vec<String>,
    /// The members.
    pub(crate) members: Vec<Member>,
    /// What the tills know to have happened.
    pub(crate) books: Books,
    /// Baskets served so far.
    pub(crate) progress: watch::Sender<usize>,
}

/// A member, as the tests know it.
pub(crate) struct Member {
    /// The phone.
    pub(crate) phone: Phone,
    /// The member's points, by what the gateway acknowledged.
    pub(crate) book: Book,
}

on_each_database!(kills);

/// On SQLite one gateway is killed; on PostgreSQL two, in turn.
async fn kills(database: Database) {
    let gateways = match database.engine() {
        Engine::Sqlite => 1,
        Engine::Postgres => 2,
    };
    survive(database.url(), gateways).await.unwrap();
}

async fn survive(database_url: &str, gateways: usize) -> anyhow::Result<()> {
    let scale = match std::env::var("KILL_TEST_SCALE") {
        Ok(text) => text.parse()?,
        Err(_) => 1,
    };
    let mut dice = Dice::for_run("kill");
    let installation = Installation::new(database_url).await?;
    let mut running = Vec::new();
    for _ in 0..gateways {
        running.push(installation.gateway().await?);
    }
    let bases: Vec<_> = running.iter().map(GatewayProcess::base).collect();
    let tills = make_tills(&installation, &bases).await?;
    let world = Arc::new(World {
        members: make_members(&tills).await,
        bases,
        books: Books::default(),
        progress: watch::Sender::new(0),
    });

    let baskets = BASKETS_PER_TILL * scale;
    let served = world.progress.subscribe();
    let killer = kill_in_turn(&mut running, served, KILLS * scale, TILLS * baskets);
    let serving = serve_all(&world, &tills, baskets, &mut dice);
    tokio::try_join!(killer, async {
        serving.await;
        Ok(())
    })?;

    check(&world, &tills).await;
    println!("{}", world.books.summary());
    println!("{}", installation.audit().await?);
    Ok(())
}

async fn make_tills(installation: &Installation, bases: &[String]) -> anyhow::Result<Vec<Till>> {
    let mut tills = Vec::new();
    for number in 0..TILLS + HOSTILE_TILLS {
        let base = &bases[number % bases.len()];
        tills.push(installation.till(base, number, "store-1").await?);
    }
    Ok(tills)
}

async fn make_members(tills: &[Till]) -> Vec<Member> {
    let (http, mut setups, mut members) = (http_client(), JoinSet::new(), Vec::new());
    for number in 0..MEMBERS {
        if setups.len() == SETUP_AT_ONCE {
            members.extend(setups.join_next().await.map(Result::unwrap));
        }
        let (till, http) = (tills[number % tills.len()].clone(), http.clone());
        setups.spawn(async move {
            let phone = Phone::with_client(PROGRAMME, http);
            phone.enrol(till.base()).await;
            earn(&till, &phone, POINTS_FIRST).await;
            let book = Book::with(POINTS_FIRST);
            Member { phone, book }
        });
    }
    while let Some(member) = setups.join_next().await {
        members.push(member.unwrap());
    }
    members
}

/// Runs every till to the end of its baskets, and the hostile ones until they have tried every text.
async fn serve_all(world: &Arc<World>, tills: &[Till], baskets: usize, dice: &mut Dice) {
    let (honest, hostile) = tills.split_at(TILLS);
    let (texts, seen) = mpsc::channel(TEXTS_MAX);
    let seen = Arc::new(Mutex::new(seen));
    let mut work = JoinSet::new();
    for till in honest {
        let cashier = Cashier::new(world.clone(), till.clone(), dice.fork(), texts.clone());
        work.spawn(cashier.serve(baskets));
    }
    drop(texts);
    for till in hostile {
        let cashier = Cashier::new(world.clone(), till.clone(), dice.fork(), mpsc::channel(1).0);
        work.spawn(hostile::replay_all(cashier, seen.clone()));
    }
    while let Some(ended) = work.join_next().await {
        ended.unwrap();
    }
}

/// Kills and restarts one gateway after the other, evenly over the baskets.
async fn kill_in_turn(
    running: &mut [GatewayProcess],
    mut progress: watch::Receiver<usize>,
    kills: usize,
    baskets: usize,
) -> anyhow::Result<()> {
    for kill in 1..=kills {
        let threshold = baskets * kill / (kills + 1);
        progress.wait_for(|served| *served >= threshold).await?;
        let turn = kill % running.len();
        running[turn].kill().await?;
        running[turn].restart().await?;
    }
    Ok(())
}

/// Everything that has to hold afterwards, asked over the wire.
async fn check(world: &Arc<World>, tills: &[Till]) {
    world.books.check_texts();
    let mut work = JoinSet::new();
    for till in tills {
        let (world, till) = (world.clone(), till.clone());
        work.spawn(async move { world.books.check_answers(&world.bases, &till).await });
    }
    while let Some(ended) = work.join_next().await {
        ended.unwrap();
    }
    for (number, member) in world.members.iter().enumerate() {
        let base = &world.bases[number % world.bases.len()];
        let points = member.phone.points(base).await;
        assert_eq!(
            points,
            member.book.points(),
            "(available, held) of member {number}, by the gateway and by the acknowledged answers"
        );
    }
}
