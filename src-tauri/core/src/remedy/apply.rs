//! A confirmed plan is carried out: checked once more, journalled before and after each act.

use std::{future::Future, time::Duration};

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use serde_json::{Value, json};

use super::{
    Cancel, Confirmed, Lookout, Plan, PlannedStep, Precondition, Refusal, RunEvent, RunOutcome, precondition,
    verify,
};
use crate::{
    journal::{EntryDraft, EntryKind},
    model::{HealthStatus, counted},
    observe::worst_container,
    playbook::{
        Recheck,
        step::{Condition, SqlStep, Step},
    },
    ports::{ChangeError, CommandEnd, JournalError, JournalStore, Sources, SqlChange, SqlGuard},
};

/// How long a compose command may take.
const COMPOSE_DEADLINE: Duration = Duration::from_secs(180);
/// Lines of a command's output that the journal keeps.
const KEPT_LINES: usize = 200;

/// What applying needs besides the plan.
pub struct ApplyContext<'a> {
    /// The stack.
    pub sources: &'a Sources,
    /// Where the run is recorded. Nothing is done that can't be recorded first.
    pub store: &'a dyn JournalStore,
    /// The operator's wish to stop.
    pub cancel: &'a Cancel,
    /// Who is applying and where, for the one who finds the lock taken.
    pub holder: &'a str,
    /// Looks whether the fault is gone.
    pub lookout: &'a dyn Lookout,
    /// For how long, and how often in a row.
    pub recheck: Recheck,
    /// The id of this run.
    pub run: String,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// How.
    pub outcome: RunOutcome,
    /// Why, unless it is fixed.
    pub reason: Option<String>,
}

/// What one step did.
struct StepDone {
    detail: String,
    output: Vec<String>,
    /// Rows it returned, and what it left behind.
    returned: Vec<Value>,
    after: Option<Precondition>,
}

/// Why one step did not get done.
enum StepStop {
    Failed(String),
    /// Nothing was done: what it depends on had changed.
    Changed(String),
    Cancelled,
}

/// Applies a confirmed plan. Events end with exactly one `RunDone`.
pub async fn apply(
    confirmed: Confirmed,
    context: &ApplyContext<'_>,
    emit: &mut (dyn FnMut(RunEvent) + Send),
) -> RunEnd {
    let mut run = Run { confirmed: &confirmed, context };
    let end = run.carry_out(emit).await;
    emit(RunEvent::RunDone {
        run: if end.outcome == RunOutcome::Refused { String::new() } else { context.run.clone() },
        outcome: end.outcome,
        reason: end.reason.clone(),
    });
    end
}

struct Run<'a> {
    confirmed: &'a Confirmed,
    context: &'a ApplyContext<'a>,
}

impl Run<'_> {
    fn plan(&self) -> &Plan {
        &self.confirmed.plan
    }

    async fn record(&self, kind: EntryKind, body: Value) -> Result<(), JournalError> {
        let draft =
            EntryDraft { run: self.context.run.clone(), at: self.context.sources.clock.now(), kind, body };
        self.context.store.append(draft).await.map(|_| ())
    }

    async fn carry_out(&mut self, emit: &mut (dyn FnMut(RunEvent) + Send)) -> RunEnd {
        let target =
            format!("{} {}", self.plan().target.compose_project, self.plan().target.compose_working_dir);
        let lock = self.context.store.lock_target(&target, self.context.holder).await;
        let _lock = match lock {
            Ok(lock) => lock,
            Err(JournalError::Locked { holder }) => {
                let refusal = Refusal::Locked(format!("another console is applying to this stack: {holder}"));
                return self.refused(&refusal).await;
            }
            Err(error) => return failed(format!("nothing was done, the journal can't be used: {error}")),
        };
        if let Err(refusal) = self.still_so().await {
            return self.refused(&refusal).await;
        }
        match self.context.store.use_plan(&self.plan().plan_id, &self.confirmed.digest).await {
            Ok(true) => {}
            Ok(false) => return self.refused(&Refusal::Used).await,
            Err(error) => return failed(format!("nothing was done, the journal can't be used: {error}")),
        }
        let started = json!({
            "plan": self.plan(),
            "digest": self.confirmed.digest,
            "operator": self.confirmed.operator,
        });
        if let Err(error) = self.record(EntryKind::RunStarted, started).await {
            return failed(format!("nothing was done, the journal can't be written: {error}"));
        }
        let end = match self.steps(emit).await {
            Some(end) => end,
            None => self.verified(emit).await,
        };
        let body = json!({ "outcome": end.outcome, "reason": end.reason });
        match self.record(EntryKind::RunFinished, body).await {
            Ok(()) => end,
            Err(error) => failed(format!(
                "the run ended as {:?}, but the journal can't be written: {error}",
                end.outcome
            )),
        }
    }

    async fn refused(&self, refusal: &Refusal) -> RunEnd {
        let body = json!({ "plan_id": self.plan().plan_id, "playbook": self.plan().playbook, "reason": refusal.to_string() });
        let reason = match self.record(EntryKind::Refused, body).await {
            Ok(()) => refusal.to_string(),
            Err(error) => format!("{refusal} (and this could not be journalled: {error})"),
        };
        RunEnd { outcome: RunOutcome::Refused, reason: Some(reason) }
    }

    /// Expiry, target identity and every precondition, before anything is done.
    async fn still_so(&self) -> Result<(), Refusal> {
        let (plan, sources) = (self.plan(), self.context.sources);
        if sources.clock.now() >= plan.expires_at {
            return Err(Refusal::Expired(plan.expires_at));
        }
        let unchecked =
            |error: crate::model::SourceError| Refusal::Unchecked(format!("{error}. {}", error.hint));
        let containers = sources.containers.list().await.map_err(unchecked)?;
        let with_postgres = plan.target.postgres_database.is_some();
        let project = &plan.target.compose_project;
        let now =
            precondition::identity(sources, project, &containers, with_postgres).await.map_err(unchecked)?;
        if let Some(change) = precondition::identity_change(&plan.target, &now) {
            return Err(Refusal::Changed(change));
        }
        for planned in &plan.preconditions {
            if let Some(change) = precondition::container_change(planned, &containers) {
                return Err(Refusal::Changed(change));
            }
            if let Precondition::Rows { step, guard, what, rows } = planned {
                let Some(spec) = plan.guard(*step, *guard) else {
                    return Err(Refusal::Changed("the plan names a guard that it does not have".into()));
                };
                let read = precondition::guard_read(spec);
                let now = sources.database().map_err(unchecked)?.query(&read).await.map_err(unchecked)?;
                let now = precondition::sorted(now);
                if now != *rows {
                    let (before, after) = (rows.len(), now.len());
                    return Err(Refusal::Changed(format!(
                        "{what} (planned on {}, now {after}, or other values)",
                        counted(before, "row")
                    )));
                }
            }
        }
        Ok(())
    }

    /// All steps in order; `None`: all done.
    async fn steps(&self, emit: &mut (dyn FnMut(RunEvent) + Send)) -> Option<RunEnd> {
        let clock = &self.context.sources.clock;
        let mut acted = false;
        for step in &self.plan().steps {
            if self.context.cancel.is_cancelled() {
                return Some(cancelled(step.n));
            }
            let intent = json!({ "n": step.n, "title": step.title });
            if let Err(error) = self.record(EntryKind::StepIntent, intent).await {
                return Some(failed(format!(
                    "step {} was not begun, the journal can't be written: {error}",
                    step.n
                )));
            }
            let began = clock.monotonic_ms();
            emit(RunEvent::StepStarted { n: step.n, title: step.title.clone(), at: clock.now() });
            let result = self.act(step, emit).await;
            let body = outcome_body(step.n, &result);
            let recorded = self.record(EntryKind::StepOutcome, body).await;
            match result {
                Ok(done) => {
                    acted |= step.step.acts();
                    let elapsed_ms = clock.monotonic_ms().saturating_sub(began);
                    emit(RunEvent::StepDone { n: step.n, detail: done.detail, elapsed_ms });
                }
                Err(stop) => {
                    let reason = stop.reason();
                    emit(RunEvent::StepFailed { n: step.n, reason: reason.clone() });
                    return Some(match stop {
                        StepStop::Cancelled => cancelled(step.n),
                        // The run is on the record by now, so this is no refusal in the sense of
                        // "nothing is journalled"; but nothing was changed either.
                        StepStop::Changed(_) if !acted => {
                            RunEnd { outcome: RunOutcome::Refused, reason: Some(reason) }
                        }
                        StepStop::Changed(_) | StepStop::Failed(_) => {
                            failed(format!("step {}: {reason}", step.n))
                        }
                    });
                }
            }
            if let Err(error) = recorded {
                return Some(failed(format!(
                    "step {} was done, but the journal can't be written: {error}",
                    step.n
                )));
            }
        }
        None
    }

    async fn verified(&self, emit: &mut (dyn FnMut(RunEvent) + Send)) -> RunEnd {
        let clock = self.context.sources.clock.as_ref();
        let (outcome, evidence, reason) = verify(self.context.lookout, self.context.recheck, clock).await;
        let body = json!({ "outcome": outcome, "evidence": evidence, "reason": reason });
        let recorded = self.record(EntryKind::Verified, body).await;
        emit(RunEvent::Verified { outcome, evidence, reason: reason.clone() });
        match recorded {
            Ok(()) => RunEnd { outcome, reason },
            Err(error) => {
                failed(format!("verified as {outcome:?}, but the journal can't be written: {error}"))
            }
        }
    }

    async fn act(
        &self,
        step: &PlannedStep,
        emit: &mut (dyn FnMut(RunEvent) + Send),
    ) -> Result<StepDone, StepStop> {
        match &step.step {
            Step::Compose { action, .. } => {
                let argv = self.context.sources.compose.argv(action);
                self.compose(step.n, action.service(), &argv, emit).await
            }
            Step::Sql(sql) => self.sql(step.n, sql).await,
            Step::WaitUntil { until, within_s, .. } => self.wait(until, *within_s).await,
            Step::Manual { title, instructions, done, within_s } => {
                let (title, instructions) = (title.clone(), instructions.clone());
                emit(RunEvent::Manual { n: step.n, title, instructions });
                self.wait(done, *within_s).await
            }
        }
    }

    async fn compose(
        &self,
        n: u32,
        service: &str,
        argv: &[String],
        emit: &mut (dyn FnMut(RunEvent) + Send),
    ) -> Result<StepDone, StepStop> {
        let mut output: Vec<String> = Vec::new();
        let mut line = |text: String| {
            emit(RunEvent::StepOutput { n, line: text.clone() });
            if output.len() < KEPT_LINES {
                output.push(text);
            }
        };
        let command = self.context.sources.compose.run(argv, COMPOSE_DEADLINE, &mut line);
        let ended = or_cancelled(command, self.context.cancel).await;
        let after = match self.context.sources.containers.list().await {
            Ok(containers) => Some(precondition::container(&containers, service)),
            Err(_) => None,
        };
        let said = output.iter().rev().find(|l| !l.trim().is_empty()).cloned().unwrap_or_default();
        match ended {
            None => Err(StepStop::Cancelled),
            Some(Ok(CommandEnd::Exited { code: 0 })) => {
                let detail = match &after {
                    Some(Precondition::Container { state: Some(state), .. }) => {
                        format!("{service} is {state}")
                    }
                    Some(_) => format!("{service} has no container"),
                    None => "done; the container could not be looked at".into(),
                };
                Ok(StepDone { detail, output, returned: Vec::new(), after })
            }
            Some(Ok(CommandEnd::Exited { code })) => {
                Err(StepStop::Failed(format!("the command ended with exit code {code}: {said}")))
            }
            Some(Ok(CommandEnd::TimedOut)) => Err(StepStop::Failed(format!(
                "the command did not end within {} s and was stopped",
                COMPOSE_DEADLINE.as_secs()
            ))),
            Some(Err(error)) => Err(StepStop::Failed(format!("{error}. {}", error.hint))),
        }
    }

    async fn sql(&self, n: u32, sql: &SqlStep) -> Result<StepDone, StepStop> {
        let plan = self.plan();
        let guards = (0..)
            .zip(&sql.guards)
            .map(|(index, guard): (u32, _)| {
                let rows = plan.preconditions.iter().find_map(|p| match p {
                    Precondition::Rows { step, guard, rows, .. } if (*step, *guard) == (n, index) => {
                        Some(rows)
                    }
                    Precondition::Rows { .. } | Precondition::Container { .. } => None,
                });
                let mut read = precondition::guard_read(guard);
                if guard.lock {
                    read.sql.push_str(" FOR UPDATE");
                }
                rows.map(|rows| SqlGuard { what: guard.what.clone(), read, expect: rows.clone() })
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| StepStop::Failed("the plan does not say what its guards must find".into()))?;
        let identity = (
            plan.target.postgres_system_identifier.clone().unwrap_or_default(),
            plan.target.postgres_database.clone().unwrap_or_default(),
        );
        let change = SqlChange {
            guards,
            sql: sql.sql.clone(),
            params: sql.params.clone(),
            expect_rows: sql.expect_rows,
            lock: format!("ratiba-console:{}", plan.playbook),
            identity,
        };
        let changes = self.context.sources.changes().map_err(|e| StepStop::Failed(e.to_string()))?;
        match changes.change(&change).await {
            Ok(returned) => {
                let detail = format!("{} changed", counted(sql.expect_rows, "row"));
                Ok(StepDone {
                    detail,
                    output: Vec::new(),
                    returned: precondition::sorted(returned),
                    after: None,
                })
            }
            Err(
                error @ (ChangeError::GuardChanged { .. }
                | ChangeError::OtherTarget { .. }
                | ChangeError::Locked { .. }),
            ) => Err(StepStop::Changed(error.to_string())),
            Err(
                error @ (ChangeError::RowCount { .. } | ChangeError::Source(_) | ChangeError::Unknown { .. }),
            ) => Err(StepStop::Failed(error.to_string())),
        }
    }

    async fn wait(&self, until: &Condition, within_s: u32) -> Result<StepDone, StepStop> {
        let clock = &self.context.sources.clock;
        let ends = clock.monotonic_ms().saturating_add(u64::from(within_s) * 1_000);
        loop {
            let seen = match self.seen(until).await? {
                Ok(detail) => {
                    return Ok(StepDone { detail, output: Vec::new(), returned: Vec::new(), after: None });
                }
                Err(seen) => seen,
            };
            if clock.monotonic_ms() >= ends {
                return Err(StepStop::Failed(format!("not within {within_s} s: {seen}")));
            }
            if or_cancelled(clock.sleep(Duration::from_millis(500)), self.context.cancel).await.is_none() {
                return Err(StepStop::Cancelled);
            }
        }
    }

    /// Whether a condition holds: what is seen, either way. A service that ended by itself will
    /// not come up by waiting.
    async fn seen(&self, until: &Condition) -> Result<Result<String, String>, StepStop> {
        let sources = self.context.sources;
        match until {
            Condition::PortFree { port } => Ok(match sources.host.port_holder(*port).await {
                Ok(None) => Ok(format!("port {port} is free")),
                Ok(Some(holder)) => Err(format!("port {port} is held by {holder}")),
                Err(error) => Err(error.to_string()),
            }),
            Condition::ServiceUp { service } => {
                let containers = match sources.containers.list().await {
                    Ok(containers) => containers,
                    Err(error) => return Ok(Err(error.to_string())),
                };
                let Some(facts) = worst_container(&containers, service) else {
                    return Ok(Err(format!("{service} has no container")));
                };
                let state = facts.state.as_str();
                if matches!(state, "exited" | "dead") {
                    let what =
                        format!("{service} ended by itself, exit code {} {}", facts.exit_code, facts.error);
                    return Err(StepStop::Failed(what.trim_end().to_owned()));
                }
                Ok(match facts.live_health() {
                    Some(HealthStatus::Healthy) => Ok(format!("{service} is running and healthy")),
                    Some(health) => Err(format!("{service} is running, its health is {}", health.as_str())),
                    None if facts.is_running() => Ok(format!("{service} is running; it has no health check")),
                    None => Err(format!("{service} is {state}")),
                })
            }
        }
    }
}

fn outcome_body(n: u32, result: &Result<StepDone, StepStop>) -> Value {
    match result {
        Ok(done) => json!({
            "n": n,
            "ok": true,
            "detail": done.detail,
            "output": done.output,
            "returned": done.returned,
            "after": done.after,
        }),
        Err(stop) => json!({ "n": n, "ok": false, "detail": stop.reason() }),
    }
}

impl StepStop {
    fn reason(&self) -> String {
        match self {
            Self::Failed(reason) => reason.clone(),
            Self::Changed(reason) => format!("nothing was done: {reason}"),
            Self::Cancelled => "stopped by the operator".into(),
        }
    }
}

fn failed(reason: String) -> RunEnd {
    RunEnd { outcome: RunOutcome::Failed, reason: Some(reason) }
}

fn cancelled(n: u32) -> RunEnd {
    RunEnd { outcome: RunOutcome::Cancelled, reason: Some(format!("stopped by the operator at step {n}")) }
}

/// The future's output, or `None` when the operator cancels first; the future is then dropped.
async fn or_cancelled<T>(work: impl Future<Output = T>, cancel: &Cancel) -> Option<T> {
    let stop = cancel.cancelled();
    pin_mut!(work);
    pin_mut!(stop);
    match select(work, stop).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}
