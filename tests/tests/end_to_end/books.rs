//! What cashiers were told, and whether the events agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use serde_json::Value;

/// What all cashiers were told.
#[derive(Debug, Default)]
pub(crate) struct Books(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// Purchases that were said to be done.
    sold: BTreeSet<String>,
    /// How often each verdict was given, by what was asked.
    verdicts: BTreeMap<String, usize>,
    /// Sales that were said to count, and were answered later.
    later: usize,
    killed: usize,
}

impl Books {
    /// A line that a till showed.
    pub(crate) fn hear(&self, line: &Value) {
        let Some(verdict) = line["verdict"].as_str() else {
            return;
        };
        let mut told = self.0.lock().unwrap();
        let asked = line["command"].as_str().unwrap_or("later");
        let key = format!("{asked} {verdict}");
        *told.verdicts.entry(key).or_default() += 1;
        if let Some(id) = line.pointer("/answer/purchase/id").and_then(Value::as_str) {
            told.later += usize::from(asked == "later");
            told.sold.insert(id.to_owned());
        }
    }

    /// A till was killed under its cashier's fingers.
    pub(crate) fn till_killed(&self) {
        self.0.lock().unwrap().killed += 1;
    }

    /// Every purchase that was said to be done has exactly one event.
    pub(crate) fn check(&self, events: &[Value]) {
        let told = self.0.lock().unwrap();
        let mut completed = BTreeMap::<&str, usize>::new();
        for event in events {
            if event["type"] == "purchase.completed" {
                let id = event["data"]["purchase_id"].as_str().unwrap();
                *completed.entry(id).or_default() += 1;
            }
        }
        assert!(!told.sold.is_empty(), "nothing was sold");
        for id in &told.sold {
            assert_eq!(completed.get(id.as_str()), Some(&1), "purchase {id}");
        }
        assert!(completed.values().all(|count| *count == 1));
    }

    /// What the run was made of.
    pub(crate) fn summary(&self) -> String {
        let told = self.0.lock().unwrap();
        format!(
            "{} sales told to cashiers, {} of them later; tills killed in a basket: {}; verdicts {:?}",
            told.sold.len(),
            told.later,
            told.killed,
            told.verdicts
        )
    }
}
