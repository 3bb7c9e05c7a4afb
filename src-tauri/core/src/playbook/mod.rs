//! Playbooks: one Rhai file per runbook row, and the engine that runs them within limits.

mod about;
mod answers;
mod catalog;
mod engine;
mod head;
pub mod host;
mod limits;
mod names;
mod natives;
mod param;
mod proven;
pub mod sql_template;
pub mod step;
mod trust;

pub use about::{About, Recheck};
pub use answers::Verification;
pub use catalog::{Catalog, Judge, Playbook, ScriptFile, UnreadScript};
pub use engine::{CallContext, Env, ScriptError, ScriptErrorKind};
pub use head::PlaybookSection;
pub use names::Names;
pub use param::{ParamChoice, ParamKind, ParamView, Severity, resolve_params};
pub use proven::{DrillOutcome, Drilled, Proven};
pub use trust::Trust;
