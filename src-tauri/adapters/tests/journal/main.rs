//! The journal's promises on its real files: no edit stays unnoticed, no acknowledged entry is lost in
//! a power cut, one lock has one holder. Needs no lab; on Linux it needs strace.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod anchored;
mod child;
mod file_bytes;
mod opened;
#[cfg(target_os = "linux")]
mod power;
mod races;
mod tampered;
mod written;
