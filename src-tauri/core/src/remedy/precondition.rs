//! What must still be so: read when a plan is made, and again before it acts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Plan;
use crate::{
    model::{Change, ContainerFacts, TargetIdentity},
    observe::worst_container,
    playbook::step::GuardSpec,
    ports::{Read, Sources, SqlRead},
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
}

impl Precondition {
    /// Whose fields they are, in words.
    fn what(&self) -> String {
        match self {
            Self::Container { service, .. } => service.clone(),
            Self::Rows { what, .. } => format!("\"{what}\""),
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
        }
    }

    /// Whether both are about the same thing.
    pub(super) fn is_about_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Container { service: a, .. }, Self::Container { service: b, .. }) => a == b,
            (Self::Rows { step: a, guard: b, .. }, Self::Rows { step: c, guard: d, .. }) => (a, b) == (c, d),
            _ => false,
        }
    }

    /// Whether it is one that step `n`, which acts on `service`, depends on.
    pub(super) fn concerns(&self, n: u32, on: Option<&str>) -> bool {
        match self {
            Self::Container { service, .. } => Some(service.as_str()) == on,
            Self::Rows { step, .. } => *step == n,
        }
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
        }
    }
}

/// The identity of the stack as it is now. Postgres is only asked when `with_postgres`: a plan
/// that does not touch it must not fail because it is down.
pub(super) async fn identity(
    sources: &Sources,
    project: &str,
    containers: &[ContainerFacts],
    with_postgres: bool,
) -> Read<TargetIdentity> {
    let postgres = if with_postgres { Some(sources.database()?.identity().await?) } else { None };
    let working_dir = containers.iter().map(|c| c.working_dir.as_str()).find(|dir| !dir.is_empty());
    Ok(TargetIdentity {
        compose_project: project.to_owned(),
        compose_working_dir: working_dir.unwrap_or_default().to_owned(),
        docker_engine_id: sources.containers.engine_id().await.ok(),
        postgres_system_identifier: postgres.as_ref().map(|(id, _)| id.clone()),
        postgres_database: postgres.map(|(_, database)| database),
        redis_run_id: None,
    })
}

/// What differs between the plan's stack and the present one. A field that was not known when the
/// plan was made proves nothing and is not compared.
pub(super) fn identity_changes(planned: &TargetIdentity, now: &TargetIdentity) -> Vec<Change> {
    let dir_known = !planned.compose_working_dir.is_empty() && !now.compose_working_dir.is_empty();
    let pairs = [
        ("compose project", Some(&planned.compose_project), Some(&now.compose_project)),
        (
            "compose working directory",
            dir_known.then_some(&planned.compose_working_dir),
            dir_known.then_some(&now.compose_working_dir),
        ),
        ("docker engine", planned.docker_engine_id.as_ref(), now.docker_engine_id.as_ref()),
        (
            "postgres system identifier",
            planned.postgres_system_identifier.as_ref(),
            now.postgres_system_identifier.as_ref(),
        ),
        ("postgres database", planned.postgres_database.as_ref(), now.postgres_database.as_ref()),
        ("redis run_id", planned.redis_run_id.as_ref(), now.redis_run_id.as_ref()),
    ];
    let differs = |(field, planned, now): (&str, Option<&String>, Option<&String>)| {
        let planned = planned?;
        (now != Some(planned)).then(|| Change::new("the stack", field, json!(planned), json!(now)))
    };
    pairs.into_iter().filter_map(differs).collect()
}

/// A service's container as it is now.
pub(super) fn container(containers: &[ContainerFacts], service: &str) -> Precondition {
    let facts = worst_container(containers, service);
    Precondition::Container {
        service: service.to_owned(),
        id: facts.map(|f| f.id.clone()),
        state: facts.map(|f| f.state.as_str().to_owned()),
        started_at: facts.and_then(|f| f.started_at),
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
