//! The whole compose project down, or up again. Never with `-v`: volumes have no step that
//! removes them.

use serde::{Deserialize, Serialize};

/// What is done to the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectAction {
    /// Stop and remove all containers and networks; volumes are kept.
    Down {
        /// The services that have a container. Filled in when the plan is made.
        #[serde(default)]
        services: Vec<String>,
    },
    /// Create and start these services.
    Up {
        /// Which.
        services: Vec<String>,
    },
}

/// An action on the whole project, and who will notice it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectStep {
    /// Which.
    pub action: ProjectAction,
    /// Who will notice, in words.
    pub blast_radius: String,
}
