//! Logs: files that are long, hostile, rotated, cut short and made again; containers' logs that are kept, rotated
//! and gone. No lab: files of a test's own, and an engine in memory.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod containers;
mod files;
mod follow;
mod hostile;

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use ratiba_core::{
    logs::{Filter, LogEntry, LogQuery},
    ports::{LogBatches, LogPart, LogPlace, Logs},
};

fn text(entry: &LogEntry) -> String {
    String::from_utf8_lossy(&entry.raw).into_owned()
}

/// What is there, and what was said about it.
async fn read(
    logs: &dyn Logs,
    place: &LogPlace,
    query: LogQuery,
    part: LogPart,
) -> (Vec<LogEntry>, Vec<String>) {
    let filter = Arc::new(Filter::new(query).unwrap());
    let mut batches = logs.read(place, filter, part, false).await.unwrap();
    let (mut entries, mut notes) = (Vec::new(), Vec::new());
    while let Some(batch) = batches.next().await {
        let batch = batch.unwrap();
        entries.extend(batch.entries);
        notes.extend(batch.notes);
    }
    (entries, notes)
}

/// The next entries of a log that is followed, until there are so many.
async fn await_lines(batches: &mut LogBatches, count: usize) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut notes) = (Vec::new(), Vec::new());
    let wait = async {
        while lines.len() < count {
            let batch = batches.next().await.expect("it goes on").unwrap();
            lines.extend(batch.entries.iter().map(text));
            notes.extend(batch.notes);
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the lines came");
    (lines, notes)
}
