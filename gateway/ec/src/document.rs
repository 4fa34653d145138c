//! A place in a JSON document that knows where it is, so that a refusal can say so.
//!
//! Absent and `null` are the same. Fields nobody asks for are never looked at.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use pos_protocol::{OrderId, TEXT_CHARS_MAX, Yen};
use serde_json::Value;

use crate::{NotUnderstood, money::Decimal};

/// A place in a JSON document.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    pointer: String,
}

/// The JSON of a body.
pub(crate) fn json(body: &[u8]) -> Result<Value, NotUnderstood> {
    serde_json::from_slice(body).map_err(|_| NotUnderstood::NotJson)
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self {
            value,
            pointer: String::new(),
        }
    }

    /// The error that this place is not `detail`.
    pub(crate) fn malformed(&self, detail: &'static str) -> NotUnderstood {
        NotUnderstood::Malformed {
            pointer: self.pointer.clone(),
            detail,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self {
            value,
            pointer: format!("{}/{key}", self.pointer),
        })
    }

    pub(crate) fn need(&self, key: &str) -> Result<Self, NotUnderstood> {
        self.get(key)
            .ok_or_else(|| NotUnderstood::Missing(format!("{}/{key}", self.pointer)))
    }

    /// The elements of this array.
    pub(crate) fn elements(&self) -> Result<Vec<Self>, NotUnderstood> {
        let Value::Array(values) = self.value else {
            return Err(self.malformed("this is a list"));
        };
        let numbered = values.iter().enumerate();
        Ok(numbered
            .map(|(at, value)| Self {
                value,
                pointer: format!("{}/{at}", self.pointer),
            })
            .collect())
    }

    /// The elements of the array under `key`; none if there is no such field.
    pub(crate) fn list(&self, key: &str) -> Result<Vec<Self>, NotUnderstood> {
        self.get(key).map_or(Ok(Vec::new()), |node| node.elements())
    }

    /// The word under `key`, as it stands; none if it is no text.
    pub(crate) fn word(&self, key: &str) -> Option<&'a str> {
        self.value.get(key).and_then(Value::as_str)
    }

    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool) == Some(true)
    }

    /// The text or number under `key` as a text fit for a statement; none if nothing is left of it.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let text = match self.value.get(key)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let visible: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let short: String = visible.trim().chars().take(TEXT_CHARS_MAX).collect();
        Some(short.trim_end().to_owned()).filter(|text| !text.is_empty())
    }

    /// This id: a whole JSON number or a printable text, at most 64 characters.
    pub(crate) fn id(&self) -> Result<OrderId, NotUnderstood> {
        let text = match self.value {
            Value::String(text) => Some(text.clone()),
            // A number that is no u64 has been through a float and is perhaps another id by now.
            Value::Number(number) => number.as_u64().map(|id| id.to_string()),
            _ => None,
        };
        text.and_then(|text| OrderId::new(&text).ok())
            .ok_or_else(|| self.malformed("an id is a whole number or a short printable text"))
    }

    /// This number, from a JSON number or a text.
    pub(crate) fn decimal(&self) -> Result<Decimal, NotUnderstood> {
        let read = match self.value {
            Value::String(text) => Decimal::parse(text),
            // The shortest text that reads as the same number: `1980.0` for 1980.00, nothing lost.
            Value::Number(number) => Decimal::parse(&number.to_string()),
            _ => None,
        };
        read.ok_or_else(|| self.malformed("this is a decimal number of at most 10^12"))
    }

    /// The number under `key`; zero if there is none.
    pub(crate) fn decimal_or_zero(&self, key: &str) -> Result<Decimal, NotUnderstood> {
        self.get(key)
            .map_or(Ok(Decimal::ZERO), |node| node.decimal())
    }

    /// Whole yen, zero or more.
    pub(crate) fn yen(&self) -> Result<Yen, NotUnderstood> {
        self.decimal()?
            .yen()
            .ok_or_else(|| self.malformed("an amount is whole yen, 0 to 10^12"))
    }

    /// A count of pieces.
    pub(crate) fn pieces(&self) -> Result<u32, NotUnderstood> {
        let whole = self.decimal()?.whole();
        whole
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(|| self.malformed("a quantity is a whole number of pieces"))
    }

    /// A time with its offset.
    pub(crate) fn time(&self) -> Result<Timestamp, NotUnderstood> {
        let text = self.value.as_str();
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| self.malformed("this is a time with an offset"))
    }

    /// A time in UTC that need not say so.
    pub(crate) fn utc_time(&self) -> Result<Timestamp, NotUnderstood> {
        let text = self.value.as_str().unwrap_or_default();
        if let Ok(time) = text.parse() {
            return Ok(time);
        }
        let civil = text.parse::<DateTime>().ok();
        civil
            .and_then(|civil| TimeZone::UTC.to_timestamp(civil).ok())
            .ok_or_else(|| self.malformed("this is a time"))
    }

    /// Refuses a currency other than yen.
    pub(crate) fn in_yen(&self) -> Result<(), NotUnderstood> {
        if self.value.as_str() == Some("JPY") {
            Ok(())
        } else {
            Err(NotUnderstood::Currency(self.pointer.clone()))
        }
    }

    pub(crate) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.value.get(key).is_some())
    }

    pub(crate) fn is_list(&self) -> bool {
        self.value.is_array()
    }
}
