//! One line of a log as a record: structlog's JSON, its console form, or text.

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{console, json, plain};

/// A line as fields. What a line does not say is empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogRecord {
    /// The line's own time where it has a form; else the one the engine wrote down, else what the text begins with.
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
    read_bytes(line.as_bytes(), written_at, &TimeZone::UTC)
}

/// The same of bytes, which may be no UTF-8; `zone` is that of times that say none.
pub fn read_bytes(line: &[u8], written_at: Option<Timestamp>, zone: &TimeZone) -> (LogRecord, LineForm) {
    if let Some(fields) = json::fields(line) {
        return (of_fields(fields, written_at, zone), LineForm::Json);
    }
    let text = String::from_utf8_lossy(line);
    if let Some(fields) = console::fields(&text) {
        return (of_fields(fields, written_at, zone), LineForm::Console);
    }
    (of_text(&text, written_at, zone), LineForm::Text)
}

/// When a line is of and how bad it is, as [`read_bytes`] tells it: in JSON without reading the rest.
pub(super) fn time_and_level(
    line: &[u8],
    written_at: Option<Timestamp>,
    zone: &TimeZone,
) -> (Option<Timestamp>, String) {
    let [t1, t2, t3, t4] = TIMES;
    let [l1, l2, l3] = LEVELS;
    let Some([t1, t2, t3, t4, l1, l2, l3]) = json::picked(line, [t1, t2, t3, t4, l1, l2, l3]) else {
        let (record, _) = read_bytes(line, written_at, zone);
        return (record.at, record.level);
    };
    let at = [t1, t2, t3, t4].into_iter().flatten().next().and_then(|told| time_told(&told, zone));
    let level = [l1, l2, l3].into_iter().flatten().find_map(|level| level.as_str().map(level_of));
    (at.or(written_at), level.unwrap_or_default())
}

fn of_text(line: &str, written_at: Option<Timestamp>, zone: &TimeZone) -> LogRecord {
    let told = plain::read(&console::without_colours(line), zone);
    LogRecord {
        at: written_at.or(told.at),
        level: told.level.to_owned(),
        event: line.to_owned(),
        logger: String::new(),
        tenant: String::new(),
        thread_id: String::new(),
        fields: Map::new(),
        is_structured: false,
    }
}

/// Names under which others than structlog write the same.
const TIMES: [&str; 4] = ["timestamp", "ts", "time", "@timestamp"];
const LEVELS: [&str; 3] = ["level", "levelname", "severity"];
const EVENTS: &[&str] = &["event", "msg", "message"];
const TENANTS: &[&str] = &["tenant", "tenant_slug"];

fn of_fields(mut fields: Map<String, Value>, written_at: Option<Timestamp>, zone: &TimeZone) -> LogRecord {
    let at = time(&mut fields, zone).or(written_at);
    let level = level_of(&taken(&mut fields, &LEVELS));
    let (event, logger) = (taken(&mut fields, EVENTS), taken(&mut fields, &["logger"]));
    let (tenant, thread_id) = (taken(&mut fields, TENANTS), taken(&mut fields, &["thread_id"]));
    LogRecord { at, level, event, logger, tenant, thread_id, fields, is_structured: true }
}

fn time(fields: &mut Map<String, Value>, zone: &TimeZone) -> Option<Timestamp> {
    let name = TIMES.iter().find(|name| fields.contains_key(**name))?;
    let at = time_told(fields.get(*name)?, zone)?;
    fields.remove(*name);
    Some(at)
}

fn time_told(value: &Value, zone: &TimeZone) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok().or_else(|| plain::read(text, zone).at),
        // Seconds since 1970, as structlog writes them where no form was chosen, and LiveKit in JSON.
        Value::Number(seconds) => seconds.as_f64().and_then(of_seconds),
        _ => None,
    }
}

fn of_seconds(seconds: f64) -> Option<Timestamp> {
    let span = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    // To the microsecond: a double holds no more of today's times.
    let micros = i64::try_from(span.as_micros()).ok()?;
    Timestamp::from_microsecond(micros).ok()
}

/// A level by structlog's name for it; an unknown one is kept as it is.
fn level_of(said: &str) -> String {
    let said = said.to_lowercase();
    let known = match said.as_str() {
        "warn" => "warning",
        "err" | "exception" => "error",
        "fatal" | "panic" => "critical",
        _ => return said,
    };
    known.to_owned()
}

/// How bad a level is: debug 1 to critical 5; 0 where it is not known.
pub fn severity(level: &str) -> u8 {
    match level {
        "debug" | "trace" | "notset" => 1,
        "info" | "notice" => 2,
        "warning" => 3,
        "error" => 4,
        "critical" => 5,
        _ => 0,
    }
}

/// The text of the first of these fields that has one, taken out; a field that is no text stays where it is.
fn taken(fields: &mut Map<String, Value>, names: &[&str]) -> String {
    for name in names {
        if let Some(Value::String(text)) = fields.get(*name) {
            let text = text.clone();
            fields.remove(*name);
            return text;
        }
    }
    String::new()
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
    fn time_and_level_alone_are_those_of_the_whole_record() {
        let written_at = "2026-11-26T00:00:09Z".parse().ok();
        for line in [
            r#"{"event": "e", "level": "WARN", "timestamp": "2026-11-26T00:00:01.5Z"}"#,
            r#"{"ts": 1795651201.25, "severity": "fatal", "time": "2026-11-26T00:00:02Z"}"#,
            r#"{"timestamp": "no time", "ts": 1795651201.25, "level": 3, "levelname": "err"}"#,
            r#"{"timestamp": "2026-11-26 10:00:00,5", "level": "info", "level": "error"}"#,
            r#"{"\u0074imestamp": "2026-11-26T00:00:01Z", "le\u0076el": "debug"}"#,
            r#"{"timestamp": null, "level": null}"#,
            "{}",
            "2026-11-26T00:00:01Z [error    ] failed  thread_id=T1",
            "2026-11-26 10:00:00,000 ERROR plain",
            "{\"event\": \"cut",
            "",
        ] {
            for written_at in [None, written_at] {
                let (record, _) = read_bytes(line.as_bytes(), written_at, &TimeZone::UTC);
                let alone = time_and_level(line.as_bytes(), written_at, &TimeZone::UTC);
                assert_eq!(alone, (record.at, record.level), "{line}");
            }
        }
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
    fn lines_that_are_no_record_are_text() {
        let deep = "[".repeat(100_000);
        for line in
            [deep.as_str(), "{\"event\": \"cut", "[1, 2]", "\u{0}\u{1b}[", "2026-11-26T00:00:01Z [info"]
        {
            let read = record(line, None);
            assert_eq!((read.is_structured, read.event.as_str()), (false, line));
        }
    }

    #[test]
    fn a_record_is_read_whatever_stands_in_its_other_fields() {
        let deep =
            format!(r#"{{"event":"e","d":{}1{},"thread_id":"T"}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let read = record(&deep, None);
        assert_eq!((read.event.as_str(), read.thread_id.as_str()), ("e", "T"));
        assert!(read.fields["d"].is_string(), "as it was written");
        let (bytes, form) = read_bytes(b"{\"event\":\"a\xffb\",\"thread_id\":\"T\"}", None, &TimeZone::UTC);
        assert_eq!((bytes.event.as_str(), form), ("a\u{fffd}b", LineForm::Json));
        let twice = record(r#"{"event":"e","thread_id":"A","thread_id":"B"}"#, None);
        assert_eq!(twice.thread_id, "B", "the last one counts, as where Python or jq read it");
        let named = record(r#"{"event":"e","\u0074hread_id":"0\u0031K","thread":{"thread_id":"X"}}"#, None);
        assert_eq!(named.thread_id, "01K");
    }

    #[test]
    fn other_programs_records_tell_the_same_things_under_their_names() {
        let livekit = record(
            r#"{"level":"warn","ts":1764151201.5,"logger":"livekit","msg":"no STUN candidate"}"#,
            None,
        );
        assert_eq!((livekit.level.as_str(), livekit.event.as_str()), ("warning", "no STUN candidate"));
        assert_eq!(livekit.at.unwrap().to_string(), "2025-11-26T10:00:01.5Z");
        let naive = record(r#"{"event":"e","timestamp":"2026-11-26 10:00:01"}"#, None);
        assert_eq!(naive.at.unwrap().to_string(), "2026-11-26T10:00:01Z");
        let odd = record(r#"{"event":"e","timestamp":"yesterday","level":7}"#, None);
        assert_eq!((odd.at, odd.level.as_str()), (None, ""));
        assert_eq!(odd.fields["timestamp"], json!("yesterday"), "what can't be read is not lost");
    }
}
