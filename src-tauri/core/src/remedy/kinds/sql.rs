//! A statement that changes rows, in one guarded transaction.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Acting, Described, Emit, Happened, Kind, Looking, StepDone, StepStop, backup::backups};
use crate::{
    journal::{RunRecord, StepRecord},
    model::{Change, counted},
    playbook::step::{Bound, GuardSpec, Risk, SqlStep, SqlUndo, Step, UndoGuard},
    ports::{ChangeError, Sources, SqlChange, SqlGuard, TransactionFate},
    remedy::{
        PlanError, Precondition,
        precondition::{guard_read, sorted},
        reference,
        render::{self, with_used_params},
        resolve::fate_of,
    },
};

#[async_trait]
impl Kind for SqlStep {
    fn fill(&mut self, looking: &Looking<'_>) -> Result<(), PlanError> {
        let tenant = self.tenant.clone();
        let fill = |text: &mut String| -> Result<(), PlanError> {
            *text = looking.statement(text, tenant.as_deref())?;
            Ok(())
        };
        fill(&mut self.sql)?;
        for GuardSpec { sql, .. } in &mut self.guards {
            fill(sql)?;
        }
        if let Some(undo) = &mut self.undo {
            fill(&mut undo.image_sql)?;
            fill(&mut undo.sql)?;
            for UndoGuard { sql, .. } in &mut undo.unless {
                fill(sql)?;
            }
        }
        Ok(())
    }

    async fn preconditions(&self, n: u32, looking: &Looking<'_>) -> Result<Vec<Precondition>, PlanError> {
        if self.undo.is_none() && self.guards.is_empty() {
            let why = "it can't be taken back and has no guard: let one read the rows that it loses, so that \
                       nothing newer than the plan and its backup is lost";
            return Err(PlanError::Script(format!("\"{}\": {why}", self.title)));
        }
        let mut found = Vec::new();
        for (index, guard) in (0..).zip(&self.guards) {
            let rows = looking.sources.database()?.query(&guard_read(guard)).await?;
            let what = guard.what.clone();
            found.push(Precondition::Rows { step: n, guard: index, what, rows: sorted(rows) });
        }
        Ok(found)
    }

    fn describe(&self, _found: &[Precondition], _looking: &Looking<'_>) -> Described {
        let preview = render::sql_with_values(&self.sql, &self.params);
        let rows = counted(self.expect_rows, "row");
        Described {
            title: self.title.clone(),
            command: render::psql_command(&preview),
            preview,
            risk: if self.undo.is_some() { Risk::Reversible } else { Risk::Destructive },
            before: self.before.clone(),
            after: self.after.clone().or_else(|| Some(format!("{rows} changed, or nothing at all"))),
            blast_radius: self.blast_radius.clone(),
            undo: self.undo.as_ref().map(|undo| undo.title.clone()),
        }
    }

    async fn act(&self, acting: &Acting<'_>, _emit: &mut Emit<'_>) -> Result<StepDone, StepStop> {
        let change = self.change(acting)?;
        let database = acting.acts.database().map_err(|e| StepStop::Failed(e.to_string()))?;
        let done = |returned| StepDone {
            detail: format!("{} changed", counted(self.expect_rows, "row")),
            returned: sorted(returned),
            ..StepDone::default()
        };
        match database.change(&change, acting.record).await {
            Ok(returned) => Ok(done(returned)),
            Err(ChangeError::GuardChanged { what, planned, now }) => {
                Err(StepStop::Changed(vec![Change::new(format!("\"{what}\""), "rows", planned, now)]))
            }
            Err(ChangeError::OtherTarget { now }) => {
                let planned = format!("system {} database {}", change.identity.0, change.identity.1);
                Err(StepStop::Changed(vec![Change::new("the stack", "database", planned, now)]))
            }
            Err(error @ ChangeError::Locked { .. }) => Err(StepStop::Locked(error.to_string())),
            Err(ChangeError::Unknown { xid, why, rows }) => match fate_of(&xid, acting.sources, true).await {
                Ok(TransactionFate::Committed) => Ok(done(rows)),
                Ok(TransactionFate::Aborted) => Err(StepStop::Failed(format!(
                    "{why}; Postgres says that transaction {xid} was rolled back"
                ))),
                Ok(TransactionFate::InProgress | TransactionFate::Forgotten) => Err(StepStop::InDoubt(
                    format!("{why}; Postgres does not say yet what became of transaction {xid}"),
                )),
                Err(error) => Err(StepStop::InDoubt(format!(
                    "{why}; and Postgres can't be asked what became of transaction {xid}: {error}"
                ))),
            },
            Err(
                error @ (ChangeError::RowCount { .. }
                | ChangeError::NotBackedUp { .. }
                | ChangeError::MoreRows { .. }
                | ChangeError::NotRecorded(_)),
            ) => Err(StepStop::Failed(error.to_string())),
            Err(ChangeError::Source(error)) => {
                Err(StepStop::Failed(format!("{error}; nothing was changed. {}", error.hint)))
            }
        }
    }

    fn is_undoable(&self) -> bool {
        self.undo.is_some()
    }

    fn take_back(&self, left: &StepRecord, run: &RunRecord) -> Result<Step, String> {
        let undo = self.undo.as_ref().ok_or("it can't be taken back")?;
        undo_of(self, undo, left, run).map(|step| Step::Sql(Box::new(step)))
    }

    /// The rows as the step returned them, and nothing that came to depend on them.
    fn left_behind(&self, left: &StepRecord, n: u32) -> Vec<Precondition> {
        let Some(undo) = &self.undo else { return Vec::new() };
        let rows = |guard, what: &str, rows| Precondition::Rows { step: n, guard, what: what.into(), rows };
        let unless = (1..).zip(&undo.unless).map(|(guard, u)| rows(guard, &u.what, Vec::new()));
        std::iter::once(rows(0, AS_LEFT, sorted(left.returned.clone()))).chain(unless).collect()
    }

    async fn happened(&self, begun: &StepRecord, _run: &RunRecord, sources: &Sources) -> Happened {
        let Some(prepared) = &begun.prepared else {
            let how = "its transaction never came to its commit, and Postgres rolls such a one back";
            return Happened::No { how: how.into() };
        };
        let xid = &prepared.xid;
        match fate_of(xid, sources, false).await {
            Ok(TransactionFate::Committed) => Happened::Yes {
                how: format!("Postgres says that transaction {xid} was committed"),
                returned: sorted(prepared.rows.clone()),
                after: Vec::new(),
            },
            Ok(TransactionFate::Aborted) => {
                Happened::No { how: format!("Postgres says that transaction {xid} was rolled back") }
            }
            Ok(TransactionFate::InProgress) => {
                Happened::Unknown(format!("transaction {xid} still goes on in Postgres"))
            }
            Ok(TransactionFate::Forgotten) => {
                Happened::Unknown(format!("Postgres no longer knows what became of transaction {xid}"))
            }
            Err(error) => Happened::Unknown(error.to_string()),
        }
    }
}

const AS_LEFT: &str = "what the run left";

impl SqlStep {
    fn change(&self, acting: &Acting<'_>) -> Result<SqlChange, StepStop> {
        let plan = acting.plan;
        let guards = (0..)
            .zip(&self.guards)
            .map(|(index, guard): (u32, _)| {
                let rows = plan.preconditions.iter().find_map(|p| match p {
                    Precondition::Rows { step, guard, rows, .. } if (*step, *guard) == (acting.n, index) => {
                        Some(rows)
                    }
                    _ => None,
                });
                let mut read = guard_read(guard);
                if guard.lock {
                    read.sql.push_str(" FOR UPDATE");
                }
                rows.map(|rows| SqlGuard { what: guard.what.clone(), read, expect: rows.clone() })
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| StepStop::Failed("the plan does not say what its guards must find".into()))?;
        let params = self.params.iter().map(|param| reference::value(param, acting.returned));
        let params = params.collect::<Result<_, _>>().map_err(StepStop::Failed)?;
        Ok(SqlChange {
            guards,
            sql: self.sql.clone(),
            params,
            expect_rows: self.expect_rows,
            lock: format!("ratiba-console:{}", plan.playbook),
            holder: format!("ratiba-console: {}", acting.holder),
            identity: (
                plan.target.postgres_system_identifier.clone().unwrap_or_default(),
                plan.target.postgres_database.clone().unwrap_or_default(),
            ),
            has_undo: self.undo.is_some(),
            // What takes back brings back what was there.
            backed_up: (self.undo.is_none() && plan.undo_of.is_none()).then(|| backups(acting.returned)),
        })
    }
}

fn undo_of(sql: &SqlStep, undo: &SqlUndo, left: &StepRecord, run: &RunRecord) -> Result<SqlStep, String> {
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
    let image = guard(AS_LEFT, &undo.image_sql, true);
    let unless: Vec<GuardSpec> = undo.unless.iter().map(|u| guard(&u.what, &u.sql, false)).collect();
    let rows = left.returned.len();
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
        blast_radius: undo.blast_radius.as_ref().unwrap_or(&sql.blast_radius).clone(),
    })
}

/// A column of all rows that a step returned.
fn returned(run: &RunRecord, step: u32, column: &str) -> Result<Value, String> {
    let record = run.steps.iter().find(|s| s.planned.n == step);
    let values: Option<Vec<Value>> =
        record.and_then(|r| r.returned.iter().map(|row| row.get(column).cloned()).collect());
    values
        .map(|values| json!(values))
        .ok_or_else(|| format!("the journal has no column `{column}` of step {step}'s rows"))
}
