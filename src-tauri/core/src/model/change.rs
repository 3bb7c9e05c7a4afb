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

    /// All of them in one sentence.
    pub fn sentence(changes: &[Self]) -> String {
        changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, field, planned, now } = self;
        write!(f, "{field} of {what} was {}, now it is {}", word(planned), word(now))
    }
}

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
