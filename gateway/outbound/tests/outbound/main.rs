//! The gateway's half against real servers on this machine: sign-in servers, receivers of webhooks and
//! shops, as they should be and as they should not.

mod delivery;
mod ec_cube;
mod openid;
mod server;
mod sign_in_server;
mod untrusted;
