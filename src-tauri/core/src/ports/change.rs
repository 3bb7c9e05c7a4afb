//! One guarded change of rows, and why a change of anything did not happen.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SqlRead;
use crate::{model::SourceError, playbook::step::BackupOf};

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
