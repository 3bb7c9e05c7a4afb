//! An entry as a person reads it.

use serde_json::Value;

use super::{LogEntry, LogRecord, console::without_colours};

/// Event and fields of a record; any other line as it is; without colours. Lines that belong to it stay behind it.
pub fn plain_text(entry: &LogEntry, record: &LogRecord) -> String {
    let raw = String::from_utf8_lossy(&entry.raw);
    if !record.is_structured {
        return without_colours(&raw);
    }
    let mut text = record.event.trim_end().to_owned();
    if !record.fields.is_empty() {
        text.push(' ');
    }
    for (name, value) in &record.fields {
        text.push_str(&format!(" {name}={}", shown(value)));
    }
    if let Some((_, behind)) = raw.split_once('\n') {
        text.push('\n');
        text.push_str(&without_colours(behind));
    }
    text
}

/// A text without quotes where it is one word.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text)
            if !text.is_empty()
                && !text.contains([' ', '"', '=', '\n', '\t'])
                && !text.contains(char::is_control) =>
        {
            text.clone()
        }
        other => other.to_string(),
    }
}
