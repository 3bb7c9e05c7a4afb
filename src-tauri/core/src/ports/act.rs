//! Everything that changes the stack. Only a confirmed plan's steps get hold of these.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{ChangeError, DatabaseChanges, FileFacts, HttpAnswer, PatchOf, Read, RedisValue, not_configured};
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
    /// The patch.
    pub of: PatchOf<'a>,
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
    /// How a patch would leave its files. Nothing of the checkout is changed.
    async fn becomes(&self, change: &PatchChange<'_>) -> Result<Vec<FileFacts>, ChangeError>;
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
