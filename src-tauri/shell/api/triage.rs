//! Triage: all playbooks side by side on one pass, ranked; and the runbook's four questions.

use std::sync::Arc;

use ratiba_core::{
    model::{Mark, Verdict},
    observe::ServiceView,
    playbook::ScriptError,
    triage::{Detected, rank},
    wire::{Empty, TriageView, Update, WireError},
};
use serde_json::{Value, json};

use super::{Console, asker::Freshness, playbooks::blocking};

/// Log lines shown for each service that is not well.
const LINES: u32 = 8;

impl Console {
    /// The present ranking: the watched one where somebody watches, else made now.
    pub async fn triage(self: &Arc<Self>, _request: Empty) -> Result<TriageView, WireError> {
        let watched = {
            let state = self.state();
            if state.is_watching { state.triage.clone() } else { None }
        };
        match watched {
            Some(triage) => Ok(triage),
            None => Ok(self.triage_now().await),
        }
    }

    /// Looks with every playbook now, and answers the four questions.
    pub async fn triage_now(self: &Arc<Self>) -> TriageView {
        let clock = self.sources.clock.clone();
        let began = clock.monotonic_ms();
        let read = async {
            if !self.state().is_watching {
                tokio::join!(self.read_containers(), self.read_declared());
            }
        };
        let (ranked, changed, ()) = tokio::join!(self.ranked(), self.changed(), read);
        let taken_at = clock.now();
        self.remember(&ranked, taken_at, true).await;
        let services = self.folded().services;
        let unwell: Vec<&ServiceView> = services.iter().filter(|s| s.mark >= Mark::Unknown).collect();
        let logs = self.last_lines(&unwell).await;
        TriageView {
            taken_at,
            elapsed_ms: clock.monotonic_ms().saturating_sub(began),
            which: unwell
                .iter()
                .map(|s| json!({ "service": s.service, "mark": s.mark, "detail": s.detail }))
                .collect(),
            which_error: self.unread_services(),
            when: first_sign(&unwell),
            changed,
            logs,
            ranked,
        }
    }

    async fn ranked(self: &Arc<Self>) -> Vec<Verdict> {
        let context = self.call_context(Freshness::Watching);
        let catalog = self.catalog();
        let looking = catalog.all().iter().map(|playbook| {
            let (asked, with) = (playbook.clone(), context.clone());
            async move { (playbook, blocking(move || asked.detect(&with)).await) }
        });
        let mut detected = Vec::new();
        for (playbook, outcome) in futures_util::future::join_all(looking).await {
            let outcome =
                outcome.unwrap_or_else(|error| Err(ScriptError::failed(&playbook.id, error.message)));
            detected.push(Detected { playbook, outcome });
        }
        rank(detected)
    }

    /// Why it is not known of all services how they are.
    fn unread_services(&self) -> Option<String> {
        let readings = self.state().readings.clone();
        let errors = [readings.containers.error, readings.declared.error];
        let said: Vec<String> = errors.into_iter().flatten().map(|error| error.to_string()).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    async fn changed(&self) -> Value {
        let commits = match self.sources.repo() {
            Ok(repo) => repo.recent_commits(20).await,
            Err(error) => Err(error),
        };
        match commits {
            Ok(commits) => json!({ "commits": commits }),
            Err(error) => json!({ "error": error.to_string() }),
        }
    }

    async fn last_lines(&self, unwell: &[&ServiceView]) -> Vec<Value> {
        let reads = unwell.iter().filter_map(|s| Some((&s.service, s.container_id.as_ref()?))).take(6).map(
            |(service, id)| async move {
                let lines = self.sources.containers.log_tail(id, LINES).await.unwrap_or_default();
                lines
                    .into_iter()
                    .map(|l| json!({ "service": service, "line": l.text, "at": l.at }))
                    .collect::<Vec<_>>()
            },
        );
        futures_util::future::join_all(reads).await.into_iter().flatten().collect()
    }

    /// Looks again and tells the listeners.
    pub(super) async fn refresh_triage(self: &Arc<Self>) {
        let triage = self.triage_now().await;
        self.state().triage = Some(triage.clone());
        self.publish(Update::Triage { triage });
    }
}

/// The earliest time at which a service that is not well got into its state; and of which services that
/// is not known: one of them may have been the first.
fn first_sign(unwell: &[&ServiceView]) -> Value {
    let (known, not_known): (Vec<&&ServiceView>, Vec<_>) = unwell.iter().partition(|s| s.since.is_some());
    let not_known: Vec<&str> = not_known.iter().map(|s| s.service.as_str()).collect();
    let mut sign = match known.into_iter().min_by_key(|s| s.since) {
        Some(s) => {
            json!({ "at": s.since, "what": format!("{}: {}", s.service, s.detail), "source": "docker" })
        }
        None => json!({}),
    };
    if let (false, Some(fields)) = (not_known.is_empty(), sign.as_object_mut()) {
        fields.insert("not_known_of".into(), json!(not_known));
    }
    sign
}
