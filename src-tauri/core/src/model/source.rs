//! The places facts are read from, and how well reading them goes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A place facts are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum SourceName {
    /// The Docker Engine API.
    Docker,
    /// The compose file, read through the compose CLI.
    Compose,
    /// The stack's Postgres.
    Postgres,
    /// The stack's Redis.
    Redis,
    /// Container logs and log files.
    Logs,
    /// The git checkout.
    Repo,
    /// This machine: ports, processes, files.
    Host,
    /// HTTP endpoints of the stack.
    Http,
}

impl SourceName {
    /// The word used in messages and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Compose => "compose",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Logs => "logs",
            Self::Repo => "repo",
            Self::Host => "host",
            Self::Http => "http",
        }
    }
}

impl std::fmt::Display for SourceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How reading a source goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum SourceStatus {
    /// Read within its freshness limit.
    Ok,
    /// The last good reading is older than its limit.
    Stale,
    /// It can't be read; `error` says why.
    Down,
}

/// One source's state on the snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct SourceState {
    /// Which source.
    pub name: SourceName,
    /// How reading it goes.
    pub status: SourceStatus,
    /// When it was last read with success; absent when it never was.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub as_of: Option<Timestamp>,
    /// Why it can't be read, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub error: Option<String>,
}

/// What kind of failure a source met: the console and the exit code act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceErrorKind {
    /// Nothing answers there.
    Unreachable,
    /// It answered, but not to us: wrong password, no permission.
    Denied,
    /// It did not answer within the deadline.
    TimedOut,
    /// It answered something that could not be used.
    Invalid,
    /// What was asked for is not there (a table, a key, a file).
    Missing,
    /// The profile does not say where it is.
    NotConfigured,
}

/// A source could not answer. `Display` is one sentence without a final dot:
/// what was attempted and what happened; `hint` says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[error("{attempted}: {happened}")]
pub struct SourceError {
    /// Which source.
    pub source_name: SourceName,
    /// What kind of failure.
    pub kind: SourceErrorKind,
    /// What was attempted, such as `list the containers of project ratiba`.
    pub attempted: String,
    /// What happened, such as `connection refused`. Never holds a secret.
    pub happened: String,
    /// What the reader can do about it.
    pub hint: String,
}
