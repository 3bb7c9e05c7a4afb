//! structlog's JSON: one object a line.

use serde_json::{Map, Value};

/// Its fields; `None`: it is no object. Of a key that stands there twice the last one counts.
pub(super) fn fields(line: &str) -> Option<Map<String, Value>> {
    let text = line.trim();
    if !text.starts_with('{') {
        return None;
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}
