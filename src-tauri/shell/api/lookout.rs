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
            return Err(refused(&Refusal::Changed(vec![script_change(plan, &playbook)])));
        }
        let recheck = playbook.about.recheck;
        let own_check = Some(finding_of(plan));
        let subject = plan.subject.clone();
        Ok((Box::new(DetectAgain { console: self.clone(), playbook, subject, own_check }), recheck))
    }

    /// Who looks in order to close an interrupted run: where its playbook is another by now, with the
    /// present one; where there is none any more, nobody can tell. Gives also what is to be said of that.
    pub(super) async fn lookout_to_close(
        self: &Arc<Self>,
        plan: &Plan,
    ) -> Result<(Box<dyn Lookout>, Recheck, Option<String>), WireError> {
        if self.has_its_script(plan) {
            let (lookout, recheck) = self.lookout_of(plan).await?;
            return Ok((lookout, recheck, None));
        }
        match self.find(&plan.playbook) {
            Ok(playbook) => {
                let recheck = playbook.about.recheck;
                let why = format!("looked at with the playbook {} as it is now: {ANOTHER}", plan.playbook);
                let subject = plan.subject.clone();
                let lookout = DetectAgain { console: self.clone(), playbook, subject, own_check: None };
                Ok((Box::new(lookout), recheck, Some(why)))
            }
            Err(error) => Ok((Box::new(Nobody(error.message)), Recheck::default(), None)),
        }
    }

    /// Whether the playbook is the one that the plan was made with. An undo needs none.
    pub(super) fn has_its_script(&self, plan: &Plan) -> bool {
        let same = || self.find(&plan.playbook).is_ok_and(|now| now.sha256 == plan.script_sha256);
        plan.undo_of.is_some() || same()
    }
}

/// What is said of a run whose playbook was changed since.
pub(super) const ANOTHER: &str = "the run was planned with another version of it";

fn script_change(plan: &Plan, now: &Playbook) -> Change {
    let short = |sum: &str| format!("version {}", sum.get(..12).unwrap_or(sum));
    let (was, is) = (short(&plan.script_sha256), short(&now.sha256));
    Change::new(format!("the playbook {}", plan.playbook), "script", was, is)
}

/// There is nothing to look with.
struct Nobody(String);

#[async_trait]
impl Lookout for Nobody {
    async fn look(&self) -> Look {
        Look::CantTell(Vec::new(), self.0.clone())
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
    subject: Subject,
    /// What the playbook's own check is given; `None`: only its detection looks.
    own_check: Option<Finding>,
}

#[async_trait]
impl Lookout for DetectAgain {
    async fn look(&self) -> Look {
        let context = self.console.call_context(Freshness::Verifying);
        let (playbook, finding) = (self.playbook.clone(), self.own_check.clone());
        let looked = blocking(move || {
            let own = finding.map_or(Ok(None), |finding| playbook.verify(&context, &finding))?;
            match own {
                Some(own) => Ok(Looked::Own(own)),
                None => playbook.detect(&context).map(Looked::Detected),
            }
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
            Ok(Ok(Looked::Detected(found))) => judged(found, &self.subject),
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
