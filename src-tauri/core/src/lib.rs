//! Ratiba Console's core: what is known about a stack, what is decided from it, and what is
//! recorded about acting on it. Nothing here opens a socket or a file, reads a clock or the
//! environment: all of that comes in through [`ports`].
//!
//! The modules stand in the order in which data flows.

pub mod bundle;
pub mod detail;
pub mod journal;
pub mod logs;
pub mod model;
pub mod observe;
pub mod playbook;
pub mod ports;
pub mod profile;
pub mod remedy;
pub mod runbook;
pub mod triage;
pub mod wire;
