//! Steps become a plan: names filled in, present state read, everything shown that will happen.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value;

use super::{
    Plan, PlannedStep, Precondition,
    identity::{self, Reach},
    impact::impact,
    kinds, reference,
    undo::{is_recreate, sets_files},
};
use crate::{
    model::{ContainerFacts, Finding, SourceError},
    playbook::{
        Playbook,
        step::{Risk, Step},
    },
    ports::Sources,
    profile::SchemaSection,
};

/// How long a plan may be confirmed.
const EXPIRES_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Why no plan could be made. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A source that must be read for it can't be.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The playbook's steps can't be used.
    #[error("{0}")]
    Script(String),
    /// The stack is not so that the steps could be done.
    #[error("{0}")]
    NotNow(String),
    /// What would be taken back is no longer as the run left it, or can't be taken back.
    #[error("{0}")]
    NotUndoable(String),
    /// The run can't go on.
    #[error("{0}")]
    NotResumable(String),
}

/// What a plan is made from.
pub struct MakePlan<'a> {
    /// The stack.
    pub sources: &'a Sources,
    /// The compose project.
    pub project: &'a str,
    /// The profile's names of tables and columns.
    pub schema: &'a SchemaSection,
}

impl MakePlan<'_> {
    /// Reads what the steps depend on; gives preconditions and described steps, numbered from
    /// `first`. `left`: what the run that goes on has left.
    pub(super) async fn prepare(
        &self,
        steps: Vec<(u32, Step)>,
        left: &[Precondition],
    ) -> Result<(Vec<ContainerFacts>, Vec<Precondition>, Vec<PlannedStep>), PlanError> {
        let containers = self.sources.containers.list().await?;
        let (sources, schema) = (self.sources, self.schema);
        let looking = kinds::Looking { sources, schema, containers: &containers, left };
        let mut preconditions: Vec<Precondition> = Vec::new();
        let mut planned = Vec::new();
        for (n, step) in steps {
            let (mut step, found) = kinds::planned(n, step, &planned, &looking).await?;
            if let (Some(_), Some(earlier)) = (&step.before, changed_by(&planned, &found)) {
                step.before = Some(format!("as step {earlier} leaves it"));
            }
            if is_recreate(&step.step)
                && planned.iter().any(|earlier: &PlannedStep| sets_files(&earlier.step))
            {
                step.undo = Some(format!("{} once more, from the files as they were", step.title));
            }
            for one in found {
                // Two steps on one service depend on the same container.
                if !preconditions.iter().any(|p| p.is_about_the_same(&one)) {
                    preconditions.push(one);
                }
            }
            planned.push(step);
        }
        Ok((containers, preconditions, planned))
    }
}

/// The last of these steps that changes what the next one finds, where that is one thing alone: of a
/// file, each step has a part of its own.
fn changed_by(steps: &[PlannedStep], found: &[Precondition]) -> Option<u32> {
    let whole = |p: &&Precondition| matches!(p, Precondition::Container { .. } | Precondition::Redis { .. });
    let changes = |step: &&PlannedStep| {
        let mut things = found.iter().filter(whole);
        !matches!(step.step, Step::Command(_))
            && step.step.acts()
            && things.any(|p| step.step.kind_of().depends_on(step.n, p))
    };
    steps.iter().rev().find(changes).map(|step| step.n)
}

/// Makes a plan from the steps that `playbook` gave for `finding`.
pub async fn make(
    from: &MakePlan<'_>,
    playbook: &Playbook,
    finding: &Finding,
    params: BTreeMap<String, Value>,
    steps: Vec<Step>,
) -> Result<Plan, PlanError> {
    if steps.is_empty() {
        return Err(PlanError::Script(format!("{} has nothing to do for this finding", playbook.id)));
    }
    let (containers, preconditions, steps) = from.prepare((1..).zip(steps).collect(), &[]).await?;
    if let Some(step) = without_backup(&steps) {
        let why = "it loses data, and no step before it makes a backup of what it loses";
        return Err(PlanError::Script(format!("{}: step {} \"{}\": {why}", playbook.id, step.n, step.title)));
    }
    reference::check(&steps)?;
    let reach = Reach::of(&steps);
    let target = identity::identity(from.sources, from.project, &containers, reach).await?;
    let created_at = from.sources.clock.now();
    let lost = steps.iter().any(|s| s.risk == Risk::Destructive);
    let subject = &finding.subject;
    let phrase = subject.tenant.as_ref().or(subject.service.as_ref()).cloned();
    Ok(Plan {
        plan_id: from.sources.clock.new_id(),
        playbook: playbook.id.clone(),
        title: playbook.about.title.clone(),
        returned: BTreeMap::new(),
        undo_of: None,
        resume_of: None,
        as_of: None,
        resolved: Vec::new(),
        moved: Vec::new(),
        stays: Vec::new(),
        script_sha256: playbook.sha256.clone(),
        subject: finding.subject.clone(),
        finding: finding.data.clone(),
        params,
        target,
        preconditions,
        impact: impact(&steps, from.sources).await,
        steps,
        phrase: lost.then(|| phrase.unwrap_or_else(|| from.project.to_owned())),
        created_at,
        expires_at: expiry(created_at),
    })
}

/// A step that loses data of the stack without a backup before it: for a statement, one of Postgres.
/// Which tables it touches is only seen in its transaction, and compared there. What a call of
/// somebody's endpoint ends, such as a phone call, can't be backed up: the phrase is all there is.
fn without_backup(steps: &[PlannedStep]) -> Option<&PlannedStep> {
    let is_backed_up = |step: &PlannedStep| {
        let mut before = steps.iter().take_while(|s| s.n < step.n);
        before.any(|s| match (&s.step, &step.step) {
            (Step::Backup(backup), Step::Sql(_)) => backup.of.is_of_postgres(),
            (Step::Backup(_), _) => true,
            _ => false,
        })
    };
    let loses = |s: &&PlannedStep| s.risk == Risk::Destructive && !matches!(s.step, Step::Http(_));
    steps.iter().filter(loses).find(|step| !is_backed_up(step))
}

/// The expiry of a plan made at `created_at`.
pub(super) fn expiry(created_at: jiff::Timestamp) -> jiff::Timestamp {
    created_at.saturating_add(EXPIRES_AFTER).unwrap_or(created_at)
}
