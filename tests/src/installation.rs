//! A gateway's database with a programme and tills, set up the way an operator does it: with the
//! program's own commands.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::Value;

use crate::{
    ask::{Ask, receipt},
    gateway_process::{GatewayProcess, Start, run_well},
    phone::Phone,
    reply::Reply,
    till::Till,
};
use member_card::SpendLimit;

/// The programme of the tests: 1 point for 100 yen, tax included, floored.
pub const PROGRAMME: &str = "demo";
/// Yen that earn one point.
pub const YEN_PER_POINT: i64 = 100;

/// A database that gateways can serve.
#[derive(Debug, Clone)]
pub struct Installation {
    database_url: String,
}

impl Installation {
    /// Brings the schema of an empty database up to date.
    ///
    /// # Errors
    /// If the program's command fails.
    pub async fn new(database_url: &str) -> anyhow::Result<Self> {
        run_well("gateway", &["migrate", "--database-url", database_url]).await?;
        Ok(Self {
            database_url: database_url.to_owned(),
        })
    }

    /// The database.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// How to serve this database; more arguments may follow.
    #[must_use]
    pub fn serve(&self) -> Start {
        self.serve_through(&self.database_url)
    }

    /// How to serve this database when it is reached by another URL.
    #[must_use]
    pub fn serve_through(&self, database_url: &str) -> Start {
        let programme = programme_file();
        let mut start = Start::new(["serve", "--database-url", database_url, "--programme"]);
        start.arguments.push(programme.into());
        // Tests play the proxy in front, so that every phone has an address and a rate of its own.
        start
            .arguments
            .extend(["--trusted-proxies", "1"].map(Into::into));
        start
    }

    /// Starts a gateway and waits until it is ready.
    ///
    /// # Errors
    /// If it does not become ready.
    pub async fn gateway(&self) -> anyhow::Result<GatewayProcess> {
        GatewayProcess::start(self.serve()).await
    }

    /// Makes a till `till-N` with a terminal of its own in `store`.
    ///
    /// # Errors
    /// If the program's command fails.
    pub async fn till(&self, base: &str, number: usize, store: &str) -> anyhow::Result<Till> {
        let (client, terminal) = (format!("till-{number}"), format!("terminal-{number}"));
        let made = run_well(
            "gateway",
            &[
                "admin",
                "client",
                "create",
                "--database-url",
                &self.database_url,
                "--id",
                &client,
                "--scope",
                "pos",
                "--terminal",
                &terminal,
                "--store",
                store,
                "--json",
            ],
        )
        .await?;
        let made: Value = serde_json::from_str(&made).context("the client as JSON")?;
        let secret = made["client_secret"]
            .as_str()
            .context("the client's secret")?;
        Ok(Till::new(base, &client, &terminal, secret))
    }

    /// Rechecks the books; the verdict.
    ///
    /// # Errors
    /// If the audit finds a broken row; with its words.
    pub async fn audit(&self) -> anyhow::Result<String> {
        let url = &self.database_url;
        let said = run_well("gateway", &["audit", "--database-url", url]).await?;
        Ok(said.lines().last().unwrap_or_default().to_owned())
    }
}

/// The file of the tests' programme.
#[must_use]
pub fn programme_file() -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "gateway",
        "programmes",
        "demo.toml",
    ]
    .iter()
    .collect()
}

/// Enrols a new phone and lets it earn `points` with one purchase at `till`.
///
/// # Panics
/// If the gateway refuses.
pub async fn member_with_points(till: &Till, points: i64) -> Phone {
    let phone = Phone::new(PROGRAMME);
    phone.enrol(till.base()).await;
    if points > 0 {
        earn(till, &phone, points).await;
    }
    phone
}

/// Lets a member earn `points` with one purchase at `till`.
///
/// # Panics
/// If the gateway refuses.
pub async fn earn(till: &Till, phone: &Phone, points: i64) -> Reply {
    let shown = phone.show(SpendLimit::EarnOnly).await;
    let name = format!("earn-{}-{}", phone.card_id(), shown.issued_at);
    let receipt = receipt("R-0", &[points * YEN_PER_POINT]);
    let ask = Ask::purchase(&name, &name, &shown.text, 0, receipt);
    let reply = till.insist(&ask).await.approved();
    assert_eq!(
        reply.number("/purchase/points_earned"),
        points,
        "1 point for {YEN_PER_POINT} yen: {reply:?}"
    );
    reply
}
