//! Callers that each wait for an answer before they ask again; at their own pace, or at a given rate.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use hdrhistogram::Histogram;
use http_body_util::Full;
use hyper::{Request, body::Bytes};
use member_card::CardText;
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    clock,
    crowd::{Crowd, POINTS_HELD},
    figures::{Figures, dues},
    machine::{Batches, CpuTime},
    till::Till,
    wire::{Answer, Place, Wire},
};

/// Latencies above this count as this, in microseconds.
pub(crate) const LATENCY_MAX_US: u64 = 120_000_000;
/// Significant digits of a latency.
pub(crate) const LATENCY_DIGITS: u8 = 3;

/// Where load goes and who makes it.
#[derive(Debug, Clone)]
pub struct Callers {
    /// The gateway.
    pub place: Place,
    /// Signed-in tills; callers take turns with them.
    pub tills: Vec<Till>,
    /// How many call at once.
    pub concurrency: usize,
    /// Begins every request id, so that runs do not meet.
    pub run: String,
    /// Authorizations a second that all callers make together; none for as many as they can. Latency
    /// then counts from the moment a request was due, so that a stall hides nothing.
    pub per_s: Option<NonZeroU32>,
    /// Open holds that one member may have; more authorizations are not sent before some are let go.
    pub holds_per_member: usize,
}

/// What was measured.
#[derive(Debug)]
pub struct Measured {
    /// Of every answer, in microseconds.
    pub latency_us: Histogram<u64>,
    /// How many answers of each kind came.
    pub outcomes: BTreeMap<String, u64>,
    /// Time in which load was made; pauses to sign and to let go are not in it.
    pub elapsed: Duration,
    /// Batches the gateway ran in that time.
    pub batches: Batches,
    /// Processor time of the machine in that time, where the system says.
    pub cpu: Option<CpuTime>,
}

impl Measured {
    /// Nothing yet.
    ///
    /// # Errors
    /// Never, with the constants of this file.
    pub fn nothing() -> anyhow::Result<Self> {
        Ok(Self {
            latency_us: Histogram::new_with_bounds(1, LATENCY_MAX_US, LATENCY_DIGITS)?,
            outcomes: BTreeMap::new(),
            elapsed: Duration::ZERO,
            batches: Batches::default(),
            cpu: None,
        })
    }

    /// Approvals among the answers.
    #[must_use]
    pub fn approved(&self) -> u64 {
        self.outcomes.get("approved").copied().unwrap_or(0)
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.latency_us.add(&other.latency_us)?;
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(outcome.clone()).or_default() += count;
        }
        self.elapsed += other.elapsed;
        self.batches = self.batches.plus(other.batches);
        self.cpu = match (self.cpu, other.cpu) {
            (Some(one), Some(two)) => Some(one.plus(two)),
            (one, two) => one.or(two),
        };
        Ok(())
    }

    fn note(&mut self, answer: &anyhow::Result<Answer>, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(LATENCY_MAX_US);
        self.latency_us.saturating_record(micros.max(1));
        *self.outcomes.entry(outcome(answer)).or_default() += 1;
    }
}

/// What an answer came to, in a word.
pub(crate) fn outcome(answer: &anyhow::Result<Answer>) -> String {
    let Ok(answer) = answer else {
        return "no_answer".into();
    };
    let json = answer.json().unwrap_or_default();
    let word = |pointer: &str| json.pointer(pointer).and_then(|value| value.as_str());
    match (answer.status, word("/outcome"), word("/reason")) {
        (200, Some("approved"), _) => "approved".into(),
        (200, _, Some(reason)) => format!("declined {reason}"),
        (status, _, _) => {
            let kind = word("/type").and_then(|kind| kind.strip_prefix("/problems/"));
            format!("{status} {}", kind.unwrap_or("?"))
        }
    }
}

/// One authorization, ready to send.
struct Prepared {
    request: Request<Full<Bytes>>,
    till: usize,
}

/// Measures so many authorizations.
///
/// # Errors
/// If nothing can be signed, the gateway goes away, or holds cannot be let go.
pub async fn measure(
    callers: &Callers,
    crowd: &mut Crowd,
    requests: usize,
) -> anyhow::Result<Figures> {
    let measured = authorize(callers, crowd, requests).await?;
    Ok(Figures::of(callers.concurrency, &measured))
}

/// Makes so many authorizations, in rounds small enough that no text grows stale and no member has
/// too many holds. Only the sending is timed.
///
/// # Errors
/// If nothing can be signed, or holds cannot be let go.
pub async fn authorize(
    callers: &Callers,
    crowd: &mut Crowd,
    requests: usize,
) -> anyhow::Result<Measured> {
    authorize_watched(callers, crowd, requests, &mut |_| ()).await
}

/// Where the sending of one round stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The first request is about to be sent.
    Begins,
    /// The last answer has come.
    Ended,
}

/// As [`authorize`]; tells `watch` when the timed sending of each round begins and when it has ended,
/// so that it can read what the processes have used.
///
/// # Errors
/// As [`authorize`].
pub async fn authorize_watched(
    callers: &Callers,
    crowd: &mut Crowd,
    requests: usize,
    watch: &mut impl FnMut(Moment),
) -> anyhow::Result<Measured> {
    ensure!(callers.concurrency > 0, "at least one caller");
    ensure!(!callers.tills.is_empty(), "at least one till");
    let per_round = crowd.members() * callers.holds_per_member.clamp(1, 20);
    let (mut all, mut sent) = (Measured::nothing()?, 0);
    while sent < requests {
        let count = per_round.min(requests - sent);
        let prepared = prepare(callers, crowd, count, sent).await?;
        let (measured, holds) = run_round(callers, prepared, watch).await?;
        all.add(&measured)?;
        let_go(callers, holds, sent).await?;
        sent += count;
    }
    Ok(all)
}

async fn prepare(
    callers: &Callers,
    crowd: &mut Crowd,
    count: usize,
    sent: usize,
) -> anyhow::Result<Vec<Prepared>> {
    let texts = crowd.texts(count).await?.into_iter().enumerate();
    let prepare = |(number, text): (usize, CardText)| {
        let till = number % callers.tills.len();
        let name = format!("{}-a-{}", callers.run, sent + number);
        let request = callers.tills[till].authorization(&name, &text, POINTS_HELD)?;
        Ok(Prepared { request, till })
    };
    texts.map(prepare).collect()
}

/// Sends all that is prepared; says which holds were made, by which till.
async fn run_round(
    callers: &Callers,
    prepared: Vec<Prepared>,
    watch: &mut impl FnMut(Moment),
) -> anyhow::Result<(Measured, Vec<(usize, String)>)> {
    let dues = callers
        .per_s
        .map(|per_s| Arc::new(dues(per_s, prepared.len())));
    let prepared = Arc::new(prepared);
    let next = Arc::new(AtomicUsize::new(0));
    let start = Arc::new(Barrier::new(callers.concurrency + 1));
    let mut work = JoinSet::new();
    for _ in 0..callers.concurrency {
        let mut wire = Wire::new(&callers.place);
        wire.open().await?;
        work.spawn(call(
            wire,
            prepared.clone(),
            next.clone(),
            start.clone(),
            dues.clone(),
        ));
    }
    let (mut all, mut holds) = (Measured::nothing()?, Vec::new());
    let (batches, cpu) = (Batches::read(&callers.place).await?, CpuTime::now());
    watch(Moment::Begins);
    start.wait().await;
    let begun = clock::instant();
    let mut answers = Vec::with_capacity(prepared.len());
    while let Some(ended) = work.join_next().await {
        answers.push(ended??);
    }
    all.elapsed = begun.elapsed();
    watch(Moment::Ended);
    all.cpu = CpuTime::now().zip(cpu).map(|(now, then)| now.since(then));
    all.batches = Batches::read(&callers.place).await?.since(batches);
    for (measured, answered) in answers {
        all.add(&measured)?;
        for (number, answer) in answered {
            let json = answer.json().unwrap_or_default();
            if let Some(id) = json.pointer("/authorization/id").and_then(|id| id.as_str()) {
                holds.push((prepared[number].till, id.to_owned()));
            }
        }
    }
    Ok((all, holds))
}

type Answered = (Measured, Vec<(usize, Answer)>);

/// One caller.
async fn call(
    mut wire: Wire,
    prepared: Arc<Vec<Prepared>>,
    next: Arc<AtomicUsize>,
    start: Arc<Barrier>,
    dues: Option<Arc<Vec<Duration>>>,
) -> anyhow::Result<Answered> {
    let (mut measured, mut answered) = (Measured::nothing()?, Vec::new());
    start.wait().await;
    let begun = clock::instant();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(one) = prepared.get(number) else {
            return Ok((measured, answered));
        };
        let asked = match dues.as_ref().and_then(|dues| dues.get(number)) {
            None => clock::instant(),
            Some(due) => {
                let due = begun + *due;
                tokio::time::sleep_until(due.into()).await;
                due
            }
        };
        let answer = wire.send(one.request.clone()).await;
        measured.note(&answer, asked.elapsed());
        if let Ok(answer) = answer {
            answered.push((number, answer));
        }
    }
}

/// Voids every hold, so that members can be asked again. Not timed.
pub(crate) async fn let_go(
    callers: &Callers,
    holds: Vec<(usize, String)>,
    sent: usize,
) -> anyhow::Result<()> {
    let share = holds.len().div_ceil(callers.concurrency).max(1);
    let mut work = JoinSet::new();
    for (part, holds) in holds.chunks(share).enumerate() {
        let (callers, holds) = (callers.clone(), holds.to_vec());
        work.spawn(async move {
            let mut wire = Wire::new(&callers.place);
            for (number, (till, hold)) in holds.iter().enumerate() {
                let name = format!("{}-v-{sent}-{part}-{number}", callers.run);
                let request = callers.tills[*till].void(&name, hold)?;
                let answer = wire.send_patiently(&request).await?;
                let said = String::from_utf8_lossy(&answer.body);
                ensure!(answer.status == 200, "a hold cannot be let go: {said}");
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = work.join_next().await {
        ended??;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> anyhow::Result<Answer> {
        Ok(Answer {
            status,
            retry_after_s: None,
            body: Bytes::from_static(body.as_bytes()),
        })
    }

    #[test]
    fn outcomes_are_told_in_a_word() {
        for (answer, word) in [
            (answer(200, r#"{"outcome":"approved"}"#), "approved"),
            (
                answer(200, r#"{"outcome":"declined","reason":"too_many_holds"}"#),
                "declined too_many_holds",
            ),
            (
                answer(429, r#"{"type":"/problems/rate_limited"}"#),
                "429 rate_limited",
            ),
            (answer(502, "<html>"), "502 ?"),
            (Err(anyhow::anyhow!("reset")), "no_answer"),
        ] {
            assert_eq!(outcome(&answer), word);
        }
    }

    #[test]
    fn measurements_add_up() {
        let (mut a, mut b) = (Measured::nothing().unwrap(), Measured::nothing().unwrap());
        a.note(
            &answer(200, r#"{"outcome":"approved"}"#),
            Duration::from_millis(1),
        );
        a.elapsed = Duration::from_secs(1);
        b.note(
            &answer(200, r#"{"outcome":"approved"}"#),
            Duration::from_millis(3),
        );
        b.note(&answer(503, "{}"), Duration::from_secs(1_000));
        b.elapsed = Duration::from_secs(2);
        a.add(&b).unwrap();
        assert_eq!(a.approved(), 2);
        assert_eq!(a.latency_us.len(), 3);
        assert_eq!(a.elapsed, Duration::from_secs(3));
        assert!(a.latency_us.max() <= LATENCY_MAX_US + LATENCY_MAX_US / 1_000);
        let median = a.latency_us.value_at_quantile(0.5);
        assert!((2_990..=3_010).contains(&median), "{median}");
    }
}
