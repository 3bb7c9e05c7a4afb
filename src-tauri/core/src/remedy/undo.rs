//! A run is taken back: by a plan of its own, made from what the run left behind.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    Look, Lookout, MakePlan, Plan, PlanError, Precondition,
    make::expiry,
    precondition::{self, sorted},
    render::with_used_params,
};
use crate::{
    journal::{RunRecord, StepRecord},
    model::{Evidence, SourceName, counted},
    playbook::step::{Bound, GuardSpec, Risk, SqlStep, SqlUndo, Step},
    ports::Sources,
};

/// Makes the plan that takes `run` back: its done steps' undos, last one first. Each is guarded by
/// what the run left behind, so that nothing newer is taken away.
pub async fn make_undo(from: &MakePlan<'_>, run: &RunRecord) -> Result<Plan, PlanError> {
    if let Some(by) = &run.undone_by {
        return Err(PlanError::NotUndoable(format!("run {} was already taken back by run {by}", run.run)));
    }
    let mut steps = Vec::new();
    let mut left = Vec::new();
    for record in run.steps.iter().rev().filter(|s| s.is_undoable()) {
        steps.push(undo_step(record, run)?);
        left.push(record);
    }
    if steps.is_empty() {
        let why = format!("run {} did nothing that can be taken back", run.run);
        return Err(PlanError::NotUndoable(why));
    }
    let (containers, mut preconditions, mut planned) = from.prepare(steps).await?;
    for (step, record) in planned.iter_mut().zip(&left) {
        step.risk = Risk::Reversible;
        if let Some(title) = &record.planned.undo {
            step.title.clone_from(title);
        }
        match &step.step {
            Step::Compose { .. } => {
                let Some(after) = &record.after else {
                    let why = format!("it is not known how step {} left the container", record.planned.n);
                    return Err(PlanError::NotUndoable(why));
                };
                if let Some(change) = precondition::container_change(after, &containers) {
                    return Err(PlanError::NotUndoable(format!("changed since the run: {change}")));
                }
            }
            Step::Sql(sql) => {
                let changed = preconditions.iter().find_map(|p| guard_broken(p, step.n, sql, record));
                if let Some(why) = changed {
                    return Err(PlanError::NotUndoable(why));
                }
            }
            Step::WaitUntil { .. } | Step::Manual { .. } => {}
        }
    }
    let with_postgres = planned.iter().any(|s| matches!(s.step, Step::Sql(_)));
    let target = precondition::identity(from.sources, from.project, &containers, with_postgres).await?;
    if let Some(change) = precondition::identity_change(&run.plan.target, &target) {
        return Err(PlanError::NotUndoable(format!("this is not the stack of that run: {change}")));
    }
    preconditions.dedup();
    let created_at = from.sources.clock.now();
    Ok(Plan {
        plan_id: from.sources.clock.new_id(),
        playbook: run.plan.playbook.clone(),
        title: format!("Take back: {}", run.plan.title),
        undo_of: Some(run.run.clone()),
        script_sha256: run.plan.script_sha256.clone(),
        subject: run.plan.subject.clone(),
        finding: run.plan.finding.clone(),
        params: run.plan.params.clone(),
        target,
        preconditions,
        steps: planned,
        phrase: None,
        created_at,
        expires_at: expiry(created_at),
    })
}

fn undo_step(record: &StepRecord, run: &RunRecord) -> Result<Step, PlanError> {
    let not = |why: &str| PlanError::NotUndoable(format!("step {}: {why}", record.planned.n));
    match &record.planned.step {
        Step::Compose { action, blast_radius } => {
            let had_container = run.plan.preconditions.iter().any(|p| {
                matches!(p, Precondition::Container { service, id: Some(_), .. } if service == action.service())
            });
            let action = action.undo(had_container).ok_or_else(|| not("it can't be taken back"))?;
            Ok(Step::Compose { action, blast_radius: blast_radius.clone() })
        }
        Step::Sql(sql) => {
            let undo = sql.undo.as_ref().ok_or_else(|| not("it can't be taken back"))?;
            undo_sql(sql, undo, record, run).map(|step| Step::Sql(Box::new(step)))
        }
        Step::WaitUntil { .. } | Step::Manual { .. } => Err(not("there is nothing to take back")),
    }
}

fn undo_sql(
    sql: &SqlStep,
    undo: &SqlUndo,
    record: &StepRecord,
    run: &RunRecord,
) -> Result<SqlStep, PlanError> {
    let params = undo
        .params
        .iter()
        .map(|bound| match bound {
            Bound::Value(value) => Ok(value.clone()),
            Bound::Returned { step, column } => returned(run, *step, column),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let guard = |what: &str, sql: &str, lock: bool| {
        let (sql, params) = with_used_params(sql, &params);
        GuardSpec { what: what.to_owned(), sql, params, lock }
    };
    let image = guard("the rows are still as the run left them", &undo.image_sql, true);
    let unless: Vec<GuardSpec> = undo.unless.iter().map(|u| guard(&u.what, &u.sql, false)).collect();
    let rows = record.returned.len();
    let (statement, params) = with_used_params(&undo.sql, &params);
    Ok(SqlStep {
        title: undo.title.clone(),
        tenant: sql.tenant.clone(),
        guards: std::iter::once(image).chain(unless).collect(),
        sql: statement,
        params,
        expect_rows: rows as u64,
        undo: None,
        before: Some(format!("{} as the run left them", counted(rows, "row"))),
        after: Some("as before the run".into()),
        blast_radius: sql.blast_radius.clone(),
    })
}

/// A column of all rows that a step returned.
fn returned(run: &RunRecord, step: u32, column: &str) -> Result<Value, PlanError> {
    let record = run.steps.iter().find(|s| s.planned.n == step);
    let values: Option<Vec<Value>> =
        record.and_then(|r| r.returned.iter().map(|row| row.get(column).cloned()).collect());
    values.map(Value::Array).ok_or_else(|| {
        PlanError::NotUndoable(format!("the journal has no column `{column}` of step {step}'s rows"))
    })
}

/// What makes an undo's guard fail right now: newer values, or something that came to depend on
/// the rows.
fn guard_broken(found: &Precondition, n: u32, sql: &SqlStep, record: &StepRecord) -> Option<String> {
    let Precondition::Rows { step, guard, what, rows } = found else { return None };
    if *step != n || sql.guards.is_empty() {
        return None;
    }
    let expected: &[Value] = if *guard == 0 { &record.returned } else { &[] };
    (sorted(rows.clone()) != sorted(expected.to_vec())).then(|| format!("not so any more: {what}"))
}

/// Looks whether the stack is again as it was before the run that is being taken back. What others
/// changed meanwhile is theirs: it is told, and does not count against the undo.
pub struct Restored<'a> {
    sources: &'a Sources,
    before: Vec<Precondition>,
    plan: &'a Plan,
    undo: &'a Plan,
}

/// The lookout for an undo: `original` is the plan of the run that the plan `undo` takes back.
pub fn restored<'a>(sources: &'a Sources, original: &'a Plan, undo: &'a Plan) -> Restored<'a> {
    Restored { sources, before: original.preconditions.clone(), plan: original, undo }
}

#[async_trait]
impl Lookout for Restored<'_> {
    async fn look(&self) -> Look {
        let mut evidence = Vec::new();
        for before in &self.before {
            match self.differs(before).await {
                Ok((what, None)) => evidence.push(self.seen(before, what, "as before the run".into())),
                Ok((what, Some(now))) => {
                    evidence.push(self.seen(before, what.clone(), json!(now)));
                    match (before, self.left_over().await) {
                        (Precondition::Rows { .. }, Ok(0)) => {
                            let ours = "rows as the run left them".to_owned();
                            evidence.push(self.seen(before, ours, json!(0)));
                        }
                        (Precondition::Rows { .. }, Err(why)) => return Look::CantTell(evidence, why),
                        _ => return Look::Still(evidence, format!("{what}: {now}")),
                    }
                }
                Err(why) => return Look::CantTell(evidence, why),
            }
        }
        Look::Gone(evidence)
    }
}

impl Restored<'_> {
    /// How many rows are still as the run left them.
    async fn left_over(&self) -> Result<usize, String> {
        let mut count = 0;
        for precondition in &self.undo.preconditions {
            // The first guard of an undo's statement reads what the run left behind.
            let Precondition::Rows { step, guard: 0, rows, .. } = precondition else { continue };
            let Some(spec) = self.undo.guard(*step, 0) else { continue };
            let database = self.sources.database().map_err(|e| e.to_string())?;
            let now = database.query(&precondition::guard_read(spec)).await.map_err(|e| e.to_string())?;
            count += now.iter().filter(|row| rows.contains(row)).count();
        }
        Ok(count)
    }

    fn seen(&self, before: &Precondition, what: String, value: Value) -> Evidence {
        let source = match before {
            Precondition::Container { .. } => SourceName::Docker,
            Precondition::Rows { .. } => SourceName::Postgres,
        };
        let as_of = self.sources.clock.now();
        Evidence { source: source.as_str().into(), what, value, as_of, against: false }
    }

    /// What was looked at, and what is other than before the run.
    async fn differs(&self, before: &Precondition) -> Result<(String, Option<String>), String> {
        match before {
            Precondition::Container { service, state, .. } => {
                let containers = self.sources.containers.list().await.map_err(|e| e.to_string())?;
                let Precondition::Container { state: now, .. } =
                    precondition::container(&containers, service)
                else {
                    return Ok((service.clone(), None));
                };
                let word = |s: &Option<String>| s.clone().unwrap_or_else(|| "without a container".into());
                // What was created and never ran is as down as what was stopped.
                let as_down = |s: &Option<String>| {
                    s.as_deref().map(|s| if s == "created" { "exited" } else { s }.to_owned())
                };
                let differs = (as_down(&now) != as_down(state))
                    .then(|| format!("was {}, is {}", word(state), word(&now)));
                Ok((format!("state of {service}"), differs))
            }
            Precondition::Rows { step, guard, what, rows } => {
                let Some(spec) = self.plan.guard(*step, *guard) else { return Ok((what.clone(), None)) };
                let database = self.sources.database().map_err(|e| e.to_string())?;
                let now = database.query(&precondition::guard_read(spec)).await.map_err(|e| e.to_string())?;
                let differs = (sorted(now.clone()) != sorted(rows.clone())).then(|| {
                    format!("was {}, now {} or other values", counted(rows.len(), "row"), now.len())
                });
                Ok((what.clone(), differs))
            }
        }
    }
}
