//! A plan is data: what will be done, to which stack, and what must still be so.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Impact, Precondition, Refusal};
use crate::{
    model::{Change, Subject, TargetIdentity, counted},
    playbook::step::{DotenvStep, DotenvValue, GivenSecret, GuardSpec, HttpLook, Risk, Step},
};

/// One step with everything the operator is shown about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Its number, from 1.
    pub n: u32,
    /// What will be done.
    pub step: Step,
    /// In words.
    pub title: String,
    /// Verbatim: the argument vector, or the statement with its values.
    pub preview: String,
    /// The same as a shell command that a person could type.
    pub command: String,
    /// What it can cost.
    pub risk: Risk,
    /// What is there before, in words.
    pub before: Option<String>,
    /// What will be there after, in words.
    pub after: Option<String>,
    /// Who will notice.
    pub blast_radius: String,
    /// How it is taken back, in words; `None`: it can't be.
    pub undo: Option<String>,
    /// In an undo's plan: the number of the step it takes back, or does again.
    #[serde(default)]
    pub reverses: Option<u32>,
}

/// What is now known about a step that an interrupted run had begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedStep {
    /// The run.
    pub run: String,
    /// The step's number.
    pub n: u32,
    /// Whether it happened.
    pub happened: bool,
    /// How that is known, in words.
    pub how: String,
    /// Rows it returned.
    pub returned: Vec<Value>,
    /// What it left behind.
    pub after: Vec<Precondition>,
}

/// By how much this machine's clock may go back without a plan being refused.
const CLOCK_STEP: SignedDuration = SignedDuration::from_secs(60);

/// A plan. Its digest is recomputed wherever it matters and never read from here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// A ULID.
    pub plan_id: String,
    /// The playbook's id.
    pub playbook: String,
    /// Its title.
    pub title: String,
    /// For a plan that goes on with a run: what that run's steps returned.
    #[serde(default)]
    pub returned: BTreeMap<u32, Vec<Value>>,
    /// The run that this plan takes back; its steps are that run's undos.
    #[serde(default)]
    pub undo_of: Option<String>,
    /// The interrupted run that this plan goes on with; its steps are the rest of that run's.
    #[serde(default)]
    pub resume_of: Option<String>,
    /// For a plan about a run: the journal's last entry about that run when the plan was made.
    #[serde(default)]
    pub as_of: Option<u64>,
    /// What was found out about that run's interrupted steps.
    #[serde(default)]
    pub resolved: Vec<ResolvedStep>,
    /// For a plan that goes on with a run: what moved since it was interrupted.
    #[serde(default)]
    pub moved: Vec<Change>,
    /// For a plan that takes a run back: what of that run stays, in words.
    #[serde(default)]
    pub stays: Vec<String>,
    /// SHA-256 of the playbook's text.
    pub script_sha256: String,
    /// Whom it is about.
    pub subject: Subject,
    /// What the detection found out for it.
    pub finding: Value,
    /// The parameters, defaults filled in.
    pub params: BTreeMap<String, Value>,
    /// Which stack.
    pub target: TargetIdentity,
    /// What must still be so.
    pub preconditions: Vec<Precondition>,
    /// What will be done.
    pub steps: Vec<PlannedStep>,
    /// Who and what it touches.
    #[serde(default)]
    pub impact: Impact,
    /// The text that must be typed to confirm, where data is lost.
    pub phrase: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it can no longer be confirmed.
    pub expires_at: Timestamp,
}

impl Plan {
    /// The words on the button that confirms it: the act that loses something, else the first one, and
    /// how many changes come with it; where nothing is changed, what a person does.
    pub fn act(&self) -> String {
        let changes: Vec<&PlannedStep> =
            self.steps.iter().filter(|s| s.step.acts() && s.risk != Risk::Read).collect();
        let loses = changes.iter().find(|s| s.risk == Risk::Destructive);
        let named = loses.or(changes.first()).copied();
        let by_hand = || self.steps.iter().find(|s| matches!(s.step, Step::Manual(_)));
        let asks = || self.steps.iter().find(|s| s.step.acts());
        let named = named.or_else(by_hand).or_else(asks).or(self.steps.first());
        let Some(named) = named else { return "Look whether it is fixed".into() };
        match changes.len() {
            0 | 1 => named.title.clone(),
            n => format!("{}, and {}", named.title, counted(n - 1, "more change")),
        }
    }

    /// Whether it may be confirmed and applied at this time.
    pub(super) fn is_current(&self, now: Timestamp) -> Result<(), Refusal> {
        if now >= self.expires_at {
            return Err(Refusal::Expired(self.expires_at));
        }
        // A clock may be set right by a little; a plan is not good for longer because of it.
        match self.created_at.checked_sub(CLOCK_STEP) {
            Ok(earliest) if now < earliest => Err(Refusal::NotYetMade(self.created_at)),
            _ => Ok(()),
        }
    }

    /// The services it changes.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(|s| s.step.services())
    }

    /// The secrets that it refers to: its secret parameters, and those of its steps. `true`: a step
    /// sets it.
    pub fn secrets(&self) -> Vec<(GivenSecret, bool)> {
        let of_step = |step: &PlannedStep| match &step.step {
            Step::Dotenv(DotenvStep { to: DotenvValue::Secret(given), .. }) => Some((given.clone(), true)),
            _ => None,
        };
        // Two choices are an array of two texts, which serde would read as the two fields.
        let of_param = |value: &Value| {
            let given = value.is_object().then(|| serde_json::from_value(value.clone()).ok()).flatten();
            given.map(|given| (given, false))
        };
        self.steps.iter().filter_map(of_step).chain(self.params.values().filter_map(of_param)).collect()
    }

    /// The stack as the lock names it. By what is the same in every plan for it: the working directory
    /// is not known while there is no container.
    pub fn lock_name(&self) -> String {
        self.target.compose_project.clone()
    }

    /// The look of this number that a step's call is guarded by.
    pub(super) fn look(&self, step: u32, guard: u32) -> Option<&HttpLook> {
        let planned = self.steps.iter().find(|s| s.n == step)?;
        let Step::Http(http) = &planned.step else { return None };
        http.guards.get(usize::try_from(guard).ok()?)
    }

    /// The guard of this number of a step's statement.
    pub(super) fn guard(&self, step: u32, guard: u32) -> Option<&GuardSpec> {
        let planned = self.steps.iter().find(|s| s.n == step)?;
        let Step::Sql(sql) = &planned.step else { return None };
        sql.guards.get(usize::try_from(guard).ok()?)
    }
}
