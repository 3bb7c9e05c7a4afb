//! A journal in memory, with the same rules as the real one.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use ratiba_core::{
    journal::{Anchor, Entry, EntryDraft, GENESIS, History, Link, chain_hash},
    ports::{JournalError, JournalStore, TargetLock},
    remedy::Plan,
};

/// Entries, plans and which of them were used.
#[derive(Default)]
pub struct MemoryJournal {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: Vec<Entry>,
    plans: Vec<Plan>,
    used: Vec<String>,
    /// Appends that still succeed; `None`: all.
    appends_left: Option<usize>,
}

impl Inner {
    fn history(&self) -> History {
        let last = self.entries.last().map_or_else(Link::genesis, Link::from);
        History { rows: self.entries.iter().cloned().map(Ok).collect(), anchor: Ok(Anchor::at(last)) }
    }
}

impl MemoryJournal {
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets only `n` more appends succeed, as a full disk would.
    pub fn fails_after(&self, n: usize) {
        self.inner().appends_left = Some(n);
    }

    /// Lets all appends succeed again.
    pub fn works_again(&self) {
        self.inner().appends_left = None;
    }
}

#[async_trait]
impl JournalStore for MemoryJournal {
    async fn append(&self, draft: EntryDraft) -> Result<Entry, JournalError> {
        let mut inner = self.inner();
        match inner.appends_left.as_mut() {
            Some(0) => {
                return Err(JournalError::Store {
                    attempted: "write the journal".into(),
                    happened: "no space left on device".into(),
                });
            }
            Some(left) => *left -= 1,
            None => {}
        }
        let prev = inner.entries.last().map_or_else(|| GENESIS.to_owned(), |e| e.hash.clone());
        let seq = inner.entries.len() as u64 + 1;
        let hash = chain_hash(&prev, seq, &draft);
        let entry =
            Entry { seq, run: draft.run, at: draft.at, kind: draft.kind, body: draft.body, prev, hash };
        inner.entries.push(entry.clone());
        Ok(entry)
    }

    async fn entries(&self, run: Option<&str>) -> Result<Vec<Entry>, JournalError> {
        let wanted = |e: &&Entry| run.is_none_or(|run| e.run == run);
        Ok(self.inner().entries.iter().filter(wanted).cloned().collect())
    }

    async fn history(&self) -> Result<History, JournalError> {
        Ok(self.inner().history())
    }

    async fn keep_plan(&self, plan: &Plan) -> Result<(), JournalError> {
        self.inner().plans.push(plan.clone());
        Ok(())
    }

    async fn plan(&self, plan_id: &str) -> Result<Option<Plan>, JournalError> {
        Ok(self.inner().plans.iter().find(|p| p.plan_id == plan_id).cloned())
    }

    async fn use_plan(&self, plan_id: &str, _digest: &str) -> Result<bool, JournalError> {
        let mut inner = self.inner();
        let is_first = !inner.used.iter().any(|used| used == plan_id) && !inner.history().has_begun(plan_id);
        inner.used.push(plan_id.to_owned());
        Ok(is_first)
    }

    async fn target_holder(&self, _target: &str) -> Result<Option<String>, JournalError> {
        Ok(None)
    }

    async fn lock_target(&self, _target: &str, _holder: &str) -> Result<TargetLock, JournalError> {
        Ok(Box::new(()))
    }
}
