//! The main job in the real window, by clicks, on the real lab.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bundle;
mod lab;
mod looks;
mod remedy;
mod repairs;
mod rows;
mod unknown;
mod window;
