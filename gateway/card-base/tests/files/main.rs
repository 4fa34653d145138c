//! Reads files as shops have them: odd ones, any ones, and long ones.

mod long;
mod odd;
mod properties;
mod reading;
