//! What a webhook says of itself in its headers, before its body is read.
//!
//! Headers are not signed: they steer, they prove nothing. Whoever recorded a signed body can send it again
//! under other headers, whatever they claim. That does no harm: the same body, read the same way, is a
//! repeat, and a statement may be said twice.

use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::{Platform, signature};

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// WooCommerce tries the address of a new webhook, unsigned. It must be answered 200 and means nothing.
    Ping,
    /// A webhook.
    Webhook(Delivery),
}

/// What a webhook says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The platform that the shop is set up as.
    pub platform: Platform,
    /// What it is about, such as `orders/paid`; `order.updated`; empty for EC-CUBE, whose bodies say it.
    pub topic: String,
    /// The platform's id of this delivery; Shopify keeps it when it tries again.
    pub delivery_id: Option<String>,
    /// The platform's id of what happened; several webhooks may tell of one event.
    pub event_id: Option<String>,
    /// The shop's own address as the platform gives it, to be held against the one that is set up.
    pub shop_domain: Option<String>,
    /// When it happened, as the platform claims.
    pub claimed_at: Option<Timestamp>,
    /// The platform calls it a test.
    pub test: bool,
}

/// Longer ids than any platform makes.
const ID_CHARS_MAX: usize = 128;
/// Longer topics and domains than any platform has.
const NAME_CHARS_MAX: usize = 255;

/// Says what came, from the headers and the raw body. `header` finds a header whatever the case of its name.
pub fn read<'h>(
    platform: Platform,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
) -> Arrival {
    let signed = header(signature::header_name(platform)).is_some();
    if platform == Platform::WooCommerce && !signed && is_ping(body) {
        return Arrival::Ping;
    }
    let named = |name: &str, chars_max: usize| {
        header(name)
            .map(str::trim)
            .filter(|text| (1..=chars_max).contains(&text.len()))
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))
            .map(str::to_owned)
    };
    let (topic, delivery, event, domain) = match platform {
        Platform::Shopify => (
            "X-Shopify-Topic",
            "X-Shopify-Webhook-Id",
            "X-Shopify-Event-Id",
            "X-Shopify-Shop-Domain",
        ),
        Platform::WooCommerce => (
            "X-WC-Webhook-Topic",
            "X-WC-Webhook-Delivery-ID",
            "",
            "X-WC-Webhook-Source",
        ),
        Platform::EcCube4 => ("", "", "", "X-ECCUBE-URL"),
    };
    let only_shopify = |name: &str| header(name).filter(|_| platform == Platform::Shopify);
    Arrival::Webhook(Delivery {
        platform,
        topic: named(topic, NAME_CHARS_MAX).unwrap_or_default(),
        delivery_id: named(delivery, ID_CHARS_MAX),
        event_id: named(event, ID_CHARS_MAX),
        shop_domain: named(domain, NAME_CHARS_MAX).as_deref().map(host),
        claimed_at: only_shopify("X-Shopify-Triggered-At")
            .and_then(|text| text.trim().parse().ok()),
        test: only_shopify("X-Shopify-Test").is_some_and(|text| text.eq_ignore_ascii_case("true")),
    })
}

impl Delivery {
    /// What tells a repeated webhook from a new one, if anything does. Ask only once the signature is proved.
    ///
    /// It is the body, for that alone is signed, and what headers say of how to read it. Two equal bodies say
    /// the same: they carry the time of the change. The platforms' own ids are headers that anybody can
    /// write, and WooCommerce makes them of the second at hand, so that two orders may share one. But
    /// EC-CUBE's bodies say only which order changed, and every change of it says the same: nothing is a
    /// repeat.
    #[must_use]
    pub fn repeat_key(&self, body: &[u8]) -> Option<String> {
        let digest = || HEXLOWER.encode(&Sha256::digest(body));
        match self.platform {
            Platform::Shopify if self.test => Some(format!("{} test {}", self.topic, digest())),
            Platform::Shopify => Some(format!("{} {}", self.topic, digest())),
            Platform::WooCommerce => Some(digest()),
            Platform::EcCube4 => None,
        }
    }

    /// Whether it names the shop's own domain, if one is set up. Shopify's always name one.
    #[must_use]
    pub fn is_from(&self, domain: Option<&str>) -> bool {
        match (self.shop_domain.as_deref(), domain) {
            (Some(named), Some(domain)) => named.eq_ignore_ascii_case(domain),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => self.platform != Platform::Shopify,
        }
    }

    /// Whether the time it claims is at most `window` away from now. Shopify's always claim one, the others'
    /// never: they are timely.
    ///
    /// Shopify tries again for four hours and keeps the first time, so a window below that loses orders.
    #[must_use]
    pub fn is_timely(&self, now: Timestamp, window: SignedDuration) -> bool {
        match self.claimed_at {
            Some(claimed) => now.duration_since(claimed).abs() <= window,
            None => self.platform != Platform::Shopify,
        }
    }
}

/// `webhook_id=` and a number.
fn is_ping(body: &[u8]) -> bool {
    body.trim_ascii()
        .strip_prefix(b"webhook_id=")
        .is_some_and(|id| (1..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit))
}

/// The host of an address, or the text itself if it is a host already.
fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    host.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(platform: Platform, headers: &[(&str, &str)], body: &[u8]) -> Arrival {
        let header = |name: &str| {
            let mut all = headers.iter();
            all.find(|(at, _)| at.eq_ignore_ascii_case(name))
                .map(|(_, text)| *text)
        };
        read(platform, header, body)
    }

    fn webhook(platform: Platform, headers: &[(&str, &str)], body: &[u8]) -> Delivery {
        match arrival(platform, headers, body) {
            Arrival::Webhook(delivery) => delivery,
            Arrival::Ping => panic!("a ping"),
        }
    }

    #[test]
    fn shopify_says_who_what_and_when() {
        let headers = [
            ("x-shopify-topic", "orders/paid"),
            (
                "x-shopify-webhook-id",
                "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
            ),
            ("x-shopify-event-id", "98880550-7158-44d4-b7cd-2c97c8a091b5"),
            ("x-shopify-shop-domain", "Sakura-Tea.myshopify.com"),
            ("x-shopify-triggered-at", "2026-03-29T18:00:27.877041743Z"),
        ];
        let delivery = webhook(Platform::Shopify, &headers, b"{}");
        assert_eq!(delivery.topic, "orders/paid");
        assert_eq!(
            delivery.shop_domain.as_deref(),
            Some("sakura-tea.myshopify.com")
        );
        assert_eq!(delivery.delivery_id.as_deref(), Some(headers[1].1));
        assert_eq!(delivery.event_id.as_deref(), Some(headers[2].1));
        assert!(!delivery.test);
        let window = SignedDuration::from_hours(5);
        for (now, timely) in [
            ("2026-03-29T13:00:28Z", true),
            ("2026-03-29T13:00:27Z", false),
            ("2026-03-29T23:00:27Z", true),
            ("2026-03-29T23:00:28Z", false),
        ] {
            assert_eq!(
                delivery.is_timely(now.parse().unwrap(), window),
                timely,
                "{now}"
            );
        }
    }

    #[test]
    fn woocommerce_pings_unsigned_and_only_like_this() {
        for (headers, body, ping) in [
            (&[][..], &b"webhook_id=12"[..], true),
            (&[], b"webhook_id=", false),
            (&[], b"webhook_id=1&x=2", false),
            (&[], b"{}", false),
            (
                &[("X-WC-Webhook-Signature", "abc")],
                b"webhook_id=12",
                false,
            ),
        ] {
            let came = arrival(Platform::WooCommerce, headers, body);
            assert_eq!(came == Arrival::Ping, ping, "{body:?}");
        }
        let elsewhere = arrival(Platform::Shopify, &[], b"webhook_id=12");
        assert_ne!(elsewhere, Arrival::Ping);
    }

    #[test]
    fn a_repeat_is_told_by_the_body_and_how_it_is_read_but_never_for_ec_cube() {
        let key = |platform, headers: &[(&str, &str)], body: &[u8]| {
            webhook(platform, headers, body).repeat_key(body)
        };
        let shopify = |headers: &[(&str, &str)], body: &[u8]| key(Platform::Shopify, headers, body);
        let (paid, id) = (("X-Shopify-Topic", "orders/paid"), "X-Shopify-Webhook-Id");
        let first = shopify(&[paid, (id, "w-1")], b"{}");
        assert!(first.is_some());
        // Whatever else the headers say.
        assert_eq!(first, shopify(&[paid, (id, "w-2")], b"{}"));
        for other in [
            shopify(&[paid, (id, "w-1")], b"{ }"),
            shopify(&[("X-Shopify-Topic", "refunds/create")], b"{}"),
            shopify(&[paid, ("X-Shopify-Test", "true")], b"{}"),
        ] {
            assert_ne!(first, other);
        }
        let woo = |headers: &[(&str, &str)], body: &[u8]| key(Platform::WooCommerce, headers, body);
        let id = [(
            "X-WC-Webhook-Delivery-ID",
            "36e520ebabc2fa725092ff4a47acedf2",
        )];
        assert_eq!(woo(&id, b"{}"), woo(&[], b"{}"));
        assert_ne!(
            woo(&id, b"{}"),
            woo(&id, b"{ }"),
            "two orders of one second"
        );
        assert_eq!(key(Platform::EcCube4, &[], b"[]"), None);
    }

    #[test]
    fn shopify_names_its_domain_and_a_time_and_others_need_not() {
        let of = |platform, headers: &[(&str, &str)]| {
            let delivery = webhook(platform, headers, b"{}");
            let at = "2026-03-29T18:00:00Z".parse().unwrap();
            let own = Some("tea.example.jp");
            let timely = delivery.is_timely(at, SignedDuration::ZERO);
            [timely, delivery.is_from(None), delivery.is_from(own)]
        };
        let at = ("X-Shopify-Triggered-At", "2026-03-29T18:00:00Z");
        let then = ("X-Shopify-Triggered-At", "then");
        let tea = ("X-Shopify-Shop-Domain", "Tea.example.jp");
        let ice = ("X-Shopify-Shop-Domain", "ice.example.jp");
        let source = ("X-WC-Webhook-Source", "https://Tea.example.jp/store/");
        for (platform, headers, expected) in [
            (Platform::Shopify, &[][..], [false, false, false]),
            (Platform::Shopify, &[at, tea], [true, true, true]),
            (Platform::Shopify, &[then, tea], [false, true, true]),
            (Platform::Shopify, &[at, ice], [true, true, false]),
            (Platform::WooCommerce, &[], [true, true, false]),
            (Platform::WooCommerce, &[source], [true, true, true]),
            (Platform::EcCube4, &[], [true, true, false]),
        ] {
            assert_eq!(of(platform, headers), expected, "{platform} {headers:?}");
        }
        let overlong = "x".repeat(ID_CHARS_MAX + 1);
        let woo = [("X-WC-Webhook-Delivery-ID", overlong.as_str())];
        assert_eq!(webhook(Platform::WooCommerce, &woo, b"").delivery_id, None);
    }
}
