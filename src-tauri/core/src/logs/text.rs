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
        let raised = if name == "exception" { raised(value) } else { None };
        text.push_str(&format!(" {name}={}", raised.unwrap_or_else(|| shown(value))));
    }
    if let Some((_, behind)) = raw.split_once('\n') {
        text.push('\n');
        text.push_str(&without_colours(behind));
    }
    text
}

/// What structlog's `dict_tracebacks` says was raised, the last first, without its frames and their variables.
fn raised(value: &Value) -> Option<String> {
    let told: Vec<String> = value
        .as_array()?
        .iter()
        .map(|one| {
            let part = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
            Some(format!("{}: {}", one.get("exc_type")?.as_str()?, part("exc_value")))
        })
        .collect::<Option<_>>()?;
    (!told.is_empty()).then(|| told.join(", after "))
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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn an_exception_is_told_by_what_was_raised_and_not_by_what_its_frames_held() {
        let raw = br#"{"event":"failed","exception":[{"exc_type":"ValueError","exc_value":"no","frames":[{"locals":{"secret":"s3cret"}}]},{"exc_type":"KeyError","exc_value":"'a'"}]}"#;
        let entry = LogEntry {
            at: None,
            written_at: None,
            stderr: false,
            raw: raw.to_vec(),
            left_out: 0,
            zone: TimeZone::UTC,
        };
        let (record, _) = entry.record();
        assert_eq!(plain_text(&entry, &record), "failed  exception=ValueError: no, after KeyError: 'a'");
    }
}
