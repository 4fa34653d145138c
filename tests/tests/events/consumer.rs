//! The example of a CRM, and everything that can go wrong around it.

use std::collections::BTreeMap;

use acceptance::{
    broker::Broker,
    databases::{Database, Engine},
    proxy::{Flow, Proxy},
};
use gateway::{
    cloud_event::CloudEvent,
    limits::BROKER_DELIVERIES_MAX,
    outbox::{DEAD_QUEUE, QUEUE},
};
use lapin::options::BasicNackOptions;
use ledger::command::Ask;
use member_card::ProgrammeId;
use pos_protocol::{RefundLine, RequestId};
use serde_json::{Value, json};

use crate::{
    crm::{Crm, Sender, declare, died_of, next},
    stand::{Stand, line},
};

/// Events as the gateway sends them, and what a CRM has to make of them.
pub(crate) struct Story {
    events: Vec<Value>,
    /// Tallies by store and member id, as the report has them.
    tallies: BTreeMap<String, Value>,
}

impl Story {
    /// Two members buy for 1,000 and 2,000 yen in turns; one gives something back, one sale is undone.
    async fn of_sales(sales: u32) -> Self {
        Self::on(&Database::create(Engine::Sqlite).await, sales).await
    }

    /// The same in a database that stays.
    pub(crate) async fn on(database: &Database, sales: u32) -> Self {
        let stand = Stand::open(database, |_| {}).await;
        let shoppers = [stand.enrol().await, stand.enrol().await];
        let mut first = Value::Null;
        for sale in 0..sales {
            let turn = usize::try_from(sale % 2).unwrap();
            let yen = [1_000, 2_000][turn];
            let receipt = stand.receipt(vec![line(1, "煎茶", 2, yen)]);
            let name = format!("sale-{sale}");
            // The last two sales are paid in part with points.
            let redeem = if sale + 2 >= sales { 5 } else { 0 };
            let sold = stand.sell(shoppers[turn], &name, receipt, redeem).await;
            if sale == 0 {
                first = sold["purchase"]["id"].clone();
            }
        }
        let piece = RefundLine {
            line_no: 1,
            quantity: 1,
        };
        let refund = Ask::Refund {
            purchase_id: serde_json::from_value(first).unwrap(),
            lines: Some(vec![piece]),
            quote: false,
        };
        stand.ask("refund", refund).await;
        let undo = Ask::Reversal {
            original_request_id: RequestId::new("sale-1").unwrap(),
        };
        stand.ask("undo", undo).await;
        let each = i64::from(sales / 2);
        let tally = |yen: i64, back: i64| {
            json!({
                "purchases": each, "yen": yen * each, "refunds": 1, "refunded_yen": back,
                "points_redeemed": 5, "points_earned": yen / 100 * each,
                "points_restored": 0, "points_clawed_back": back / 100,
            })
        };
        let mut tallies = BTreeMap::new();
        let mut both = json!({});
        for (shopper, yen, back) in [(shoppers[0], 1_000, 500), (shoppers[1], 2_000, 2_000)] {
            let mut own = tally(yen, back);
            for (field, number) in own.as_object().unwrap() {
                let sum = both[field].as_i64().unwrap_or(0) + number.as_i64().unwrap();
                both[field] = sum.into();
            }
            let member = stand.store.member(shopper.member_id).await.unwrap();
            own["available"] = json!(member.unwrap().member.available);
            tallies.insert(shopper.member_id.to_string(), own);
        }
        tallies.insert("shibuya".into(), both);
        let demo = ProgrammeId::new("demo").unwrap();
        let events = (1..).zip(stand.events().await).map(|(place, mut event)| {
            event.stream_sequence = Some(place);
            serde_json::to_value(CloudEvent::new(event, &demo).unwrap()).unwrap()
        });
        let events = events.collect();
        stand.close().await;
        Self { events, tallies }
    }

    pub(crate) fn count(&self) -> usize {
        self.events.len()
    }

    /// Holds only the members' points against the story.
    fn check_balances(&self, report: &Value) {
        for row in report["members"].as_array().unwrap() {
            let own = &self.tallies[row["id"].as_str().unwrap()];
            assert_eq!(row["available"], own["available"]);
        }
    }

    /// Holds a report's tallies against the story.
    pub(crate) fn check(&self, report: &Value) {
        let rows = ["stores", "members"].map(|kind| report[kind].as_array().unwrap());
        let told: BTreeMap<String, Value> = rows
            .into_iter()
            .flatten()
            .map(|row| {
                let mut row = row.clone();
                let id = row.as_object_mut().unwrap().remove("id").unwrap();
                (id.as_str().unwrap().to_owned(), row)
            })
            .collect();
        assert_eq!(told, self.tallies);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tallies_follow_the_events_and_what_comes_twice_counts_once() {
    let host = Broker::shared().await.virtual_host().await;
    let story = Story::of_sales(40).await;
    let mut crm = Crm::new();
    // It may start before there is a queue.
    crm.start(&host.url());
    declare(&host.url()).await;
    let sender = Sender::connect(&host.url()).await;
    sender.send(&story.events).await;
    let counted = story.count();
    let all = json!({ "highest": counted, "counted": counted, "missing": 0, "duplicates": 0 });
    story.check(&crm.says(all).await);

    sender.send(&story.events).await;
    let again = json!({ "counted": counted, "duplicates": counted, "refused": 0 });
    story.check(&crm.says(again).await);
    crm.stop().await;
    let table = crm.table().await;
    assert!(
        table.starts_with(&format!("{counted} of {counted} events counted, 0 missing")),
        "{table}"
    );
    assert!(table.contains("\nshibuya "), "{table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_after_the_commit_and_before_the_acknowledgement_nothing_counts_twice() {
    let broker = Broker::shared().await;
    let host = broker.virtual_host().await;
    declare(&host.url()).await;
    let story = Story::of_sales(40).await;
    let line = Proxy::start(broker.address().to_string()).await.unwrap();
    let mut crm = Crm::new();
    crm.start(&host.url_at(line.address()));
    let sender = Sender::connect(&host.url()).await;
    // It is listening once it has counted something.
    let (first, rest) = story.events.split_at(1);
    sender.send(first).await;
    crm.says(json!({ "counted": 1 })).await;
    // From now on the broker does not hear it.
    line.set(Flow::Unheard);
    sender.send(rest).await;
    let counted = story.count();
    story.check(&crm.says(json!({ "counted": counted })).await);
    crm.kill().await;
    line.set(Flow::Cut);

    crm.start(&host.url());
    let known = json!({ "counted": counted, "duplicates": rest.len(), "missing": 0 });
    story.check(&crm.says(known).await);
    crm.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_before_it_is_counted() {
    let host = Broker::shared().await.virtual_host().await;
    declare(&host.url()).await;
    let story = Story::of_sales(40).await;
    let sender = Sender::connect(&host.url()).await;
    let mut crm = Crm::new();
    crm.start(&host.url());
    let (first, rest) = story.events.split_at(1);
    sender.send(first).await;
    crm.says(json!({ "counted": 1 })).await;
    // It gets the messages and cannot write.
    let lock = crm.lock().await;
    sender.send(rest).await;
    sender.all_are_delivered().await;
    crm.kill().await;
    drop(lock);

    crm.start(&host.url());
    let counted = story.count();
    let all = json!({ "counted": counted, "missing": 0, "duplicates": 0 });
    story.check(&crm.says(all).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_goes_on_where_it_was() {
    let host = Broker::shared().await.virtual_host().await;
    declare(&host.url()).await;
    let story = Story::of_sales(200).await;
    let sender = Sender::connect(&host.url()).await;
    let mut crm = Crm::new();
    for part in story.events.chunks(50) {
        crm.start(&host.url());
        sender.send(part).await;
        crm.kill().await;
    }
    crm.start(&host.url());
    let counted = story.count();
    let all = json!({ "highest": counted, "counted": counted, "missing": 0, "refused": 0 });
    story.check(&crm.says(all).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_is_told_kept_and_closed() {
    let host = Broker::shared().await.virtual_host().await;
    declare(&host.url()).await;
    let story = Story::of_sales(10).await;
    let sender = Sender::connect(&host.url()).await;
    let mut crm = Crm::new();
    crm.start_with_log(&host.url());
    // 3 to 5 and 9 are lost; 7 comes after 8.
    let at = |places: &[usize]| {
        let events = places.iter().map(|place| story.events[place - 1].clone());
        events.collect::<Vec<_>>()
    };
    sender.send(&at(&[1, 2, 6, 8, 7, 10])).await;
    let report = crm.says(json!({ "highest": 10, "missing": 4 })).await;
    let gaps = json!([{ "first": 3, "last": 5 }, { "first": 9, "last": 9 }]);
    assert_eq!(report["gaps"], gaps);
    for (first, last) in [(3, 5), (9, 9)] {
        let (first, last) = (format!("gap.first={first}"), format!("gap.last={last}"));
        crm.logs(&["WARN", "stream.gap_stays", &first, &last]).await;
    }
    let table = crm.table().await;
    assert!(
        table.contains("missing: 3 to 5\nmissing: 9 to 9\n"),
        "{table}"
    );
    crm.kill().await;
    crm.start(&host.url());
    // One in the middle of a gap parts it.
    sender.send(&at(&[4])).await;
    let report = crm.says(json!({ "missing": 3 })).await;
    assert_eq!(report["gaps"][0], json!({ "first": 3, "last": 3 }));
    sender.send(&story.events[10..]).await;
    let counted = story.count();
    let all_but_three = json!({ "missing": 3, "counted": counted - 3 });
    story.check_balances(&crm.says(all_but_three).await);
    sender.send(&at(&[9, 5, 3])).await;
    let report = crm.says(json!({ "missing": 0, "counted": counted })).await;
    assert_eq!(report["gaps"], json!([]));
    // What came late did not bring an old balance back.
    story.check(&report);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_refused_and_the_rest_is_counted() {
    let host = Broker::shared().await.virtual_host().await;
    declare(&host.url()).await;
    let story = Story::of_sales(10).await;
    let sender = Sender::connect(&host.url()).await;
    let purchase = story
        .events
        .iter()
        .find(|event| event["type"] == "purchase.completed")
        .unwrap();
    let changed = |change: fn(&mut Value)| {
        let mut event = purchase.clone();
        change(&mut event);
        serde_json::to_vec(&event).unwrap()
    };
    let id = purchase["id"].as_str();
    let bodies: [(Option<&str>, Vec<u8>); 8] = [
        (None, Vec::new()),
        (None, b"{\"specversion\":\"1.0\"".to_vec()),
        (None, vec![0xFF; 1_000]),
        (Some("another"), changed(|_| {})),
        (id, changed(|event| event["specversion"] = "2.0".into())),
        (id, changed(|event| event["streamsequence"] = "0".into())),
        (id, changed(|event| event["data"]["receipt"] = Value::Null)),
        // Another event at a place that was taken: seen only once both have come.
        (None, changed(|event| event["id"] = "another".into())),
    ];
    let (last, unreadable) = bodies.split_last().unwrap();
    for ((message_id, body), event) in unreadable.iter().zip(&story.events) {
        sender
            .send_raw("purchase.completed", *message_id, body)
            .await;
        sender.send(std::slice::from_ref(event)).await;
    }
    sender.send(&story.events[unreadable.len()..]).await;
    let mut crm = Crm::new();
    crm.start(&host.url());
    let counted = story.count();
    let wanted = json!({ "counted": counted, "missing": 0, "duplicates": 0, "refused": 7 });
    crm.says(wanted).await;
    sender.send_raw("purchase.completed", last.0, &last.1).await;
    let wanted = json!({ "counted": counted, "refused": bodies.len() });
    story.check(&crm.says(wanted).await);
    // A field that the CRM does not know, and a type that it does not know, are no reason to refuse.
    let mut more = purchase.clone();
    more["id"] = "more".into();
    more["type"] = "weather.changed".into();
    more["streamsequence"] = (counted + 1).to_string().into();
    more["data"]["more"] = true.into();
    let body = serde_json::to_vec(&more).unwrap();
    sender
        .send_raw("weather.changed", Some("more"), &body)
        .await;
    story.check(&crm.says(json!({ "counted": counted + 1 })).await);

    // All of them, and nothing else, are dead letters.
    let mut dead = sender.listen(DEAD_QUEUE).await;
    let mut found = Vec::new();
    for _ in &bodies {
        let letter = next(&mut dead).await;
        assert_eq!(died_of(&letter), "rejected");
        found.push(letter.data.to_vec());
    }
    let mut sent: Vec<_> = bodies.into_iter().map(|(_, body)| body).collect();
    sent.sort();
    found.sort();
    assert_eq!(found, sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_given_back_for_ever_ends_among_the_dead_letters() {
    let host = Broker::shared().await.virtual_host().await;
    declare(&host.url()).await;
    let story = Story::of_sales(4).await;
    let sender = Sender::connect(&host.url()).await;
    sender.send(&story.events[..1]).await;
    // A consumer that always fails, and asks for it again.
    let mut failing = sender.listen(QUEUE).await;
    for _ in 0..=BROKER_DELIVERIES_MAX {
        let delivery = next(&mut failing).await;
        let again = BasicNackOptions {
            requeue: true,
            ..BasicNackOptions::default()
        };
        assert!(delivery.nack(again).await.unwrap());
    }
    let letter = next(&mut sender.listen(DEAD_QUEUE).await).await;
    assert_eq!(died_of(&letter), "delivery_limit");
    acceptance::schemas::check(&letter.data);
    let id = letter.properties.message_id().as_ref().unwrap();
    assert_eq!(id.as_str(), story.events[0]["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_is_waited_for() {
    let mut broker = Broker::start("").await;
    let (url, story) = (broker.url(), Story::of_sales(100).await);
    declare(&url).await;
    broker.keep_declarations().await;
    let mut crm = Crm::new();
    crm.start(&url);
    let (first, rest) = story.events.split_at(60);
    Sender::connect(&url).await.send(first).await;
    crm.says(json!({ "counted": 60 })).await;
    broker.kill();
    broker.restart().await;
    Sender::connect(&url).await.send(rest).await;
    let counted = story.count();
    let all = json!({ "highest": counted, "counted": counted, "missing": 0, "refused": 0 });
    story.check(&crm.says(all).await);
    crm.stop().await;
}
