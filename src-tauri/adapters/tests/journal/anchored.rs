//! The anchor: older copies, missing files, and what an interrupted append leaves behind.

use std::fs;

use ratiba_adapters::journal::SqliteJournal;
use ratiba_core::{
    journal::{Anchor, Entry, EntryKind, Link, chain_hash},
    ports::{JournalError, JournalStore},
};
use serde_json::json;

use crate::written::{anchor_file, close, draft, drafts, first_bad, folder, journal_file, raw, run, write};

fn journal(state: &tempfile::TempDir) -> SqliteJournal {
    SqliteJournal::new(state.path(), "lab")
}

fn set_anchor(state: &tempfile::TempDir, anchor: &Anchor) {
    fs::write(anchor_file(state.path()), serde_json::to_string(anchor).unwrap()).unwrap();
}

#[tokio::test]
async fn an_older_copy_of_the_file_or_of_the_anchor_is_noticed() {
    let state = folder();
    let (file, anchor) = (journal_file(state.path()), anchor_file(state.path()));
    let mut copies = Vec::new();
    for draft in drafts() {
        journal(&state).append(draft).await.unwrap();
        close(raw(state.path()).await).await;
        copies.push((fs::read(&file).unwrap(), fs::read(&anchor).unwrap()));
    }
    let newest = copies.pop().unwrap();
    for (older, (file_then, anchor_then)) in (1..).zip(&copies) {
        fs::write(&file, file_then).unwrap();
        let bad = first_bad(&journal(&state)).await.unwrap();
        assert!(bad.starts_with(&format!("entry {} is missing", older + 1)), "{bad}");
        assert!(matches!(
            journal(&state).append(drafts().remove(0)).await,
            Err(JournalError::Damaged { .. })
        ));
        close(raw(state.path()).await).await;

        fs::write(&file, &newest.0).unwrap();
        fs::write(&anchor, anchor_then).unwrap();
        let bad = first_bad(&journal(&state)).await.unwrap();
        assert!(bad.starts_with(&format!("entry {} was not written by a console", older + 1)), "{bad}");

        // What is not promised: the same user can forge both, and put older copies of both there.
        fs::write(&file, file_then).unwrap();
        assert_eq!(first_bad(&journal(&state)).await, None);
        close(raw(state.path()).await).await;
        fs::write(&anchor, &newest.1).unwrap();
    }
}

#[tokio::test]
async fn a_journal_that_is_gone_is_not_begun_anew() {
    let state = folder();
    let entries = write(state.path()).await;
    let open = journal(&state);
    assert_eq!(first_bad(&open).await, None);
    let copy = fs::read(journal_file(state.path())).unwrap();
    fs::remove_dir_all(state.path().join("journals")).unwrap();
    for journal in [open, journal(&state)] {
        assert!(first_bad(&journal).await.unwrap().starts_with("entry 1 is missing"));
        let refused = journal.append(drafts().remove(0)).await.unwrap_err().to_string();
        assert!(refused.contains("all 7 entries are missing: the file is gone"), "{refused}");
    }
    // A copy can be put in its place. Moved away with its anchor, a new one begins.
    assert!(!journal_file(state.path()).exists());
    fs::create_dir_all(state.path().join("journals")).unwrap();
    fs::write(journal_file(state.path()), copy).unwrap();
    assert_eq!(journal(&state).history().await.unwrap().entries(), entries);
    assert_eq!(first_bad(&journal(&state)).await, None);
    for moved in [journal_file(state.path()), anchor_file(state.path())] {
        fs::remove_file(moved).unwrap();
    }
    assert_eq!(journal(&state).append(drafts().remove(0)).await.unwrap().seq, 1);
}

#[tokio::test]
async fn what_is_written_does_not_go_into_a_file_that_was_replaced() {
    let state = folder();
    let entries = write(state.path()).await;
    let open = journal(&state);
    assert_eq!(first_bad(&open).await, None);
    close(raw(state.path()).await).await;
    let copy = state.path().join("copy");
    fs::copy(journal_file(state.path()), &copy).unwrap();
    fs::rename(&copy, journal_file(state.path())).unwrap();
    open.append(drafts().remove(1)).await.unwrap();
    assert_eq!(journal(&state).entries(None).await.unwrap().len(), entries.len() + 1);
}

#[tokio::test]
async fn the_anchor_itself_is_looked_at_bit_by_bit() {
    let state = folder();
    write(state.path()).await;
    let journal = journal(&state);
    let anchor = anchor_file(state.path());
    let text = fs::read(&anchor).unwrap();
    let mut tried = 0;
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut other = text.clone();
            other[at] ^= 1 << bit;
            fs::write(&anchor, &other).unwrap();
            tried += 1;
            assert!(
                first_bad(&journal).await.is_some(),
                "byte {at} bit {bit}: {}",
                String::from_utf8_lossy(&other)
            );
        }
    }
    println!("bits of the anchor: {tried} edits tried, {tried} detected");
    for (gone, word) in [(None, "is missing"), (Some(""), "can't be read"), (Some("{}"), "can't be read")] {
        match gone {
            None => fs::remove_file(&anchor).unwrap(),
            Some(text) => fs::write(&anchor, text).unwrap(),
        }
        let bad = first_bad(&journal).await.unwrap();
        assert!(bad.contains("has 7 entries") && bad.contains(word), "{bad}");
        let refused = journal.append(drafts().remove(0)).await;
        assert!(matches!(&refused, Err(JournalError::Damaged { .. })), "{refused:?}");
    }
}

/// The entry that would come after `entries`.
fn next(entries: &[Entry]) -> Entry {
    let (prev, seq) = entries.last().map(|e| (e.hash.clone(), e.seq + 1)).unwrap();
    let draft = draft(30, "R4", EntryKind::RunStarted, json!({ "n": 1 }));
    let hash = chain_hash(&prev, seq, &draft);
    Entry { seq, run: draft.run, at: draft.at, kind: draft.kind, body: draft.body, prev, hash }
}

#[tokio::test]
async fn an_append_that_was_cut_short_is_no_damage_and_the_next_one_goes_on() {
    for committed in [false, true] {
        let state = folder();
        let entries = write(state.path()).await;
        let (last, next) = (Link::from(entries.last().unwrap()), next(&entries));
        set_anchor(&state, &Anchor { confirmed: last, pending: Some(Link::from(&next)) });
        if committed {
            let mut raw = raw(state.path()).await;
            let sql = format!(
                "INSERT INTO entries VALUES ({}, '{}', '{}', 'run_started', '{}', '{}', '{}')",
                next.seq, next.run, next.at, next.body, next.prev, next.hash
            );
            run(&mut raw, &sql).await;
        }
        let journal = journal(&state);
        assert_eq!(first_bad(&journal).await, None, "committed: {committed}");
        let expected = entries.len() as u64 + if committed { 2 } else { 1 };
        assert_eq!(journal.append(drafts().remove(1)).await.unwrap().seq, expected);
        assert_eq!(first_bad(&journal).await, None, "committed: {committed}");
        // From now on that entry is one like any other.
        let mut raw = raw(state.path()).await;
        run(&mut raw, &format!("DELETE FROM entries WHERE seq >= {expected}")).await;
        assert!(first_bad(&journal).await.is_some());
    }
}

#[tokio::test]
async fn a_journal_from_before_the_anchor_gets_one_once() {
    let state = folder();
    let entries = write(state.path()).await;
    let anchor = anchor_file(state.path());
    let mut raw = raw(state.path()).await;
    run(&mut raw, "PRAGMA user_version = 1").await;
    fs::remove_file(&anchor).unwrap();
    assert_eq!(first_bad(&journal(&state)).await, None);
    let written: Anchor = serde_json::from_str(&fs::read_to_string(&anchor).unwrap()).unwrap();
    assert_eq!(written, Anchor::at(Link::from(entries.last().unwrap())));
    // Not a second time: an anchor that is there is what the file is held against.
    run(&mut raw, "DELETE FROM entries WHERE seq = 7; PRAGMA user_version = 1").await;
    assert!(first_bad(&journal(&state)).await.unwrap().starts_with("entry 7 is missing"));
    run(&mut raw, "PRAGMA user_version = 3").await;
    let refused = journal(&state).history().await.unwrap_err().to_string();
    assert!(refused.contains("newer console"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn consoles_that_append_at_once_keep_one_chain_and_its_anchor() {
    let state = folder();
    let path = state.path().to_owned();
    let consoles = (0..4).map(|console| {
        let path = path.clone();
        tokio::spawn(async move {
            let journal = SqliteJournal::new(&path, "lab");
            for n in 0..25 {
                let body = json!({ "console": console, "n": n });
                journal.append(draft(n, "R1", EntryKind::StepIntent, body)).await.unwrap();
                // What anybody sees meanwhile is whole.
                assert_eq!(first_bad(&journal).await, None);
            }
        })
    });
    for console in consoles.collect::<Vec<_>>() {
        console.await.unwrap();
    }
    let history = journal(&state).history().await.unwrap();
    assert_eq!((history.rows.len(), history.first_bad()), (100, None));
    assert_eq!(history.anchor.unwrap().pending, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn consoles_that_open_a_new_journal_at_once_all_get_it() {
    for _ in 0..200 {
        let state = folder();
        let at_once = std::sync::Arc::new(tokio::sync::Barrier::new(4));
        let consoles = (0..4).map(|n| {
            let (path, at_once) = (state.path().to_owned(), at_once.clone());
            tokio::spawn(async move {
                let journal = SqliteJournal::new(&path, "lab");
                at_once.wait().await;
                journal.append(draft(n, "R1", EntryKind::StepIntent, json!({}))).await.unwrap();
                journal.close().await.unwrap();
            })
        });
        for console in consoles.collect::<Vec<_>>() {
            console.await.unwrap();
        }
        assert_eq!(first_bad(&journal(&state)).await, None);
    }
}
