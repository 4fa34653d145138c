//! The points an order is paid with, as the shop's plugin wrote them into the order's own attributes.
//!
//! A value that is there but makes no sense refuses the order: somebody paid with points, and silently
//! giving them back would be as wrong as taking others.

use pos_protocol::{AuthorizationId, OrderRedemption, Points};

use crate::{NotUnderstood, document::Node};

/// The attribute that names the hold.
pub(crate) const AUTHORIZATION: &str = "point_authorization";
/// The attribute that says how many points of it.
pub(crate) const POINTS: &str = "point_redeem";

/// The redemption among attributes whose names stand under `name` and whose values under `value`.
pub(crate) fn redemption(
    attributes: &[Node<'_>],
    name: &str,
) -> Result<Option<OrderRedemption>, NotUnderstood> {
    let find = |wanted: &str| {
        let mut found = attributes.iter();
        found
            .find(|attribute| attribute.word(name) == Some(wanted))
            .filter(|attribute| attribute.text("value").is_some())
    };
    let Some(hold) = find(AUTHORIZATION) else {
        return Ok(None);
    };
    let authorization_id: AuthorizationId = hold
        .word("value")
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| hold.malformed("this names an authorization, a UUID"))?;
    let points = find(POINTS).map(|attribute| {
        let points = attribute.need("value")?.decimal()?.whole();
        points
            .and_then(|number| Points::new(number).ok())
            .ok_or_else(|| attribute.malformed("points are a whole number, 0 or more"))
    });
    Ok(Some(OrderRedemption {
        authorization_id,
        points: points.transpose()?,
    }))
}
