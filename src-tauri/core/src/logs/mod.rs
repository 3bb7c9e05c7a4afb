//! One line of a log as a record: structlog's JSON, its console form, or text.

mod console;
mod json;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

/// A line as fields. What a line does not say is empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogRecord {
    /// The line's own time; else the one the engine wrote down.
    pub at: Option<Timestamp>,
    /// In lower case: `debug`, `info`, `warning`, `error`, `critical`.
    pub level: String,
    /// What happened, by structlog's `event`; the whole line where it has no form.
    pub event: String,
    /// Who wrote it.
    pub logger: String,
    /// The tenant it is about.
    pub tenant: String,
    /// The thread it is about.
    pub thread_id: String,
    /// All other fields.
    pub fields: Map<String, Value>,
    /// Whether it had a form: a line that only mentions an event has none.
    pub is_structured: bool,
}

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineForm {
    /// An object in JSON.
    Json,
    /// structlog's form for a person's eyes.
    Console,
    /// Anything else.
    Text,
}

/// Reads a line. It never fails: what has no form is text.
pub fn record(line: &str, written_at: Option<Timestamp>) -> LogRecord {
    read(line, written_at).0
}

/// The same, and how the line is written.
pub fn read(line: &str, written_at: Option<Timestamp>) -> (LogRecord, LineForm) {
    let found = json::fields(line).map(|fields| (fields, LineForm::Json));
    match found.or_else(|| console::fields(line).map(|fields| (fields, LineForm::Console))) {
        Some((fields, form)) => (of_fields(Some(fields), line, written_at), form),
        None => (of_fields(None, line, written_at), LineForm::Text),
    }
}

fn of_fields(fields: Option<Map<String, Value>>, line: &str, written_at: Option<Timestamp>) -> LogRecord {
    let Some(mut fields) = fields else {
        return LogRecord {
            at: written_at,
            level: String::new(),
            event: line.to_owned(),
            logger: String::new(),
            tenant: String::new(),
            thread_id: String::new(),
            fields: Map::new(),
            is_structured: false,
        };
    };
    let at = taken(&mut fields, "timestamp").parse().ok().or(written_at);
    let level = match taken(&mut fields, "level").to_lowercase() {
        level if level == "warn" => "warning".to_owned(),
        level => level,
    };
    let (event, logger) = (taken(&mut fields, "event"), taken(&mut fields, "logger"));
    let (tenant, thread_id) = (taken(&mut fields, "tenant"), taken(&mut fields, "thread_id"));
    LogRecord { at, level, event, logger, tenant, thread_id, fields, is_structured: true }
}

/// A field's text, taken out; a field that is no text stays where it is.
fn taken(fields: &mut Map<String, Value>, name: &str) -> String {
    match fields.get(name) {
        Some(Value::String(text)) => {
            let text = text.clone();
            fields.remove(name);
            text
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_and_console_form_of_one_line_are_one_record() {
        let in_json = record(
            r#"{"intent": "book_tattoo", "state": "GREET", "event": "intent_router no_route", "logger": "intent_router", "level": "warning", "timestamp": "2026-11-26T00:00:01.5Z"}"#,
            None,
        );
        let in_colours = "\u{1b}[2m2026-11-26T00:00:01.5Z\u{1b}[0m [\u{1b}[33m\u{1b}[1mwarning  \u{1b}[0m] \u{1b}[1mintent_router no_route        \u{1b}[0m [\u{1b}[0m\u{1b}[1m\u{1b}[34mintent_router\u{1b}[0m]\u{1b}[0m \u{1b}[36mintent\u{1b}[0m=\u{1b}[35mbook_tattoo\u{1b}[0m \u{1b}[36mstate\u{1b}[0m=\u{1b}[35mGREET\u{1b}[0m";
        assert_eq!(record(in_colours, None), in_json);
        assert_eq!((in_json.level.as_str(), in_json.event.as_str()), ("warning", "intent_router no_route"));
        assert_eq!(in_json.fields["intent"], json!("book_tattoo"));
    }

    #[test]
    fn words_inside_a_field_are_no_event() {
        let told =
            record(r#"{"event": "message received", "text": "intent_router no_route intent=x"}"#, None);
        assert_eq!(told.event, "message received");
        let line = "2026-11-26T00:00:01Z [info     ] message received               text='intent_router no_route intent=x'";
        assert_eq!(record(line, None).event, "message received");
        assert_eq!(record(line, None).fields["text"], json!("intent_router no_route intent=x"));
        assert!(!record("intent_router no_route intent=x", None).is_structured);
    }

    #[test]
    fn hostile_lines_are_text() {
        let deep = "[".repeat(100_000);
        for line in
            [deep.as_str(), "{\"event\": \"cut", "[1, 2]", "\u{0}\u{1b}[", "2026-11-26T00:00:01Z [info"]
        {
            let read = record(line, None);
            assert_eq!((read.is_structured, read.event.as_str()), (false, line));
        }
    }
}
