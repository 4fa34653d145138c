//! The programme: every setting a rule reads, as one immutable version.
//!
//! A version is data. Editing, storing and activating it happens elsewhere; here it is only what a
//! rule may ask. Numbers are held in ranges by their types, so that a rule never meets a setting
//! that makes no sense.

use std::{collections::BTreeMap, num::NonZeroU32};

use jiff::civil::Time;
use member_card::ProgrammeId;
use pos_protocol::{Points, StoreId};
use serde::{Deserialize, Serialize};

mod channels;
mod desk;
mod plastic;
mod values;

pub use channels::{EcRule, GrantMoment, LinkRule, ShippingFee};
pub use desk::DeskRule;
pub use plastic::{NumberCheck, NumberFault, NumberRange, NumberRanges, PassRange};
pub use values::{Attempts, Days, Hours, Minutes, Months, OpenHolds, ProgrammeName, Seconds, Zone};

use values::clock_time;

/// The class that purchases earn into; every programme has it.
pub const BASE_CLASS: &str = "base";
/// The category of the line that stands for an order's shipping fee.
pub const SHIPPING_CATEGORY: &str = "shipping";
/// The rank of a member no rule has ranked otherwise.
pub const BASE_RANK: &str = "regular";

/// All settings of a loyalty programme. Immutable once in force; the version that decided is kept
/// with what it decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// The id that every card text is signed for.
    pub id: ProgrammeId,
    /// What shoppers call it.
    pub name: ProgrammeName,
    /// The calendar of expiry and business days.
    pub time_zone: Zone,
    /// Yen that one point pays.
    #[serde(default = "one")]
    pub yen_per_point: NonZeroU32,
    /// How purchases earn.
    pub earn: EarnRule,
    /// How authorizations hold.
    #[serde(default)]
    pub holds: HoldRule,
    /// How each class of points expires. `base` is always there.
    pub classes: Classes,
    /// What refunds do.
    #[serde(default)]
    pub returns: ReturnRule,
    /// When card texts are good.
    #[serde(default)]
    pub cards: CardRule,
    /// When stores' business days turn over.
    #[serde(default)]
    pub business_day: BusinessDayRule,
    /// How identities are linked.
    #[serde(default)]
    pub linking: LinkRule,
    /// How orders of EC shops earn.
    #[serde(default)]
    pub ec: EcRule,
    /// What staff may do alone.
    #[serde(default)]
    pub desk: DeskRule,
    /// What one request and one member may reach.
    #[serde(default)]
    pub limits: Limits,
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// How a purchase earns points of class `base`: `points` for every `per_yen` yen of its basis,
/// rounded once per receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarnRule {
    /// Points earned for every `per_yen` yen.
    pub points: u16,
    /// Yen that earn `points`.
    pub per_yen: NonZeroU32,
    /// Whether consumption tax earns.
    #[serde(default)]
    pub tax: Basis,
    /// Whether the part paid with points earns.
    #[serde(default)]
    pub paid_with_points: Basis,
    /// What becomes of a fraction of a point.
    #[serde(default)]
    pub rounding: Rounding,
    /// Days until earned points can be spent (a return window); 0 for at once.
    #[serde(default = "no_days")]
    pub pending_days: Days,
}

fn no_days() -> Days {
    Days(0)
}

/// Whether a part of the receipt counts for earning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// It counts.
    #[default]
    Included,
    /// It is taken out first.
    Excluded,
}

/// What becomes of a fraction of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Floored.
    #[default]
    Down,
    /// One half and more round up.
    HalfUp,
    /// Any fraction rounds up.
    Up,
}

/// How authorizations hold points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldRule {
    /// How long a hold stands before its points go back.
    pub minutes: Minutes,
}

impl Default for HoldRule {
    fn default() -> Self {
        Self {
            minutes: Minutes(30),
        }
    }
}

/// The classes of points, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<ClassName, Class>",
    into = "BTreeMap<String, Class>"
)]
pub struct Classes(BTreeMap<String, Class>);

impl Classes {
    /// The class of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Class> {
        self.0.get(name)
    }

    /// Every class with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Class)> {
        self.0.iter().map(|(name, class)| (name.as_str(), class))
    }
}

/// A class name, held to its letters where it is written.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct ClassName(String);

impl TryFrom<String> for ClassName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if (1..=32).contains(&name.len()) && name.chars().all(legal) {
            Ok(Self(name))
        } else {
            Err(format!(
                "\"{name}\" is no class name: 1 to 32 characters of a-z 0-9 _ -"
            ))
        }
    }
}

impl TryFrom<BTreeMap<ClassName, Class>> for Classes {
    type Error = String;
    fn try_from(classes: BTreeMap<ClassName, Class>) -> Result<Self, String> {
        let classes: BTreeMap<_, _> = classes
            .into_iter()
            .map(|(name, class)| (name.0, class))
            .collect();
        if !classes.contains_key(BASE_CLASS) {
            return Err(format!(
                "the class \"{BASE_CLASS}\" is missing: purchases earn into it"
            ));
        }
        if classes.len() > 16 {
            return Err("more than 16 classes".into());
        }
        Ok(Self(classes))
    }
}

impl From<Classes> for BTreeMap<String, Class> {
    fn from(classes: Classes) -> Self {
        classes.0
    }
}

/// One class of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// How its points expire.
    pub expiry: Expiry,
}

/// How points of a class expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ExpiryForm", into = "ExpiryForm")]
pub enum Expiry {
    /// They do not.
    Never,
    /// At the end of the month that lies `months` after the grant.
    Fixed {
        /// Months from the grant to the month whose last day is the last day to spend.
        months: Months,
    },
    /// `months` after the member's last purchase.
    Activity {
        /// Months without a purchase.
        months: Months,
    },
}

/// [`Expiry`] as it is written. A plain table, not a tagged enum: so a wrong number is found where it
/// stands, not somewhere in the table.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpiryForm {
    kind: ExpiryKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    months: Option<Months>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ExpiryKind {
    Never,
    Fixed,
    Activity,
}

impl TryFrom<ExpiryForm> for Expiry {
    type Error = &'static str;
    fn try_from(form: ExpiryForm) -> Result<Self, Self::Error> {
        match (form.kind, form.months) {
            (ExpiryKind::Never, None) => Ok(Self::Never),
            (ExpiryKind::Never, Some(_)) => Err("an expiry of kind \"never\" has no months"),
            (ExpiryKind::Fixed, Some(months)) => Ok(Self::Fixed { months }),
            (ExpiryKind::Fixed, None) => Err("an expiry of kind \"fixed\" needs months"),
            (ExpiryKind::Activity, Some(months)) => Ok(Self::Activity { months }),
            (ExpiryKind::Activity, None) => Err("an expiry of kind \"activity\" needs months"),
        }
    }
}

impl From<Expiry> for ExpiryForm {
    fn from(expiry: Expiry) -> Self {
        let (kind, months) = match expiry {
            Expiry::Never => (ExpiryKind::Never, None),
            Expiry::Fixed { months } => (ExpiryKind::Fixed, Some(months)),
            Expiry::Activity { months } => (ExpiryKind::Activity, Some(months)),
        };
        Self { kind, months }
    }
}

/// What refunds do to points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnRule {
    /// What becomes of spent points whose lot expired before they came back.
    #[serde(default)]
    pub expired: ExpiredPoints,
    /// What happens when the earned points are already spent.
    #[serde(default)]
    pub clawback: Clawback,
    /// Which tills may refund a purchase.
    #[serde(default)]
    pub scope: ReturnScope,
}

impl Default for ReturnRule {
    fn default() -> Self {
        Self {
            expired: ExpiredPoints::Lapse,
            clawback: Clawback::WithinBalance,
            scope: ReturnScope::Store,
        }
    }
}

/// What becomes of spent points whose lot expired before they came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "ExpiredForm", into = "ExpiredForm")]
pub enum ExpiredPoints {
    /// They lapse.
    #[default]
    Lapse,
    /// They come back for `days` more days.
    Grace {
        /// Days they can be spent, today not counted.
        days: Days,
    },
}

/// [`ExpiredPoints`] as it is written; a plain table for the same reason as [`ExpiryForm`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpiredForm {
    kind: ExpiredKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<Days>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ExpiredKind {
    Lapse,
    Grace,
}

impl TryFrom<ExpiredForm> for ExpiredPoints {
    type Error = &'static str;
    fn try_from(form: ExpiredForm) -> Result<Self, Self::Error> {
        match (form.kind, form.days) {
            (ExpiredKind::Lapse, None) => Ok(Self::Lapse),
            (ExpiredKind::Lapse, Some(_)) => Err("kind \"lapse\" has no days"),
            (ExpiredKind::Grace, Some(days)) => Ok(Self::Grace { days }),
            (ExpiredKind::Grace, None) => Err("kind \"grace\" needs days"),
        }
    }
}

impl From<ExpiredPoints> for ExpiredForm {
    fn from(expired: ExpiredPoints) -> Self {
        let (kind, days) = match expired {
            ExpiredPoints::Lapse => (ExpiredKind::Lapse, None),
            ExpiredPoints::Grace { days } => (ExpiredKind::Grace, Some(days)),
        };
        Self { kind, days }
    }
}

/// What happens when earned points are to be taken back and are already spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clawback {
    /// Only what is there is taken.
    #[default]
    WithinBalance,
    /// The rest is owed; the next accrual pays it.
    Owe,
    /// The rest is named in yen, to be kept from the cash refund.
    Deduct,
}

/// Which tills may refund a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnScope {
    /// The till that sold.
    Terminal,
    /// Any till of the store that sold.
    #[default]
    Store,
    /// Any till of the chain.
    Chain,
}

/// When card texts are good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CardRule {
    /// Seconds a text may be old at its first use.
    pub fresh_before_seconds: Seconds,
    /// Seconds a text may lie ahead of the gateway's clock at its first use.
    pub fresh_after_seconds: Seconds,
    /// Life of a basket: how long after its first use a text still serves the same basket.
    pub basket_minutes: Minutes,
    /// Life of a one-time short code.
    pub short_code_seconds: Seconds,
    /// How late an advice may arrive after the scan.
    pub advice_hours: Hours,
    /// Points that one basket may spend with a wallet pass.
    pub wallet_points_per_basket: Points,
    /// Numbers of plastic cards.
    pub plastic: NumberRanges,
    /// What the fixed numbers of Apple's passes are drawn from; without it there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apple_range: Option<PassRange>,
}

impl CardRule {
    /// Whether a scanned number may be a card that is a number: plastic, or a pass with a fixed one.
    #[must_use]
    pub fn is_number(&self, number: &str) -> bool {
        let pass = self.apple_range.as_ref();
        pass.is_some_and(|pass| pass.range().has(number)) || self.plastic.check(number).is_ok()
    }
}

impl Default for CardRule {
    fn default() -> Self {
        Self {
            fresh_before_seconds: Seconds(45),
            fresh_after_seconds: Seconds(15),
            basket_minutes: Minutes(30),
            short_code_seconds: Seconds(60),
            advice_hours: Hours(72),
            wallet_points_per_basket: Points::new(5_000).unwrap_or(Points::ZERO),
            plastic: NumberRanges::default(),
            apple_range: None,
        }
    }
}

/// When business days turn over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BusinessDayRule {
    /// Time of day at which a new business day begins, where a store does not say otherwise.
    #[serde(with = "clock_time")]
    pub cut_over: Time,
    /// Stores with a time of their own.
    pub stores: BTreeMap<StoreId, CutOver>,
}

impl BusinessDayRule {
    /// The time at which `store` begins a new business day.
    #[must_use]
    pub fn cut_over(&self, store: &StoreId) -> Time {
        self.stores
            .get(store)
            .map_or(self.cut_over, |own| own.cut_over)
    }
}

impl Default for BusinessDayRule {
    fn default() -> Self {
        Self {
            cut_over: Time::constant(5, 0, 0, 0),
            stores: BTreeMap::new(),
        }
    }
}

/// One store's turn of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutOver {
    /// Time of day, `HH:MM`.
    #[serde(with = "clock_time")]
    pub cut_over: Time,
}

/// What one request and one member may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Points one basket may spend.
    pub points_per_basket: Points,
    /// Holds one member may have open at once.
    pub open_holds_per_member: OpenHolds,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            points_per_basket: Points::MAX,
            open_holds_per_member: OpenHolds(10),
        }
    }
}
