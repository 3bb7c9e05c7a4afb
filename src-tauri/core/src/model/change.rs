//! What is not as it was when a plan was made.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One field that is not as it was planned with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Change {
    /// Whose field, such as `redis` or `amani_salon's working hours`.
    pub what: String,
    /// Which field, such as `state`.
    pub field: String,
    /// Its value in the plan; null: it was not there.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub planned: Value,
    /// Its value now; null: it is not there.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub now: Value,
}

impl Change {
    /// A change of one field.
    pub fn new(
        what: impl Into<String>,
        field: impl Into<String>,
        planned: impl Into<Value>,
        now: impl Into<Value>,
    ) -> Self {
        Self { what: what.into(), field: field.into(), planned: planned.into(), now: now.into() }
    }

    /// Keeps the beginnings of both values, where these are fingerprints.
    pub fn shorten(&mut self) {
        for value in [&mut self.planned, &mut self.now] {
            if let Value::String(text) = value {
                *text = text.chars().take(FINGERPRINT).collect();
            }
        }
    }

    /// All of them in one sentence.
    pub fn sentence(changes: &[Self]) -> String {
        changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, field, planned, now } = self;
        let (was, is) = (word(planned), word(now));
        // They differ: what both are called must not say that they don't.
        let is = if was == is { is.replacen("something", "something else", 1) } else { is };
        let is = if was == is { format!("{is} with other values") } else { is };
        write!(f, "{field} of {what} was {was}, now it is {is}")
    }
}

/// So much of a fingerprint tells two of them apart.
const FINGERPRINT: usize = 12;

/// The longest value that stands in a sentence; the whole is in the fields.
const LONGEST: usize = 60;

fn word(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => super::counted(items.len(), "row"),
        other => other.to_string(),
    };
    // Cut, a secret in it could no longer be found and hidden.
    match text.chars().count() {
        0..=LONGEST => text,
        longer => format!("something of {longer} characters"),
    }
}
