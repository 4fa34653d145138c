//! `gateway admin shop add` and `… set`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use outbound::https::HttpsUrl;
use pos_protocol::ShopId;
use zeroize::Zeroizing;

use super::{PublicArgs, SecretArgs, known, paste};
use crate::{
    cli::{Failure, Settings, database::DatabaseArgs, desk::remark, output},
    store::{Creation, NewShop, SHOP_ID_CHARS_MAX, ShopOauth, ShopPlatform, ShopSettings, Store},
};

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// Its id, 1 to 61 characters of a-z 0-9 -
    #[arg(long, value_name = "ID")]
    id: ShopId,
    /// What it runs on
    #[arg(long, value_enum)]
    platform: PlatformArg,
    /// What people call it [default: its id]
    #[arg(long, value_parser = remark)]
    name: Option<String>,
    #[command(flatten)]
    secret: SecretArgs,
    #[command(flatten)]
    set_up: SetUpArgs,
    #[command(flatten)]
    public: PublicArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// The shop
    #[arg(long, value_name = "ID")]
    id: ShopId,
    #[command(flatten)]
    set_up: SetUpArgs,
}

/// What can be changed of a shop.
#[derive(Debug, Args)]
struct SetUpArgs {
    /// Where it is, for example https://shop.example (EC-CUBE: needed to fetch orders)
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The host that its webhooks must name as theirs, for example tea.myshopify.com
    #[arg(long, value_name = "HOST")]
    domain: Option<String>,
    /// Id of the OAuth client made in the shop's administration (EC-CUBE)
    #[arg(long, value_name = "ID", requires = "oauth_file")]
    oauth_client: Option<String>,
    /// File with the OAuth client's secret on the first line and, unless the shop takes client credentials, a
    /// refresh token on the second (EC-CUBE)
    #[arg(long, value_name = "FILE", requires = "oauth_client")]
    oauth_file: Option<PathBuf>,
    /// Minutes between two looks for orders that no webhook told of (EC-CUBE) [default: 10]
    #[arg(long, value_name = "N")]
    poll_minutes: Option<u32>,
}

impl SetUpArgs {
    /// The settings with what is named changed.
    fn over(&self, before: ShopSettings) -> Result<ShopSettings, Failure> {
        if let Some(url) = &self.base_url {
            HttpsUrl::parse(url).map_err(|error| Failure::Usage(format!("--base-url: {error}")))?;
        }
        let domain = self.domain.as_deref().map(str::to_ascii_lowercase);
        Ok(ShopSettings {
            domain: domain.or(before.domain),
            oauth: oauth(self)?.or(before.oauth),
            poll_minutes: self.poll_minutes.or(before.poll_minutes),
        })
    }
}

pub(super) async fn set(store: &Store, args: &SetArgs) -> Result<(), Failure> {
    let shop = known(store, &args.id).await?;
    let after = args.set_up.over(shop.settings.clone())?;
    let base_url = args.set_up.base_url.as_deref();
    if !store
        .change_shop_settings(&shop.id, &shop.settings, &after, base_url)
        .await?
    {
        let moved = "somebody else changed the shop just now; look at it, and try again";
        return Err(Failure::Refused(moved.into()));
    }
    output::line(format!(
        "shop {} is changed; `gateway admin shop replay --id {0}` has dead messages tried again",
        shop.id
    ))
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PlatformArg {
    /// Shopify
    Shopify,
    /// WooCommerce
    Woocommerce,
    /// EC-CUBE 4
    #[value(name = "ec_cube", alias = "ec-cube")]
    EcCube,
    /// Anything else: it calls the gateway itself
    Api,
}

impl From<PlatformArg> for ShopPlatform {
    fn from(platform: PlatformArg) -> Self {
        match platform {
            PlatformArg::Shopify => Self::Shopify,
            PlatformArg::Woocommerce => Self::WooCommerce,
            PlatformArg::EcCube => Self::EcCube,
            PlatformArg::Api => Self::Api,
        }
    }
}

pub(super) async fn add(
    store: &Store,
    args: &AddArgs,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), Failure> {
    let platform = ShopPlatform::from(args.platform);
    if args.id.as_str().len() > SHOP_ID_CHARS_MAX {
        let wrong = format!("a shop's id has at most {SHOP_ID_CHARS_MAX} characters");
        return Err(Failure::Usage(wrong));
    }
    let secret = match platform.webhooks() {
        None => None,
        Some(_) => args.secret.secret(platform)?,
    };
    let set_up = args.set_up.over(ShopSettings::default())?;
    let shop = NewShop {
        id: &args.id,
        platform,
        name: args.name.as_deref().unwrap_or(args.id.as_str()),
        base_url: args.set_up.base_url.as_deref(),
        settings: &set_up,
    };
    if store.create_shop(&shop, now).await? != Creation::Created {
        let id = &args.id;
        return Err(Failure::Refused(format!("there is a shop {id} already")));
    }
    if let Some(secret) = &secret {
        store
            .add_shop_secret(&args.id, &secret.text, now, now)
            .await?;
    }
    let row = known(store, &args.id).await?;
    output::line(format!("shop      {} ({})", row.id, platform.word()))?;
    output::line(format!("store     {}", row.till.store_id))?;
    match &secret {
        Some(secret) => secret.tell()?,
        None if platform.webhooks().is_some() => output::line(format!(
            "No secret yet: once Shopify shows it, `gateway admin shop rotate-secret --id {} --secret-file FILE`.",
            row.id
        ))?,
        None => {}
    }
    paste(&row, args.public.url(settings).as_deref())
}

fn oauth(args: &SetUpArgs) -> Result<Option<ShopOauth>, Failure> {
    let (Some(client_id), Some(path)) = (&args.oauth_client, &args.oauth_file) else {
        return Ok(None);
    };
    let what = format!("cannot read {}", path.display());
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(Failure::io(what))?);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let client_secret = lines.next().map(str::to_owned);
    let none = || Failure::Usage("the file of --oauth-file holds no secret".into());
    Ok(Some(ShopOauth {
        client_id: client_id.clone(),
        client_secret: client_secret.ok_or_else(none)?,
        refresh_token: lines.next().map(str::to_owned),
    }))
}
