//! Cards, the programme and the shopper's view, over two gateways.

use std::{collections::BTreeSet, path::Path, time::Duration};

use acceptance::{
    ask::{Ask, receipt},
    databases::{Database, Engine},
    gateway_process::{GatewayProcess, run, run_well},
    installation::{Installation, PROGRAMME, programme_file},
    phone::Phone,
    till::persist,
};
use anyhow::Context;
use member_card::SpendLimit;

use crate::{Pair, after};

/// Keys that are enrolled twice at once.
const KEYS: usize = 25;
/// Databases whose programme two gateways put in force at once.
const FIRST_STARTS: usize = 2;
/// Times that two programmes are put in force at once.
const ACTIVATIONS: u32 = 4;
/// Things that a phone on one gateway hears of from the other.
const NEWS: usize = 10;
/// How long a phone may wait for one of them before the test gives up.
const NEWS_WITHIN: Duration = Duration::from_secs(30);

/// One new key shown to both gateways at once is one card and one member.
#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_card() -> anyhow::Result<()> {
    let mut pair = Pair::start("one_key_is_one_card").await?;
    let (a, b) = (pair.a.base(), pair.b.base());
    let mut members = BTreeSet::new();
    for _ in 0..KEYS {
        let phone = Phone::new(PROGRAMME);
        let [start_a, start_b] = pair.head_start();
        let (first, second) = tokio::join!(
            after(start_a, persist(|| phone.try_enrol(&a))),
            after(start_b, persist(|| phone.try_enrol(&b))),
        );
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 201], "{first:?} {second:?}");
        for field in ["/card_id", "/member_id", "/member_no", "/programme"] {
            assert_eq!(first.word(field), second.word(field));
        }
        assert_eq!(first.word("/card_id"), phone.card_id().to_string());
        assert!(
            members.insert(first.word("/member_id")),
            "two keys, one member"
        );
    }
    pair.check().await
}

/// Two gateways that start at once on a new database put one version of the programme in force.
#[tokio::test(flavor = "multi_thread")]
async fn one_programme_is_put_in_force() -> anyhow::Result<()> {
    for _ in 0..FIRST_STARTS {
        let database = Database::create(Engine::Postgres).await;
        let installation = Installation::new(database.url()).await?;
        let (a, b) = tokio::join!(
            GatewayProcess::start(installation.serve()),
            GatewayProcess::start(installation.serve()),
        );
        let (a, b) = (a?, b?);
        let till = installation.till(&a.base(), 1, "store-1").await?;
        let phone = acceptance::installation::member_with_points(&till, 10).await;
        assert_eq!(phone.points(&b.base()).await, (10, 0));
        println!("{}", installation.audit().await?);
    }
    Ok(())
}

/// Two people put two programmes in force at once, while both gateways serve: each succeeds or is told
/// that the other was first; versions are numbered without a gap; both gateways decide by the last.
#[tokio::test(flavor = "multi_thread")]
async fn programmes_come_into_force_one_by_one() -> anyhow::Result<()> {
    let mut pair = Pair::start("programmes_come_into_force_one_by_one").await?;
    let phone = pair.member(0).await;
    let folder = tempfile::tempdir()?;
    let mut versions = 1;
    for round in 0..ACTIVATIONS {
        let files = [2 + 2 * round, 3 + 2 * round].map(|points| {
            let file = folder.path().join(format!("{points}.toml"));
            write_programme(&file, points).map(|()| file.display().to_string())
        });
        let [first, second] = files;
        let (first, second) = (first?, second?);
        let url = pair.installation.database_url().to_owned();
        let apply = |file: String| {
            let url = url.clone();
            async move {
                let arguments = ["admin", "programme", "apply", "--yes", "--database-url"];
                run("gateway", &[arguments.as_slice(), &[&url, &file]].concat()).await
            }
        };
        let (first, second) = tokio::join!(apply(first), apply(second));
        for outcome in [first?, second?] {
            let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
            match outcome.status.code() {
                Some(0) => versions += 1,
                Some(1) => assert!(said.contains("meanwhile"), "{said}"),
                other => panic!("ended with {other:?}: {said}"),
            }
        }
        let show = ["admin", "programme", "show", "--json", "--database-url"];
        let shown = run_well("gateway", &[show.as_slice(), &[&url]].concat()).await?;
        let shown: serde_json::Value = serde_json::from_str(&shown)?;
        assert_eq!(shown["version"], versions);
        let rate = shown["programme"]["earn"]["points"].as_i64();
        for till in pair.tills.clone() {
            let text = phone.show(SpendLimit::EarnOnly).await.text;
            let id = pair.next_id();
            let sale = Ask::purchase(&id, &id, &text, 0, receipt("R-1", &[1_000]));
            let sold = till.insist(&sale).await.approved();
            let earned = sold.number("/purchase/points_earned");
            assert_eq!(Some(earned), rate.map(|rate| rate * 10));
        }
    }
    println!("{ACTIVATIONS} races left version {versions}");
    pair.check().await
}

/// The tests' programme with another rate: so many points for 100 yen.
fn write_programme(file: &Path, points: u32) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(programme_file())?;
    let changed = text.replacen("\npoints = 1\n", &format!("\npoints = {points}\n"), 1);
    anyhow::ensure!(changed != text, "the programme's rate is written otherwise");
    Ok(std::fs::write(file, changed)?)
}

/// A phone that watches gateway A hears what a till did at gateway B.
#[tokio::test(flavor = "multi_thread")]
async fn news_cross_gateways() -> anyhow::Result<()> {
    let mut pair = Pair::start("news_cross_gateways").await?;
    let phone = pair.member(100).await;
    let mut stream = phone.stream(&pair.a.base()).await?;
    let mut delays = Vec::new();
    let mut heard = String::new();
    for round in 0..NEWS {
        let shown = phone.show(SpendLimit::EarnOnly).await;
        let id = pair.next_id();
        let receipt = receipt("R-1", &[1_000]);
        let sale = Ask::purchase(&id, &id, &shown.text, 0, receipt);
        let reply = pair.tills[1].insist(&sale).await.approved();
        let sold_at = gateway::clock::instant();
        let purchase = reply.word("/purchase/id");
        tokio::time::timeout(NEWS_WITHIN, async {
            while !heard.contains(&purchase) {
                let chunk = stream.chunk().await?.context("the stream ended")?;
                heard.push_str(&String::from_utf8_lossy(&chunk));
            }
            anyhow::Ok(())
        })
        .await
        .with_context(|| format!("no news of purchase {round}; heard:\n{heard}"))??;
        delays.push(sold_at.elapsed());
    }
    delays.sort_unstable();
    println!("news from the other gateway after: {delays:?}");
    pair.check().await
}
