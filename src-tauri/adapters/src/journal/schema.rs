//! The journal's tables. Entries can be added, never changed or removed.

use ratiba_core::journal::Anchor;
use sqlx::{Row, SqliteConnection};

use super::{Trouble, anchor::AnchorFile, row};

/// Each step is run once, in order; the file remembers how far it is in `user_version`.
const STEPS: &[&str] = &[
    "
    CREATE TABLE entries (
        seq INTEGER PRIMARY KEY, run TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,
        body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL
    ) STRICT;
    CREATE INDEX entries_run ON entries (run);
    CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TABLE plans (plan_id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
    CREATE TABLE used_plans (plan_id TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT;
    PRAGMA user_version = 1;
    ",
    // From here on the journal has an anchor.
    "PRAGMA user_version = 2;",
];

/// The step that comes with the anchor.
const ANCHORED: usize = 1;

pub(super) async fn migrate(connection: &mut SqliteConnection, anchor: &AnchorFile) -> Result<(), Trouble> {
    loop {
        // Two consoles may open a new file at once: one migrates, the other finds it done.
        let mut tx = sqlx::Connection::begin_with(&mut *connection, "BEGIN IMMEDIATE").await?;
        let version: i64 = sqlx::query("PRAGMA user_version").fetch_one(&mut *tx).await?.try_get(0)?;
        let version = usize::try_from(version).ok().filter(|v| *v <= STEPS.len());
        let Some(version) = version else {
            return Err(Trouble::Said("it was written by a newer console: use that one".into()));
        };
        let Some(step) = STEPS.get(version) else { return Ok(()) };
        // An anchor that is there is never replaced: it is what this file is held against.
        if version == ANCHORED && anchor.kept().map_err(Trouble::Said)?.is_none() {
            anchor.write(&Anchor::at(row::last(&mut tx).await?))?;
        }
        sqlx::raw_sql(*step).execute(&mut *tx).await?;
        tx.commit().await?;
    }
}
