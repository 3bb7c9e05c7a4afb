//! The catalogue and a playbook's page.

use serde::{Deserialize, Serialize};

use crate::{
    model::Row,
    playbook::{ParamView, Playbook, PlaybookSection, Severity, Trust},
};

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
    /// Its file's name.
    pub file: String,
    /// Whether it may run.
    pub trust: Trust,
    /// Its documentation.
    pub sections: Vec<PlaybookSection>,
    /// Why it can't be used: file, line, column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Trust a playbook that is not part of the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct TrustRequest {
    /// The playbook.
    pub id: String,
    /// Its SHA-256 as the operator saw it: another text since then is not trusted.
    pub sha256: String,
}

/// `ratibactl playbooks list --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct CatalogView {
    /// All, by row.
    pub playbooks: Vec<PlaybookView>,
}

impl From<&Playbook> for PlaybookView {
    fn from(playbook: &Playbook) -> Self {
        Self {
            id: playbook.id.clone(),
            row: playbook.about.row.clone(),
            title: playbook.about.title.clone(),
            symptom: playbook.about.symptom.clone(),
            severity: playbook.about.severity,
            params: playbook.about.params.clone(),
            sha256: playbook.sha256.clone(),
            file: playbook.file.clone(),
            trust: playbook.trust,
            sections: playbook.sections.clone(),
            error: playbook.error.as_ref().map(ToString::to_string),
        }
    }
}
