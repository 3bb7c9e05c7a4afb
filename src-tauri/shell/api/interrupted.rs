//! Runs whose end is not on record: what became of them, and how they are brought to an end.

use std::sync::Arc;

use ratiba_core::{
    journal::{EntryDraft, EntryKind, RunRecord},
    ports::JournalError,
    remedy::{Refusal, Resolution, cancel_pair, make_resume, resolve, verify},
    wire::{InterruptedView, PlanView, RunId, RunView, StepState, WireError},
};
use serde_json::{Value, json};

use super::{Console, lookout::ANOTHER, refused, usage, wire_error};

/// Not done, and not known to go on.
fn is_open(state: StepState) -> bool {
    matches!(state, StepState::Pending | StepState::Failed)
}

impl Console {
    /// A run as it is shown. Of an interrupted one it is found out what became of it; nothing is
    /// written.
    pub(super) async fn run_view(&self, mut run: RunRecord) -> RunView {
        if !run.is_interrupted() {
            return RunView::from(&run);
        }
        let going_on = self.goes_on(&run).await;
        let n = run.steps.iter().find(|s| s.state == StepState::Interrupted).map(|s| s.planned.n);
        let resolution = match going_on {
            None => resolve(&mut run, &self.sources).await,
            Some(_) => Resolution::default(),
        };
        let step = n.and_then(|n| run.steps.iter().find(|s| s.planned.n == n));
        let how = match (resolution.found.first(), step) {
            (Some(resolved), _) => resolved.how.clone(),
            (None, Some(step)) => step.detail.clone().unwrap_or_default(),
            (None, None) => "between two steps, or while it was verified".into(),
        };
        let is_an_undo = run.plan.undo_of.is_some();
        let is_free = going_on.is_none() && !run.steps.iter().any(|s| resolution.leaves_open(s));
        let is_hindered = run.steps.iter().any(|s| resolution.hinders_undo(s));
        let how = match &run.being_undone_by {
            Some(undo) => format!("{how}; run {} has begun to take it back", undo.run),
            None => how,
        };
        let has_failed = run.steps.iter().any(|s| s.state == StepState::Failed);
        let is_undo_in_part = is_an_undo && run.steps.iter().any(|s| resolution.is_in_part(s));
        let interrupted = InterruptedView {
            n: n.or_else(|| run.steps.iter().find(|s| is_open(s.state)).map(|s| s.planned.n)),
            happened: resolution.found.first().map(|r| r.happened),
            in_part: step.is_some_and(|step| resolution.is_in_part(step)),
            how,
            can_resume: is_free
                && !has_failed
                && run.being_undone_by.is_none()
                && self.has_its_script(&run.plan),
            can_undo: is_free
                && !is_hindered
                && !is_undo_in_part
                && !run.being_undone_by.as_ref().is_some_and(|undo| undo.is_open)
                && run.steps.iter().any(|s| s.is_undoable() || resolution.has_begun(s)),
            goes_on: going_on,
        };
        let goes_on = interrupted.goes_on.is_some();
        let mut view = RunView { interrupted: Some(interrupted), ..RunView::from(&run) };
        for step in view.steps.iter_mut().filter(|s| goes_on && s.state == StepState::Interrupted) {
            step.state = StepState::Running;
        }
        view
    }

    /// Who carries the run out right now, if somebody does.
    async fn goes_on(&self, run: &RunRecord) -> Option<String> {
        if self.state().running.contains_key(&run.run) {
            return Some("this console".into());
        }
        let holder = self.store.target_holder(&run.plan.lock_name()).await.ok()??;
        holder.contains(&run.run).then_some(holder)
    }

    /// The run and what was found out about its interrupted steps; refused while it goes on. A run that
    /// was closed may have such steps still, and be taken back.
    pub(super) async fn resolved(&self, id: &str) -> Result<(RunRecord, Resolution), WireError> {
        let mut run = self.run_record(id).await?;
        let has_open = run.steps.iter().any(|s| s.state == StepState::Interrupted);
        if !run.is_interrupted() && (run.undone_by.is_some() || !has_open) {
            return Ok((run, Resolution::default()));
        }
        if let Some(holder) = self.goes_on(&run).await {
            return Err(refused(&Refusal::Locked(format!("run {id} still goes on: {holder}"))));
        }
        let found = resolve(&mut run, &self.sources).await;
        Ok((run, found))
    }

    /// What going on with an interrupted run would do; kept like any plan.
    pub async fn resume_plan(self: &Arc<Self>, request: RunId) -> Result<PlanView, WireError> {
        let (run, resolution) = self.resolved(&request.run).await?;
        if !self.has_its_script(&run.plan) {
            return Err(usage(
                format!("go on with run {}: its playbook is not as it was, {ANOTHER}", run.run),
                "Look and close it (`ratibactl resume RUN --verify`, in the window *Verify*), or \
                 take it back; then make a new plan.",
            ));
        }
        let plan =
            make_resume(&self.make_plan(), &run, resolution).await.map_err(|e| wire_error::plan(&e))?;
        self.store.keep_plan(&plan).await.map_err(|e| wire_error::journal(&e))?;
        Ok(PlanView::new(&plan))
    }

    /// Looks whether an interrupted run has mended the fault, and closes it with what is seen.
    /// Nothing is done to the stack.
    pub async fn verify_run(self: &Arc<Self>, request: RunId) -> Result<RunView, WireError> {
        if self.environment.read_only {
            return Err(refused(&Refusal::ReadOnly));
        }
        let (run, resolution) = self.resolved(&request.run).await?;
        if run.is_answered || !run.is_interrupted() && resolution.found.is_empty() {
            return Err(usage(
                format!("verify run {}: it was not interrupted, it has its outcome", run.run),
                "`ratibactl runs show RUN` shows it; `ratibactl triage` looks at the stack as it is.",
            ));
        }
        let lock = self.store.lock_target(&run.plan.lock_name(), &self.holder(&run.run)).await;
        let _lock = lock.map_err(|error| match error {
            JournalError::Locked { .. } => refused(&Refusal::Locked(error.to_string())),
            JournalError::Store { .. }
            | JournalError::HoldsSecret { .. }
            | JournalError::ReturnsSecret { .. }
            | JournalError::Damaged { .. } => wire_error::journal(&error),
        })?;
        // Another console may have answered before the lock was free.
        if self.run_record(&run.run).await?.last != run.last {
            return Err(refused(&Refusal::MovedOn(run.run.clone())));
        }
        let (lookout, recheck, with_what) = self.lookout_to_close(&run.plan).await?;
        let (_canceller, cancel) = cancel_pair();
        let clock = self.sources.clock.as_ref();
        let (outcome, evidence, reason) = verify(lookout.as_ref(), recheck, clock, &cancel).await;
        for resolved in &resolution.found {
            self.note(&run.run, EntryKind::StepResolved, json!(resolved)).await?;
        }
        let seen = json!({ "outcome": outcome, "evidence": evidence, "reason": reason });
        self.note(&run.run, EntryKind::Verified, seen).await?;
        let open: Vec<_> = run.steps.iter().filter(|s| s.state == StepState::Interrupted).collect();
        let left = open.iter().map(|s| {
            let why = s.detail.as_deref().unwrap_or("whether it happened is not known");
            format!("step {} is left as it is: {why}", s.planned.n)
        });
        let reason: Vec<String> = reason.into_iter().chain(with_what).chain(left).collect();
        let end = json!({
            "outcome": outcome,
            "reason": (!reason.is_empty()).then(|| reason.join("; ")),
            "answered_by": self.operator,
            "left_open": open.iter().map(|s| s.planned.n).collect::<Vec<_>>(),
        });
        self.note(&run.run, EntryKind::RunFinished, end).await?;
        self.run(request).await
    }

    async fn note(&self, run: &str, kind: EntryKind, body: Value) -> Result<(), WireError> {
        let draft = EntryDraft { run: run.to_owned(), at: self.sources.clock.now(), kind, body };
        self.store.append(draft).await.map(|_| ()).map_err(|e| wire_error::journal(&e))
    }
}
