//! `ratibactl` with bad input, on real engines: one clear sentence in its own place, everything else
//! goes on, and the exit code says which kind of trouble it is.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bundle;
mod ctl;
mod journal;
mod logs;
mod plans;
mod playbooks;
mod profiles;
mod reads;
mod runbook;
mod sources;
mod staged;
mod surface;
