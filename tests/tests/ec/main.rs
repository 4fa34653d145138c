//! EC shops: what they send comes in by real HTTP, is kept, and is booked, on both databases.

mod cube;
mod door;
mod killed;
mod letters;
mod orders;
mod spending;
mod stage;
mod workers;
