//! What the journal left out, because it held a secret, must never be used or compared as if the
//! secret's name were the value.

use serde::Serialize;
use serde_json::{Value, json};

use crate::journal::RunRecord;

/// Which secret of those that the journal left out of these runs `value` would need.
pub(super) fn needed<'r>(
    value: &impl Serialize,
    runs: impl IntoIterator<Item = &'r RunRecord>,
) -> Option<&'r str> {
    let names: Vec<&str> =
        runs.into_iter().flat_map(|run| &run.steps).flat_map(|s| &s.left_out).map(String::as_str).collect();
    if names.is_empty() {
        return None;
    }
    let value = json!(value);
    names.into_iter().find(|name| has(&value, &format!("‹{name}›")))
}

/// Why it can't be gone on with.
pub(super) fn sentence(name: &str) -> String {
    format!("it needs a value that held {name}, and the journal keeps no secret: do it by hand")
}

fn has(value: &Value, part: &str) -> bool {
    match value {
        Value::String(text) => text.contains(part),
        Value::Array(items) => items.iter().any(|item| has(item, part)),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains(part) || has(value, part)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
