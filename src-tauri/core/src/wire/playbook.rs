//! The catalogue and a playbook's page.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::Row;

/// How bad the fault is while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum Severity {
    /// Customers are turned away.
    Critical,
    /// Some customers are.
    Major,
    /// A developer is.
    Minor,
}

/// What a parameter may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum ParamKind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no.
    Flag,
    /// One of `choices`.
    Choice,
    /// Any of `choices`.
    Choices,
    /// A time of day, `HH:MM`.
    Time,
}

/// One choice of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct ParamChoice {
    /// The value.
    pub value: String,
    /// In words.
    pub label: String,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct ParamView {
    /// Its name, as in `-p name=value`.
    pub name: String,
    /// What it is, in words.
    pub label: String,
    /// What it may hold.
    pub kind: ParamKind,
    /// More about it.
    pub help: String,
    /// Used when none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "unknown"))]
    pub default: Option<Value>,
    /// Fixed choices; those from the live system come with the finding's page.
    #[serde(default)]
    pub choices: Vec<ParamChoice>,
    /// Whether a value must be given.
    pub required: bool,
}

/// A section of the head comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PlaybookSection {
    /// The heading, such as `Diagnosis`.
    pub heading: String,
    /// Its text, paragraphs separated by an empty line.
    pub text: String,
}

/// A playbook, as `ratibactl playbooks list|show --json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct PlaybookView {
    /// The id, such as `01-service-unhealthy`.
    pub id: String,
    /// The runbook row.
    pub row: Row,
    /// The fault in a few words.
    pub title: String,
    /// What one sees.
    pub symptom: String,
    /// How bad it is.
    pub severity: Severity,
    /// What can be chosen.
    pub params: Vec<ParamView>,
    /// SHA-256 of the script.
    pub sha256: String,
    /// Its documentation.
    pub sections: Vec<PlaybookSection>,
    /// Why it can't be used: file, line, column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// `ratibactl playbooks list --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct CatalogView {
    /// All, by row.
    pub playbooks: Vec<PlaybookView>,
}
