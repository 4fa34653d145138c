//! The phones: keys that were enrolled, points to spend, and texts that are each used once.

use anyhow::{Context, ensure};
use member_card::{CardFields, CardText, ProgrammeId, SigningKey, SpendLimit, proof, random_id};
use pos_protocol::{Points, Yen};
use serde_json::json;

use crate::{
    clock,
    seed::keys::{Keys, mixed},
    till::Till,
    wire::{Place, Wire, post},
};

/// How far behind the clock a phone's first text lies, in seconds. The gateway takes 45.
const BEHIND_S: u32 = 20;
/// How old a text may be when it is used, in seconds, with some to spare.
const AGE_MAX_S: u32 = 40;
/// How far ahead of the clock a text may lie, in seconds. The gateway takes 15.
const AHEAD_S: u32 = 5;
/// Members that earn their first points before the next texts are signed.
const SIGNED_AT_ONCE: usize = 100;
/// Yen of the purchase that gives each member points: 100,000 at 1 point for 100 yen.
const FIRST_PURCHASE_YEN: i64 = 10_000_000;

/// One phone.
#[derive(Debug)]
struct Phone {
    key: SigningKey,
    last_issued_at: u32,
}

/// All phones of a run.
#[derive(Debug)]
pub struct Crowd {
    programme: ProgrammeId,
    phones: Vec<Phone>,
    /// Whose turn it is.
    turn: usize,
}

impl Crowd {
    /// Makes keys.
    ///
    /// # Errors
    /// If `programme` is no programme id, or the system gives no randomness.
    pub fn new(programme: &str, members: usize) -> anyhow::Result<Self> {
        ensure!(members > 0, "at least one member");
        let programme = ProgrammeId::new(programme)?;
        let phone = || {
            let key = SigningKey::generate()?;
            anyhow::Ok(Phone {
                key,
                last_issued_at: 0,
            })
        };
        let phones = (0..members).map(|_| phone()).collect::<Result<_, _>>()?;
        Ok(Self {
            programme,
            phones,
            turn: 0,
        })
    }

    /// The phones of members that `loadtest seed` made: `phones` of them, spread evenly over all
    /// `members`, in an order that has nothing to do with their rows'.
    ///
    /// # Errors
    /// If `programme` is no programme id, or there are not as many members as phones.
    pub fn seeded(programme: &str, keys: &Keys, members: u64, phones: u64) -> anyhow::Result<Self> {
        ensure!(
            (1..=members).contains(&phones),
            "{phones} cards of {members} members"
        );
        let programme = ProgrammeId::new(programme)?;
        let place = |phone: u64| {
            u64::try_from(u128::from(phone) * u128::from(members) / u128::from(phones))
        };
        let mut numbers = (0..phones).map(place).collect::<Result<Vec<_>, _>>()?;
        numbers.sort_by_key(|number| mixed(*number));
        let phones = on_every_core(&numbers, |number| {
            Ok(Phone {
                key: keys.signing(*number)?,
                last_issued_at: 0,
            })
        })?;
        Ok(Self {
            programme,
            phones,
            turn: 0,
        })
    }

    /// How many there are.
    #[must_use]
    pub fn members(&self) -> usize {
        self.phones.len()
    }

    /// Enrols every phone, and lets each earn points with one purchase at `till`.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn join(&mut self, place: &Place, till: &Till, run: &str) -> anyhow::Result<()> {
        let mut wire = Wire::new(place);
        for number in 0..self.phones.len() {
            let request = self.enrolment(number, place)?;
            let answer = wire.send_patiently(&request).await?;
            let said = String::from_utf8_lossy(&answer.body);
            ensure!(matches!(answer.status, 200 | 201), "not enrolled: {said}");
        }
        let yen = Yen::new(FIRST_PURCHASE_YEN)?;
        let everybody: Vec<usize> = (0..self.phones.len()).collect();
        for some in everybody.chunks(SIGNED_AT_ONCE) {
            let texts = self.texts_of(some).await?;
            for (number, text) in some.iter().zip(texts) {
                let request = till.purchase(&format!("{run}-earn-{number}"), &text, yen)?;
                let answer = wire.send_patiently(&request).await?;
                let outcome = answer.json()?["outcome"].as_str().map(str::to_owned);
                let said = String::from_utf8_lossy(&answer.body);
                ensure!(outcome.as_deref() == Some("approved"), "no points: {said}");
            }
        }
        Ok(())
    }

    fn enrolment(
        &self,
        number: usize,
        place: &Place,
    ) -> anyhow::Result<hyper::Request<http_body_util::Full<hyper::body::Bytes>>> {
        let phone = self.phones.get(number).context("a phone")?;
        let id = random_id()?;
        let url = format!("{}/v1/cards", place.base());
        let proof = proof::sign(
            &phone.key,
            &proof::Request {
                programme: &self.programme,
                issued_at: clock::unix_now(),
                id: &id,
                method: "POST",
                url: &url,
            },
        );
        let body = json!({"public_key": phone.key.public_key().to_jwk(), "proof": proof});
        let mut request = post("/v1/cards", None, serde_json::to_vec(&body)?.into())?;
        // Believed only by a gateway that was told to: then each phone has a rate of its own.
        let [_, a, b, c] = u32::try_from(number)?.to_be_bytes();
        let address = format!("10.{a}.{b}.{c}").parse()?;
        request.headers_mut().insert("x-forwarded-for", address);
        Ok(request)
    }

    /// So many texts that nobody has seen, spread over all phones. Signed on every core; waits for
    /// the clock where a phone has used up its seconds.
    ///
    /// # Errors
    /// If a text cannot be signed.
    pub async fn texts(&mut self, count: usize) -> anyhow::Result<Vec<CardText>> {
        let turns = self.turns(count);
        self.texts_of(&turns).await
    }

    /// The same, of texts that are all still fresh `lasting_s` seconds after now. At most
    /// [`Crowd::capacity`] of them.
    ///
    /// # Errors
    /// If a text cannot be signed.
    pub async fn texts_lasting(
        &mut self,
        count: usize,
        lasting_s: u32,
    ) -> anyhow::Result<Vec<CardText>> {
        let turns = self.turns(count);
        self.signed(&turns, behind_s(lasting_s)).await
    }

    /// How many texts there can be at once that last so long.
    #[must_use]
    pub fn capacity(&self, lasting_s: u32) -> usize {
        let each = usize::try_from(behind_s(lasting_s).saturating_add(AHEAD_S)).unwrap_or(1);
        self.phones.len().saturating_mul(each)
    }

    /// The next phones, each in turn.
    fn turns(&mut self, count: usize) -> Vec<usize> {
        let members = self.phones.len();
        let first = self.turn;
        self.turn = first.saturating_add(count) % members;
        (first..first.saturating_add(count))
            .map(|number| number % members)
            .collect()
    }

    /// One text of each of these phones; of one that is named twice, two.
    async fn texts_of(&mut self, phones: &[usize]) -> anyhow::Result<Vec<CardText>> {
        self.signed(phones, BEHIND_S).await
    }

    async fn signed(&mut self, phones: &[usize], behind_s: u32) -> anyhow::Result<Vec<CardText>> {
        let each = u32::try_from(phones.len().div_ceil(self.phones.len()))?;
        let latest = self.phones.iter().map(|phone| phone.last_issued_at).max();
        let last = latest.unwrap_or(0).saturating_add(each);
        while last > clock::unix_now().saturating_add(AHEAD_S) {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        let oldest = clock::unix_now().saturating_sub(behind_s);
        let mut wanted = Vec::with_capacity(phones.len());
        for number in phones {
            let phone = self.phones.get_mut(*number).context("a phone")?;
            let issued_at = phone.last_issued_at.saturating_add(1).max(oldest);
            phone.last_issued_at = issued_at;
            wanted.push((*number, issued_at));
        }
        on_every_core(&wanted, |(number, issued_at)| {
            let phone = self.phones.get(*number).context("a phone")?;
            let fields = CardFields {
                issued_at: *issued_at,
                spend: SpendLimit::Unlimited,
            };
            Ok(phone.key.sign(fields, &self.programme)?)
        })
    }
}

/// How old texts may be at first, if they shall last so long.
fn behind_s(lasting_s: u32) -> u32 {
    AGE_MAX_S.saturating_sub(lasting_s)
}

/// Works on every item, in their order, on all cores.
fn on_every_core<I: Sync, O: Send>(
    items: &[I],
    work: impl Fn(&I) -> anyhow::Result<O> + Sync,
) -> anyhow::Result<Vec<O>> {
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    let share = items.len().div_ceil(cores).max(1);
    let done = std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = items
            .chunks(share)
            .map(|part| {
                scope.spawn(move || part.iter().map(work).collect::<anyhow::Result<Vec<_>>>())
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("a worker")))
            })
            .collect::<anyhow::Result<Vec<_>>>()
    })?;
    Ok(done.into_iter().flatten().collect())
}

/// Points each authorization holds.
pub const POINTS_HELD: Points = match Points::new(1) {
    Ok(points) => points,
    Err(_) => Points::ZERO,
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[tokio::test]
    async fn no_text_is_signed_twice_and_all_are_fresh() {
        let mut crowd = Crowd::new("demo", 3).unwrap();
        let mut seen = BTreeSet::new();
        for _ in 0..2 {
            for text in crowd.texts(20).await.unwrap() {
                let card = text.decode();
                assert!(seen.insert((card.card_id(), card.issued_at())));
                let age = i64::from(clock::unix_now()) - i64::from(card.issued_at());
                assert!((-15..=45).contains(&age), "{age} s old");
            }
        }
        assert_eq!(seen.len(), 40);
    }

    #[tokio::test]
    async fn texts_that_shall_last_are_fresh_to_the_end_and_phones_take_turns() {
        let mut crowd = Crowd::seeded("demo", &Keys::of("crowd"), 1_000, 5).unwrap();
        let mut cards = BTreeSet::new();
        for text in crowd.texts_lasting(3, 30).await.unwrap() {
            let card = text.decode();
            let age_in_the_end = i64::from(clock::unix_now()) + 30 - i64::from(card.issued_at());
            assert!(age_in_the_end <= 45, "{age_in_the_end} s old");
            cards.insert(card.card_id());
        }
        for text in crowd.texts_lasting(2, 30).await.unwrap() {
            cards.insert(text.decode().card_id());
        }
        assert_eq!(cards.len(), 5);
        assert_eq!(crowd.capacity(30), 5 * 15);
        let known: BTreeSet<_> = [0, 200, 400, 600, 800]
            .map(|number| Keys::of("crowd").signing(number).unwrap().card_id())
            .into();
        assert_eq!(cards, known);
    }
}
