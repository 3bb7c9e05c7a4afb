//! structlog's console form: `time [level  ] event padded   [logger] key=value key='a value'`, in colours.

use jiff::{Timestamp, civil::DateTime};
use serde_json::{Map, Value};

/// The longest line that is looked at, in bytes: a longer one is no line for a person's eyes.
const LONGEST: usize = 16 * 1_024;
/// How many places are tried for the end of the event.
const PLACES: usize = 200;

const LEVELS: &[&str] = &["debug", "info", "warn", "warning", "error", "exception", "critical"];

/// With its zone, or without: structlog's own default writes the second.
fn is_time(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok()
        || (text.starts_with(|c: char| c.is_ascii_digit())
            && text.replacen(['.'], ":", 1).parse::<DateTime>().is_ok())
        || text.parse::<DateTime>().is_ok()
}

/// Its fields; `None`: it has another form.
pub(super) fn fields(line: &str) -> Option<Map<String, Value>> {
    if line.len() > LONGEST {
        return None;
    }
    let plain = without_colours(line);
    let plain = plain.trim_end();
    // Where no time is written, the level's name must be one.
    let (time, rest) = match plain.strip_prefix('[') {
        Some(rest) => ("", rest),
        None => plain.split_once(" [")?,
    };
    let (level, rest) = rest.split_once("] ")?;
    let level = level.trim_end();
    let is_level = match time {
        "" => LEVELS.contains(&level),
        time => is_time(time) && !level.is_empty() && level.bytes().all(|b| b.is_ascii_alphabetic()),
    };
    if !is_level {
        return None;
    }
    let mut fields = Map::new();
    let (event, logger, pairs) = parted(rest)?;
    for (key, value) in pairs {
        fields.insert(key, value);
    }
    for (key, value) in [("timestamp", time), ("level", level), ("event", event), ("logger", logger)] {
        if !value.is_empty() {
            fields.insert(key.into(), value.into());
        }
    }
    Some(fields)
}

type Pairs = Vec<(String, Value)>;

/// Event, logger and pairs. The pairs begin where everything behind can be read as pairs.
fn parted(text: &str) -> Option<(&str, &str, Pairs)> {
    let starts = text.match_indices(' ').map(|(at, _)| at + 1);
    // The line's end is always tried: a line of an event alone.
    for at in starts.take(PLACES).chain([text.len()]) {
        let behind = text.get(at..)?;
        let before = text.get(..at)?.trim_end();
        if let Some((logger, rest)) = behind.strip_prefix('[').and_then(|b| b.split_once(']'))
            && is_name(logger)
            && let Some(read) = pairs(rest.trim_start())
        {
            return Some((before, logger, read));
        }
        if let Some(read) = pairs(behind) {
            return Some((before, "", read));
        }
    }
    None
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// All of a text as pairs; an empty text has none.
fn pairs(text: &str) -> Option<Pairs> {
    let mut read = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, behind) = rest.split_once('=')?;
        if !is_name(key) {
            return None;
        }
        let (value, behind) = value(behind)?;
        read.push((key.to_owned(), value));
        rest = behind.trim_start();
    }
    Some(read)
}

/// A value as Python's `repr` writes it, and what stands behind it.
fn value(text: &str) -> Option<(Value, &str)> {
    let first = text.chars().next();
    if let Some(quote @ ('\'' | '"')) = first {
        let (inside, behind) = quoted(text.get(1..)?, quote)?;
        return ends_there(behind).then(|| (Value::from(inside), behind));
    }
    if matches!(first, Some('[' | '{' | '(')) {
        let end = balanced(text)?;
        let (inside, behind) = text.split_at_checked(end)?;
        return ends_there(behind).then(|| (Value::from(inside), behind));
    }
    let (word, behind) = text.split_at_checked(text.find(' ').unwrap_or(text.len()))?;
    let value = match word {
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        "None" => Value::Null,
        word => match (word.parse::<i64>(), word.parse::<f64>()) {
            (Ok(number), _) => Value::from(number),
            (_, Ok(number)) if number.is_finite() => Value::from(number),
            _ => Value::from(word),
        },
    };
    Some((value, behind))
}

fn ends_there(behind: &str) -> bool {
    behind.is_empty() || behind.starts_with(' ')
}

fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some((out, text.get(at + c.len_utf8()..)?));
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next()?.1 {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            escaped => out.push(escaped),
        }
    }
    None
}

/// The byte behind the bracket that closes the first one.
fn balanced(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_u32, None);
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '{' | '(') => depth += 1,
            (None, ']' | '}' | ')') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + c.len_utf8());
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// Without the escape sequences that colour it.
pub(crate) fn without_colours(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        let end = behind.find(|c: char| !(c.is_ascii_digit() || c == ';'));
        match end.filter(|&end| behind.get(end..).is_some_and(|b| b.starts_with('m'))) {
            Some(end) => rest = behind.get(end + 1..).unwrap_or_default(),
            None => {
                out.push_str("\u{1b}[");
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_read_as_python_writes_them() {
        let line = "2026-11-26T00:00:01Z [info     ] elevenlabs.synthesize          [voice] duration_ms=240 ok=True list=['a b', 'c'] text='it\\'s = here' none=None id=ws_CO_1 pi=3.5";
        let read = fields(line).unwrap();
        assert_eq!(
            json!(read),
            json!({ "timestamp": "2026-11-26T00:00:01Z", "level": "info", "event": "elevenlabs.synthesize", "logger": "voice",
                "duration_ms": 240, "ok": true, "list": "['a b', 'c']", "text": "it's = here", "none": null, "id": "ws_CO_1", "pi": 3.5 })
        );
        let bare = fields("2026-11-26T00:00:01Z [warning  ] intent_router no_route intent=book_x").unwrap();
        assert_eq!((&bare["event"], &bare["intent"]), (&json!("intent_router no_route"), &json!("book_x")));
        for naive in [
            "2026-11-26 00:00:01 [info     ] e a=1",
            "2026-11-26 00:00.01 [info     ] e a=1",
            "[info     ] e a=1",
        ] {
            assert_eq!(fields(naive).unwrap()["a"], json!(1), "{naive}");
        }
        for other in ["[7] e a=1", "[note] e a=1", "yesterday [info] e a=1", "2026-11-26 [info] e"] {
            assert_eq!(fields(other).is_some(), other.starts_with("2026"), "{other}");
        }
        let without = fields("2026-11-26T00:00:01Z [info     ] worker started").unwrap();
        assert_eq!(without["event"], json!("worker started"));
    }
}
