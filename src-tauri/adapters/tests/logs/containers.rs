//! Containers' logs: kept, and gone on with where they were left.

use std::{fs, sync::Arc};

use jiff::Timestamp;
use ratiba_adapters::logs::StackLogs;
use ratiba_core::{
    logs::LogQuery,
    ports::{LogLine, LogPart, LogPlace},
};
use ratiba_testkit::Stack;

use crate::{read, text};

fn place() -> LogPlace {
    LogPlace::Container { id: "c1".into(), service: "backend".into(), name: "lab_backend_1".into() }
}

fn lines(numbers: std::ops::Range<i64>) -> Vec<LogLine> {
    let line = |n| LogLine {
        at: Some(Timestamp::from_second(1_764_000_000 + n).unwrap()),
        stderr: n % 5 == 0,
        // Many are the same: it is their neighbours that tell them apart.
        text: format!("{{\"event\": \"tick {}\"}}", n % 3),
    };
    numbers.map(line).collect()
}

/// What is told of a log of which this much is kept by the engine.
async fn told(
    stack: &Stack,
    logs: &StackLogs,
    kept: Vec<LogLine>,
    part: LogPart,
) -> (Vec<String>, Vec<String>) {
    stack.set_log("c1", kept);
    let (entries, notes) = read(logs, &place(), LogQuery::default(), part).await;
    (entries.iter().map(|e| format!("{} {}", e.at.unwrap(), text(e))).collect(), notes)
}

fn expected(numbers: std::ops::Range<i64>) -> Vec<String> {
    lines(numbers).iter().map(|l| format!("{} {}", l.at.unwrap(), l.text)).collect()
}

#[tokio::test]
async fn no_line_is_lost_or_told_twice_where_a_kept_log_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let stack = Stack::default();
    let logs = StackLogs::new(Arc::new(stack.clone()), dir.path().join("logs"));
    let mut end = 0;
    for more in [0, 1, 0, 7, 300, 3_000, 1] {
        end += more;
        let (all, notes) = told(&stack, &logs, lines(0..end), LogPart::All).await;
        assert_eq!(all, expected(0..end), "after {more} more");
        assert!(notes.is_empty(), "{notes:?}");
    }
    // Rotated: the engine has the latest ones only, and they reach back to what is kept.
    let (all, notes) = told(&stack, &logs, lines(3_200..3_400), LogPart::All).await;
    assert_eq!((all, notes.len()), (expected(0..3_400), 0));
    // And once more, past what is kept: the gap is said.
    let (all, notes) = told(&stack, &logs, lines(3_500..3_600), LogPart::All).await;
    let mut both = expected(0..3_400);
    both.extend(expected(3_500..3_600));
    assert_eq!(all, both);
    assert!(notes.iter().any(|note| note.contains("rotated away unread")), "{notes:?}");
}

#[tokio::test]
async fn the_last_lines_of_a_container_that_is_gone_are_what_was_kept() {
    let dir = tempfile::tempdir().unwrap();
    let stack = Stack::default();
    let logs = StackLogs::new(Arc::new(stack.clone()), dir.path().join("logs"));
    told(&stack, &logs, lines(0..10), LogPart::All).await;
    stack.take_down(ratiba_core::model::SourceName::Logs);
    let (entries, notes) = read(&logs, &place(), LogQuery::default(), LogPart::Last(3)).await;
    assert_eq!(entries.len(), 3);
    assert!(notes.iter().any(|note| note.contains("only what was kept")), "{notes:?}");
}

#[tokio::test]
async fn what_is_kept_is_its_owner_s_alone_and_a_crash_within_a_write_does_no_harm() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let stack = Stack::default();
    let kept = dir.path().join("logs");
    let logs = StackLogs::new(Arc::new(stack.clone()), kept.clone());
    told(&stack, &logs, lines(0..10), LogPart::All).await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&kept), 0o700);
    for file in ["c1.log", "c1.json", "c1.lock"] {
        assert_eq!(mode(&kept.join(file)), 0o600, "{file}");
    }
    // Half of a line that nobody said counts.
    let mut log = fs::read(kept.join("c1.log")).unwrap();
    log.extend(b"2026-11-26T00:00");
    fs::write(kept.join("c1.log"), &log).unwrap();
    assert_eq!(told(&stack, &logs, lines(0..12), LogPart::All).await.0, expected(0..12));
    // What says how much counts is gone, or nonsense: it is read anew.
    fs::write(kept.join("c1.json"), "{").unwrap();
    assert_eq!(told(&stack, &logs, lines(0..13), LogPart::All).await.0, expected(0..13));
}

#[tokio::test]
async fn of_a_long_log_only_what_is_asked_for_is_read_and_more_when_more_is() {
    let dir = tempfile::tempdir().unwrap();
    let stack = Stack::default();
    let logs = StackLogs::new(Arc::new(stack.clone()), dir.path().join("logs"));
    let (last, _) = told(&stack, &logs, lines(0..20_000), LogPart::Last(5)).await;
    assert_eq!(last, expected(19_995..20_000));
    let (all, notes) = told(&stack, &logs, lines(0..20_001), LogPart::All).await;
    assert_eq!((all.len(), notes.len()), (20_001, 0));
    let since = LogQuery {
        since: Some(Timestamp::from_second(1_764_000_000 + 15_000).unwrap()),
        ..LogQuery::default()
    };
    let (entries, _) = read(&logs, &place(), since, LogPart::All).await;
    assert_eq!(entries.len(), 5_001);
}

#[tokio::test]
async fn what_nobody_asked_for_in_a_week_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let stack = Stack::default();
    let kept = dir.path().join("logs");
    let logs = StackLogs::new(Arc::new(stack.clone()), kept.clone());
    told(&stack, &logs, lines(0..3), LogPart::All).await;
    let ago = |days: u64| std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
    for (id, days) in [("old", 8), ("recent", 6)] {
        for extension in ["log", "json"] {
            let path = kept.join(format!("{id}.{extension}"));
            fs::write(&path, "{}").unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(ago(days)).unwrap();
        }
    }
    told(&stack, &logs, lines(0..4), LogPart::All).await;
    let is_there = |name: &str| kept.join(name).exists();
    assert!(!is_there("old.log") && !is_there("old.json") && is_there("recent.log") && is_there("c1.log"));
}
