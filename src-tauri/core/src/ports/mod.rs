//! What the core needs from outside, as operations and not as handles. Adapters implement these
//! over real engines, `ratiba-testkit` in memory.
//!
//! Every operation has a deadline of its own inside the adapter: a port always answers.
//!
//! Here is what only reads; what changes the stack is [`Acts`], and a [`Sources`] can't reach it.

mod act;
mod change;
mod journal;
mod listed_once;
mod logs;
mod look;
mod memory;
mod secrets;
mod sightings;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use act::{
    Acts, BackupError, BackupMade, Backups, CommandEnd, CommandLimits, ComposeCommands, ContainerCommands,
    DotenvChange, DotenvChanges, DotenvKept, ExecCommand, HttpCalls, LONGEST_RAW_LINE, PatchChange,
    RedisChange, RedisChanges, RepoChanges,
};
pub use change::{BeforeCommit, ChangeError, DatabaseChanges, SqlChange, SqlGuard};
pub use journal::{JournalError, JournalStore, TargetLock};
pub use logs::{LogBatch, LogBatches, LogPart, LogPlace, Logs};
pub use look::{
    DotenvShape, EnvironmentVariable, LogFile, Process, PytestCache, PythonFile, RedisKey, RedisScore,
    RepoEntry, RepoHistory, Webhook, WebhookAnswer,
};
pub use memory::Memory;
pub use secrets::{KnownSecrets, NoSecrets, SecretAt, SecretFinder};
pub use sightings::{SightingError, SightingStore};

use crate::{
    model::{ContainerFacts, SourceError, SourceErrorKind, SourceName, TenantRef, TenantSlug, ThreadRecord},
    playbook::step::{ComposeAction, HttpCall, ProjectAction},
};

/// What a read of a source gives.
pub type Read<T> = Result<T, SourceError>;

/// The project's containers, read through the Docker Engine. Reading only.
#[async_trait]
pub trait Containers: Send + Sync {
    /// All containers of the project, stopped and one-off ones included.
    async fn list(&self) -> Read<Vec<ContainerFacts>>;
    /// One item for each change the engine reports about the project's containers. Ends when the
    /// connection is lost; the caller reconnects.
    async fn changes(&self) -> Read<BoxStream<'static, Read<ContainerChange>>>;
    /// The last `lines` lines of one container, both streams, oldest first.
    async fn log_tail(&self, container_id: &str, lines: u32) -> Read<Vec<LogLine>>;
    /// The last `tail` lines of both streams (`None`: all), byte for byte; with `follow`, then each new one as it is
    /// written. Ends when the container does or the connection is lost; the caller opens it again.
    async fn log_lines(
        &self,
        container_id: &str,
        tail: Option<u64>,
        follow: bool,
    ) -> Read<BoxStream<'static, Read<Vec<EngineLine>>>>;
    /// Resident memory in bytes of each running container, by id.
    async fn memory(&self, container_ids: &[String]) -> Read<Vec<(String, u64)>>;
    /// The engine's own id.
    async fn engine_id(&self) -> Read<String>;
    /// When a volume was made; `None`: there is none of that name.
    async fn volume(&self, name: &str) -> Read<Option<String>>;
    /// The running containers of the whole engine that may write to a volume.
    async fn writers(&self, volume: &str) -> Read<Vec<VolumeWriter>>;
    /// The running container of the whole engine that publishes a TCP port of its machine; `None`: none does.
    async fn publisher(&self, port: u16) -> Read<Option<Publisher>>;
    /// Program and arguments of each command that was started in a container beside its own and
    /// still goes on.
    async fn execs(&self, container_id: &str) -> Read<Vec<Vec<String>>>;
    /// The state of the container of this name; `None`: there is none.
    async fn named(&self, name: &str) -> Read<Option<String>>;
    /// The processes of a running container, as `ps` on the engine's machine sees them.
    async fn processes(&self, container_id: &str) -> Read<Vec<Process>>;
    /// A variable of the environment a container was made with; `None`: it has none of that name.
    async fn variable(&self, container_id: &str, name: &str) -> Read<Option<EnvironmentVariable>>;
}

/// The engine reported a change of one of the project's containers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerChange {
    /// The container.
    pub container_id: String,
    /// Its compose service.
    pub service: String,
    /// The engine's word, such as `die`, `start`, `oom`, `health_status: unhealthy`.
    pub action: String,
    /// When, by the engine's clock.
    pub at: Option<Timestamp>,
}

/// A running container that may write to a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeWriter {
    /// The container's name.
    pub container: String,
    /// Its compose service; `None`: it is not of this project.
    pub service: Option<String>,
}

/// A running container that publishes a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// The container's name.
    pub container: String,
    /// Its compose project and service; `None`: compose did not make it.
    pub compose: Option<(String, String)>,
}

impl Publisher {
    /// Which one it is, in words.
    pub fn words(&self) -> String {
        let whose = match &self.compose {
            Some((project, service)) => format!("service {service} of the compose project {project}"),
            None => "which belongs to no compose project".into(),
        };
        format!("container {}, {whose}", self.container)
    }
}

/// A line as the engine keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineLine {
    /// When the engine got it, as it writes that; empty: it did not say.
    pub stamp: String,
    /// Whether it came on standard error.
    pub stderr: bool,
    /// Its bytes, without the line's end.
    pub bytes: Vec<u8>,
    /// How many of its bytes are not there, because it is longer than what is read of a line.
    pub left_out: u64,
}

/// One line of a container's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct LogLine {
    /// The engine's time stamp.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub at: Option<Timestamp>,
    /// Whether it came on standard error.
    pub stderr: bool,
    /// The line without its end. Invalid UTF-8 is replaced.
    pub text: String,
}

/// The compose project's file, read through the compose CLI.
#[async_trait]
pub trait Compose: Send + Sync {
    /// Services the compose file declares, in its own order.
    async fn declared_services(&self) -> Read<Vec<String>>;
    /// What it would make of each service that the file declares: Compose's own hash of the whole
    /// configuration, environment included.
    async fn config_hashes(&self) -> Read<BTreeMap<String, String>>;
    /// What the file says each service needs.
    async fn dependencies(&self) -> Read<BTreeMap<String, Vec<String>>>;
    /// The argument vector of an action: what the plan shows is what runs.
    fn argv(&self, action: &ComposeAction) -> Vec<String>;
    /// The argument vector of an action on the whole project.
    fn project_argv(&self, action: &ProjectAction) -> Vec<String>;
    /// The argument vector of a command in a container of its own, called `name`, which finds
    /// `mark` in its environment.
    fn oneoff_argv(&self, service: &str, name: &str, mark: &str, argv: &[String]) -> Vec<String>;
    /// Which process of this machine has these words among its arguments, one after the other: a
    /// command that outlived its console. `None`: none has.
    async fn going_on(&self, words: &[String]) -> Read<Option<String>>;
}

/// A read-only question to Postgres. Text holds placeholders `$1`…; values are bound, never
/// pasted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SqlRead {
    /// One statement.
    pub sql: String,
    /// Its bound values.
    pub params: Vec<Value>,
}

/// The answer for one tenant of an each-tenant question: rows as JSON objects, or why not.
pub type TenantRows = (TenantSlug, Result<Vec<Value>, String>);

/// The stack's Postgres, read only: every statement runs in a READ ONLY transaction with
/// `statement_timeout` and `lock_timeout`.
#[async_trait]
pub trait Database: Send + Sync {
    /// Tenants by introspection: the registry and the `tenant_<slug>` schemas.
    async fn tenants(&self) -> Read<Vec<TenantRef>>;
    /// Rows of one statement, as JSON objects.
    async fn query(&self, read: &SqlRead) -> Read<Vec<Value>>;
    /// The same statement for many tenants, at most 100 in one statement. `{tenant}` in the text
    /// stands for the tenant's quoted schema. A tenant whose part fails does not fail the others.
    async fn each_tenant(&self, tenants: &[TenantSlug], sql: &str) -> Read<Vec<TenantRows>>;
    /// `system_identifier` and the connected database.
    async fn identity(&self) -> Read<(String, String)>;
    /// What became of a transaction, by the id that `pg_current_xact_id()` gave inside it.
    async fn transaction(&self, xid: &str) -> Read<TransactionFate>;
}

/// What became of a transaction, as `pg_xact_status` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionFate {
    /// It happened.
    Committed,
    /// It did not.
    Aborted,
    /// It still goes on.
    InProgress,
    /// It is so long ago that the server has forgotten.
    Forgotten,
}

/// FSM threads and other keys in the stack's Redis. Reading only, with commands that Redis itself
/// flags `readonly`.
#[async_trait]
pub trait Threads: Send + Sync {
    /// All threads, by SCAN and pipelined reads, TYPE first.
    async fn all(&self) -> Read<Vec<ThreadRecord>>;
    /// One thread.
    async fn one(&self, ulid: &str) -> Read<Option<ThreadRecord>>;
    /// Any string, or a field of any hash.
    async fn value(&self, key: &str, field: Option<&str>) -> Read<RedisValue>;
    /// The server itself.
    async fn server(&self) -> Read<RedisServer>;
    /// What kind of key it is, how many members it has, and how long it lives.
    async fn key(&self, key: &str) -> Read<RedisKey>;
    /// The field names of a hash. Their values may be secrets, and stay where they are.
    async fn fields(&self, key: &str) -> Read<Vec<String>>;
    /// The members of a sorted set with the lowest scores.
    async fn lowest(&self, key: &str, count: u32) -> Read<Vec<RedisScore>>;
    /// Which of these keys are there, in their order.
    async fn there(&self, keys: &[String]) -> Read<Vec<bool>>;
}

/// A Redis server that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisServer {
    /// Its `run_id`, new at each start.
    pub run_id: String,
    /// How long it has run.
    pub up_for: Duration,
}

/// A value in Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisValue {
    /// The key's type, by Redis's own word; `none`: it is not there.
    pub kind: String,
    /// The value; `None`: the key, or the field, is not there.
    pub value: Option<String>,
    /// Milliseconds the key has left to live; `None`: for ever.
    pub ttl_ms: Option<i64>,
}

/// This machine.
#[async_trait]
pub trait Host: Send + Sync {
    /// Who listens on a TCP port of this machine, in words; `None` when nobody does.
    async fn port_holder(&self, port: u16) -> Read<Option<String>>;
    /// A GET; the answer's status and the first 64 KiB of its body.
    async fn http_get(&self, url: &str) -> Read<(u16, String)>;
    /// Whether somebody takes a TCP connection on a port of this machine.
    async fn accepts(&self, port: u16) -> Read<bool>;
    /// The status with which a SIP server on a UDP port of this machine answers OPTIONS, such as
    /// `200 OK`; `None`: nobody answers.
    async fn sip_options(&self, port: u16) -> Read<Option<String>>;
    /// The texts, by file name, that a pattern such as `/home/me/notes/m*_landed.md` leads to: `*` stands for any part
    /// of a file's name. At most 200 files of at most 1 MiB.
    async fn texts(&self, pattern: &str) -> Read<Vec<(String, String)>>;
    /// The last `lines` lines of a log file, within its last MiB; `None`: there is no such file.
    async fn log_file(&self, path: &str, lines: u32) -> Read<Option<LogFile>>;
}

/// The git checkout the stack runs from.
#[async_trait]
pub trait Repo: Send + Sync {
    /// The latest commits, one line each, newest first.
    async fn recent_commits(&self, count: u32) -> Read<Vec<String>>;
    /// A file, by its path in the checkout.
    async fn file(&self, path: &str) -> Read<FileFacts>;
    /// The files a patch touches, as they are now, and whether it applies.
    async fn patch(&self, patch: &PatchOf<'_>) -> Read<PatchFacts>;
    /// What is at a path of the checkout; `None`: nothing.
    async fn entry(&self, path: &str) -> Read<Option<RepoEntry>>;
    /// What a folder of the checkout holds, by name.
    async fn list(&self, path: &str) -> Read<Vec<RepoEntry>>;
    /// A file's text, of at most 256 KiB; `None`: there is no such file. What may hold secrets is refused.
    async fn text(&self, path: &str) -> Read<Option<String>>;
    /// The constants of Python files, parsed and never run.
    async fn python(&self, paths: &[String]) -> Read<Vec<PythonFile>>;
    /// Branches with a file whose name contains this, as `branch:path`.
    async fn elsewhere(&self, name: &str) -> Read<Vec<String>>;
    /// What was done to the checkout, and how it differs from what it was: at a commit, else at the last one before a
    /// time. The difference is told of these paths only.
    async fn history(
        &self,
        base: Option<&str>,
        before: Option<Timestamp>,
        paths: &[String],
    ) -> Read<RepoHistory>;
    /// What pytest remembers of its last run in a folder; `None`: it never ran there.
    async fn pytest_cache(&self, folder: &str) -> Read<Option<PytestCache>>;
}

/// A file as it is now. Its content is known by a keyed fingerprint only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Where.
    pub path: String,
    /// The content's fingerprint; `None`: there is no such file.
    pub fingerprint: Option<String>,
    /// Its mode's lower nine bits, as in `644`.
    pub mode: Option<String>,
}

/// A unified diff, and what of it is applied.
#[derive(Debug, Clone, Copy)]
pub struct PatchOf<'a> {
    /// The diff.
    pub diff: &'a str,
    /// Backwards.
    pub reverse: bool,
    /// Files that have it already: they are looked at, and left as they are.
    pub in_place: &'a [FileFacts],
}

impl PatchOf<'_> {
    /// The arguments that make git apply it.
    pub fn arguments(&self) -> Vec<String> {
        let reverse = self.reverse.then(|| "-R".to_owned());
        // Git reads a name here as a pattern.
        let literal = |c: char| if r"*?[\".contains(c) { vec!['\\', c] } else { vec![c] };
        let of = |path: &str| format!("--exclude={}", path.chars().flat_map(literal).collect::<String>());
        let in_place = self.in_place.iter().map(|file| of(&file.path));
        ["apply".to_owned()].into_iter().chain(reverse).chain(in_place).collect()
    }

    /// Whether the file at `path` stays as it is.
    pub fn leaves(&self, path: &str) -> bool {
        self.in_place.iter().any(|file| file.path == path)
    }
}

/// What a patch meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchFacts {
    /// The files, by path.
    pub files: Vec<FileFacts>,
    /// Those of them that it changes and that are not as git last knew them.
    pub unclean: Vec<String>,
    /// Why it does not apply; `None`: it does.
    pub refused: Option<String>,
}

/// The checkout's `.env`: its values never leave the adapter.
#[async_trait]
pub trait Dotenv: Send + Sync {
    /// The file.
    async fn file(&self) -> Read<FileFacts>;
    /// When it was last written; `None`: there is no such file.
    async fn written_at(&self) -> Read<Option<Timestamp>>;
    /// One key: how often it stands there, and the last value's fingerprint.
    async fn entry(&self, key: &str) -> Read<DotenvEntry>;
    /// What the value that counts of a key looks like; `None`: the key is not there.
    async fn shape(&self, key: &str) -> Read<Option<DotenvShape>>;
    /// The fingerprint of a secret that somebody refers to.
    async fn secret(&self, from: &str) -> Read<String>;
    /// Why the change can't be made, as the file is now. Nothing is written.
    async fn obstacle(&self, change: &DotenvChange) -> Read<Option<String>>;
}

/// A key of a `.env`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DotenvEntry {
    /// How often it stands there.
    pub count: u32,
    /// The fingerprint of the value that counts, the last one.
    pub fingerprint: Option<String>,
}

/// HTTP endpoints of the stack, for looking: only calls that change nothing are made.
#[async_trait]
pub trait HttpLooks: Send + Sync {
    /// Makes a call that only looks; any other is refused.
    async fn look(&self, call: &HttpCall) -> Read<HttpAnswer>;
    /// Method and address of a call, in words for the plan; without its keys.
    fn line(&self, call: &HttpCall) -> Read<String>;
    /// Asks Daraja how a push stands. It changes nothing there, and counts against the app's quota.
    async fn stk_query(&self, checkout_request_id: &str) -> Read<HttpAnswer>;
    /// Tries the WhatsApp webhook with a call that carries no message.
    async fn webhook(&self) -> Read<Webhook>;
    /// When this user's consoles tried it within the last hour. Nothing is called.
    async fn webhook_tries(&self) -> Vec<Timestamp>;
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// Its body as JSON; a text where it is none.
    pub body: Value,
}

/// Time and randomness.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// A monotonic reading in milliseconds, for durations.
    fn monotonic_ms(&self) -> u64;
    /// Waits.
    async fn sleep(&self, how_long: Duration);
    /// A fresh, sortable, unique id (a ULID).
    fn new_id(&self) -> String;
}

/// All sources of one stack, for reading. `None`: the profile does not say where it is.
#[derive(Clone)]
pub struct Sources {
    /// Its containers.
    pub containers: Arc<dyn Containers>,
    /// Its compose file and CLI.
    pub compose: Arc<dyn Compose>,
    /// Its Postgres.
    pub database: Option<Arc<dyn Database>>,
    /// Its Redis.
    pub threads: Option<Arc<dyn Threads>>,
    /// Its logs.
    pub logs: Arc<dyn Logs>,
    /// The machine it runs on.
    pub host: Arc<dyn Host>,
    /// Its checkout.
    pub repo: Option<Arc<dyn Repo>>,
    /// Its `.env`.
    pub dotenv: Option<Arc<dyn Dotenv>>,
    /// Its HTTP endpoints.
    pub http: Arc<dyn HttpLooks>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// This process's memory.
    pub memory: Arc<dyn Memory>,
}

impl Sources {
    /// Postgres, or the error that says that the profile has none.
    pub fn database(&self) -> Read<&dyn Database> {
        self.database.as_deref().ok_or_else(|| not_configured(SourceName::Postgres, "[postgres] url"))
    }

    /// The checkout, or the error that says that the profile has none.
    pub fn repo(&self) -> Read<&dyn Repo> {
        self.repo.as_deref().ok_or_else(|| not_configured(SourceName::Repo, "[repo] path"))
    }

    /// The `.env`, or the error that says that the profile has none.
    pub fn dotenv(&self) -> Read<&dyn Dotenv> {
        self.dotenv.as_deref().ok_or_else(|| not_configured(SourceName::Repo, "[repo] path or [repo] dotenv"))
    }

    /// Redis, or the error that says that the profile has none.
    pub fn threads(&self) -> Read<&dyn Threads> {
        self.threads.as_deref().ok_or_else(|| not_configured(SourceName::Redis, "[redis] url"))
    }
}

fn not_configured(source: SourceName, field: &str) -> SourceError {
    SourceError {
        source_name: source,
        kind: SourceErrorKind::NotConfigured,
        attempted: format!("find {source}"),
        happened: "the profile does not say where it is".into(),
        hint: format!("Add {field} to the profile; docs/profile.md shows how."),
    }
}
