//! Who takes part: gateways, tills, a shop's system, an operator.

use std::{ffi::OsString, fs, path::PathBuf, time::Duration};

use acceptance::{
    ask::{Ask, receipt},
    databases::Database,
    gateway_process::{GatewayProcess, run_well},
    installation::{Installation, programme_file},
    phone::Phone,
    reply::Reply,
    till::{Till, http_client},
};
use ec::{
    Platform,
    signature::{self, WebhookSecret},
};
use gateway::store::PoolSizes;
use serde_json::{Value, json};
use tempfile::TempDir;

const WEBHOOK_SECRET: &str = "the-webhook-secret-of-the-shop";
const RANGES: &str = "
[linking]
cool_down_hours = 0
[cards]
plastic = [{ from = \"2999000000000\", to = \"2999999999999\" }]
";

pub(crate) struct Cast {
    folder: TempDir,
    installation: Installation,
    gateways: Vec<GatewayProcess>,
    tills: Vec<Till>,
    http: reqwest::Client,
    shop_secret: String,
    told: u32,
    asked: u32,
    // Dropped last: the gateways go before their database does.
    database: Database,
}

impl Cast {
    pub(crate) async fn meet(database: Database, gateways: usize) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let path = |name: &str| folder.path().join(name);
        let secrets = path("secrets.toml").display().to_string();
        run_well("gateway", &["admin", "secrets", "new", &secrets]).await?;
        let programme = fs::read_to_string(programme_file())?;
        fs::write(path("programme.toml"), format!("{programme}{RANGES}"))?;
        fs::write(path("woo.secret"), WEBHOOK_SECRET)?;
        let installation = Installation::new(database.url()).await?;
        let mut running = Vec::new();
        for _ in 0..gateways {
            let mut start = installation.serve();
            let usual = programme_file().into_os_string();
            let given = start
                .arguments
                .iter_mut()
                .find(|argument| **argument == usual);
            *given.expect("a programme") = path("programme.toml").into();
            let secrets: OsString = path("secrets.toml").into();
            start.arguments.extend(["--secrets".into(), secrets]);
            running.push(GatewayProcess::start(start).await?);
        }
        let url = database.url();
        let secret = path("woo.secret").display().to_string();
        let add = [
            "admin",
            "shop",
            "add",
            "--id",
            "woo",
            "--platform",
            "woocommerce",
        ];
        let more = [
            "--secret-file",
            &secret,
            "--public-url",
            "https://points.example",
            "--database-url",
            url,
        ];
        run_well("gateway", &[add.as_slice(), &more].concat()).await?;
        let client = [
            "admin", "client", "create", "--json", "--id", "woo", "--scope", "ec",
        ];
        let more = ["--shop", "woo", "--database-url", url];
        let made = run_well("gateway", &[client.as_slice(), &more].concat()).await?;
        let made: Value = serde_json::from_str(&made)?;
        let mut tills = Vec::new();
        for number in 0..2 {
            let base = running[number.min(gateways - 1)].base();
            tills.push(installation.till(&base, number + 1, "store-1").await?);
        }
        Ok(Self {
            shop_secret: made["client_secret"].as_str().expect("a secret").to_owned(),
            folder,
            installation,
            gateways: running,
            tills,
            http: http_client(),
            told: 0,
            asked: 0,
            database,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where a gateway is reached; the only one, if there is one.
    pub(crate) fn base(&self, number: usize) -> String {
        self.gateways[number.min(self.gateways.len() - 1)].base()
    }

    pub(crate) fn till(&self, number: usize) -> &Till {
        &self.tills[number]
    }

    pub(crate) async fn import(&self, text: &str) -> anyhow::Result<()> {
        fs::write(self.path("base.csv"), text)?;
        let file = self.path("base.csv").display().to_string();
        let secrets = self.path("secrets.toml").display().to_string();
        let words = ["admin", "card", "import", &file, "--secrets", &secrets];
        let url = ["--database-url", self.database.url()];
        run_well("gateway", &[words.as_slice(), &url].concat()).await?;
        Ok(())
    }

    fn request_id(&mut self) -> String {
        self.asked += 1;
        format!("r-{}", self.asked)
    }

    async fn with_number(&mut self, path: &str, number: &str, basket: &str, more: Value) -> Reply {
        let id = self.request_id();
        let mut body = json!({ "request_id": id, "basket_id": basket, "card": number });
        let fields = more.as_object().expect("fields").clone();
        body.as_object_mut().expect("an object").extend(fields);
        let ask = Ask::raw(&id, path, body.to_string());
        self.tills[0].insist(&ask).await
    }

    pub(crate) async fn plastic_purchase(
        &mut self,
        number: &str,
        basket: &str,
        yen: i64,
        redeem: i64,
    ) -> Reply {
        let more = json!({ "receipt": receipt("R-1", &[yen]), "redeem_points": redeem });
        self.with_number("/v1/pos/purchases", number, basket, more)
            .await
    }

    pub(crate) async fn inquire(&mut self, number: &str, basket: &str) -> Reply {
        self.with_number("/v1/pos/inquiries", number, basket, json!({}))
            .await
    }

    /// The code that a cashier has printed for a plastic card.
    pub(crate) async fn till_code(&mut self, number: &str) -> String {
        let body = json!({ "basket_id": "b-code", "card": number });
        let ask = Ask::raw("code", "/v1/pos/link-codes", body.to_string());
        let reply = self.tills[1].insist(&ask).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.word("/code")
    }

    async fn shop_token(&self) -> String {
        let form = [("grant_type", "client_credentials"), ("scope", "ec")];
        let request = self
            .http
            .post(format!("{}/oauth/token", self.base(0)))
            .form(&form);
        let reply = request
            .basic_auth("woo", Some(&self.shop_secret))
            .send()
            .await;
        let token: Value = reply.expect("an answer").json().await.expect("JSON");
        token["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("{token}"))
            .to_owned()
    }

    /// The code that the shop shows to its customer.
    pub(crate) async fn shop_code(&self, customer: &str) -> String {
        let url = format!("{}/v1/ec/link-codes", self.base(1));
        let request = self
            .http
            .post(url)
            .json(&json!({ "customer_id": customer }));
        let reply = request.bearer_auth(self.shop_token().await).send().await;
        let made: Value = reply.expect("an answer").json().await.expect("JSON");
        made["code"]
            .as_str()
            .unwrap_or_else(|| panic!("{made}"))
            .to_owned()
    }

    pub(crate) async fn link(&self, phone: &Phone, code: &str) {
        let body = json!({ "code": code, "agree_to_merge": true });
        let linked = phone.post(&self.base(1), "/v1/me/links", &body).await;
        assert_eq!(linked.status, 200, "{linked:?}");
    }

    /// WooCommerce tells how its order stands, twice: a webhook may come again.
    pub(crate) async fn woo(&mut self, status: &str, refund: Option<&str>) -> anyhow::Result<()> {
        self.told += 1;
        let at = |minute: u32| format!("2026-11-22T03:{minute:02}:00");
        let refunds: Vec<_> = refund
            .into_iter()
            .map(|total| json!({ "id": 9, "reason": "", "total": total }))
            .collect();
        let body = json!({
            "id": 1001, "number": "1001", "status": status, "currency": "JPY", "prices_include_tax": true,
            "date_created_gmt": at(0), "date_modified_gmt": at(self.told), "date_paid_gmt": at(1),
            "total": "3000", "total_tax": "273", "shipping_total": "0", "shipping_tax": "0",
            "customer_id": 42, "billing": { "email": "taro@example.jp" },
            "line_items": [{
                "id": 5, "product_id": 77, "sku": "TEA-1", "name": "煎茶", "quantity": 3,
                "total": "2727", "total_tax": "273", "taxes": [],
            }],
            "fee_lines": [], "refunds": refunds, "meta_data": [], "some_plugin": { "x": 1 },
        })
        .to_string();
        let secret = WebhookSecret::new(WEBHOOK_SECRET)?;
        let signature = signature::sign(Platform::WooCommerce, &secret, body.as_bytes());
        for gateway in [0, 1] {
            let url = format!("{}/v1/ec/webhooks/woo", self.base(gateway));
            let request = self
                .http
                .post(url)
                .header("content-type", "application/json")
                .header("x-wc-webhook-topic", "order.updated")
                .header("x-wc-webhook-delivery-id", format!("d-{}", self.told))
                .header("x-wc-webhook-signature", &signature)
                .body(body.clone());
            let status = request.send().await?.status();
            anyhow::ensure!(status == 200, "the webhook was answered {status}");
        }
        Ok(())
    }

    /// The order, once it has come so far.
    pub(crate) async fn order_in_state(&self, wanted: &str) -> Value {
        let token = self.shop_token().await;
        let mut last = Value::Null;
        for _ in 0..1_200 {
            let url = format!("{}/v1/ec/orders/1001", self.base(1));
            let reply = self
                .http
                .get(url)
                .bearer_auth(&token)
                .send()
                .await
                .expect("an answer");
            last = reply.json().await.expect("JSON");
            if last["state"] == wanted {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the order never was {wanted}: {last}")
    }

    /// Parts the record of a plastic card, which is the oldest of the person's and so the one that the
    /// others were merged into, from those others.
    pub(crate) async fn unmerge(&self, number: &str) -> anyhow::Result<Value> {
        let secrets = self.path("secrets.toml").display().to_string();
        let url = ["--database-url", self.database.url()];
        let show = ["admin", "card", "show", number, "--secrets", &secrets];
        let shown = run_well("gateway", &[show.as_slice(), &url].concat()).await?;
        let is_id = |word: &&str| word.parse::<pos_protocol::MemberId>().is_ok();
        let mut parts = shown.split(|c: char| c.is_whitespace() || "(),".contains(c));
        let oldest = parts.find(is_id).unwrap_or_else(|| panic!("{shown}"));
        let store = self.database.open(PoolSizes::default()).await;
        let oldest = store
            .member(oldest.parse()?)
            .await?
            .expect("a member")
            .member;
        store.close().await;
        let merged = oldest.merged.first().expect("a merged record").to_string();
        let member = merged.as_str();
        let words = [
            "admin",
            "member",
            "unmerge",
            "--member",
            member,
            "--reason",
            "another person's card",
            "--json",
        ];
        let report = run_well("gateway", &[words.as_slice(), &url].concat()).await?;
        Ok(serde_json::from_str(&report)?)
    }

    pub(crate) async fn audit(&self) -> anyhow::Result<String> {
        self.installation.audit().await
    }
}
