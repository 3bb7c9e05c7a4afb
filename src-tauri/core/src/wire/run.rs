//! Plans, runs and what happens while one goes on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    journal::{RunRecord, StepRecord},
    model::{Change, Evidence, Subject, TargetIdentity},
    playbook::step::{Condition, Instruction, Risk, Step},
    remedy::{CheckSeen, Impact, Plan, PlannedStep, Precondition, RunOutcome, StepState, digest},
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

/// What a step waits for, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct WaitsView {
    /// What is so then, in words.
    pub until: String,
    /// What is asked, where the words do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
    /// Seconds after which the step fails.
    pub within_s: u32,
}

impl WaitsView {
    fn new(condition: &Condition, within_s: u32) -> Self {
        Self { until: condition.words(), asks: condition.asks(), within_s }
    }
}

/// How a manual step's automatic check stands before the plan is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct CheckView {
    /// The step's number.
    pub n: u32,
    /// Whether what it waits for is so already.
    pub holds: bool,
    /// What is seen.
    pub seen: String,
}

/// How the automatic checks of a plan's manual steps stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct ChecksView {
    /// When they were looked at.
    #[cfg_attr(test, ts(type = "string"))]
    pub at: Timestamp,
    /// One for each manual step.
    pub checks: Vec<CheckView>,
}

impl From<CheckSeen> for CheckView {
    fn from(CheckSeen { n, holds, seen }: CheckSeen) -> Self {
        Self { n, holds, seen }
    }
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
    /// For a manual step: what to do, one act each.
    pub instructions: Vec<Instruction>,
    /// For a manual step: what one should know before.
    pub facts: Vec<String>,
    /// What a step that waits looks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<WaitsView>,
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
    /// The run it takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub undo_of: Option<String>,
    /// The interrupted run it goes on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub resume_of: Option<String>,
    /// For that one: what moved since it was interrupted.
    pub moved: Vec<Change>,
    /// For one that takes a run back: what of that run stays, in words.
    pub stays: Vec<String>,
    /// Who and what it touches.
    pub impact: Impact,
    /// How it is confirmed.
    pub confirm: ConfirmView,
    /// The button's words: names the act.
    pub act: String,
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
    /// For a refusal, and a run that ended because something had changed: what is not as planned.
    pub changes: Vec<Change>,
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
    /// The run that has begun to take it back, and can go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub being_undone_by: Option<String>,
    /// Whether something that it changed, or may have, stays all the same.
    pub undone_in_part: bool,
    /// Whether there is something to take back now, and it can be.
    pub can_undo: bool,
    /// Its end is not on record: it goes on elsewhere, or its console ended before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<InterruptedView>,
}

/// A run whose end is not on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts", optional_fields))]
pub struct InterruptedView {
    /// The step at which; absent: after the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
    /// Whether that step happened; absent: that can't be told, or it had not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub happened: Option<bool>,
    /// Whether it happened in part: the rest of it can be done, and what was done taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub in_part: bool,
    /// How that is known, or why not.
    pub how: String,
    /// Who carries it out right now; absent: nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goes_on: Option<String>,
    /// Whether the rest of its steps can be done.
    pub can_resume: bool,
    /// Whether what was done can be taken back.
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

impl From<&PlannedStep> for PlanStepView {
    fn from(planned: &PlannedStep) -> Self {
        let (instructions, facts) = match &planned.step {
            Step::Manual(manual) => (manual.instructions.clone(), manual.facts.clone()),
            _ => (Vec::new(), Vec::new()),
        };
        let waits = match &planned.step {
            Step::Manual(manual) => Some(WaitsView::new(&manual.done, manual.within_s)),
            Step::WaitUntil(wait) => Some(WaitsView::new(&wait.condition, wait.within_s)),
            _ => None,
        };
        Self {
            n: planned.n,
            kind: planned.step.kind().to_owned(),
            title: planned.title.clone(),
            preview: planned.preview.clone(),
            command: planned.command.clone(),
            risk: planned.risk,
            before: planned.before.clone(),
            after: planned.after.clone(),
            blast_radius: planned.blast_radius.clone(),
            instructions,
            facts,
            waits,
            undo: planned.undo.clone().map(|title| UndoView { title }),
        }
    }
}

impl PlanView {
    /// A plan as it is shown; its digest is computed here, not read.
    pub fn new(plan: &Plan) -> Self {
        Self {
            plan_id: plan.plan_id.clone(),
            digest: digest(plan),
            playbook: plan.playbook.clone(),
            title: plan.title.clone(),
            subject: plan.subject.clone(),
            params: plan.params.clone(),
            created_at: plan.created_at,
            expires_at: plan.expires_at,
            target: plan.target.clone(),
            preconditions: plan.preconditions.clone(),
            steps: plan.steps.iter().map(PlanStepView::from).collect(),
            undo_of: plan.undo_of.clone(),
            resume_of: plan.resume_of.clone(),
            moved: plan.moved.clone(),
            stays: plan.stays.clone(),
            impact: plan.impact.clone(),
            confirm: match &plan.phrase {
                Some(phrase) => ConfirmView::Phrase { phrase: phrase.clone() },
                None => ConfirmView::Click,
            },
            act: plan.act(),
        }
    }
}

impl From<&StepRecord> for RunStepView {
    fn from(step: &StepRecord) -> Self {
        Self {
            step: PlanStepView::from(&step.planned),
            state: step.state,
            started_at: step.started_at,
            ended_at: step.ended_at,
            detail: step.detail.clone(),
            output: step.output.clone(),
        }
    }
}

impl From<&RunRecord> for RunView {
    fn from(run: &RunRecord) -> Self {
        Self {
            run: run.run.clone(),
            playbook: run.plan.playbook.clone(),
            title: run.plan.title.clone(),
            subject: run.plan.subject.clone(),
            digest: run.digest.clone(),
            operator: run.operator.clone(),
            started_at: run.started_at,
            ended_at: run.ended_at,
            outcome: run.outcome,
            reason: run.reason.clone(),
            changes: run.changes.clone(),
            steps: run.steps.iter().map(RunStepView::from).collect(),
            evidence: run.evidence.clone(),
            undo_of: run.plan.undo_of.clone(),
            undone_by: run.undone_by.clone(),
            being_undone_by: run.being_undone_by.as_ref().filter(|u| u.is_open).map(|u| u.run.clone()),
            undone_in_part: run.undone_by.is_some() && run.steps.iter().any(StepRecord::may_stand),
            can_undo: run.can_undo(),
            interrupted: None,
        }
    }
}
