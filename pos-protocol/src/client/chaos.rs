//! A line that loses, delays and doubles, for rehearsals: what it does follows from a seed.
//!
//! It sits between the till's half and HTTP. What it spares is sent to the real gateway, so whatever
//! a vendor sees here can happen in a store.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The longest delay.
const DELAY_MS_MAX: u64 = 400;

/// A bad line.
#[derive(Debug)]
pub struct Chaos {
    seed: u64,
    exchanges: AtomicU64,
}

/// What happens to one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    None,
    /// The request never arrives.
    LoseRequest,
    /// It arrives, and the answer is lost.
    LoseAnswer,
    /// It arrives twice.
    DoubleRequest,
    /// The answer comes twice.
    DoubleAnswer,
    /// It leaves late.
    DelayRequest(Duration),
    /// The answer comes after it was given up.
    LateAnswer(Duration),
}

impl Chaos {
    /// A bad line; the same seed is bad in the same way.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            exchanges: AtomicU64::new(0),
        }
    }

    /// What happens to the next exchange: half of them go well.
    pub(crate) fn next(&self) -> Mishap {
        let number = self.exchanges.fetch_add(1, Ordering::Relaxed);
        let dice = mix(self.seed ^ mix(number));
        let delay = Duration::from_millis((dice >> 32) % DELAY_MS_MAX);
        match dice % 12 {
            0 => Mishap::LoseRequest,
            1 => Mishap::LoseAnswer,
            2 => Mishap::DoubleRequest,
            3 => Mishap::DoubleAnswer,
            4 => Mishap::DelayRequest(delay),
            5 => Mishap::LateAnswer(delay),
            _ => Mishap::None,
        }
    }
}

/// SplitMix64: good enough to choose what goes wrong.
fn mix(from: u64) -> u64 {
    let mut z = from.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
