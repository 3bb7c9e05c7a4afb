//! Log lines, as `ratibactl logs --json` prints them and the window shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    logs::{Histogram, LogEntry, SignalCount, plain_text, without_colours},
    model::masked,
};

/// Of a longer text the beginning is shown, in bytes.
pub const LONGEST_TEXT: usize = 16 << 10;

/// A line, with the lines of a traceback that explain it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct LogLineView {
    /// When, by its own words or the engine's; of a line that tells none, that of the line before it.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub ts: Option<Timestamp>,
    /// The compose service, or the file's path.
    pub service: String,
    /// `debug`, `info`, `warning`, `error`, `critical`, or another word of its own; empty: it says none.
    pub level: String,
    /// What happened, by its own field; the first line where it has none.
    pub event: String,
    /// The thread it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The tenant it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Event and fields for a person: without colours, people's numbers masked, cut where it is long.
    pub text: String,
    /// As it was written; bytes that are no UTF-8 replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Whether it came on standard error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stderr: bool,
    /// How many bytes of `raw` are not there: the line is longer than what is read of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
}

/// Which lines the window asks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct LogRequest {
    /// Only these services and files; empty: all there are.
    pub services: Vec<String>,
    /// Lines whose own field `thread_id` is this.
    pub thread: Option<String>,
    /// Lines whose own field `tenant` is this.
    pub tenant: Option<String>,
    /// This level and worse.
    pub level: Option<String>,
    /// Lines in which this regular expression finds something.
    pub grep: Option<String>,
    /// Lines from then on.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub since: Option<Timestamp>,
    /// Lines before then.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub until: Option<Timestamp>,
    /// How many lines at most: the last ones. 0: 2,000.
    pub last: u32,
    /// Go on with what is written: it comes by the channel, until another question is asked or this one is closed.
    pub follow: bool,
}

/// Lines that were asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct LogsView {
    /// Names the question: lines that come later by the channel have it too.
    pub session: String,
    /// The last ones, oldest first.
    pub lines: Vec<LogLineView>,
    /// How many earlier ones there are, that are not in `lines`.
    #[cfg_attr(test, ts(type = "number"))]
    pub earlier: u64,
    /// How many lines there are in each span of time, of all that were asked for.
    pub histogram: Histogram,
    /// What is not among them, each one sentence.
    pub notes: Vec<String>,
    /// Services and files that can be asked for.
    pub services: Vec<String>,
}

/// Lines that were written since, of the question that is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct LogNewsView {
    /// Which question.
    pub session: String,
    /// The lines.
    pub lines: Vec<LogLineView>,
    /// What is to be known about them, each one sentence.
    pub notes: Vec<String>,
    /// Nothing more comes of this question.
    pub is_over: bool,
}

/// `ratibactl logs --signals --json`: the runbook's signs in the lines that were asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct SignalsView {
    /// Every sign, with what was counted.
    pub signals: Vec<SignalCount>,
    /// How many lines were read for it.
    pub lines: u64,
    /// What is not among them, each one sentence.
    pub notes: Vec<String>,
}

impl LogLineView {
    /// An entry of a service's log, or a file's. `hide` gives a text without secrets: before it is masked or cut, for
    /// nobody finds a part of one.
    pub fn new(
        service: &str,
        entry: &LogEntry,
        with_raw: bool,
        hide: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let (record, _) = entry.record();
        let text = plain_text(entry, &record);
        let named = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            ts: entry.at,
            service: service.to_owned(),
            level: record.level.clone(),
            thread_id: named(&record.thread_id),
            tenant: named(&record.tenant),
            event: shown(&without_colours(record.event.trim_end()), entry, hide),
            text: shown(&text, entry, hide),
            raw: with_raw.then(|| String::from_utf8_lossy(&entry.raw).into_owned()),
            stderr: entry.stderr,
            left_out: (entry.left_out > 0).then_some(entry.left_out),
        }
    }
}

/// Without secrets, masked, and cut with its length.
fn shown(text: &str, entry: &LogEntry, hide: &dyn Fn(&str) -> Option<String>) -> String {
    let hidden = hide(text);
    let text = hidden.as_deref().unwrap_or(text);
    if text.len() <= LONGEST_TEXT && entry.left_out == 0 {
        return masked(text);
    }
    let all = entry.raw.len() as u64 + entry.left_out;
    // A number at the cut must not lose the half by which it is known as one.
    let end = (0..=LONGEST_TEXT * 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let mut said = masked(text.get(..end).unwrap_or(text));
    let end = (0..=LONGEST_TEXT).rev().find(|at| said.is_char_boundary(*at)).unwrap_or(0);
    said.truncate(end);
    said.push_str(&format!(" [cut: the line has {all} bytes]"));
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use serde_json::json;

    fn view(raw: &[u8]) -> LogLineView {
        let entry = LogEntry {
            at: None,
            written_at: None,
            stderr: false,
            raw: raw.into(),
            left_out: 0,
            zone: TimeZone::UTC,
        };
        LogLineView::new("backend", &entry, true, &|text| {
            text.contains("s3cret").then(|| text.replace("s3cret", "‹KEY›"))
        })
    }

    #[test]
    fn a_line_is_shown_by_its_event_and_fields_and_kept_as_it_was() {
        let line = view(br#"{"event": "message received", "n": 1, "from": "254712345678", "thread_id": "01K", "level": "info", "text": "it's \u001b[1m"}"#);
        assert_eq!(
            (line.event.as_str(), line.level.as_str(), line.thread_id.as_deref()),
            ("message received", "info", Some("01K"))
        );
        assert_eq!(line.text, "message received  from=•••678 n=1 text=\"it's \\u001b[1m\"");
        assert!(line.raw.unwrap().contains("254712345678"));
        let plain = view(b"\x1b[32mINFO\x1b[0m:     up\nTraceback");
        assert_eq!((plain.text.as_str(), plain.level.as_str()), ("INFO:     up\nTraceback", "info"));
        assert_eq!(view(b"a\xffb").raw.unwrap(), "a\u{fffd}b");
    }

    #[test]
    fn a_very_long_line_is_cut_with_its_length_and_kept_whole_beside() {
        let mut long = b"x 254712345678 ".repeat(80_000);
        long.truncate(1 << 20);
        let line = view(&long);
        assert!(
            line.text.len() < LONGEST_TEXT + 100 && line.text.ends_with("[cut: the line has 1048576 bytes]")
        );
        assert!(!line.text.contains("2547"), "masked before it is cut");
        assert_eq!(line.raw.unwrap().len(), 1 << 20);
        assert_eq!(json!(view(b"short")).get("left_out"), None);
        for before in LONGEST_TEXT - 10..LONGEST_TEXT + 2 {
            let line =
                view(format!("{}s3cret 254712345678 {}", "x".repeat(before), "y".repeat(40_000)).as_bytes());
            assert!(
                !line.text.contains("s3c") && !line.text.contains("2547"),
                "{}",
                &line.text[before - 5..]
            );
        }
    }
}
