//! A confirmed plan is carried out: checked once more, journalled before and after each act.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use futures_util::future::join;
use serde_json::{Value, json};

use super::{
    Cancel, Confirmed, Lookout, Plan, PlannedStep, Precondition, Refusal, RunEvent, RunOutcome,
    identity::{self, Engines, Reach},
    kinds::{Acting, Emit, Looking, StepDone, StepStop, shown, still_kept},
    reference::Returned,
    verify,
};
use crate::{
    journal::{EntryDraft, EntryKind, runs},
    model::{Change, ContainerFacts, SourceError},
    playbook::{
        Recheck,
        step::{Risk, Step},
    },
    ports::{Acts, BeforeCommit, JournalError, JournalStore, Read, Sources},
    profile::SchemaSection,
};

/// What applying needs besides the plan.
pub struct ApplyContext<'a> {
    /// The stack, to look at.
    pub sources: &'a Sources,
    /// The stack, to act on.
    pub acts: &'a Acts,
    /// The profile's names of tables and columns.
    pub schema: &'a SchemaSection,
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
    /// The id of this run; for a resumed one, that of the run that goes on.
    pub run: String,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// How.
    pub outcome: RunOutcome,
    /// Why, unless it is fixed.
    pub reason: Option<String>,
    /// What is not as planned, where that is why.
    pub changes: Vec<Change>,
}

impl RunEnd {
    fn new(outcome: RunOutcome, reason: String) -> Self {
        Self { outcome, reason: Some(reason), changes: Vec::new() }
    }

    fn failed(reason: String) -> Self {
        Self::new(RunOutcome::Failed, reason)
    }

    /// Nothing was done.
    pub fn refused(refusal: &Refusal) -> Self {
        Self {
            outcome: RunOutcome::Refused,
            reason: Some(refusal.to_string()),
            changes: refusal.changes().to_vec(),
        }
    }
}

/// Applies a confirmed plan. Events end with exactly one `RunDone`.
pub async fn apply(confirmed: Confirmed, context: &ApplyContext<'_>, emit: &mut Emit<'_>) -> RunEnd {
    let returned = Mutex::new(confirmed.plan.returned.clone());
    let run =
        Run { confirmed: &confirmed, context, expected: Mutex::default(), returned, last: AtomicU64::new(0) };
    let (end, is_on_record) = match run.carry_out(emit).await {
        Ok(end) => (end, true),
        Err(end) => (end, false),
    };
    let has_begun = is_on_record && end.outcome != RunOutcome::Refused;
    emit(RunEvent::RunDone {
        run: if has_begun { context.run.clone() } else { String::new() },
        outcome: end.outcome,
        reason: end.reason.clone(),
        changes: end.changes.clone(),
    });
    end
}

struct Run<'a> {
    confirmed: &'a Confirmed,
    context: &'a ApplyContext<'a>,
    /// The preconditions, moved on by what this run's own steps left behind.
    expected: Mutex<Vec<Precondition>>,
    /// What its steps returned; of a resumed run, those before too.
    returned: Mutex<Returned>,
    /// Its last entry in the journal.
    last: AtomicU64,
}

/// Records what a transaction is about to commit.
struct Prepared<'a> {
    run: &'a Run<'a>,
    n: u32,
}

#[async_trait]
impl BeforeCommit for Prepared<'_> {
    async fn prepared(&self, xid: &str, rows: &[Value]) -> Result<(), String> {
        let body = json!({ "n": self.n, "xid": xid, "rows": rows });
        self.run.record(EntryKind::StepPrepared, body).await.map_err(|error| match error {
            JournalError::ReturnsSecret { .. } => error.to_string(),
            other => format!("the journal can't be written: {other}"),
        })
    }
}

impl Run<'_> {
    fn plan(&self) -> &Plan {
        &self.confirmed.plan
    }

    async fn record(&self, kind: EntryKind, body: Value) -> Result<(), JournalError> {
        let draft =
            EntryDraft { run: self.context.run.clone(), at: self.context.sources.clock.now(), kind, body };
        let entry = self.context.store.append(draft).await?;
        let last = self.last.swap(entry.seq, Ordering::Relaxed);
        if entry.seq > last {
            return Ok(());
        }
        Err(JournalError::Damaged {
            attempted: "write the journal".into(),
            damage:
                "it was put away or replaced while this run went on: the run's entries so far are not in it"
                    .into(),
            what_to_do: "Put the journal of before back in its place".into(),
        })
    }

    /// How it ended; `Err`: the journal knows nothing of it.
    async fn carry_out(&self, emit: &mut Emit<'_>) -> Result<RunEnd, RunEnd> {
        let unusable = |error| match error {
            JournalError::HoldsSecret { name } => RunEnd::failed(format!(
                "nothing was done: the plan holds the value of {name}, and the journal keeps no secret. \
                 Make the plan again"
            )),
            error => RunEnd::failed(format!("nothing was done, the journal can't be used: {error}")),
        };
        let lock = self.context.store.lock_target(&self.plan().lock_name(), self.context.holder).await;
        let _lock = match lock {
            Ok(lock) => lock,
            Err(JournalError::Locked { holder }) => {
                let why = format!("another console is applying to this stack: {holder}");
                return Ok(self.refused(&Refusal::Locked(why)).await);
            }
            Err(error) => return Err(unusable(error)),
        };
        match self.run_moved_on().await {
            Ok(None) => {}
            Ok(Some(run)) => return Ok(self.refused(&Refusal::MovedOn(run)).await),
            Err(error) => return Err(unusable(error)),
        }
        if let Err(refusal) = self.still_so().await {
            // A plan that was used has of course changed the stack since.
            let refusal = self.used_by().await.map_or(refusal, Refusal::Used);
            return Ok(self.refused(&refusal).await);
        }
        match self.context.store.use_plan(&self.plan().plan_id, &self.confirmed.digest).await {
            Ok(true) => {}
            Ok(false) => return Ok(self.refused(&self.used().await).await),
            Err(error) => return Err(unusable(error)),
        }
        if let Err(error) = self.begun().await {
            return Err(unusable(error));
        }
        let end = match self.steps(emit).await {
            Some(end) => end,
            None => self.verified(emit).await,
        };
        let body = json!({ "outcome": end.outcome, "reason": end.reason, "changes": end.changes });
        Ok(match self.record(EntryKind::RunFinished, body).await {
            Ok(()) => end,
            Err(error) => {
                let why = end.reason.unwrap_or_else(|| format!("the run ended as {:?}", end.outcome));
                RunEnd::failed(format!("{why}; and its end can't be journalled: {error}"))
            }
        })
    }

    /// The run that this plan is about, if anything was done about it since the plan was made.
    async fn run_moved_on(&self) -> Result<Option<String>, JournalError> {
        let plan = self.plan();
        let Some(about) = plan.resume_of.as_ref().or(plan.undo_of.as_ref()) else { return Ok(None) };
        let all = runs(&self.context.store.entries(None).await?);
        let last = all.iter().find(|run| run.run == *about).map(|run| run.last);
        Ok((last != plan.as_of).then(|| about.clone()))
    }

    /// Who used the plan. The lock is held: nobody is just about to.
    async fn used(&self) -> Refusal {
        self.used_by().await.map_or(Refusal::UsedUp, Refusal::Used)
    }

    /// The run that this plan was used by.
    async fn used_by(&self) -> Option<String> {
        let id = &self.plan().plan_id;
        let entries = self.context.store.entries(None).await.unwrap_or_default();
        let by = runs(&entries).into_iter().find(|run| run.plans().any(|plan| plan.plan_id == *id));
        by.map(|run| run.run)
    }

    /// Writes down what was found out about an interrupted run, and that this one begins.
    async fn begun(&self) -> Result<(), JournalError> {
        for resolved in &self.plan().resolved {
            let at = self.context.sources.clock.now();
            let (run, kind) = (resolved.run.clone(), EntryKind::StepResolved);
            self.context.store.append(EntryDraft { run, at, kind, body: json!(resolved) }).await?;
        }
        let kind =
            if self.plan().resume_of.is_some() { EntryKind::RunResumed } else { EntryKind::RunStarted };
        let body = json!({
            "plan": self.plan(),
            "digest": self.confirmed.digest,
            "operator": self.confirmed.operator,
        });
        self.record(kind, body).await
    }

    async fn refused(&self, refusal: &Refusal) -> RunEnd {
        let mut end = RunEnd::refused(refusal);
        let body = json!({
            "plan_id": self.plan().plan_id,
            "playbook": self.plan().playbook,
            "operator": self.confirmed.operator,
            "reason": end.reason,
            "changes": end.changes,
        });
        if let Err(error) = self.record(EntryKind::Refused, body).await {
            end.reason = Some(format!("{refusal} (and this could not be journalled: {error})"));
        }
        end
    }

    /// Expiry, target identity and every precondition, before anything is done.
    async fn still_so(&self) -> Result<(), Refusal> {
        let (plan, sources) = (self.plan(), self.context.sources);
        plan.is_current(sources.clock.now())?;
        let unchecked = |error: SourceError| Refusal::Unchecked(format!("{error}. {}", error.hint));
        let reach = Reach::of_identity(&plan.target);
        let stack = async {
            let containers = sources.containers.list().await?;
            let changes = self.differing(&plan.preconditions, &containers).await;
            Ok((containers, changes))
        };
        let (stack, engines) = join(stack, Engines::read(sources, reach)).await;
        let (containers, changes) = stack.map_err(unchecked)?;
        let now = engines.map_err(unchecked)?.of(&plan.target.compose_project, &containers);
        // On another stack nothing else is as planned, of course: then that alone is said.
        let other = identity::identity_changes(&plan.target, &now);
        let mut changes = if other.is_empty() { changes.map_err(unchecked)? } else { other };
        if changes.is_empty() {
            changes = self.shown_otherwise(&containers);
        }
        if !changes.is_empty() {
            return Err(Refusal::Changed(changes));
        }
        *self.expected() = plan.preconditions.clone();
        Ok(())
    }

    /// Steps that would not do what was shown: the profile, or the console, says another command or
    /// another address by now.
    fn shown_otherwise(&self, containers: &[ContainerFacts]) -> Vec<Change> {
        let ApplyContext { sources, schema, .. } = *self.context;
        let looking = Looking { sources, schema, containers, left: &[] };
        let other = |step: &PlannedStep| {
            let now = shown(step, &self.plan().preconditions, &looking);
            (now != step.preview).then(|| {
                Change::new(format!("step {}, \"{}\"", step.n, step.title), "act", step.preview.as_str(), now)
            })
        };
        self.plan().steps.iter().filter_map(other).collect()
    }

    fn expected(&self) -> std::sync::MutexGuard<'_, Vec<Precondition>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this step depends on is still as the plan, or an earlier step of this run, left it.
    async fn still_so_for(&self, step: &PlannedStep) -> Result<(), StepStop> {
        if !step.step.acts() {
            return Ok(());
        }
        let concerned = self.before(step);
        let sources = self.context.sources;
        let unread = |error: SourceError| {
            StepStop::Failed(format!("what it depends on could not be checked: {error}. {}", error.hint))
        };
        let on_a_container = |p: &Precondition| matches!(p, Precondition::Container { .. });
        let containers = if concerned.iter().any(on_a_container) {
            sources.containers.list().await.map_err(unread)?
        } else {
            Vec::new()
        };
        let changes = self.differing(&concerned, &containers).await.map_err(unread)?;
        if changes.is_empty() { Ok(()) } else { Err(StepStop::Changed(changes)) }
    }

    /// What is not as `planned`.
    async fn differing(&self, planned: &[Precondition], containers: &[ContainerFacts]) -> Read<Vec<Change>> {
        let mut changes = Vec::new();
        for planned in planned {
            let now = planned.now(self.plan(), self.context.sources, containers).await?;
            changes.extend(planned.changes(&now));
        }
        Ok(changes)
    }

    /// All steps in order; `None`: all done.
    async fn steps(&self, emit: &mut Emit<'_>) -> Option<RunEnd> {
        let clock = &self.context.sources.clock;
        let mut acted = false;
        for step in &self.plan().steps {
            let n = step.n;
            if self.context.cancel.is_cancelled() {
                return Some(cancelled(n, "it had not begun", &self.context.cancel.why()));
            }
            let before = self.before(step);
            let kept = match self.kept(step, &before).await {
                Ok(kept) => kept,
                Err(StepStop::Failed(why)) => {
                    return Some(RunEnd::failed(format!("step {n} was not begun: {why}")));
                }
                Err(stop) => return Some(stop.end(n, acted, &self.context.cancel.why())),
            };
            let intent = json!({ "n": n, "title": step.title, "before": before, "kept": kept });
            if let Err(error) = self.record(EntryKind::StepIntent, intent).await {
                return Some(RunEnd::failed(format!(
                    "step {n} was not begun, the journal can't be written: {error}"
                )));
            }
            let began = clock.monotonic_ms();
            emit(RunEvent::StepStarted { n, title: step.title.clone(), at: clock.now() });
            let result = self.act(step, before, emit).await;
            let why = self.context.cancel.why();
            let recorded = self.record(EntryKind::StepOutcome, outcome_body(n, &result, &why)).await;
            match result {
                Ok(done) => {
                    acted |= step.step.acts();
                    let elapsed_ms = clock.monotonic_ms().saturating_sub(began);
                    self.moved_on(done.after);
                    self.returned().insert(n, done.returned);
                    emit(RunEvent::StepDone { n, detail: done.detail, elapsed_ms });
                }
                Err(stop) => {
                    emit(RunEvent::StepFailed { n, reason: stop.reason(&why) });
                    return Some(stop.end(n, acted, &why));
                }
            }
            if let Err(error) = recorded {
                return Some(RunEnd::failed(format!(
                    "step {n} was done, but the journal can't be written: {error}"
                )));
            }
        }
        None
    }

    /// A step's pre-image, as it is expected to be found.
    fn before(&self, step: &PlannedStep) -> Vec<Precondition> {
        let kind = step.step.kind_of();
        self.expected().iter().filter(|p| kind.depends_on(step.n, p)).cloned().collect()
    }

    fn moved_on(&self, after: Vec<Precondition>) {
        let mut expected = self.expected();
        for now in after {
            expected.retain(|p| !p.is_about_the_same(&now));
            expected.push(now);
        }
    }

    fn returned(&self) -> std::sync::MutexGuard<'_, Returned> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn acting<'s>(
        &'s self,
        n: u32,
        before: &'s [Precondition],
        returned: &'s Returned,
        record: &'s Prepared<'s>,
    ) -> Acting<'s> {
        Acting {
            returned,
            plan: self.plan(),
            run: &self.context.run,
            n,
            before,
            sources: self.context.sources,
            acts: self.context.acts,
            cancel: self.context.cancel,
            lookout: self.context.lookout,
            holder: self.context.holder,
            record,
        }
    }

    /// What goes with the act is kept first.
    async fn kept(&self, step: &PlannedStep, before: &[Precondition]) -> Result<Value, StepStop> {
        let record = Prepared { run: self, n: step.n };
        let returned = self.returned().clone();
        step.step.kind_of().keep(&self.acting(step.n, before, &returned, &record)).await
    }

    async fn act(
        &self,
        step: &PlannedStep,
        before: Vec<Precondition>,
        emit: &mut Emit<'_>,
    ) -> Result<StepDone, StepStop> {
        self.still_so_for(step).await?;
        let record = Prepared { run: self, n: step.n };
        let returned = self.returned().clone();
        // A call of an endpoint is the one step that may lose something without a backup.
        if step.risk == Risk::Destructive && !matches!(step.step, Step::Http(_)) {
            still_kept(&returned, self.context.acts).await.map_err(StepStop::Failed)?;
        }
        step.step.kind_of().act(&self.acting(step.n, &before, &returned, &record), emit).await
    }

    async fn verified(&self, emit: &mut Emit<'_>) -> RunEnd {
        let clock = self.context.sources.clock.as_ref();
        let cancel = self.context.cancel;
        let (outcome, evidence, reason) =
            verify(self.context.lookout, self.context.recheck, clock, cancel).await;
        let body = json!({ "outcome": outcome, "evidence": evidence, "reason": reason });
        let recorded = self.record(EntryKind::Verified, body).await;
        emit(RunEvent::Verified { outcome, evidence, reason: reason.clone() });
        match recorded {
            Ok(()) => RunEnd { outcome, reason, changes: Vec::new() },
            Err(error) => {
                RunEnd::failed(format!("verified as {outcome:?}, but the journal can't be written: {error}"))
            }
        }
    }
}

fn outcome_body(n: u32, result: &Result<StepDone, StepStop>, why_stopped: &str) -> Value {
    match result {
        Ok(done) => json!({
            "n": n,
            "ok": true,
            "detail": done.detail,
            "output": done.output,
            "returned": done.returned,
            "after": done.after,
        }),
        Err(stop) => json!({
            "n": n,
            "ok": false,
            "in_doubt": matches!(stop, StepStop::InDoubt(_)),
            "detail": stop.reason(why_stopped),
        }),
    }
}

impl StepStop {
    pub(super) fn reason(&self, why_stopped: &str) -> String {
        match self {
            Self::Failed(reason) => reason.clone(),
            Self::Locked(reason) => format!("nothing was done: {reason}"),
            Self::Changed(changes) => format!("nothing was done: {}", Change::sentence(changes)),
            Self::Cancelled(detail) => format!("{why_stopped}: {detail}"),
            Self::InDoubt(reason) => format!("it is not known whether it happened: {reason}"),
        }
    }

    fn end(self, n: u32, acted: bool, why_stopped: &str) -> RunEnd {
        let reason = self.reason(why_stopped);
        match self {
            Self::Cancelled(detail) => cancelled(n, &detail, why_stopped),
            // The run is on the record by now, so this is no refusal in the sense of "nothing is
            // journalled"; but nothing was changed either.
            Self::Changed(changes) if !acted => {
                RunEnd { outcome: RunOutcome::Refused, reason: Some(reason), changes }
            }
            Self::Changed(changes) => {
                RunEnd { outcome: RunOutcome::Failed, reason: Some(format!("step {n}: {reason}")), changes }
            }
            Self::Locked(_) if !acted => RunEnd::new(RunOutcome::Refused, reason),
            Self::Failed(_) | Self::Locked(_) => RunEnd::failed(format!("step {n}: {reason}")),
            Self::InDoubt(_) => RunEnd::new(RunOutcome::Unknown, format!("step {n}: {reason}")),
        }
    }
}

fn cancelled(n: u32, detail: &str, why_stopped: &str) -> RunEnd {
    RunEnd::new(RunOutcome::Cancelled, format!("{why_stopped} at step {n}: {detail}"))
}
