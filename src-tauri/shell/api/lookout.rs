//! How a run is looked after: with its playbook, or, for an undo, with what was before.

use std::sync::Arc;

use async_trait::async_trait;
use ratiba_core::{
    journal::RunRecord,
    model::{Change, Evidence, Finding, Subject, VerdictKind},
    playbook::{Playbook, Recheck},
    remedy::{Look, Lookout, Plan, Refusal, RunOutcome, restored},
    wire::WireError,
};

use super::{Console, asker::Freshness, playbooks::blocking, refused};

/// Whether the run of a plan takes back what another did; the undo of an undo does it again.
pub(super) fn takes_back(plan: &Plan, all: &[RunRecord]) -> bool {
    let mut of = plan.undo_of.as_ref();
    let mut is_undo = false;
    while let Some(id) = of {
        is_undo = !is_undo;
        of = all.iter().find(|run| run.run == *id).and_then(|run| run.plan.undo_of.as_ref());
    }
    is_undo
}

impl Console {
    /// Who looks whether the plan's run worked, and for how long.
    pub(super) async fn lookout_of(
        self: &Arc<Self>,
        plan: &Plan,
    ) -> Result<(Box<dyn Lookout>, Recheck), WireError> {
        if let Some(of) = &plan.undo_of {
            let all = self.all_runs().await?;
            if takes_back(plan, &all) {
                let original = self.run_in(all, of)?;
                return Ok((Box::new(restored(&self.sources, original, plan.clone())), Recheck::default()));
            }
        }
        let playbook = self.find(&plan.playbook)?;
        if playbook.sha256 != plan.script_sha256 {
            let (what, was) = (format!("the playbook {}", plan.playbook), plan.script_sha256.clone());
            let change = Change::new(what, "script", was, playbook.sha256.clone());
            return Err(refused(&Refusal::Changed(vec![change])));
        }
        let recheck = playbook.about.recheck;
        let finding = finding_of(plan);
        Ok((Box::new(DetectAgain { console: self.clone(), playbook, finding }), recheck))
    }
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

/// Looks with the playbook itself: its own verification, or its detection again.
struct DetectAgain {
    console: Arc<Console>,
    playbook: Arc<Playbook>,
    finding: Finding,
}

#[async_trait]
impl Lookout for DetectAgain {
    async fn look(&self) -> Look {
        let context = self.console.call_context(Freshness::Verifying);
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
