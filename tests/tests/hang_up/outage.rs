//! The gateway itself is away: shoppers still buy, and tills tell it afterwards.

use acceptance::{
    ask::{Ask, receipt},
    databases::{Database, Engine},
    phone::{Phone, unix_now},
    reply::Reply,
    till::Till,
};
use jiff::{SignedDuration, Timestamp};
use member_card::SpendLimit;
use pos_protocol::Reason;

use crate::{Counter, POINTS};

/// Points that each sale during the outage earns.
const EARNED: i64 = 12;
/// Yen of such a sale.
const YEN: i64 = 1_200;
/// Sales during the outage.
const SALES: i64 = 5;

/// A till queues its sales as advices while the gateway is killed, and delivers them when it is back:
/// each counts once, by the time of its scan.
#[tokio::test(flavor = "multi_thread")]
async fn sales_of_an_outage_are_told_afterwards() -> anyhow::Result<()> {
    let database = Database::create(Engine::Sqlite).await;
    let mut counter = Counter::open(database, 1).await?;
    let other_till = counter
        .installation
        .till(&counter.gateway.base(), 2, "store-1")
        .await?;
    counter.gateway.kill().await?;
    let mut queued = Vec::new();
    for number in 0..SALES {
        let phone = &counter.phones[0];
        let shown = phone.show(SpendLimit::EarnOnly).await;
        let id = format!("advice-{number}");
        let online = Ask::purchase(&id, &id, &shown.text, 0, receipt("R-1", &[YEN]));
        assert!(counter.till.send(&online).await.is_err(), "nobody is there");
        // The goods are gone, so it is told as what it is, under an id of its own.
        let scanned_at = gateway::clock::Clock::system().now();
        let id = format!("told-{number}");
        let advice = Ask::advice(&id, &id, &shown.text, scanned_at, receipt("R-1", &[YEN]));
        queued.push((advice, shown));
    }
    counter.gateway.restart().await?;
    for (advice, shown) in &queued {
        let told = counter.till.insist(advice).await.approved();
        assert_eq!(told.number("/purchase/points_earned"), EARNED);
        assert_eq!(counter.till.insist(advice).await.text(), told.text());
        let elsewhere = Ask::inquiry(&advice.request_id, "elsewhere", &shown.text);
        let _ = other_till
            .insist(&elsewhere)
            .await
            .declined(Reason::CardAlreadyUsed);
    }
    refuse_stale_advices(&counter.till, &counter.phones[0]).await;
    let points = counter.phones[0].points(&counter.gateway.base()).await;
    assert_eq!(points, (POINTS + SALES * EARNED, 0));
    println!("{}", counter.installation.audit().await?);
    Ok(())
}

/// An advice is held to the time of its scan, and may come only so late.
async fn refuse_stale_advices(till: &Till, phone: &Phone) {
    let now = unix_now();
    let tell = async |name: &str, issued_at: u32, scanned_at: u32| -> Reply {
        let shown = phone.sign(issued_at, SpendLimit::EarnOnly);
        let scanned_at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(scanned_at.into());
        let advice = Ask::advice(name, name, &shown.text, scanned_at, receipt("R-1", &[YEN]));
        till.insist(&advice).await
    };
    let hour = 3_600;
    for (name, issued_at, scanned_at, reason) in [
        (
            "photograph",
            now - 2 * hour,
            now - hour,
            Reason::CardTextExpired,
        ),
        (
            "early",
            now - hour,
            now - 2 * hour,
            Reason::CardTextFromFuture,
        ),
        (
            "late",
            now - 100 * hour,
            now - 100 * hour,
            Reason::AdviceTooLate,
        ),
        (
            "tomorrow",
            now + 24 * hour,
            now + 24 * hour,
            Reason::CardTextFromFuture,
        ),
    ] {
        let _ = tell(name, issued_at, scanned_at).await.declined(reason);
    }
}
