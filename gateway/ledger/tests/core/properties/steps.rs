//! What might happen, drawn at random: programmes and steps.
//!
//! A step says what is done in words that fit any state ("the newest hold but two"); the player finds
//! out what that is. So a list stays meaningful when it shrinks.

use std::ops::Range;

use ledger::programme::{
    Basis, Clawback, ExpiredPoints, Expiry, OpenHolds, Programme, ReturnScope, Rounding,
};
use member_card::SpendLimit;
use pos_protocol::Points;
use proptest::{
    collection::vec,
    option,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::select,
};

use crate::world::{days, expiring, hours, minutes, months};

/// A programme.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    earn: (u16, u32, Basis, Basis, Rounding),
    pending_days: u32,
    yen_per_point: u32,
    base: Expiry,
    returns: (ExpiredPoints, Clawback, ReturnScope),
    hold_minutes: u32,
    limits: (i64, u32),
    advice_hours: u32,
}

impl Variant {
    /// Makes `programme` this one; ids and names stay.
    pub(crate) fn edit(&self, programme: &mut Programme) {
        let earn = &mut programme.earn;
        let (points, per_yen, tax, paid, rounding) = self.earn;
        (earn.points, earn.per_yen) = (points, per_yen.try_into().unwrap());
        (earn.tax, earn.paid_with_points, earn.rounding) = (tax, paid, rounding);
        earn.pending_days = days(self.pending_days);
        programme.yen_per_point = self.yen_per_point.try_into().unwrap();
        programme.classes = expiring(self.base);
        let returns = &mut programme.returns;
        (returns.expired, returns.clawback, returns.scope) = self.returns;
        programme.holds.minutes = minutes(self.hold_minutes);
        let (per_basket, open_holds) = self.limits;
        programme.limits.points_per_basket = Points::new(per_basket).unwrap();
        programme.limits.open_holds_per_member = OpenHolds::new(open_holds).unwrap();
        programme.cards.advice_hours = hours(self.advice_hours);
    }
}

/// Any programme.
pub(crate) fn any_variant() -> impl Strategy<Value = Variant> {
    let basis = || select(vec![Basis::Included, Basis::Excluded]);
    let rounding = select(vec![Rounding::Down, Rounding::HalfUp, Rounding::Up]);
    let base = prop_oneof![
        select(vec![1, 2, 3, 12]).prop_map(|n| Expiry::Fixed { months: months(n) }),
        (1..7_u32).prop_map(|n| Expiry::Activity { months: months(n) }),
        Just(Expiry::Never),
    ];
    let expired = prop_oneof![
        Just(ExpiredPoints::Lapse),
        (0..40_u32).prop_map(|n| ExpiredPoints::Grace { days: days(n) }),
    ];
    let clawback = select(vec![
        Clawback::WithinBalance,
        Clawback::Owe,
        Clawback::Deduct,
    ]);
    let scope = select(vec![
        ReturnScope::Terminal,
        ReturnScope::Store,
        ReturnScope::Chain,
    ]);
    let drawn = (
        (0..30_u16, 1..150_u32, basis(), basis(), rounding),
        select(vec![0, 0, 0, 3, 40]),
        1..3_u32,
        base,
        (expired, clawback, scope),
        1..90_u32,
        (select(vec![150, 600, 1_000_000]), 1..6_u32),
        1..100_u32,
    );
    drawn.prop_map(
        |(earn, pending_days, yen_per_point, base, returns, hold_minutes, limits, advice_hours)| {
            Variant {
                earn,
                pending_days,
                yen_per_point,
                base,
                returns,
                hold_minutes,
                limits,
                advice_hours,
            }
        },
    )
}

/// A basket of a till: the open one, or one of those before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) till: usize,
    pub(crate) back: u32,
}

/// What is shown to the till.
#[derive(Debug, Clone)]
pub(crate) enum Shown {
    /// The basket's own text, or a fresh one of this member.
    Basket(usize),
    /// A new text of this member, so many seconds old.
    Text(usize, i64, SpendLimit),
    /// A text that was shown before.
    Old(usize),
    /// A short code.
    Code(usize),
    /// A plastic card's number.
    Number(usize),
    /// A wallet pass, so many seconds old.
    Pass(usize, i64),
    /// Nothing genuine.
    Scribble,
    /// A genuine text of a card that nobody enrolled.
    Stranger,
}

/// A receipt, and when it is reported.
#[derive(Debug, Clone)]
pub(crate) struct Goods {
    /// Category, pieces, yen.
    pub(crate) lines: Vec<(usize, u32, i64)>,
    pub(crate) tax_percent: i64,
    /// Days after the open business day.
    pub(crate) days_off: i64,
    /// Seconds since the scan, for an advice.
    pub(crate) advice: Option<i64>,
}

/// One thing that happens. Picks count from the newest.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Seconds; a few may be negative, as another gateway's clock may be behind.
    Wait(i64),
    Enrol(usize),
    Revoke(usize),
    Block(usize, bool),
    Grant(usize, i64, usize),
    Take(usize, i64),
    Code(usize, SpendLimit),
    Sweep(usize),
    Activate(Box<Variant>, bool),
    Inquire(At, Shown),
    Authorize(At, Shown, i64),
    Buy(At, Shown, i64, Goods),
    /// Hold; whether another till or basket asks; how much of it; the goods.
    Capture(usize, bool, Option<i64>, Goods),
    Void(usize, bool),
    /// Purchase; the till, if not the one that sold; lines and pieces; whether it is a quote.
    Refund(usize, Option<usize>, Option<Vec<(u32, u32)>>, bool),
    /// Request; whether only of those that made a hold or a purchase.
    Reverse(usize, bool),
    /// The request that this till will send so many requests later.
    ReverseAhead(usize, u32),
    Settle(usize, i64),
    /// Request; whether its body is changed.
    Again(usize, bool),
    /// Staff merges the first into the second.
    Merge(usize, usize),
    Unmerge(usize),
    /// A card asks to prove an address; a code is sent.
    Verify(usize, usize),
    /// Verification; the card that asks; whether the code is right, and a merge agreed to.
    Confirm(usize, usize, bool, bool),
    /// A code is shown to a side.
    LinkCode(Party),
    /// Code; who enters it.
    EnterCode(usize, Party),
    /// A shop states that its customer has a verified address.
    ShopLink(usize, usize, bool),
    /// Whether it is the owner that gives the identity up.
    Unlink(bool, Party),
    /// A number; the card that asks, if one does; whether it is a pass.
    Issue(usize, Option<usize>, bool),
    NameCard(usize),
    Profile(usize, bool),
    Erase(usize),
    /// A hold for an order of this customer.
    OrderHold(usize, usize, i64),
    /// Order, customer, what is stated of it.
    Report(usize, Option<usize>, OrderFacts),
}

/// A side of a link.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Party {
    Card(usize),
    Customer(usize),
    Address(usize),
}

/// What was ordered, as a shop saw it half a minute ago times `age`.
#[derive(Debug, Clone)]
pub(crate) struct Described {
    pub(crate) age: i64,
    /// Category, pieces, yen.
    pub(crate) lines: Vec<(usize, u32, i64)>,
    pub(crate) fee: i64,
    /// Points of the order's newest hold.
    pub(crate) redeem: Option<i64>,
}

/// What a shop states of an order.
#[derive(Debug, Clone)]
pub(crate) struct OrderFacts {
    pub(crate) placed: Option<Described>,
    pub(crate) paid: bool,
    pub(crate) cancelled: bool,
    /// All of it, or pieces of a line.
    pub(crate) shipped: Option<(usize, u32)>,
    /// Name, line, pieces, yen.
    pub(crate) refund: Option<(usize, usize, u32, i64)>,
}

fn spend() -> impl Strategy<Value = SpendLimit> {
    prop_oneof![
        4 => Just(SpendLimit::Unlimited),
        1 => Just(SpendLimit::EarnOnly),
        1 => (0..200_u32).prop_map(SpendLimit::UpTo),
    ]
}

fn wait() -> impl Strategy<Value = i64> {
    prop_oneof![
        1 => -3..0_i64,
        8 => 0..40_i64,
        3 => 60..1_200_i64,
        2 => 1_800..100_000_i64,
        1 => (1..40_i64).prop_map(|days| days * 86_400),
        1 => (40..300_i64).prop_map(|days| days * 86_400),
    ]
}

/// A member, the first most often.
fn who() -> impl Strategy<Value = usize> {
    prop_oneof![5 => Just(0), 3 => Just(1), 1 => Just(2)]
}

fn at() -> impl Strategy<Value = At> {
    let till = prop_oneof![3 => Just(0), 2 => 0..4_usize];
    (till, prop_oneof![12 => Just(0), 1 => 0..4_u32]).prop_map(|(till, back)| At { till, back })
}

fn shown() -> impl Strategy<Value = Shown> {
    prop_oneof![
        24 => who().prop_map(Shown::Basket),
        3 => (who(), -20..60_i64, spend()).prop_map(|(who, age, spend)| Shown::Text(who, age, spend)),
        2 => (0..8_usize).prop_map(Shown::Old),
        3 => (0..2_usize).prop_map(Shown::Code),
        1 => (0..2_usize).prop_map(Shown::Number),
        1 => (0..2_usize, -40..100_i64).prop_map(|(pass, age)| Shown::Pass(pass, age)),
        1 => select(vec![Shown::Scribble, Shown::Stranger]),
    ]
}

fn goods(yen: impl Strategy<Value = i64>) -> impl Strategy<Value = Goods> {
    let advice = prop_oneof![2 => 0..60_i64, 2 => 60..90_000_i64, 1 => -400..400_000_i64];
    (
        vec((0..3_usize, 1..4_u32, yen), 1..4),
        0..12_i64,
        prop_oneof![12 => Just(0), 1 => -4..4_i64],
        option::weighted(0.25, advice),
    )
        .prop_map(|(lines, tax_percent, days_off, advice)| Goods {
            lines,
            tax_percent,
            days_off,
            advice,
        })
}

fn party() -> impl Strategy<Value = Party> {
    prop_oneof![
        3 => who().prop_map(Party::Card),
        2 => (0..2_usize).prop_map(Party::Customer),
        1 => (0..2_usize).prop_map(Party::Address),
    ]
}

/// What happens to persons: links, merges, cards that are numbers, personal data.
fn person() -> BoxedStrategy<Step> {
    let pick = || prop_oneof![4 => Just(0), 1 => 0..3_usize];
    let often = || prop_oneof![5 => Just(true), 1 => Just(false)];
    prop_oneof![
        8 => (who(), who()).prop_map(|(alias, into)| Step::Merge(alias, into)),
        4 => who().prop_map(Step::Unmerge),
        4 => (who(), 0..2_usize).prop_map(|(who, address)| Step::Verify(who, address)),
        6 => (pick(), who(), often(), often())
            .prop_map(|(pick, who, right, agreed)| Step::Confirm(pick, who, right, agreed)),
        2 => party().prop_map(Step::LinkCode),
        3 => (pick(), party()).prop_map(|(pick, party)| Step::EnterCode(pick, party)),
        2 => (0..2_usize, 0..2_usize, any::<bool>())
            .prop_map(|(customer, address, known)| Step::ShopLink(customer, address, known)),
        2 => (often(), party()).prop_map(|(own, party)| Step::Unlink(own, party)),
        4 => (0..2_usize, option::of(who()), any::<bool>())
            .prop_map(|(number, asker, pass)| Step::Issue(number, asker, pass)),
        1 => who().prop_map(Step::NameCard),
        1 => (who(), often()).prop_map(|(who, newest)| Step::Profile(who, newest)),
        1 => select(vec![2, 2, 2, 2, 2, 1, 0]).prop_map(Step::Erase),
    ]
    .boxed()
}

/// What an EC shop asks and reports.
fn shop<P, Y>(points: impl Fn() -> P, yen: impl Fn() -> Y) -> BoxedStrategy<Step>
where
    P: Strategy<Value = i64> + 'static,
    Y: Strategy<Value = i64> + 'static,
{
    let lines = vec((0..3_usize, 1..4_u32, yen()), 1..4);
    let placed = (0..3_i64, lines, yen(), option::of(points()));
    let placed = placed.prop_map(|(age, lines, fee, redeem)| Described {
        age,
        lines,
        fee,
        redeem,
    });
    let facts = (
        option::weighted(0.6, placed),
        any::<bool>(),
        prop_oneof![9 => Just(false), 1 => Just(true)],
        option::of((0..4_usize, 0..4_u32)),
        option::weighted(0.3, (0..3_usize, 0..4_usize, 0..3_u32, yen())),
    );
    let facts = facts.prop_map(|(placed, paid, cancelled, shipped, refund)| OrderFacts {
        placed,
        paid,
        cancelled,
        shipped,
        refund,
    });
    let customer = || prop_oneof![4 => Just(0), 1 => Just(1)];
    prop_oneof![
        2 => (0..3_usize, customer(), points())
            .prop_map(|(order, customer, points)| Step::OrderHold(order, customer, points)),
        5 => (0..3_usize, option::weighted(0.8, customer()), facts)
            .prop_map(|(order, customer, facts)| Step::Report(order, customer, facts)),
    ]
    .boxed()
}

fn step<P, Y>(
    points: impl Fn() -> P,
    granted: impl Strategy<Value = i64> + 'static,
    yen: impl Fn() -> Y,
) -> BoxedStrategy<Step>
where
    P: Strategy<Value = i64> + 'static,
    Y: Strategy<Value = i64> + 'static,
{
    let pick = || prop_oneof![4 => Just(0), 2 => 0..6_usize];
    let stray = || prop_oneof![9 => Just(false), 1 => Just(true)];
    let lines = option::of(vec((1..5_u32, 0..4_u32), 1..3));
    // Boxed, or a list of them would fill a test's stack.
    let office = prop_oneof![
        3 => select(vec![2, 2, 1, 0]).prop_map(Step::Enrol),
        1 => select(vec![2, 2, 2, 1, 0]).prop_map(Step::Revoke),
        3 => (who(), select(vec![true, false, false])).prop_map(|(who, on)| Step::Block(who, on)),
        12 => (who(), granted, 0..6_usize)
            .prop_map(|(who, points, kind)| Step::Grant(who, points, kind)),
        2 => (who(), points()).prop_map(|(who, points)| Step::Take(who, points)),
        6 => (who(), spend()).prop_map(|(who, spend)| Step::Code(who, spend)),
        3 => who().prop_map(Step::Sweep),
        1 => (any_variant(), any::<bool>())
            .prop_map(|(variant, late)| Step::Activate(Box::new(variant), late)),
    ]
    .boxed();
    let till = prop_oneof![
        3 => (at(), shown()).prop_map(|(at, shown)| Step::Inquire(at, shown)),
        9 => (at(), shown(), points())
            .prop_map(|(at, shown, points)| Step::Authorize(at, shown, points)),
        10 => (at(), shown(), prop_oneof![Just(0), points()], goods(yen()))
            .prop_map(|(at, shown, redeem, goods)| Step::Buy(at, shown, redeem, goods)),
        8 => (pick(), stray(), option::of(points()), goods(yen()))
            .prop_map(|(hold, stray, redeem, goods)| Step::Capture(hold, stray, redeem, goods)),
        2 => (pick(), stray()).prop_map(|(hold, stray)| Step::Void(hold, stray)),
        9 => (pick(), option::weighted(0.1, 0..4_usize), lines, select(vec![false, false, true]))
            .prop_map(|(purchase, till, lines, quote)| Step::Refund(purchase, till, lines, quote)),
        6 => (pick(), any::<bool>()).prop_map(|(request, standing)| Step::Reverse(request, standing)),
        1 => (0..4_usize, 0..3_u32).prop_map(|(till, ahead)| Step::ReverseAhead(till, ahead)),
        2 => (0..4_usize, 0..2_i64).prop_map(|(till, back)| Step::Settle(till, back)),
        3 => (pick(), any::<bool>()).prop_map(|(request, changed)| Step::Again(request, changed)),
    ]
    .boxed();
    prop_oneof![
        3 => wait().prop_map(Step::Wait),
        5 => office,
        3 => person(),
        2 => shop(&points, &yen),
        14 => till,
    ]
    .boxed()
}

/// What chance alone tells too rarely: goods paid with points come back after those expired, and goods
/// that earned come back after their points are gone.
fn story() -> BoxedStrategy<Vec<Step>> {
    let goods = || Goods {
        lines: vec![(0, 2, 3_000)],
        tax_percent: 8,
        days_off: 0,
        advice: None,
    };
    let at = At { till: 0, back: 0 };
    let buy = move |redeem| Step::Buy(at, Shown::Basket(0), redeem, goods());
    let refund = || Step::Refund(0, None, Some(vec![(1, 1)]), false);
    prop_oneof![
        (20..90_i64).prop_map(move |days| {
            let expire = Step::Wait(days * 86_400);
            vec![Step::Grant(0, 900, 4), buy(100), expire, refund()]
        }),
        (1..300_i64).prop_map(move |taken| {
            vec![buy(0), Step::Take(0, taken), refund(), refund(), buy(0)]
        }),
    ]
    .boxed()
}

/// A list of steps with amounts of everyday life.
pub(crate) fn steps(length: Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    let points = || prop_oneof![1 => 0..4_i64, 6 => 1..300_i64];
    let yen = || prop_oneof![1 => 0..4_i64, 6 => 1..3_000_i64];
    let scene = prop_oneof![
        40 => step(points, 1..2_000_i64, yen).prop_map(|step| vec![step]),
        1 => story(),
    ];
    vec(scene, length).prop_map(|scenes| scenes.concat())
}

/// A list of steps with the largest and smallest amounts there are.
pub(crate) fn wild_steps(length: Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    let amount = || {
        let max = Points::MAX.get();
        prop_oneof![0..3_i64, max - 2..=max, 0..=max, 0..1_000_i64]
    };
    vec(step(amount, amount(), amount), length)
}
