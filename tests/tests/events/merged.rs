//! The CRM's copy of persons: the same as the gateway's after every merge, unmerge and what lies between.

use std::collections::{BTreeMap, BTreeSet};

use acceptance::{
    broker::Broker,
    databases::{Database, Engine},
};
use gateway::cloud_event::CloudEvent;
use ledger::{
    card_use::CardProof,
    command::{Ask, Direction},
    identity::IdentityKind,
    member::{CardKind, Member},
    records::Purchase,
};
use member_card::ProgrammeId;
use pos_protocol::{MemberId, Shipped};
use serde_json::{Value, json};

use crate::{
    crm::{Crm, Sender, declare},
    persons::{claim, paid, refunded, statement},
    stand::{Stand, line},
};

/// The gateway, a CRM that hears of it, and how much it heard.
struct Pair {
    stand: Stand,
    crm: Crm,
    sender: Sender,
    sent: usize,
}

impl Pair {
    /// Every event as it is sent.
    async fn events(&self) -> Vec<Value> {
        let demo = ProgrammeId::new("demo").unwrap();
        let events = self.stand.events().await;
        let events = (1..).zip(events).map(|(place, mut event)| {
            event.stream_sequence = Some(place);
            serde_json::to_value(CloudEvent::new(event, &demo).unwrap()).unwrap()
        });
        events.collect()
    }

    /// Sends what is new, one record after the other: between records there is no order. Then the CRM has
    /// to say of every person what the gateway says; that is returned.
    async fn agree(&mut self) -> BTreeMap<String, Value> {
        let all = self.events().await;
        let mut new = all[self.sent..].to_vec();
        self.sent = all.len();
        let record = |event: &Value| event["partitionkey"].as_str().map(str::to_owned);
        new.sort_by_key(|event| std::cmp::Reverse(record(event)));
        self.sender.send(&new).await;
        let wanted = json!({ "counted": self.sent, "missing": 0, "refused": 0 });
        let persons = persons(&self.crm.says(wanted).await);
        let told: BTreeMap<_, _> = persons
            .iter()
            .map(|(id, person)| (id.clone(), essence(person)))
            .collect();
        assert_eq!(told, self.truth().await);
        persons
    }

    /// Records, balance and sales of every person, from the gateway's rows.
    async fn truth(&self) -> BTreeMap<String, Value> {
        let mut at = self.stand.store.snapshot().await.unwrap();
        let members: Vec<Member> = at.page(None, u32::MAX).await.unwrap();
        let purchases: Vec<Purchase> = at.page(None, u32::MAX).await.unwrap();
        at.end().await.unwrap();
        let into: BTreeMap<MemberId, Option<MemberId>> = members
            .iter()
            .map(|member| (member.id, member.merged_into))
            .collect();
        let root = |mut id: MemberId| {
            while let Some(next) = into[&id] {
                id = next;
            }
            id
        };
        let mut persons = BTreeMap::<MemberId, (BTreeSet<String>, [i64; 4], bool)>::new();
        for member in &members {
            let (records, sums, erased) = persons.entry(root(member.id)).or_default();
            records.insert(member.id.to_string());
            let own = [member.available, member.held, member.pending, member.owed];
            for (sum, points) in sums.iter_mut().zip(own) {
                *sum += points.get();
            }
            *erased |= member.erased_at.is_some();
        }
        let sales = |id: MemberId, ec: bool| {
            let own = purchases
                .iter()
                .filter(|row| root(row.member_id) == id)
                .filter(|row| (row.store_id.as_str() == "ec-main") == ec);
            let yen: i64 = own.clone().map(|row| row.receipt.total.get()).sum();
            json!([own.count(), yen])
        };
        persons
            .into_iter()
            .map(|(id, (records, sums, erased))| {
                let said = json!({
                    "records": records, "balance": sums, "erased": erased,
                    "store": sales(id, false), "ec": sales(id, true),
                });
                (id.to_string(), said)
            })
            .collect()
    }
}

fn persons(report: &Value) -> BTreeMap<String, Value> {
    let persons = report["persons"].as_array().unwrap().iter();
    let named = persons.map(|person| (person["id"].as_str().unwrap().to_owned(), person.clone()));
    named.collect()
}

/// What the gateway knows too of a person in the CRM's report.
fn essence(person: &Value) -> Value {
    let sales = |channel: &str| {
        let own = &person["channels"][channel];
        let of = |field: &str| own[field].as_i64().unwrap_or(0);
        json!([of("purchases"), of("yen")])
    };
    let balance =
        ["available", "held", "pending", "owed"].map(|part| person["balance"][part].clone());
    json!({
        "records": person["records"], "balance": balance, "erased": person["erased"],
        "store": sales("store"), "ec": sales("ec"),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_what_its_records_are_together() {
    let host = Broker::shared().await.virtual_host().await;
    declare(&host.url()).await;
    let database = Database::create(Engine::Sqlite).await;
    let mut crm = Crm::new();
    crm.start(&host.url());
    let mut pair = Pair {
        stand: Stand::open(&database, |_| {}).await,
        sender: Sender::connect(&host.url()).await,
        crm,
        sent: 0,
    };

    // A customer of the shop, later somebody with a phone, later a plastic card.
    let customer = claim(IdentityKind::EcCustomer, 7);
    let order = paid(&pair.stand, "o1", 3_000);
    let shadow = pair.stand.order(order, Some(customer.clone())).await;
    let mut shipped = statement(&pair.stand, "o1");
    shipped.shipped = Shipped::Everything;
    pair.stand.order(shipped, None).await;
    let phone = pair.stand.enrol().await;
    pair.stand
        .adjust(phone, Direction::Grant, 300, "bonus")
        .await;
    pair.agree().await;

    // Merged, and spent over both.
    pair.stand.merge(shadow, phone.member_id).await;
    let receipt = pair.stand.receipt(vec![line(1, "羊羹", 2, 2_000)]);
    let sold = pair.stand.sell(phone, "both", receipt, 320).await;
    let said = pair.agree().await;
    let person = &said[&phone.member_id.to_string()];
    assert_eq!(person["balance"]["available"], 300 + 30 - 320 + 20);
    assert_eq!(person["first_touch"], "ec");
    assert_eq!(person["identities"], json!(["ec_customer main"]));

    // One more joins.
    let plastic = pair.stand.issue(CardKind::Plastic, 3, None).await;
    let receipt = pair.stand.receipt(vec![line(1, "煎茶", 1, 1_500)]);
    let number = CardProof::Number {
        card_id: plastic.card_id,
        used: [0xCA; 32],
    };
    pair.stand.sell_by(number, "plastic", receipt, 0).await;
    pair.stand.merge(plastic.member_id, shadow).await;
    pair.stand.unlink(phone.member_id, &customer).await;
    let said = pair.agree().await;
    let person = &said[&phone.member_id.to_string()];
    assert_eq!(person["records"].as_array().unwrap().len(), 3);
    assert_eq!(person["identities"], json!([]));

    // Parted, and what was spent together comes back to each.
    pair.stand.unmerge(shadow).await;
    pair.agree().await;
    let refund = Ask::Refund {
        purchase_id: serde_json::from_value(sold["purchase"]["id"].clone()).unwrap(),
        lines: None,
        quote: false,
    };
    pair.stand.ask("refund-both", refund).await;
    let back = refunded(&pair.stand, "o1", 100);
    pair.stand.order(back, None).await;
    let said = pair.agree().await;
    assert_eq!(said[&phone.member_id.to_string()]["first_touch"], "store");
    assert_eq!(said[&shadow.to_string()]["first_touch"], "ec");

    // Another order of the records together, and forgotten.
    pair.stand.unmerge(plastic.member_id).await;
    pair.stand.merge(shadow, plastic.member_id).await;
    pair.stand.link(phone, customer).await;
    pair.agree().await;
    pair.stand.erase(phone.member_id).await;
    let last = pair.agree().await;

    // Who hears it all at once and the last first has the same copy.
    let other = Broker::shared().await.virtual_host().await;
    declare(&other.url()).await;
    let mut late = Crm::new();
    late.start(&other.url());
    let mut events = pair.events().await;
    events.reverse();
    Sender::connect(&other.url()).await.send(&events).await;
    let all = json!({ "counted": pair.sent, "missing": 0, "refused": 0 });
    assert_eq!(persons(&late.says(all).await), last);
    pair.crm.stop().await;
    assert!(pair.crm.table().await.contains(": 2 records, "));
    pair.stand.close().await;
}
