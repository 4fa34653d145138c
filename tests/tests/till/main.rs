//! The till's half against the real gateway: answers that are lost, doubled and late, a gateway that is
//! killed at every step, a till that is killed, journals that are torn, full disks, two tills with one
//! name. At the end of each the gateway's purchases are the journal's, and its books are clean.

mod deadlines;
mod golden;
mod journals;
mod killed;
mod line;
mod process;
mod steps;
mod storm;
mod twins;

use std::{collections::BTreeSet, path::Path, time::Duration};

use acceptance::{
    databases::Database,
    gateway_process::{GatewayProcess, run_well},
    installation::{Installation, member_with_points},
    phone::Phone,
    till::Till,
};
use jiff::Timestamp;
use member_card::SpendLimit;
use pos_protocol::{
    BasketId, Points, Receipt,
    client::{Account, Client, Notice, Sale, Scan, Settings, Sold, Verdict},
};
use serde_json::Value;
use tokio::sync::mpsc;

/// Points each member begins with.
const POINTS: i64 = 5_000;
/// Longer than anything a test waits for, however slow the machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A gateway with a till's account and a member.
struct Shop {
    installation: Installation,
    gateway: GatewayProcess,
    till: Till,
    /// Another till, whose sales give members their points and do not count.
    giver: Till,
    phone: Phone,
    // Dropped last: the gateway goes before its database does.
    _database: Database,
}

impl Shop {
    async fn open(database: Database) -> anyhow::Result<Self> {
        let installation = Installation::new(database.url()).await?;
        let gateway = installation.gateway().await?;
        let till = installation.till(&gateway.base(), 1, "store-1").await?;
        let giver = installation.till(&gateway.base(), 2, "store-1").await?;
        let phone = member_with_points(&giver, POINTS).await;
        Ok(Self {
            installation,
            gateway,
            till,
            giver,
            phone,
            _database: database,
        })
    }

    /// The till's account at this gateway, or at what stands in front of it.
    fn account(&self, gateway: &str) -> Account {
        Account {
            gateway: gateway.to_owned(),
            client_id: self.till.client_id.to_string(),
            client_secret: self.till.secret().to_owned(),
        }
    }

    fn client(&self, folder: &Path, gateway: &str, settings: Settings) -> (Client, Notices) {
        let account = self.account(gateway);
        let (client, _, notices) = Client::open(folder, account, settings).expect("a journal");
        (client, Notices(notices))
    }

    /// Purchases by the gateway's events, without the giver's: completed, and
    /// of those the ones undone.
    async fn bought(&self) -> anyhow::Result<(BTreeSet<String>, BTreeSet<String>)> {
        let url = self.installation.database_url();
        let arguments = ["events", "--database-url", url, "--type", "purchase."];
        let (mut completed, mut undone) = (BTreeSet::new(), BTreeSet::new());
        for line in run_well("gateway", &arguments).await?.lines() {
            let event: Value = serde_json::from_str(line)?;
            let (kind, data) = (event["type"].as_str().unwrap_or_default(), &event["data"]);
            let id = data["purchase_id"].as_str().unwrap_or_default().to_owned();
            if kind.ends_with("purchase.completed") {
                if data["terminal_id"] != *self.giver.terminal {
                    completed.insert(id);
                }
            } else if kind.ends_with("purchase.reversed") {
                undone.insert(id);
            }
        }
        undone.retain(|id| completed.contains(id));
        Ok((completed, undone))
    }

    /// What has to hold when everything is settled: the journal's sales are the gateway's, no basket
    /// was sold twice, both sides' totals agree, and the books are clean.
    async fn check(&self, clients: &[&Client]) -> anyhow::Result<()> {
        let mut sold = Vec::<Sold>::new();
        for client in clients {
            settled(client).await;
            sold.extend(
                client
                    .book(|book| book.sold().collect::<Vec<_>>())
                    .await
                    .unwrap(),
            );
        }
        self.check_sold(&sold).await?;
        // Two clients of one terminal know half of its totals each.
        if let [client] = clients {
            let day = client.business_date();
            let answer = client.settle(day, false).await.verdict;
            let answer = answer.approved().expect("a settlement");
            assert_eq!(answer.differences, Some(Vec::new()), "{answer:?}");
        }
        Ok(())
    }

    async fn check_sold(&self, sold: &[Sold]) -> anyhow::Result<()> {
        let ids = |undone: bool| {
            let wanted = sold.iter().filter(move |sold| !undone || sold.reversed);
            let ids = wanted.map(|sold| sold.purchase_id.to_string());
            ids.collect::<BTreeSet<String>>()
        };
        let (completed, undone) = self.bought().await?;
        assert_eq!(ids(false), completed, "purchases, by journal and gateway");
        assert_eq!(
            ids(true),
            undone,
            "purchases undone, by journal and gateway"
        );
        let mut receipts = BTreeSet::new();
        for sold in sold.iter().filter(|sold| !sold.reversed) {
            let number = &sold.receipt.number;
            assert!(receipts.insert(number), "{number} was sold twice");
        }
        println!("{}", self.installation.audit().await?);
        Ok(())
    }
}

/// What the till's half said beside the verdicts.
struct Notices(mpsc::Receiver<Notice>);

impl Notices {
    /// The next notice that `wanted` takes.
    async fn until(&mut self, wanted: impl Fn(&Notice) -> bool) -> Notice {
        let found = async {
            loop {
                let notice = self.0.recv().await.expect("the client is open");
                if wanted(&notice) {
                    return notice;
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.expect("the notice comes")
    }
}

/// Settings of a till that waits for its answers, and tries again soon.
fn patient() -> Settings {
    Settings {
        deadline: PATIENCE,
        deadline_away: PATIENCE,
        attempt: Duration::from_secs(5),
        backoff_first: Duration::from_millis(50),
        backoff_max: Duration::from_millis(200),
        ..Settings::default()
    }
}

/// Settings of a till in a hurry.
fn hasty() -> Settings {
    Settings {
        deadline: Duration::from_millis(300),
        deadline_away: Duration::from_millis(100),
        ..patient()
    }
}

/// Waits until the journal has nothing left to do.
async fn settled(client: &Client) {
    let settled = tokio::time::timeout(PATIENCE, client.settled()).await;
    settled.expect("it settles").expect("the client is open");
}

/// A text nobody has seen, scanned now.
async fn scan(phone: &Phone) -> Scan {
    let shown = phone.show(SpendLimit::Unlimited).await;
    Scan {
        text: shown.text.to_digits(),
        at: now(),
    }
}

/// A new basket's name.
async fn basket(client: &Client) -> BasketId {
    client.new_basket().await.expect("the client is open")
}

fn now() -> Timestamp {
    gateway::clock::Clock::system().now()
}

/// A sale of one article; its receipt is numbered after the basket.
fn sale(basket_id: &BasketId, scan: Scan, redeem: i64) -> Sale {
    Sale {
        basket_id: basket_id.clone(),
        scan,
        authorization_id: None,
        redeem_points: (redeem > 0).then(|| points(redeem)),
        receipt: receipt(basket_id, 2_000),
    }
}

fn receipt(basket_id: &BasketId, yen: i64) -> Receipt {
    acceptance::ask::receipt(&format!("R-{basket_id}"), &[yen])
}

fn points(number: i64) -> Points {
    Points::new(number).expect("an amount of points")
}

/// The approval it must be.
fn approved<A: std::fmt::Debug>(verdict: Verdict<A>) -> A {
    match verdict {
        Verdict::Approved(answer) => answer,
        other => panic!("expected an approval: {other:?}"),
    }
}
