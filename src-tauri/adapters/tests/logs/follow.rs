//! A file that is followed, whatever happens to it.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    sync::Arc,
};

use futures_util::StreamExt;
use ratiba_adapters::logs::StackLogs;
use ratiba_core::{
    logs::{Filter, LogQuery},
    ports::{LogBatches, LogPart, LogPlace, Logs},
};

use crate::await_lines;

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Followed, and what was there already taken.
async fn followed(path: &Path, there: usize) -> (LogBatches, Vec<String>) {
    let place = LogPlace::File { path: path.display().to_string() };
    let filter = Arc::new(Filter::new(LogQuery::default()).unwrap());
    let mut batches = StackLogs::of_files(std::env::temp_dir().join("no-indexes"))
        .read(&place, filter, LogPart::All, true)
        .await
        .unwrap();
    let mut lines = Vec::new();
    loop {
        let batch = batches.next().await.unwrap().unwrap();
        lines.extend(batch.entries.iter().map(crate::text));
        if batch.is_live {
            assert_eq!(lines.len(), there);
            return (batches, lines);
        }
    }
}

#[tokio::test]
async fn a_line_is_told_once_and_whole_however_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("uvicorn.log");
    append(&path, "one\ntwo, not en");
    let (mut batches, there) = followed(&path, 1).await;
    assert_eq!(there, ["one"]);
    append(&path, "ded");
    append(&path, " until now\nthree\n");
    let (lines, notes) = await_lines(&mut batches, 2).await;
    assert_eq!(lines, ["two, not ended until now", "three"]);
    assert!(notes.is_empty(), "{notes:?}");
    append(
        &path,
        "2026-11-26T00:00:01Z [error    ] failed\nTraceback (most recent call last):\n  File \"x\"\n",
    );
    append(&path, "ValueError: no\nlast\n");
    let (lines, _) = await_lines(&mut batches, 2).await;
    assert_eq!(
        lines,
        [
            "2026-11-26T00:00:01Z [error    ] failed\nTraceback (most recent call last):\n  File \"x\"\nValueError: no",
            "last"
        ]
    );
}

#[tokio::test]
async fn a_file_that_is_renamed_is_read_to_its_end_and_its_successor_from_its_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("next-dev.log");
    let rotated = dir.path().join("next-dev.log.1");
    append(&path, "before\n");
    let (mut batches, _) = followed(&path, 1).await;
    append(&path, "last of the old\n");
    fs::rename(&path, &rotated).unwrap();
    // Who writes has the old one open still.
    append(&rotated, "written to the old one\n");
    append(&path, "first of the new\n");
    let (mut lines, notes) = await_lines(&mut batches, 3).await;
    lines.sort();
    assert_eq!(lines, ["first of the new", "last of the old", "written to the old one"]);
    assert!(notes.iter().any(|note| note.contains("replaced by a new file")), "{notes:?}");
    append(&rotated, "late, to the old one\n");
    assert_eq!(await_lines(&mut batches, 1).await.0, ["late, to the old one"]);
    append(&path, "second of the new\n");
    assert_eq!(await_lines(&mut batches, 1).await.0, ["second of the new"]);
}

#[tokio::test]
async fn a_file_that_is_cut_short_is_read_from_its_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    append(&path, "a long first line\nand a second one\nopen");
    let (mut batches, _) = followed(&path, 2).await;
    OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    append(&path, "new\n");
    let (lines, notes) = await_lines(&mut batches, 1).await;
    assert_eq!(lines.last().unwrap(), "new");
    assert!(notes.iter().any(|note| note.contains("cut short")), "{notes:?}");
}

#[tokio::test]
async fn a_file_that_comes_later_or_again_is_read_from_its_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("later.log");
    let (mut batches, _) = followed(&path, 0).await;
    append(&path, "first\n");
    assert_eq!(await_lines(&mut batches, 1).await.0, ["first"]);
    fs::remove_file(&path).unwrap();
    append(&path, "made again\n");
    assert_eq!(await_lines(&mut batches, 1).await.0, ["made again"]);
}
