//! Events on their way to a real RabbitMQ, and everything that can go wrong on it. In the end of each
//! case the books agree: every event was received under its own id, the places in the stream have no
//! gap, and each member's events came, the first time, in their order.

mod broker_faults;
mod doctor;
mod flow;
mod holders;
mod refusals;
mod stage;
mod topology;
