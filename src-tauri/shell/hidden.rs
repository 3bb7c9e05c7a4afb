//! Keeping the stack's secrets out of the journal and the window.

use std::sync::Arc;

use async_trait::async_trait;
use ratiba_core::{
    journal::{Entry, EntryDraft, History},
    ports::{JournalError, JournalStore, KnownSecrets, TargetLock},
    remedy::Plan,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A value without the stack's secrets. `None`: it can't be said without them.
pub(crate) fn hidden<T: Serialize + DeserializeOwned>(value: T, known: &dyn KnownSecrets) -> Option<T> {
    let text = serde_json::to_string(&value).ok()?;
    match known.hide(&text) {
        None => Some(value),
        Some(hidden) => serde_json::from_str(&hidden).ok(),
    }
}

/// A journal into which no secret gets.
pub(crate) struct HidingJournal {
    pub(crate) inner: Arc<dyn JournalStore>,
    pub(crate) known: Arc<dyn KnownSecrets>,
}

#[async_trait]
impl JournalStore for HidingJournal {
    async fn append(&self, draft: EntryDraft) -> Result<Entry, JournalError> {
        let body = hidden::<Value>(draft.body, self.known.as_ref()).unwrap_or(Value::Null);
        self.inner.append(EntryDraft { body, ..draft }).await
    }

    async fn entries(&self, run: Option<&str>) -> Result<Vec<Entry>, JournalError> {
        self.inner.entries(run).await
    }

    async fn history(&self) -> Result<History, JournalError> {
        self.inner.history().await
    }

    /// What is confirmed must be what runs: a plan is not changed, it is not kept.
    async fn keep_plan(&self, plan: &Plan) -> Result<(), JournalError> {
        let text = serde_json::to_string(plan).unwrap_or_default();
        if let Some(hidden) = self.known.hide(&text) {
            let name = hidden.split('‹').nth(1).and_then(|rest| rest.split('›').next()).unwrap_or("a secret");
            return Err(JournalError::HoldsSecret { name: name.to_owned() });
        }
        self.inner.keep_plan(plan).await
    }

    async fn plan(&self, plan_id: &str) -> Result<Option<Plan>, JournalError> {
        self.inner.plan(plan_id).await
    }

    async fn use_plan(&self, plan_id: &str, digest: &str) -> Result<bool, JournalError> {
        self.inner.use_plan(plan_id, digest).await
    }

    async fn target_holder(&self, target: &str) -> Result<Option<String>, JournalError> {
        self.inner.target_holder(target).await
    }

    async fn lock_target(&self, target: &str, holder: &str) -> Result<TargetLock, JournalError> {
        self.inner.lock_target(target, holder).await
    }
}
