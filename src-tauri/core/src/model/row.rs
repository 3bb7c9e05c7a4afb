//! The runbook row a playbook stands for.

use serde::{Deserialize, Serialize};

/// A row's number (1 to 13), or an extra's name (`e1` to `e5`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum Row {
    /// A numbered row of the runbook's table.
    Number(u32),
    /// An extra.
    Extra(String),
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Extra(name) => f.write_str(name),
        }
    }
}
