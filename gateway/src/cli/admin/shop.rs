//! `gateway admin shop`: EC shops, what they sign with, and what they sent.

mod add;
mod letters;
mod try_out;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use pos_protocol::ShopId;
use serde_json::json;
use zeroize::Zeroizing;

use super::super::{Failure, Settings, database::DatabaseArgs, output};
use crate::{
    clock::Clock,
    limits,
    store::{ClientSecret, PoolSizes, ShopPlatform, ShopRow, Store},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ShopCommand {
    /// Make a shop known; prints what to enter on the platform's screens
    Add(add::AddArgs),
    /// Change what is set up of a shop; what is not named stays
    Set(add::SetArgs),
    /// List all shops
    List(ListArgs),
    /// Show a shop, and again what to enter on the platform's screens
    Show(ShowArgs),
    /// Give a shop another webhook secret; the old one stays good for a while
    RotateSecret(RotateArgs),
    /// Believe a shop no more
    Disable(NameArgs),
    /// Send a signed sample through a running gateway's door, and wait until it is booked
    Test(try_out::TestArgs),
    /// List messages that could not be booked
    DeadLetters(letters::DeadArgs),
    /// Have messages that could not be booked tried again
    Replay(letters::ReplayArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print JSON, one shop a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The shop
    #[arg(long, value_name = "ID")]
    id: ShopId,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The shop
    #[arg(long, value_name = "ID")]
    id: ShopId,
    #[command(flatten)]
    public: PublicArgs,
}

/// Where the platform reaches the gateway.
#[derive(Debug, Args)]
struct PublicArgs {
    /// How the world reaches the gateway: `https://HOST[:PORT][/PATH]`
    #[arg(long, env = "GATEWAY_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
}

impl PublicArgs {
    fn url(&self, settings: &Settings) -> Option<String> {
        let said = self.public_url.clone();
        said.or_else(|| settings.public_url.clone())
    }
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The shop
    #[arg(long, value_name = "ID")]
    id: ShopId,
    #[command(flatten)]
    secret: SecretArgs,
    /// How long the old secret stays good, in minutes
    #[arg(long, value_name = "N", default_value_t = limits::SHOP_SECRET_OVERLAP_S / 60)]
    overlap_minutes: i64,
}

/// Where a webhook secret comes from. Never from a flag: others see those.
#[derive(Debug, Args)]
struct SecretArgs {
    /// File with the webhook secret that the platform shows; without it one is made, to be entered there
    #[arg(long, value_name = "FILE")]
    secret_file: Option<std::path::PathBuf>,
}

/// A webhook secret, and whether it was made here.
struct Secret {
    text: Zeroizing<String>,
    made: bool,
}

impl SecretArgs {
    /// The secret; none where the platform makes one and none is given.
    fn secret(&self, platform: ShopPlatform) -> Result<Option<Secret>, Failure> {
        let text = match &self.secret_file {
            Some(path) => {
                let what = format!("cannot read {}", path.display());
                let text = std::fs::read_to_string(path).map_err(Failure::io(what))?;
                let text = Zeroizing::new(text);
                Zeroizing::new(text.trim().to_owned())
            }
            // Shopify's admin makes its own.
            None if platform == ShopPlatform::Shopify => return Ok(None),
            None => {
                let made = ClientSecret::generate().map_err(|error| {
                    Failure::io("cannot make a secret")(std::io::Error::other(error))
                })?;
                let text = Zeroizing::new(made.reveal().to_owned());
                return Ok(Some(Secret { text, made: true }));
            }
        };
        ec::signature::WebhookSecret::new(&text)
            .map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Some(Secret { text, made: false }))
    }
}

impl Secret {
    fn tell(&self) -> Result<(), Failure> {
        if !self.made {
            return Ok(());
        }
        output::line(format!("secret    {}", self.text.as_str()))?;
        output::line("The secret is shown once. Enter it on the platform's screen.")
    }
}

const SIZES: PoolSizes = PoolSizes { write: 1, read: 1 };

pub(super) async fn run(command: ShopCommand, settings: &Settings) -> Result<(), Failure> {
    let database = match &command {
        ShopCommand::Add(args) => &args.database,
        ShopCommand::Set(args) => &args.database,
        ShopCommand::List(args) => &args.database,
        ShopCommand::Show(args) => &args.database,
        ShopCommand::RotateSecret(args) => &args.database,
        ShopCommand::Disable(args) => &args.database,
        ShopCommand::Test(args) => &args.database,
        ShopCommand::DeadLetters(args) => &args.database,
        ShopCommand::Replay(args) => &args.database,
    };
    let store = database.open(settings, SIZES).await?;
    let clock = Clock::system();
    let outcome = match &command {
        ShopCommand::Add(args) => add::add(&store, args, settings, clock.now()).await,
        ShopCommand::Set(args) => add::set(&store, args).await,
        ShopCommand::List(args) => list(&store, args.json).await,
        ShopCommand::Show(args) => show(&store, args, settings).await,
        ShopCommand::RotateSecret(args) => rotate(&store, args, clock.now()).await,
        ShopCommand::Disable(args) => disable(&store, &args.id, clock.now()).await,
        ShopCommand::Test(args) => try_out::test(&store, args, &clock).await,
        ShopCommand::DeadLetters(args) => letters::list(&store, args).await,
        ShopCommand::Replay(args) => letters::replay(&store, args, clock.now()).await,
    };
    store.close().await;
    outcome
}

async fn list(store: &Store, json: bool) -> Result<(), Failure> {
    let shops = store.list_shops().await?;
    if json {
        return shops.iter().try_for_each(|shop| {
            output::json(&json!({
                "shop_id": shop.id,
                "platform": shop.platform.word(),
                "name": shop.name,
                "base_url": shop.base_url,
                "store_id": shop.till.store_id,
                "terminal_id": shop.till.terminal_id,
                "created_at": shop.created_at,
                "disabled_at": shop.disabled_at,
            }))
        });
    }
    let row = |shop: &ShopRow| {
        [
            shop.id.to_string(),
            shop.platform.word().to_owned(),
            shop.name.clone(),
            shop.till.store_id.to_string(),
            shop.disabled_at.map_or("-".into(), |at| at.to_string()),
        ]
    };
    output::table(
        ["SHOP", "PLATFORM", "NAME", "STORE", "DISABLED"],
        shops.iter().map(row),
    )
}

async fn show(store: &Store, args: &ShowArgs, settings: &Settings) -> Result<(), Failure> {
    let shop = known(store, &args.id).await?;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    output::line(format!("shop      {} ({})", shop.id, shop.platform.word()))?;
    output::line(format!("name      {}", shop.name))?;
    output::line(format!("store     {}", shop.till.store_id))?;
    output::line(format!("base URL  {}", or_none(shop.base_url.clone())))?;
    output::line(format!(
        "domain    {}",
        or_none(shop.settings.domain.clone())
    ))?;
    for secret in store.shop_secrets(&shop.id, Clock::system().now()).await? {
        let end = secret.ends_at.map(|end| format!("until {end}"));
        let end = end.unwrap_or_else(|| "no end".to_owned());
        output::line(format!("secret    of {}, {end}", secret.created_at))?;
    }
    if let Some(at) = shop.disabled_at {
        output::line(format!("disabled  {at}"))?;
    }
    paste(&shop, args.public.url(settings).as_deref())
}

/// What to enter on the platform's screens.
fn paste(shop: &ShopRow, public_url: Option<&str>) -> Result<(), Failure> {
    match (shop.platform.webhooks(), public_url) {
        (None, _) => output::line(format!(
            "\nThe shop's system calls the gateway itself. Make a client for it:\n  \
             gateway admin client create --scope ec --shop {0} --id {0}",
            shop.id
        )),
        (Some(_), None) => output::line(
            "\nSay --public-url to see what to enter on the platform's screens (`admin shop show`).",
        ),
        (Some(platform), Some(url)) => {
            output::line("")?;
            let lines = ec::what_to_paste(platform, url, &shop.id);
            lines.iter().try_for_each(output::line)
        }
    }
}

async fn rotate(store: &Store, args: &RotateArgs, now: Timestamp) -> Result<(), Failure> {
    let shop = known(store, &args.id).await?;
    if shop.platform.webhooks().is_none() {
        return Err(Failure::Usage("the shop sends no webhooks".into()));
    }
    let secret = args.secret.secret(shop.platform)?;
    let secret = secret.ok_or_else(|| {
        Failure::Usage("Shopify makes the secret: give it with --secret-file".into())
    })?;
    let overlap = SignedDuration::from_mins(args.overlap_minutes.clamp(0, 7 * 24 * 60));
    let old_end = now.checked_add(overlap).unwrap_or(now);
    store
        .add_shop_secret(&shop.id, &secret.text, now, old_end)
        .await?;
    output::line(format!("shop      {}", shop.id))?;
    secret.tell()?;
    output::line(format!("The old secret is good until {old_end}."))
}

async fn disable(store: &Store, id: &ShopId, now: Timestamp) -> Result<(), Failure> {
    if !store.disable_shop(id, now).await? {
        return Err(unknown(id));
    }
    let seconds = limits::SHOP_STANDING_S;
    output::line(format!(
        "shop {id} is believed no more within {seconds} s; what is booked stays"
    ))
}

async fn known(store: &Store, id: &ShopId) -> Result<ShopRow, Failure> {
    store.shop(id).await?.ok_or_else(|| unknown(id))
}

fn unknown(id: &ShopId) -> Failure {
    Failure::Refused(format!("there is no shop {id}"))
}
