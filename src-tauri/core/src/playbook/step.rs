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

    /// What it leaves behind, in words.
    pub fn leaves(&self) -> String {
        let service = self.service();
        match self {
            Self::Start { .. } | Self::Unpause { .. } | Self::Restart { .. } => {
                format!("{service} runs, in the same container")
            }
            Self::Up { .. } => format!("{service} runs, in a container made from the present configuration"),
            Self::Recreate { .. } => {
                format!("{service} runs in a new container; volumes are kept, the old container's log goes")
            }
            Self::Pause { .. } => format!("{service} is frozen"),
            Self::Stop { .. } => format!("{service} is stopped; its container and volumes stay"),
            Self::Remove { .. } => format!("{service} has no container; its volumes stay"),
        }
    }

    /// What takes it back, where something does. A restart and a recreate leave nothing to take
    /// back: the configuration is the same before and after. `had_container`: whether the service
    /// had one before the action, running or not; only what was made is removed.
    pub fn undo(&self, had_container: bool) -> Option<Self> {
        match self.clone() {
            Self::Start { service } => Some(Self::Stop { service }),
            Self::Up { service } if had_container => Some(Self::Stop { service }),
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
    /// Bound values.
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
    Sql(Box<SqlStep>),
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

impl Step {
    /// The kind's word, as in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Compose { .. } => "compose",
            Self::Sql(_) => "sql",
            Self::WaitUntil { .. } => "wait_until",
            Self::Manual { .. } => "manual",
        }
    }

    /// Whether it changes the stack itself.
    pub fn acts(&self) -> bool {
        matches!(self, Self::Compose { .. } | Self::Sql(_))
    }

    /// The compose service it changes.
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::Compose { action, .. } => Some(action.service()),
            Self::Sql(_) | Self::WaitUntil { .. } | Self::Manual { .. } => None,
        }
    }
}
