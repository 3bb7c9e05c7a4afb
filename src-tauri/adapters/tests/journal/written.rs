//! A journal with runs in it, and hands that go around the console.

use std::path::{Path, PathBuf};

use ratiba_adapters::journal::SqliteJournal;
use ratiba_core::{
    journal::{Entry, EntryDraft, EntryKind, chain_hash},
    ports::JournalStore,
};
use serde_json::{Value, json};
use sqlx::{
    Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use tempfile::TempDir;

/// A folder of the test's own; in memory where there is such a place, since thousands are written.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

pub fn journal_file(state: &Path) -> PathBuf {
    state.join("journals/lab.sqlite")
}

pub fn anchor_file(state: &Path) -> PathBuf {
    state.join("anchors/lab.anchor")
}

pub fn draft(n: usize, run: &str, kind: EntryKind, body: Value) -> EntryDraft {
    let at = format!("2026-11-24T08:00:{:02}.5Z", n % 60).parse().unwrap();
    EntryDraft { run: run.into(), at, kind, body }
}

/// Two runs, and a refusal: seven entries.
pub fn drafts() -> Vec<EntryDraft> {
    use EntryKind::{Refused, RunFinished, RunStarted, StepIntent, StepOutcome};
    let started = |plan: &str| json!({ "plan": { "plan_id": plan, "steps": [] }, "digest": "d0" });
    [
        ("R1", RunStarted, started("P1")),
        ("R1", StepIntent, json!({ "n": 1, "before": [null, true, -7] })),
        ("R1", StepOutcome, json!({ "n": 1, "ok": true, "detail": "“wie vorher”, \"x\"\n\u{7}" })),
        ("R1", RunFinished, json!({ "outcome": "fixed", "took": 6.934698245112694e276 })),
        ("R2", RunStarted, started("P2")),
        ("R2", RunFinished, json!({ "outcome": "failed", "reason": "" })),
        ("R3", Refused, json!({ "plan_id": "P3" })),
    ]
    .into_iter()
    .enumerate()
    .map(|(n, (run, kind, body))| draft(n, run, kind, body))
    .collect()
}

/// The journal of [`drafts`] in `state`.
pub async fn write(state: &Path) -> Vec<Entry> {
    let journal = SqliteJournal::new(state, "lab");
    for draft in drafts() {
        journal.append(draft).await.unwrap();
    }
    let entries = journal.entries(None).await.unwrap();
    assert_eq!(first_bad(&journal).await, None);
    journal.close().await.unwrap();
    entries
}

pub async fn first_bad(journal: &SqliteJournal) -> Option<String> {
    journal.history().await.unwrap().first_bad()
}

/// The journal's file, opened by somebody else.
pub async fn raw(state: &Path) -> SqliteConnection {
    let options =
        SqliteConnectOptions::new().filename(journal_file(state)).synchronous(SqliteSynchronous::Off);
    let mut raw = SqliteConnection::connect_with(&options).await.unwrap();
    for trigger in ["entries_no_update", "entries_no_delete"] {
        run(&mut raw, &format!("DROP TRIGGER IF EXISTS {trigger}")).await;
    }
    raw
}

pub async fn run(raw: &mut SqliteConnection, sql: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(raw).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// Closes it, so that everything is in the one file.
pub async fn close(mut raw: SqliteConnection) {
    run(&mut raw, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    raw.close().await.unwrap();
}

/// The entries as a chain that holds, whatever they say: what a careful forger would write.
pub fn chained(entries: &[Entry]) -> Vec<Entry> {
    let mut prev = ratiba_core::journal::GENESIS.to_owned();
    let mut chained = Vec::new();
    for (seq, entry) in (1..).zip(entries) {
        let draft =
            EntryDraft { run: entry.run.clone(), at: entry.at, kind: entry.kind, body: entry.body.clone() };
        let hash = chain_hash(&prev, seq, &draft);
        chained.push(Entry { seq, prev: prev.clone(), hash: hash.clone(), ..entry.clone() });
        prev = hash;
    }
    chained
}
