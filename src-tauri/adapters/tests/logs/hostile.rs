//! Lines that were written to do harm, or by accident: each is read for what it is, and hides no other.

use std::fs;

use ratiba_adapters::logs::StackLogs;
use ratiba_core::{
    logs::{LineForm, LogQuery},
    ports::{LogPart, LogPlace},
    wire::LogLineView,
};

use crate::read;

const THREAD: &str = "01K5ZQ0000000000000000WANT";

/// What each line is: whether it is of the thread, its form, and a part of its text.
struct Told {
    raw: Vec<u8>,
    of_thread: bool,
    form: LineForm,
    says: &'static str,
}

fn told(raw: impl Into<Vec<u8>>, of_thread: bool, form: LineForm, says: &'static str) -> Told {
    Told { raw: raw.into(), of_thread, form, says }
}

fn table() -> Vec<Told> {
    let t = THREAD;
    let json = |rest: &str| format!("{{\"event\": \"e\", \"thread_id\": \"{t}\", {rest}}}");
    let megabyte = json(&format!("\"pad\": \"{}\"", "x".repeat(1 << 20)));
    let deep = json(&format!("\"d\": {}{}", "[".repeat(100_000), "]".repeat(100_000)));
    let deep_maps = json(&format!("\"d\": {}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)));
    let bad_utf8 =
        [b"{\"event\": \"a\xff\xc3(b\", \"thread_id\": \"".as_slice(), t.as_bytes(), b"\"}"].concat();
    let escaped = format!("{{\"event\": \"esc\", \"thread_id\": \"0\\u0031K{}\"}}", &t[3..]);
    vec![
        told(megabyte, true, LineForm::Json, "[cut: the line has 1048"),
        told(bad_utf8, true, LineForm::Json, "a\u{fffd}"),
        told(json("\"t\": \"\\u001b[31m<script>alert(1)</script>\""), true, LineForm::Json, "<script>"),
        told(format!("\u{1b}[31m\u{1b}]0;title\u{7}{t}"), false, LineForm::Text, "title"),
        told(escaped, true, LineForm::Json, "esc"),
        told(
            format!("{{\"event\": \"about {t}\", \"thread_id\": \"other\", \"k\": \"{t}\"}}"),
            false,
            LineForm::Json,
            "about",
        ),
        told(
            format!("{{\"event\": \"inside\", \"ctx\": {{\"thread_id\": \"{t}\"}}}}"),
            false,
            LineForm::Json,
            "inside",
        ),
        told(deep, true, LineForm::Json, "e "),
        told(deep_maps, true, LineForm::Json, "e "),
        told("[".repeat(100_000), false, LineForm::Text, "[[["),
        told(
            format!("{{\"event\": \"twice\", \"thread_id\": \"x\", \"thread_id\": \"{t}\"}}"),
            true,
            LineForm::Json,
            "twice",
        ),
        told(
            format!("{{\"event\": \"twice\", \"thread_id\": \"{t}\", \"thread_id\": \"x\"}}"),
            false,
            LineForm::Json,
            "twice",
        ),
        told(format!("{{\"event\": \"cut\", \"thread_id\": \"{t}\""), false, LineForm::Text, "cut"),
        told(json("\"n\": NaN, \"i\": -Infinity"), true, LineForm::Json, "NaN"),
        told("{}", false, LineForm::Json, ""),
        told("null", false, LineForm::Text, "null"),
        told("", false, LineForm::Text, ""),
        told("\u{202e}reversed \u{feff}", false, LineForm::Text, "reversed"),
        told(format!("thread_id={t}"), false, LineForm::Text, "thread_id="),
        told(
            format!("2026-11-26T00:00:01Z [info     ] quoted  text='thread_id={t}'"),
            false,
            LineForm::Console,
            "quoted",
        ),
        told(format!("2026-11-26T00:00:01Z [info     ] own  thread_id={t}"), true, LineForm::Console, "own"),
        told(b"\0\0\0".to_vec(), false, LineForm::Text, "\0"),
        told(
            [b"{\"event\": \"nul\0\", \"thread_id\": \"".as_slice(), t.as_bytes()].concat(),
            false,
            LineForm::Text,
            "nul",
        ),
    ]
}

#[tokio::test]
async fn each_hostile_line_is_what_the_table_says_and_hides_no_other() {
    let table = table();
    let lines: Vec<&[u8]> = table.iter().map(|line| line.raw.as_slice()).collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hostile.log");
    // The last one is not ended: whoever wrote it died.
    fs::write(&path, lines.join(&b'\n')).unwrap();
    let place = LogPlace::File { path: path.display().to_string() };
    let logs = StackLogs::of_files(std::env::temp_dir().join("no-indexes"));

    let (all, _) = read(&logs, &place, LogQuery::default(), LogPart::All).await;
    assert_eq!(all.len(), table.len(), "no line lost, none invented");
    for (entry, told) in all.iter().zip(&table) {
        assert_eq!(entry.raw, told.raw, "byte for byte");
        let (_, form) = entry.record();
        let view = LogLineView::new("backend", entry, true, &|_| None);
        let shown = String::from_utf8_lossy(told.raw.get(..80).unwrap_or(&told.raw));
        assert_eq!(form, told.form, "{shown}");
        assert!(view.text.contains(told.says), "{:?} in {:?}", told.says, view.text.get(..200));
        assert!(view.text.len() < 17 << 10, "shown cut");
    }
    let query = LogQuery { thread: Some(THREAD.into()), ..LogQuery::default() };
    let (own, _) = read(&logs, &place, query, LogPart::All).await;
    let expected: Vec<&[u8]> = table.iter().filter(|l| l.of_thread).map(|l| l.raw.as_slice()).collect();
    assert_eq!(own.iter().map(|e| e.raw.as_slice()).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn any_bytes_at_all_are_lines_and_none_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let logs = StackLogs::of_files(std::env::temp_dir().join("no-indexes"));
    let mut state = 99_u64;
    for round in 0..60 {
        let bytes: Vec<u8> = (0..20_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let byte = (state >> 33) as u8;
                // Often such as make up records.
                if state.is_multiple_of(3) { b"{}[]\":,\\\n \x1b"[usize::from(byte) % 11] } else { byte }
            })
            .collect();
        let path = dir.path().join(format!("{round}.log"));
        fs::write(&path, &bytes).unwrap();
        let place = LogPlace::File { path: path.display().to_string() };
        let (all, _) = read(&logs, &place, LogQuery::default(), LogPart::All).await;
        let mut again = all.iter().map(|e| e.raw.as_slice()).collect::<Vec<_>>().join(&b'\n');
        if bytes.ends_with(b"\n") {
            again.push(b'\n');
        }
        assert!(again == bytes, "round {round}: what is told, in order, is what was written");
        for entry in &all {
            LogLineView::new("x", entry, true, &|_| None);
        }
    }
}
