//! Waiting: for the stack, or for a person.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that can be waited for or checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The service runs, and is healthy if it has a health check.
    ServiceUp {
        /// The service.
        service: String,
    },
    /// The service has no running container.
    ServiceDown {
        /// The service.
        service: String,
    },
    /// Nobody listens on a TCP port of this machine.
    PortFree {
        /// The port.
        port: u16,
    },
    /// A statement gives exactly these rows.
    Rows {
        /// What it makes sure of, in words.
        what: String,
        /// The tenant it is about, if one.
        #[serde(default)]
        tenant: Option<String>,
        /// The statement.
        sql: String,
        /// Its values.
        #[serde(default)]
        params: Vec<Value>,
        /// The rows as maps.
        rows: Vec<Value>,
    },
    /// A string in Redis, or a field of a hash, has exactly this value.
    RedisValue {
        /// The key.
        key: String,
        /// The field, where the key is a hash.
        #[serde(default)]
        field: Option<String>,
        /// The value; absent: it is not there.
        #[serde(default)]
        value: Option<String>,
    },
    /// A GET on this machine is answered with this status.
    HttpStatus {
        /// The address.
        url: String,
        /// The status.
        status: u16,
    },
    /// Nobody is in a room of LiveKit's: no call would be cut.
    NoCalls,
    /// The playbook itself finds nothing any more. Only for a wait and for what a person does.
    Gone {
        /// What it makes sure of, in words.
        what: String,
    },
}

/// Waits until something is so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitStep {
    /// In words.
    pub title: String,
    /// What.
    pub condition: Condition,
    /// Seconds after which the step fails.
    pub within_s: u32,
}

/// A thing only a person can do; the run waits for `done`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManualStep {
    /// In words.
    pub title: String,
    /// What to do, one act a line.
    pub instructions: Vec<String>,
    /// The check that tells when it is done.
    pub done: Condition,
    /// Seconds after which the step fails.
    pub within_s: u32,
}
