//! What a plan can do, on real engines through the shipping `ratibactl`: each kind of step, what
//! binds a plan, what ends a run, and what never leaves the console.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../cli/ctl.rs"]
#[expect(dead_code, reason = "these tests use a part of it")]
mod ctl;
mod playbook;
mod proxy;

mod backups;
mod commands;
mod containers;
mod files;
mod http;
mod kept_backups;
mod patches;
mod reads;
mod redis;
mod references;
mod restoring;
mod secrets;
mod secrets_recorded;
mod shown;
mod silence;
mod twice;
mod undo;
mod volumes;
mod waiting;
