//! The largest events: a message stays below the limit, and nothing is lost.

use acceptance::{
    databases::{Database, Engine},
    gateway_process::run_well,
    installation::Installation,
    on_each_database, schemas,
    till::Till,
};
use gateway::{
    cloud_event::{CLOUD_EVENT_JSON, CloudEvent},
    limits::EVENT_MESSAGE_BYTES_MAX,
    store::StoredEvent,
};
use ledger::command::Ask;
use member_card::ProgrammeId;
use pos_protocol::{Receipt, ReceiptLine, Yen};
use serde_json::{Value, json};

use crate::stand::{Stand, line};

on_each_database!(the_largest_receipt_is_sent_without_its_lines_and_kept_with_them);

/// 200 characters of four bytes each.
fn longest() -> String {
    "🍡".repeat(pos_protocol::TEXT_CHARS_MAX)
}

/// The largest receipt a till may send.
fn largest_receipt(stand: &Stand) -> Receipt {
    let lines = u32::try_from(pos_protocol::LINES_MAX).unwrap();
    let line = |number: u32| ReceiptLine {
        sku: longest(),
        category: longest(),
        tax_rate: 100,
        ..line(u32::MAX - number, &longest(), u32::MAX, 1_000_000_000)
    };
    let mut receipt = stand.receipt((0..lines).map(line).collect());
    receipt.number = longest();
    assert_eq!((receipt.violation(), receipt.total), (None, Yen::MAX));
    receipt
}

fn sent(event: StoredEvent) -> Value {
    let demo = ProgrammeId::new("demo").unwrap();
    let event = StoredEvent {
        stream_sequence: Some(i64::MAX),
        ..event
    };
    let event = CloudEvent::new(event, &demo).unwrap();
    let text = serde_json::to_vec(&event).unwrap();
    assert!(text.len() <= EVENT_MESSAGE_BYTES_MAX, "{} B", text.len());
    schemas::check(&text);
    serde_json::from_slice(&text).unwrap()
}

async fn the_largest_receipt_is_sent_without_its_lines_and_kept_with_them(database: Database) {
    // 10^12 yen earn fewer points than that.
    let stand = Stand::open(&database, |_| {}).await;
    let shopper = stand.enrol().await;
    let receipt = largest_receipt(&stand);
    let sold = stand.sell(shopper, "r1", receipt.clone(), 0).await;
    let refund = Ask::Refund {
        purchase_id: serde_json::from_value(sold["purchase"]["id"].clone()).unwrap(),
        lines: None,
        quote: false,
    };
    assert_eq!(stand.ask("r2", refund).await["outcome"], "approved");
    let mut events = stand.events().await;
    let (refunded, bought) = (events.pop().unwrap(), events.pop().unwrap());

    assert_eq!(bought.kind, "purchase.completed");
    let kept: Value = serde_json::from_str(&bought.data).unwrap();
    assert_eq!(kept["receipt"], serde_json::to_value(&receipt).unwrap());
    let message = sent(bought.clone());
    assert_eq!(message["dataref"], format!("/v1/events/{}", bought.id));
    assert_eq!(message["data"]["receipt"].get("lines"), None);
    // Nothing else differs.
    let mut put_back = message["data"].clone();
    let lines = put_back["receipt"].as_object_mut().unwrap();
    assert_eq!(lines.remove("lines_left_out"), Some(json!(1_000)));
    lines.insert("lines".into(), kept["receipt"]["lines"].clone());
    assert_eq!(put_back, kept);

    // A thousand pieces that come back fit into one message.
    assert_eq!(refunded.kind, "purchase.refunded");
    let message = sent(refunded);
    assert_eq!(message["data"]["lines"].as_array().unwrap().len(), 1_000);
    assert_eq!(message.get("dataref"), None);
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_event_is_to_be_had_whole_where_its_message_says() {
    let database = Database::create(Engine::Sqlite).await;
    let stand = Stand::open(&database, |_| {}).await;
    let shopper = stand.enrol().await;
    stand.sell(shopper, "r1", largest_receipt(&stand), 0).await;
    let bought = stand.events().await.pop().unwrap();
    let message = sent(bought.clone());
    stand.close().await;

    let url = database.url();
    let gateway = Installation::new(url).await.unwrap().gateway().await;
    let gateway = gateway.unwrap();
    let client = async |id: &str, more: &[&str]| {
        let command = ["admin", "client", "create", "--database-url", url, "--json"];
        let arguments = [&command, ["--id", id].as_slice(), more].concat();
        let made: Value =
            serde_json::from_str(&run_well("gateway", &arguments).await.unwrap()).unwrap();
        let secret = made["client_secret"].as_str().unwrap();
        Till::new(&gateway.base(), id, "none", secret)
    };
    let crm = client("crm", &["--scope", "admin"]).await;
    let place = message["dataref"].as_str().unwrap();
    let reply = crm.get(place).await.unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.headers["content-type"], CLOUD_EVENT_JSON);
    let whole = reply.json();
    assert_eq!(whole["id"], message["id"]);
    assert_eq!(whole.get("dataref"), None);
    let kept: Value = serde_json::from_str(&bought.data).unwrap();
    assert_eq!(whole["data"], kept);

    // The command line tells the same.
    let id = bought.id.to_string();
    let arguments = ["events", "--database-url", url, "--id", &id];
    let told = run_well("gateway", &arguments).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), whole);

    // Not for tills, and not what is not there.
    let shibuya = ["--scope", "pos", "--terminal", "t1", "--store", "shibuya"];
    let till = client("till", &shibuya).await;
    let reply = till.get(place).await.unwrap();
    assert_eq!(reply.problem().as_deref(), Some("insufficient_scope"));
    let absent = "/v1/events/01990000-0000-7000-8000-000000000000";
    let reply = crm.get(absent).await.unwrap();
    assert_eq!(reply.problem().as_deref(), Some("unknown_resource"));
    let reply = crm.get("/v1/events/7").await.unwrap();
    assert_eq!(reply.problem().as_deref(), Some("validation_failed"));
}
