//! Log lines, as `ratibactl logs --json` prints them and the window shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    logs::{LogEntry, SignalCount, plain_text, without_colours},
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
    /// An entry of a service's log, or a file's.
    pub fn new(service: &str, entry: &LogEntry, with_raw: bool) -> Self {
        let (record, _) = entry.record();
        let text = plain_text(entry, &record);
        let named = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            ts: entry.at,
            service: service.to_owned(),
            level: record.level.clone(),
            thread_id: named(&record.thread_id),
            tenant: named(&record.tenant),
            event: shown(&without_colours(record.event.trim_end()), entry),
            text: shown(&text, entry),
            raw: with_raw.then(|| String::from_utf8_lossy(&entry.raw).into_owned()),
            stderr: entry.stderr,
            left_out: (entry.left_out > 0).then_some(entry.left_out),
        }
    }
}

/// Masked, and cut with its length.
fn shown(text: &str, entry: &LogEntry) -> String {
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
        LogLineView::new("backend", &entry, true)
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
    }
}
