//! The closed set of things a plan can do. A script returns these as data; only Rust applies them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// An action of the compose CLI on one service. Never on all services at once, and never on
/// volumes: `down -v` has no variant on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComposeAction {
    /// Start the existing container.
    Start {
        /// The service.
        service: String,
    },
    /// Create and start what is missing, without touching its dependencies.
    Up {
        /// The service.
        service: String,
    },
    /// Make a new container from the present configuration.
    Recreate {
        /// The service.
        service: String,
    },
    /// Stop and start the same container.
    Restart {
        /// The service.
        service: String,
    },
    /// Thaw a paused container.
    Unpause {
        /// The service.
        service: String,
    },
    /// Freeze it (the undo of a thaw).
    Pause {
        /// The service.
        service: String,
    },
    /// Stop it (the undo of a start).
    Stop {
        /// The service.
        service: String,
    },
    /// Stop and remove its container, volumes kept (the undo of a creation).
    Remove {
        /// The service.
        service: String,
    },
}

impl ComposeAction {
    /// The service it acts on.
    pub fn service(&self) -> &str {
        match self {
            Self::Start { service }
            | Self::Up { service }
            | Self::Recreate { service }
            | Self::Restart { service }
            | Self::Unpause { service }
            | Self::Pause { service }
            | Self::Stop { service }
            | Self::Remove { service } => service,
        }
    }

    /// The action in words, for a button or a title.
    pub fn title(&self) -> String {
        let (verb, service) = match self {
            Self::Start { service } => ("Start", service),
            Self::Up { service } => ("Create and start", service),
            Self::Recreate { service } => ("Recreate", service),
            Self::Restart { service } => ("Restart", service),
            Self::Unpause { service } => ("Unpause", service),
            Self::Pause { service } => ("Pause", service),
            Self::Stop { service } => ("Stop", service),
            Self::Remove { service } => ("Remove", service),
        };
        format!("{verb} {service}")
    }

    /// What takes it back, where something does. A restart and a recreate leave nothing to take
    /// back: the configuration is the same before and after.
    pub fn undo(&self) -> Option<Self> {
        match self.clone() {
            Self::Start { service } => Some(Self::Stop { service }),
            Self::Up { service } => Some(Self::Remove { service }),
            Self::Unpause { service } => Some(Self::Pause { service }),
            Self::Pause { service } => Some(Self::Unpause { service }),
            Self::Stop { service } => Some(Self::Start { service }),
            Self::Recreate { .. } | Self::Restart { .. } | Self::Remove { .. } => None,
        }
    }
}

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
pub struct GuardSpec {
    /// What it makes sure of, in words.
    pub what: String,
    /// The statement.
    pub sql: String,
    /// Its values.
    pub params: Vec<Value>,
}

/// How a statement is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SqlUndo {
    /// What it does, in words.
    pub title: String,
    /// Reads (and locks) the rows that the step left behind; run right after the step, and before
    /// the undo, which is refused unless both give the same rows.
    pub image_sql: String,
    /// Statements that must give no row, such as a booking that came to depend on the new rows.
    pub unless: Vec<GuardSpec>,
    /// The statement that takes it back.
    pub sql: String,
    /// Values of `image_sql`, `sql` and `unless`, usually ids the step returned.
    pub params: Vec<Bound>,
    /// Rows it must touch.
    pub expect_rows: u64,
}

/// A statement that changes rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SqlStep {
    /// What it does, in words.
    pub title: String,
    /// The tenant it is about, if one.
    pub tenant: Option<String>,
    /// Guards, re-checked in the same transaction.
    pub guards: Vec<GuardSpec>,
    /// One statement, identifiers already quoted.
    pub sql: String,
    /// Bound values.
    pub params: Vec<Value>,
    /// Rows it must touch.
    pub expect_rows: u64,
    /// How it is taken back; without it the step can't be.
    pub undo: Option<SqlUndo>,
    /// Who will notice, in words.
    pub blast_radius: String,
}

/// Something that can be waited for or checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The service runs, and is healthy if it has a health check.
    ServiceUp {
        /// The service.
        service: String,
    },
    /// Nobody listens on a TCP port of this machine.
    PortFree {
        /// The port.
        port: u16,
    },
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Step {
    /// A compose action.
    Compose {
        /// Which.
        action: ComposeAction,
        /// Who will notice, in words.
        blast_radius: String,
    },
    /// A change in Postgres.
    Sql(SqlStep),
    /// Waits until something is so.
    WaitUntil {
        /// In words.
        title: String,
        /// What.
        until: Condition,
        /// Seconds after which the step fails.
        within_s: u32,
    },
    /// A thing only a person can do; the run waits for `done`.
    Manual {
        /// In words.
        title: String,
        /// What to do, one act a line.
        instructions: Vec<String>,
        /// The check that tells when it is done.
        done: Condition,
        /// Seconds after which the step fails.
        within_s: u32,
    },
}
