//! One card text, two baskets.

use acceptance::{
    ask::{Ask, receipt},
    reply::Reply,
    till::Till,
};
use member_card::SpendLimit;
use pos_protocol::Reason;

use crate::{Pair, after};

/// Texts that are shown twice.
const ROUNDS: u32 = 40;
/// Texts of one phone, before another takes over: it has only so many fresh ones.
const TEXTS_PER_PHONE: u32 = 10;

/// The same text at two tills on two gateways at the same moment: one basket wins, the other is told
/// so, and both are told the same again.
#[tokio::test(flavor = "multi_thread")]
async fn one_text_serves_one_basket() -> anyhow::Result<()> {
    let mut pair = Pair::start("one_text_serves_one_basket").await?;
    let mut phone = pair.member(1_000).await;
    let (mut wins, mut spent) = ([0_u32; 2], 0);
    for round in 0..ROUNDS {
        if round > 0 && round % TEXTS_PER_PHONE == 0 {
            assert_eq!(phone.points(&pair.b.base()).await.1, spent, "points held");
            (phone, spent) = (pair.member(1_000).await, 0);
        }
        let shown = phone.show(SpendLimit::Unlimited).await;
        let [start_a, start_b] = pair.head_start();
        let asks = [pair.next_id(), pair.next_id()].map(|id| match round % 3 {
            0 => Ask::inquiry(&id, &id, &shown.text),
            1 => Ask::authorization(&id, &id, &shown.text, 1),
            _ => Ask::purchase(&id, &id, &shown.text, 1, receipt("R-1", &[99])),
        });
        let [a, b] = &pair.tills;
        let replies: [Reply; 2] = tokio::join!(
            after(start_a, a.insist(&asks[0])),
            after(start_b, b.insist(&asks[1])),
        )
        .into();
        let winner = check_one_winner(&replies);
        wins[winner] += 1;
        spent += i64::from(round % 3 == 1);
        check_same_again(&pair.tills, &asks, &replies).await;
    }
    println!(
        "one text, two baskets: gateway A won {} rounds, gateway B {}",
        wins[0], wins[1]
    );
    pair.check().await
}

fn check_one_winner(replies: &[Reply; 2]) -> usize {
    let winner = usize::from(!replies[0].is_approved());
    let _ = replies[winner].clone().approved();
    let _ = replies[1 - winner]
        .clone()
        .declined(Reason::CardAlreadyUsed);
    winner
}

async fn check_same_again(tills: &[Till; 2], asks: &[Ask; 2], replies: &[Reply; 2]) {
    for number in 0..2 {
        let (till, other) = (&tills[number], &tills[1 - number]);
        // The same till, through the other gateway.
        let again = till.at(other.base()).insist(&asks[number]).await;
        assert_eq!(again.text(), replies[number].text());
    }
}
