//! Where runs are recorded.

use async_trait::async_trait;

use crate::{
    journal::{Entry, EntryDraft},
    remedy::Plan,
};

/// The journal's store: append-only, durable when `append` returns.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// Appends one entry, chained to the last one; returns it as stored.
    async fn append(&self, draft: EntryDraft) -> Result<Entry, JournalError>;
    /// Entries in order; all, or those of one run.
    async fn entries(&self, run: Option<&str>) -> Result<Vec<Entry>, JournalError>;
    /// Keeps a plan, so that it can be confirmed elsewhere.
    async fn keep_plan(&self, plan: &Plan) -> Result<(), JournalError>;
    /// A kept plan.
    async fn plan(&self, plan_id: &str) -> Result<Option<Plan>, JournalError>;
    /// Marks a plan as used; `false` when it already was. Atomic: a plan is used once.
    async fn use_plan(&self, plan_id: &str, digest: &str) -> Result<bool, JournalError>;
    /// Who holds that lock; `None`: nobody. For looking: it is not taken.
    async fn target_holder(&self, target: &str) -> Result<Option<String>, JournalError>;
    /// Takes the one-apply-at-a-time lock of a target; dropping the guard frees it.
    async fn lock_target(&self, target: &str, holder: &str) -> Result<TargetLock, JournalError>;
}

/// Holds the one-apply-at-a-time lock of a target until dropped.
pub type TargetLock = Box<dyn Send + Sync>;

/// The journal can't be written or read: nothing may be applied then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Reading or writing failed.
    #[error("{attempted}: {happened}")]
    Store {
        /// What was attempted.
        attempted: String,
        /// What happened.
        happened: String,
    },
    /// It would hold a secret of the stack, and is not kept.
    #[error("keep the plan: it would hold the value of {name}")]
    HoldsSecret {
        /// The secret's name.
        name: String,
    },
    /// Somebody else is applying to this target.
    #[error("another console is applying to this stack: {holder}")]
    Locked {
        /// Who, since when.
        holder: String,
    },
}
