//! What each kind of step is, from planning to taking back: one file per kind, one trait for all.

mod backup;
mod command;
mod compose;
mod dotenv;
mod http;
mod output;
mod patch;
mod patched_paths;
mod project;
mod redis;
mod sql;
mod wait;

use async_trait::async_trait;
use futures_util::FutureExt;
use serde_json::Value;

pub(super) use backup::still_kept;
pub(super) use http::holds;
use output::{Output, of_compose};
use patched_paths::patched_paths;
pub use wait::{CheckSeen, look_at_checks};

use super::{
    Cancel, FileOf, Lookout, Plan, PlanError, PlannedStep, Precondition, RunEvent, precondition,
    reference::Returned,
};
use crate::{
    journal::{RunRecord, StepRecord},
    model::{Change, ContainerFacts, TenantSlug},
    playbook::{
        sql_template,
        step::{Risk, Step},
    },
    ports::{Acts, BeforeCommit, CommandLimits, Read, Sources},
    profile::SchemaSection,
};

/// Gives events of a run to whoever watches it.
pub(super) type Emit<'a> = dyn FnMut(RunEvent) + Send + 'a;

/// What planning a step can look at.
pub(super) struct Looking<'a> {
    pub sources: &'a Sources,
    pub schema: &'a SchemaSection,
    pub containers: &'a [ContainerFacts],
    /// What the run that goes on has left.
    pub left: &'a [Precondition],
}

/// What the operator is shown about a step.
pub(super) struct Described {
    pub title: String,
    pub preview: String,
    pub command: String,
    pub risk: Risk,
    pub before: Option<String>,
    pub after: Option<String>,
    pub blast_radius: String,
    pub undo: Option<String>,
}

/// What carrying out a step can use.
pub(super) struct Acting<'a> {
    pub plan: &'a Plan,
    pub run: &'a str,
    pub n: u32,
    /// What the step depends on, as it must be found.
    pub before: &'a [Precondition],
    /// What earlier steps of the run returned.
    pub returned: &'a Returned,
    pub sources: &'a Sources,
    pub acts: &'a Acts,
    pub cancel: &'a Cancel,
    /// Looks at the stack with the playbook.
    pub lookout: &'a dyn Lookout,
    /// Who is applying, for the one who finds a lock taken.
    pub holder: &'a str,
    /// Makes what is about to be committed durable first.
    pub record: &'a dyn BeforeCommit,
}

/// What a step did.
#[derive(Default)]
pub(super) struct StepDone {
    pub detail: String,
    pub output: Vec<String>,
    /// Rows it returned.
    pub returned: Vec<Value>,
    /// What it left behind.
    pub after: Vec<Precondition>,
}

/// Why a step did not get done.
pub(super) enum StepStop {
    /// It failed.
    Failed(String),
    /// Nothing was done: what it depends on had changed.
    Changed(Vec<Change>),
    /// Nothing was done: somebody else is changing the same thing.
    Locked(String),
    /// The operator stopped it; what is true now, in words.
    Cancelled(String),
    /// It may have happened or not.
    InDoubt(String),
}

/// Whether a step that was begun and not ended happened.
pub(super) enum Happened {
    /// It did, and this is what it left behind.
    Yes { how: String, returned: Vec<Value>, after: Vec<Precondition> },
    /// It did not.
    No { how: String },
    /// In part: `rest` does what is left to do, and its `take_back` takes away what was done, where
    /// something was. `after` is what is there now.
    InPart { how: String, rest: Step, after: Vec<Precondition>, is_there: bool },
    /// That can't be told, and it does no harm to do it again.
    Again { how: String },
    /// That can't be told.
    Unknown(String),
}

/// One kind of step.
#[async_trait]
pub(super) trait Kind: Send + Sync {
    /// Fills in the names that the playbook leaves to the profile.
    fn fill(&mut self, _looking: &Looking<'_>) -> Result<(), PlanError> {
        Ok(())
    }

    /// What must still be so when it acts, read now.
    async fn preconditions(&self, n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError>;

    /// That it can be done after the steps planned before it.
    async fn follows(&self, _earlier: &[PlannedStep], _looking: &Looking<'_>) -> Result<(), PlanError> {
        Ok(())
    }

    /// What the operator is shown. `found` are its preconditions.
    fn describe(&self, found: &[Precondition], looking: &Looking<'_>) -> Described;

    /// Whether the step, as number `n`, depends on this precondition.
    fn depends_on(&self, n: u32, precondition: &Precondition) -> bool {
        precondition.is_of_step(n)
    }

    /// Keeps what goes with the act, before it; what is given is journalled.
    async fn keep(&self, _acting: &Acting<'_>) -> Result<Value, StepStop> {
        Ok(Value::Null)
    }

    /// Does it.
    async fn act(&self, acting: &Acting<'_>, emit: &mut Emit<'_>) -> Result<StepDone, StepStop>;

    /// Whether it changes the stack itself.
    fn acts(&self) -> bool {
        true
    }

    /// The compose services it changes.
    fn services(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The compose services that it names.
    fn names(&self) -> Vec<&str> {
        self.services()
    }

    /// Whether there is something to take back, and it can be.
    fn is_undoable(&self) -> bool {
        false
    }

    /// The step that takes it back, given what it left behind.
    fn take_back(&self, _left: &StepRecord, _run: &RunRecord) -> Result<Step, String> {
        Err("there is nothing to take back".into())
    }

    /// Whether it is the rest of one that was done in part.
    fn is_rest(&self) -> bool {
        false
    }

    /// Whether one that failed may have done something all the same.
    fn may_fail_half_way(&self) -> bool {
        false
    }

    /// All of it, where it is the rest of one that was done in part.
    fn whole(&self) -> Option<Step> {
        None
    }

    /// What it found; as the rest of one that was done in part, what that one found.
    fn found(&self, begun: &StepRecord) -> Vec<Precondition> {
        begun.before.clone()
    }

    /// What the step that takes it back, as number `n` of its plan, must find.
    fn left_behind(&self, left: &StepRecord, _n: u32) -> Vec<Precondition> {
        left.after.clone()
    }

    /// Whether it happened, for a step that was begun and whose end is not on record.
    async fn happened(&self, _begun: &StepRecord, _run: &RunRecord, _sources: &Sources) -> Happened {
        Happened::No { how: "it only looks".into() }
    }
}

impl Step {
    pub(super) fn kind_of(&self) -> &dyn Kind {
        match self {
            Self::Compose(step) => step,
            Self::Project(step) => step,
            Self::Command(step) => step.as_ref(),
            Self::Sql(step) => step.as_ref(),
            Self::Redis(step) => step,
            Self::Dotenv(step) => step,
            Self::Patch(step) => step,
            Self::Http(step) => step.as_ref(),
            Self::Backup(step) => step,
            Self::WaitUntil(step) => step,
            Self::Manual(step) => step,
        }
    }

    fn kind_of_mut(&mut self) -> &mut dyn Kind {
        match self {
            Self::Compose(step) => step,
            Self::Project(step) => step,
            Self::Command(step) => step.as_mut(),
            Self::Sql(step) => step.as_mut(),
            Self::Redis(step) => step,
            Self::Dotenv(step) => step,
            Self::Patch(step) => step,
            Self::Http(step) => step.as_mut(),
            Self::Backup(step) => step,
            Self::WaitUntil(step) => step,
            Self::Manual(step) => step,
        }
    }

    /// The kind's word, as in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Compose(_) => "compose",
            Self::Project(_) => "project",
            Self::Command(_) => "command",
            Self::Sql(_) => "sql",
            Self::Redis(_) => "redis",
            Self::Dotenv(_) => "dotenv",
            Self::Patch(_) => "patch",
            Self::Http(_) => "http",
            Self::Backup(_) => "backup",
            Self::WaitUntil(_) => "wait_until",
            Self::Manual(_) => "manual",
        }
    }

    /// Whether it changes the stack itself.
    pub fn acts(&self) -> bool {
        self.kind_of().acts()
    }

    /// All of it, also where it is the rest of one that was done in part.
    pub(super) fn whole(&self) -> Self {
        self.kind_of().whole().unwrap_or_else(|| self.clone())
    }

    /// Whether it is the rest of one that was done in part.
    pub(crate) fn is_rest(&self) -> bool {
        self.kind_of().is_rest()
    }

    /// Whether one that failed may have done something all the same.
    pub(crate) fn may_fail_half_way(&self) -> bool {
        self.kind_of().may_fail_half_way()
    }

    /// What it found before it began; where it was done in two goes, before the first.
    pub(crate) fn found(&self, begun: &StepRecord) -> Vec<Precondition> {
        self.kind_of().found(begun)
    }

    /// The compose services it changes.
    pub fn services(&self) -> Vec<&str> {
        self.kind_of().services()
    }

    /// Whether there is something to take back, and it can be.
    pub fn is_undoable(&self) -> bool {
        self.kind_of().is_undoable()
    }
}

/// Makes a planned step of a playbook's step, with what must still be so when it acts.
pub(super) async fn planned(
    n: u32,
    mut step: Step,
    earlier: &[PlannedStep],
    looking: &Looking<'_>,
) -> Result<(PlannedStep, Vec<Precondition>), PlanError> {
    step.kind_of_mut().fill(looking)?;
    check_services(&step, looking).await?;
    step.kind_of().follows(earlier, looking).await?;
    let found = step.kind_of().preconditions(n, looking).await?;
    let shown = step.kind_of().describe(&found, looking);
    let planned = PlannedStep {
        n,
        step,
        title: shown.title,
        preview: shown.preview,
        command: shown.command,
        risk: shown.risk,
        before: shown.before,
        after: shown.after,
        blast_radius: shown.blast_radius,
        undo: shown.undo,
        reverses: None,
    };
    Ok((planned, found))
}

/// What a planned step would be shown as now, verbatim, if what it depends on is as planned.
pub(super) fn shown(step: &PlannedStep, planned: &[Precondition], looking: &Looking<'_>) -> String {
    let kind = step.step.kind_of();
    let found: Vec<Precondition> = planned.iter().filter(|p| kind.depends_on(step.n, p)).cloned().collect();
    kind.describe(&found, looking).preview
}

/// The services that a step names are services: the word goes into a command.
async fn check_services(step: &Step, looking: &Looking<'_>) -> Result<(), PlanError> {
    for service in step.kind_of().names() {
        let is_of_one = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let is_name = service.chars().all(is_of_one) && !service.is_empty() && !service.starts_with('-');
        if !is_name {
            return Err(PlanError::Script(format!("{service:?} is not a name that a service can have")));
        }
        let has_container = looking.containers.iter().any(|c| c.service == service);
        if !has_container && !looking.sources.compose.declared_services().await?.iter().any(|s| s == service)
        {
            let why = "it has no container, and the compose file does not declare it";
            return Err(PlanError::NotNow(format!("there is no service {service}: {why}")));
        }
    }
    Ok(())
}

impl Looking<'_> {
    /// A statement with the profile's names, and the tenant's schema where it has one.
    fn statement(&self, text: &str, tenant: Option<&str>) -> Result<String, PlanError> {
        let mut filled = sql_template::expand(text, self.schema).map_err(PlanError::Script)?;
        if let Some(tenant) = tenant {
            let tenant = TenantSlug::parse(tenant).map_err(|e| PlanError::Script(e.to_string()))?;
            filled = sql_template::for_tenant(&filled, &tenant);
        }
        if filled.contains("{tenant}") {
            return Err(PlanError::Script("a statement is about a tenant but the step names none".into()));
        }
        Ok(filled)
    }
}

/// Why it can't be told yet whether a compose command happened: it outlived its console.
async fn goes_on(sources: &Sources, argv: &[String], n: u32) -> Option<Happened> {
    // A program that is a script is not the first of its process's arguments.
    match sources.compose.going_on(argv.get(1..).unwrap_or_default()).await {
        Ok(None) => None,
        Ok(Some(which)) => Some(Happened::Unknown(format!("the command of step {n} still goes on: {which}"))),
        Err(error) => Some(Happened::Unknown(error.to_string())),
    }
}

/// A service's container as it is now, read anew.
async fn container_now(sources: &Sources, service: &str) -> Read<Precondition> {
    Ok(precondition::container(&sources.containers.list().await?, service))
}

/// What is other about a file than an adapter was told to find.
fn changed_file(of: FileOf, what: String, planned: Vec<Value>, now: Vec<Value>) -> Vec<Change> {
    let file = |values: &[Value]| match values {
        [facts] => serde_json::from_value(facts.clone()).ok().map(|facts| Precondition::File { of, facts }),
        _ => None,
    };
    match (file(&planned), file(&now)) {
        (Some(planned), Some(now)) => planned.changes(&now),
        _ => vec![Change::new(what, "content", planned, now)],
    }
}

/// Who notices a step that only looks.
fn nobody() -> String {
    "Nobody: it only looks.".into()
}

impl Acting<'_> {
    /// Limits of a command: its own deadline, and the operator.
    fn limits(&self, within: std::time::Duration) -> CommandLimits<'_> {
        CommandLimits { deadline: within, stop: self.cancel.cancelled().boxed() }
    }

    /// A name for what this step keeps or makes.
    fn name(&self) -> String {
        format!("{}-{}", self.run, self.n)
    }
}

/// `; left` where something still goes on.
fn and_left(left: Option<String>) -> String {
    left.map(|l| format!("; {l}")).unwrap_or_default()
}
