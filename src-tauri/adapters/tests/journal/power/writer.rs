//! What is traced: a console that writes its journal, and says outside what it was told is written.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
};

use ratiba_adapters::journal::SqliteJournal;
use ratiba_core::{journal::EntryKind, ports::JournalStore, remedy::Plan};
use serde_json::json;
use sqlx::{
    Connection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::written::{draft, run};

/// Where it is said; the trace has the moment.
pub const ACKS: &str = "acks";

fn acks(state: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(state.join(ACKS)).unwrap()
}

fn say(acks: &mut File, what: &str) {
    acks.write_all(format!("{what}\n").as_bytes()).unwrap();
}

fn plan(id: &str, bytes: usize) -> Plan {
    let at = "2026-11-24T08:00:00Z";
    serde_json::from_value(json!({
        "plan_id": id, "playbook": "01", "title": "x".repeat(bytes), "script_sha256": "", "subject": {},
        "finding": null, "params": {}, "preconditions": [], "steps": [], "phrase": null,
        "target": { "compose_project": "lab", "compose_working_dir": "/srv" },
        "created_at": at, "expires_at": at,
    }))
    .unwrap()
}

/// Opens, appends, uses and keeps plans; closes, which makes a checkpoint; keeps plans so large that
/// SQLite makes one by itself; goes on in the log that is then written over.
pub async fn append(state: &Path) {
    let mut acks = acks(state);
    let mut n = 0;
    for (session, entries, plan_bytes) in [(0, 14, 100), (1, 14, 5_000), (2, 28, 310_000), (3, 8, 100)] {
        let journal = SqliteJournal::new(state, "lab");
        for turn in 0..entries {
            n += 1;
            let body = json!({ "n": n, "text": "y".repeat(n * 7 % 300) });
            let entry = journal.append(draft(n, "R1", EntryKind::StepIntent, body)).await.unwrap();
            say(&mut acks, &format!("appended {} {}", entry.seq, entry.hash));
            let id = format!("P{session}-{turn}");
            if turn % 2 == 0 {
                journal.keep_plan(&plan(&id, plan_bytes)).await.unwrap();
                say(&mut acks, &format!("kept {id}"));
            } else if turn % 3 == 0 {
                assert!(journal.use_plan(&id, "digest").await.unwrap());
                say(&mut acks, &format!("used {id}"));
            }
        }
    }
}

/// The same storage under plain SQLite, at this level of `synchronous`.
pub async fn rows(state: &Path, level: &str) {
    let mut acks = acks(state);
    let options = SqliteConnectOptions::new()
        .filename(state.join("rows.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(level.parse::<SqliteSynchronous>().unwrap());
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    run(&mut connection, "CREATE TABLE rows (n INTEGER PRIMARY KEY) STRICT").await;
    for n in 1..=30 {
        run(&mut connection, &format!("INSERT INTO rows VALUES ({n})")).await;
        say(&mut acks, &format!("row {n}"));
    }
}
