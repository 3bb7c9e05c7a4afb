//! What must still be so: read when a plan is made, and again before it acts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Plan;
use crate::{
    model::{Change, ContainerFacts, ContainerState},
    observe::worst_container,
    playbook::step::GuardSpec,
    ports::{FileFacts, Read, RedisValue, Sources, SqlRead},
};

/// Something that was so when the plan was made, and must still be so when it is applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Precondition {
    /// A service's container is exactly this one, in this state, from this start.
    Container {
        /// The service.
        service: String,
        /// The container's id; `None`: the service has no container.
        id: Option<String>,
        /// The engine's state word.
        state: Option<String>,
        /// When it was last started.
        started_at: Option<Timestamp>,
        /// Compose's configuration hash.
        config_hash: Option<String>,
    },
    /// A guard's rows are exactly these.
    Rows {
        /// The step it belongs to.
        step: u32,
        /// The guard's index in the step.
        guard: u32,
        /// What it makes sure of, in words.
        what: String,
        /// The rows.
        rows: Vec<Value>,
    },
    /// A value in Redis is exactly this. What time it has left to live may pass.
    Redis {
        /// The key.
        key: String,
        /// The field, where the key is a hash.
        field: Option<String>,
        /// The value.
        found: RedisValue,
    },
    /// A file is exactly this one.
    File {
        /// Whose file it is.
        of: FileOf,
        /// The file.
        facts: FileFacts,
    },
    /// A volume is exactly this one.
    Volume {
        /// Its name.
        volume: String,
        /// When it was made.
        created_at: Option<String>,
    },
    /// What compose would make of the services, files, `.env` and surroundings taken together, is this.
    Configuration {
        /// Compose's own hash of each service's configuration.
        hashes: BTreeMap<String, String>,
    },
    /// A call that only looks is answered as it must be.
    Answer {
        /// The step it belongs to.
        step: u32,
        /// The guard's index in the step.
        guard: u32,
        /// What it makes sure of, in words.
        what: String,
        /// Whether the answer has what it must have.
        holds: bool,
    },
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileOf {
    /// The `.env`.
    Dotenv,
    /// The checkout.
    Checkout,
}

impl Precondition {
    /// Whose fields they are, in words.
    pub(super) fn what(&self) -> String {
        match self {
            Self::Container { service, .. } => service.clone(),
            Self::Rows { what, .. } | Self::Answer { what, .. } => format!("\"{what}\""),
            Self::Redis { key, field: Some(field), .. } => format!("{field} of {key}"),
            Self::Redis { key, field: None, .. } => key.clone(),
            Self::File { facts, .. } => facts.path.clone(),
            Self::Volume { volume, .. } => format!("volume {volume}"),
            Self::Configuration { hashes } => {
                let services: Vec<&str> = hashes.keys().map(String::as_str).collect();
                format!("the compose configuration of {}", services.join(", "))
            }
        }
    }

    /// The fields that must not move, by name.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Container { id, state, started_at, config_hash, service: _ } => vec![
                ("container", json!(id.as_deref().map(|id| id.chars().take(12).collect::<String>()))),
                ("state", json!(state)),
                ("start time", json!(started_at)),
                ("configuration", json!(config_hash)),
            ],
            Self::Rows { rows, .. } => vec![("rows", json!(rows))],
            // A hash comes with its first field and goes with its last: which others it has is not asked.
            Self::Redis { found, field, .. } => {
                let kind = if field.is_some() && found.kind == "none" { "hash" } else { &found.kind };
                vec![("type", json!(kind)), ("value", json!(found.value))]
            }
            Self::File { facts, .. } => {
                vec![("content", json!(facts.fingerprint)), ("mode", json!(facts.mode))]
            }
            Self::Volume { created_at, .. } => vec![("creation time", json!(created_at))],
            Self::Configuration { hashes } => vec![("hash", json!(hashes))],
            Self::Answer { holds, .. } => vec![("answer", json!(holds))],
        }
    }

    /// Whether both are about the same thing.
    pub(super) fn is_about_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Container { service: a, .. }, Self::Container { service: b, .. }) => a == b,
            (Self::Rows { step: a, guard: b, .. }, Self::Rows { step: c, guard: d, .. })
            | (Self::Answer { step: a, guard: b, .. }, Self::Answer { step: c, guard: d, .. }) => {
                (a, b) == (c, d)
            }
            (Self::Redis { key: a, field: b, .. }, Self::Redis { key: c, field: d, .. }) => (a, b) == (c, d),
            (Self::File { facts: a, .. }, Self::File { facts: b, .. }) => a.path == b.path,
            (Self::Volume { volume: a, .. }, Self::Volume { volume: b, .. }) => a == b,
            (Self::Configuration { hashes: a }, Self::Configuration { hashes: b }) => a.keys().eq(b.keys()),
            _ => false,
        }
    }

    /// Whether it was read for step `n` alone.
    pub(super) fn is_of_step(&self, n: u32) -> bool {
        matches!(self, Self::Rows { step, .. } | Self::Answer { step, .. } if *step == n)
    }

    /// Every field that is not as planned. A container that is another one is told as that alone:
    /// its other fields then differ of course.
    pub(super) fn changes(&self, now: &Self) -> Vec<Change> {
        let differs = |((field, planned), (_, now)): ((&str, Value), (&str, Value))| {
            (planned != now).then(|| Change::new(self.what(), field, planned, now))
        };
        let mut found: Vec<Change> =
            self.fields().into_iter().zip(now.fields()).filter_map(differs).collect();
        if found.first().is_some_and(|c| c.field == "container") {
            found.truncate(1);
        }
        if let Self::File { .. } = self {
            found.iter_mut().for_each(Change::shorten);
        }
        found
    }

    /// The same thing as it is now.
    pub(super) async fn now(
        &self,
        plan: &Plan,
        sources: &Sources,
        containers: &[ContainerFacts],
    ) -> Read<Self> {
        match self {
            Self::Container { service, .. } => Ok(container(containers, service)),
            Self::Rows { step, guard, what, rows: _ } => {
                let rows = match plan.guard(*step, *guard) {
                    Some(spec) => sorted(sources.database()?.query(&guard_read(spec)).await?),
                    None => vec![json!("the plan names a guard that it does not have")],
                };
                Ok(Self::Rows { step: *step, guard: *guard, what: what.clone(), rows })
            }
            Self::Redis { key, field, found: _ } => {
                let found = sources.threads()?.value(key, field.as_deref()).await?;
                Ok(Self::Redis { key: key.clone(), field: field.clone(), found })
            }
            Self::File { of: FileOf::Dotenv, .. } => {
                Ok(Self::File { of: FileOf::Dotenv, facts: sources.dotenv()?.file().await? })
            }
            Self::File { of: FileOf::Checkout, facts } => {
                let facts = sources.repo()?.file(&facts.path).await?;
                Ok(Self::File { of: FileOf::Checkout, facts })
            }
            Self::Volume { volume, created_at: _ } => {
                let created_at = sources.containers.volume(volume).await?;
                Ok(Self::Volume { volume: volume.clone(), created_at })
            }
            Self::Configuration { hashes } => {
                configuration(sources, &hashes.keys().cloned().collect::<Vec<_>>()).await
            }
            Self::Answer { step, guard, what, holds: _ } => {
                let holds = match plan.look(*step, *guard) {
                    Some(look) => super::kinds::holds(look, sources).await?.is_ok(),
                    None => false,
                };
                Ok(Self::Answer { step: *step, guard: *guard, what: what.clone(), holds })
            }
        }
    }
}

/// What compose would make of these services now. It is held against the plan before the first step
/// only: a run's own steps may change the `.env`.
pub(super) async fn configuration(sources: &Sources, services: &[String]) -> Read<Precondition> {
    let mut hashes = sources.compose.config_hashes().await?;
    hashes.retain(|service, _| services.contains(service));
    Ok(Precondition::Configuration { hashes })
}

/// A service's container as it is now.
pub(super) fn container(containers: &[ContainerFacts], service: &str) -> Precondition {
    let facts = worst_container(containers, service);
    // What it is at one moment says nothing about the next, and nobody could confirm a plan in between.
    let restless = facts.is_some_and(ContainerFacts::is_started_again_and_again);
    Precondition::Container {
        service: service.to_owned(),
        id: facts.map(|f| f.id.clone()),
        state: facts
            .map(|f| if restless { ContainerState::Restarting } else { f.state.clone() }.as_str().to_owned()),
        started_at: facts.and_then(|f| f.started_at).filter(|_| !restless),
        config_hash: facts.map(|f| f.config_hash.clone()),
    }
}

/// A guard's statement as it is asked when nothing may be locked.
pub(super) fn guard_read(guard: &GuardSpec) -> SqlRead {
    SqlRead { sql: guard.sql.clone(), params: guard.params.clone() }
}

/// Rows in an order of their own: the database promises none.
pub(super) fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(super::canonical);
    rows
}
