//! Playbooks: one Rhai file per runbook row, and the engine that runs them within limits.

mod about;
mod catalog;
mod engine;
mod head;
pub mod host;
mod limits;
mod names;
mod natives;
mod param;
pub mod sql_template;
pub mod step;
mod trust;

pub use about::{About, Recheck};
pub use catalog::{Catalog, Judge, Playbook, ScriptFile, UnreadScript, Verification};
pub use engine::{CallContext, Env, ScriptError, ScriptErrorKind};
pub use head::PlaybookSection;
pub use names::Names;
pub use param::{ParamChoice, ParamKind, ParamView, Severity, resolve_params};
pub use trust::Trust;
