//! The ranking: every playbook's findings in one list, the cause before its consequences.

mod rank;
mod sighted;

pub use rank::{Detected, rank};
pub use sighted::{sighted, took};
