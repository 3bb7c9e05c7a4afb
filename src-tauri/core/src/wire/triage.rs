//! The ranking of all playbooks' verdicts, and what stands around it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ParamView;
use crate::{
    logs::LogPattern,
    model::{Subject, Verdict},
};
pub use crate::{
    model::LastGood,
    triage::{AlembicView, ChangedView, Deed, FailingService, MemoHit, Sign, UnmatchedView, WhenView},
};

/// `ratibactl triage --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct TriageView {
    /// When it was finished.
    #[cfg_attr(test, ts(type = "string"))]
    pub taken_at: Timestamp,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Services that are not healthy, cause before consequence.
    pub which: Vec<FailingService>,
    /// Why that list may lack some; absent: it is of all services.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub which_error: Option<String>,
    /// When it began.
    pub when: WhenView,
    /// What changed since the stack was last well.
    pub changed: ChangedView,
    /// Warnings and worse since then, by their shape: new ones first. `line`, `at` and `service` are the first one's.
    pub logs: Vec<LogSign>,
    /// From when on lines were read, and what is not among them.
    #[serde(default)]
    pub logs_read: LogsRead,
    /// Where something is wrong and no row says what.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub unmatched: Option<UnmatchedView>,
    /// Every playbook's verdicts: present, suspected, unknown, absent; cause first.
    pub ranked: Vec<Verdict>,
}

/// Bad lines of one shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct LogSign {
    /// The service.
    pub service: String,
    /// The first of them, as a person reads it.
    pub line: String,
    /// When that was.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub at: Option<Timestamp>,
    /// The worst level among them.
    pub level: String,
    /// What they have in common.
    pub shape: String,
    /// How many.
    #[cfg_attr(test, ts(type = "number"))]
    pub count: u64,
    /// When the last one was.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub last: Option<Timestamp>,
    /// Whether none was seen before the stack was last well.
    pub is_new: bool,
}

impl From<LogPattern> for LogSign {
    fn from(pattern: LogPattern) -> Self {
        Self {
            service: pattern.service,
            line: pattern.line,
            at: pattern.first,
            level: pattern.level,
            shape: pattern.shape,
            count: pattern.count,
            last: pattern.last,
            is_new: pattern.is_new,
        }
    }
}

/// What was read of the logs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct LogsRead {
    /// From then on a shape is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub since: Option<Timestamp>,
    /// From then on lines were read, to know which are not new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub from: Option<Timestamp>,
    /// Lines that this user's consoles caused by trying the webhook: they are not among them.
    #[serde(default)]
    pub own: u32,
    /// What else is not among them, each one sentence.
    #[serde(default)]
    pub notes: Vec<String>,
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
