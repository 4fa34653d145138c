//! How often each caller may ask.
//!
//! Three kinds of caller have a bucket each: clients by their id, cards by theirs, and for token
//! requests, enrolments and failed credentials the address they come from (IPv6 by its /64, which
//! is what one household gets). What could be guessed or would flood somebody with messages has slow
//! buckets besides: by member, by address the request comes from, and by address a message goes to. Genuine
//! webhooks have a bucket for each shop, forged ones another for each address and shop, so that nobody's
//! forgeries stand in the way of a shop behind the same proxy. Buckets are bounded in number, the least
//! recently used go first, and each gateway counts for itself.

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
use ledger::identity::IdentityKey;
use member_card::CardId;
use moka::{policy::EvictionPolicy, sync::Cache};
use pos_protocol::{MemberId, ShopId, TerminalId};

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
}

/// How a bucket fills.
#[derive(Debug, Clone, Copy)]
struct Pace {
    burst: NonZeroU32,
    /// What one request takes to come back.
    every: Duration,
}

impl From<Rate> for Pace {
    fn from(rate: Rate) -> Self {
        Self {
            burst: rate.burst,
            every: Quota::per_second(rate.per_s).replenish_interval(),
        }
    }
}

impl Pace {
    fn slow(burst: u32, every_s: u64) -> Self {
        Self {
            burst: NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN),
            every: Duration::from_secs(every_s.max(1)),
        }
    }

    fn quota(self) -> Quota {
        let quota = Quota::with_period(self.every);
        let quota = quota.unwrap_or(Quota::per_second(NonZeroU32::MIN));
        quota.allow_burst(self.burst)
    }

    /// In which an empty bucket fills.
    fn window(self) -> Duration {
        self.every.saturating_mul(self.burst.get())
    }

    /// The same in seconds, at least one.
    fn window_s(self) -> u64 {
        let window = self.window();
        window
            .as_secs()
            .saturating_add(u64::from(window.subsec_nanos() > 0))
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
    /// Of one shop's genuine webhooks.
    pub webhook: Rate,
    /// Of the link codes that one shop system or till has made.
    pub link_code: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            client: Rate::new(limits::CLIENT_BURST_REQUESTS, limits::CLIENT_REQUESTS_PER_S),
            card: Rate::new(limits::CARD_BURST_REQUESTS, limits::CARD_REQUESTS_PER_S),
            peer: Rate::new(limits::PEER_BURST_REQUESTS, limits::PEER_REQUESTS_PER_S),
            webhook: Rate::new(limits::SHOP_BURST_WEBHOOKS, limits::SHOP_WEBHOOKS_PER_S),
            link_code: Rate::new(limits::LINK_BURST_CODES, limits::LINK_CODES_PER_S),
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
    fn new(pace: Pace) -> Self {
        Self {
            limiter: RateLimiter::direct(pace.quota()).with_middleware(),
            empty_until: Mutex::new(None),
        }
    }

    /// Takes one, or says how long to wait for it.
    fn take(&self, pace: Pace) -> Result<(), Duration> {
        let (empty_for, taken) = match self.limiter.check() {
            Ok(left) if left.remaining_burst_capacity() > 0 => return Ok(()),
            Ok(_) => (pace.every, Ok(())),
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
    pace: Pace,
    by_caller: Cache<K, Arc<Bucket>>,
}

impl<K: Hash + Eq + Send + Sync + 'static> Buckets<K> {
    fn new(name: &'static str, pace: impl Into<Pace>) -> Self {
        let pace = pace.into();
        // Never forgotten before it is full again.
        let idle = Duration::from_secs(limits::RATE_KEY_IDLE_S).max(pace.window());
        let by_caller = Cache::builder()
            .max_capacity(limits::RATE_KEYS_MAX)
            // Not the default policy: it would not admit newcomers to a full cache, and they would go unlimited.
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(idle)
            .build();
        Self {
            name,
            pace,
            by_caller,
        }
    }

    fn take(&self, caller: K) -> Result<(), Problem> {
        let bucket = self
            .by_caller
            .get_with(caller, || Arc::new(Bucket::new(self.pace)));
        bucket.take(self.pace).map_err(|wait| self.refused(wait))
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
        let (name, burst, window) = (self.name, self.pace.burst, self.pace.window_s());
        let field =
            |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
        Problem::new(
            ProblemKind::RateLimited,
            format!("At most {burst} requests at once, and as many within {window} s."),
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
    link_tries: Buckets<Arc<str>>,
    shop_codes: Buckets<Arc<str>>,
    till_codes: Buckets<TerminalId>,
    webhooks: Buckets<ShopId>,
    /// Forged ones by address and shop; those for shops that do not exist share one of the address.
    forgeries: Buckets<(IpAddr, Option<ShopId>)>,
    guesses: Slow,
    messages: Slow,
    /// Messages by the address they go to.
    receivers: Buckets<IdentityKey>,
}

/// Slow buckets of what one member does, from one address.
struct Slow {
    members: Buckets<MemberId>,
    peers: Buckets<IpAddr>,
}

impl Slow {
    fn take(&self, member: MemberId, address: IpAddr) -> Result<(), Problem> {
        self.members.take(member)?;
        self.peers.take(household(address))
    }

    fn upkeep(&self) {
        self.members.by_caller.run_pending_tasks();
        self.peers.by_caller.run_pending_tasks();
    }
}

impl RateLimits {
    pub(super) fn new(rates: Rates) -> Self {
        Self {
            clients: Buckets::new("client", rates.client),
            cards: Buckets::new("card", rates.card),
            peers: Buckets::new("peer", rates.peer),
            link_tries: Buckets::new(
                "link",
                Pace::from(Rate::new(
                    limits::LINK_BURST_TRIES,
                    limits::LINK_TRIES_PER_S,
                )),
            ),
            shop_codes: Buckets::new("link_code", rates.link_code),
            till_codes: Buckets::new("link_code", rates.link_code),
            webhooks: Buckets::new("webhook", rates.webhook),
            forgeries: Buckets::new(
                "forged_webhook",
                Pace::slow(limits::FORGERY_BURST, limits::FORGERY_EVERY_S),
            ),
            guesses: Slow {
                members: Buckets::new(
                    "guess",
                    Pace::slow(limits::GUESS_BURST, limits::GUESS_EVERY_S),
                ),
                peers: Buckets::new(
                    "guess_peer",
                    Pace::slow(limits::PEER_GUESS_BURST, limits::PEER_GUESS_EVERY_S),
                ),
            },
            messages: Slow {
                members: Buckets::new(
                    "message",
                    Pace::slow(limits::MESSAGE_BURST, limits::MESSAGE_EVERY_S),
                ),
                peers: Buckets::new(
                    "message_peer",
                    Pace::slow(limits::PEER_MESSAGE_BURST, limits::PEER_MESSAGE_EVERY_S),
                ),
            },
            receivers: Buckets::new(
                "receiver",
                Pace::slow(limits::RECEIVER_BURST, limits::RECEIVER_EVERY_S),
            ),
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

    /// Counts one link code that a shop's system tries, or one address that it names: neither may be
    /// guessed by trying.
    pub(super) fn link_try(&self, client: &Arc<str>) -> Result<(), Problem> {
        self.link_tries.take(client.clone())
    }

    /// Counts one link code that a shop's system has made: each may make a member, and is one more to hit.
    pub(super) fn shop_code(&self, client: &Arc<str>) -> Result<(), Problem> {
        self.shop_codes.take(client.clone())
    }

    /// Counts one link code that a till has made.
    pub(super) fn till_code(&self, terminal: &TerminalId) -> Result<(), Problem> {
        self.till_codes.take(terminal.clone())
    }

    /// Counts one genuine webhook of a shop.
    pub(super) fn webhook(&self, shop: &ShopId) -> Result<(), Problem> {
        self.webhooks.take(shop.clone())
    }

    /// Counts one webhook from an address that is not believed; of no shop if there is none of its name.
    pub(super) fn forgery(&self, address: IpAddr, shop: Option<&ShopId>) -> Result<(), Problem> {
        self.forgeries.take((household(address), shop.cloned()))
    }

    /// Counts one code that somebody typed, or another thing that could be tried out.
    pub(super) fn guess(&self, member: MemberId, address: IpAddr) -> Result<(), Problem> {
        self.guesses.take(member, address)
    }

    /// Counts one message that a member wants sent.
    pub(super) fn message(
        &self,
        member: MemberId,
        address: IpAddr,
        receiver: IdentityKey,
    ) -> Result<(), Problem> {
        self.messages.take(member, address)?;
        self.receivers.take(receiver)
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
        self.link_tries.by_caller.run_pending_tasks();
        self.shop_codes.by_caller.run_pending_tasks();
        self.till_codes.by_caller.run_pending_tasks();
        self.webhooks.by_caller.run_pending_tasks();
        self.forgeries.by_caller.run_pending_tasks();
        self.guesses.upkeep();
        self.messages.upkeep();
        self.receivers.by_caller.run_pending_tasks();
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
    fn guesses_are_few_for_a_member_and_messages_for_who_gets_them() {
        let limits = RateLimits::new(Rates::default());
        let member = |id| MemberId::new(uuid::Uuid::from_u128(id));
        let peer = |last: u8| IpAddr::from([192, 0, 2, last]);
        for last in 0..u8::try_from(limits::GUESS_BURST).unwrap() {
            limits.guess(member(1), peer(last)).unwrap();
        }
        let refused = limits.guess(member(1), peer(200)).unwrap_err();
        assert_eq!(refused.kind(), ProblemKind::RateLimited);
        limits.guess(member(2), peer(200)).unwrap();
        let receiver = IdentityKey([7; 32]);
        for id in 0..limits::RECEIVER_BURST {
            limits
                .message(member(id.into()), peer(1), receiver)
                .unwrap();
        }
        assert!(limits.message(member(99), peer(1), receiver).is_err());
        limits
            .message(member(98), peer(1), IdentityKey([8; 32]))
            .unwrap();
    }

    #[test]
    fn forgeries_use_up_what_their_address_may_forge_for_one_shop() {
        let limits = RateLimits::new(Rates::default());
        let peer = |last: u8| IpAddr::from([192, 0, 2, last]);
        let (tea, ice) = (ShopId::new("tea").unwrap(), ShopId::new("ice").unwrap());
        for _ in 0..limits::FORGERY_BURST {
            limits.forgery(peer(1), Some(&tea)).unwrap();
        }
        assert!(limits.forgery(peer(1), Some(&tea)).is_err());
        // Nobody else's, and nothing else of the same address.
        limits.forgery(peer(2), Some(&tea)).unwrap();
        limits.forgery(peer(1), Some(&ice)).unwrap();
        limits.forgery(peer(1), None).unwrap();
        limits.peer_has_some_left(peer(1)).unwrap();
        limits.webhook(&tea).unwrap();
    }

    #[test]
    fn a_policy_says_in_how_many_seconds_a_bucket_fills() {
        let window = |burst, per_s| Pace::from(Rate::new(burst, per_s)).window_s();
        assert_eq!(
            [window(400, 200), window(3, 3), window(7, 3), window(1, 50)],
            [2, 1, 3, 1]
        );
        assert_eq!(Pace::slow(10, 60).window_s(), 600);
    }

    #[test]
    fn an_ipv6_household_shares_a_bucket() {
        let at = |text: &str| household(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}
