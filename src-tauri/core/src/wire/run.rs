//! Plans, runs and what happens while one goes on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    model::{Evidence, Subject, TargetIdentity},
    playbook::step::Risk,
    remedy::Precondition,
};

/// How a plan is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum ConfirmView {
    /// One deliberate click.
    Click,
    /// The name of what will be lost, typed.
    Phrase {
        /// What to type.
        phrase: String,
    },
}

/// How a step is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct UndoView {
    /// In words.
    pub title: String,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct PlanStepView {
    /// Its number, from 1.
    pub n: u32,
    /// `compose`, `sql`, `wait_until`, `manual`.
    pub kind: String,
    /// In words.
    pub title: String,
    /// Verbatim: argument vector or statement with its values.
    pub preview: String,
    /// As a person would type it.
    pub command: String,
    /// What it can cost.
    pub risk: Risk,
    /// What is there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What will be there after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Who will notice.
    pub blast_radius: String,
    /// For a manual step: what to do, one act a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional = false))]
    pub instructions: Vec<String>,
    /// How it is taken back; absent: it can't be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoView>,
}

/// A plan, as `ratibactl plan --json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct PlanView {
    /// A ULID.
    pub plan_id: String,
    /// SHA-256 over what will be done, where, and on which preconditions.
    pub digest: String,
    /// The playbook's id.
    pub playbook: String,
    /// Its title.
    pub title: String,
    /// Whom it is about.
    pub subject: Subject,
    /// The parameters, defaults filled in.
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub params: BTreeMap<String, Value>,
    /// When it was made.
    #[cfg_attr(test, ts(type = "string"))]
    pub created_at: Timestamp,
    /// When it can no longer be confirmed.
    #[cfg_attr(test, ts(type = "string"))]
    pub expires_at: Timestamp,
    /// Which stack.
    pub target: TargetIdentity,
    /// What must still be so.
    #[cfg_attr(test, ts(type = "Record<string, unknown>[]"))]
    pub preconditions: Vec<Precondition>,
    /// What will be done.
    pub steps: Vec<PlanStepView>,
    /// How it is confirmed.
    pub confirm: ConfirmView,
    /// The button's words: names the act.
    pub act: String,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum RunOutcome {
    /// The finding is gone.
    Fixed,
    /// It is still there.
    NotFixed,
    /// It could not be found out.
    Unknown,
    /// A step failed.
    Failed,
    /// The stack changed since the plan, or the confirmation was wrong; nothing was done.
    Refused,
    /// The operator stopped it.
    Cancelled,
}

/// What happens while a run goes on; one line of NDJSON each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum RunEvent {
    /// A step begins.
    StepStarted {
        /// Its number.
        n: u32,
        /// In words.
        title: String,
        /// When.
        #[cfg_attr(test, ts(type = "string"))]
        at: Timestamp,
    },
    /// A line of a step's output.
    StepOutput {
        /// Its number.
        n: u32,
        /// The line.
        line: String,
    },
    /// A step is done.
    StepDone {
        /// Its number.
        n: u32,
        /// What it did, in words.
        detail: String,
        /// How long it took.
        elapsed_ms: u64,
    },
    /// A step failed; the run stops.
    StepFailed {
        /// Its number.
        n: u32,
        /// What happened.
        reason: String,
    },
    /// A step waits for a person.
    Manual {
        /// Its number.
        n: u32,
        /// In words.
        title: String,
        /// What to do.
        instructions: Vec<String>,
    },
    /// The verification ended.
    Verified {
        /// What it says.
        outcome: RunOutcome,
        /// On what evidence.
        evidence: Vec<Evidence>,
        /// What is still seen, or why it can't be told.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        reason: Option<String>,
    },
    /// The run ended. Always the last event.
    RunDone {
        /// The run; empty when it was refused before it began.
        run: String,
        /// How it ended.
        outcome: RunOutcome,
        /// Why, where there is something to say.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        reason: Option<String>,
    },
}

/// How far a step of a run got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum StepState {
    /// Not begun.
    Pending,
    /// Begun, not ended.
    Running,
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Begun, and the console ended before it was known how it went.
    Interrupted,
    /// Taken back since.
    Undone,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct RunStepView {
    /// As it was planned.
    pub step: PlanStepView,
    /// How far it got.
    pub state: StepState,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub ended_at: Option<Timestamp>,
    /// What it did, or why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Its output, line by line, bounded.
    pub output: Vec<String>,
}

/// A run, as `ratibactl runs show --json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct RunView {
    /// A ULID.
    pub run: String,
    /// The playbook's id; for an undo, the undone run's.
    pub playbook: String,
    /// Its title.
    pub title: String,
    /// Whom it is about.
    pub subject: Subject,
    /// The plan's digest.
    pub digest: String,
    /// Who confirmed it.
    pub operator: String,
    /// When it began.
    #[cfg_attr(test, ts(type = "string"))]
    pub started_at: Timestamp,
    /// When it ended; absent while it goes on or when it was interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string"))]
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<RunOutcome>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its steps.
    pub steps: Vec<RunStepView>,
    /// What the verification saw.
    pub evidence: Vec<Evidence>,
    /// The run it takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_of: Option<String>,
    /// The run that took it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<String>,
    /// Whether there is something to take back now, and it can be.
    pub can_undo: bool,
}

/// `ratibactl runs list --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct RunsView {
    /// Newest first.
    pub runs: Vec<RunView>,
    /// Whether the journal's chain was checked and holds.
    pub chain_ok: bool,
    /// The first bad entry, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub chain_error: Option<String>,
}
