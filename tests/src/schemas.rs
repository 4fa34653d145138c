//! The events' contract, `docs/asyncapi.yaml`, and whether a message keeps it.

use std::{collections::BTreeMap, sync::LazyLock};

use gateway::{
    cloud_event::CloudEvent,
    limits::EVENT_MESSAGE_BYTES_MAX,
    store::{EventFilter, SchemaState, Store},
};
use jsonschema::{Draft, Validator};
use member_card::ProgrammeId;
use serde_json::{Value, json};

use crate::databases::Database;

/// Events read at once.
const PAGE_EVENTS: u32 = 1_000;

/// The document as JSON.
///
/// # Panics
/// If it is no YAML.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../docs/asyncapi.yaml");
    serde_saphyr::from_str(text).expect("docs/asyncapi.yaml is YAML")
});

/// A validator for each type of event that the document describes.
static VALIDATORS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let messages = DOCUMENT["components"]["messages"].as_object();
    let messages = messages.expect("the document has messages");
    let one = |(key, message): (&String, &Value)| {
        // The whole document is the schema, so that its references lead somewhere.
        let mut schema = DOCUMENT.clone();
        schema["$ref"] = json!(format!("#/components/messages/{key}/payload/schema"));
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&schema)
            .unwrap_or_else(|error| panic!("the schema of {key}: {error}"));
        let kind = message["name"].as_str().expect("a message has a name");
        (kind.to_owned(), validator)
    };
    messages.iter().map(one).collect()
});

/// Every type of event that the document describes.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    VALIDATORS.keys().map(String::as_str)
}

/// What is wrong with an event; none if it is as the document says.
#[must_use]
pub fn fault(event: &Value) -> Option<String> {
    let Some(validator) = event["type"].as_str().and_then(|kind| VALIDATORS.get(kind)) else {
        return Some(format!("the document has no such type: {event}"));
    };
    let found: Vec<_> = validator
        .iter_errors(event)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    (!found.is_empty()).then(|| format!("{}\n{event:#}", found.join("\n")))
}

/// Holds a message's body against the document.
///
/// # Panics
/// If it is not as the document says, or larger than a message may be.
pub fn check(body: &[u8]) {
    let event: Value = serde_json::from_slice(body).expect("a message is JSON");
    if let Some(fault) = fault(&event) {
        panic!("a message breaks the contract:\n{fault}");
    }
    assert!(body.len() <= EVENT_MESSAGE_BYTES_MAX, "{} B", body.len());
}

/// Holds every event of a database against the document, in the form in which it is sent. What is
/// wrong with the first that breaks it.
pub(crate) async fn check_database(database: &Database) -> Result<(), String> {
    let sizes = gateway::store::PoolSizes { write: 1, read: 1 };
    let store = database.open(sizes).await;
    let checked = check_store(&store).await;
    store.close().await;
    checked
}

async fn check_store(store: &Store) -> Result<(), String> {
    let failed = |error: gateway::store::StoreError| format!("the events cannot be read: {error}");
    // A test of migrations may have left it without the tables.
    if store.schema_state().await.map_err(failed)? != SchemaState::UpToDate {
        return Ok(());
    }
    let programme = match store.programme().await.map_err(failed)? {
        Some(in_force) => in_force.programme.id.clone(),
        None => ProgrammeId::new("none").expect("a programme id"),
    };
    let mut filter = EventFilter::default();
    loop {
        let page = store.events(&filter, PAGE_EVENTS).await.map_err(failed)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        filter.after = Some(last.id);
        for mut event in page {
            // As it will be when it is sent.
            event.stream_sequence = event.stream_sequence.or(Some(1));
            let event = CloudEvent::new(event, &programme).map_err(|error| error.to_string())?;
            let text = serde_json::to_vec(&event).map_err(|error| error.to_string())?;
            let event = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
            if let Some(fault) = fault(&event) {
                return Err(fault);
            }
            if text.len() > EVENT_MESSAGE_BYTES_MAX {
                return Err(format!("{} B are too many for a message", text.len()));
            }
        }
    }
}
