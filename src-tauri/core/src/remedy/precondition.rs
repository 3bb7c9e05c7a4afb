//! What must still be so: read when a plan is made, and again before it acts.

use serde_json::Value;

use super::Precondition;
use crate::{
    model::{ContainerFacts, TargetIdentity},
    observe::worst_container,
    playbook::step::{GuardSpec, Step},
    ports::{Read, Sources, SqlRead},
};

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

/// What differs between the plan's stack and the present one, in words. A field that was not
/// known when the plan was made proves nothing and is not compared.
pub(super) fn identity_change(planned: &TargetIdentity, now: &TargetIdentity) -> Option<String> {
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
    ];
    pairs.into_iter().find_map(|(what, planned, now)| {
        let planned = planned?;
        match now {
            Some(now) if now == planned => None,
            Some(now) => Some(format!("{what} was {planned}, now it is {now}")),
            None => Some(format!("{what} was {planned}, now it can't be read")),
        }
    })
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

/// Reads all guards of one step.
pub(super) async fn rows(sources: &Sources, n: u32, step: &Step) -> Read<Vec<Precondition>> {
    let Step::Sql(sql) = step else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (index, guard) in (0..).zip(&sql.guards) {
        let rows = sources.database()?.query(&guard_read(guard)).await?;
        found.push(Precondition::Rows {
            step: n,
            guard: index,
            what: guard.what.clone(),
            rows: sorted(rows),
        });
    }
    Ok(found)
}

/// Rows in an order of their own: the database promises none.
pub(super) fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(super::canonical);
    rows
}

/// What changed between a precondition and the present, in words.
pub(super) fn container_change(planned: &Precondition, containers: &[ContainerFacts]) -> Option<String> {
    let Precondition::Container { service, id, state, started_at, config_hash } = planned else {
        return None;
    };
    let Precondition::Container {
        id: now_id,
        state: now_state,
        started_at: now_started,
        config_hash: now_hash,
        ..
    } = container(containers, service)
    else {
        return None;
    };
    let short = |id: &Option<String>| {
        id.as_deref().map_or_else(|| "none".to_owned(), |id| id.chars().take(12).collect())
    };
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    if *id != now_id {
        return Some(format!("container of {service} was {}, now it is {}", short(id), short(&now_id)));
    }
    if *state != now_state {
        return Some(format!("state of {service} was {}, now it is {}", word(state), word(&now_state)));
    }
    if *started_at != now_started {
        return Some(format!("{service} was started again since"));
    }
    (*config_hash != now_hash).then(|| format!("the configuration of {service} changed"))
}
