//! The journal in SQLite: WAL, synchronous=FULL, append-only, anchored outside of its file. What
//! `append` returned is on disk, and can't go missing unnoticed.

mod anchor;
mod durable;
mod lock;
mod row;
mod schema;

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use ratiba_core::{
    journal::{Anchor, Entry, EntryDraft, History, Link, Unreadable, chain_hash},
    ports::{JournalError, JournalStore, TargetLock},
    remedy::Plan,
};
use sqlx::{
    Connection, Row, Sqlite, SqliteConnection, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::Mutex;

use anchor::AnchorFile;

/// A journal in one file, shared with other consoles.
pub struct SqliteJournal {
    path: PathBuf,
    anchor: AnchorFile,
    locks: PathBuf,
    connected: Mutex<Option<Connected>>,
}

struct Connected {
    connection: SqliteConnection,
    /// The file it writes to: another one may be in its place by now.
    file: FileId,
}

/// Device and number.
type FileId = (u64, u64);

/// What can go wrong with the file or its anchor.
enum Trouble {
    Sqlite(sqlx::Error),
    File(std::io::Error),
    Said(String),
    /// It is not what was written.
    Damaged(String),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::File(error)
    }
}

fn trouble(attempted: &str, error: impl std::fmt::Display) -> JournalError {
    JournalError::Store { attempted: attempted.to_owned(), happened: error.to_string() }
}

impl SqliteJournal {
    /// The journal `name` in the console's folder `state`: `journals/NAME.sqlite`,
    /// `anchors/NAME.anchor`, and `locks`. Made at the first use.
    pub fn new(state: &Path, name: &str) -> Self {
        Self {
            path: state.join("journals").join(format!("{name}.sqlite")),
            anchor: AnchorFile { path: state.join("anchors").join(format!("{name}.anchor")) },
            locks: state.join("locks"),
            connected: Mutex::new(None),
        }
    }

    /// Closes the file, and returns when it is closed: dropped, it is closed by a thread at some
    /// later time, and until then nobody else can have the file to themselves.
    ///
    /// # Errors
    /// Where SQLite can't close it; what was appended is on disk all the same.
    pub async fn close(self) -> Result<(), JournalError> {
        match self.connected.into_inner() {
            Some(open) => open.connection.close().await.map_err(|e| trouble("close the journal", e)),
            None => Ok(()),
        }
    }

    async fn open(&self) -> Result<Connected, Trouble> {
        if let Some(gone) = self.gone() {
            let anchor = gone.anchor.map_err(Trouble::Said)?;
            return Err(Trouble::Damaged(format!(
                "all {} entries are missing: the file is gone",
                anchor.confirmed.seq
            )));
        }
        if let Some(dir) = self.path.parent() {
            durable::folder(dir)?;
        }
        // One after the other: where two make a new file a WAL file at once, SQLite calls it locked
        // to one of them without a wait, whatever `busy_timeout` says.
        let _turn = lock::to_open(&self.path).await?;
        // Made by hand first: SQLite would make it with the umask's rights, and its WAL follows.
        durable::file(&self.path)?;
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("fullfsync", "1")
            .pragma("checkpoint_fullfsync", "1")
            .busy_timeout(Duration::from_secs(10));
        let mut connection = SqliteConnection::connect_with(&options).await?;
        schema::migrate(&mut connection, &self.anchor).await?;
        Ok(Connected { connection, file: self.file_id()? })
    }

    fn file_id(&self) -> std::io::Result<FileId> {
        let file = fs::metadata(&self.path)?;
        Ok((file.dev(), file.ino()))
    }

    /// The journal, where there is an anchor and no file: it is not made anew, so that a copy can be
    /// put in its place.
    fn gone(&self) -> Option<History> {
        let anchor = self.anchor.kept().transpose()?;
        let has_entries = anchor.as_ref().is_ok_and(|a| a.confirmed.seq > 0);
        (has_entries && self.path.try_exists().is_ok_and(|there| !there))
            .then_some(History { rows: Vec::new(), anchor })
    }

    /// Runs `work` on the one connection; after an error it is opened anew.
    async fn with<T>(
        &self,
        attempted: &str,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, Trouble>,
    ) -> Result<T, JournalError> {
        let mut connected = self.connected.lock().await;
        let mut open = match connected.take() {
            // Else what is written would be lost with a file that was moved away or replaced.
            Some(open) if self.file_id().is_ok_and(|id| id == open.file) => open,
            _ => self
                .open()
                .await
                .map_err(|t| self.told(&format!("open the journal {}", self.path.display()), t))?,
        };
        let outcome = work(&mut open.connection).await;
        if outcome.is_ok() {
            *connected = Some(open);
        }
        outcome.map_err(|t| self.told(attempted, t))
    }

    fn told(&self, attempted: &str, error: Trouble) -> JournalError {
        match error {
            Trouble::Sqlite(error) => trouble(attempted, error),
            Trouble::File(error) => trouble(attempted, error),
            Trouble::Said(what) => trouble(attempted, what),
            Trouble::Damaged(damage) => JournalError::Damaged {
                attempted: attempted.to_owned(),
                damage: format!("the journal is not what was written: {damage}"),
                what_to_do: format!(
                    "Put a copy of {} back, or move it and {} away, and keep both: a new journal begins",
                    self.path.display(),
                    self.anchor.path.display()
                ),
            },
        }
    }

    /// First half of an append: the entry is in the file, the anchor knows of it.
    async fn write(&self, connection: &mut SqliteConnection, draft: EntryDraft) -> Result<Entry, Trouble> {
        // IMMEDIATE: two consoles must not both read the same last entry.
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
        let last = row::last(&mut tx).await?;
        let seq = last.seq + 1;
        let hash = chain_hash(&last.hash, seq, &draft);
        let anchor = self.anchor.read().map_err(Trouble::Damaged)?;
        let pending = anchor.before(&last, Link { seq, hash: hash.clone() }).map_err(Trouble::Damaged)?;
        let entry = Entry {
            seq,
            run: draft.run,
            at: draft.at,
            kind: draft.kind,
            body: draft.body,
            prev: last.hash,
            hash,
        };
        // Before the commit: were it after, a power cut between the two would leave an entry that
        // could as well be a forged one.
        self.anchor.write(&pending)?;
        row::insert(&entry).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(entry)
    }

    /// Second half: from now on the entry can't go missing unnoticed.
    async fn confirm(&self, connection: &mut SqliteConnection, entry: &Entry) -> Result<(), Trouble> {
        let _lock = connection.begin_with("BEGIN IMMEDIATE").await?;
        let anchor = self.anchor.read().map_err(Trouble::Damaged)?;
        let this = Link::from(entry);
        if anchor.pending.as_ref() == Some(&this) {
            self.anchor.write(&Anchor::at(this))?;
        } else if anchor.confirmed.seq < this.seq {
            let seq = this.seq;
            return Err(Trouble::Damaged(format!(
                "entry {seq} was just written, and its anchor was changed"
            )));
        }
        // Else another console's entry came after this one, and confirmed it.
        Ok(())
    }

    /// Rows and anchor, while nobody writes.
    async fn history_in(&self, tx: &mut Transaction<'_, Sqlite>) -> Result<History, Trouble> {
        let rows = sqlx::query(row::SELECT).bind(None::<&str>).fetch_all(&mut **tx).await?;
        Ok(History { rows: rows.iter().map(row::entry).collect(), anchor: self.anchor.read() })
    }
}

#[async_trait]
impl JournalStore for SqliteJournal {
    async fn append(&self, draft: EntryDraft) -> Result<Entry, JournalError> {
        self.with("write the journal", async |connection| {
            let entry = self.write(connection, draft).await?;
            self.confirm(connection, &entry).await?;
            Ok(entry)
        })
        .await
    }

    async fn entries(&self, run: Option<&str>) -> Result<Vec<Entry>, JournalError> {
        self.with("read the journal", async |connection| {
            let rows = sqlx::query(row::SELECT).bind(run).fetch_all(connection).await?;
            let unread = |bad: Unreadable| Trouble::Said(format!("an entry can't be read: {}", bad.why));
            rows.iter().map(|row| row::entry(row).map_err(unread)).collect()
        })
        .await
    }

    async fn history(&self) -> Result<History, JournalError> {
        if let Some(gone) = self.gone() {
            return Ok(gone);
        }
        self.with("read the journal", async |connection| {
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            self.history_in(&mut tx).await
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
                Ok(sqlx::query("SELECT body FROM plans WHERE plan_id = ?")
                    .bind(plan_id)
                    .fetch_optional(connection)
                    .await?)
            })
            .await?;
        let Some(row) = row else { return Ok(None) };
        let body: String = row.try_get("body").map_err(|e| trouble("read the plan", e))?;
        serde_json::from_str(&body).map(Some).map_err(|e| trouble("read the plan", e))
    }

    async fn use_plan(&self, plan_id: &str, digest: &str) -> Result<bool, JournalError> {
        self.with("use the plan", async |connection| {
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            let history = self.history_in(&mut tx).await?;
            if let Some(damage) = history.first_bad() {
                return Err(Trouble::Damaged(damage));
            }
            // Its mark can be deleted; the run that used it can't be, unnoticed.
            if history.has_begun(plan_id) {
                return Ok(false);
            }
            // The primary key decides which of two users was first.
            let done = sqlx::query("INSERT OR IGNORE INTO used_plans (plan_id, digest) VALUES (?, ?)")
                .bind(plan_id)
                .bind(digest)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    async fn target_holder(&self, target: &str) -> Result<Option<String>, JournalError> {
        lock::holder(&self.locks, target)
    }

    async fn lock_target(&self, target: &str, holder: &str) -> Result<TargetLock, JournalError> {
        lock::take(&self.locks, target, holder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_synced_also_on_macos() {
        let state = tempfile::tempdir().unwrap();
        let mut open = SqliteJournal::new(state.path(), "lab").open().await.ok().unwrap();
        for (pragma, set) in
            [("synchronous", "2"), ("journal_mode", "wal"), ("fullfsync", "1"), ("checkpoint_fullfsync", "1")]
        {
            let sql = format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}");
            let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut open.connection).await.unwrap();
            assert_eq!(row.get::<String, _>(0), set, "{pragma}");
        }
    }
}
