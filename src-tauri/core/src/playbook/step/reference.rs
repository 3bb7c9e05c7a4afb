//! A value that only an earlier step of the same run gives: the one thing that a confirmed plan
//! leaves open. The plan shows it as such.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A column of all rows that an earlier step returned. A backup returns one row: `place`, `bytes`,
/// `sha256`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The step's number.
    pub of_step: u32,
    /// The column.
    pub column: String,
}

impl Reference {
    /// The reference that a value is, if it is one.
    pub fn of(value: &Value) -> Option<Self> {
        value.is_object().then(|| serde_json::from_value(value.clone()).ok()).flatten()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "‹{} of step {}›", self.column, self.of_step)
    }
}

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Word {
    /// As it is.
    Text(String),
    /// What an earlier step returned, which must be one value.
    OfStep(Reference),
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::OfStep(reference) => reference.fmt(f),
        }
    }
}
