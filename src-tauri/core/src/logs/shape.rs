//! What lines have in common: the same message with other numbers, ids and names is one shape.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jiff::Timestamp;
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{LogRecord, severity, without_colours};

/// Of a longer text the beginning makes the shape, in bytes.
const LONGEST: usize = 300;

/// What differs from line to line: times, ids, addresses, numbers, quoted texts.
static DIFFERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        \d{4}-\d\d-\d\d[T\ ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:\ ?(?:Z|UTC|EAT|[+-]\d\d:?\d\d))?
        | \d\d\ [A-Z][a-z]{2}\ \d{4}\ \d\d:\d\d:\d\d\.\d+
        | [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}
        | \b[0-7][0-9A-HJKMNP-TV-Z]{25}\b
        | \bws_CO_\w+ | \bwamid\.[\w+/=-]+
        | \b0x[0-9a-fA-F]+ | \b[0-9a-f]{12,}\b
        | '[^']{0,200}' | "[^"]{0,200}"
        | \b\d[\d.,:]*
        "#,
    )
    .ok()
});

/// The shape of a text: what differs is `…`.
pub fn shape_of(text: &str) -> String {
    let end = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let text = text.get(..end).unwrap_or(text);
    match DIFFERS.as_ref() {
        Some(differs) => differs.replace_all(text, "…").split_whitespace().collect::<Vec<_>>().join(" "),
        None => text.to_owned(),
    }
}

/// Lines of one shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct LogPattern {
    /// The service.
    pub service: String,
    /// Their level.
    pub level: String,
    /// What they have in common.
    pub shape: String,
    /// How many.
    pub count: u64,
    /// First and last time.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub first: Option<Timestamp>,
    /// The last time.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub last: Option<Timestamp>,
    /// The first one, as a person reads it.
    pub line: String,
    /// Whether none of this shape was seen before the time that was asked about.
    pub is_new: bool,
}

/// Groups what is bad by its shape, beside what was bad before.
#[derive(Debug, Default)]
pub struct PatternCounter {
    since: Option<Timestamp>,
    before: BTreeSet<(String, String)>,
    found: BTreeMap<(String, String), LogPattern>,
    /// How many shapes there were no room for.
    pub left_out: u64,
}

/// Shapes at most.
const SHAPES: usize = 500;

impl PatternCounter {
    /// Lines before `since` tell what is nothing new.
    pub fn new(since: Option<Timestamp>) -> Self {
        Self { since, ..Self::default() }
    }

    /// Takes the next line of a service: what is a warning or worse counts. `text` is made of it when it is the first
    /// of its shape.
    pub fn take(
        &mut self,
        service: &str,
        record: &LogRecord,
        at: Option<Timestamp>,
        text: impl FnOnce() -> String,
    ) {
        if severity(&record.level) < 3 {
            return;
        }
        let key = (service.to_owned(), shape_of(&without_colours(record.event.trim_end())));
        if self.since.zip(at).is_some_and(|(since, at)| at < since) {
            if self.before.len() < SHAPES * 10 {
                self.before.insert(key);
            }
            return;
        }
        if self.found.len() >= SHAPES && !self.found.contains_key(&key) {
            self.left_out += 1;
            return;
        }
        let is_new = !self.before.contains(&key);
        let pattern = self.found.entry(key).or_insert_with_key(|(service, shape)| LogPattern {
            service: service.clone(),
            level: record.level.clone(),
            shape: shape.clone(),
            count: 0,
            first: at,
            last: at,
            line: text(),
            is_new,
        });
        pattern.count += 1;
        pattern.last = pattern.last.max(at);
        if severity(&record.level) > severity(&pattern.level) {
            pattern.level.clone_from(&record.level);
        }
    }

    /// What was found: new shapes first, the worst of them first, then those that began first.
    pub fn patterns(self) -> Vec<LogPattern> {
        let mut all: Vec<LogPattern> = self.found.into_values().collect();
        all.sort_by(|a, b| {
            let worst = |p: &LogPattern| (!p.is_new, u8::MAX - severity(&p.level));
            worst(a).cmp(&worst(b)).then(a.first.cmp(&b.first)).then(b.count.cmp(&a.count))
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::record;

    #[test]
    fn one_message_with_other_numbers_is_one_shape() {
        for (a, b) in [
            ("daraja.callback failed after 12 ms", "daraja.callback failed after 1,204 ms"),
            ("no route for 'book_x'", "no route for 'wash a car'"),
            (
                "2026-11-26 10:00:01.250 UTC [44] ratiba@ratiba ERROR:  relation \"x\" does not exist",
                "2026-11-27 11:00:01.250 UTC [7] ratiba@ratiba ERROR:  relation \"y\" does not exist",
            ),
            ("thread 01KD0000000000000000000001 stuck", "thread 01KD0000000000000000000002 stuck"),
            ("payment 07000000-0000-4000-8000-000000000005", "payment 07000000-0000-4000-8000-00000000000a"),
            ("at 0x7f10 in 172.18.0.3:5432", "at 0x7f11 in 172.18.0.4:5432"),
        ] {
            assert_eq!(shape_of(a), shape_of(b));
        }
        assert_ne!(shape_of("callback failed"), shape_of("callback lost"));
    }

    #[test]
    fn what_is_new_since_then_stands_before_what_was_always_there() {
        let mut counter = PatternCounter::new("2026-11-26T10:00:00Z".parse().ok());
        for line in [
            r#"{"level":"error","event":"old trouble 1","timestamp":"2026-11-26T09:00:00Z"}"#,
            r#"{"level":"error","event":"old trouble 2","timestamp":"2026-11-26T10:01:00Z"}"#,
            r#"{"level":"warning","event":"new warning 1","timestamp":"2026-11-26T10:02:00Z"}"#,
            r#"{"level":"error","event":"new error 7","timestamp":"2026-11-26T10:03:00Z"}"#,
            r#"{"level":"error","event":"new error 8","timestamp":"2026-11-26T10:04:00Z"}"#,
            r#"{"level":"info","event":"fine","timestamp":"2026-11-26T10:05:00Z"}"#,
        ] {
            let read = record(line, None);
            counter.take("backend", &read, read.at, || read.event.clone());
        }
        let found = counter.patterns();
        let told: Vec<_> = found.iter().map(|p| (p.shape.as_str(), p.count, p.is_new)).collect();
        assert_eq!(told, [("new error …", 2, true), ("new warning …", 1, true), ("old trouble …", 1, false)]);
        assert_eq!(found[0].line, "new error 7");
        assert_eq!(found[0].last.unwrap().to_string(), "2026-11-26T10:04:00Z");
    }
}
