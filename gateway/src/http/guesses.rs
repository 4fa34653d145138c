//! How often somebody may guess what is on a card.
//!
//! A signed member card cannot be guessed. What is short can be tried: one-time codes, the passwords of
//! wallet passes, the numbers of plastic cards. So each try that turns out not to be genuine costs
//! something: the terminal, its store, and the number that was tried. Where nothing is left, such a text
//! is answered like that of an unknown card, and nobody looks whether it is one.
//!
//! A try is paid before the look and given back if the text was genuine, so that tries at one moment
//! cannot share what is left. Signed member cards are outside of all this, and so are texts of a shape
//! that no card has: a scanner that misreads locks nobody out, and a till that has no tries left goes on
//! with every phone. Tries grow back one by one. Each gateway counts for itself.

use std::{
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ledger::card_use::Till;
use member_card::CardId;
use moka::{policy::EvictionPolicy, sync::Cache};
use pos_protocol::{StoreId, TerminalId};

use super::metrics;
use crate::{clock, limits};

/// How many tries there are at once, and how soon one grows back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cap {
    burst: u32,
    every: Duration,
}

const TERMINAL: Cap = Cap::new(
    limits::GUESSES_PER_TERMINAL_BURST,
    limits::GUESSES_PER_TERMINAL_EVERY_S,
);
const STORE: Cap = Cap::new(
    limits::GUESSES_PER_STORE_BURST,
    limits::GUESSES_PER_STORE_EVERY_S,
);
const NUMBER: Cap = Cap::new(
    limits::GUESSES_PER_NUMBER_BURST,
    limits::GUESSES_PER_NUMBER_EVERY_S,
);

impl Cap {
    const fn new(burst: u32, every_s: u64) -> Self {
        Self {
            burst,
            every: Duration::from_secs(every_s),
        }
    }
}

/// What is left of a cap. Not governor's: that can neither give back nor be asked without taking.
#[derive(Debug)]
struct Bucket {
    left: u32,
    /// Up to when tries have grown back.
    grown_at: Instant,
    /// It was said that there are none left.
    told: bool,
}

impl Bucket {
    fn full(cap: Cap, now: Instant) -> Self {
        Self {
            left: cap.burst,
            grown_at: now,
            told: false,
        }
    }

    fn grow(&mut self, cap: Cap, now: Instant) {
        while self.left < cap.burst {
            match self.grown_at.checked_add(cap.every) {
                Some(next) if next <= now => {
                    self.left = self.left.saturating_add(1);
                    self.grown_at = next;
                }
                _ => return,
            }
        }
        self.grown_at = now;
        self.told = false;
    }

    fn take(&mut self, cap: Cap, now: Instant) -> Taken {
        self.grow(cap, now);
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Taken::One
            }
            None if std::mem::replace(&mut self.told, true) => Taken::Nothing,
            None => Taken::NothingAnyMore,
        }
    }

    fn give_back(&mut self, cap: Cap) {
        self.left = self.left.saturating_add(1).min(cap.burst);
    }
}

/// What came of taking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    One,
    /// None left, for the first time since there were all.
    NothingAnyMore,
    Nothing,
}

/// The buckets of one cap.
struct Buckets<K> {
    name: &'static str,
    cap: Cap,
    by_key: Cache<K, Arc<Mutex<Bucket>>>,
}

/// One try that was paid for, to be given back if it was none.
struct Paid {
    cap: Cap,
    bucket: Arc<Mutex<Bucket>>,
}

impl Paid {
    fn give_back(self) {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.give_back(self.cap);
    }
}

impl<K: Hash + Eq + Clone + Send + Sync + 'static> Buckets<K> {
    fn new(name: &'static str, cap: Cap) -> Self {
        let by_key = Cache::builder()
            .max_capacity(limits::RATE_KEYS_MAX)
            // Not the default policy: it would not admit newcomers to a full cache, and they would go unlimited.
            .eviction_policy(EvictionPolicy::lru())
            // By then it is full again.
            .time_to_idle(cap.every.saturating_mul(cap.burst))
            .build();
        Self { name, cap, by_key }
    }

    /// Takes one; what was told instead, if there is none.
    fn take(&self, key: &K, now: Instant) -> Result<Paid, (&'static str, Taken)> {
        let fresh = || Arc::new(Mutex::new(Bucket::full(self.cap, now)));
        let bucket = self.by_key.get_with(key.clone(), fresh);
        let taken = {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.take(self.cap, now)
        };
        match taken {
            Taken::One => Ok(Paid {
                cap: self.cap,
                bucket,
            }),
            none => Err((self.name, none)),
        }
    }
}

/// All caps of this gateway.
pub(super) struct Guesses {
    terminals: Buckets<TerminalId>,
    stores: Buckets<StoreId>,
    numbers: Buckets<CardId>,
}

/// A try that may turn out to be none. Dropped, it was one: so a caller that goes away has guessed.
#[must_use]
pub(super) struct Try(Vec<Paid>);

impl Try {
    /// The text was genuine.
    pub(super) fn was_genuine(self) {
        self.0.into_iter().for_each(Paid::give_back);
    }
}

impl Guesses {
    pub(super) fn new() -> Self {
        Self {
            terminals: Buckets::new("terminal", TERMINAL),
            stores: Buckets::new("store", STORE),
            numbers: Buckets::new("number", NUMBER),
        }
    }

    /// Pays for a try at `till`, of the number behind `number` if it names one; none if nothing is left
    /// to pay with.
    pub(super) fn pay(&self, till: &Till, number: Option<CardId>) -> Option<Try> {
        self.pay_at(till, number, clock::instant())
    }

    fn pay_at(&self, till: &Till, number: Option<CardId>, now: Instant) -> Option<Try> {
        let mut paid = Vec::with_capacity(3);
        let mut pay = || {
            paid.push(self.terminals.take(&till.terminal_id, now)?);
            paid.push(self.stores.take(&till.store_id, now)?);
            if let Some(number) = number {
                paid.push(self.numbers.take(&number, now)?);
            }
            Ok(())
        };
        match pay() {
            Ok(()) => Some(Try(paid)),
            Err((cap, taken)) => {
                paid.into_iter().for_each(Paid::give_back);
                metrics::guesses_capped(cap);
                if taken == Taken::NothingAnyMore {
                    tracing::warn!(
                        cap,
                        terminal.id = %till.terminal_id,
                        store.id = %till.store_id,
                        "cards.guesses_capped"
                    );
                }
                None
            }
        }
    }

    /// Forgets who has been quiet for long.
    pub(super) fn upkeep(&self) {
        self.terminals.by_key.run_pending_tasks();
        self.stores.by_key.run_pending_tasks();
        self.numbers.by_key.run_pending_tasks();
    }
}

impl fmt::Debug for Guesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guesses").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = include_str!("../../../docs/cards.md");
    const DAY_S: u64 = 86_400;

    fn till(number: u32) -> Till {
        Till {
            terminal_id: TerminalId::new(&format!("till-{number}")).unwrap(),
            store_id: StoreId::new("ginza").unwrap(),
        }
    }

    /// Tries that are let through in a day whose every second has two, at `tills` tills by turns.
    fn in_a_day(tills: u32, number: Option<CardId>) -> u64 {
        let guesses = Guesses::new();
        let begun = clock::instant();
        let tills: Vec<Till> = (0..tills).map(till).collect();
        let tries = (0..2 * DAY_S).zip(tills.iter().cycle());
        let through = tries.filter(|(half, till)| {
            let now = begun + Duration::from_millis(half * 500);
            guesses.pay_at(till, number, now).is_some()
        });
        u64::try_from(through.count()).unwrap()
    }

    /// Chances are counted in 10^-16: what a short code that lives is guessed with.
    const CHANCE: u128 = 10_000_000_000_000_000;

    #[test]
    fn guessing_is_hopeless_and_the_guide_says_how_much() {
        let terminal = in_a_day(1, None);
        let store = in_a_day(100, None);
        // At many terminals at once.
        let number = in_a_day(100, Some(CardId::new(7)));
        let figures = [terminal, store, number];
        assert_eq!(figures, [1_489, 14_899, 153]);
        for figure in figures {
            let shown = format!("{figure}");
            let (thousands, rest) = shown.split_at(shown.len() - 3);
            let shown = if thousands.is_empty() {
                shown.clone()
            } else {
                format!("{thousands},{rest}")
            };
            assert!(
                GUIDE.contains(&format!("| {shown} |")),
                "docs/cards.md lacks {shown}"
            );
        }
        // Three of 10^8 passwords are good at any moment.
        let password = CHANCE / 100_000_000 * 3;
        // A store whose tills do nothing but try hits one pass in six years.
        assert!(u128::from(store) * password * 365 * 6 < CHANCE);
        // One number is hit once in 500 years.
        assert!(u128::from(number) * password * 365 * 500 < CHANCE);
        // With 10,000 short codes alive at every moment, a store hits one in 18 million years.
        assert!(u128::from(store) * 10_000 * 365 * 18 < CHANCE);
    }

    #[test]
    fn what_was_genuine_costs_nothing() {
        let (guesses, now) = (Guesses::new(), clock::instant());
        for _ in 0..10_000 {
            let paid = guesses.pay_at(&till(1), Some(CardId::new(1)), now).unwrap();
            paid.was_genuine();
        }
    }

    #[test]
    fn tries_at_one_moment_share_what_is_left() {
        let (guesses, now) = (Guesses::new(), clock::instant());
        let number = Some(CardId::new(1));
        let under_way: Vec<_> = (0..100)
            .filter_map(|_| guesses.pay_at(&till(1), number, now))
            .collect();
        assert_eq!(under_way.len(), usize::try_from(NUMBER.burst).unwrap());
        // Who was refused for the number has kept what the terminal has.
        let others = (0..100).filter(|_| guesses.pay_at(&till(1), None, now).is_some());
        assert_eq!(
            others.count(),
            usize::try_from(TERMINAL.burst - NUMBER.burst).unwrap()
        );
        // Another till of the store goes on, and so does this one with another try later.
        assert!(guesses.pay_at(&till(2), None, now).is_some());
        assert!(
            guesses
                .pay_at(&till(1), None, now + TERMINAL.every)
                .is_some()
        );
        assert!(
            guesses
                .pay_at(&till(1), None, now + TERMINAL.every)
                .is_none()
        );
    }

    #[test]
    fn it_is_said_once_that_nothing_is_left() {
        let cap = Cap::new(2, 10);
        let begun = clock::instant();
        let mut bucket = Bucket::full(cap, begun);
        let mut at = |second| bucket.take(cap, begun + Duration::from_secs(second));
        let taken: Vec<_> = [0, 0, 0, 0, 10, 10, 50, 50, 50].map(&mut at).to_vec();
        let (one, nothing) = (Taken::One, Taken::Nothing);
        assert_eq!(
            taken,
            [
                one,
                one,
                Taken::NothingAnyMore,
                nothing,
                one,
                nothing,
                one,
                one,
                Taken::NothingAnyMore
            ]
        );
    }
}
