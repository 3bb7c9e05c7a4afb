//! The ranking of all playbooks' verdicts, and what stands around it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::Verdict;

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
    /// The first bad sign: `{at, what, source}`; empty when nothing is wrong.
    #[cfg_attr(test, ts(type = "{ at?: string; what?: string; source?: string }"))]
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

/// `ratibactl diagnose --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct DiagnoseView {
    /// The playbook's verdicts.
    pub verdicts: Vec<Verdict>,
}
