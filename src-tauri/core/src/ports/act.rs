//! Everything that changes the stack. Only a confirmed plan's steps get hold of these.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FileFacts, HttpAnswer, Read, RedisValue, SqlRead, not_configured};
use crate::{
    model::{SourceError, SourceName},
    playbook::step::{BackupOf, DotenvValue, HttpCall},
};

/// How long a command may take, and who may stop it before.
pub struct CommandLimits<'a> {
    /// The time after which it is ended.
    pub deadline: Duration,
    /// Becomes ready when the operator wants it to stop.
    pub stop: BoxFuture<'a, ()>,
}

/// The longest line of output that an adapter passes on, in bytes. Longer ones are cut, for memory's
/// sake; what is shown of a line is far less.
pub const LONGEST_RAW_LINE: usize = 512 * 1_024;

/// How a command ended. Whatever was ended by force was looked at again: `left` says what still
/// goes on, in words; `None`: nothing does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum CommandEnd {
    /// It exited.
    Exited {
        /// Its exit code; -1 when a signal ended it.
        code: i32,
    },
    /// The deadline passed and it was ended.
    TimedOut {
        /// What still goes on.
        left: Option<String>,
    },
    /// The operator stopped it.
    Stopped {
        /// What still goes on.
        left: Option<String>,
    },
}

/// The compose CLI, for actions.
#[async_trait]
pub trait ComposeCommands: Send + Sync {
    /// Runs `argv`, giving each output line to `line`. Own process group; TERM, wait, KILL when
    /// the deadline passes or the operator stops it.
    async fn run(
        &self,
        argv: &[String],
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError>;
}

/// One guarded change in one transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SqlChange {
    /// Statements that must still give exactly these rows; run first, in the same transaction.
    pub guards: Vec<SqlGuard>,
    /// The statement that changes something. `RETURNING` rows are its output.
    pub sql: String,
    /// Its bound values.
    pub params: Vec<Value>,
    /// Rows it must touch; anything else rolls back.
    pub expect_rows: u64,
    /// Advisory lock taken for the transaction (`pg_try_advisory_xact_lock`).
    pub lock: String,
    /// Who changes it, for the one who finds the lock taken; shown as the session's name.
    pub holder: String,
    /// `system_identifier` and database the transaction must find itself in.
    pub identity: (String, String),
    /// For what can't be taken back: the backups there are. The transaction may touch no table
    /// that none of them has.
    pub backed_up: Option<Vec<BackupOf>>,
    /// Whether an undo brings back its rows: then it may change none but those.
    pub has_undo: bool,
}

/// A statement and the rows it must give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SqlGuard {
    /// What it makes sure of, in words.
    pub what: String,
    /// The statement; may take row locks.
    pub read: SqlRead,
    /// The rows as JSON objects.
    pub expect: Vec<Value>,
}

/// Why a guarded change did not happen. Nothing was changed in any of these cases but `Unknown`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChangeError {
    /// A guard gave other rows than planned.
    #[error("{what} changed since the plan was made")]
    GuardChanged {
        /// The guard's words.
        what: String,
        /// Rows at plan time.
        planned: Vec<Value>,
        /// Rows now.
        now: Vec<Value>,
    },
    /// Other rows than expected would have been touched; rolled back.
    #[error("the statement touched {touched} rows, {expected} were planned; rolled back")]
    RowCount {
        /// Rows planned.
        expected: u64,
        /// Rows touched.
        touched: u64,
    },
    /// Triggers or foreign keys changed rows beside the statement's, which its undo would not bring
    /// back; rolled back.
    #[error(
        "the transaction changed or deleted more rows than the {expected} of its statement ({}): a trigger or a \
         foreign key did, and the undo would not bring that back; rolled back",
        .tables.join(", ")
    )]
    MoreRows {
        /// Rows of the statement.
        expected: u64,
        /// How many rows in which tables.
        tables: Vec<String>,
    },
    /// It would have lost what no backup has; rolled back.
    #[error("the statement changes what no backup of this run has: {}; rolled back", .tables.join(", "))]
    NotBackedUp {
        /// The tables.
        tables: Vec<String>,
    },
    /// Another console holds the lock.
    #[error("another console is applying a change here: {holder}")]
    Locked {
        /// What is known about the holder.
        holder: String,
    },
    /// The connection now leads to another server or database than the plan's.
    #[error("this is not the database the plan was made for: {now}")]
    OtherTarget {
        /// What was found instead.
        now: String,
    },
    /// The database refused or could not be reached before the commit.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What was to be done could not be recorded before the commit; rolled back.
    #[error("{0}; rolled back")]
    NotRecorded(String),
    /// The commit's answer was lost: it may or may not have happened.
    #[error("the commit was sent but its answer was lost ({why}); transaction {xid} tells")]
    Unknown {
        /// The transaction's id, from `pg_current_xact_id()`.
        xid: String,
        /// The rows it returned, if it happened.
        rows: Vec<Value>,
        /// What happened to the connection.
        why: String,
    },
}

/// Told about a transaction when everything in it is done and the commit is not yet sent.
#[async_trait]
pub trait BeforeCommit: Send + Sync {
    /// The transaction's id and the rows it will have returned. An error rolls back.
    async fn prepared(&self, xid: &str, rows: &[Value]) -> Result<(), String>;
}

/// Writing to Postgres.
#[async_trait]
pub trait DatabaseChanges: Send + Sync {
    /// Carries out one guarded change and gives its `RETURNING` rows.
    async fn change(&self, change: &SqlChange, before: &dyn BeforeCommit) -> Result<Vec<Value>, ChangeError>;
}

/// One compare-and-set in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisChange {
    /// The key.
    pub key: String,
    /// The field, where the key is a hash.
    pub field: Option<String>,
    /// What must be there. What time it has left to live is not compared.
    pub expect: RedisValue,
    /// What will be there; `None`: nothing.
    pub value: Option<String>,
    /// Milliseconds a key made by this will live; one that is there keeps its own.
    pub ttl_ms: Option<i64>,
    /// The server that must do it.
    pub run_id: String,
}

/// Writing to Redis.
#[async_trait]
pub trait RedisChanges: Send + Sync {
    /// Compares and sets in one, and gives what is there right after;
    /// [`ChangeError::GuardChanged`] when something else was there.
    async fn set(&self, change: &RedisChange) -> Result<RedisValue, ChangeError>;
}

/// What one key of the `.env` becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DotenvChange {
    /// The key.
    pub key: String,
    /// What it becomes.
    pub to: DotenvValue,
    /// Keep only the last of several.
    pub only_one: bool,
    /// The file as it must be.
    pub expect: FileFacts,
}

/// A copy of the `.env`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DotenvKept {
    /// The copy's path.
    pub copy: String,
    /// Its keyed fingerprint.
    pub fingerprint: String,
    /// The fingerprint that the file will have after the change.
    pub becomes: String,
}

/// Writing to the `.env`.
#[async_trait]
pub trait DotenvChanges: Send + Sync {
    /// Copies the file to where only its owner can read it, and says what the change will make of
    /// it. Nothing of the stack is changed.
    async fn keep(&self, name: &str, change: &DotenvChange) -> Result<DotenvKept, ChangeError>;
    /// Changes the file in one, and gives how it is then.
    async fn set(&self, change: &DotenvChange) -> Result<FileFacts, ChangeError>;
}

/// A patch of the checkout.
#[derive(Debug, Clone, Copy)]
pub struct PatchChange<'a> {
    /// The diff.
    pub diff: &'a str,
    /// Backwards.
    pub reverse: bool,
    /// The files as they must be.
    pub expect: &'a [FileFacts],
    /// The modes that files get again, by path; others keep the one they have.
    pub modes: Option<&'a BTreeMap<String, String>>,
    /// The fingerprints of what files must become, by path; one that is not named must go.
    pub contents: Option<&'a BTreeMap<String, String>>,
}

/// Writing to the checkout.
#[async_trait]
pub trait RepoChanges: Send + Sync {
    /// Applies a patch, and gives how its files are then.
    async fn apply(&self, change: &PatchChange<'_>) -> Result<Vec<FileFacts>, ChangeError>;
}

/// A command in a running container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExecCommand {
    /// The container's id.
    pub container: String,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Put in its environment as `RATIBA_STEP`, so that it can be found again.
    pub mark: String,
    /// A file that becomes its standard input.
    pub input: Option<PathBuf>,
    /// A file that its standard output goes to, instead of line by line.
    pub output: Option<PathBuf>,
}

/// Running commands in containers.
#[async_trait]
pub trait ContainerCommands: Send + Sync {
    /// Runs a command in a running container, giving each line of its output to `line`. At the
    /// deadline, or when it is stopped, the process itself is ended, not only the connection.
    async fn exec(
        &self,
        command: &ExecCommand,
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError>;
    /// Removes the container `name`, if it is there: a one-off one whose command was ended.
    async fn remove(&self, name: &str) -> Result<(), SourceError>;
    /// Runs `argv` in a container called `name`, without a network, made from the image of `like`, with
    /// these volumes mounted (`name:/path` or `name:/path:ro`), and removes it. One of that name that is
    /// there already is removed first, and what it did ends.
    async fn with_volumes(
        &self,
        name: &str,
        like: &str,
        volumes: &[String],
        argv: &[String],
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError>;
}

/// Calling HTTP endpoints.
#[async_trait]
pub trait HttpCalls: Send + Sync {
    /// Makes a call. An error of kind `TimedOut` means that it may have been carried out.
    async fn call(&self, call: &HttpCall) -> Result<HttpAnswer, SourceError>;
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupMade {
    /// The file, or the volume.
    pub place: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of the file, or of the volume's list of files and their sums.
    pub sha256: String,
    /// What it holds, in words.
    pub holds: String,
    /// How the trial restore went, in words.
    pub trial: String,
    /// How a person restores it: on each line what a command does, and the command.
    pub restore: String,
    /// What it has beside what it is of: a table's partitions.
    #[serde(default)]
    pub also: Vec<BackupOf>,
}

/// Why there is no backup that can be relied on. Nothing of the stack was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// It was stopped by the operator.
    #[error("stopped by the operator; {0}")]
    Stopped(String),
    /// It could not be made, or what it gave back was not what it took.
    #[error("{0}")]
    Failed(String),
}

impl BackupError {
    /// The same, and `more` said after it.
    pub fn and(self, more: &str) -> Self {
        match self {
            Self::Stopped(why) => Self::Stopped(why + more),
            Self::Failed(why) => Self::Failed(why + more),
        }
    }
}

/// Making backups.
#[async_trait]
pub trait Backups: Send + Sync {
    /// Makes a backup under `name`, restores it for trial beside the original, compares, and
    /// removes the trial again.
    async fn make(
        &self,
        of: &BackupOf,
        name: &str,
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<BackupMade, BackupError>;
    /// Looks whether a backup is still where it was put, as it was made; if not, says what is wrong.
    async fn check(&self, of: &BackupOf, made: &BackupMade) -> Result<(), String>;
}

/// All that can change one stack. `None`: the profile does not say where it is.
#[derive(Clone)]
pub struct Acts {
    /// Its compose CLI.
    pub compose: Arc<dyn ComposeCommands>,
    /// Its containers.
    pub containers: Arc<dyn ContainerCommands>,
    /// Its Postgres.
    pub database: Option<Arc<dyn DatabaseChanges>>,
    /// Its Redis.
    pub redis: Option<Arc<dyn RedisChanges>>,
    /// Its `.env`.
    pub dotenv: Option<Arc<dyn DotenvChanges>>,
    /// Its checkout.
    pub repo: Option<Arc<dyn RepoChanges>>,
    /// Its HTTP endpoints.
    pub http: Arc<dyn HttpCalls>,
    /// Where its backups go.
    pub backups: Arc<dyn Backups>,
}

impl Acts {
    /// Postgres, or the error that says that the profile has none.
    pub fn database(&self) -> Read<&dyn DatabaseChanges> {
        self.database.as_deref().ok_or_else(|| not_configured(SourceName::Postgres, "[postgres] url"))
    }

    /// Redis, or the error that says that the profile has none.
    pub fn redis(&self) -> Read<&dyn RedisChanges> {
        self.redis.as_deref().ok_or_else(|| not_configured(SourceName::Redis, "[redis] url"))
    }

    /// The `.env`, or the error that says that the profile has none.
    pub fn dotenv(&self) -> Read<&dyn DotenvChanges> {
        self.dotenv.as_deref().ok_or_else(|| not_configured(SourceName::Repo, "[repo] path or [repo] dotenv"))
    }

    /// The checkout, or the error that says that the profile has none.
    pub fn repo(&self) -> Read<&dyn RepoChanges> {
        self.repo.as_deref().ok_or_else(|| not_configured(SourceName::Repo, "[repo] path"))
    }
}
