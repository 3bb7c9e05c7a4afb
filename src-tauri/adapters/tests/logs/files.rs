//! Long files: read in pieces on all cores, they say what a reader says who goes line by line.

use std::fs;

use jiff::tz::TimeZone;
use ratiba_adapters::logs::StackLogs;
use ratiba_core::{
    logs::{Assembler, Filter, LogEntry, LogQuery},
    ports::{LogPart, LogPlace, Logs},
};

use crate::{read, text};

/// A log of every kind of line: several pieces long, with tracebacks everywhere and lines longer than a piece.
fn mixed() -> Vec<u8> {
    let mut random = fastrand_like(7);
    let mut log = Vec::new();
    let mut second = 0;
    while log.len() < 9 << 20 {
        second += 1;
        let at = format!(
            "2026-11-{:02}T{:02}:{:02}:{:02}Z",
            1 + second / 86_400,
            second / 3_600 % 24,
            second / 60 % 60,
            second % 60
        );
        let thread = random() % 50;
        match random() % 12 {
            0 => log.extend(format!("INFO:     plain {thread}\n").bytes()),
            1 => {
                log.extend(format!("{at} [error    ] failed  thread_id=T{thread} tenant=a\nTraceback (most recent call last):\n").bytes());
                for frame in 0..random() % 400 {
                    log.extend(format!("  File \"/app/{frame}.py\", line {frame}, in call\n    {}\n", "x".repeat(60)).bytes());
                }
                log.extend(format!("ValueError: needle {thread}\n").bytes());
            }
            2 => log.extend(b"{\"event\": \"\xff\xfe\", \"thread_id\": \"T1\"}\r\n"),
            3 => log.extend(format!("{{\"event\": \"about T{thread}\", \"level\": \"warning\", \"timestamp\": \"{at}\"}}\n").bytes()),
            4 => log.extend(b"\n"),
            _ => log.extend(
                format!("{{\"event\": \"e{}\", \"thread_id\": \"T{thread}\", \"tenant\": \"b\", \"level\": \"info\", \"timestamp\": \"{at}\", \"pad\": \"{}\"}}\n", random() % 9, "p".repeat(random() % 2_000)).bytes(),
            ),
        }
        if second == 900 {
            log.extend(
                format!(
                    "{{\"event\": \"wide\", \"thread_id\": \"T3\", \"pad\": \"{}\"}}\n",
                    "w".repeat(5 << 20)
                )
                .bytes(),
            );
        }
    }
    log.extend(b"{\"event\": \"cut off at the end\", \"thread_id\": \"T1\"");
    log
}

/// Numbers that are the same in every run.
fn fastrand_like(seed: u64) -> impl FnMut() -> usize {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 40).unwrap()
    }
}

/// The same by a reader who takes line by line.
fn line_by_line(log: &[u8], query: &LogQuery) -> Vec<LogEntry> {
    let filter = Filter::new(query.clone()).unwrap();
    let mut assembler = Assembler::new(TimeZone::system());
    let log = log.strip_suffix(b"\n").unwrap_or(log);
    let mut entries: Vec<LogEntry> = log
        .split(|b| *b == b'\n')
        .filter_map(|line| assembler.line(false, None, line.to_vec(), 0, &filter))
        .collect();
    entries.extend(assembler.flush(&filter));
    entries
}

fn queries() -> Vec<LogQuery> {
    let some = |text: &str| Some(text.to_owned());
    let none = LogQuery::default;
    vec![
        none(),
        LogQuery { thread: some("T1"), ..none() },
        LogQuery { thread: some("T3"), ..none() },
        LogQuery { tenant: some("a"), ..none() },
        LogQuery { level: some("warning"), ..none() },
        LogQuery { grep: some("needle 7$"), ..none() },
        LogQuery { grep: some("e[34]"), thread: some("T2"), ..none() },
        LogQuery {
            since: "2026-11-01T00:20:00Z".parse().ok(),
            until: "2026-11-01T00:40:00Z".parse().ok(),
            ..none()
        },
        LogQuery { grep: some("never written"), ..none() },
    ]
}

#[tokio::test]
async fn a_long_file_in_pieces_says_what_it_says_line_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("backend.log");
    let log = mixed();
    fs::write(&path, &log).unwrap();
    let place = LogPlace::File { path: path.display().to_string() };
    let logs = StackLogs::of_files(std::env::temp_dir().join("no-indexes"));
    for query in queries() {
        let expected = line_by_line(&log, &query);
        let (found, _) = read(&logs, &place, query.clone(), LogPart::All).await;
        let of = |entries: &[LogEntry]| -> Vec<(String, Option<jiff::Timestamp>)> {
            entries.iter().map(|e| (text(e), e.at)).collect()
        };
        let (expected, found) = (of(&expected), of(&found));
        for (n, (is, should)) in found.iter().zip(&expected).enumerate() {
            assert_eq!((&is.0, is.1), (&should.0, should.1), "{query:?}, entry {n}");
        }
        assert_eq!(found.len(), expected.len(), "{query:?}");
        for count in [100] {
            let (last, _) = read(&logs, &place, query.clone(), LogPart::Last(count)).await;
            assert_eq!(
                of(&last),
                expected[expected.len().saturating_sub(count)..],
                "the last {count} of {query:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_index_changes_how_fast_an_answer_is_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("backend.log");
    let mut log = mixed();
    log.push(b'\n');
    fs::write(&path, &log).unwrap();
    let file = path.display().to_string();
    let place = LogPlace::File { path: file.clone() };
    let logs = StackLogs::of_files(dir.path().join("state"));
    let compare = |log: Vec<u8>, what: &'static str| {
        let (logs, place) = (&logs, &place);
        async move {
            for thread in ["T3", "T50"] {
                let query = LogQuery { thread: Some(thread.into()), ..LogQuery::default() };
                let (found, _) = read(logs, place, query.clone(), LogPart::All).await;
                let of = |entries: &[LogEntry]| entries.iter().map(|e| (text(e), e.at)).collect::<Vec<_>>();
                assert_eq!(of(&found), of(&line_by_line(&log, &query)), "{thread}, {what}");
            }
        }
    };
    let covered = Logs::index(&logs, &file).await.unwrap();
    assert!(covered > log.len() as u64 - (512 << 10) && covered <= log.len() as u64);
    compare(log.clone(), "indexed").await;
    log.extend(b"{\"event\": \"later\", \"thread_id\": \"T50\"}\n");
    fs::write(&path, &log).unwrap();
    compare(log.clone(), "written behind what is indexed").await;
    log.extend(mixed());
    fs::write(&path, &log).unwrap();
    assert!(Logs::index(&logs, &file).await.unwrap() > covered);
    compare(log.clone(), "brought up to its end").await;
    // Another file under the same name, even one of the same length.
    log.rotate_left(7 << 20);
    fs::write(&path, &log).unwrap();
    compare(log, "another file").await;
}

#[tokio::test]
async fn what_is_no_log_file_is_said_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let logs = StackLogs::of_files(std::env::temp_dir().join("no-indexes"));
    for (path, happened) in [("absent.log", "No such file"), (".", "it is no file")] {
        let place = LogPlace::File { path: dir.path().join(path).display().to_string() };
        let filter = std::sync::Arc::new(Filter::new(LogQuery::default()).unwrap());
        let mut batches = Logs::read(&logs, &place, filter, LogPart::All, false).await.unwrap();
        let error = futures_util::StreamExt::next(&mut batches).await.unwrap().unwrap_err();
        assert!(error.happened.contains(happened) && !error.hint.is_empty(), "{error:?}");
    }
    let empty = dir.path().join("empty.log");
    fs::write(&empty, "").unwrap();
    let place = LogPlace::File { path: empty.display().to_string() };
    assert!(read(&logs, &place, LogQuery::default(), LogPart::All).await.0.is_empty());
}
