//! A compose action on one service.

use serde::{Deserialize, Serialize};

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

/// A compose action and who will notice it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComposeStep {
    /// Which.
    pub action: ComposeAction,
    /// Who will notice, in words.
    pub blast_radius: String,
}
