//! `gateway demo`: the whole gateway with sample data, on this machine only or, if that is asked for, for phones in
//! the same network.

mod lan;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use lan::Lan;
use outbound::delivery::Delivery;

use super::{
    Failure,
    admin::activate,
    broker, database,
    desk::Desk,
    output, secrets,
    serve::{self, LISTEN_DEFAULT, Serving},
    settings::SecretUrl,
    web::WebArgs,
};
use crate::{
    clock::Clock,
    demo::{Demo, Prepared},
    outbox::{Broker, EXCHANGE, QUEUE},
    programme_file,
    secrets::Secrets,
    store::{ClientScope, DatabaseUrl, PoolSizes, Store, StoreError},
};

/// A walk through the gateway, to paste; its first lines name the address, database and programs.
const WALK: &str = include_str!("../../walk-through.sh");

/// The settings below are taken from flags only: a `DATABASE_URL` that lies in the environment may be
/// that of a real gateway, and a demo has no business there.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Address to listen on; without --lan only this machine may reach it [default: 127.0.0.1:8080, with --lan port
    /// 8443 of this machine's own address]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Serve phones in the same network, by HTTPS, with a certificate and secrets made anew
    #[arg(long)]
    lan: bool,
    /// Folder for the database and the sample cards' keys; what is in it is used again
    #[arg(long, value_name = "DIR", default_value = "demo-data")]
    data: PathBuf,
    /// Another database than the one in the folder, to show the same on PostgreSQL
    #[arg(long, value_name = "URL")]
    database_url: Option<SecretUrl>,
    /// Message broker that events are sent to, for example amqp://guest:guest@127.0.0.1; without one
    /// they wait in the database
    #[arg(long, value_name = "URL")]
    amqp_url: Option<SecretUrl>,
    #[command(flatten)]
    web: WebArgs,
}

pub(super) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let own = args.listen.unwrap_or(LISTEN_DEFAULT);
    if !args.lan && !own.ip().is_loopback() {
        return Err(Failure::Usage(format!(
            "{own} can be reached from outside: the demo's secrets are printed in its manual, so it listens on 127.0.0.1 or [::1] only; --lan makes others"
        )));
    }
    let broker = args.amqp_url.as_ref();
    let broker = broker.map(|url| broker::parse(url, None)).transpose()?;
    let web_pages = args.web.pages(None)?;
    let data = &args.data;
    fs::create_dir_all(data).map_err(Failure::io(format!(
        "cannot make the folder {}",
        data.display()
    )))?;
    let lan = args
        .lan
        .then(|| Lan::open(args.listen, data, Clock::system().now()))
        .transpose()?;
    let url = match &args.database_url {
        Some(url) => database::parse(url)?,
        None => DatabaseUrl::Sqlite(data.join("gateway.db")),
    };
    let file = data.join("secrets.toml");
    if !file.exists() {
        secrets::make(&file)?;
    }
    let secrets = Secrets::read(&file).map_err(|error| Failure::Usage(error.to_string()))?;
    let secrets = Arc::new(secrets);
    let store = Store::open(&url, PoolSizes::default()).await?;
    let prepared = match prepare(&store, data, &secrets, lan.is_some()).await {
        Ok(prepared) => prepared,
        Err(failure) => {
            store.close().await;
            return Err(failure);
        }
    };
    let in_force = store.programme().await?.ok_or(StoreError::NoProgramme)?;
    let serving = Serving {
        broker: broker.clone(),
        secrets: Some(secrets),
        // Codes are to be read in the log.
        delivery: Some(Delivery::log()),
        web_pages,
        tls: lan.as_ref().map(|lan| lan.tls.clone()),
        public_url: lan.as_ref().map(Lan::public_url).transpose()?,
        ..Serving::usual(lan.as_ref().map_or(own, |lan| lan.address), store, in_force)
    };
    let greet = |address| {
        match &lan {
            Some(lan) => output::line(lan.greeting()?)?,
            None => greet(address, &url)?,
        }
        tell(&prepared, broker.as_ref())
    };
    serve::serve(serving, greet).await
}

/// Schema, programme and sample data; what is there is left alone.
async fn prepare(
    store: &Store,
    data: &Path,
    secrets: &Secrets,
    fresh_secrets: bool,
) -> Result<Prepared, Failure> {
    store.migrate().await?;
    let desk = Desk::over(store.clone());
    let prepared = fill(&desk, data, secrets, fresh_secrets).await;
    desk.leave().await;
    prepared
}

async fn fill(
    desk: &Desk,
    data: &Path,
    secrets: &Secrets,
    fresh_secrets: bool,
) -> Result<Prepared, Failure> {
    let programme = programme_file::parse("demo.toml", programme_file::DEMO)?;
    match desk.store.programme().await? {
        None => {
            let source = programme_file::DEMO.to_owned();
            activate(desk, 0, programme, source, "demo".into()).await?;
        }
        Some(in_force) if in_force.programme.id != programme.id => {
            return Err(Failure::Refused(format!(
                "this database belongs to the programme \"{}\"; the demo wants one of its own",
                in_force.programme.id
            )));
        }
        Some(_) => {}
    }
    let demo = Demo {
        store: &desk.store,
        writer: desk.writer(),
        clock: &desk.clock,
        folder: data,
        secrets,
        fresh_secrets,
    };
    demo.prepare()
        .await
        .map_err(|error| Failure::io("cannot make the sample data")(std::io::Error::other(error)))
}

/// The walk, and where to look.
fn greet(address: SocketAddr, url: &DatabaseUrl) -> Result<(), Failure> {
    output::line(format!("\n{}", walk(address, url).trim_end()))?;
    output::line(format!(
        "\n# The gateway runs at http://{address} on {url}. Paste the lines above into another shell."
    ))?;
    for (what, paths) in [
        ("Card", "/card       (a phone needs --lan)"),
        ("Register", "/register"),
        ("Console", "/console"),
        ("API to browse", "/docs/      (document: /openapi.json)"),
        ("Health", "/readyz     and /metrics"),
    ] {
        output::line(format!("#   {what:<13}  http://{address}{paths}"))?;
    }
    Ok(())
}

/// Who may do what, and with which secret.
fn tell(prepared: &Prepared, broker: Option<&Broker>) -> Result<(), Failure> {
    for (client, secret) in &prepared.clients {
        let what = match (client.scope, client.role) {
            (ClientScope::Pos, _) => "till",
            (ClientScope::Ec, _) => "shop system",
            (ClientScope::Admin, Some(role)) => role.word(),
            (ClientScope::Admin, None) => "staff tool",
        };
        let (id, secret) = (client.id, secret.reveal());
        output::line(format!("#   {what:<13}  client {id}, secret {secret}"))?;
    }
    output::line(format!(
        "#   Shop           shop-2 (WooCommerce) sends to /v1/ec/webhooks/shop-2, signed with {}",
        prepared.webhook_secret.reveal()
    ))?;
    for member in &prepared.members {
        let (number, available) = (&member.number, member.available);
        let key = member.key_file.display();
        output::line(format!(
            "#   Member         {number}, {available} points, card key {key}"
        ))?;
    }
    if let Some(broker) = broker {
        output::line(format!(
            "#   Broker         {broker}: every event goes to the exchange {EXCHANGE}, and waits in the queue {QUEUE}"
        ))?;
    }
    output::line("#   Stop it with Ctrl-C; what is stored stays.")
}

/// The walk for this address and database, with the programs that lie beside this one.
fn walk(address: SocketAddr, url: &DatabaseUrl) -> String {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent);
    let folder = folder.map_or("target/release".into(), |folder| {
        folder.display().to_string()
    });
    let line = |line: &str| {
        let name = line.split('=').next().unwrap_or_default();
        match name {
            "GATEWAY" => format!("GATEWAY=http://{address}\n"),
            "DATABASE" => format!("DATABASE='{url}'\n"),
            "BIN" => format!("BIN='{folder}'\n"),
            _ => format!("{line}\n"),
        }
    };
    WALK.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_is_told_where_the_gateway_is() {
        let url: DatabaseUrl = "sqlite://x/y.db".parse().unwrap();
        let text = walk("127.0.0.1:9999".parse().unwrap(), &url);
        assert!(text.contains("\nGATEWAY=http://127.0.0.1:9999\n"));
        assert!(text.contains("\nDATABASE='sqlite://x/y.db'\n"));
        assert!(!text.contains("8080") && !text.contains("target/release\n"));
        assert_eq!(text.lines().count(), WALK.lines().count());
    }
}
