//! What was intended, done and seen: append-only, each entry chained to the one before.

mod record;

pub use record::{Entry, EntryDraft, EntryKind, GENESIS, chain_hash};
