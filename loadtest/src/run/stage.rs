//! Load in segments: cards are signed ahead and used while they are fresh; only the using is timed.

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use indicatif::ProgressBar;

use super::{
    drive::{self, Connections, Pace},
    errand::Scenario,
    record::Record,
    visit::{Ground, Visit},
};
use crate::{
    clock,
    crowd::Crowd,
    figures::rate,
    load::{self, Callers},
    machine::{Batches, CpuTime},
};

/// How long a segment is timed, at most. With the signing it stays within a text's life.
const SEGMENT: Duration = Duration::from_secs(20);
/// How long signing for one segment may take.
const SIGNING: Duration = Duration::from_secs(12);
/// Spare time between the last signature and the last use, in seconds.
const SPARE_S: u64 = 2;
/// Signatures a second before any was timed: a slow core's.
const SIGNED_PER_S: u64 = 2_000;
/// Errands a second that callers are thought to manage before any was timed.
const GUESSED_PER_S: u64 = 1_000;
/// What may be missing of the time asked for.
const REST: Duration = Duration::from_millis(50);
/// How often the gateway is asked for its batches, and people are told.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How much load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// So many seconds of it.
    Seconds(u64),
    /// So many errands.
    Errands(u64),
}

/// A gateway, its tills, and shoppers.
#[derive(Debug)]
pub struct Stage {
    /// Where errands are carried out.
    pub ground: Arc<Ground>,
    /// The connections of all loops.
    pub connections: Arc<Connections>,
    /// The phones.
    pub crowd: Crowd,
    /// What shoppers come for.
    pub scenario: Scenario,
    /// Begins every request id.
    pub run: String,
    /// Open holds that one member may have.
    pub holds_per_member: usize,
    /// Errands prepared so far.
    pub sent: u64,
    /// What was learned about speeds.
    pub speeds: Speeds,
}

/// Speeds that decide how large a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speeds {
    /// Cards that can be signed in a second.
    pub signed_per_s: u64,
    /// Errands a second that a closed loop carries out.
    pub errands_per_s: u64,
}

impl Default for Speeds {
    fn default() -> Self {
        Self {
            signed_per_s: SIGNED_PER_S,
            errands_per_s: GUESSED_PER_S,
        }
    }
}

impl Speeds {
    /// Errands of a segment: no more than are left, can be signed, and are likely to be used in it.
    #[must_use]
    fn errands(self, pace: Pace, errands_left: u64, time_left: Duration) -> u64 {
        let per_s = match pace {
            Pace::Open(per_s) => u64::from(per_s.get()),
            // More than expected: a segment that runs out of errands is a shorter one.
            Pace::Closed(_) => self.errands_per_s.saturating_mul(3) / 2 + 1,
        };
        let millis = u64::try_from(time_left.min(SEGMENT).as_millis()).unwrap_or(u64::MAX);
        let in_time = per_s.saturating_mul(millis).div_ceil(1_000);
        let signed = self.signed_per_s.saturating_mul(SIGNING.as_secs());
        in_time.min(errands_left).min(signed).max(1)
    }

    /// Seconds from the first signature to the last use of so many texts.
    fn lasting_s(self, pace: Pace, errands: u64) -> u32 {
        let using_s = match pace {
            Pace::Open(per_s) => errands.div_ceil(u64::from(per_s.get())),
            Pace::Closed(_) => errands.div_ceil(self.errands_per_s.max(1)),
        };
        let using_s = using_s.min(SEGMENT.as_secs());
        let signing_s = errands.div_ceil(self.signed_per_s.max(1));
        u32::try_from(using_s + signing_s + SPARE_S).unwrap_or(u32::MAX)
    }
}

impl Stage {
    /// Makes load, segment by segment, and returns what was measured.
    ///
    /// # Errors
    /// If cards cannot be signed, the gateway does not tell its batches, or holds cannot be let go.
    pub async fn measure(
        &mut self,
        pace: Pace,
        amount: Amount,
        bar: &ProgressBar,
    ) -> anyhow::Result<Record> {
        let (mut errands_left, mut time_left) = match (pace, amount) {
            (_, Amount::Errands(errands)) => (errands, Duration::MAX),
            (Pace::Open(per_s), Amount::Seconds(seconds)) => {
                (seconds.saturating_mul(per_s.get().into()), Duration::MAX)
            }
            (Pace::Closed(_), Amount::Seconds(seconds)) => (u64::MAX, Duration::from_secs(seconds)),
        };
        drop(self.ground.take_record()?);
        let mut batches = Batches::default();
        while errands_left > 0 && time_left > REST {
            let visits = self.prepare(pace, errands_left, time_left).await?;
            let lasting = time_left.min(SEGMENT);
            let before = self.ground.note(|record| (record.errands, record.elapsed));
            batches = self.segment(pace, visits, (lasting, batches), bar).await?;
            let after = self.ground.note(|record| (record.errands, record.elapsed));
            let (done, took) = (after.0 - before.0, after.1.saturating_sub(before.1));
            self.speeds.errands_per_s = rate(done, took).max(1);
            errands_left = errands_left.saturating_sub(done);
            if time_left != Duration::MAX {
                time_left = time_left.saturating_sub(took);
            }
            self.let_go().await?;
        }
        bar.finish_and_clear();
        self.ground.take_record()
    }

    async fn prepare(
        &mut self,
        pace: Pace,
        errands_left: u64,
        time_left: Duration,
    ) -> anyhow::Result<Vec<Visit>> {
        let wanted = self.speeds.errands(pace, errands_left, time_left);
        let lasting_s = self.speeds.lasting_s(pace, wanted);
        let mut count = usize::try_from(wanted)?.min(self.crowd.capacity(lasting_s).max(1));
        if self.scenario == Scenario::Authorize {
            let holds = self.holds_per_member.max(1);
            count = count.min(self.crowd.members().saturating_mul(holds));
        }
        let begun = clock::instant();
        let texts = self.crowd.texts_lasting(count, lasting_s).await?;
        let tills = self.ground.tills();
        let mut visits = Vec::with_capacity(count);
        for text in texts {
            let till = usize::try_from(self.sent)? % tills.len();
            let name = format!("{}-{}", self.run, self.sent);
            let errand = self.scenario.errand(self.sent);
            let at = (till, tills.get(till).context("a till")?);
            visits.push(Visit::prepare(errand, at, name, &text)?);
            self.sent += 1;
        }
        let took = begun.elapsed();
        // A few signatures say little, and one that waited for the clock says nothing.
        if count >= 1_000 {
            self.speeds.signed_per_s = rate(count.try_into()?, took).clamp(SIGNED_PER_S, 1_000_000);
        }
        Ok(visits)
    }

    /// Times one segment; `batches` are those of the segments before it.
    async fn segment(
        &self,
        pace: Pace,
        visits: Vec<Visit>,
        (lasting, batches): (Duration, Batches),
        bar: &ProgressBar,
    ) -> anyhow::Result<Batches> {
        let (ground, connections) = (self.ground.clone(), self.connections.clone());
        let (first, cpu) = (Batches::read(ground.place()).await?, CpuTime::now());
        let begun = clock::instant();
        let driven = async {
            match pace {
                Pace::Open(per_s) => drive::open(ground, connections, visits, per_s).await,
                Pace::Closed(concurrency) => {
                    drive::closed(ground, connections, visits, concurrency, lasting).await
                }
            }
        };
        tokio::select! {
            done = driven => done?,
            seen = self.look(begun, batches, first, bar) => seen?,
        }
        let elapsed = begun.elapsed();
        let cpu = CpuTime::now().zip(cpu).map(|(now, then)| now.since(then));
        let last = Batches::read(self.ground.place()).await?;
        let batches = batches.plus(last.since(first));
        self.ground.note(|record| {
            record.segment(elapsed, cpu);
            record.batches.push((record.elapsed, batches));
        });
        Ok(batches)
    }

    /// Reads the gateway's batches every second, until it is dropped.
    async fn look(
        &self,
        begun: Instant,
        batches: Batches,
        first: Batches,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        for number in 1_u32.. {
            tokio::time::sleep_until((begun + LOOK_EVERY * number).into()).await;
            let now = Batches::read(self.ground.place()).await;
            let at = begun.elapsed();
            self.ground.note(|record| {
                // A gateway too busy to say is seen in its latencies.
                if let Ok(now) = now {
                    let batches = batches.plus(now.since(first));
                    record.batches.push((record.elapsed + at, batches));
                }
                bar.set_position((record.elapsed + at).as_secs());
                let latest = record.seconds.len().saturating_sub(2);
                let answers = record
                    .seconds
                    .get(latest)
                    .map_or(0, |second| second.latency_us.len());
                bar.set_message(format!("{answers} answers/s"));
            });
        }
        Ok(())
    }

    /// Voids what nothing captured, so that members can be asked again. Not timed.
    async fn let_go(&self) -> anyhow::Result<()> {
        let holds = self.ground.take_holds();
        if holds.is_empty() {
            return Ok(());
        }
        let callers = Callers {
            place: self.ground.place().clone(),
            tills: self.ground.tills().to_vec(),
            concurrency: 16,
            run: self.run.clone(),
            per_s: None,
            holds_per_member: self.holds_per_member,
        };
        load::let_go(&callers, holds, usize::try_from(self.sent)?).await
    }
}

/// A rate that is one.
///
/// # Errors
/// If it is zero.
pub fn open(per_s: u32) -> anyhow::Result<Pace> {
    let per_s = NonZeroU32::new(per_s);
    ensure!(per_s.is_some(), "a rate is at least 1 a second");
    per_s.map(Pace::Open).context("a rate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_what_can_be_signed_and_used_in_time() {
        let speeds = Speeds {
            signed_per_s: 10_000,
            errands_per_s: 600,
        };
        let s = Duration::from_secs;
        let open = open(1_000).unwrap();
        for (pace, left, time, errands) in [
            (open, 50_000, Duration::MAX, 20_000),
            (open, 700, Duration::MAX, 700),
            (
                super::open(50_000).unwrap(),
                u64::MAX,
                Duration::MAX,
                120_000,
            ),
            (Pace::Closed(4), u64::MAX, s(2), 1_802),
            (Pace::Closed(4), u64::MAX, s(60), 18_020),
            (Pace::Closed(4), 5, s(60), 5),
        ] {
            assert_eq!(
                speeds.errands(pace, left, time),
                errands,
                "{pace:?} {left} {time:?}"
            );
        }
        assert_eq!(speeds.lasting_s(open, 20_000), 20 + 2 + 2);
        assert_eq!(speeds.lasting_s(Pace::Closed(4), 1_200), 2 + 1 + 2);
        assert!(super::open(0).is_err());
    }
}
