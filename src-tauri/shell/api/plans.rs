//! Making and keeping plans.

use std::{collections::BTreeMap, sync::Arc};

use ratiba_core::{
    model::Subject,
    playbook::{ParamKind, ParamView, resolve_params},
    remedy::{MakePlan, Plan, look_at_checks, make, make_undo},
    wire::{CheckView, ChecksView, PlanId, PlanRequest, PlanView, UndoRequest, WireError},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Console, asker::Freshness, lookout::takes_back, not_found, playbooks::blocking, unreachable, usage,
    wire_error,
};

/// A plan as `ratibactl plan -o FILE` writes it: what is shown, and the plan itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanFile {
    /// What is shown.
    #[serde(flatten)]
    pub view: PlanView,
    /// The plan.
    pub plan: Plan,
    /// What the playbook found besides, and this plan is not about.
    #[serde(skip)]
    pub others: Vec<Subject>,
}

impl PlanFile {
    fn new(plan: Plan, others: Vec<Subject>) -> Self {
        Self { view: PlanView::new(&plan), plan, others }
    }
}

impl Console {
    pub(super) fn make_plan(&self) -> MakePlan<'_> {
        MakePlan { sources: &self.sources, project: &self.environment.project, schema: &self.profile.schema }
    }

    /// Makes a plan and keeps it, so that it can be confirmed here or elsewhere.
    pub async fn plan(self: &Arc<Self>, request: PlanRequest) -> Result<PlanView, WireError> {
        Ok(self.plan_file(request).await?.view)
    }

    /// The same, with the plan itself.
    pub async fn plan_file(self: &Arc<Self>, request: PlanRequest) -> Result<PlanFile, WireError> {
        let playbook = self.find(&request.id)?;
        let context = self.call_context(Freshness::Now);
        let (finding, others) = self.finding(&playbook, &request.subject, &context).await?;
        let specs = self.live_params(&playbook, &finding, &context).await?;
        let params = resolve_params(&specs, &request.params).map_err(|why| {
            usage(
                format!("make a plan with {}: {why}", playbook.id),
                format!(
                    "`ratibactl diagnose {}` lists its parameters, and what there is to choose from.",
                    playbook.id
                ),
            )
        })?;
        let params = self.with_fingerprints(&specs, params).await?;
        let (asked, about, chosen) = (playbook.clone(), finding.clone(), params.clone());
        let steps = blocking(move || asked.plan(&context, &about, &chosen))
            .await?
            .map_err(|e| wire_error::script(&e))?;
        let plan = make(&self.make_plan(), &playbook, &finding, params, steps)
            .await
            .map_err(|e| wire_error::plan(&e))?;
        self.store.keep_plan(&plan).await.map_err(|e| wire_error::journal(&e))?;
        Ok(PlanFile::new(plan, others))
    }

    /// A secret parameter as the script and the plan get it: where it is found, and its keyed
    /// fingerprint now. The secret itself is looked up when the step acts.
    async fn with_fingerprints(
        &self,
        specs: &[ParamView],
        mut params: BTreeMap<String, Value>,
    ) -> Result<BTreeMap<String, Value>, WireError> {
        for spec in specs.iter().filter(|s| s.kind == ParamKind::Secret) {
            let Some(from) = params.get(&spec.name).and_then(Value::as_str).map(str::to_owned) else {
                continue;
            };
            let dotenv = self.sources.dotenv().map_err(|e| unreachable(&e))?;
            let fingerprint = dotenv.secret(&from).await.map_err(|e| unreachable(&e))?;
            params.insert(spec.name.clone(), json!({ "from": from, "fingerprint": fingerprint }));
        }
        Ok(params)
    }

    /// Looks at what the manual steps of a kept plan wait for. Nothing is changed.
    pub async fn plan_checks(self: &Arc<Self>, request: PlanId) -> Result<ChecksView, WireError> {
        let plan = self.kept_plan(&request.plan_id).await?;
        let (lookout, _) = self.lookout_of(&plan).await?;
        let checks = look_at_checks(&plan, &self.sources, lookout.as_ref()).await;
        let checks = checks.into_iter().map(CheckView::from).collect();
        Ok(ChecksView { at: self.sources.clock.now(), checks })
    }

    /// What taking a run back would do; kept like any plan.
    pub async fn undo_plan(self: &Arc<Self>, request: UndoRequest) -> Result<PlanView, WireError> {
        let (run, resolution) = self.resolved(&request.run).await?;
        let all = self.all_runs().await?;
        let original = match run.plan.undo_of.as_ref().filter(|_| takes_back(&run.plan, &all)) {
            Some(of) => Some(self.run_in(all, of)?),
            None => None,
        };
        let plan = make_undo(&self.make_plan(), &run, original.as_ref(), resolution)
            .await
            .map_err(|e| wire_error::plan(&e))?;
        self.store.keep_plan(&plan).await.map_err(|e| wire_error::journal(&e))?;
        Ok(PlanView::new(&plan))
    }

    /// A kept plan.
    pub async fn kept_plan(&self, plan_id: &str) -> Result<Plan, WireError> {
        let kept = self.store.plan(plan_id).await.map_err(|e| wire_error::journal(&e))?;
        kept.ok_or_else(|| {
            not_found(
                format!("there is no plan {plan_id} in this profile's journal"),
                "Make it here with `ratibactl plan`, then apply it with the same profile.",
            )
        })
    }

    /// The plan of a file, only when this console made it: a file alone can't bring in steps that
    /// no playbook gave.
    pub async fn plan_from_file(&self, text: &str) -> Result<Plan, WireError> {
        let none = |error: serde_json::Error| {
            usage(
                format!("read the plan file: it is none ({error})"),
                "Make it again with `ratibactl plan ID -o FILE`.",
            )
        };
        let value: Value = serde_json::from_str(text).map_err(none)?;
        let file: PlanFile = serde_json::from_value(value.clone()).map_err(none)?;
        let kept = self.kept_plan(&file.plan.plan_id).await?;
        // All of it, what is shown too, and not only what the digest covers: nor may it expire later.
        if value != serde_json::to_value(PlanFile::new(kept.clone(), Vec::new())).map_err(none)? {
            return Err(wire_error::refused(&ratiba_core::remedy::Refusal::OtherPlan));
        }
        Ok(kept)
    }

    /// Splits `-p name=value` into the finding's subject and the playbook's parameters.
    pub fn split_params(
        &self,
        id: &str,
        given: BTreeMap<String, Value>,
    ) -> Result<(Subject, BTreeMap<String, Value>), WireError> {
        let playbook = self.find(id)?;
        let mut subject = Subject::default();
        let mut params = BTreeMap::new();
        for (name, value) in given {
            let is_param = playbook.about.params.iter().any(|p| p.name == name);
            let text = value.as_str().map(str::to_owned);
            match name.as_str() {
                "service" if !is_param => subject.service = text,
                "tenant" if !is_param => subject.tenant = text,
                "payment" if !is_param => subject.payment = text,
                "schema" if !is_param => subject.schema = text,
                _ => {
                    params.insert(name, value);
                }
            }
        }
        Ok((subject, params))
    }
}
