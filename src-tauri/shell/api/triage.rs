//! Triage: all playbooks side by side on one pass, ranked; and the runbook's four questions.

use std::sync::Arc;

use super::{Console, asker::Freshness, playbooks::blocking};
use ratiba_core::{
    model::Verdict,
    playbook::ScriptError,
    ports::Sources,
    triage::{Detected, rank},
    wire::{Empty, TriageView, Update, WireError},
};

impl Console {
    /// The present ranking: the watched one where somebody watches, else made now.
    pub async fn triage(self: &Arc<Self>, _request: Empty) -> Result<TriageView, WireError> {
        if let Some(recorded) = self.recorded() {
            return recorded.triage();
        }
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
        let now = clock.now();
        let (good, unread_good) = self.last_good().await;
        let look = self.sources.for_one_look();
        let read = async {
            if !self.state().is_watching {
                self.read_all_of(&look).await;
            }
            self.which().await
        };
        let (ranked, (which, unread_needs), logs, (history, unread_history, why_base)) = tokio::join!(
            self.ranked(&look),
            read,
            self.what_logs_say(&look, good.as_ref(), now),
            self.history(good.as_ref(), now)
        );
        let (when, mut changed, unmatched) = tokio::join!(
            self.when_began(&which, &logs, history.as_ref(), now),
            self.changed(good, history.as_ref(), unread_history, why_base),
            self.unmatched(&ranked, &which, &logs)
        );
        changed.unread.extend(unread_good.map(|why| format!("when nothing was wrong last: {why}")));
        changed.unread.extend(unread_needs.map(|why| format!("what the services need: {why}")));
        let taken_at = clock.now();
        self.remember(&ranked, taken_at, true).await;
        self.remember_good(&ranked, &which, taken_at, history.map(|history| history.head)).await;
        TriageView {
            taken_at,
            elapsed_ms: clock.monotonic_ms().saturating_sub(began),
            which,
            which_error: self.unread_services(),
            when,
            changed,
            logs: logs.signs,
            logs_read: logs.read,
            unmatched,
            ranked,
        }
    }

    async fn ranked(self: &Arc<Self>, look: &Sources) -> Vec<Verdict> {
        let context = self.call_context_of(look, Freshness::Watching);
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
    pub(super) fn unread_services(&self) -> Option<String> {
        let readings = self.state().readings.clone();
        let errors = [readings.containers.error, readings.declared.error];
        let said: Vec<String> = errors.into_iter().flatten().map(|error| error.to_string()).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// Looks again and tells the listeners.
    pub(super) async fn refresh_triage(self: &Arc<Self>) {
        let triage = self.triage_now().await;
        self.state().triage = Some(triage.clone());
        self.publish(Update::Triage { triage: Box::new(triage) });
    }
}
