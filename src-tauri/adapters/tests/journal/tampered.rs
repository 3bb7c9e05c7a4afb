//! Every single edit of the table, by somebody who goes around the console, is noticed, and the first
//! bad entry is named.

use std::ops::RangeInclusive;

use ratiba_adapters::journal::SqliteJournal;
use ratiba_core::{
    journal::Entry,
    ports::{JournalError, JournalStore},
    remedy::canonical,
};
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use tempfile::TempDir;

use crate::written::{chained, draft, drafts, first_bad, folder, raw, run, write};

/// A journal that is edited, looked at, and put back, many times.
struct Edited {
    state: TempDir,
    raw: SqliteConnection,
    journal: SqliteJournal,
    entries: Vec<Entry>,
    tried: usize,
    missed: Vec<String>,
}

impl Edited {
    async fn new() -> Self {
        let state = folder();
        let entries = write(state.path()).await;
        let mut raw = raw(state.path()).await;
        run(&mut raw, "CREATE TEMP TABLE original AS SELECT * FROM entries").await;
        let journal = SqliteJournal::new(state.path(), "lab");
        Self { state, raw, journal, entries, tried: 0, missed: Vec::new() }
    }

    /// Looks at what was just edited: it must be noticed, with the first bad entry within `named`.
    async fn look(&mut self, what: &str, named: RangeInclusive<u64>) {
        self.tried += 1;
        let bad = first_bad(&self.journal).await;
        let place = bad.as_deref().and_then(|bad| {
            let digits = bad.strip_prefix("entry ")?.trim_start_matches("in place ");
            digits.split(' ').next()?.parse::<u64>().ok()
        });
        if !place.is_some_and(|place| named.contains(&place)) {
            self.missed.push(format!("{what}: {bad:?}"));
        }
    }

    async fn put_back(&mut self) {
        run(&mut self.raw, "BEGIN; DELETE FROM entries; INSERT INTO entries SELECT * FROM original; COMMIT")
            .await;
    }

    /// Runs the statements, looks, puts back.
    async fn sql(&mut self, sql: &str, named: RangeInclusive<u64>) {
        run(&mut self.raw, &format!("BEGIN; {sql}; COMMIT")).await;
        self.look(sql, named).await;
        self.put_back().await;
    }

    /// Puts `entries` in the place of all, looks, puts back.
    async fn rows(&mut self, what: &str, entries: &[Entry], named: RangeInclusive<u64>) {
        run(&mut self.raw, "BEGIN; DELETE FROM entries").await;
        for entry in entries {
            let kind = serde_json::to_value(entry.kind).unwrap();
            sqlx::query("INSERT INTO entries (seq, run, at, kind, body, prev, hash) VALUES (?,?,?,?,?,?,?)")
                .bind(i64::try_from(entry.seq).unwrap())
                .bind(&entry.run)
                .bind(entry.at.to_string())
                .bind(kind.as_str().unwrap())
                .bind(canonical(&entry.body))
                .bind(&entry.prev)
                .bind(&entry.hash)
                .execute(&mut self.raw)
                .await
                .unwrap();
        }
        run(&mut self.raw, "COMMIT").await;
        self.look(what, named).await;
        self.put_back().await;
    }

    async fn bytes(&mut self, column: &str, seq: u64, bytes: &[u8], what: &str) {
        let sql = format!("UPDATE entries SET {column} = CAST(? AS TEXT) WHERE seq = {seq}");
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(bytes).execute(&mut self.raw).await.unwrap();
        self.look(&format!("{column} of {seq}: {what}"), seq..=seq).await;
    }

    /// All noticed; and what was put back is what was written.
    async fn done(self, what: &str) {
        assert_eq!(first_bad(&self.journal).await, None);
        let (tried, detected) = (self.tried, self.tried - self.missed.len());
        println!("{what}: {tried} edits tried, {detected} detected and named");
        assert!(tried > 0 && self.missed.is_empty(), "{what}, not noticed:\n{}", self.missed.join("\n"));
        drop(self.state);
    }
}

fn columns(entry: &Entry) -> [(&'static str, String); 6] {
    let kind = serde_json::to_value(entry.kind).unwrap();
    [
        ("run", entry.run.clone()),
        ("at", entry.at.to_string()),
        ("kind", kind.as_str().unwrap().to_owned()),
        ("body", canonical(&entry.body)),
        ("prev", entry.prev.clone()),
        ("hash", entry.hash.clone()),
    ]
}

#[tokio::test]
async fn no_byte_of_any_column_can_be_another_one() {
    let mut edited = Edited::new().await;
    for entry in edited.entries.clone() {
        for (column, text) in columns(&entry) {
            let text = text.as_bytes();
            for at in 0..text.len() {
                // The next letter, the other case, no text at all.
                for bit in [0x01, 0x20, 0x80] {
                    let mut other = text.to_vec();
                    other[at] ^= bit;
                    edited.bytes(column, entry.seq, &other, &format!("byte {at} ^ {bit:#x}")).await;
                }
                if column == "body" {
                    let (left, right) = text.split_at(at);
                    edited
                        .bytes(column, entry.seq, &[left, &right[1..]].concat(), &format!("without {at}"))
                        .await;
                    edited
                        .bytes(column, entry.seq, &[left, b" ", right].concat(), &format!("a space at {at}"))
                        .await;
                }
            }
            edited.bytes(column, entry.seq, b"", "nothing").await;
            edited.bytes(column, entry.seq, &[text, b"x"].concat(), "one more").await;
            edited.put_back().await;
        }
    }
    edited.done("bytes of columns").await;
}

#[tokio::test]
async fn the_same_in_another_spelling_is_an_edit() {
    let mut edited = Edited::new().await;
    for (seq, column, from, to) in [
        (1, "body", r#"{"digest":"d0","#, r#"{"digest":"lie","digest":"d0","#),
        (1, "body", "P1", r"\u00501"),
        (2, "body", "[null,", "[ null,"),
        (4, "body", "6.934698245112694e+276", "69.34698245112694e+275"),
        (2, "at", "08:00:01.5Z", "08:00:01.500Z"),
        (2, "at", "08:00:01.5Z", "09:00:01.5+01:00"),
        (3, "kind", "step_outcome", "step_outcome "),
        (3, "hash", "", " "),
    ] {
        let text = columns(&edited.entries[seq - 1]).into_iter().find(|(name, _)| *name == column).unwrap().1;
        let other = if from.is_empty() { format!("{text}{to}") } else { text.replacen(from, to, 1) };
        assert_ne!(other, text, "{from} stands in {text}");
        edited.bytes(column, seq as u64, other.as_bytes(), to).await;
        edited.put_back().await;
    }
    edited.done("other spellings").await;
}

#[tokio::test]
async fn no_entry_can_be_taken_out_or_change_its_place() {
    let mut edited = Edited::new().await;
    let n = edited.entries.len() as u64;
    for k in 1..=n {
        edited.sql(&format!("DELETE FROM entries WHERE seq = {k}"), k..=k).await;
        let renumbered = format!(
            "DELETE FROM entries WHERE seq = {k}; UPDATE entries SET seq = -seq WHERE seq > {k}; \
             UPDATE entries SET seq = -seq - 1 WHERE seq < 0"
        );
        edited.sql(&renumbered, k..=k).await;
        edited.sql(&format!("DELETE FROM entries WHERE seq > {}", n - k), n - k + 1..=n - k + 1).await;
        edited.sql(&format!("DELETE FROM entries WHERE seq <= {k}"), 1..=1).await;
        for place in [-1, 0, 1_000, i64::MAX, i64::MIN] {
            let first = if place < 1 { 0 } else { k };
            let named = if place < 1 { 0..=1 } else { first..=first };
            edited.sql_place(k, place, named).await;
        }
    }
    for k in 1..n {
        let swapped = format!(
            "UPDATE entries SET seq = -1 WHERE seq = {k}; UPDATE entries SET seq = {k} WHERE seq = {k} + 1; \
             UPDATE entries SET seq = {k} + 1 WHERE seq = -1"
        );
        edited.sql(&swapped, k..=k).await;
    }
    edited.done("deletions, moves, swaps").await;
}

impl Edited {
    /// A place before the first is looked at first, whichever entry stands there.
    async fn sql_place(&mut self, k: u64, place: i64, named: RangeInclusive<u64>) {
        let sql = format!("UPDATE entries SET seq = {place} WHERE seq = {k}");
        run(&mut self.raw, &sql).await;
        if place < 0 {
            self.tried += 1;
            let bad = first_bad(&self.journal).await.unwrap_or_default();
            if !bad.starts_with(&format!("entry {place} can't be read")) {
                self.missed.push(format!("{sql}: {bad}"));
            }
        } else {
            self.look(&sql, named).await;
        }
        self.put_back().await;
    }
}

#[tokio::test]
async fn no_entry_can_be_put_in_between() {
    let mut edited = Edited::new().await;
    let entries = edited.entries.clone();
    let n = entries.len() as u64;
    for place in 1..=n + 1 {
        let at = usize::try_from(place).unwrap() - 1;
        let shifted = |new: Entry| {
            let mut all = entries.clone();
            all.insert(at, new);
            for (seq, entry) in (1..).zip(&mut all) {
                entry.seq = seq;
            }
            all
        };
        for copied in &entries {
            let what = format!("a copy of {} at {place}", copied.seq);
            // A copy after itself does not differ before its own place.
            edited.rows(&what, &shifted(copied.clone()), place..=place + 1).await;
        }
        let mut forged = entries[0].clone();
        forged.body = json!({ "plan": { "plan_id": "P9" } });
        let alone = shifted(forged.clone());
        edited.rows(&format!("forged at {place}"), &alone, place..=place).await;
        // With its own hash right, it is the next one that does not go on from it.
        let mut linked = alone.clone();
        linked[at] = chained(&alone)[at].clone();
        edited.rows(&format!("forged and linked at {place}"), &linked, place..=place + 1).await;
    }
    edited.done("insertions").await;
}

#[tokio::test]
async fn a_chain_that_was_made_to_fit_is_held_against_the_anchor() {
    let mut edited = Edited::new().await;
    let entries = edited.entries.clone();
    let n = entries.len() as u64;
    for at in 0..entries.len() {
        let place = at as u64 + 1;
        let mut changed = entries.clone();
        changed[at].body = json!({ "n": "another" });
        edited.rows(&format!("rewritten from {place}"), &chained(&changed), n..=n).await;
        let mut less = entries.clone();
        less.remove(at);
        edited.rows(&format!("without {place}, chained"), &chained(&less), n..=n).await;
        for place in 0..=entries.len() {
            let mut more = entries.clone();
            more.insert(place, changed[at].clone());
            let named = if place == entries.len() { n + 1..=n + 1 } else { n..=n };
            edited.rows(&format!("one more at {place}, chained"), &chained(&more), named).await;
        }
        let mut swapped = entries.clone();
        swapped.swap(at, (at + 1) % entries.len());
        edited.rows(&format!("{place} swapped, chained"), &chained(&swapped), n..=n).await;
    }
    edited.done("chains made to fit").await;
}

#[tokio::test]
async fn nothing_is_added_to_a_journal_that_lost_its_end_and_what_to_do_is_said() {
    let mut edited = Edited::new().await;
    for kept in 0..edited.entries.len() {
        run(&mut edited.raw, &format!("DELETE FROM entries WHERE seq > {kept}")).await;
        let next = draft(9, "R9", ratiba_core::journal::EntryKind::RunStarted, Value::Null);
        for refused in [
            edited.journal.append(next).await.map(|_| ()),
            edited.journal.use_plan("P9", "d9").await.map(|_| ()),
        ] {
            let Err(error @ JournalError::Damaged { .. }) = refused else { panic!("{refused:?}") };
            let said = error.to_string();
            for word in [
                &format!("entry {} is missing", kept + 1),
                "lab.sqlite",
                "lab.anchor",
                "move it",
                "keep both",
            ] {
                assert!(said.contains(word), "{word} in {said}");
            }
        }
        edited.put_back().await;
    }
    let next = drafts().remove(1);
    assert_eq!(edited.journal.append(next).await.unwrap().seq, edited.entries.len() as u64 + 1);
    assert_eq!(first_bad(&edited.journal).await, None);
}

#[tokio::test]
async fn a_plan_stays_used_when_its_mark_is_deleted() {
    let mut edited = Edited::new().await;
    // Its run is in the chain: its mark is not needed.
    assert!(!edited.journal.use_plan("P1", "d1").await.unwrap());
    assert!(edited.journal.use_plan("P5", "d5").await.unwrap());
    assert!(!edited.journal.use_plan("P5", "d5").await.unwrap());
    // Who takes the run out as well is noticed.
    run(
        &mut edited.raw,
        "DELETE FROM used_plans; UPDATE entries SET body = replace(body, 'P1', 'P0') WHERE seq = 1",
    )
    .await;
    let refused = edited.journal.use_plan("P1", "d1").await;
    assert!(
        matches!(&refused, Err(JournalError::Damaged { damage, .. }) if damage.contains("entry 1 ")),
        "{refused:?}"
    );
}
