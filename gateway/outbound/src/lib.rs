//! What the gateway asks of, or tells, other servers over HTTPS.
//!
//! Invariants: everything goes through one [`https::Client`], whose requests end in bounded time and
//! whose answers are bounded in size; no redirect is followed and no proxy used that the surroundings
//! name; what is not HTTPS goes to this machine only. Time comes in as an argument, nothing here draws
//! random bits, and no secret or personal data shows in `Debug`, in an error or in a log. The one
//! exception is [`delivery::Delivery::log`], which is there for the demo and says so.

pub mod delivery;
pub mod ec_cube;
pub mod https;
pub mod openid;
