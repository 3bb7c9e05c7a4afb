//! The ranking of all playbooks' verdicts, and what stands around it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ParamView;
use crate::model::{Subject, Verdict};

/// `ratibactl triage --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct TriageView {
    /// When it was finished.
    #[cfg_attr(test, ts(type = "string"))]
    pub taken_at: Timestamp,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Services that are not healthy, cause before consequence: `{service, mark, detail}`.
    #[cfg_attr(test, ts(type = "{ service: string; mark: Mark; detail: string }[]"))]
    pub which: Vec<Value>,
    /// Why that list may lack some; absent: it is of all services.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub which_error: Option<String>,
    /// The first bad sign: `{at, what, source}`, and in `not_known_of` the services of which it is not
    /// known since when they are not well; empty when nothing is wrong.
    #[cfg_attr(test, ts(type = "{ at?: string; what?: string; source?: string; not_known_of?: string[] }"))]
    pub when: Value,
    /// What changed: git log and the like; `error` where it can't be read.
    #[cfg_attr(test, ts(type = "{ commits?: string[]; error?: string }"))]
    pub changed: Value,
    /// Last lines of the services that are not healthy: `{service, line}`.
    #[cfg_attr(test, ts(type = "{ service: string; line: string; at: string | null }[]"))]
    pub logs: Vec<Value>,
    /// Every playbook's verdicts: present, suspected, unknown, absent; cause first.
    pub ranked: Vec<Verdict>,
}

/// One playbook's findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct DiagnoseView {
    /// The playbook's verdicts.
    pub verdicts: Vec<Verdict>,
}

/// The parameters of a plan for one finding, with what there is to choose from now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveParams {
    /// Whom the finding is about.
    pub subject: Subject,
    /// Its parameters.
    pub params: Vec<ParamView>,
    /// Why what there is to choose from is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// `ratibactl diagnose --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DiagnosisView {
    /// The playbook's verdicts.
    pub verdicts: Vec<Verdict>,
    /// For each that is present or suspected, as far as they were asked for.
    pub params: Vec<LiveParams>,
}
