//! The catalogue, one playbook's findings, and the choices that go with a finding.

use std::sync::Arc;

use ratiba_core::{
    model::{Finding, Subject, Verdict, VerdictKind},
    playbook::{CallContext, ParamView, Playbook},
    triage::{Detected, rank},
    wire::{
        CatalogView, DiagnoseView, DiagnosisView, Empty, LiveParams, PlanRequest, PlaybookId, PlaybookView,
        WireError,
    },
};

use super::{Console, asker::Freshness, failed, not_found, wire_error};

/// For how many findings `diagnosis` asks what there is to choose from.
const CHOICES_FOR: usize = 8;

/// That the fault is not there, or is there for others only.
fn not_there(id: &str, subject: &Subject, elsewhere: &[&Finding]) -> WireError {
    let meant = words(subject);
    let about = if meant.is_empty() { String::new() } else { format!(" for {meant}") };
    let others: Vec<String> = elsewhere.iter().map(|f| words(&f.subject)).filter(|w| !w.is_empty()).collect();
    let hint = match others.is_empty() {
        true => "`ratibactl triage` says what is.".to_owned(),
        false => format!("It is there for {}.", others.join(", ")),
    };
    failed(format!("make a plan with {id}: the fault is not there now{about}"), hint)
}

/// Whom something is about, in words.
fn words(subject: &Subject) -> String {
    let named = |what: &str, name: &Option<String>| name.as_ref().map(|name| format!("{what} {name}"));
    let all = [
        named("service", &subject.service),
        named("tenant", &subject.tenant),
        named("payment", &subject.payment),
        named("schema", &subject.schema),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

impl Console {
    /// All playbooks.
    pub async fn playbooks(self: &Arc<Self>, _request: Empty) -> Result<CatalogView, WireError> {
        Ok(CatalogView {
            playbooks: self.catalog().all().iter().map(|p| PlaybookView::from(p.as_ref())).collect(),
        })
    }

    /// One playbook.
    pub async fn playbook(self: &Arc<Self>, request: PlaybookId) -> Result<PlaybookView, WireError> {
        Ok(PlaybookView::from(self.find(&request.id)?.as_ref()))
    }

    pub(super) fn find(&self, id: &str) -> Result<Arc<Playbook>, WireError> {
        let catalog = self.catalog();
        catalog.get(id).or_else(|| catalog.by_number(id)).cloned().ok_or_else(|| {
            let hint = match catalog.nearest(id) {
                Some(near) => format!("Did you mean `{near}`? `ratibactl playbooks list` shows all."),
                None => "`ratibactl playbooks list` shows all.".into(),
            };
            not_found(format!("there is no playbook `{id}`"), hint)
        })
    }

    /// One playbook's findings now, ranked.
    pub async fn diagnose(self: &Arc<Self>, request: PlaybookId) -> Result<DiagnoseView, WireError> {
        let playbook = self.find(&request.id)?;
        Ok(DiagnoseView { verdicts: self.looked(&playbook, &self.call_context(Freshness::Now)).await? })
    }

    async fn looked(
        &self,
        playbook: &Arc<Playbook>,
        context: &CallContext,
    ) -> Result<Vec<Verdict>, WireError> {
        let (asked, with) = (playbook.clone(), context.clone());
        let outcome = blocking(move || asked.detect(&with)).await?;
        let verdicts = rank(vec![Detected { playbook, outcome }]);
        self.remember(&verdicts, self.sources.clock.now(), false).await;
        Ok(verdicts)
    }

    /// The same about `subject`, and what there is to choose from for the first findings that are there.
    pub async fn diagnosis(
        self: &Arc<Self>,
        id: &str,
        subject: &Subject,
    ) -> Result<DiagnosisView, WireError> {
        let playbook = self.find(id)?;
        let context = self.call_context(Freshness::Now);
        let mut verdicts = self.looked(&playbook, &context).await?;
        verdicts.retain(|verdict| is_or_may_be_about(&verdict.subject, subject));
        let mut params = Vec::new();
        let there =
            verdicts.iter().filter(|v| matches!(v.verdict, VerdictKind::Present | VerdictKind::Suspected));
        for verdict in there.take(CHOICES_FOR).filter(|_| !playbook.about.params.is_empty()) {
            let finding = Finding {
                verdict: verdict.verdict,
                subject: verdict.subject.clone(),
                confidence: verdict.confidence,
                evidence: Vec::new(),
                explained_by: None,
                reason: None,
                data: verdict.data.clone(),
            };
            let (live, error) = match self.live_params(&playbook, &finding, &context).await {
                Ok(live) => (live, None),
                Err(error) => (playbook.asked(&finding), Some(error.message)),
            };
            if !live.is_empty() {
                params.push(LiveParams { subject: finding.subject, params: live, error });
            }
        }
        Ok(DiagnosisView { verdicts, params })
    }

    /// The finding that is meant: of this playbook, about this subject, and there right now; and whom the
    /// others that may be meant are about.
    pub(super) async fn finding(
        &self,
        playbook: &Arc<Playbook>,
        subject: &Subject,
        context: &CallContext,
    ) -> Result<(Finding, Vec<Subject>), WireError> {
        let (asked, with) = (playbook.clone(), context.clone());
        let found = blocking(move || asked.detect(&with)).await?.map_err(|e| wire_error::script(&e))?;
        let is_there = |f: &&Finding| matches!(f.verdict, VerdictKind::Present | VerdictKind::Suspected);
        let mut there: Vec<&Finding> =
            found.iter().filter(is_there).filter(|f| is_about(f, subject)).collect();
        there.sort_by_key(|f| (f.verdict, f.explained_by.is_some()));
        let others = there.iter().skip(1).map(|f| f.subject.clone()).collect();
        there.first().map(|f| ((*f).clone(), others)).ok_or_else(|| {
            let unknown =
                found.iter().find(|f| f.verdict == VerdictKind::Unknown).and_then(|f| f.reason.clone());
            match unknown {
                Some(reason) => failed(
                    format!(
                        "make a plan with {}: it can't be told whether the fault is there: {reason}",
                        playbook.id
                    ),
                    "Bring back what can't be read, then try again.",
                ),
                None => not_there(&playbook.id, subject, &found.iter().filter(is_there).collect::<Vec<_>>()),
            }
        })
    }

    pub(super) async fn live_params(
        &self,
        playbook: &Arc<Playbook>,
        finding: &Finding,
        context: &CallContext,
    ) -> Result<Vec<ParamView>, WireError> {
        let (asked, with, about) = (playbook.clone(), context.clone(), finding.clone());
        blocking(move || asked.choices(&with, &about)).await?.map_err(|e| wire_error::script(&e))
    }

    /// A playbook's page with the live choices for one finding.
    pub async fn choices(self: &Arc<Self>, request: PlanRequest) -> Result<PlaybookView, WireError> {
        let playbook = self.find(&request.id)?;
        let context = self.call_context(Freshness::Now);
        let (finding, _) = self.finding(&playbook, &request.subject, &context).await?;
        let params = self.live_params(&playbook, &finding, &context).await?;
        Ok(PlaybookView { params, ..PlaybookView::from(playbook.as_ref()) })
    }
}

/// Whether a verdict is about `wanted`, or about the stack as a whole.
fn is_or_may_be_about(is: &Subject, wanted: &Subject) -> bool {
    let fits = |want: &Option<String>, is: &Option<String>| want.is_none() || want == is || is.is_none();
    fits(&wanted.service, &is.service)
        && fits(&wanted.tenant, &is.tenant)
        && fits(&wanted.payment, &is.payment)
        && fits(&wanted.schema, &is.schema)
}

/// Whether a finding is about `wanted`; what is not said is not compared.
fn is_about(finding: &Finding, wanted: &Subject) -> bool {
    let fits = |want: &Option<String>, is: &Option<String>| want.is_none() || want == is;
    let is = &finding.subject;
    fits(&wanted.service, &is.service)
        && fits(&wanted.tenant, &is.tenant)
        && fits(&wanted.payment, &is.payment)
        && fits(&wanted.schema, &is.schema)
}

/// Runs a script's call where waiting is allowed.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, WireError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        failed(
            format!("run a playbook: its thread ended ({error})"),
            "This is a fault of the console; please report it.",
        )
    })
}
