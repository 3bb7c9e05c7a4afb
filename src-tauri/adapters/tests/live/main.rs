//! The adapters on the lab's real engines: what they find, and what they say when an engine is not
//! there, refuses or keeps silent.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod compose;
mod docker;
mod lab;
mod looks;
mod postgres;
mod redis;
