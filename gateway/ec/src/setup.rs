//! What an operator enters on a platform's own screens.

use pos_protocol::ShopId;

use crate::{Platform, signature::WebhookSecret};

/// What the operator enters on the platform's screens, line by line.
///
/// `base_url` is the gateway's public address, with or without a slash at its end.
#[must_use]
pub fn what_to_paste(platform: Platform, base_url: &str, shop_id: &ShopId) -> Vec<String> {
    let url = format!(
        "{}/v1/ec/webhooks/{shop_id}",
        base_url.trim_end_matches('/')
    );
    let secret_bytes = WebhookSecret::BYTES_MIN;
    match platform {
        Platform::Shopify => vec![
            "In Shopify's admin: Settings > Notifications > Webhooks > Create webhook.".to_owned(),
            "Create one webhook for each event: Order creation, Order payment, Order update, \
             Order fulfillment, Order cancellation, Refund create."
                .to_owned(),
            "Format: JSON".to_owned(),
            format!("URL: {url}"),
            "Webhook API version: the newest that is not called a release candidate.".to_owned(),
            "Secret: the page says \"Your webhooks will be signed with\" and a long text; give that \
             text to the gateway."
                .to_owned(),
            "The shop's currency must be JPY.".to_owned(),
            "Cancel or refund an order before you delete it: deleting takes no points back."
                .to_owned(),
        ],
        Platform::WooCommerce => vec![
            "In WordPress: WooCommerce > Settings > Advanced > Webhooks > Add webhook.".to_owned(),
            "Create two webhooks, with the topics Order created and Order updated.".to_owned(),
            "Status: Active".to_owned(),
            format!("Delivery URL: {url}"),
            format!(
                "Secret: the same for both, {secret_bytes} characters or more; give it to the gateway."
            ),
            "API version: WP REST API Integration v3".to_owned(),
            "The shop's currency must be JPY. Set the number of decimals to 0.".to_owned(),
            "Cancel or refund an order before you delete it: deleting takes no points back."
                .to_owned(),
            "WooCommerce turns a webhook off after it failed more than 5 times in a row; look at its \
             status after an outage."
                .to_owned(),
        ],
        Platform::EcCube4 => vec![
            "In EC-CUBE's admin, with the Web API plugin: Settings > System > WebHook > new.".to_owned(),
            format!("Payload URL: {url}"),
            format!(
                "Secret: {secret_bytes} characters or more; give it to the gateway. Without one EC-CUBE \
                 does not sign, and the gateway refuses."
            ),
            "Enabled: yes".to_owned(),
            "Then Settings > System > OAuth: register a client with the scope read; the gateway fetches \
             orders with it."
                .to_owned(),
            "Set an order to cancelled or returned before you delete it: deleting takes no points back."
                .to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_among_the_lines() {
        let shop = ShopId::new("sakura-tea").unwrap();
        for platform in Platform::ALL {
            let lines = what_to_paste(platform, "https://points.example.jp/", &shop);
            let url = "https://points.example.jp/v1/ec/webhooks/sakura-tea";
            let naming = lines.iter().filter(|line| line.ends_with(url));
            assert_eq!(naming.count(), 1, "{platform}");
            assert!(lines.iter().any(|line| line.starts_with("Secret: ")));
        }
    }
}
