//! Load for a point gateway, measured from outside.
//!
//! A closed loop, unless a rate is given: each caller sends its next request when it has the answer to the last, like tills
//! at which shoppers stand. So under overload latency grows with the number of callers and says
//! little; throughput is then the figure to read. Every authorization shows a card text that was
//! really signed and is used once. Texts are signed, and bodies written, before the clock starts;
//! holds are let go after it stopped.
//!
//! Reading order: [`cli`] takes the options, [`run`], [`batching`] and [`relay`] are the
//! measurements, [`load`] the loop of callers, [`crowd`] the phones and [`wire`] the connections. [`figures`] is the
//! one place that divides.

pub mod balance;
pub mod batching;
pub mod cli;
pub mod clock;
pub mod compare;
pub mod crowd;
pub mod figures;
pub mod gateway;
pub mod gateways;
pub mod load;
pub mod machine;
pub mod processes;
pub mod relay;
pub mod run;
pub mod start;
pub mod till;
pub mod wire;
