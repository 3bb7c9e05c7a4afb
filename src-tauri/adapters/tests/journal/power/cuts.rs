//! The journal after power cuts: everything that was acknowledged is there, and no alarm is false.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use ratiba_adapters::journal::SqliteJournal;
use ratiba_core::{journal::EntryKind, ports::JournalStore};
use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    storage::{Cut, Dice, Ignored, Storage},
    trace::{Call, record},
};
use crate::{
    child::runtime,
    written::{draft, folder, journal_file},
};

/// What was found after cuts.
#[derive(Debug, Default)]
struct Found {
    cuts: usize,
    /// Cuts after which something acknowledged was not there.
    lost: usize,
    /// Cuts after which an entry was lost, and `runs verify` would not say so.
    unnoticed: usize,
    /// Anything wrong, the loss included; the first few.
    wrong: usize,
    first: Vec<String>,
}

/// What a journal is like after a cut.
#[derive(Default)]
struct After {
    lost: Vec<String>,
    /// It says itself that something is wrong.
    alarm: Option<String>,
    wrong: Vec<String>,
}

/// What is looked at after a cut, given what had been told.
type Look = fn(&Path, &[&str]) -> After;

fn opened(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file)
}

async fn integrity(file: &Path) -> Option<String> {
    let mut raw = SqliteConnection::connect_with(&opened(file)).await.ok()?;
    let said: String = sqlx::query("PRAGMA integrity_check")
        .fetch_one(&mut raw)
        .await
        .map_or_else(|e| e.to_string(), |row| row.get(0));
    raw.close().await.ok()?;
    (said != "ok").then_some(said)
}

fn journal_after(state: &Path, told: &[&str]) -> After {
    runtime().block_on(async {
        let mut after = After::default();
        let journal = SqliteJournal::new(state, "lab");
        let history = match journal.history().await {
            Ok(history) => history,
            Err(error) => {
                after.lost = told.iter().map(|t| (*t).to_owned()).collect();
                after.alarm = Some(error.to_string());
                return after;
            }
        };
        after.alarm = history.first_bad();
        let entries = history.entries();
        let appended: Vec<&str> = told.iter().filter_map(|t| t.strip_prefix("appended ")).collect();
        for said in &appended {
            let (seq, hash) = said.split_once(' ').unwrap();
            if !entries.iter().any(|e| e.seq.to_string() == seq && e.hash == hash) {
                after.lost.push(format!("entry {said}"));
            }
        }
        if entries.len() > appended.len() + 1 {
            after.wrong.push(format!("{} entries, {} appended", entries.len(), appended.len()));
        }
        let last = |what: &str| told.iter().rev().find_map(|t| t.strip_prefix(what));
        if let Some(id) = last("kept ")
            && !matches!(journal.plan(id).await, Ok(Some(_)))
        {
            after.lost.push(format!("plan {id}"));
        }
        if let Some(id) = last("used ")
            && matches!(journal.use_plan(id, "digest").await, Ok(true))
        {
            after.lost.push(format!("the use of {id}"));
        }
        // It goes on: with the next entry, and the chain holds over that too.
        match journal.append(draft(1, "R2", EntryKind::Verified, json!({}))).await {
            Ok(entry) if entry.seq == entries.len() as u64 + 1 => {}
            other => after.wrong.push(format!("the next append: {other:?}")),
        }
        if let Some(bad) = journal.history().await.ok().and_then(|h| h.first_bad()) {
            after.wrong.push(format!("after the next append: {bad}"));
        }
        drop(journal);
        after.wrong.extend(integrity(&journal_file(state)).await);
        after
    })
}

fn rows_after(state: &Path, told: &[&str]) -> After {
    runtime().block_on(async {
        let mut after = After::default();
        let Ok(mut raw) = SqliteConnection::connect_with(&opened(&state.join("rows.sqlite"))).await else {
            after.lost = told.iter().map(|t| (*t).to_owned()).collect();
            return after;
        };
        let rows = sqlx::query("SELECT n FROM rows").fetch_all(&mut raw).await.unwrap_or_default();
        let rows: Vec<String> = rows.iter().map(|row| format!("row {}", row.get::<i64, _>(0))).collect();
        after.lost =
            told.iter().filter(|t| !rows.iter().any(|row| row == *t)).map(|t| (*t).to_owned()).collect();
        after
    })
}

/// Cuts the power before every `every`th call, in several ways; two threads share the work.
fn cut_everywhere(root: &Path, calls: Arc<Vec<Call>>, ignored: Ignored, every: usize, look: Look) -> Found {
    let found = Arc::new(Mutex::new(Found::default()));
    let threads = (0..2).map(|which| {
        let (calls, found, root) = (calls.clone(), found.clone(), root.to_owned());
        thread::spawn(move || {
            let mut storage = Storage::new(&root, ignored);
            let mut told = Vec::new();
            for (n, call) in calls.iter().enumerate() {
                // Before a sync most can be lost; between the many writes before it, it is much the same.
                let is_one_of_many =
                    matches!(call, Call::Write { bytes, .. } if [24, 4_096].contains(&bytes.len()));
                let stride = if is_one_of_many { every * 23 } else { every };
                let ways: &[Cut] = match (storage.is_all_synced(), n / every % 2) {
                    _ if n % stride != 0 => &[],
                    (true, _) => &[Cut::All],
                    (false, 0) => &[Cut::All, Cut::Sectors],
                    (false, _) => &[Cut::Last, Cut::None],
                };
                for (way, cut) in ways.iter().enumerate() {
                    if (n + way) % 2 != which {
                        continue;
                    }
                    let disk = folder();
                    storage.cut(*cut, &mut Dice::new((n * 8 + way) as u64 + 1), disk.path());
                    let after = look(disk.path(), &told);
                    let mut found = found.lock().unwrap();
                    found.cuts += 1;
                    found.lost += usize::from(!after.lost.is_empty());
                    let is_entry_lost = after.lost.iter().any(|what| what.starts_with("entry "));
                    found.unnoticed += usize::from(is_entry_lost && after.alarm.is_none());
                    let what = [after.lost, after.wrong, after.alarm.into_iter().collect()].concat();
                    if !what.is_empty() {
                        found.wrong += 1;
                        if found.first.len() < 3 {
                            found.first.push(format!("{cut:?} before call {n}, {call:.300?}: {what:?}"));
                        }
                    }
                }
                storage.take(call);
                if let Call::Told(what) = call {
                    told.push(what.as_str());
                }
            }
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().unwrap();
    }
    Arc::into_inner(found).unwrap().into_inner().unwrap()
}

#[test]
fn nothing_acknowledged_is_lost_in_a_power_cut_and_no_alarm_is_false() {
    let state = folder();
    let calls = Arc::new(record("appends", state.path()));
    let count = |is: fn(&Call) -> bool| calls.iter().filter(|call| is(call)).count();
    let syncs = count(|call| matches!(call, Call::Sync { .. }));
    let told = count(|call| matches!(call, Call::Told(_)));
    let checkpointed = count(
        |call| matches!(call, Call::Write { path, .. } if path.extension().is_some_and(|e| e == "sqlite")),
    );
    println!("{} calls, {syncs} syncs, {checkpointed} pages into the file, {told} acknowledged", calls.len());
    assert!(checkpointed > 1_000, "SQLite made its own checkpoint: {checkpointed}");

    let found = cut_everywhere(state.path(), calls.clone(), Ignored::Nothing, 1, journal_after);
    println!("{} power cuts, {} lost something, {} were wrong", found.cuts, found.lost, found.wrong);
    assert!(found.cuts >= 1_000, "{}", found.cuts);
    assert_eq!((found.lost, found.wrong), (0, 0), "{:#?}", found.first);

    // Each of the syncs is needed, and this storage can tell.
    let without = |ignored| {
        let found = cut_everywhere(state.path(), calls.clone(), ignored, 11, journal_after);
        println!(
            "without syncs of {ignored:?}: {} power cuts, {} lost something, {} lost entries unnoticed, {} were wrong",
            found.cuts, found.lost, found.unnoticed, found.wrong
        );
        found
    };
    // A log that is not synced loses entries, and the anchor says so each time.
    let log = without(Ignored::Log);
    assert!(log.lost > 0 && log.unnoticed == 0, "{log:#?}");
    let anchor = without(Ignored::Anchor);
    assert!(anchor.wrong > 0, "{anchor:#?}");
    let folders = without(Ignored::Folders);
    assert!(folders.lost > 0, "{folders:#?}");
}

#[test]
fn this_storage_tells_synchronous_normal_from_full() {
    for (level, loses) in [("normal", true), ("full", false)] {
        let state = folder();
        let calls = Arc::new(record(level, state.path()));
        let found = cut_everywhere(state.path(), calls, Ignored::Nothing, 1, rows_after);
        println!("synchronous={level}: {} power cuts, {} lost rows", found.cuts, found.lost);
        assert_eq!(found.lost > 0, loses, "{level}: {found:?}");
    }
}
