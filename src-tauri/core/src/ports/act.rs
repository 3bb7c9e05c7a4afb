//! Everything that changes the stack. Only a confirmed plan's steps get hold of these.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Read, SqlRead, not_configured};
use crate::model::{SourceError, SourceName};

/// How long a command may take, and who may stop it before.
pub struct CommandLimits<'a> {
    /// The time after which it is ended.
    pub deadline: Duration,
    /// Becomes ready when the operator wants it to stop.
    pub stop: BoxFuture<'a, ()>,
}

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
    /// What was to be done could not be recorded before the commit; rolled back.
    #[error("the journal can't be written: {0}; rolled back")]
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

/// All that can change one stack. `None`: the profile does not say where it is.
#[derive(Clone)]
pub struct Acts {
    /// Its compose CLI.
    pub compose: Arc<dyn ComposeCommands>,
    /// Its Postgres.
    pub database: Option<Arc<dyn DatabaseChanges>>,
}

impl Acts {
    /// Postgres, or the error that says that the profile has none.
    pub fn database(&self) -> Read<&dyn DatabaseChanges> {
        self.database.as_deref().ok_or_else(|| not_configured(SourceName::Postgres, "[postgres] url"))
    }
}
