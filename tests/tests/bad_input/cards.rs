//! Cards that are no cards: malformed, forged, stale, early, used, of another programme.

use acceptance::{
    ask::Ask,
    installation::PROGRAMME,
    phone::{Phone, unix_now},
};
use member_card::{CardFields, ProgrammeId, SigningKey, SpendLimit};
use pos_protocol::Reason;
use serde::Deserialize;
use serde_json::json;

use crate::{Counter, POINTS, expect_decline, expect_problem};

const INQUIRIES: &str = "/v1/pos/inquiries";

#[derive(Deserialize)]
struct Vectors {
    invalid: Vec<Refused>,
    valid: Vec<Valid>,
}

#[derive(Deserialize)]
struct Refused {
    text: String,
    why: String,
}

#[derive(Deserialize)]
struct Valid {
    private_key: String,
    text: String,
}

fn vectors() -> Vectors {
    let text = include_str!("../../../member-card/tests/vectors/member-card-v1.json");
    serde_json::from_str(text).expect("the vectors")
}

/// Every text that is no card gets one and the same answer, whatever is wrong with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_card_is_told_nothing() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    let vectors = vectors();
    // The keys of the vectors are known cards here, so that only the texts are wrong.
    for valid in &vectors.valid {
        let key = SigningKey::from_hex(&valid.private_key)?;
        Phone::with_key(PROGRAMME, key)
            .enrol(&counter.gateway.base())
            .await;
    }
    // They are: a genuine text of theirs is refused for its time, if at all.
    for valid in &vectors.valid {
        let id = counter.next_id();
        let body = json!({"request_id": id, "basket_id": id, "card": valid.text}).to_string();
        let reply = counter.post(INQUIRIES, body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_ne!(reply.reason(), Some(Reason::UnknownCard), "{}", valid.text);
    }
    let stranger = Phone::new(PROGRAMME);
    let unknown = stranger.show(SpendLimit::Unlimited).await.text.to_digits();
    let elsewhere = counter.phone.key().sign(
        CardFields {
            issued_at: unix_now(),
            spend: SpendLimit::Unlimited,
        },
        &ProgrammeId::new("elsewhere").expect("a programme id"),
    )?;
    let mine = counter
        .phone
        .show(SpendLimit::Unlimited)
        .await
        .text
        .to_digits();
    let mut texts: Vec<(String, String)> = Vec::new();
    texts.extend(
        vectors
            .invalid
            .into_iter()
            .map(|refused| (refused.why, refused.text)),
    );
    texts.extend([
        ("a card nobody enrolled".into(), unknown),
        ("my card of another programme".into(), elsewhere.to_digits()),
        ("my card, two digits swapped".into(), swapped(&mine)),
        (
            "a short code nobody made".into(),
            format!("7002{}", "1".repeat(16)),
        ),
        (
            "a wallet pass nobody has".into(),
            format!("7003{}", "1".repeat(20)),
        ),
        ("a plastic card".into(), "2900000000017".into()),
        ("letters".into(), "member card".into()),
        ("kanji digits".into(), "七".repeat(199)),
        ("zeros".into(), "0".repeat(199)),
        ("nines".into(), "9".repeat(199)),
    ]);
    let mut first = None;
    for (why, text) in texts {
        let id = counter.next_id();
        let body = json!({"request_id": id, "basket_id": id, "card": text}).to_string();
        let reply = counter.post(INQUIRIES, body).await;
        expect_decline(&why, &reply, Reason::UnknownCard);
        let anonymous = reply.text().replace(&id, "ID");
        let first = first.get_or_insert_with(|| anonymous.clone());
        assert_eq!(*first, anonymous, "{why}");
    }
    let id = counter.next_id();
    let endless = json!({"request_id": id, "basket_id": id, "card": "7".repeat(100_000)});
    let reply = counter.post(INQUIRIES, endless.to_string()).await;
    if reply.status == 200 {
        expect_decline("100,000 digits", &reply, Reason::UnknownCard);
    } else {
        expect_problem(&counter, "100,000 digits", &reply, 422, "validation_failed").await;
    }
    counter.check(POINTS).await
}

fn swapped(text: &str) -> String {
    let mut digits: Vec<char> = text.chars().collect();
    let at = (100..digits.len() - 1)
        .find(|at| digits[*at] != digits[*at + 1])
        .expect("two different digits");
    digits.swap(at, at + 1);
    digits.into_iter().collect()
}

/// A genuine text at the wrong time or in the wrong place.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_for_now_and_for_one_basket() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    let other_till = counter
        .installation
        .till(&counter.gateway.base(), 2, "store-1")
        .await?;
    let now = unix_now();
    for (what, issued_at, reason) in [
        ("stale", now - 120, Reason::CardTextExpired),
        ("a day old", now - 86_400, Reason::CardTextExpired),
        ("of 1970", 0, Reason::CardTextExpired),
        ("early", now + 120, Reason::CardTextFromFuture),
        ("of 2106", u32::MAX, Reason::CardTextFromFuture),
    ] {
        let shown = counter.phone.sign(issued_at, SpendLimit::Unlimited);
        let id = counter.next_id();
        let ask = Ask::authorization(&id, &id, &shown.text, 1);
        expect_decline(what, &counter.till.insist(&ask).await, reason);
    }
    let shown = counter.phone.show(SpendLimit::Unlimited).await;
    let basket = counter.next_id();
    let inquiry = Ask::inquiry(&basket, &basket, &shown.text);
    let _ = counter.till.insist(&inquiry).await.approved();
    let id = counter.next_id();
    let elsewhere = Ask::authorization(&id, &id, &shown.text, 1);
    let reply = counter.till.insist(&elsewhere).await;
    expect_decline("another basket", &reply, Reason::CardAlreadyUsed);
    let same_name = Ask::authorization(&counter.next_id(), &basket, &shown.text, 1);
    let reply = other_till.insist(&same_name).await;
    expect_decline(
        "another till's basket of that name",
        &reply,
        Reason::CardAlreadyUsed,
    );
    // The first basket still has it.
    let again = Ask::inquiry(&counter.next_id(), &basket, &shown.text);
    let _ = counter.till.insist(&again).await.approved();
    counter.check(POINTS).await
}

/// A text allows what its shopper allowed.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_spends_what_it_says() -> anyhow::Result<()> {
    let mut counter = Counter::open().await?;
    for (what, spend, points, reason) in [
        (
            "earn only",
            SpendLimit::EarnOnly,
            1,
            Reason::SpendNotAllowed,
        ),
        ("nothing", SpendLimit::UpTo(0), 1, Reason::AboveCardLimit),
        (
            "one more",
            SpendLimit::UpTo(99),
            100,
            Reason::AboveCardLimit,
        ),
        (
            "more than there is",
            SpendLimit::Unlimited,
            POINTS + 1,
            Reason::InsufficientPoints,
        ),
    ] {
        let shown = counter.phone.show(spend).await;
        let id = counter.next_id();
        let ask = Ask::authorization(&id, &id, &shown.text, points);
        expect_decline(what, &counter.till.insist(&ask).await, reason);
    }
    counter.check(POINTS).await
}
