//! `kill -9` at every labelled point of a run, on real engines: nothing that was journalled is lost,
//! nothing is done twice, and what became of an interrupted step is found out and not assumed.
//!
//! A child process of this binary applies a plan through the shipping use cases and adapters, the
//! ports wrapped so that it kills itself at the k-th point; a proxy before Postgres does the same to
//! it around `BEGIN` and `COMMIT`. A run that is not killed lists the points.

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
#[path = "../kernel/playbook.rs"]
#[expect(dead_code, reason = "these tests use a part of it")]
mod playbook;

mod cases;
mod child;
mod dotenv;
mod judge;
mod patch;
mod points;
mod proxy;
mod truth;
mod world;

mod kills;
mod ratibactl;
