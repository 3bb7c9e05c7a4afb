//! Each byte of the journal's file, changed on disk: noticed, refused, or nothing of the entries.

use std::fs;

use ratiba_adapters::journal::SqliteJournal;
use ratiba_core::ports::JournalStore;

use crate::written::{close, folder, journal_file, raw, run, write};

#[derive(Debug, Default)]
struct Outcomes {
    noticed: usize,
    refused: usize,
    unused: usize,
}

/// Flips bytes `of_every` of the file at `path`, one after another, and looks each time.
async fn flip(of_every: usize, first: usize) -> Outcomes {
    let state = folder();
    let entries = write(state.path()).await;
    let path = journal_file(state.path());
    // Small pages, so that there are few unused bytes.
    let mut small = raw(state.path()).await;
    run(
        &mut small,
        "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM; PRAGMA journal_mode = WAL",
    )
    .await;
    close(small).await;
    let file = fs::read(&path).unwrap();
    let mut outcomes = Outcomes::default();
    for at in (first..file.len()).step_by(of_every) {
        let mut other = file.clone();
        other[at] ^= if at % 2 == 0 { 1 << (at / 2 % 8) } else { 0xff };
        for beside in ["-wal", "-shm", "-journal"] {
            let _was_not_there = fs::remove_file(format!("{}{beside}", path.display()));
        }
        fs::write(&path, &other).unwrap();
        let journal = SqliteJournal::new(state.path(), "lab");
        let history = journal.history().await;
        // Before the next one is put in its place: closing writes to the file, too.
        let _closed_or_damaged = journal.close().await;
        match history {
            Err(_) => outcomes.refused += 1,
            Ok(history) if history.first_bad().is_some() => outcomes.noticed += 1,
            Ok(history) => {
                assert_eq!(history.entries(), entries, "byte {at} of the file");
                outcomes.unused += 1;
            }
        }
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_byte_of_the_file_is_noticed_refused_or_unused() {
    let halves = [tokio::spawn(flip(2, 0)), tokio::spawn(flip(2, 1))];
    let mut all = Outcomes::default();
    for half in halves {
        let half = half.await.unwrap();
        all.noticed += half.noticed;
        all.refused += half.refused;
        all.unused += half.unused;
    }
    let tried = all.noticed + all.refused + all.unused;
    println!("bytes of the file: {tried} tried, {all:?}");
    assert!(all.noticed > 1_000, "{all:?}");
}
