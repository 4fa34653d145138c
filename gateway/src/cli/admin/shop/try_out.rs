//! `gateway admin shop test`: a signed sample through the public door.

use std::time::Duration;

use clap::Args;
use ec::{delivery, signature::WebhookSecret};
use outbound::https::{Client, HttpsUrl, Limits};
use pos_protocol::ShopId;
use uuid::Uuid;

use super::known;
use crate::{
    cli::{Failure, database::DatabaseArgs, output},
    clock::{self, Clock},
    store::{Sent, Store},
};

/// How often the inbox is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// The shop
    #[arg(long, value_name = "ID")]
    id: ShopId,
    /// Where the gateway is, as the platform reaches it: https://HOST, or http:// on this machine
    #[arg(long, value_name = "URL")]
    gateway: String,
    /// The order that an EC-CUBE shop is asked for; for other platforms one is made up
    #[arg(long, value_name = "N")]
    order: Option<u64>,
    /// How long to wait until it is booked, in seconds
    #[arg(long, value_name = "N", default_value_t = 30)]
    wait_seconds: u64,
}

pub(super) async fn test(store: &Store, args: &TestArgs, clock: &Clock) -> Result<(), Failure> {
    let shop = known(store, &args.id).await?;
    let platform = shop.platform.webhooks();
    let platform = platform.ok_or_else(|| Failure::Usage("the shop sends no webhooks".into()))?;
    let now = clock.now();
    let secrets = store.shop_secrets(&shop.id, now).await?;
    let newest = secrets.first();
    let newest = newest.ok_or_else(|| Failure::Refused("the shop has no secret yet".into()))?;
    let secret = WebhookSecret::new(&newest.text)
        .map_err(|error| Failure::Refused(format!("the shop's secret: {error}")))?;
    // No real shop has such numbers.
    let made_up = now.as_microsecond().unsigned_abs();
    let order = args.order.unwrap_or(made_up);
    let domain = shop.settings.domain.as_deref();
    let sample = ec::sample(platform, &secret, order, domain, now);
    let base = args.gateway.trim_end_matches('/');
    let url = HttpsUrl::parse(&format!("{base}/v1/ec/webhooks/{}", shop.id))
        .map_err(|error| Failure::Usage(format!("--gateway: {error}")))?;
    let client = Client::new(Limits::default())
        .map_err(|error| Failure::io("cannot send")(std::io::Error::other(error)))?;
    let repeat = repeat_key(platform, &sample);
    let before = clock.new_id();
    let status = client
        .send(&url, &sample.headers, sample.body)
        .await
        .map_err(|error| Failure::io("cannot reach the gateway")(std::io::Error::other(error)))?;
    if status != 200 {
        return Err(Failure::Refused(format!(
            "the gateway answered {status}; its log says why (`webhook.refused`)"
        )));
    }
    output::line("taken     200, signature and domain are right")?;
    wait(store, args, repeat.as_deref(), before).await
}

fn repeat_key(platform: ec::Platform, sample: &ec::Sample) -> Option<String> {
    let header = |name: &str| {
        let mut all = sample.headers.iter();
        let found = all.find(|(at, _)| at.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    match delivery::read(platform, header, &sample.body) {
        delivery::Arrival::Webhook(delivery) => delivery.repeat_key(&sample.body),
        delivery::Arrival::Ping => None,
    }
}

async fn wait(
    store: &Store,
    args: &TestArgs,
    repeat: Option<&str>,
    before: Uuid,
) -> Result<(), Failure> {
    let until = clock::instant() + Duration::from_secs(args.wait_seconds);
    let sent = repeat.map_or(Sent::After(before), Sent::Repeat);
    loop {
        let (state, why) = match store.inbox_fate(&args.id, sent).await? {
            Some(found) => found,
            None => ("not there".to_owned(), None),
        };
        let why = why.unwrap_or_default();
        match state.as_str() {
            "done" => return output::line("booked    the order is in the books, as nobody's"),
            "ignored" => return output::line(format!("ignored   {why}")),
            "dead" => return Err(Failure::Refused(format!("not booked: {why}"))),
            _ if clock::instant() >= until => {
                return Err(Failure::Refused(format!(
                    "still {state} after {} s; does a gateway of this database run? {why}",
                    args.wait_seconds
                )));
            }
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}
