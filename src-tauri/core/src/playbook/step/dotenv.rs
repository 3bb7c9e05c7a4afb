//! One key of the checkout's `.env`.

use serde::{Deserialize, Serialize};

/// Where a secret is found; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenSecret {
    /// `env:NAME`, `file:PATH` or `dotenv:NAME`.
    pub from: String,
    /// Its keyed fingerprint when the plan was made.
    pub fingerprint: String,
}

/// What the key becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DotenvValue {
    /// Plain text that may be shown.
    Plain(String),
    /// A secret parameter.
    Secret(GivenSecret),
    /// The key goes.
    Removed,
    /// The file is again what an earlier step of the run `run` kept of it.
    AsKept {
        /// The copy's path.
        copy: String,
        /// The copy's keyed fingerprint.
        fingerprint: String,
    },
}

/// Sets one key. All other bytes of the file, and its mode, stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DotenvStep {
    /// What it does, in words.
    pub title: String,
    /// The key: letters, digits and `_`, no digit first.
    pub key: String,
    /// What it becomes.
    pub to: DotenvValue,
    /// Where the key stands several times, keep only the last one.
    #[serde(default)]
    pub only_one: bool,
    /// Who will notice, in words.
    #[serde(default)]
    pub blast_radius: String,
}

impl DotenvStep {
    /// Whether every reader of a `.env` takes the key for one.
    pub fn has_a_key(&self) -> bool {
        let first = self.key.chars().next();
        first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && self.key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    }
}
