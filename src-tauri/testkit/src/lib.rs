//! In-memory ports and builders, for tests of the core's decisions. What a real engine can answer
//! is tested on the real engine, in the lab.

mod build;
mod journal;
mod sources;

pub use build::{container, playbook_file};
pub use journal::MemoryJournal;
pub use sources::{Stack, TestClock};
