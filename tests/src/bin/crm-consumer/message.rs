//! What a message says, as far as this CRM wants to know it.
//!
//! Every field it does not name is ignored, and so is every type: the gateway may add both. A field
//! that it does name has to be there, or the message is refused.

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// A message that can be counted.
#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    /// Deduplicate by this. The same however often the event is sent.
    pub(crate) id: String,
    /// The place among all events, from 1 without a gap.
    pub(crate) place: i64,
    /// The member's balance, if the event is about a member.
    pub(crate) balance: Option<Balance>,
    /// What it adds to the tallies.
    pub(crate) entry: Option<Entry>,
    /// What it says of the person behind the member.
    pub(crate) happened: Option<Happened>,
}

/// Something that happened to a record.
#[derive(Debug, PartialEq)]
pub(crate) struct Happened {
    pub(crate) member_id: String,
    /// The place among the member's events: of two facts that exclude each other the higher one counts.
    pub(crate) sequence: i64,
    pub(crate) fact: Fact,
}

/// What can be told of a person.
#[derive(Debug, PartialEq)]
pub(crate) enum Fact {
    /// The record was merged into another, or into none any more.
    BelongsTo(Option<String>),
    /// The person behind the record asked to be forgotten.
    Erased,
    /// An identity was proved, or given up.
    Identity(Identity),
    /// The person was met.
    Touched(Touch),
}

/// What leads to a member besides cards. Its value is not told.
#[derive(Debug, PartialEq)]
pub(crate) struct Identity {
    pub(crate) kind: String,
    pub(crate) issuer: String,
    /// None once it was given up.
    pub(crate) proof: Option<String>,
}

/// A channel in which a record was met.
#[derive(Debug, PartialEq)]
pub(crate) struct Touch {
    pub(crate) channel: String,
    /// When, in microseconds of Unix time.
    pub(crate) at: i64,
    pub(crate) purchases: i64,
    pub(crate) yen: i64,
}

/// A member's points after an event.
#[derive(Debug, PartialEq)]
pub(crate) struct Balance {
    pub(crate) member_id: String,
    /// The place among the member's events: the balance of the highest one counts.
    pub(crate) sequence: i64,
    pub(crate) points: Points,
}

/// What an event adds to the tallies of a store and a member.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) store_id: String,
    pub(crate) member_id: String,
    pub(crate) tally: Tally,
}

/// Sums over events. Refunds are kept apart: what is left is one minus the other.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct Tally {
    pub(crate) purchases: i64,
    pub(crate) yen: i64,
    pub(crate) points_redeemed: i64,
    pub(crate) points_earned: i64,
    pub(crate) refunds: i64,
    pub(crate) refunded_yen: i64,
    /// Spent points that members got back.
    pub(crate) points_restored: i64,
    /// Earned points that members gave back.
    pub(crate) points_clawed_back: i64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.purchases += other.purchases;
        self.yen += other.yen;
        self.points_redeemed += other.points_redeemed;
        self.points_earned += other.points_earned;
        self.refunds += other.refunds;
        self.refunded_yen += other.refunded_yen;
        self.points_restored += other.points_restored;
        self.points_clawed_back += other.points_clawed_back;
    }
}

/// The attributes (CloudEvents 1.0, structured JSON).
#[derive(Deserialize)]
struct Event {
    specversion: String,
    id: String,
    #[serde(rename = "type")]
    kind: String,
    time: Timestamp,
    streamsequence: String,
    partitionkey: Option<String>,
    membersequence: Option<String>,
    data: Value,
}

/// `data` of `purchase.completed`. The lines of a large receipt are left out of the message; the total
/// is always there.
#[derive(Deserialize)]
struct Completed {
    store_id: String,
    member_id: String,
    channel: String,
    receipt: Receipt,
    points_redeemed: i64,
    points_earned: i64,
}

#[derive(Deserialize)]
struct Receipt {
    total: i64,
}

/// `data` of `purchase.refunded` and `purchase.reversed`.
#[derive(Deserialize)]
struct TakenBack {
    store_id: String,
    member_id: String,
    amount: i64,
    points_restored: i64,
    points_clawed_back: i64,
}

/// `data` of every event about a member.
#[derive(Deserialize)]
struct OfMember {
    balance: Points,
}

/// The parts of a balance.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct Points {
    pub(crate) available: i64,
    pub(crate) held: i64,
    pub(crate) pending: i64,
    pub(crate) owed: i64,
}

/// `data` of `member.merged` and `member.unmerged`. Each is told of both records.
#[derive(Deserialize)]
struct Merge {
    role: String,
    other_member_id: String,
}

/// `data` of `member.linked` and `member.unlinked`.
#[derive(Deserialize)]
struct Linked {
    kind: String,
    issuer: String,
    proof: Option<String>,
}

impl Message {
    /// Reads a message's body, or says why it cannot. `message_id` is the property of the message,
    /// if it has one.
    pub(crate) fn read(body: &[u8], message_id: Option<&str>) -> Result<Self, String> {
        let event: Event = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        if event.specversion != "1.0" {
            return Err(format!("CloudEvents {}", event.specversion));
        }
        if message_id.is_some_and(|message_id| message_id != event.id) {
            return Err("its message id is not the event's".into());
        }
        let balance = match (event.partitionkey, event.membersequence) {
            (Some(member_id), Some(sequence)) => Some(Balance {
                member_id,
                sequence: number(&sequence)?,
                points: data::<OfMember>(&event.data)?.balance,
            }),
            _ => None,
        };
        let fact = fact(&event.kind, event.time, &event.data)?;
        let happened = balance.as_ref().zip(fact).map(|(of, fact)| Happened {
            member_id: of.member_id.clone(),
            sequence: of.sequence,
            fact,
        });
        Ok(Self {
            id: event.id,
            place: number(&event.streamsequence)?,
            balance,
            entry: entry(&event.kind, &event.data)?,
            happened,
        })
    }
}

fn entry(kind: &str, value: &Value) -> Result<Option<Entry>, String> {
    Ok(match kind {
        "purchase.completed" => {
            let sale: Completed = data(value)?;
            Some(Entry {
                store_id: sale.store_id,
                member_id: sale.member_id,
                tally: Tally {
                    purchases: 1,
                    yen: sale.receipt.total,
                    points_redeemed: sale.points_redeemed,
                    points_earned: sale.points_earned,
                    ..Tally::default()
                },
            })
        }
        "purchase.refunded" | "purchase.reversed" => {
            let back: TakenBack = data(value)?;
            Some(Entry {
                store_id: back.store_id,
                member_id: back.member_id,
                tally: Tally {
                    refunds: 1,
                    refunded_yen: back.amount,
                    points_restored: back.points_restored,
                    points_clawed_back: back.points_clawed_back,
                    ..Tally::default()
                },
            })
        }
        // Another type: its place is noted, and that is all.
        _ => None,
    })
}

/// What a message says of the person behind its member.
fn fact(kind: &str, time: Timestamp, value: &Value) -> Result<Option<Fact>, String> {
    let met = |channel: &str, purchases, yen| {
        Fact::Touched(Touch {
            channel: channel.to_owned(),
            at: time.as_microsecond(),
            purchases,
            yen,
        })
    };
    Ok(match kind {
        "member.merged" | "member.unmerged" => {
            let merge: Merge = data(value)?;
            let into = (kind == "member.merged").then_some(merge.other_member_id);
            (merge.role == "alias").then_some(Fact::BelongsTo(into))
        }
        "member.erased" => Some(Fact::Erased),
        "member.linked" | "member.unlinked" => {
            let Linked {
                kind,
                issuer,
                proof,
            } = data(value)?;
            Some(Fact::Identity(Identity {
                kind,
                issuer,
                proof,
            }))
        }
        // A card comes from a store; the first order of a customer is the first touch of an EC shop.
        "card.enrolled" => Some(met("store", 0, 0)),
        "purchase.completed" => {
            let sale: Completed = data(value)?;
            Some(met(&sale.channel, 1, sale.receipt.total))
        }
        _ => None,
    })
}

fn data<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|error| format!("data: {error}"))
}

/// A sequence number. CloudEvents integers have 32 bits, so these are texts.
fn number(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("{text:?} is no place in a sequence"))
}
