//! The golden messages, posted in their order to a real gateway: it answers as they say, but for ids
//! and times.
//!
//! Ids that the gateway made are learned from its answers and put into the requests that follow. Card
//! texts are signed anew for the same shopper, as old as they were; times move by as much.

use std::{collections::BTreeMap, fs, path::PathBuf};

use acceptance::{
    databases::{Database, Engine},
    installation::Installation,
    phone::Phone,
    reply::Reply,
    till::http_client,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use member_card::ScannedText;
use pos_protocol::client::BusinessDay;
use reqwest::Method;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::now;

/// What the recorded messages became in this run.
struct Replay {
    gateway: String,
    http: reqwest::Client,
    phone: Phone,
    /// By how much times move.
    shift: SignedDuration,
    /// Texts that stand for others here: ids, card texts, days, credentials.
    known: BTreeMap<String, String>,
    token: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_gateway_answers_like_the_golden_messages() {
    let database = Database::create(Engine::Sqlite).await;
    let installation = Installation::new(database.url()).await.unwrap();
    let gateway = installation.gateway().await.unwrap();
    let till = installation
        .till(&gateway.base(), 1, "store-1")
        .await
        .unwrap();
    let phone = Phone::new(acceptance::installation::PROGRAMME);
    let enrolled = phone.enrol(&gateway.base()).await;
    let golden = golden();
    let begun: Timestamp = text(&golden[0].1, "/at").parse().unwrap();
    let mut replay = Replay {
        gateway: gateway.base(),
        http: http_client(),
        phone,
        shift: now().duration_since(begun),
        known: BTreeMap::new(),
        token: String::new(),
    };
    replay.know("till-1", &till.client_id);
    replay.know("demo-till-1-secret", till.secret());
    let member_no = enrolled.word("/member_no");
    for (name, message) in &golden {
        let reply = replay.post(&message["request"]).await;
        replay.compare(name, &message["answer"], &reply, &member_no);
    }
    println!("{}", installation.audit().await.unwrap());
}

fn golden() -> Vec<(String, Value)> {
    let folder = [env!("CARGO_MANIFEST_DIR"), "..", "pos-protocol", "golden"];
    let folder: PathBuf = folder.iter().collect();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let message = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        found.push((name, message));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

fn text<'a>(json: &'a Value, pointer: &str) -> &'a str {
    json.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{pointer} of {json}"))
}

impl Replay {
    fn know(&mut self, recorded: &str, here: &str) {
        let before = self.known.insert(recorded.to_owned(), here.to_owned());
        let same = before.is_none_or(|before| before == here);
        assert!(same, "{recorded} stood for something else than {here}");
    }

    async fn post(&mut self, request: &Value) -> Reply {
        let path = self.path(text(request, "/path"));
        let method: Method = text(request, "/method").parse().unwrap();
        let mut sent = self.http.request(method, format!("{}{path}", self.gateway));
        sent = match request.get("authorization") {
            None => sent.bearer_auth(&self.token),
            Some(Value::String(other)) => sent.header("authorization", other),
            Some(_) => sent,
        };
        if let Some(form) = request.get("form") {
            let form: BTreeMap<String, String> = serde_json::from_value(self.here(form)).unwrap();
            sent = sent.form(&form);
        } else if let Some(raw) = request.get("raw") {
            let raw = raw.as_str().unwrap().to_owned();
            sent = sent.header("content-type", "application/json").body(raw);
        } else if let Some(body) = request.get("body") {
            sent = sent.json(&self.here(body));
        }
        Reply::read(sent.send().await.unwrap()).await.unwrap()
    }

    fn path(&self, recorded: &str) -> String {
        let segment = |part: &str| self.known.get(part).map_or(part, String::as_str).to_owned();
        recorded
            .split('/')
            .map(segment)
            .collect::<Vec<_>>()
            .join("/")
    }

    /// A part of a request as it has to be here and now.
    fn here(&mut self, recorded: &Value) -> Value {
        match recorded {
            Value::String(text) => Value::String(self.text_here(text)),
            Value::Array(parts) => parts.iter().map(|part| self.here(part)).collect(),
            Value::Object(fields) => {
                let moved = |(name, part): (&String, &Value)| (name.clone(), self.here(part));
                Value::Object(fields.iter().map(moved).collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    fn text_here(&mut self, recorded: &str) -> String {
        if let Some(here) = self.known.get(recorded) {
            return here.clone();
        }
        if let Ok(ScannedText::MemberCard(card)) = ScannedText::parse(recorded) {
            let card = card.decode();
            let issued_at = i64::from(card.issued_at()) + self.shift.as_secs();
            let issued_at = u32::try_from(issued_at).unwrap();
            let here = self.phone.sign(issued_at, card.spend()).text.to_digits();
            self.know(recorded, &here);
            return here;
        }
        if let Ok(at) = recorded.parse::<Timestamp>() {
            return (at + self.shift).to_string();
        }
        if let Ok(day) = recorded.parse::<Date>() {
            return self.day_here(day).to_string();
        }
        recorded.to_owned()
    }

    /// A business day that lies as many days back as the recorded one did.
    fn day_here(&self, recorded: Date) -> Date {
        let calendar = BusinessDay::default();
        let today = calendar.of(now());
        let then = calendar.of(now() - self.shift);
        today - (then - recorded)
    }

    fn compare(&mut self, name: &str, golden: &Value, reply: &Reply, member_no: &str) {
        assert_eq!(golden["status"], reply.status, "{name}: {reply:?}");
        let headers: BTreeMap<String, String> =
            serde_json::from_value(golden["headers"].clone()).unwrap();
        for (header, value) in &headers {
            let here = reply
                .headers
                .get(header)
                .and_then(|value| value.to_str().ok());
            assert_eq!(here, Some(value.as_str()), "{name}: {header}");
        }
        let body = reply.json();
        if let Some(token) = body["access_token"].as_str() {
            self.token = token.to_owned();
        }
        let place = format!("{name} ");
        self.fit(&place, &golden["body"], &body, member_no);
    }

    /// Both say the same, but for what differs from run to run.
    fn fit(&mut self, place: &str, golden: &Value, here: &Value, member_no: &str) {
        match (golden, here) {
            (Value::Object(golden), Value::Object(here)) => {
                let names =
                    |fields: &Map<String, Value>| fields.keys().cloned().collect::<Vec<_>>();
                assert_eq!(names(golden), names(here), "{place}");
                for (name, part) in golden {
                    self.fit(&format!("{place}/{name}"), part, &here[name], member_no);
                }
            }
            (Value::Array(golden), Value::Array(here)) => {
                assert_eq!(golden.len(), here.len(), "{place}");
                for (at, (golden, here)) in golden.iter().zip(here).enumerate() {
                    self.fit(&format!("{place}/{at}"), golden, here, member_no);
                }
            }
            (Value::String(golden), Value::String(here)) => {
                self.fit_text(place, golden, here, member_no);
            }
            _ => assert_eq!(golden, here, "{place}"),
        }
    }

    fn fit_text(&mut self, place: &str, golden: &str, here: &str, member_no: &str) {
        let last = &member_no[member_no.len() - 4..];
        match place.rsplit('/').next() {
            Some("access_token") => {}
            Some("approval_code") => {
                assert!(here.len() == 6 && here.parse::<u32>().is_ok(), "{place}");
            }
            Some("display_name" | "member_no_masked") => assert!(here.ends_with(last), "{place}"),
            _ if Uuid::parse_str(golden).is_ok() => {
                assert!(Uuid::parse_str(here).is_ok(), "{place}: {here}");
                self.know(golden, here);
            }
            _ if golden.parse::<Timestamp>().is_ok() => {
                assert!(here.parse::<Timestamp>().is_ok(), "{place}: {here}");
            }
            _ if golden.parse::<Date>().is_ok() => {
                assert!(here.parse::<Date>().is_ok(), "{place}: {here}");
            }
            _ => assert_eq!(golden, here, "{place}"),
        }
    }
}
