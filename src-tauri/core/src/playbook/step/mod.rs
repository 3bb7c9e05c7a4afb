//! The closed set of things a plan can do. A script returns these as data; only Rust applies them.
//! One file per kind; what each kind does is in `remedy/kinds`.

mod backup;
mod command;
mod compose;
mod dotenv;
mod http;
mod patch;
mod project;
mod redis;
mod reference;
mod sql;
mod wait;

use serde::{Deserialize, Serialize};

pub use backup::{BackupOf, BackupStep};
pub use command::{CommandPlace, CommandStep, CommandUndo};
pub use compose::{ComposeAction, ComposeStep};
pub use dotenv::{DotenvStep, DotenvValue, GivenSecret};
pub use http::{HttpCall, HttpLook, HttpStep, HttpUndo};
pub use patch::PatchStep;
pub use project::{ProjectAction, ProjectStep};
pub use redis::RedisStep;
pub use reference::{Reference, Word};
pub use sql::{Bound, GuardSpec, SqlStep, SqlUndo, UndoGuard};
pub use wait::{Condition, Instruction, ManualStep, PlacedInstruction, WaitStep};

/// How much a step can cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub enum Risk {
    /// Looks or waits only.
    Read,
    /// Can be taken back, or loses nothing.
    Reversible,
    /// Something is lost for good.
    Destructive,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Step {
    /// A compose action on one service.
    Compose(ComposeStep),
    /// An action on the whole compose project.
    Project(ProjectStep),
    /// A command in a service's container.
    Command(Box<CommandStep>),
    /// A change in Postgres.
    Sql(Box<SqlStep>),
    /// A change in Redis.
    Redis(RedisStep),
    /// A key of the `.env`.
    Dotenv(DotenvStep),
    /// A patch of the checkout.
    Patch(PatchStep),
    /// A call of an HTTP endpoint.
    Http(Box<HttpStep>),
    /// A backup, restored for trial.
    Backup(BackupStep),
    /// Waits until something is so.
    WaitUntil(WaitStep),
    /// A thing only a person can do.
    Manual(ManualStep),
}
