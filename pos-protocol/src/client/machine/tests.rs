//! The machine against a gateway in miniature, over a line that loses, delays, doubles and reorders,
//! a disk that fills up, and a till that is killed between any two steps.

mod disk;
mod gateway;
mod properties;
mod queue;
mod scenes;
mod spending;
mod undoing;
mod world;
