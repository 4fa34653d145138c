//! What real EC platforms send, turned into statements about orders.
//!
//! No I/O, no clock, no randomness: bytes and headers in, values out. What always holds:
//!
//! - A statement that leaves this crate satisfies [`OrderStatement::violation`]` == None`.
//! - Reading is total: any bytes give a value or a [`NotUnderstood`], never a panic.
//! - Money is whole yen and exact. No amount is computed in floating point.
//! - Only what a platform cannot take back is told as final: moving an order to the bin, which can be
//!   undone, is not a cancellation.
//! - Neither errors nor `Debug` show a secret, an address or any other text of the message.
//!
//! The way of one webhook: [`delivery::read`] says what came, [`signature::verify`] proves who sent it,
//! [`delivery::Delivery::is_from`], [`delivery::Delivery::is_timely`] and [`delivery::Delivery::repeat_key`]
//! refuse what is another shop's, old or repeated, [`parse`] says what it means.

mod apportion;
pub mod delivery;
mod document;
pub mod ec_cube;
mod goods;
mod money;
mod outcome;
mod platform;
mod redemption;
mod sample;
mod setup;
mod shopify;
pub mod signature;
mod woo_commerce;

pub use outcome::{NotUnderstood, Parsed};
pub use platform::{Platform, UnknownPlatform};
pub use sample::{Sample, sample};
pub use setup::what_to_paste;

#[cfg(doc)]
use pos_protocol::OrderStatement;

/// What a webhook's body means. One webhook of EC-CUBE may tell of several orders.
///
/// The signature must have been verified over the same bytes.
///
/// # Errors
/// [`NotUnderstood`] if the body is not what the platform documents; sending it again will not help.
pub fn parse(platform: Platform, topic: &str, body: &[u8]) -> Result<Vec<Parsed>, NotUnderstood> {
    match platform {
        Platform::Shopify => shopify::parse(topic, body).map(|parsed| vec![parsed]),
        Platform::WooCommerce => woo_commerce::parse(topic, body).map(|parsed| vec![parsed]),
        Platform::EcCube4 => ec_cube::parse(body),
    }
}
