//! One request id, two messages; one request, its reversal.

use std::time::Duration;

use acceptance::{
    ask::{Ask, receipt},
    phone::Phone,
    reply::Reply,
};
use member_card::SpendLimit;
use pos_protocol::Reason;

use crate::{Pair, after};

/// Rounds of each race.
const ROUNDS: u32 = 30;
/// How much later than its original a reversal is sent, at most, in microseconds.
const REVERSAL_LATER_US_MAX: u64 = 20_000;
/// Texts of one phone, before another takes over.
const TEXTS_PER_PHONE: u32 = 10;

/// The same bytes under one id at both gateways at once: one effect, one answer.
#[tokio::test(flavor = "multi_thread")]
async fn one_id_has_one_effect() -> anyhow::Result<()> {
    let mut pair = Pair::start("one_id_has_one_effect").await?;
    let tills = pair.one_till();
    for _ in 0..ROUNDS.div_ceil(TEXTS_PER_PHONE) {
        let phone = pair.member(1_000).await;
        for turn in 1..=i64::from(TEXTS_PER_PHONE) {
            let shown = phone.show(SpendLimit::Unlimited).await;
            let id = pair.next_id();
            let ask = Ask::authorization(&id, &id, &shown.text, 7);
            let [start_a, start_b] = pair.head_start();
            let (a, b) = tokio::join!(
                after(start_a, tills[0].insist(&ask)),
                after(start_b, tills[1].insist(&ask)),
            );
            assert_eq!(a.text(), b.text());
            let _ = a.approved();
            let points = phone.points(tills[1].base()).await;
            assert_eq!(points, (1_000 - 7 * turn, 7 * turn));
        }
    }
    pair.check().await
}

/// Two bodies under one id at both gateways at once: one of them happens, the other is refused.
#[tokio::test(flavor = "multi_thread")]
async fn one_id_has_one_body() -> anyhow::Result<()> {
    let mut pair = Pair::start("one_id_has_one_body").await?;
    let tills = pair.one_till();
    for _ in 0..ROUNDS.div_ceil(TEXTS_PER_PHONE) {
        let phone = pair.member(1_000).await;
        let mut held = 0;
        for _ in 0..TEXTS_PER_PHONE {
            let shown = phone.show(SpendLimit::Unlimited).await;
            let id = pair.next_id();
            let asks = [3, 5].map(|points| Ask::authorization(&id, &id, &shown.text, points));
            let [start_a, start_b] = pair.head_start();
            let replies: [Reply; 2] = tokio::join!(
                after(start_a, tills[0].insist(&asks[0])),
                after(start_b, tills[1].insist(&asks[1])),
            )
            .into();
            let winner = usize::from(!replies[0].is_approved());
            let _ = replies[winner].clone().approved();
            let refused = &replies[1 - winner];
            assert_eq!(refused.status, 422, "{refused:?}");
            assert_eq!(refused.problem().as_deref(), Some("request_id_reused"));
            held += [3, 5][winner];
        }
        assert_eq!(phone.points(tills[0].base()).await, (1_000 - held, held));
    }
    pair.check().await
}

/// A reversal at one gateway and its original at the other, at the same moment: either the original
/// took effect and was undone, or it never takes effect.
#[tokio::test(flavor = "multi_thread")]
async fn a_reversed_request_never_takes_effect_later() -> anyhow::Result<()> {
    let mut pair = Pair::start("a_reversed_request_never_takes_effect_later").await?;
    let (mut undone, mut never) = (0_u32, 0_u32);
    for round in 0..ROUNDS.div_ceil(TEXTS_PER_PHONE) {
        let phone = pair.member(1_000).await;
        for _ in 0..TEXTS_PER_PHONE {
            match reverse_at_once(&mut pair, &phone, round % 2 == 0).await {
                true => undone += 1,
                false => never += 1,
            }
        }
        // Earned points were clawed back, spent ones restored, held ones let go.
        assert_eq!(phone.points(&pair.b.base()).await, (1_000, 0));
    }
    println!("reversals: {undone} undid their original, {never} came first");
    pair.check().await
}

/// Whether the original had taken effect.
async fn reverse_at_once(pair: &mut Pair, phone: &Phone, hold: bool) -> bool {
    let tills = pair.one_till();
    let shown = phone.show(SpendLimit::Unlimited).await;
    let id = pair.next_id();
    let original = if hold {
        Ask::authorization(&id, &id, &shown.text, 10)
    } else {
        Ask::purchase(&id, &id, &shown.text, 10, receipt("R-1", &[1_234]))
    };
    let reversal = Ask::reversal(&pair.next_id(), &id);
    // A reversal has less to do than its original: it starts later, so that both orders come up.
    let later = Duration::from_micros(pair.dice.below(REVERSAL_LATER_US_MAX));
    let (first, second) = tokio::join!(
        tills[0].insist(&original),
        after(later, tills[1].insist(&reversal)),
    );
    let effect = second.clone().approved().word("/effect");
    let took_effect = first.is_approved();
    if took_effect {
        assert_eq!(effect, if hold { "reversed" } else { "refunded" });
    } else {
        assert_eq!(effect, "nothing_to_reverse");
        let _ = first.clone().declined(Reason::Reversed);
    }
    for till in &tills {
        assert_eq!(till.insist(&original).await.text(), first.text());
        assert_eq!(till.insist(&reversal).await.text(), second.text());
    }
    took_effect
}
