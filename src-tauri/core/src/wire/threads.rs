//! Asking for a conversation. The answer's shape is in `detail`.

use serde::{Deserialize, Serialize};

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct ThreadId {
    /// A ULID.
    pub thread: String,
}
