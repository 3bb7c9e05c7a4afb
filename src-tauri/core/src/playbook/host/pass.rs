//! One observation pass: the same question is asked once, however many playbooks ask it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    model::{ContainerFacts, HealthStatus, SourceError, SourceErrorKind, SourceName, TenantSlug},
    observe::worst_container,
    ports::{Read, Sources, SqlRead},
};

/// What a probe asks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// All services: declared ones and containers.
    Services,
    /// The tenants.
    Tenants,
    /// One statement for every tenant.
    EachTenant {
        /// The tenants.
        tenants: Vec<TenantSlug>,
        /// The statement, with `{tenant}`.
        sql: String,
    },
    /// One statement.
    Query(SqlRead),
    /// All FSM threads.
    Threads,
    /// The last lines of a service's container.
    LogTail {
        /// The service.
        service: String,
        /// How many lines.
        lines: u32,
    },
    /// Who listens on a TCP port of this machine.
    PortHolder {
        /// The port.
        port: u16,
    },
    /// A GET.
    HttpGet {
        /// The address.
        url: String,
    },
}

/// A probe's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was found.
    pub value: Value,
    /// When.
    pub as_of: Timestamp,
    /// Where.
    pub source: SourceName,
}

/// An answer, or why there is none.
pub type Answered = Result<Arc<Answer>, SourceError>;

/// Asks the sources and waits: scripts are not asynchronous. Called from threads that may block.
pub trait Asker: Send + Sync {
    /// Asks one question.
    fn ask(&self, question: &Question) -> Answered;
}

/// Keeps each answer for the length of a pass; askers of a question that is under way wait for
/// its answer.
pub struct ObservationPass {
    asker: Box<dyn Asker>,
    answers: Mutex<BTreeMap<String, Arc<OnceLock<Answered>>>>,
}

impl ObservationPass {
    /// A pass in which nothing was asked yet.
    pub fn new(asker: Box<dyn Asker>) -> Self {
        Self { asker, answers: Mutex::default() }
    }

    pub(super) fn ask(&self, question: &Question) -> Answered {
        let key = serde_json::to_string(question).unwrap_or_default();
        let cell = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.entry(key).or_default().clone()
        };
        cell.get_or_init(|| self.asker.ask(question)).clone()
    }

    /// How many different questions were asked so far.
    pub fn questions(&self) -> usize {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Asks the sources one question.
pub async fn answer(sources: &Sources, question: &Question) -> Answered {
    let (value, source) = match question {
        Question::Services => (services(sources).await?, SourceName::Docker),
        Question::Tenants => {
            let tenants = sources.database()?.tenants().await?;
            (json!(tenants), SourceName::Postgres)
        }
        Question::EachTenant { tenants, sql } => {
            let rows = sources.database()?.each_tenant(tenants, sql).await?;
            let shown: Vec<Value> = rows
                .into_iter()
                .map(|(tenant, rows)| match rows {
                    Ok(rows) => json!({ "tenant": tenant, "rows": rows }),
                    Err(error) => json!({ "tenant": tenant, "error": error }),
                })
                .collect();
            (Value::Array(shown), SourceName::Postgres)
        }
        Question::Query(read) => (Value::Array(sources.database()?.query(read).await?), SourceName::Postgres),
        Question::Threads => (json!(sources.threads()?.all().await?), SourceName::Redis),
        Question::LogTail { service, lines } => (log_tail(sources, service, *lines).await?, SourceName::Logs),
        Question::PortHolder { port } => (json!(sources.host.port_holder(*port).await?), SourceName::Host),
        Question::HttpGet { url } => {
            let (status, body) = sources.host.http_get(url).await?;
            (json!({ "status": status, "body": body }), SourceName::Http)
        }
    };
    Ok(Arc::new(Answer { value, as_of: sources.clock.now(), source }))
}

/// `{services: […], compose_error}`: containers and, where the compose file can be read, services
/// that have none.
async fn services(sources: &Sources) -> Read<Value> {
    let (containers, declared) =
        futures_util::future::join(sources.containers.list(), sources.compose.declared_services()).await;
    let containers = containers?;
    let (declared, compose_error) = match declared {
        Ok(names) => (names, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let mut names = declared.clone();
    for facts in containers.iter().filter(|c| !c.oneoff) {
        if !names.contains(&facts.service) {
            names.push(facts.service.clone());
        }
    }
    let services: Vec<Value> = names
        .iter()
        .map(|name| match worst_container(&containers, name) {
            Some(facts) => service(facts, declared.contains(name)),
            None => missing(name),
        })
        .collect();
    Ok(json!({ "services": services, "compose_error": compose_error }))
}

/// The same fields as [`service`], so that a script may look at any of them.
fn missing(name: &str) -> Value {
    json!({
        "service": name, "declared": true, "state": "missing", "health": "none", "failing_streak": 0,
        "last_output": "", "exit_code": 0, "error": "", "oom_killed": false, "container_id": null,
        "image": "", "created_at": null, "started_at": null, "finished_at": null, "restart_count": 0,
        "restart_policy": "", "memory_limit_bytes": 0, "host_ports": [],
    })
}

fn service(facts: &ContainerFacts, declared: bool) -> Value {
    json!({
        "service": facts.service,
        "declared": declared,
        "state": facts.state.as_str(),
        "health": facts.live_health().map_or("none", HealthStatus::as_str),
        "failing_streak": facts.live_health().and(facts.health.as_ref()).map_or(0, |h| h.failing_streak),
        "last_output": facts.live_health().and(facts.health.as_ref()).map_or("", |h| h.last_output.as_str()),
        "exit_code": facts.exit_code,
        "error": facts.error,
        "oom_killed": facts.oom_killed,
        "container_id": facts.id,
        "image": facts.image,
        "created_at": facts.created_at,
        "started_at": facts.started_at,
        "finished_at": facts.finished_at,
        "restart_count": facts.restart_count,
        "restart_policy": facts.restart_policy,
        "memory_limit_bytes": facts.memory_limit_bytes,
        "host_ports": facts.ports.iter().filter(|p| p.protocol == "tcp").map(|p| p.host_port).collect::<Vec<_>>(),
    })
}

async fn log_tail(sources: &Sources, service: &str, lines: u32) -> Read<Value> {
    let containers = sources.containers.list().await?;
    let Some(facts) = worst_container(&containers, service) else {
        return Err(SourceError {
            source_name: SourceName::Logs,
            kind: SourceErrorKind::Missing,
            attempted: format!("read the log of {service}"),
            happened: "it has no container, and a container's log goes with it".into(),
            hint: "Create and start the service first.".into(),
        });
    };
    let read = sources.containers.log_tail(&facts.id, lines.min(500)).await?;
    Ok(json!(read))
}
