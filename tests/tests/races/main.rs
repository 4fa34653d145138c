//! Two gateways on one PostgreSQL database, asked for things that exclude each other at the same
//! moment. Whatever the order, exactly one of them happens, and both gateways tell the same story.

mod cards;
mod holds;
mod members;
mod requests;

use acceptance::{
    databases::{Database, Engine},
    dice::Dice,
    gateway_process::GatewayProcess,
    installation::{Installation, member_with_points},
    phone::Phone,
    till::Till,
};

/// Two gateways, two tills of one store at each, and dice.
struct Pair {
    installation: Installation,
    a: GatewayProcess,
    b: GatewayProcess,
    tills: [Till; 2],
    dice: Dice,
    requests: u32,
    // Dropped last: the gateways go before their database does.
    _database: Database,
}

impl Pair {
    async fn start(what: &str) -> anyhow::Result<Self> {
        let dice = Dice::for_run(what);
        let database = Database::create(Engine::Postgres).await;
        let installation = Installation::new(database.url()).await?;
        let a = installation.gateway().await?;
        let b = installation.gateway().await?;
        let tills = [
            installation.till(&a.base(), 1, "store-1").await?,
            installation.till(&b.base(), 2, "store-1").await?,
        ];
        Ok(Self {
            installation,
            a,
            b,
            tills,
            dice,
            requests: 0,
            _database: database,
        })
    }

    /// One till, as it is reached through both gateways.
    fn one_till(&self) -> [Till; 2] {
        let till = &self.tills[0];
        [till.at(&self.a.base()), till.at(&self.b.base())]
    }

    /// A new member with points.
    async fn member(&self, points: i64) -> Phone {
        member_with_points(&self.tills[0], points).await
    }

    fn next_id(&mut self) -> String {
        self.requests += 1;
        format!("race-{}", self.requests)
    }

    /// Lets one side start a little earlier now and then, so that both orders come up.
    fn head_start(&mut self) -> [std::time::Duration; 2] {
        let start = std::time::Duration::from_micros(self.dice.below(3_000));
        match self.dice.below(3) {
            0 => [start, std::time::Duration::ZERO],
            1 => [std::time::Duration::ZERO, start],
            _ => [std::time::Duration::ZERO; 2],
        }
    }

    /// The books are right, and both gateways are still there.
    async fn check(&mut self) -> anyhow::Result<()> {
        self.a.ready().await?;
        self.b.ready().await?;
        println!("{}", self.installation.audit().await?);
        Ok(())
    }
}

/// Runs a future a little later.
async fn after<T>(start: std::time::Duration, then: impl Future<Output = T>) -> T {
    tokio::time::sleep(start).await;
    then.await
}
