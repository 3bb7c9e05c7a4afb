//! What happens while a run goes on, and how it ends.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::{Change, Evidence},
    playbook::step::Instruction,
};

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

impl RunOutcome {
    /// It in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::NotFixed => "not fixed",
            Self::Unknown => "not known whether it is fixed",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
        }
    }
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
        instructions: Vec<Instruction>,
        /// What one should know before.
        facts: Vec<String>,
    },
    /// A step that waits, for the stack or for a person, looked. Said when something else is seen than
    /// before, and every two seconds.
    Looked {
        /// Its number.
        n: u32,
        /// When.
        #[cfg_attr(test, ts(type = "string"))]
        at: Timestamp,
        /// What is seen instead of what is waited for.
        seen: String,
        /// Seconds it still waits.
        left_s: u64,
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
        /// What is not as planned, where that is why.
        #[serde(default)]
        changes: Vec<Change>,
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
