//! Steps become a plan: names filled in, present state read, everything shown that will happen.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value;

use super::{Plan, PlannedStep, Precondition, precondition, render};
use crate::{
    model::{ContainerFacts, Finding, SourceError, TenantSlug, counted},
    observe::worst_container,
    playbook::{
        Playbook, sql_template,
        step::{Condition, GuardSpec, Risk, SqlStep, Step, UndoGuard},
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
    /// What would be taken back is no longer as the run left it, or can't be taken back.
    #[error("{0}")]
    NotUndoable(String),
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
    /// Reads what the steps depend on; gives preconditions and described steps.
    pub(super) async fn prepare(
        &self,
        steps: Vec<Step>,
    ) -> Result<(Vec<ContainerFacts>, Vec<Precondition>, Vec<PlannedStep>), PlanError> {
        let containers = self.sources.containers.list().await?;
        let mut preconditions: Vec<Precondition> = Vec::new();
        let mut planned = Vec::new();
        for (n, step) in (1..).zip(steps) {
            let step = self.named(step)?;
            let known = |service: &str, found: &[Precondition]| {
                found.iter().any(|p| matches!(p, Precondition::Container { service: s, .. } if s == service))
            };
            if let Some(service) = step.service().filter(|s| !known(s, &preconditions)) {
                preconditions.push(precondition::container(&containers, service));
            }
            preconditions.extend(precondition::rows(self.sources, n, &step).await?);
            planned.push(self.described(n, step, &containers));
        }
        Ok((containers, preconditions, planned))
    }

    /// Fills in the names of schema, tables and columns.
    fn named(&self, step: Step) -> Result<Step, PlanError> {
        let Step::Sql(mut sql) = step else { return Ok(step) };
        let tenant = sql.tenant.as_deref().map(TenantSlug::parse).transpose();
        let tenant = tenant.map_err(|e| PlanError::Script(e.to_string()))?;
        let fill = |text: &mut String| -> Result<(), PlanError> {
            *text = sql_template::expand(text, self.schema).map_err(PlanError::Script)?;
            if let Some(tenant) = &tenant {
                *text = sql_template::for_tenant(text, tenant);
            }
            if text.contains("{tenant}") {
                return Err(PlanError::Script(
                    "a statement is about a tenant but the step names none".into(),
                ));
            }
            Ok(())
        };
        let SqlStep { guards, sql: statement, undo, .. } = sql.as_mut();
        fill(statement)?;
        for GuardSpec { sql, .. } in guards {
            fill(sql)?;
        }
        if let Some(undo) = undo {
            fill(&mut undo.image_sql)?;
            fill(&mut undo.sql)?;
            for UndoGuard { sql, .. } in &mut undo.unless {
                fill(sql)?;
            }
        }
        Ok(Step::Sql(sql))
    }

    fn described(&self, n: u32, step: Step, containers: &[ContainerFacts]) -> PlannedStep {
        let nobody = || "Nobody: it only looks.".to_owned();
        let mut planned = PlannedStep {
            n,
            title: String::new(),
            preview: String::new(),
            command: String::new(),
            risk: Risk::Read,
            before: None,
            after: None,
            blast_radius: String::new(),
            undo: None,
            step,
        };
        match &planned.step {
            Step::Compose { action, blast_radius } => {
                let argv = self.sources.compose.argv(action);
                let facts = worst_container(containers, action.service());
                planned.title = action.title();
                planned.preview = render::shell_line(&argv);
                planned.command = planned.preview.clone();
                planned.risk = Risk::Reversible;
                planned.before = Some(facts.map_or_else(
                    || format!("{} has no container", action.service()),
                    |f| format!("{} is {}", action.service(), f.state.as_str()),
                ));
                planned.after = Some(action.leaves());
                planned.blast_radius = blast_radius.clone();
                planned.undo = action.undo(facts.is_some()).map(|undo| undo.title());
            }
            Step::Sql(sql) => {
                planned.title = sql.title.clone();
                planned.preview = render::sql_with_values(&sql.sql, &sql.params);
                planned.command = render::psql_command(&planned.preview);
                planned.risk = if sql.undo.is_some() { Risk::Reversible } else { Risk::Destructive };
                planned.before = sql.before.clone();
                planned.after = sql.after.clone().or_else(|| {
                    Some(format!("{} changed, or nothing at all", counted(sql.expect_rows, "row")))
                });
                planned.blast_radius = sql.blast_radius.clone();
                planned.undo = sql.undo.as_ref().map(|undo| undo.title.clone());
            }
            Step::WaitUntil { title, until, within_s } => {
                planned.title = title.clone();
                planned.preview =
                    format!("look every second, for at most {within_s} s, until {}", until.words());
                planned.command = format!("# wait until {}", until.words());
                planned.blast_radius = nobody();
            }
            Step::Manual { title, instructions, done, within_s } => {
                planned.title = title.clone();
                planned.preview = format!(
                    "you do it; then the run goes on by itself as soon as {}, for at most {within_s} s",
                    done.words()
                );
                planned.command =
                    instructions.iter().map(|i| format!("# {i}")).collect::<Vec<_>>().join("\n");
                planned.blast_radius = "Whatever you do by hand.".into();
            }
        }
        planned
    }
}

impl Condition {
    fn words(&self) -> String {
        match self {
            Self::ServiceUp { service } => {
                format!("{service} runs and its health check, if it has one, passes")
            }
            Self::PortFree { port } => format!("nobody listens on port {port}"),
        }
    }
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
    let (containers, preconditions, steps) = from.prepare(steps).await?;
    let with_postgres = steps.iter().any(|s| matches!(s.step, Step::Sql(_)));
    let target = precondition::identity(from.sources, from.project, &containers, with_postgres).await?;
    let created_at = from.sources.clock.now();
    let lost = steps.iter().any(|s| s.risk == Risk::Destructive);
    let subject = &finding.subject;
    let phrase = subject.tenant.as_ref().or(subject.service.as_ref()).cloned();
    Ok(Plan {
        plan_id: from.sources.clock.new_id(),
        playbook: playbook.id.clone(),
        title: playbook.about.title.clone(),
        undo_of: None,
        script_sha256: playbook.sha256.clone(),
        subject: finding.subject.clone(),
        finding: finding.data.clone(),
        params,
        target,
        preconditions,
        steps,
        phrase: lost.then(|| phrase.unwrap_or_else(|| from.project.to_owned())),
        created_at,
        expires_at: expiry(created_at),
    })
}

/// The expiry of a plan made at `created_at`.
pub(super) fn expiry(created_at: jiff::Timestamp) -> jiff::Timestamp {
    created_at.saturating_add(EXPIRES_AFTER).unwrap_or(created_at)
}
