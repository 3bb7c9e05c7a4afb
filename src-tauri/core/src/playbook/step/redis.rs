//! A Redis value, compared and set in one.

use serde::{Deserialize, Serialize};

/// Sets a string, or a field of a hash, if it is still what it was when the plan was made. What
/// time a key has left to live stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisStep {
    /// What it does, in words.
    pub title: String,
    /// The key.
    pub key: String,
    /// The field, where the key is a hash.
    #[serde(default)]
    pub field: Option<String>,
    /// The new value; absent: the key, or the field, is removed.
    #[serde(default)]
    pub value: Option<String>,
    /// Milliseconds a key that is not there yet will live; absent: for ever. For an undo.
    #[serde(default)]
    pub ttl_ms: Option<i64>,
    /// Who will notice, in words.
    #[serde(default)]
    pub blast_radius: String,
}
