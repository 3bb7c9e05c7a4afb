//! Whether an undo worked: the stack is again as before the run it took back.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    Look, Lookout, Plan, PlannedStep, Precondition,
    precondition::{self, sorted},
};
use crate::{
    journal::{RunRecord, StepRecord},
    model::{Change, Evidence, SourceName, counted},
    ports::Sources,
};

/// Looks whether the stack is again as it was before the run that is being taken back. What others
/// changed meanwhile is theirs: it is told, and does not count against the undo.
pub struct Restored {
    sources: Sources,
    original: RunRecord,
    undo: Plan,
}

/// The lookout for an undo: `original` is the run that the plan `undo` takes back.
pub fn restored(sources: &Sources, original: RunRecord, undo: Plan) -> Restored {
    Restored { sources: sources.clone(), original, undo }
}

#[async_trait]
impl Lookout for Restored {
    async fn look(&self) -> Look {
        let mut evidence = Vec::new();
        for (plan, before) in &self.before() {
            match self.differs(plan, before).await {
                Ok((what, None)) => evidence.push(self.seen(before, what, "as before the run".into())),
                Ok((what, Some(now))) => match (before, self.left_over().await) {
                    (Precondition::Rows { .. }, Ok(0)) => {
                        let theirs = format!("{now}, by others; none of the run's");
                        evidence.push(self.seen(before, what, json!(theirs)));
                    }
                    (Precondition::Rows { .. }, Err(why)) => {
                        evidence.push(self.seen(before, what, json!(now)));
                        return Look::CantTell(evidence, why);
                    }
                    _ => {
                        evidence.push(self.seen(before, what.clone(), json!(now)));
                        return Look::Still(evidence, format!("{what}: {now}"));
                    }
                },
                Err(why) => return Look::CantTell(evidence, why),
            }
        }
        Look::Gone(evidence)
    }
}

impl Restored {
    /// How everything was that is now put back: as the steps found it which are taken back, the first
    /// one where several did something to the same thing. A plan that the run was resumed with knows
    /// the guards of the steps that it did.
    fn before(&self) -> Vec<(&Plan, Precondition)> {
        let mut found: Vec<(&Plan, Precondition)> = Vec::new();
        for step in self.original.steps.iter().filter(|step| self.is_put_back(step)) {
            let n = step.planned.n;
            let plan = self.original.plans().filter(|plan| plan.steps.iter().any(|s| s.n == n)).last();
            let plan = plan.unwrap_or(&self.original.plan);
            for one in step.found() {
                if !found.iter().any(|(_, p)| p.is_about_the_same(&one)) {
                    found.push((plan, one));
                }
            }
        }
        found
    }

    /// The other steps may have been taken back by a run that then failed, long ago. One that goes on
    /// answers for its first half, too.
    fn is_put_back(&self, was: &StepRecord) -> bool {
        let is_undoable = was.planned.step.is_undoable();
        let is_reversed = |s: &PlannedStep| s.reverses == Some(was.planned.n);
        (self.undo.resume_of.is_some() && is_undoable) || self.undo.steps.iter().any(is_reversed)
    }

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
            Precondition::Redis { .. } => SourceName::Redis,
            Precondition::File { .. } => SourceName::Repo,
            Precondition::Volume { .. } => SourceName::Docker,
            Precondition::Answer { .. } => SourceName::Http,
            Precondition::Configuration { .. } => SourceName::Compose,
        };
        let as_of = self.sources.clock.now();
        Evidence { source: source.as_str().into(), what, value, as_of, against: false, shown: None }
    }

    /// What was looked at, and what is other than before the run.
    async fn differs(&self, plan: &Plan, before: &Precondition) -> Result<(String, Option<String>), String> {
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
                let Some(spec) = plan.guard(*step, *guard) else { return Ok((what.clone(), None)) };
                let database = self.sources.database().map_err(|e| e.to_string())?;
                let now = database.query(&precondition::guard_read(spec)).await.map_err(|e| e.to_string())?;
                let differs = (sorted(now.clone()) != sorted(rows.clone())).then(|| {
                    let other = if now.len() == rows.len() { " with other values" } else { "" };
                    format!("was {}, is {}{other}", counted(rows.len(), "row"), counted(now.len(), "row"))
                });
                Ok((what.clone(), differs))
            }
            // It was asked before the run's own call, and says nothing about after its undo.
            Precondition::Answer { what, .. } => Ok((what.clone(), None)),
            // The compose file is not the run's.
            Precondition::Configuration { .. } => Ok((before.what(), None)),
            other => {
                let now = other.now(plan, &self.sources, &[]).await.map_err(|e| e.to_string())?;
                let changes = other.changes(&now);
                let differs = (!changes.is_empty()).then(|| Change::sentence(&changes));
                Ok((other.what(), differs))
            }
        }
    }
}
