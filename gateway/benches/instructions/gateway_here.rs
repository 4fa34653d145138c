//! A whole gateway in this process.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use clap::Parser as _;
use gateway::{
    cli::Cli,
    clock::Clock,
    http::{self, App, Parts, Rate, Rates, ServerLimits, Settings, StreamHub},
    store::Store,
    writer::{Lanes, Writer, WriterOptions},
};
use jiff::SignedDuration;
use member_card::ProgrammeId;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::shop;

/// Counting is slow.
const PATIENCE: Duration = Duration::from_secs(3_600);

pub(crate) struct GatewayHere {
    pub(crate) address: String,
    clock: Clock,
    writer: Writer,
    app: App,
    store: Store,
    serving: JoinHandle<()>,
    lanes: Lanes,
}

impl GatewayHere {
    pub(crate) async fn start(directory: &Path) -> Result<Self> {
        start_log()?;
        let store = shop::store(directory).await?;
        let (app, lanes) = app(&store)?;
        app.read_signing_keys().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let shutdown = app.shutdown().clone();
        let router = http::router(app.clone());
        let limits = ServerLimits {
            header_timeout: PATIENCE,
            idle_timeout: PATIENCE,
            ..ServerLimits::default()
        };
        let serving = tokio::spawn(http::serve(listener, None, router, limits, shutdown));
        Ok(Self {
            address,
            clock: app.clock().clone(),
            writer: app.writer().clone(),
            app,
            store,
            serving,
            lanes,
        })
    }

    pub(crate) fn batches(&self) -> u64 {
        self.writer.batches()
    }

    /// Some time passes, so that the ids of one wave lie behind those of the wave before.
    pub(crate) fn tick(&self) {
        self.clock.advance(SignedDuration::from_millis(40));
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.app.shutdown().cancel();
        self.serving.await?;
        drop((self.app, self.writer));
        self.lanes.drained().await;
        self.store.close().await;
        Ok(())
    }
}

/// As `gateway serve` does: the log's filter is asked at every span.
pub(crate) fn start_log() -> Result<()> {
    let cli = Cli::try_parse_from(["gateway", "serve"])?;
    let settings = cli.settings()?;
    cli.start_log(&settings).context("the log")
}

pub(crate) fn app(store: &Store) -> Result<(App, Lanes)> {
    let metrics = http::metrics::install()?;
    let clock = Clock::manual(shop::start());
    let streams = StreamHub::new();
    let options = WriterOptions {
        committed: streams.committed(),
        answer_deadline: PATIENCE,
        ..WriterOptions::for_store(store)
    };
    let (writer, lanes) = Writer::start(store, clock.clone(), &options);
    let mut settings = Settings::new(ProgrammeId::new("demo")?);
    settings.rates = Rates {
        client: Rate::new(1_000_000, 1_000_000),
        ..Rates::default()
    };
    let parts = Parts {
        store: store.clone(),
        clock,
        settings,
        metrics,
        writer,
        streams,
    };
    Ok((App::new(parts), lanes))
}
