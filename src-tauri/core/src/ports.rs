//! What the core needs from outside, as operations and not as handles. Adapters implement these
//! over real engines, `ratiba-testkit` in memory.
//!
//! Every operation has a deadline of its own inside the adapter: a port always answers.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    journal::{Entry, EntryDraft},
    model::{ContainerFacts, SourceError, SourceErrorKind, SourceName, TenantRef, TenantSlug, ThreadRecord},
    playbook::step::ComposeAction,
    remedy::Plan,
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
    /// The last `lines` lines, then each new one as it is written. Ends when the container does or
    /// the connection is lost; the caller opens it again.
    async fn log_follow(&self, container_id: &str, lines: u32) -> Read<BoxStream<'static, Read<LogLine>>>;
    /// Resident memory in bytes of each running container, by id.
    async fn memory(&self, container_ids: &[String]) -> Read<Vec<(String, u64)>>;
    /// The engine's own id.
    async fn engine_id(&self) -> Read<String>;
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

/// The compose project's file, read and acted on through the compose CLI.
#[async_trait]
pub trait Compose: Send + Sync {
    /// Services the compose file declares, in its own order.
    async fn declared_services(&self) -> Read<Vec<String>>;
    /// The argument vector of an action: what the plan shows is what runs.
    fn argv(&self, action: &ComposeAction) -> Vec<String>;
    /// Runs `argv`, giving each output line to `line`. Own process group; TERM, wait, KILL when
    /// the deadline passes or the returned future is dropped.
    async fn run(
        &self,
        argv: &[String],
        deadline: Duration,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError>;
}

/// How a child process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum CommandEnd {
    /// It exited.
    Exited {
        /// Its exit code; -1 when a signal ended it.
        code: i32,
    },
    /// The deadline passed and it was ended.
    TimedOut,
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
    /// `system_identifier` and database the transaction must find itself in.
    pub identity: (String, String),
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
    /// The commit's answer was lost: it may or may not have happened.
    #[error("the commit was sent but its answer was lost ({why}); transaction {xid} tells")]
    Unknown {
        /// The transaction's id, from `pg_current_xact_id()`.
        xid: String,
        /// What happened to the connection.
        why: String,
    },
}

/// Writing to Postgres: only a confirmed plan's steps come here.
#[async_trait]
pub trait DatabaseChanges: Send + Sync {
    /// Carries out one guarded change and gives its `RETURNING` rows.
    async fn change(&self, change: &SqlChange) -> Result<Vec<Value>, ChangeError>;
}

/// FSM threads and other keys in the stack's Redis. Reading only, with commands that Redis itself
/// flags `readonly`.
#[async_trait]
pub trait Threads: Send + Sync {
    /// All threads, by SCAN and pipelined reads, TYPE first.
    async fn all(&self) -> Read<Vec<ThreadRecord>>;
    /// One thread.
    async fn one(&self, ulid: &str) -> Read<Option<ThreadRecord>>;
    /// The server's `run_id`.
    async fn run_id(&self) -> Read<String>;
}

/// This machine.
#[async_trait]
pub trait Host: Send + Sync {
    /// Who listens on a TCP port of this machine, in words; `None` when nobody does.
    async fn port_holder(&self, port: u16) -> Read<Option<String>>;
    /// A GET; the answer's status and the first 64 KiB of its body.
    async fn http_get(&self, url: &str) -> Read<(u16, String)>;
}

/// The git checkout the stack runs from.
#[async_trait]
pub trait Repo: Send + Sync {
    /// The latest commits, one line each, newest first.
    async fn recent_commits(&self, count: u32) -> Read<Vec<String>>;
}

/// The journal's store: append-only, durable when `append` returns.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// Appends one entry, chained to the last one; returns it as stored.
    async fn append(&self, draft: EntryDraft) -> Result<Entry, JournalError>;
    /// Entries in order; all, or those of one run.
    async fn entries(&self, run: Option<&str>) -> Result<Vec<Entry>, JournalError>;
    /// Keeps a plan, so that it can be confirmed elsewhere.
    async fn keep_plan(&self, plan: &Plan) -> Result<(), JournalError>;
    /// A kept plan.
    async fn plan(&self, plan_id: &str) -> Result<Option<Plan>, JournalError>;
    /// Marks a plan as used; `false` when it already was. Atomic: a plan is used once.
    async fn use_plan(&self, plan_id: &str, digest: &str) -> Result<bool, JournalError>;
    /// Takes the one-apply-at-a-time lock of a target; dropping the guard frees it.
    async fn lock_target(&self, target: &str, holder: &str) -> Result<TargetLock, JournalError>;
}

/// Holds the one-apply-at-a-time lock of a target until dropped.
pub type TargetLock = Box<dyn Send + Sync>;

/// The journal can't be written or read: nothing may be applied then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Reading or writing failed.
    #[error("{attempted}: {happened}")]
    Store {
        /// What was attempted.
        attempted: String,
        /// What happened.
        happened: String,
    },
    /// Somebody else is applying to this target.
    #[error("another console is applying to this stack: {holder}")]
    Locked {
        /// Who, since when.
        holder: String,
    },
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

/// All sources of one stack. `None`: the profile does not say where it is.
#[derive(Clone)]
pub struct Sources {
    /// Its containers.
    pub containers: Arc<dyn Containers>,
    /// Its compose file and CLI.
    pub compose: Arc<dyn Compose>,
    /// Its Postgres, for reading.
    pub database: Option<Arc<dyn Database>>,
    /// Its Postgres, for confirmed changes.
    pub changes: Option<Arc<dyn DatabaseChanges>>,
    /// Its Redis.
    pub threads: Option<Arc<dyn Threads>>,
    /// The machine it runs on.
    pub host: Arc<dyn Host>,
    /// Its checkout.
    pub repo: Option<Arc<dyn Repo>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Sources {
    /// Postgres for reading, or the error that says that the profile has none.
    pub fn database(&self) -> Read<&dyn Database> {
        self.database.as_deref().ok_or_else(|| not_configured(SourceName::Postgres, "[postgres] url"))
    }

    /// Postgres for confirmed changes, or the error that says that the profile has none.
    pub fn changes(&self) -> Read<&dyn DatabaseChanges> {
        self.changes.as_deref().ok_or_else(|| not_configured(SourceName::Postgres, "[postgres] url"))
    }

    /// The checkout, or the error that says that the profile has none.
    pub fn repo(&self) -> Read<&dyn Repo> {
        self.repo.as_deref().ok_or_else(|| not_configured(SourceName::Repo, "[repo] path"))
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
