//! `gateway serve`: one gateway, until it is told to stop.

mod assemble;
mod programme;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ledger::state::InForce;
use outbound::delivery::Delivery;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{Failure, Settings, output};
use crate::{
    clock::Clock,
    http::{self, App, Parts, PublicUrl, Rates, ServerLimits, StreamHub, Tls},
    intake,
    jobs::{ended_codes::EndedCodes, notices::Notices, sweep::Sweep},
    limits,
    outbox::{self, Broker, Relay},
    secrets::Secrets,
    sign_in::SignIn,
    store::Store,
    wallets::Wallets,
    web_pages::WebPages,
    writer::{Committed, Lanes, Writer, WriterOptions},
};

pub(super) use assemble::ServeArgs;

/// Where a gateway listens if nothing is said: nobody outside the machine can reach it.
pub(super) const LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
/// The pause between two sweeps.
const SWEEP_SECONDS_DEFAULT: u64 = 5;

/// What a gateway is started with.
pub(super) struct Serving {
    pub(super) listen: SocketAddr,
    pub(super) store: Store,
    pub(super) in_force: InForce,
    pub(super) tls: Option<Tls>,
    pub(super) public_url: Option<PublicUrl>,
    pub(super) trusted_proxies: usize,
    pub(super) rates: Rates,
    /// What identities, personal data and wallet passes need.
    pub(super) secrets: Option<Arc<Secrets>>,
    /// What wallet passes are made with.
    pub(super) wallets: Arc<Wallets>,
    /// Where codes and notices to members go.
    pub(super) delivery: Option<Delivery>,
    /// Sign-ins whose ID tokens are taken.
    pub(super) sign_in: Option<Arc<SignIn>>,
    /// The pages for shoppers, cashiers and staff.
    pub(super) web_pages: Arc<WebPages>,
    pub(super) writer: WriterOptions,
    /// Where events go; without one they wait in the database.
    pub(super) broker: Option<Broker>,
    pub(super) sweep_every: Duration,
    /// How long to go on serving once readiness is false.
    pub(super) drain: Duration,
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
            rates: Rates::default(),
            secrets: None,
            wallets: Arc::default(),
            delivery: None,
            sign_in: None,
            web_pages: Arc::new(WebPages::built_in()),
            broker: None,
            sweep_every: Duration::from_secs(SWEEP_SECONDS_DEFAULT),
            drain: Duration::ZERO,
        }
    }
}

pub(super) async fn run(args: ServeArgs, settings: Settings) -> Result<(), Failure> {
    if let Some(wrong) = limits::check() {
        return Err(Failure::Usage(format!(
            "limits do not fit together: {wrong}"
        )));
    }
    let serving = assemble::assemble(args, settings).await?;
    serve(serving, |_| Ok(())).await
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
    let clock = Clock::system();
    let relay = serving.broker.clone().map(|broker| {
        let programme = serving.in_force.programme.id.clone();
        Relay::new(serving.store.clone(), clock.clone(), programme, broker)
    });
    let (app, lanes) = parts(&serving, &clock, relay.as_ref())?;
    app.read_signing_keys()
        .await
        .map_err(|error| Failure::io("cannot make a signing key")(std::io::Error::other(error)))?;
    let shutdown = app.shutdown().clone();
    let upkeep = tokio::spawn(app.clone().upkeep());
    let sweep = Sweep {
        store: serving.store.clone(),
        writer: app.writer().clone(),
        clock: app.clock().clone(),
        every: serving.sweep_every,
    };
    let sweep = tokio::spawn(sweep.run(shutdown.clone()));
    let ended_codes = EndedCodes {
        store: serving.store.clone(),
        clock: clock.clone(),
    };
    let ended_codes = tokio::spawn(ended_codes.run(shutdown.clone()));
    let notices = tokio::spawn(tell_people(app.clone(), shutdown.clone()));
    let measure = outbox::measure(serving.store.clone(), clock.clone(), shutdown.clone());
    let measure = tokio::spawn(measure);
    let inbox = intake::measure(serving.store.clone(), clock, shutdown.clone());
    let inbox = tokio::spawn(inbox);
    let intake = tokio::spawn(book_orders(app.clone(), shutdown.clone()));
    // It ends last: what the last requests did is told, too.
    let relay_stop = CancellationToken::new();
    let relay = relay.map(|relay| tokio::spawn(keep_relaying(relay, relay_stop.clone())));
    stop_when_told(&app, serving.drain)?;
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
    let limits = ServerLimits::default();
    http::serve(listener, serving.tls, router, limits, shutdown).await;
    for job in [upkeep, sweep, ended_codes, notices, measure, inbox, intake] {
        ended(job).await;
    }
    lanes.drained().await;
    relay_stop.cancel();
    if let Some(relay) = relay {
        ended(relay).await;
    }
    tracing::info!("gateway.stopped");
    Ok(())
}

/// Waits for a job that was told to end, but not for a database that froze.
async fn ended(job: JoinHandle<()>) {
    let grace = Duration::from_millis(limits::SHUTDOWN_GRACE_MS);
    match tokio::time::timeout(grace, job).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(error = %error, "job.failed"),
        Err(_) => tracing::warn!("job.left_behind"),
    }
}

/// Relays until `stop` is cancelled. A relay that breaks is a defect; it is said, and another one goes
/// on.
async fn keep_relaying(relay: Relay, stop: CancellationToken) {
    while let Err(error) = tokio::spawn(relay.clone().run(stop.clone())).await {
        tracing::error!(error = %error, "relay.broke");
        tokio::time::sleep(Duration::from_millis(limits::RELAY_UNSEEN_MS)).await;
    }
}

/// Tells people who joined them, until `stop` is cancelled. Nobody can be told without addresses, or without
/// somebody who sends.
async fn tell_people(app: App, stop: CancellationToken) {
    let settings = app.settings();
    let (Some(secrets), Some(delivery)) = (&settings.secrets, &settings.delivery) else {
        return;
    };
    let notices = Notices {
        store: app.store().clone(),
        clock: app.clock().clone(),
        secrets: secrets.clone(),
        delivery: delivery.clone(),
    };
    notices.run(stop).await;
}

/// Books what EC shops send, until `stop` is cancelled. Nothing without secrets: the door is shut, too. An intake
/// that breaks is a defect; it is said, and another one goes on.
async fn book_orders(app: App, stop: CancellationToken) {
    let Some(secrets) = app.settings().secrets.clone() else {
        return;
    };
    let (store, writer, clock) = (
        app.store().clone(),
        app.writer().clone(),
        app.clock().clone(),
    );
    let worker = intake::Worker::new(store, writer, clock, secrets, app.intake());
    drop(app);
    while let Err(error) = tokio::spawn(worker.clone().run(stop.clone())).await {
        tracing::error!(error = %error, "intake.broke");
        tokio::time::sleep(Duration::from_millis(limits::RELAY_UNSEEN_MS)).await;
    }
}

/// The edge and the lanes behind it, which wake phones' streams and the relay.
fn parts(serving: &Serving, clock: &Clock, relay: Option<&Relay>) -> Result<(App, Lanes), Failure> {
    let metrics = http::metrics::install()
        .map_err(|error| Failure::io("cannot measure")(std::io::Error::other(error)))?;
    let streams = StreamHub::new();
    let told: Vec<Committed> = std::iter::once(streams.committed())
        .chain(relay.map(Relay::committed))
        .collect();
    let options = WriterOptions {
        committed: Arc::new(move |members| told.iter().for_each(|told| told(members))),
        ..serving.writer.clone()
    };
    let (writer, lanes) = Writer::start(&serving.store, clock.clone(), &options);
    let mut settings = http::Settings::new(serving.in_force.programme.id.clone());
    settings.public_url.clone_from(&serving.public_url);
    settings.trusted_proxies = serving.trusted_proxies;
    settings.rates = serving.rates;
    settings.secrets.clone_from(&serving.secrets);
    settings.wallets.clone_from(&serving.wallets);
    settings.delivery.clone_from(&serving.delivery);
    settings.sign_in.clone_from(&serving.sign_in);
    settings.web_pages.clone_from(&serving.web_pages);
    let app = App::new(Parts {
        store: serving.store.clone(),
        clock: clock.clone(),
        settings,
        metrics,
        writer,
        streams,
    });
    Ok((app, lanes))
}

/// Stops the gateway when the process is asked to stop: readiness turns false, and `drain` later, or
/// when asked again, no connection is taken any more.
fn stop_when_told(app: &App, drain: Duration) -> Result<(), Failure> {
    let (shutdown, draining) = (app.shutdown().clone(), app.draining().clone());
    let mut asked = stop_signals()?;
    tokio::spawn(async move {
        asked.recv().await;
        tracing::info!("gateway.draining");
        draining.cancel();
        tokio::select! {
            () = tokio::time::sleep(drain) => {}
            () = asked.recv() => {}
        }
        tracing::info!("gateway.stopping");
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
