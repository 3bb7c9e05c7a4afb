//! What a playbook says about itself.

use serde::{Deserialize, Serialize};

use super::param::{ParamView, Severity};
use crate::model::Row;

/// How the default verification looks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recheck {
    /// Seconds within which the finding must be gone.
    pub within_s: u32,
    /// How many times in a row it must be gone, a second apart.
    pub times: u32,
}

impl Default for Recheck {
    fn default() -> Self {
        Self { within_s: 30, times: 1 }
    }
}

/// The answer of a playbook's `about()`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The runbook row.
    pub row: Row,
    /// The fault in a few words.
    pub title: String,
    /// What one sees.
    pub symptom: String,
    /// How bad it is.
    pub severity: Severity,
    /// What can be chosen.
    #[serde(default)]
    pub params: Vec<ParamView>,
    /// How the default verification looks again.
    #[serde(default)]
    pub recheck: Recheck,
}
