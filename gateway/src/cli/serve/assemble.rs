//! The settings of `gateway serve`, from flags, environment and settings file to a gateway ready to start.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;

use super::{LISTEN_DEFAULT, SWEEP_SECONDS_DEFAULT, Serving, programme};
use crate::{
    cli::{
        Failure, Settings,
        broker::BrokerArgs,
        database::{self, DatabaseArgs},
        messages::MessageArgs,
        secrets,
        web::WebArgs,
    },
    http::{PublicUrl, Rate, Rates, Tls},
    limits,
    sign_in::SignIn,
    store::PoolSizes,
    wallets::{self, WalletError, Wallets},
    writer::WriterOptions,
};

/// Connections of the writer beyond one for each lane. The driver tries a connection that is given
/// back before the next lane may take it.
const SPARE_WRITE_CONNECTIONS: u32 = 2;

#[derive(Debug, Args)]
pub(in crate::cli) struct ServeArgs {
    /// Address to listen on; port 0 takes any free one [default: 127.0.0.1:8080]
    #[arg(long, env = "GATEWAY_LISTEN", value_name = "ADDR")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    /// Programme file (TOML); put in force where it says anything else than the version that is
    #[arg(long, env = "GATEWAY_PROGRAMME", value_name = "FILE")]
    programme: Option<PathBuf>,
    /// How callers reach the gateway, where a proxy stands in between: `https://HOST[:PORT][/PATH]`
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
    /// Requests a second that one till, shop system or staff tool may make [default: 200]
    #[arg(long, env = "GATEWAY_CLIENT_REQUESTS_PER_SECOND", value_name = "N")]
    client_requests_per_second: Option<NonZeroU32>,
    /// Requests that it may make at once [default: twice as many]
    #[arg(long, env = "GATEWAY_CLIENT_BURST", value_name = "N")]
    client_burst: Option<NonZeroU32>,
    /// Seconds to go on serving after a stop signal while readiness is false already, so that load
    /// balancers look elsewhere; a second signal ends them [default: 2]
    #[arg(long, env = "GATEWAY_DRAIN_SECONDS", value_name = "N")]
    drain_seconds: Option<u64>,
    /// File of the programme's secrets (see `gateway admin secrets new`); without it identities, personal
    /// data, EC shops and wallet passes are not served
    #[arg(long, env = "GATEWAY_SECRETS", value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// File (TOML) that names issuer, class and service account for Google Wallet
    #[arg(long, env = "GATEWAY_GOOGLE_WALLET", value_name = "FILE")]
    google_wallet: Option<PathBuf>,
    /// File (TOML) that names pass type, team and certificates for Apple Wallet
    #[arg(long, env = "GATEWAY_APPLE_WALLET", value_name = "FILE")]
    apple_wallet: Option<PathBuf>,
    #[command(flatten)]
    messages: MessageArgs,
    /// File of sign-ins (OpenID Connect) whose ID tokens link members
    #[arg(long, env = "GATEWAY_OPENID", value_name = "FILE")]
    openid: Option<PathBuf>,
    #[command(flatten)]
    web: WebArgs,
}

/// What the flags and the environment say, and else the settings file.
macro_rules! said {
    ($args:ident, $settings:ident, $name:ident) => {
        $args.$name.or($settings.$name)
    };
}

pub(super) async fn assemble(args: ServeArgs, settings: Settings) -> Result<Serving, Failure> {
    let url = args.database.url(&settings)?;
    let broker = args.broker.broker(&settings)?;
    let delivery = args.messages.delivery(&settings)?;
    let lanes = said!(args, settings, lanes).map(|lanes| lanes.max(1));
    let sizes = pool_sizes(lanes, said!(args, settings, read_connections));
    let rates = rates(
        said!(args, settings, client_requests_per_second),
        said!(args, settings, client_burst),
    );
    let tls = tls(
        said!(args, settings, tls_cert),
        said!(args, settings, tls_key),
    )?;
    let public_url = said!(args, settings, public_url)
        .map(|text| text.parse::<PublicUrl>())
        .transpose()
        .map_err(|error| Failure::Usage(format!("public_url: {error}")))?;
    let secrets = secrets::optional(said!(args, settings, secrets))?;
    let wallets = read_wallets(
        said!(args, settings, google_wallet),
        said!(args, settings, apple_wallet),
    )?;
    let sign_in = said!(args, settings, openid)
        .map(|path| SignIn::read(&path).map(Arc::new))
        .transpose()
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let web_pages = args.web.pages(settings.web)?;
    let store = database::open_existing(&url, sizes).await?;
    let in_force = match programme::ready(&store, said!(args, settings, programme)).await {
        Ok(in_force) => in_force,
        Err(failure) => {
            store.close().await;
            return Err(failure);
        }
    };
    let usual = WriterOptions::for_store(&store);
    let sweep = said!(args, settings, sweep_seconds).unwrap_or(SWEEP_SECONDS_DEFAULT);
    let drain = said!(args, settings, drain_seconds).unwrap_or(limits::DRAIN_S_DEFAULT);
    Ok(Serving {
        listen: said!(args, settings, listen).unwrap_or(LISTEN_DEFAULT),
        in_force,
        tls,
        public_url,
        trusted_proxies: said!(args, settings, trusted_proxies).unwrap_or(0),
        rates,
        broker,
        sweep_every: Duration::from_secs(sweep.max(1)),
        drain: Duration::from_secs(drain),
        secrets,
        wallets: Arc::new(wallets),
        delivery,
        sign_in,
        web_pages,
        writer: WriterOptions {
            lanes: lanes.unwrap_or(usual.lanes),
            batch_commands_max: said!(args, settings, batch_commands_max)
                .unwrap_or(usual.batch_commands_max)
                .max(1),
            queue_commands_max: said!(args, settings, queue_commands_max)
                .unwrap_or(usual.queue_commands_max)
                .max(1),
            ..usual
        },
        store,
    })
}

/// The defaults have connections to spare for the default lanes.
fn pool_sizes(lanes: Option<usize>, read_connections: Option<u32>) -> PoolSizes {
    let default = PoolSizes::default();
    let write = lanes.map(|lanes| u32::try_from(lanes).unwrap_or(u32::MAX));
    PoolSizes {
        write: write.map_or(default.write, |lanes| {
            lanes.saturating_add(SPARE_WRITE_CONNECTIONS)
        }),
        read: read_connections.unwrap_or(default.read).max(1),
    }
}

fn read_wallets(google: Option<PathBuf>, apple: Option<PathBuf>) -> Result<Wallets, Failure> {
    let unusable = |error: WalletError| Failure::Usage(error.to_string());
    let google = google.map(|path| wallets::google(&path)).transpose();
    let apple = apple.map(|path| wallets::apple(&path)).transpose();
    let apple = apple.map_err(unusable)?;
    if let Some(wallet) = &apple {
        let valid_until = wallet.config.valid_until();
        tracing::info!(certificate.valid_until = %valid_until, "apple_wallet.ready");
    }
    Ok(Wallets {
        google: google.map_err(unusable)?,
        apple,
    })
}

fn rates(per_s: Option<NonZeroU32>, burst: Option<NonZeroU32>) -> Rates {
    let default = Rates::default();
    let usual_burst = per_s.map_or(default.client.burst, |rate| {
        rate.saturating_mul(NonZeroU32::MIN.saturating_add(1))
    });
    Rates {
        client: Rate {
            per_s: per_s.unwrap_or(default.client.per_s),
            burst: burst.unwrap_or(usual_burst),
        },
        ..default
    }
}

fn tls(certificate: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<Tls>, Failure> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Tls::from_pem_files(&certificate, &key)
            .map(Some)
            .map_err(|error| Failure::Usage(error.to_string())),
        (None, None) => Ok(None),
        _ => Err(Failure::Usage("tls_cert and tls_key go together".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_has_a_connection_and_there_are_some_to_spare() {
        for lanes in [1, 2, 16] {
            let write = pool_sizes(Some(lanes), None).write;
            assert_eq!(usize::try_from(write).unwrap(), lanes + 2);
        }
        assert_eq!(pool_sizes(None, None).write, PoolSizes::default().write);
        assert_eq!(pool_sizes(None, Some(0)).read, 1);
    }

    #[test]
    fn a_burst_is_twice_the_rate_unless_said() {
        let number = |n| NonZeroU32::new(n);
        assert_eq!(rates(None, None), Rates::default());
        assert_eq!(rates(number(50), None).client, Rate::new(100, 50));
        assert_eq!(rates(number(50), number(7)).client, Rate::new(7, 50));
        assert_eq!(rates(None, number(7)).client, Rate::new(7, 200));
    }
}
