//! Errors as the window and `--json` get them.

use serde::{Deserialize, Serialize};

use crate::model::Change;

/// What was attempted and happened, and what to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct WireError {
    /// `usage`, `unreachable`, `refused`, `failed`, `not_found`: the caller acts on these.
    pub code: String,
    /// One sentence: what was attempted, what happened.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// For a refusal: what is not as planned.
    #[serde(default)]
    pub changes: Vec<Change>,
}
