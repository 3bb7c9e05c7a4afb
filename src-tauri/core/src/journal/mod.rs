//! What was intended, done and seen: append-only, each entry chained to the one before.

mod record;
mod replay;

pub use record::{Entry, EntryDraft, EntryKind, GENESIS, chain_hash};
pub use replay::{Prepared, RunRecord, StepRecord, UndoBegun, first_bad, runs, trusted};
