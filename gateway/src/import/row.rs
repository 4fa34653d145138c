//! One row: what is wrong with it, and else the card, its points and its member's profile.

use std::{collections::BTreeSet, time::Duration};

use card_base::{CardRow, LotRow, RawProfile, RowOutcome};
use jiff::civil::Date;
use ledger::{
    command::{Command, IssueCard, OpeningLot, Operation, ProfileChange},
    decision::Answer,
    denial::Denial,
    identity::Newcomer,
    member::CardKind,
    profile::{SealedProfile, Terms},
    programme::{BASE_CLASS, NumberFault, Programme},
};
use personal_data::{Profile, ProfileInput};
use pos_protocol::{CommandId, MemberId, Points};

use super::{
    ImportError,
    report::{Fate, Remark, Told},
};
use crate::{
    claims::{self, NumberCard},
    clock::Clock,
    newcomer,
    secrets::{self, Secrets},
    store::{Store, StoreError},
    writer::{WriteError, Writer},
};

/// How often a command is tried again that the database could not take.
const TRIES_MAX: u32 = 6;
/// The pause before the second try; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(250);

/// Where cards are taken in.
#[derive(Debug)]
pub struct Intake<'a> {
    /// What is there already.
    pub store: &'a Store,
    /// The one way in.
    pub writer: &'a Writer,
    /// What time it is.
    pub clock: &'a Clock,
    /// Hashes numbers and seals profiles.
    pub secrets: &'a Secrets,
    /// The programme in force.
    pub programme: &'a Programme,
    /// Where the cards come from, for the record.
    pub origin: &'a str,
    /// Who brings them in.
    pub actor: &'a str,
    /// Only say what would happen.
    pub dry_run: bool,
}

/// A row that can be taken.
struct Plan {
    card: NumberCard,
    lots: Vec<OpeningLot>,
    points: Points,
    profile: Option<Profile>,
    remarks: Vec<Remark>,
}

fn remark(field: Option<&str>, reason: &'static str, detail: &'static str) -> Remark {
    Remark {
        field: field.map(str::to_owned),
        reason,
        detail: detail.into(),
    }
}

impl Intake<'_> {
    fn today(&self) -> Date {
        let zone = self.programme.time_zone.time_zone().clone();
        self.clock.now().to_zoned(zone).date()
    }

    /// Takes one row. A row up to `doubtful` may have been under way when an earlier run broke off: its
    /// card may be there already and its profile not.
    pub(super) async fn take(
        &self,
        outcome: RowOutcome,
        doubtful: u32,
    ) -> Result<Told, ImportError> {
        let row = match outcome {
            Ok(row) => row,
            Err(rejected) => return Ok(Told::of(&rejected)),
        };
        let (line, place) = (row.line, row.row);
        let plan = match self.plan(row) {
            Ok(plan) => plan,
            Err(remark) => return Ok(Told::left_out(line, place, remark)),
        };
        let mut told = Told {
            line,
            row: place,
            fate: Fate::Imported,
            remarks: Vec::new(),
            points: plan.points,
            profile: false,
        };
        let member_id = if self.dry_run {
            told.fate = self.would_be(&plan.card).await?;
            None
        } else {
            match self.issue(line, &plan).await? {
                Ok((member_id, created)) => {
                    if !created {
                        told.fate = Fate::AlreadyThere;
                    }
                    (created || place <= doubtful).then_some(member_id)
                }
                Err(remark) => return Ok(Told::left_out(line, place, remark)),
            }
        };
        if told.fate == Fate::Imported || place <= doubtful {
            told.remarks = plan.remarks;
        }
        match (&plan.profile, member_id) {
            (Some(profile), Some(member_id)) => {
                told.profile = self.keep_profile(line, member_id, profile).await?;
            }
            (Some(_), None) => told.profile = told.fate == Fate::Imported,
            (None, _) => {}
        }
        Ok(told)
    }

    /// What is to be done with a row, before anything is.
    fn plan(&self, row: CardRow) -> Result<Plan, Remark> {
        let number = row.number.as_str();
        self.check_number(number)?;
        let card = claims::plastic(&self.secrets.index, number);
        let (today, points) = (self.today(), row.points());
        let mut remarks = Vec::new();
        let lapsed = |lot: &LotRow| lot.expires_on.is_some_and(|day| day < today);
        if row.lots.iter().any(lapsed) {
            remarks.push(remark(
                Some("expires_on"),
                "lapsed",
                "the last day of points has passed; they lapse at once",
            ));
        }
        let lots = self.lots(row.lots)?;
        let profile = match profile(row.profile, today) {
            Ok(profile) => profile,
            Err(remark) => {
                remarks.push(remark);
                None
            }
        };
        Ok(Plan {
            card,
            lots,
            points,
            profile,
            remarks,
        })
    }

    fn check_number(&self, number: &str) -> Result<(), Remark> {
        let rejected = |reason, detail| Err(remark(Some("card_number"), reason, detail));
        let cards = &self.programme.cards;
        let passes = cards.apple_range.as_ref();
        let own = ["7001", "7002", "7003"];
        if own.iter().any(|prefix| number.starts_with(prefix)) {
            return rejected(
                "number_reserved",
                "the card number begins with 7001, 7002 or 7003, which are this system's own",
            );
        }
        if passes.is_some_and(|passes| passes.range().has(number)) {
            return rejected(
                "number_reserved",
                "the card number lies in the range of wallet passes",
            );
        }
        match cards.plastic.check(number) {
            Ok(()) => Ok(()),
            Err(NumberFault::OutsideRanges) => rejected(
                "number_outside_ranges",
                "the card number lies in no range of the programme (cards.plastic)",
            ),
            Err(NumberFault::CheckDigit) => rejected(
                "number_check_digit",
                "the last digit of the card number is not what its range says",
            ),
        }
    }

    fn lots(&self, lots: Vec<LotRow>) -> Result<Vec<OpeningLot>, Remark> {
        let known = |lot: LotRow| {
            let class = lot.class.unwrap_or_else(|| BASE_CLASS.to_owned());
            if self.programme.classes.get(&class).is_none() {
                return Err(remark(
                    Some("class"),
                    "unknown_class",
                    "the programme has no such class of points",
                ));
            }
            Ok(OpeningLot {
                points: lot.points,
                class,
                expires_on: lot.expires_on,
            })
        };
        lots.into_iter().map(known).collect()
    }

    /// What a row would come to.
    async fn would_be(&self, card: &NumberCard) -> Result<Fate, ImportError> {
        let ids = BTreeSet::from([card.card_id]);
        let found = self.patiently(|| self.store.cards(&ids)).await?;
        Ok(match found.is_empty() {
            true => Fate::Imported,
            false => Fate::AlreadyThere,
        })
    }

    /// Makes the card known: its member, and whether it is new; or why it cannot be.
    async fn issue(
        &self,
        line: u64,
        plan: &Plan,
    ) -> Result<Result<(MemberId, bool), Remark>, ImportError> {
        let issue = IssueCard {
            card_id: plan.card.card_id,
            key: plan.card.key.to_vec(),
            kind: CardKind::Plastic,
            name: plan.card.label.clone(),
            asker: None,
            newcomer: self.newcomer().await?,
            lots: plan.lots.clone(),
            origin: self.origin.to_owned(),
            actor: self.actor.to_owned(),
        };
        let ours = issue.newcomer.member_id;
        let answer = self.submit(Operation::IssueCard(Box::new(issue)), Some(ours));
        let (reason, detail) = match answer.await? {
            // A try whose outcome was not known may have made it: then the member is the one made here.
            Answer::Enrolled {
                member_id, created, ..
            } => return Ok(Ok((member_id, created || member_id == ours))),
            Answer::Denied(Denial::NumberTaken) => (
                "number_taken",
                "another card has the place of this card number",
            ),
            Answer::Denied(Denial::UnknownClass) => {
                ("unknown_class", "the programme has no such class of points")
            }
            Answer::Denied(Denial::AmountTooLarge) => {
                ("points_too_large", "more points than a ledger carries")
            }
            answer => return Err(unexpected(line, &answer)),
        };
        Ok(Err(remark(None, reason, detail)))
    }

    /// An id and a number that nobody has.
    async fn newcomer(&self) -> Result<Newcomer, ImportError> {
        loop {
            let drawn = newcomer::unchecked(self.clock)?;
            let taken = self.patiently(|| self.store.member_by_no(&drawn.member_no));
            if taken.await?.is_none() {
                return Ok(drawn);
            }
        }
    }

    /// Keeps what is known of a member who has told nothing yet; whether it was kept.
    async fn keep_profile(
        &self,
        line: u64,
        member_id: MemberId,
        profile: &Profile,
    ) -> Result<bool, ImportError> {
        let random = secrets::random()?;
        let (masters, member) = (&self.secrets.masters, member_id.as_uuid());
        let row = personal_data::seal(masters, member, profile, random)?;
        let terms = self.secrets.index.terms(profile);
        let change = ProfileChange {
            member_id,
            replaces: 0,
            sealed: SealedProfile {
                key_id: row.key_id,
                wrapped_key: row.wrapped_key,
                sealed: row.sealed,
                terms: Terms {
                    email: terms.email,
                    phone: terms.phone,
                    person: terms.person,
                    kana: terms.kana,
                },
            },
            actor: self.actor.to_owned(),
        };
        let operation = Operation::SetProfile(Box::new(change));
        match self.submit(operation, Some(member_id)).await? {
            Answer::Done => Ok(true),
            Answer::Denied(Denial::Moved | Denial::MemberErased) => Ok(false),
            answer => Err(unexpected(line, &answer)),
        }
    }

    /// Has an operation decided; a database that is away for a moment is waited for. Every operation of an
    /// import may be tried again: done twice, it is done once.
    async fn submit(
        &self,
        operation: Operation,
        member: Option<MemberId>,
    ) -> Result<Answer, ImportError> {
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let id = CommandId::new(self.clock.new_id());
            let operation = operation.clone();
            match self.writer.submit(Command { id, operation }, member).await {
                Err(
                    WriteError::QueueFull
                    | WriteError::Unavailable(_)
                    | WriteError::OutcomeUnknown(_),
                ) if tries < TRIES_MAX => {
                    tries += 1;
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
                answer => return Ok(answer?),
            }
        }
    }

    /// Reads; a database that is away for a moment is waited for.
    async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        read: impl Fn() -> F,
    ) -> Result<T, ImportError> {
        let mut pause = PAUSE;
        for _ in 1..TRIES_MAX {
            match read().await {
                Err(StoreError::Unavailable(_)) => tokio::time::sleep(pause).await,
                answer => return Ok(answer?),
            }
            pause = pause.saturating_mul(2);
        }
        Ok(read().await?)
    }
}

fn unexpected(line: u64, answer: &Answer) -> ImportError {
    let answer = format!("{answer:?}");
    ImportError::Answer { line, answer }
}

/// What is known of the member, if anything is.
fn profile(raw: RawProfile, today: Date) -> Result<Option<Profile>, Remark> {
    if raw == RawProfile::default() {
        return Ok(None);
    }
    let input = ProfileInput {
        name: raw.name,
        kana: raw.kana,
        email: raw.email,
        phone: raw.phone,
        birthday: raw.birthday,
        postal_code: raw.postal_code,
        consents: Vec::new(),
    };
    Profile::parse(&input, today)
        .map(Some)
        .map_err(|error| Remark {
            field: Some(error.field.to_string()),
            reason: "profile_rejected",
            detail: format!("the card is taken without the profile: {error}").into(),
        })
}
