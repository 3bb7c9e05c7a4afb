//! A drill's file: `tests/drills/<playbook>.toml`.

use serde::Deserialize;

/// All ways in which one row's fault can be caused.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillFile {
    /// The playbook that must find it.
    pub id: String,
    /// The ways; the first is the default.
    pub variant: Vec<Drill>,
}

/// One way.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// Its name.
    pub name: String,
    /// What it does, in words.
    pub title: String,
    /// Playbooks that must be ranked, in this order; default: the file's own.
    pub expects: Option<Vec<String>>,
    /// Playbooks that may be present besides.
    #[serde(default)]
    pub also_allowed: Vec<String>,
    /// The service or tenant the first finding must name.
    pub subject: String,
    /// What the first finding's reason must say.
    pub says: String,
    /// Causes it.
    pub inject: Vec<Act>,
    /// Reverts it; must also do when the console has repaired it.
    pub heal: Vec<Act>,
    /// How it is known to be there.
    pub visible: Visible,
    /// What a person would do meanwhile, where the plan has a step for one.
    #[serde(default)]
    pub by_hand: Vec<Act>,
}

/// One act on the lab. `{id:redis}` stands for a service's container, `{project}` for the project,
/// `{image}` for the lab's image, `{port:redis}` for a service's first published port.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Act {
    /// `docker` with these arguments.
    Docker(Vec<String>),
    /// The same, where failing is fine: what it removes may not be there.
    TryDocker(Vec<String>),
    /// Create and start a service through compose; a failure is part of some faults.
    TryUp(String),
    /// One statement in Postgres, as the lab's own user.
    Sql(String),
    /// One command in Redis.
    Redis(Vec<String>),
    /// Sets a key of the checkout's `.env`: `["KEY", "value"]`.
    Env(String, String),
    /// Makes a service's container anew from the present configuration; a failure is part of some
    /// faults.
    TryRecreate(String),
}

/// How a fault is known to be there.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Visible {
    /// A service's container is in this state.
    State {
        /// The service.
        service: String,
        /// The engine's word, or `missing`.
        is: String,
    },
    /// A service's health check says this.
    Health {
        /// The service.
        service: String,
        /// The word.
        is: String,
    },
    /// The engine says that the service was killed for memory.
    OomKilled {
        /// The service.
        service: String,
    },
    /// A statement gives no row.
    NoRows(String),
}
