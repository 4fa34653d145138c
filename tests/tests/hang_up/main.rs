//! Connections that break: clients that hang up at any moment, a database that goes away or hangs, a
//! disk that is full, a gateway that is asked to end. Nothing acknowledged is lost, nothing happens
//! twice, and what cannot be answered is answered 503, never an approval.

mod clients;
mod database;
mod outage;
mod shutdown;

use acceptance::{
    ask::{Ask, receipt},
    databases::Database,
    gateway_process::{GatewayProcess, Start},
    installation::{Installation, member_with_points},
    phone::Phone,
    till::Till,
};
use member_card::SpendLimit;

/// Points each phone's member begins with.
const POINTS: i64 = 1_000;
/// Texts of one phone, before the next takes over: it has only so many fresh ones.
const TEXTS_PER_PHONE: usize = 14;

/// A gateway with a till, and as many members as there are baskets to serve.
struct Counter {
    installation: Installation,
    gateway: GatewayProcess,
    till: Till,
    phones: Vec<Phone>,
    sales: usize,
    // Dropped last: the gateway goes before its database does.
    database: Database,
}

impl Counter {
    /// A counter for so many sales.
    async fn open(database: Database, sales: usize) -> anyhow::Result<Self> {
        Self::open_with(database, sales, Installation::serve).await
    }

    /// The same, with a gateway started in a way of its own.
    async fn open_with(
        database: Database,
        sales: usize,
        start: impl FnOnce(&Installation) -> Start,
    ) -> anyhow::Result<Self> {
        let installation = Installation::new(database.url()).await?;
        let gateway = GatewayProcess::start(start(&installation)).await?;
        let till = installation.till(&gateway.base(), 1, "store-1").await?;
        let mut phones = Vec::new();
        for _ in 0..sales.div_ceil(TEXTS_PER_PHONE) {
            phones.push(member_with_points(&till, POINTS).await);
        }
        Ok(Self {
            installation,
            gateway,
            till,
            phones,
            sales: 0,
            database,
        })
    }

    /// The next sale: it takes one point and earns none.
    async fn next_sale(&mut self) -> Ask {
        let phone = &self.phones[self.sales % self.phones.len()];
        self.sales += 1;
        let shown = phone.show(SpendLimit::Unlimited).await;
        let id = format!("sale-{}", self.sales);
        Ask::purchase(&id, &id, &shown.text, 1, receipt("R-1", &[99]))
    }

    /// Points that all members have together: (available, held).
    async fn points(&self) -> (i64, i64) {
        let (mut available, mut held) = (0, 0);
        for phone in &self.phones {
            let points = phone.points(&self.gateway.base()).await;
            available += points.0;
            held += points.1;
        }
        (available, held)
    }

    /// So many sales have happened, each once; the books are right.
    async fn check(&mut self, sold: usize) -> anyhow::Result<()> {
        let before = POINTS * i64::try_from(self.phones.len())?;
        let left = before - i64::try_from(sold)?;
        assert_eq!(self.points().await, (left, 0), "after {sold} sales");
        self.gateway.ready().await?;
        println!("{}", self.installation.audit().await?);
        Ok(())
    }
}
