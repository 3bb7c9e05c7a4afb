//! The ranking: every playbook's findings in one list, the cause before its consequences.

mod rank;

pub use rank::{Detected, rank};
