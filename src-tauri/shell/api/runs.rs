//! Applying confirmed plans, taking runs back, and the journal's runs.

use std::sync::Arc;

use async_trait::async_trait;
use ratiba_core::{
    journal::{RunRecord, first_bad, runs},
    model::{Evidence, Finding, Subject, VerdictKind},
    playbook::{Playbook, Recheck},
    remedy::{
        ApplyContext, Cancel, Confirmed, Look, Lookout, OperatorAnswer, Plan, Refusal, RunEnd, RunEvent,
        RunOutcome, apply, cancel_pair, confirm, restored,
    },
    wire::{ApplyRequest, Empty, RunId, RunView, RunsView, Update, WireError},
};

use super::{Console, console::Running, not_found, playbooks::blocking, refused, wire_error};

impl Console {
    /// The run of this id, from the journal.
    pub(super) async fn run_record(&self, id: &str) -> Result<RunRecord, WireError> {
        // All entries: whether a run was taken back stands in another run's.
        let entries = self.store.entries(None).await.map_err(|e| wire_error::journal(&e))?;
        runs(&entries).into_iter().find(|run| run.run == id).ok_or_else(|| {
            not_found(
                format!("there is no run {id} in this profile's journal"),
                "`ratibactl runs list` shows all.",
            )
        })
    }

    /// All runs, newest first, and whether the journal's chain holds.
    pub async fn runs(self: &Arc<Self>, _request: Empty) -> Result<RunsView, WireError> {
        let entries = self.store.entries(None).await.map_err(|e| wire_error::journal(&e))?;
        let chain_error = first_bad(&entries);
        let runs = runs(&entries).iter().rev().map(RunView::from).collect();
        Ok(RunsView { runs, chain_ok: chain_error.is_none(), chain_error })
    }

    /// One run.
    pub async fn run(self: &Arc<Self>, request: RunId) -> Result<RunView, WireError> {
        Ok(RunView::from(&self.run_record(&request.run).await?))
    }

    /// Asks a run to stop at its next safe point.
    pub async fn cancel(self: &Arc<Self>, request: RunId) -> Result<Empty, WireError> {
        let canceller = self.state().running.get(&request.run).map(|r| r.canceller.clone());
        match canceller {
            Some(canceller) => {
                canceller.cancel();
                Ok(Empty {})
            }
            None => Err(not_found(
                format!("run {} does not go on here", request.run),
                "It may have ended already.",
            )),
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
        let run = self.sources.clock.new_id();
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

    /// A fresh id for a run.
    pub fn new_run_id(&self) -> String {
        self.sources.clock.new_id()
    }

    async fn watched_run(
        self: &Arc<Self>,
        confirmed: Confirmed,
        run: String,
        cancel: &Cancel,
        emit: &mut (dyn FnMut(RunEvent) + Send),
    ) -> RunEnd {
        let plan = confirmed.plan().clone();
        let holder = format!("{}, pid {}, run {run}", self.operator, std::process::id());
        let mut context = ApplyContext {
            sources: &self.sources,
            store: self.store.as_ref(),
            cancel,
            holder: &holder,
            lookout: &Blind,
            recheck: Recheck::default(),
            run,
        };
        match &plan.undo_of {
            Some(of) => {
                let original = match self.run_record(of).await {
                    Ok(record) => record.plan,
                    Err(error) => return not_begun(error.message, emit),
                };
                let lookout = restored(&self.sources, &original, &plan);
                context.lookout = &lookout;
                apply(confirmed, &context, emit).await
            }
            None => {
                let playbook = match self.find(&plan.playbook) {
                    Ok(playbook) if playbook.sha256 == plan.script_sha256 => playbook,
                    Ok(_) => {
                        let why = format!("the playbook {} changed since this plan", plan.playbook);
                        return not_begun(refused(&Refusal::Changed(why)).message, emit);
                    }
                    Err(error) => return not_begun(error.message, emit),
                };
                let finding = finding_of(&plan);
                context.recheck = playbook.about.recheck;
                let lookout = DetectAgain { console: self.clone(), playbook, finding };
                context.lookout = &lookout;
                apply(confirmed, &context, emit).await
            }
        }
    }
}

fn not_begun(reason: String, emit: &mut (dyn FnMut(RunEvent) + Send)) -> RunEnd {
    let end = RunEnd { outcome: RunOutcome::Refused, reason: Some(reason) };
    emit(RunEvent::RunDone { run: String::new(), outcome: end.outcome, reason: end.reason.clone() });
    end
}

fn finding_of(plan: &Plan) -> Finding {
    Finding {
        verdict: VerdictKind::Present,
        subject: plan.subject.clone(),
        confidence: 1.0,
        evidence: Vec::new(),
        explained_by: None,
        reason: None,
        data: plan.finding.clone(),
    }
}

/// Stands in until the right lookout is known; says so if it is ever asked.
struct Blind;

#[async_trait]
impl Lookout for Blind {
    async fn look(&self) -> Look {
        Look::CantTell(Vec::new(), "nobody was told how to look".into())
    }
}

/// Looks with the playbook itself: its own verification, or its detection again.
struct DetectAgain {
    console: Arc<Console>,
    playbook: Arc<Playbook>,
    finding: Finding,
}

#[async_trait]
impl Lookout for DetectAgain {
    async fn look(&self) -> Look {
        let context = self.console.call_context();
        let (playbook, finding) = (self.playbook.clone(), self.finding.clone());
        let looked = blocking(move || match playbook.verify(&context, &finding) {
            Ok(Some(own)) => Ok(Looked::Own(own)),
            Ok(None) => playbook.detect(&context).map(Looked::Detected),
            Err(error) => Err(error),
        })
        .await;
        match looked {
            Ok(Ok(Looked::Own(own))) => {
                let reason = own.reason.unwrap_or_default();
                match own.outcome {
                    Some(RunOutcome::Fixed) => Look::Gone(own.evidence),
                    Some(RunOutcome::Unknown) => Look::CantTell(own.evidence, reason),
                    _ => Look::Still(own.evidence, reason),
                }
            }
            Ok(Ok(Looked::Detected(found))) => judged(found, &self.finding.subject),
            Ok(Err(error)) => Look::CantTell(Vec::new(), error.to_string()),
            Err(error) => Look::CantTell(Vec::new(), error.message),
        }
    }
}

enum Looked {
    Own(ratiba_core::playbook::Verification),
    Detected(Vec<Finding>),
}

/// The default verification: gone is when no finding about the same subject is there, and none
/// says that it could not look.
fn judged(found: Vec<Finding>, subject: &Subject) -> Look {
    let same = |f: &Finding| {
        let is = &f.subject;
        (&is.service, &is.tenant, &is.payment, &is.schema)
            == (&subject.service, &subject.tenant, &subject.payment, &subject.schema)
    };
    let everything = Subject::default();
    if let Some(f) = found.iter().find(|f| is_there(f) && same(f)) {
        return Look::Still(f.evidence.clone(), f.reason.clone().unwrap_or_default());
    }
    let blind = |f: &&Finding| f.verdict == VerdictKind::Unknown && (same(f) || f.subject == everything);
    if let Some(f) = found.iter().find(blind) {
        return Look::CantTell(f.evidence.clone(), f.reason.clone().unwrap_or_default());
    }
    let evidence: Vec<Evidence> =
        found.into_iter().filter(|f| f.verdict == VerdictKind::Absent).flat_map(|f| f.evidence).collect();
    Look::Gone(evidence)
}

fn is_there(finding: &Finding) -> bool {
    matches!(finding.verdict, VerdictKind::Present | VerdictKind::Suspected)
}
