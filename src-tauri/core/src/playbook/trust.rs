//! Whether a playbook may run.

use serde::{Deserialize, Serialize};

/// Whether a playbook may run. One that was not shipped does only after the operator trusted
/// exactly its text; a change of the text, or of a script it may import, asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum Trust {
    /// It is part of the console.
    Shipped,
    /// It is not, and the operator trusted this text.
    Trusted,
    /// It is not, and nobody trusted this text.
    Untrusted,
}
