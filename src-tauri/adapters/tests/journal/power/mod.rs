//! Power cuts: what is on disk after one is worked out from the writes and syncs that the real journal
//! made, cut at every place. `kill -9` can't show this: what was written and not synced survives it.

mod cuts;
mod storage;
mod trace;
pub mod writer;
