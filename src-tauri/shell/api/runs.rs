//! Applying confirmed plans, taking runs back, and the journal's runs.

use std::sync::Arc;

use ratiba_core::{
    journal::{Entry, RunRecord, runs},
    remedy::{
        ApplyContext, Cancel, Canceller, Confirmed, OperatorAnswer, Plan, Refusal, RunEnd, RunEvent,
        RunOutcome, apply, cancel_pair, confirm,
    },
    wire::{ApplyRequest, Empty, RunId, RunView, RunsView, Update, WireError},
};

use super::{Console, console::Running, not_found, refused, unreachable, wire_error};

impl Console {
    /// All runs, oldest first. Whether one was taken back stands in another's entries.
    pub(super) async fn all_runs(&self) -> Result<Vec<RunRecord>, WireError> {
        let history = self.store.history().await.map_err(|e| wire_error::journal(&e))?;
        Ok(runs(&history.entries()))
    }

    /// All entries, oldest first.
    pub(super) async fn journal_entries(&self) -> Result<Vec<Entry>, WireError> {
        let history = self.store.history().await.map_err(|e| wire_error::journal(&e))?;
        Ok(history.entries())
    }

    /// The first bad entry of the journal, in words.
    pub async fn chain_error(&self) -> Result<Option<String>, WireError> {
        if let Some(recorded) = self.recorded() {
            return recorded.runs().map(|runs| runs.chain_error);
        }
        let history = self.store.history().await.map_err(|e| wire_error::journal(&e))?;
        Ok(history.first_bad())
    }

    /// The run of this id, from the journal.
    pub(super) async fn run_record(&self, id: &str) -> Result<RunRecord, WireError> {
        self.run_in(self.all_runs().await?, id)
    }

    pub(super) fn run_in(&self, all: Vec<RunRecord>, id: &str) -> Result<RunRecord, WireError> {
        all.into_iter().find(|run| run.run == id).ok_or_else(|| {
            not_found(
                format!("there is no run {id} in this profile's journal"),
                "`ratibactl runs list` shows all.",
            )
        })
    }

    /// All runs, newest first, and whether the journal's chain holds.
    pub async fn runs(self: &Arc<Self>, _request: Empty) -> Result<RunsView, WireError> {
        if let Some(recorded) = self.recorded() {
            return recorded.runs();
        }
        let history = self.store.history().await.map_err(|e| wire_error::journal(&e))?;
        let chain_error = history.first_bad();
        let mut shown = Vec::new();
        for run in runs(&history.entries()).into_iter().rev() {
            shown.push(self.run_view(run).await);
        }
        Ok(RunsView { runs: shown, chain_ok: chain_error.is_none(), chain_error })
    }

    /// One run.
    pub async fn run(self: &Arc<Self>, request: RunId) -> Result<RunView, WireError> {
        if let Some(recorded) = self.recorded() {
            return recorded.run(&request.run);
        }
        let record = self.run_record(&request.run).await?;
        Ok(self.run_view(record).await)
    }

    /// Asks a run to stop at its next safe point.
    pub async fn cancel(self: &Arc<Self>, request: RunId) -> Result<Empty, WireError> {
        self.stop(&request.run, Canceller::cancel)
    }

    /// The same, where it is not the operator who wants it.
    pub fn stop_because(&self, run: &str, why: &str) -> Result<Empty, WireError> {
        self.stop(run, |canceller| canceller.cancel_because(why))
    }

    fn stop(&self, run: &str, ask: impl FnOnce(&Canceller)) -> Result<Empty, WireError> {
        let canceller = self.state().running.get(run).map(|r| r.canceller.clone());
        match canceller {
            Some(canceller) => {
                ask(&canceller);
                Ok(Empty {})
            }
            None => Err(not_found(format!("run {run} does not go on here"), "It may have ended already.")),
        }
    }

    /// Checks the operator's answer to a plan.
    pub fn confirmed(
        &self,
        plan: Plan,
        digest: &str,
        phrase: Option<String>,
    ) -> Result<Confirmed, WireError> {
        if self.environment.read_only {
            return Err(refused(&Refusal::ReadOnly));
        }
        let answer = phrase.map_or(OperatorAnswer::Click, OperatorAnswer::Phrase);
        let now = self.sources.clock.now();
        confirm(plan, digest, &answer, &self.operator, now).map_err(|r| refused(&r))
    }

    /// Confirms and starts a kept plan; its events come by the channel.
    pub async fn apply(self: &Arc<Self>, request: ApplyRequest) -> Result<RunId, WireError> {
        let plan = self.kept_plan(&request.plan_id).await?;
        let confirmed = self.confirmed(plan, &request.digest, request.phrase)?;
        let run = self.run_id_of(confirmed.plan());
        let (this, id) = (self.clone(), run.clone());
        tokio::spawn(async move {
            let (to, of) = (this.clone(), id.clone());
            this.carry_out(confirmed, id, move |event| to.publish(Update::Run { run: of.clone(), event }))
                .await
        });
        Ok(RunId { run })
    }

    /// The same for a plan that takes a run back.
    pub async fn undo(self: &Arc<Self>, request: ApplyRequest) -> Result<RunId, WireError> {
        self.apply(request).await
    }

    /// The same for a plan that goes on with an interrupted run.
    pub async fn resume(self: &Arc<Self>, request: ApplyRequest) -> Result<RunId, WireError> {
        self.apply(request).await
    }

    /// Applies a confirmed plan here and now.
    pub async fn carry_out(
        self: &Arc<Self>,
        confirmed: Confirmed,
        run: String,
        mut emit: impl FnMut(RunEvent) + Send,
    ) -> RunEnd {
        let (canceller, cancel) = cancel_pair();
        let services = confirmed.plan().services().map(str::to_owned).collect();
        self.state().running.insert(run.clone(), Running { canceller: Arc::new(canceller), services });
        self.moved.notify_one();
        let end = self.watched_run(confirmed, run.clone(), &cancel, &mut emit).await;
        self.state().running.remove(&run);
        self.moved.notify_one();
        end
    }

    /// The id of a plan's run: a resumed run keeps its own.
    pub fn run_id_of(&self, plan: &Plan) -> String {
        plan.resume_of.clone().unwrap_or_else(|| self.sources.clock.new_id())
    }

    async fn watched_run(
        self: &Arc<Self>,
        confirmed: Confirmed,
        run: String,
        cancel: &Cancel,
        emit: &mut (dyn FnMut(RunEvent) + Send),
    ) -> RunEnd {
        let (lookout, recheck) = match self.lookout_of(confirmed.plan()).await {
            Ok(found) => found,
            Err(error) => return not_begun(&error, emit),
        };
        if let Err(error) = self.know_secrets(confirmed.plan()).await {
            return not_begun(&error, emit);
        }
        let acts = match self.acts() {
            Ok(acts) => acts,
            Err(error) => return not_begun(&error, emit),
        };
        let holder = self.holder(&run);
        let context = ApplyContext {
            sources: &self.sources,
            acts,
            schema: &self.profile.schema,
            store: self.store.as_ref(),
            cancel,
            holder: &holder,
            lookout: lookout.as_ref(),
            recheck,
            run,
        };
        apply(confirmed, &context, emit).await
    }

    /// Looks up every secret that the plan refers to: known before anything is done, it is hidden
    /// whichever step shows it. An undo need not find those that it does not set.
    async fn know_secrets(&self, plan: &Plan) -> Result<(), WireError> {
        for (given, is_set) in plan.secrets() {
            let found = match self.sources.dotenv() {
                Ok(dotenv) => dotenv.secret(&given.from).await,
                Err(error) => Err(error),
            };
            match found {
                Err(error) if is_set || plan.undo_of.is_none() => return Err(unreachable(&error)),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Who applies, for the one who finds the lock taken.
    pub(super) fn holder(&self, run: &str) -> String {
        format!("{}, pid {}, run {run}", self.operator, std::process::id())
    }
}

fn not_begun(error: &WireError, emit: &mut (dyn FnMut(RunEvent) + Send)) -> RunEnd {
    let reason = Some(error.message.clone());
    let end = RunEnd { outcome: RunOutcome::Refused, reason, changes: error.changes.clone() };
    emit(RunEvent::RunDone {
        run: String::new(),
        outcome: end.outcome,
        reason: end.reason.clone(),
        changes: end.changes.clone(),
    });
    end
}
