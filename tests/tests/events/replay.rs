//! The whole way: from the ledger over the gateway's relay to the CRM, and once more where something
//! got lost.

use std::collections::BTreeSet;

use acceptance::{
    broker::{Broker, VirtualHost},
    databases::Database,
    gateway_process::{GatewayProcess, run},
    installation::Installation,
    on_each_database, schemas,
};
use gateway::outbox::QUEUE;
use jiff::Timestamp;
use lapin::options::BasicAckOptions;
use serde_json::{Value, json};

use crate::{
    consumer::Story,
    crm::{Crm, Sender, declare, next},
};

on_each_database!(
    what_a_crm_missed_is_sent_to_it_once_more,
    a_replay_says_what_became_of_it,
);

/// What a command of the gateway ended with, and what it printed.
async fn events(database: &Database, more: &[&str]) -> (i32, String) {
    let command = ["events", "--database-url", database.url()];
    let output = run("gateway", &[&command, more].concat()).await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), printed)
}

async fn relay(database: &Database, host: &VirtualHost<'_>) -> GatewayProcess {
    let installation = Installation::new(database.url()).await.unwrap();
    let mut start = installation.serve();
    let broker = ["--amqp-url".into(), host.url().into()];
    start.arguments.extend(broker);
    GatewayProcess::start(start).await.unwrap()
}

async fn what_a_crm_missed_is_sent_to_it_once_more(database: Database) {
    let host = Broker::shared().await.virtual_host().await;
    declare(&host.url()).await;
    let story = Story::on(&database, 10).await;
    let _gateway = relay(&database, &host).await;
    // Somebody else takes three messages out of the queue, and loses them.
    let thief = Sender::connect(&host.url()).await;
    let mut consumer = thief.listen(QUEUE).await;
    let mut lost = BTreeSet::new();
    for _ in 0..3 {
        let message = next(&mut consumer).await;
        schemas::check(&message.data);
        let event: Value = serde_json::from_slice(&message.data).unwrap();
        let place: i64 = event["streamsequence"].as_str().unwrap().parse().unwrap();
        lost.insert(place);
        assert!(message.ack(BasicAckOptions::default()).await.unwrap());
    }
    thief.close().await;

    let mut crm = Crm::new();
    crm.start(&host.url());
    let (all, left) = (story.count(), story.count() - lost.len());
    let report = crm
        .says(json!({ "highest": all, "counted": left, "missing": 3 }))
        .await;
    // What is missing is what the CRM says.
    let gaps: Vec<(i64, i64)> = report["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| {
            (
                gap["first"].as_i64().unwrap(),
                gap["last"].as_i64().unwrap(),
            )
        })
        .collect();
    let told: BTreeSet<i64> = gaps
        .iter()
        .flat_map(|(first, last)| *first..=*last)
        .collect();
    assert_eq!(told, lost);
    let url = host.url();
    for (first, last) in gaps {
        let (first, last) = (first.to_string(), last.to_string());
        let range = ["--from-sequence", &first, "--to-sequence", &last];
        let to = ["--replay", "--amqp-url", &url];
        let (code, _) = events(&database, &[range.as_slice(), &to].concat()).await;
        assert_eq!(code, 0);
    }
    story.check(
        &crm.says(json!({ "counted": all, "missing": 0, "duplicates": 0 }))
            .await,
    );

    // Everything again, and nothing changes.
    let (code, said) = events(&database, &["--replay", "--amqp-url", &url]).await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(said, format!("{all} confirmed, 0 returned, 0 refused\n"));
    let known = json!({ "counted": all, "missing": 0, "duplicates": all, "refused": 0 });
    story.check(&crm.says(known).await);
    let store = database.migrated().await;
    assert_eq!(store.outbox_status().await.unwrap().waiting, 0);
    store.close().await;
}

async fn a_replay_says_what_became_of_it(database: Database) {
    let host = Broker::shared().await.virtual_host().await;
    let (url, story) = (host.url(), Story::on(&database, 4).await);
    let replay = ["--replay", "--amqp-url", &url];
    // Nothing has a place before the relay gave it one.
    declare(&url).await;
    let (code, said) = events(&database, &replay).await;
    assert_eq!(
        (code, said.as_str()),
        (0, "0 confirmed, 0 returned, 0 refused\n")
    );
    let gateway = relay(&database, &host).await;
    let sender = Sender::connect(&url).await;
    let mut consumer = sender.listen(QUEUE).await;
    let mut sent = Vec::new();
    while sent.len() < story.count() {
        sent.push(next(&mut consumer).await);
    }
    drop(gateway);

    // By type, by member, by time, by id: the very same messages, in order of their places.
    let parsed: Vec<Value> = sent
        .iter()
        .map(|message| serde_json::from_slice(&message.data).unwrap())
        .collect();
    let (fifth, id) = (&parsed[4], parsed[4]["id"].as_str().unwrap());
    let member = parsed
        .iter()
        .find_map(|event| event["partitionkey"].as_str());
    let (member, time) = (member.unwrap(), fifth["time"].as_str().unwrap());
    type Wanted<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let cases: [(&[&str], Wanted<'_>); 6] = [
        (
            &["--type", "purchase."],
            Box::new(|event| event["type"].as_str().unwrap().starts_with("purchase.")),
        ),
        (
            &["--member", member],
            Box::new(|event| event["partitionkey"] == member),
        ),
        (&["--since", time], Box::new(|event| at(event) >= at(fifth))),
        (&["--until", time], Box::new(|event| at(event) < at(fifth))),
        (&["--id", id], Box::new(|event| event["id"] == id)),
        (
            &["--from-sequence", "2", "--to-sequence", "3"],
            Box::new(|event| event["streamsequence"] == "2" || event["streamsequence"] == "3"),
        ),
    ];
    for (flags, wanted) in cases {
        let mut wanted: Vec<_> = sent
            .iter()
            .zip(&parsed)
            .filter(|(_, event)| wanted(event))
            .collect();
        wanted.sort_by_key(|(_, event)| {
            event["streamsequence"]
                .as_str()
                .unwrap()
                .parse::<i64>()
                .unwrap()
        });
        let (code, said) = events(&database, &[flags, &replay].concat()).await;
        let count = wanted.len();
        assert!(count > 0, "{flags:?}");
        assert_eq!(
            (code, said),
            (0, format!("{count} confirmed, 0 returned, 0 refused\n")),
            "{flags:?}"
        );
        for (first, _) in wanted {
            let again = next(&mut consumer).await;
            assert_eq!(again.data, first.data, "{flags:?}");
            assert_eq!(again.properties, first.properties, "{flags:?}");
            assert_eq!(again.routing_key, first.routing_key);
        }
    }
    to_a_file(&database, &parsed).await;

    // Nobody listens any more.
    host.delete("queues", QUEUE).await;
    let (code, said) = events(&database, &[&["--limit", "2"], replay.as_slice()].concat()).await;
    assert_eq!(code, 1);
    assert!(
        said.starts_with("0 confirmed, 2 returned, 0 refused\n"),
        "{said}"
    );
    let (code, _) = events(&database, &["--replay", "--amqp-url", "amqp://127.0.0.1:1"]).await;
    assert_eq!(code, 2);
    let (code, _) = events(&database, &["--replay"]).await;
    assert_eq!(code, 2);
}

fn at(event: &Value) -> Timestamp {
    event["time"].as_str().unwrap().parse().unwrap()
}

/// A file holds the same events, one a line, in order of their places.
async fn to_a_file(database: &Database, sent: &[Value]) {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    let file = path.to_str().unwrap();
    let flags = ["--from-sequence", "1", "--output", file];
    let (code, said) = events(database, &flags).await;
    assert_eq!(
        (code, said),
        (0, format!("{} events in {file}\n", sent.len()))
    );
    let mut wanted = sent.to_vec();
    wanted.sort_by_key(|event| {
        event["streamsequence"]
            .as_str()
            .unwrap()
            .parse::<i64>()
            .unwrap()
    });
    let kept: Vec<Value> = std::fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(kept, wanted);
    // What is there is not written over.
    assert_eq!(events(database, &flags).await.0, 2);
}
