//! In-memory ports and builders, for tests of the core's decisions. What a real engine can answer
//! is tested on the real engine, in the lab.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod beside;
mod build;
mod host;
mod journal;
pub mod lab;
mod logs;
mod sightings;
mod sources;

pub use build::{container, playbook_file};
pub use journal::MemoryJournal;
pub use ratiba_core::ports::NoSecrets;
pub use sightings::MemorySightings;
pub use sources::{Stack, TestClock};
