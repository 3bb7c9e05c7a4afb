//! Which stack it is: the engines' own names for themselves.

use futures_util::future::join3;
use serde_json::json;

use super::PlannedStep;
use crate::{
    journal::RunRecord,
    model::{Change, ContainerFacts, TargetIdentity},
    playbook::step::{BackupOf, Condition, Step},
    ports::{Read, Sources},
};

const RUN_ID: &str = "redis run_id";

/// What of the stack a plan acts on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reach {
    pub postgres: bool,
    pub redis: bool,
}

impl Reach {
    /// What these steps act on.
    pub(super) fn of(steps: &[PlannedStep]) -> Self {
        steps.iter().fold(Self::default(), |reach, planned| match &planned.step {
            Step::Sql(_) => Self { postgres: true, ..reach },
            Step::Redis(_) => Self { redis: true, ..reach },
            Step::Backup(step) if step.of.is_of_postgres() => Self { postgres: true, ..reach },
            Step::Backup(step) if matches!(step.of, BackupOf::RedisKeys { .. }) => {
                Self { redis: true, ..reach }
            }
            Step::WaitUntil(step) => reach.with(Some(&step.condition)),
            Step::Manual(step) => reach.with(Some(&step.done)),
            Step::Command(step) => reach.with(step.only_if.as_ref()),
            _ => reach,
        })
    }

    /// And what a condition is looked up in.
    fn with(self, condition: Option<&Condition>) -> Self {
        match condition {
            Some(Condition::Rows { .. }) => Self { postgres: true, ..self },
            Some(Condition::RedisValue { .. }) => Self { redis: true, ..self },
            _ => self,
        }
    }

    /// That part of a plan's identity.
    pub(super) fn of_what(&self, target: &TargetIdentity) -> TargetIdentity {
        let mut of = target.clone();
        if !self.postgres {
            (of.postgres_system_identifier, of.postgres_database) = (None, None);
        }
        if !self.redis {
            of.redis_run_id = None;
        }
        of
    }

    /// What a plan's identity was read with.
    pub(super) fn of_identity(target: &TargetIdentity) -> Self {
        Self { postgres: target.postgres_database.is_some(), redis: target.redis_run_id.is_some() }
    }
}

/// The engines' own names for themselves.
pub(super) struct Engines {
    docker: Option<String>,
    postgres: Option<(String, String)>,
    redis: Option<String>,
}

impl Engines {
    /// Reads them, beside each other. Only what the plan reaches is asked: one that does not touch
    /// Postgres must not fail because it is down.
    pub(super) async fn read(sources: &Sources, reach: Reach) -> Read<Self> {
        let postgres =
            async { if reach.postgres { sources.database()?.identity().await.map(Some) } else { Ok(None) } };
        let redis = async {
            if reach.redis {
                sources.threads()?.server().await.map(|server| Some(server.run_id))
            } else {
                Ok(None)
            }
        };
        let (docker, postgres, redis) = join3(sources.containers.engine_id(), postgres, redis).await;
        Ok(Self { docker: docker.ok(), postgres: postgres?, redis: redis? })
    }

    /// The identity of the stack that these engines and containers are.
    pub(super) fn of(self, project: &str, containers: &[ContainerFacts]) -> TargetIdentity {
        let working_dir = containers.iter().map(|c| c.working_dir.as_str()).find(|dir| !dir.is_empty());
        let (system, database) = self.postgres.unzip();
        TargetIdentity {
            compose_project: project.to_owned(),
            compose_working_dir: working_dir.unwrap_or_default().to_owned(),
            docker_engine_id: self.docker,
            postgres_system_identifier: system,
            postgres_database: database,
            redis_run_id: self.redis,
        }
    }
}

/// The identity of the stack as it is now.
pub(super) async fn identity(
    sources: &Sources,
    project: &str,
    containers: &[ContainerFacts],
    reach: Reach,
) -> Read<TargetIdentity> {
    Ok(Engines::read(sources, reach).await?.of(project, containers))
}

/// What differs between the stack of a run and the present one. Redis has a new name for itself after
/// each start: one that started since the run began can be the same, and what is undone or resumed is
/// compared with what the run left.
pub(super) async fn changes_since(run: &RunRecord, now: &TargetIdentity, sources: &Sources) -> Vec<Change> {
    let reach = Reach { postgres: now.postgres_database.is_some(), redis: now.redis_run_id.is_some() };
    let changes = identity_changes(&reach.of_what(&run.plan.target), now);
    let is_redis = |change: &Change| change.field == RUN_ID;
    if !changes.iter().any(is_redis) {
        return changes;
    }
    let server = match sources.threads() {
        Ok(redis) => redis.server().await.ok(),
        Err(_) => None,
    };
    let up_since = server.and_then(|s| sources.clock.now().checked_sub(s.up_for).ok());
    let has_started_since = up_since.is_some_and(|at| at > run.started_at);
    changes.into_iter().filter(|change| !(has_started_since && is_redis(change))).collect()
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
        (RUN_ID, planned.redis_run_id.as_ref(), now.redis_run_id.as_ref()),
    ];
    let differs = |(field, planned, now): (&str, Option<&String>, Option<&String>)| {
        let planned = planned?;
        (now != Some(planned)).then(|| Change::new("the stack", field, json!(planned), json!(now)))
    };
    pairs.into_iter().filter_map(differs).collect()
}
