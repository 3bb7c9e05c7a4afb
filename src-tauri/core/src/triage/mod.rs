//! Triage: every playbook's findings in one list, the cause before its consequences; and the runbook's four
//! questions, answered from what was read.

mod changed;
mod rank;
mod sighted;
mod unmatched;
mod when;
mod which;

pub use changed::{AlembicView, ChangedView, alembic};
pub use rank::{Detected, rank};
pub use sighted::{sighted, took};
pub use unmatched::{MemoHit, UnmatchedView, memo_hits, ruled_out, symptoms};
pub use when::{Deed, Sign, WhenView, began};
pub use which::{Dependencies, FailingService, failing};
