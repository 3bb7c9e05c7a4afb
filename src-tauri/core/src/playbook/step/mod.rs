//! The closed set of things a plan can do. A script returns these as data; only Rust applies them.
//! One file per kind; what each kind does is in `remedy/kinds`.

mod compose;
mod sql;
mod wait;

use serde::{Deserialize, Serialize};

pub use compose::{ComposeAction, ComposeStep};
pub use sql::{Bound, GuardSpec, SqlStep, SqlUndo, UndoGuard};
pub use wait::{Condition, ManualStep, WaitStep};

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
    /// A compose action.
    Compose(ComposeStep),
    /// A change in Postgres.
    Sql(Box<SqlStep>),
    /// Waits until something is so.
    WaitUntil(WaitStep),
    /// A thing only a person can do.
    Manual(ManualStep),
}
