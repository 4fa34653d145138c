//! How often each caller may ask.
//!
//! Three kinds of caller have a bucket each: clients by their id, cards by theirs, and for token
//! requests, enrolments and failed credentials the address they come from (IPv6 by its /64, which
//! is what one household gets). Buckets are bounded in number, the least recently used go first, and
//! each gateway counts for itself.

use std::{
    fmt,
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{HeaderName, HeaderValue, header};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use member_card::CardId;
use moka::{policy::EvictionPolicy, sync::Cache};

use super::{
    metrics,
    problem::{Problem, ProblemKind},
};
use crate::{clock, limits};

/// How often one caller may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests that may come at once.
    pub burst: NonZeroU32,
    /// Requests a second that refill the burst.
    pub per_s: NonZeroU32,
}

impl Rate {
    /// A rate; zeros count as one.
    #[must_use]
    pub fn new(burst: u32, per_s: u32) -> Self {
        Self {
            burst: NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN),
            per_s: NonZeroU32::new(per_s).unwrap_or(NonZeroU32::MIN),
        }
    }

    fn quota(self) -> Quota {
        Quota::per_second(self.per_s).allow_burst(self.burst)
    }

    /// Seconds in which an empty bucket fills, at least one.
    fn window_s(self) -> u32 {
        self.burst.get().div_ceil(self.per_s.get())
    }
}

/// The rates of every kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Of one till, shop system or staff tool.
    pub client: Rate,
    /// Of one card.
    pub card: Rate,
    /// Of one address, for what comes before a caller is known.
    pub peer: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            client: Rate::new(limits::CLIENT_BURST_REQUESTS, limits::CLIENT_REQUESTS_PER_S),
            card: Rate::new(limits::CARD_BURST_REQUESTS, limits::CARD_REQUESTS_PER_S),
            peer: Rate::new(limits::PEER_BURST_REQUESTS, limits::PEER_REQUESTS_PER_S),
        }
    }
}

/// The bucket of one caller.
struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>,
    /// Until when it is known to hold nothing.
    empty_until: Mutex<Option<Instant>>,
}

impl Bucket {
    fn new(rate: Rate) -> Self {
        Self {
            limiter: RateLimiter::direct(rate.quota()).with_middleware(),
            empty_until: Mutex::new(None),
        }
    }

    /// Takes one, or says how long to wait for it.
    fn take(&self, rate: Rate) -> Result<(), Duration> {
        let (empty_for, taken) = match self.limiter.check() {
            Ok(left) if left.remaining_burst_capacity() > 0 => return Ok(()),
            Ok(_) => (rate.quota().replenish_interval(), Ok(())),
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                (wait, Err(wait))
            }
        };
        let mut empty_until = self
            .empty_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *empty_until = clock::instant().checked_add(empty_for);
        taken
    }

    /// How long it stays empty; none if there is something in it. Takes nothing.
    fn empty_for(&self) -> Option<Duration> {
        let until = *self
            .empty_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until?
            .checked_duration_since(clock::instant())
            .filter(|left| !left.is_zero())
    }
}

/// The buckets of one kind of caller.
struct Buckets<K> {
    name: &'static str,
    rate: Rate,
    by_caller: Cache<K, Arc<Bucket>>,
}

impl<K: Hash + Eq + Send + Sync + 'static> Buckets<K> {
    fn new(name: &'static str, rate: Rate) -> Self {
        let by_caller = Cache::builder()
            .max_capacity(limits::RATE_KEYS_MAX)
            // Not the default policy: it would not admit newcomers to a full cache, and they would go unlimited.
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(Duration::from_secs(limits::RATE_KEY_IDLE_S))
            .build();
        Self {
            name,
            rate,
            by_caller,
        }
    }

    fn take(&self, caller: K) -> Result<(), Problem> {
        let bucket = self
            .by_caller
            .get_with(caller, || Arc::new(Bucket::new(self.rate)));
        bucket.take(self.rate).map_err(|wait| self.refused(wait))
    }

    /// Refuses a caller whose bucket is empty. Takes nothing.
    fn look(&self, caller: &K) -> Result<(), Problem> {
        let bucket = self.by_caller.get(caller);
        match bucket.and_then(|bucket| bucket.empty_for()) {
            Some(wait) => Err(self.refused(wait)),
            None => Ok(()),
        }
    }

    fn refused(&self, wait: Duration) -> Problem {
        metrics::rate_limited(self.name);
        // A header in whole seconds: rounded up, or the caller comes back too soon.
        let wait_s = wait.as_secs().saturating_add(1);
        let (name, burst, window) = (self.name, self.rate.burst, self.rate.window_s());
        let field =
            |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
        Problem::new(
            ProblemKind::RateLimited,
            format!(
                "At most {burst} requests at once and {} a second.",
                self.rate.per_s
            ),
        )
        .header(header::RETRY_AFTER, HeaderValue::from(wait_s))
        .header(
            HeaderName::from_static("ratelimit-policy"),
            field(format!("\"{name}\";q={burst};w={window}")),
        )
        .header(
            HeaderName::from_static("ratelimit"),
            field(format!("\"{name}\";r=0;t={wait_s}")),
        )
    }
}

/// All buckets of this gateway.
pub(super) struct RateLimits {
    clients: Buckets<Arc<str>>,
    cards: Buckets<CardId>,
    peers: Buckets<IpAddr>,
}

impl RateLimits {
    pub(super) fn new(rates: Rates) -> Self {
        Self {
            clients: Buckets::new("client", rates.client),
            cards: Buckets::new("card", rates.card),
            peers: Buckets::new("peer", rates.peer),
        }
    }

    /// Counts one request of a client.
    pub(super) fn client(&self, id: &Arc<str>) -> Result<(), Problem> {
        self.clients.take(id.clone())
    }

    /// Counts one request of a card.
    pub(super) fn card(&self, id: CardId) -> Result<(), Problem> {
        self.cards.take(id)
    }

    /// Counts one request without a caller.
    pub(super) fn peer(&self, address: IpAddr) -> Result<(), Problem> {
        self.peers.take(household(address))
    }

    /// Refuses an address that has used up what it may, without counting anything.
    pub(super) fn peer_has_some_left(&self, address: IpAddr) -> Result<(), Problem> {
        self.peers.look(&household(address))
    }

    /// Forgets who has been quiet for long.
    pub(super) fn upkeep(&self) {
        self.clients.by_caller.run_pending_tasks();
        self.cards.by_caller.run_pending_tasks();
        self.peers.by_caller.run_pending_tasks();
    }
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits").finish_non_exhaustive()
    }
}

fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_bucket_of_its_own() {
        let limits = RateLimits::new(Rates {
            client: Rate::new(2, 1),
            ..Rates::default()
        });
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        limits.client(&a).unwrap();
        limits.client(&a).unwrap();
        assert_eq!(
            limits.client(&a).unwrap_err().kind(),
            ProblemKind::RateLimited
        );
        limits.client(&b).unwrap();
    }

    #[test]
    fn looking_takes_nothing_and_sees_an_empty_bucket() {
        let limits = RateLimits::new(Rates {
            peer: Rate::new(2, 1),
            ..Rates::default()
        });
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..2 {
            for _ in 0..5 {
                limits.peer_has_some_left(address).unwrap();
            }
            limits.peer(address).unwrap();
        }
        let refused = limits.peer_has_some_left(address).unwrap_err();
        assert_eq!(refused.kind(), ProblemKind::RateLimited);
        limits
            .peer_has_some_left("192.0.2.2".parse().unwrap())
            .unwrap();
    }

    #[test]
    fn an_ipv6_household_shares_a_bucket() {
        let at = |text: &str| household(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}
