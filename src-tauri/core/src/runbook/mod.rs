//! The runbook page: made from the playbooks, read back, compared with them; and the first text of a row that is new.

mod check;
mod draft;
mod drill_text;
mod facts;
mod front_matter;
mod insert;
mod plain;
mod quote;
mod read;
mod render;
mod script_text;
mod similar;
mod words;

pub use check::{Checked, Drift, Matched, Missing, MissingKind, Stale, check};
pub use draft::{Draft, DraftError, DraftFile, FailureMode, draft, propose_id, propose_row};
pub use facts::{DrillKey, Page, PageRow, Verified};
pub use front_matter::is_generated;
pub use insert::with_row;
pub use read::{PageFormat, ReadPage, ReadRow, read};
pub use render::render;
