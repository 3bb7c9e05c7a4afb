//! The journal in SQLite: WAL, synchronous=FULL, append-only. What `append` returned is on disk.

mod lock;
mod schema;

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use ratiba_core::{
    journal::{Entry, EntryDraft, GENESIS, chain_hash},
    ports::{JournalError, JournalStore, TargetLock},
    remedy::Plan,
};
use sqlx::{
    Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};
use tokio::sync::Mutex;

/// A journal in one file, shared with other consoles.
pub struct SqliteJournal {
    path: PathBuf,
    locks: PathBuf,
    connected: Mutex<Option<SqliteConnection>>,
}

fn trouble(attempted: &str, error: impl std::fmt::Display) -> JournalError {
    JournalError::Store { attempted: attempted.to_owned(), happened: error.to_string() }
}

impl SqliteJournal {
    /// The journal at `path`, with its locks in the folder `locks`. Made at the first use.
    pub fn new(path: PathBuf, locks: PathBuf) -> Self {
        Self { path, locks, connected: Mutex::new(None) }
    }

    async fn open(&self) -> Result<SqliteConnection, JournalError> {
        let attempted = format!("open the journal {}", self.path.display());
        if let Some(dir) = self.path.parent() {
            private_dir(dir).map_err(|e| trouble(&attempted, e))?;
        }
        // Made by hand first: SQLite would make it with the umask's rights, and its WAL follows.
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.path)
            .map_err(|e| trouble(&attempted, e))?;
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("fullfsync", "1")
            .busy_timeout(Duration::from_secs(10));
        let mut connection =
            SqliteConnection::connect_with(&options).await.map_err(|e| trouble(&attempted, e))?;
        schema::migrate(&mut connection).await.map_err(|e| trouble(&attempted, e))?;
        Ok(connection)
    }

    /// Runs `work` on the one connection; after an error it is opened anew.
    async fn with<T>(
        &self,
        attempted: &str,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, JournalError> {
        let mut connected = self.connected.lock().await;
        let mut connection = match connected.take() {
            Some(connection) => connection,
            None => self.open().await?,
        };
        let outcome = work(&mut connection).await;
        if outcome.is_ok() {
            *connected = Some(connection);
        }
        outcome.map_err(|e| trouble(attempted, e))
    }
}

fn private_dir(dir: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn entry(row: &SqliteRow) -> Result<Entry, sqlx::Error> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let decoded = |e: serde_json::Error| sqlx::Error::Decode(Box::new(e));
    let at: Timestamp = text("at")?.parse().map_err(|e: jiff::Error| sqlx::Error::Decode(Box::new(e)))?;
    Ok(Entry {
        seq: u64::try_from(row.try_get::<i64, _>("seq")?).unwrap_or(0),
        run: text("run")?,
        at,
        kind: serde_json::from_value(text("kind")?.into()).map_err(decoded)?,
        body: serde_json::from_str(&text("body")?).map_err(decoded)?,
        prev: text("prev")?,
        hash: text("hash")?,
    })
}

#[async_trait]
impl JournalStore for SqliteJournal {
    async fn append(&self, draft: EntryDraft) -> Result<Entry, JournalError> {
        self.with("write the journal", async |connection| {
            // IMMEDIATE: two consoles must not both read the same last entry.
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            let last = sqlx::query("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1")
                .fetch_optional(&mut *tx)
                .await?;
            let (seq, prev) = match last {
                Some(row) => (row.try_get::<i64, _>("seq")? + 1, row.try_get("hash")?),
                None => (1, GENESIS.to_owned()),
            };
            let number = u64::try_from(seq).unwrap_or(0);
            let hash = chain_hash(&prev, number, &draft);
            let kind = serde_json::to_value(draft.kind).ok().and_then(|k| k.as_str().map(str::to_owned));
            sqlx::query(
                "INSERT INTO entries (seq, run, at, kind, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(seq)
            .bind(&draft.run)
            .bind(draft.at.to_string())
            .bind(kind.unwrap_or_default())
            .bind(draft.body.to_string())
            .bind(&prev)
            .bind(&hash)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(Entry {
                seq: number,
                run: draft.run,
                at: draft.at,
                kind: draft.kind,
                body: draft.body,
                prev,
                hash,
            })
        })
        .await
    }

    async fn entries(&self, run: Option<&str>) -> Result<Vec<Entry>, JournalError> {
        self.with("read the journal", async |connection| {
            let rows = sqlx::query("SELECT * FROM entries WHERE ?1 IS NULL OR run = ?1 ORDER BY seq")
                .bind(run)
                .fetch_all(connection)
                .await?;
            rows.iter().map(entry).collect()
        })
        .await
    }

    async fn keep_plan(&self, plan: &Plan) -> Result<(), JournalError> {
        let body = serde_json::to_string(plan).map_err(|e| trouble("keep the plan", e))?;
        self.with("keep the plan", async |connection| {
            sqlx::query("INSERT INTO plans (plan_id, body) VALUES (?, ?)")
                .bind(&plan.plan_id)
                .bind(body)
                .execute(connection)
                .await?;
            Ok(())
        })
        .await
    }

    async fn plan(&self, plan_id: &str) -> Result<Option<Plan>, JournalError> {
        let row = self
            .with("read the plan", async |connection| {
                sqlx::query("SELECT body FROM plans WHERE plan_id = ?")
                    .bind(plan_id)
                    .fetch_optional(connection)
                    .await
            })
            .await?;
        let Some(row) = row else { return Ok(None) };
        let body: String = row.try_get("body").map_err(|e| trouble("read the plan", e))?;
        serde_json::from_str(&body).map(Some).map_err(|e| trouble("read the plan", e))
    }

    async fn use_plan(&self, plan_id: &str, digest: &str) -> Result<bool, JournalError> {
        self.with("use the plan", async |connection| {
            // The primary key decides which of two users was first.
            let done = sqlx::query("INSERT OR IGNORE INTO used_plans (plan_id, digest) VALUES (?, ?)")
                .bind(plan_id)
                .bind(digest)
                .execute(connection)
                .await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    async fn target_holder(&self, target: &str) -> Result<Option<String>, JournalError> {
        lock::holder(&self.locks, target)
    }

    async fn lock_target(&self, target: &str, holder: &str) -> Result<TargetLock, JournalError> {
        private_dir(&self.locks).map_err(|e| trouble("take the lock", e))?;
        lock::take(&self.locks, target, holder)
    }
}
