//! What was intended, done and seen: append-only, each entry chained to the one before.

mod anchor;
mod history;
mod record;
mod replay;

pub use anchor::{Anchor, Link};
pub use history::{History, Unreadable, first_bad};
pub use record::{Entry, EntryDraft, EntryKind, GENESIS, chain_hash};
pub use replay::{LEFT_OUT, Prepared, RunRecord, StepRecord, UndoBegun, runs, trusted};
