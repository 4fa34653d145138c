//! `gateway serve`: one gateway, until it is told to stop.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use ledger::state::InForce;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{
    Failure, Settings,
    admin::activate,
    database::{self, DatabaseArgs},
    desk::{self, Desk},
    output,
    settings::SecretUrl,
};
use crate::{
    clock::Clock,
    http::{self, App, Parts, PublicUrl, ServerLimits, StreamHub, Tls},
    jobs::sweep::Sweep,
    limits, programme_file,
    store::{PoolSizes, SchemaState, Store, StoreError},
    writer::{Writer, WriterOptions},
};

/// Where a gateway listens if nothing is said: nobody outside the machine can reach it.
pub(super) const LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
/// The pause between two sweeps.
const SWEEP_SECONDS_DEFAULT: u64 = 5;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Address to listen on; port 0 takes any free one [default: 127.0.0.1:8080]
    #[arg(long, env = "GATEWAY_LISTEN", value_name = "ADDR")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Message broker. Accepted; this release sends nothing, events wait in the database
    #[arg(long, env = "AMQP_URL", hide_env_values = true, value_name = "URL")]
    amqp_url: Option<SecretUrl>,
    /// Programme file (TOML), put in force if none is; where one is, only compared with it
    #[arg(long, env = "GATEWAY_PROGRAMME", value_name = "FILE")]
    programme: Option<PathBuf>,
    /// How callers reach the gateway, where a proxy stands in between: https://HOST[:PORT][/PATH]
    #[arg(long, env = "GATEWAY_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Proxies in front whose X-Forwarded-For is believed [default: 0]
    #[arg(long, env = "GATEWAY_TRUSTED_PROXIES", value_name = "N")]
    trusted_proxies: Option<usize>,
    /// Certificate chain (PEM); with it the gateway speaks TLS
    #[arg(
        long,
        env = "GATEWAY_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(
        long,
        env = "GATEWAY_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// Lanes of the writer, each with a connection of its own [default: 2, with SQLite 1]
    #[arg(long, env = "GATEWAY_LANES", value_name = "N")]
    lanes: Option<usize>,
    /// Commands in one database transaction, at most [default: 128]
    #[arg(long, env = "GATEWAY_BATCH_COMMANDS_MAX", value_name = "N")]
    batch_commands_max: Option<usize>,
    /// Commands that may wait in one lane; more are answered 503 [default: 1024]
    #[arg(long, env = "GATEWAY_QUEUE_COMMANDS_MAX", value_name = "N")]
    queue_commands_max: Option<usize>,
    /// Database connections for everything but the writer [default: 4]
    #[arg(long, env = "GATEWAY_READ_CONNECTIONS", value_name = "N")]
    read_connections: Option<u32>,
    /// Seconds between two sweeps for holds, pending points and lots that are due [default: 5]
    #[arg(long, env = "GATEWAY_SWEEP_SECONDS", value_name = "N")]
    sweep_seconds: Option<u64>,
}

/// What a gateway is started with.
pub(super) struct Serving {
    pub(super) listen: SocketAddr,
    pub(super) store: Store,
    pub(super) in_force: InForce,
    pub(super) tls: Option<Tls>,
    pub(super) public_url: Option<PublicUrl>,
    pub(super) trusted_proxies: usize,
    pub(super) writer: WriterOptions,
    pub(super) sweep_every: Duration,
}

impl Serving {
    /// A gateway on `listen` with all else as usual.
    pub(super) fn usual(listen: SocketAddr, store: Store, in_force: InForce) -> Self {
        Self {
            listen,
            writer: WriterOptions::for_store(&store),
            store,
            in_force,
            tls: None,
            public_url: None,
            trusted_proxies: 0,
            sweep_every: Duration::from_secs(SWEEP_SECONDS_DEFAULT),
        }
    }
}

pub(super) async fn run(args: ServeArgs, settings: Settings) -> Result<(), Failure> {
    if let Some(wrong) = limits::check() {
        return Err(Failure::Usage(format!(
            "limits do not fit together: {wrong}"
        )));
    }
    let serving = assemble(args, settings).await?;
    serve(serving, |_| Ok(())).await
}

async fn assemble(args: ServeArgs, settings: Settings) -> Result<Serving, Failure> {
    let url = args.database.url(&settings)?;
    let lanes = args.lanes.or(settings.lanes).map(|lanes| lanes.max(1));
    let default = PoolSizes::default();
    let sizes = PoolSizes {
        write: lanes
            .and_then(|lanes| u32::try_from(lanes).ok())
            .unwrap_or(default.write),
        read: args
            .read_connections
            .or(settings.read_connections)
            .unwrap_or(default.read)
            .max(1),
    };
    let store = database::open_existing(&url, sizes).await?;
    let programme = args.programme.or(settings.programme);
    let in_force = match ready(&store, programme).await {
        Ok(in_force) => in_force,
        Err(failure) => {
            store.close().await;
            return Err(failure);
        }
    };
    if args.amqp_url.or(settings.amqp_url).is_some() {
        tracing::warn!(
            "broker.not_connected: this release sends nothing; events wait in the outbox"
        );
    }
    let usual = WriterOptions::for_store(&store);
    let tls = match (
        args.tls_cert.or(settings.tls_cert),
        args.tls_key.or(settings.tls_key),
    ) {
        (Some(certificate), Some(key)) => Some(
            Tls::from_pem_files(&certificate, &key)
                .map_err(|error| Failure::Usage(error.to_string()))?,
        ),
        (None, None) => None,
        _ => return Err(Failure::Usage("tls_cert and tls_key go together".into())),
    };
    let public_url = args.public_url.or(settings.public_url);
    let public_url = public_url
        .map(|text| text.parse::<PublicUrl>())
        .transpose()
        .map_err(|error| Failure::Usage(format!("public_url: {error}")))?;
    let listen = args.listen.or(settings.listen).unwrap_or(LISTEN_DEFAULT);
    let sweep = args.sweep_seconds.or(settings.sweep_seconds);
    Ok(Serving {
        listen,
        in_force,
        tls,
        public_url,
        trusted_proxies: args
            .trusted_proxies
            .or(settings.trusted_proxies)
            .unwrap_or(0),
        sweep_every: Duration::from_secs(sweep.unwrap_or(SWEEP_SECONDS_DEFAULT).max(1)),
        writer: WriterOptions {
            lanes: lanes.unwrap_or(usual.lanes),
            batch_commands_max: args
                .batch_commands_max
                .or(settings.batch_commands_max)
                .unwrap_or(usual.batch_commands_max)
                .max(1),
            queue_commands_max: args
                .queue_commands_max
                .or(settings.queue_commands_max)
                .unwrap_or(usual.queue_commands_max)
                .max(1),
            ..usual
        },
        store,
    })
}

/// The schema is there and a programme is in force, given by `file` if there was none.
async fn ready(store: &Store, file: Option<PathBuf>) -> Result<InForce, Failure> {
    match store.schema_state().await? {
        SchemaState::UpToDate => {}
        SchemaState::Ahead(_) => {
            tracing::warn!("schema.ahead: a newer release migrated the database");
        }
        SchemaState::Behind(_) => {
            return Err(Failure::Usage(
                "the schema is not up to date; run `gateway migrate`".into(),
            ));
        }
        SchemaState::Altered(version) => {
            return Err(Failure::Usage(format!(
                "migration {version} was applied with another text; see `gateway doctor`"
            )));
        }
    }
    let in_force = store.programme().await?;
    let Some(file) = file else {
        return Ok(in_force.ok_or(StoreError::NoProgramme)?);
    };
    let (programme, source) = programme_file::read(&file)?;
    let file = file.display().to_string();
    if let Some(in_force) = in_force {
        if *in_force.programme != programme {
            tracing::warn!(
                programme.version = in_force.version,
                file,
                "programme.file_differs: the version in force stands; `gateway admin programme apply` shows the difference and activates the file"
            );
        }
        return Ok(in_force);
    }
    let desk = Desk::over(store.clone());
    let activated = activate(&desk, 0, programme, source, desk::actor(None)).await;
    desk.leave().await;
    match activated {
        Ok(version) => tracing::info!(programme.version = version, file, "programme.activated"),
        // Another gateway that started at the same moment was first.
        Err(failure) if store.programme().await?.is_none() => return Err(failure),
        Err(_) => {}
    }
    Ok(store.programme().await?.ok_or(StoreError::NoProgramme)?)
}

/// Serves until the process is told to stop, then finishes what is in flight. `up` is told the
/// address once connections are taken.
pub(super) async fn serve(
    serving: Serving,
    up: impl FnOnce(SocketAddr) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let store = serving.store.clone();
    let outcome = serve_open(serving, up).await;
    store.close().await;
    outcome
}

async fn serve_open(
    serving: Serving,
    up: impl FnOnce(SocketAddr) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let listener = TcpListener::bind(serving.listen)
        .await
        .map_err(Failure::io(format!("cannot listen on {}", serving.listen)))?;
    let address = listener
        .local_addr()
        .map_err(Failure::io("cannot tell the address"))?;
    let metrics = http::metrics::install()
        .map_err(|error| Failure::io("cannot measure")(std::io::Error::other(error)))?;
    let clock = Clock::system();
    let streams = StreamHub::new();
    let options = WriterOptions {
        committed: streams.committed(),
        ..serving.writer
    };
    let (writer, lanes) = Writer::start(&serving.store, clock.clone(), &options);
    let mut edge = http::Settings::new(serving.in_force.programme.id.clone());
    edge.public_url = serving.public_url;
    edge.trusted_proxies = serving.trusted_proxies;
    let app = App::new(Parts {
        store: serving.store.clone(),
        clock: clock.clone(),
        settings: edge,
        metrics,
        writer: writer.clone(),
        streams,
    });
    app.read_signing_keys()
        .await
        .map_err(|error| Failure::io("cannot make a signing key")(std::io::Error::other(error)))?;
    let shutdown = app.shutdown().clone();
    let upkeep = tokio::spawn(app.clone().upkeep());
    let sweep = Sweep {
        store: serving.store.clone(),
        writer,
        clock,
        every: serving.sweep_every,
    };
    let sweep = tokio::spawn(sweep.run(shutdown.clone()));
    stop_when_told(&app)?;
    let scheme = serving.tls.as_ref().map_or("http", |_| "https");
    tracing::info!(listen.address = %address, "gateway.listening");
    let told =
        output::line(format!("listening on {scheme}://{address}")).and_then(|()| up(address));
    match told {
        // Nobody reads the output any more; the gateway still serves.
        Ok(()) | Err(Failure::OutputClosed) => {}
        Err(failure) => return Err(failure),
    }
    let router = http::router(app);
    http::serve(
        listener,
        serving.tls,
        router,
        ServerLimits::default(),
        shutdown,
    )
    .await;
    for job in [upkeep, sweep] {
        if let Err(error) = job.await {
            tracing::error!(error = %error, "job.failed");
        }
    }
    lanes.drained().await;
    tracing::info!("gateway.stopped");
    Ok(())
}

/// Stops the gateway when the process is asked to stop.
fn stop_when_told(app: &App) -> Result<(), Failure> {
    let (shutdown, draining) = (app.shutdown().clone(), app.draining().clone());
    let mut asked = stop_signals()?;
    tokio::spawn(async move {
        asked.recv().await;
        tracing::info!("gateway.stopping");
        draining.cancel();
        shutdown.cancel();
    });
    Ok(())
}

/// Whichever of the signals that ask a process to stop comes first.
struct StopSignals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignals {
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn stop_signals() -> Result<StopSignals, Failure> {
    let listen = |kind| signal(kind).map_err(Failure::io("cannot listen for signals"));
    Ok(StopSignals {
        terminate: listen(SignalKind::terminate())?,
        interrupt: listen(SignalKind::interrupt())?,
    })
}
