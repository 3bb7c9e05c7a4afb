//! The use cases. Knows neither the window nor the command line: both call this.

mod asker;
mod bundle;
mod console;
mod doctor;
pub mod drill;
pub mod failure_mode;
mod interrupted;
mod log_view;
mod logs;
mod lookout;
mod payments;
mod plans;
mod playbooks;
mod questions;
mod recorded;
mod runbook;
pub mod runbook_page;
mod runs;
mod status;
mod tenants;
mod threads;
mod triage;
mod trust;
mod watch;
mod wire_error;

pub use bundle::{BundleAsked, COLLECTORS, clean_again, names};
pub use console::{Console, Parts};
pub use doctor::{Check, CheckStatus, DoctorView};
pub use logs::{LogLines, LogNews, LogReader, LogsRequest};
pub use plans::PlanFile;
pub use recorded::Recorded;
pub use watch::watch;
pub use wire_error::{CHANGED_JOURNAL, exit_code, failed, not_found, refused, unreachable, usage};
