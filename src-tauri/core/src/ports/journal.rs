//! Where runs are recorded.

use async_trait::async_trait;

use crate::{
    journal::{Entry, EntryDraft, History},
    remedy::Plan,
};

/// The journal's store: append-only, durable when `append` returns.
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// Appends one entry, chained to the last one; returns it as stored, and anchored. Refused where
    /// the journal does not end as its anchor says.
    async fn append(&self, draft: EntryDraft) -> Result<Entry, JournalError>;
    /// Entries in order; all, or those of one run.
    async fn entries(&self, run: Option<&str>) -> Result<Vec<Entry>, JournalError>;
    /// Everything, and what it is held against. A row that can't be read is named, and hides no other.
    async fn history(&self) -> Result<History, JournalError>;
    /// Keeps a plan, so that it can be confirmed elsewhere.
    async fn keep_plan(&self, plan: &Plan) -> Result<(), JournalError>;
    /// A kept plan.
    async fn plan(&self, plan_id: &str) -> Result<Option<Plan>, JournalError>;
    /// Marks a plan as used; `false` when it already was, by its mark or by a run in the chain.
    /// Atomic: a plan is used once. Refused where the journal is not what was written.
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
    /// Rows that a step returns would be used and compared later, and hold a secret, which is not kept.
    #[error(
        "the rows that it returns hold the value of {name} in `{column}`, and the journal keeps no secret. \
         Leave `{column}` out of its RETURNING"
    )]
    ReturnsSecret {
        /// The secret's name.
        name: String,
        /// The column it is in.
        column: String,
    },
    /// The journal is not what was written: nothing is added to it.
    #[error("{attempted}: {damage}. {what_to_do}")]
    Damaged {
        /// What was attempted.
        attempted: String,
        /// The first bad entry.
        damage: String,
        /// What to do.
        what_to_do: String,
    },
    /// Somebody else is applying to this target.
    #[error("another console is applying to this stack: {holder}")]
    Locked {
        /// Who, since when.
        holder: String,
    },
}
