//! How the line to the gateway is doing, as far as requests have shown.

use std::time::Duration;

use super::{book::Place, moment::Moment, settings::Settings};

/// After so many failures in a row, with nothing in between that worked, the gateway counts as away.
const AWAY_AFTER_FAILURES: u32 = 2;

/// The line's health.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    failures: u32,
    /// The request that failed last.
    failed: Option<Place>,
    /// Faults of different requests in a row, beyond the first: that may be the request's own.
    faults: u32,
    /// The request that met a fault last.
    faulted: Option<Place>,
    /// The queue waits until then.
    queue_from: Duration,
    /// The same, for its faults.
    faults_from: Duration,
    /// Everybody waits until then: the gateway said so.
    all_from: Duration,
    /// What an operator has to mend.
    operator: Option<String>,
}

impl Health {
    pub(crate) fn is_away(&self) -> bool {
        self.failures >= AWAY_AFTER_FAILURES || self.faults >= AWAY_AFTER_FAILURES
    }

    pub(crate) fn operator(&self) -> Option<&str> {
        self.operator.as_deref()
    }

    /// How many requests of the queue may be under way.
    pub(crate) fn queue_width(&self, settings: &Settings) -> usize {
        if self.failures > 0 || self.faults > 0 {
            1
        } else {
            settings.queue_at_once
        }
    }

    /// Whether a request may go now.
    pub(crate) fn lets(&self, waited_for: bool, now: Duration) -> bool {
        now >= self.all_from && (waited_for || now >= self.queue_from.max(self.faults_from))
    }

    /// When it may next let something go.
    pub(crate) fn wakes(&self) -> [Duration; 3] {
        [self.queue_from, self.faults_from, self.all_from]
    }

    /// The gateway said something sensible, yet did nothing: that does not end its faults. True if it
    /// had been away.
    pub(crate) fn reached(&mut self) -> bool {
        let was_away = self.is_away();
        *self = Self {
            faults: self.faults,
            faulted: self.faulted,
            faults_from: self.faults_from,
            all_from: self.all_from,
            ..Self::default()
        };
        was_away && !self.is_away()
    }

    /// The gateway did what it was asked. True if it had been away.
    pub(crate) fn worked(&mut self) -> bool {
        let was_away = self.is_away();
        *self = Self {
            all_from: self.all_from,
            ..Self::default()
        };
        was_away
    }

    /// It said nothing, or that it cannot, to this request. True if it counts as away from now on.
    ///
    /// One request of the queue that fails again and again says nothing new about the line: it may be
    /// the request.
    pub(crate) fn failed(
        &mut self,
        (place, waited_for): (Place, bool),
        now: &Moment,
        settings: &Settings,
    ) -> bool {
        if self.failed.replace(place) == Some(place) && !waited_for {
            return false;
        }
        let was_away = self.is_away();
        self.failures = self.failures.saturating_add(1);
        let pause = backoff(self.failures, now.noise, settings);
        self.queue_from = now.uptime.saturating_add(pause);
        !was_away && self.is_away()
    }

    /// It met a fault with this request. True if it counts as away from now on.
    pub(crate) fn faulted(&mut self, place: Place, now: &Moment, settings: &Settings) -> bool {
        let before = self.faulted.replace(place);
        if before.is_none_or(|before| before == place) {
            return false;
        }
        let was_away = self.is_away();
        self.faults = self.faults.saturating_add(1);
        let pause = backoff(self.faults, now.noise, settings);
        self.faults_from = now.uptime.saturating_add(pause);
        !was_away && self.is_away()
    }

    /// It refuses this till. True if that is news.
    pub(crate) fn refused(
        &mut self,
        what: &str,
        request: (Place, bool),
        now: &Moment,
        settings: &Settings,
    ) -> bool {
        self.failed(request, now, settings);
        let news = self.operator.as_deref() != Some(what);
        self.operator = Some(what.to_owned());
        news
    }

    /// It asked everybody to wait.
    pub(crate) fn hold(&mut self, until: Duration) {
        self.all_from = self.all_from.max(until);
    }

    /// Somebody came who makes it worth trying again at once.
    pub(crate) fn nudge(&mut self, now: &Moment, settings: &Settings) {
        let soon = now.uptime.saturating_add(settings.backoff_first);
        self.queue_from = self.queue_from.min(soon);
        self.faults_from = self.faults_from.min(soon);
    }
}

/// The pause after so many failures: doubling, up to a limit, and shorter by up to a quarter so that
/// the tills of a chain do not all come back in the same moment.
fn backoff(failures: u32, noise: u64, settings: &Settings) -> Duration {
    let doubled = failures.saturating_sub(1).min(16);
    let pause = settings
        .backoff_first
        .saturating_mul(1_u32 << doubled)
        .min(settings.backoff_max);
    let sixteenths = u32::try_from(noise % 5).unwrap_or(0);
    pause.saturating_sub(pause.saturating_mul(sixteenths) / 16)
}
