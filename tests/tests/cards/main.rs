//! Cards that are numbers, over the wire and on both stores: plastic cards, wallet passes, and how far
//! somebody gets who guesses; and an import that is killed and goes on.

mod guessing;
mod importing;
mod tills;
mod wallets;

use std::{
    ffi::OsString,
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use acceptance::{
    ask::{Ask, receipt},
    databases::Database,
    gateway_process::{GatewayProcess, run_well},
    installation::{Installation, member_with_points, programme_file},
    phone::Phone,
    reply::Reply,
    till::{Till, http_client},
};
use gateway::secrets::Secrets;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Points the phone's member begins with.
const POINTS: i64 = 1_000;
/// What one basket may spend with a wallet pass.
const PASS_LIMIT: i64 = 300;

const RANGES: &str = "
[cards]
wallet_points_per_basket = 300
plastic = [{ from = \"2999000000000\", to = \"2999999999999\" }]
apple_range = { from = \"29800000000000\", to = \"29899999999999\", check = \"luhn\" }
";

/// A gateway with secrets and wallets, two tills and a member with points.
struct Counter {
    folder: TempDir,
    secrets: Secrets,
    installation: Installation,
    gateway: GatewayProcess,
    tills: [Till; 2],
    phone: Phone,
    requests: AtomicU32,
    // Dropped last: the gateway goes before its database does.
    database: Database,
}

impl Counter {
    async fn open(database: Database) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let file = path("secrets.toml").display().to_string();
        run_well("gateway", &["admin", "secrets", "new", &file])
            .await
            .unwrap();
        let demo = fs::read_to_string(programme_file()).unwrap();
        fs::write(path("programme.toml"), format!("{demo}{RANGES}")).unwrap();
        wallets::set_up(folder.path());
        let installation = Installation::new(database.url()).await.unwrap();
        let mut start = installation.serve();
        let given = start
            .arguments
            .iter_mut()
            .find(|argument| **argument == programme_file().into_os_string());
        *given.unwrap() = path("programme.toml").into();
        for (flag, name) in [
            ("--secrets", "secrets.toml"),
            ("--google-wallet", "google.toml"),
            ("--apple-wallet", "apple.toml"),
        ] {
            let file: OsString = path(name).into();
            start.arguments.extend([flag.into(), file]);
        }
        let gateway = GatewayProcess::start(start).await.unwrap();
        let mut tills = Vec::new();
        for number in 1..=2 {
            let till = installation.till(&gateway.base(), number, "store-1").await;
            tills.push(till.unwrap());
        }
        let phone = member_with_points(&tills[0], POINTS).await;
        Self {
            secrets: Secrets::read(&path("secrets.toml")).unwrap(),
            tills: tills.try_into().unwrap(),
            folder,
            installation,
            gateway,
            phone,
            requests: AtomicU32::new(0),
            database,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn next_id(&self) -> String {
        format!("r-{}", self.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs `gateway admin card …` on this database.
    async fn card_command(&self, words: &[&str]) -> acceptance::program::Ran {
        let secrets = self.path("secrets.toml").display().to_string();
        let mut arguments = vec!["admin", "card"];
        arguments.extend(words);
        arguments.extend(["--secrets", &secrets, "--database-url", self.database.url()]);
        acceptance::gateway_process::run("gateway", &arguments)
            .await
            .unwrap()
            .into()
    }

    /// Brings in these rows.
    async fn import(&self, text: &str) {
        fs::write(self.path("base.csv"), text).unwrap();
        let file = self.path("base.csv").display().to_string();
        let ran = self.card_command(&["import", &file]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }

    /// A till's request about the card `text` in `basket`.
    async fn ask(&self, till: usize, path: &str, basket: &str, text: &str, more: Value) -> Reply {
        let id = self.next_id();
        let mut body = json!({ "request_id": id, "basket_id": basket, "card": text });
        let fields = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let ask = Ask::raw(&id, path, serde_json::to_vec(&body).unwrap());
        self.tills[till].insist(&ask).await
    }

    async fn inquire(&self, till: usize, basket: &str, text: &str) -> Reply {
        self.ask(till, "/v1/pos/inquiries", basket, text, json!({}))
            .await
    }

    async fn authorize(&self, till: usize, basket: &str, text: &str, points: i64) -> Reply {
        let more = json!({ "points": points });
        self.ask(till, "/v1/pos/authorizations", basket, text, more)
            .await
    }

    async fn buy(&self, till: usize, basket: &str, text: &str, more: Value) -> Reply {
        let mut fields = json!({ "receipt": receipt("R-1", &[1_000]) });
        let more = more.as_object().unwrap().clone();
        fields.as_object_mut().unwrap().extend(more);
        self.ask(till, "/v1/pos/purchases", basket, text, fields)
            .await
    }

    /// The phone asks for something of its member's.
    async fn as_phone(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let url = format!("{}{path}", self.gateway.base());
        let proof = self.phone.proof(method, &url);
        let request = http_client()
            .request(method.parse().unwrap(), url)
            .bearer_auth(proof);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        Reply::read(request.send().await.unwrap()).await.unwrap()
    }

    async fn close(self) {
        self.installation.audit().await.unwrap();
    }
}
