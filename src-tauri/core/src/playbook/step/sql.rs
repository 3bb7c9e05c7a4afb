//! A statement that changes rows, with its guards and its undo.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value that may come from an earlier step's output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// A value fixed in the plan.
    Value(Value),
    /// Column `column` of all rows that step `step` returned, as an array.
    Returned {
        /// The step's number.
        step: u32,
        /// The column.
        column: String,
    },
}

/// A guard as the script asks for it; its rows are read when the plan is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardSpec {
    /// What it makes sure of, in words.
    pub what: String,
    /// The statement.
    pub sql: String,
    /// Its values.
    #[serde(default)]
    pub params: Vec<Value>,
    /// Take row locks (`FOR UPDATE`) where it is re-checked.
    #[serde(default)]
    pub lock: bool,
}

/// A statement that must give no row before a step is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoGuard {
    /// What it makes sure of, in words.
    pub what: String,
    /// The statement; its values are the undo's.
    pub sql: String,
}

/// How a statement is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlUndo {
    /// What it does, in words.
    pub title: String,
    /// Reads and locks the rows that the step left behind, with the columns the step returned; the
    /// undo is refused unless they are still as they were returned.
    pub image_sql: String,
    /// Statements that must give no row, such as a booking that came to depend on the new rows.
    #[serde(default)]
    pub unless: Vec<UndoGuard>,
    /// The statement that takes it back.
    pub sql: String,
    /// Values of `image_sql`, `sql` and `unless`, usually ids the step returned.
    pub params: Vec<Bound>,
    /// Who will notice that, in words; as for the step itself where it is not said.
    #[serde(default)]
    pub blast_radius: Option<String>,
}

/// A statement that changes rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlStep {
    /// What it does, in words.
    pub title: String,
    /// The tenant it is about, if one.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Guards, re-checked in the same transaction.
    #[serde(default)]
    pub guards: Vec<GuardSpec>,
    /// One statement; what it returns is the step's output and its post-image.
    pub sql: String,
    /// Bound values, or [`super::Reference`]s to what earlier steps returned.
    #[serde(default)]
    pub params: Vec<Value>,
    /// Rows it must touch.
    pub expect_rows: u64,
    /// How it is taken back; without it the step can't be.
    #[serde(default)]
    pub undo: Option<SqlUndo>,
    /// What is there before, in words.
    #[serde(default)]
    pub before: Option<String>,
    /// What will be there after, in words.
    #[serde(default)]
    pub after: Option<String>,
    /// Who will notice, in words.
    #[serde(default)]
    pub blast_radius: String,
}
