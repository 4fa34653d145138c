//! `gateway demo`: the whole gateway with sample data, on this machine only.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;
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
    demo::{CLIENTS, Demo, SampleMember, WEBHOOK_SECRET},
    outbox::{Broker, EXCHANGE, QUEUE},
    programme_file,
    store::{ClientScope, DatabaseUrl, PoolSizes, Store, StoreError},
};

/// A walk through the gateway, to paste; its first lines name the address, database and programs.
const WALK: &str = include_str!("../../walk-through.sh");

/// The settings below are taken from flags only: a `DATABASE_URL` that lies in the environment may be
/// that of a real gateway, and a demo has no business there.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Address to listen on; only this machine can reach it
    #[arg(long, value_name = "ADDR", default_value_t = LISTEN_DEFAULT)]
    listen: SocketAddr,
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
    if !args.listen.ip().is_loopback() {
        return Err(Failure::Usage(format!(
            "{} can be reached from outside: the demo's secrets are printed in its manual, so it listens on 127.0.0.1 or [::1] only",
            args.listen
        )));
    }
    let broker = args.amqp_url.as_ref();
    let broker = broker.map(|url| broker::parse(url, None)).transpose()?;
    let data = &args.data;
    fs::create_dir_all(data).map_err(Failure::io(format!(
        "cannot make the folder {}",
        data.display()
    )))?;
    let web_pages = args.web.pages(None)?;
    let url = match &args.database_url {
        Some(url) => database::parse(url)?,
        None => DatabaseUrl::Sqlite(data.join("gateway.db")),
    };
    let store = Store::open(&url, PoolSizes::default()).await?;
    let members = match prepare(&store, data).await {
        Ok(members) => members,
        Err(failure) => {
            store.close().await;
            return Err(failure);
        }
    };
    let in_force = store.programme().await?.ok_or(StoreError::NoProgramme)?;
    let secrets = data.join("secrets.toml");
    if !secrets.exists() {
        secrets::make(&secrets)?;
    }
    let serving = Serving {
        broker: broker.clone(),
        secrets: secrets::optional(Some(secrets))?,
        // Codes are to be read in the log.
        delivery: Some(Delivery::log()),
        web_pages,
        ..Serving::usual(args.listen, store, in_force)
    };
    let greet = |address| greet(address, &url, &members, broker.as_ref());
    serve::serve(serving, greet).await
}

/// Schema, programme and sample data; what is there is left alone.
async fn prepare(store: &Store, data: &Path) -> Result<Vec<SampleMember>, Failure> {
    store.migrate().await?;
    let desk = Desk::over(store.clone());
    let members = fill(&desk, data).await;
    desk.leave().await;
    members
}

async fn fill(desk: &Desk, data: &Path) -> Result<Vec<SampleMember>, Failure> {
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
    };
    demo.prepare()
        .await
        .map_err(|error| Failure::io("cannot make the sample data")(std::io::Error::other(error)))
}

fn greet(
    address: SocketAddr,
    url: &DatabaseUrl,
    members: &[SampleMember],
    broker: Option<&Broker>,
) -> Result<(), Failure> {
    output::line(format!("\n{}", walk(address, url).trim_end()))?;
    output::line(format!(
        "\n# The gateway runs at http://{address} on {url}. Paste the lines above into another shell."
    ))?;
    output::line(format!(
        "#   API to browse  http://{address}/docs/   (document: /openapi.json)"
    ))?;
    output::line(format!(
        "#   Health         http://{address}/readyz   http://{address}/metrics"
    ))?;
    for client in CLIENTS {
        let what = match client.scope {
            ClientScope::Pos => "till",
            ClientScope::Ec => "shop system",
            ClientScope::Admin => "staff tool",
        };
        let (id, secret) = (client.id, client.secret);
        output::line(format!("#   {what:<13}  client {id}, secret {secret}"))?;
    }
    output::line(format!(
        "#   Shop           shop-2 (WooCommerce) sends to /v1/ec/webhooks/shop-2, signed with {WEBHOOK_SECRET}"
    ))?;
    for member in members {
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
