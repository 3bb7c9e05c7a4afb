//! What a playbook's detection says, and on what evidence.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Row, Shown};

/// The four answers a detection can give. Missing evidence is an answer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum VerdictKind {
    /// The fault is there, on evidence that has no other reading.
    Present,
    /// Signs of it, but not enough.
    Suspected,
    /// It could not be found out; `reason` says why.
    Unknown,
    /// Looked for and not found.
    Absent,
}

/// Whom or what a finding is about. All empty: the stack as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct Subject {
    /// A compose service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// A tenant's slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// A thread's ULID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// A payment's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// A schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
}

/// One thing that was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Evidence {
    /// Where it was looked at, such as `docker inspect` or `postgres`.
    pub source: String,
    /// What was looked at.
    pub what: String,
    /// What was found.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub value: Value,
    /// When.
    #[cfg_attr(test, ts(type = "string"))]
    pub as_of: Timestamp,
    /// Whether it speaks against the finding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub against: bool,
    /// What was looked at itself, for whoever wants to see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub shown: Option<Shown>,
}

/// One finding of a detection, before it is ranked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The answer.
    pub verdict: VerdictKind,
    /// Whom it is about.
    pub subject: Subject,
    /// 0 to 1.
    pub confidence: f64,
    /// For and against.
    pub evidence: Vec<Evidence>,
    /// Services or playbooks that explain it, such as `service:postgres`.
    pub explained_by: Option<String>,
    /// One sentence a stranger understands.
    pub reason: Option<String>,
    /// What the detection found out for the plan, such as the cause. Opaque to the core.
    pub data: Value,
}

/// A finding with its place in the ranking: what `triage` reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Verdict {
    /// The playbook's id.
    pub playbook: String,
    /// The runbook row, or `e1` to `e5`.
    pub row: Row,
    /// The playbook's title.
    pub title: String,
    /// The answer.
    pub verdict: VerdictKind,
    /// Place in the ranking, 1 first.
    pub rank: u32,
    /// Whom it is about.
    pub subject: Subject,
    /// 0 to 1.
    pub confidence: f64,
    /// For and against.
    pub evidence: Vec<Evidence>,
    /// The verdict that explains this one: `playbook` or `service:<name>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub explained_by: Option<String>,
    /// One sentence a stranger understands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub reason: Option<String>,
    /// What the detection found out for the plan.
    #[serde(skip)]
    #[cfg_attr(test, ts(skip))]
    pub data: Value,
}
