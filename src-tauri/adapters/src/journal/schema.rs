//! The journal's tables. Entries can be added, never changed or removed.

use sqlx::{Row, SqliteConnection};

/// Each step is run once, in order; the file remembers how far it is in `user_version`.
const STEPS: &[&str] = &["
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
"];

pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    loop {
        // Two consoles may open a new file at once: one migrates, the other finds it done.
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        let version: i64 =
            sqlx::query("PRAGMA user_version").fetch_one(&mut *connection).await?.try_get(0)?;
        let step = usize::try_from(version).ok().and_then(|v| STEPS.get(v));
        if let Some(step) = step {
            sqlx::raw_sql(*step).execute(&mut *connection).await?;
        }
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        if step.is_none() {
            return Ok(());
        }
    }
}
