//! Answers to the questions of playbooks, from the sources.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Answered, Question};
use crate::{
    logs::{self, LineForm, LogRecord},
    model::{ContainerFacts, HealthStatus, SourceError, SourceErrorKind, SourceName},
    observe::worst_container,
    ports::{LogLine, Read, Sources},
};

/// Asks the sources one question.
pub async fn answer(sources: &Sources, question: &Question) -> Answered {
    let value = asked(sources, question).await?;
    Ok(Arc::new(Answer { value, as_of: sources.clock.now(), source: question.source() }))
}

async fn asked(sources: &Sources, question: &Question) -> Read<Value> {
    Ok(match question {
        Question::Services => services(sources).await?,
        Question::Tenants => json!(sources.database()?.tenants().await?),
        Question::EachTenant { tenants, sql } => {
            let rows = sources.database()?.each_tenant(tenants, sql).await?;
            let shown: Vec<Value> = rows
                .into_iter()
                .map(|(tenant, rows)| match rows {
                    Ok(rows) => json!({ "tenant": tenant, "rows": rows }),
                    Err(error) => json!({ "tenant": tenant, "error": error }),
                })
                .collect();
            Value::Array(shown)
        }
        Question::Query(read) => Value::Array(sources.database()?.query(read).await?),
        Question::Threads => json!(sources.threads()?.all().await?),
        Question::LogTail { service, lines } => json!(log_tail(sources, service, *lines).await?),
        Question::LogRecords { service, lines } => log_records(sources, service, *lines).await?,
        Question::LogFile { path, lines } => log_file(sources, path, *lines).await?,
        Question::PortHolder { port } => json!(sources.host.port_holder(*port).await?),
        Question::Accepts { port } => json!(sources.host.accepts(*port).await?),
        Question::SipOptions { port } => json!(sources.host.sip_options(*port).await?),
        Question::HttpGet { url } => {
            let began = sources.clock.monotonic_ms();
            let (status, body) = sources.host.http_get(url).await?;
            let took = sources.clock.monotonic_ms().saturating_sub(began);
            json!({ "status": status, "body": body, "elapsed_ms": took })
        }
        Question::ConfigHashes => json!(sources.compose.config_hashes().await?),
        Question::Processes { service } => processes(sources, service).await?,
        Question::ContainerMemory { service } => container_memory(sources, service).await?,
        Question::Variable { service, name } => variable(sources, service, name).await?,
        Question::Dotenv { key } => dotenv(sources, key).await?,
        Question::RedisValue { key, field } => {
            json!(sources.threads()?.value(key, field.as_deref()).await?)
        }
        Question::RedisKey { key } => json!(sources.threads()?.key(key).await?),
        Question::RedisFields { key } => json!(sources.threads()?.fields(key).await?),
        Question::RedisLowest { key, count } => json!(sources.threads()?.lowest(key, *count).await?),
        Question::RedisThere { keys } => json!(sources.threads()?.there(keys).await?),
        Question::HttpLook(call) => json!(sources.http.look(call).await?),
        Question::StkQuery { checkout_request_id } => {
            json!(sources.http.stk_query(checkout_request_id).await?)
        }
        Question::Webhook => json!(sources.http.webhook().await?),
        Question::Commits { count } => json!(sources.repo()?.recent_commits(*count).await?),
        Question::RepoEntry { path } => json!(sources.repo()?.entry(path).await?),
        Question::RepoList { path } => json!(sources.repo()?.list(path).await?),
        Question::RepoText { path } => json!(sources.repo()?.text(path).await?),
        Question::RepoPython { paths } => json!(sources.repo()?.python(paths).await?),
        Question::RepoElsewhere { name } => json!(sources.repo()?.elsewhere(name).await?),
        Question::PytestCache { folder } => json!(sources.repo()?.pytest_cache(folder).await?),
    })
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
        "restart_policy": "", "memory_limit_bytes": 0, "config_hash": "", "host_ports": [],
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
        "config_hash": facts.config_hash,
        "host_ports": facts.ports.iter().filter(|p| p.protocol == "tcp").map(|p| p.host_port).collect::<Vec<_>>(),
    })
}

/// The container that speaks for a service.
async fn container(sources: &Sources, service: &str, wanted: SourceName) -> Read<ContainerFacts> {
    let containers = sources.containers.list().await?;
    worst_container(&containers, service).cloned().ok_or_else(|| {
        let (what, why) = match wanted {
            SourceName::Logs => {
                ("read the log of", "it has no container, and a container's log goes with it")
            }
            _ => ("look into the container of", "it has none"),
        };
        SourceError {
            source_name: wanted,
            kind: SourceErrorKind::Missing,
            attempted: format!("{what} {service}"),
            happened: why.into(),
            hint: "Create and start the service first.".into(),
        }
    })
}

async fn log_tail(sources: &Sources, service: &str, lines: u32) -> Read<Vec<LogLine>> {
    let facts = container(sources, service, SourceName::Logs).await?;
    sources.containers.log_tail(&facts.id, lines).await
}

/// `{records, from, is_whole, forms}`: `from` is when the first line that was read was written; `forms` how many
/// lines are written how, text only behind the first line that has a form, and how the latest of these is.
async fn log_records(sources: &Sources, service: &str, lines: u32) -> Read<Value> {
    let read = log_tail(sources, service, lines).await?;
    let from = read.iter().find_map(|line| line.at);
    let is_whole = u32::try_from(read.len()).unwrap_or(u32::MAX) < lines;
    let (records, forms): (Vec<LogRecord>, Vec<LineForm>) =
        read.iter().map(|line| logs::read(&line.text, line.at)).unzip();
    let count = |form: LineForm| forms.iter().filter(|one| **one == form).count();
    let text =
        forms.iter().skip_while(|form| **form == LineForm::Text).filter(|form| **form == LineForm::Text);
    let latest = forms.iter().rev().find(|form| **form != LineForm::Text);
    let forms = json!({
        "json": count(LineForm::Json), "console": count(LineForm::Console), "text": text.count(), "latest": latest,
    });
    Ok(json!({ "records": records, "from": from, "is_whole": is_whole, "forms": forms }))
}

/// `{records, modified}`, or null where there is no such file.
async fn log_file(sources: &Sources, path: &str, lines: u32) -> Read<Value> {
    let Some(file) = sources.host.log_file(path, lines).await? else { return Ok(Value::Null) };
    let records: Vec<LogRecord> = file.lines.iter().map(|line| logs::record(line, None)).collect();
    Ok(json!({ "records": records, "modified": file.modified }))
}

async fn processes(sources: &Sources, service: &str) -> Read<Value> {
    let id = running(sources, service, "look at the processes").await?;
    Ok(json!(sources.containers.processes(&id).await?))
}

/// What the engine counts for the container, without cache that it can drop.
async fn container_memory(sources: &Sources, service: &str) -> Read<Value> {
    let attempted = "look at the memory";
    let id = running(sources, service, attempted).await?;
    let read = sources.containers.memory(std::slice::from_ref(&id)).await?;
    let used = read.first().map(|(_, bytes)| json!(bytes));
    used.ok_or_else(|| SourceError {
        source_name: SourceName::Docker,
        kind: SourceErrorKind::Invalid,
        attempted: format!("{attempted} of {service}"),
        happened: "the engine told none".into(),
        hint: "Look with `docker stats`.".into(),
    })
}

/// The id of the service's container, which must run.
async fn running(sources: &Sources, service: &str, attempted: &str) -> Read<String> {
    let facts = container(sources, service, SourceName::Docker).await?;
    if facts.is_running() {
        return Ok(facts.id);
    }
    Err(SourceError {
        source_name: SourceName::Docker,
        kind: SourceErrorKind::Missing,
        attempted: format!("{attempted} of {service}"),
        happened: format!("its container is {}", facts.state.as_str()),
        hint: "Start the service first.".into(),
    })
}

async fn dotenv(sources: &Sources, key: &str) -> Read<Value> {
    let dotenv = sources.dotenv()?;
    let entry = dotenv.entry(key).await?;
    let shape = dotenv.shape(key).await?;
    Ok(json!({ "count": entry.count, "fingerprint": entry.fingerprint, "shape": shape }))
}

/// `{is_set, is_empty, as_dotenv}`: `as_dotenv` says whether it is what the `.env` has by now, and is `null`
/// where the `.env` has none of that name.
async fn variable(sources: &Sources, service: &str, name: &str) -> Read<Value> {
    let facts = container(sources, service, SourceName::Docker).await?;
    let found = sources.containers.variable(&facts.id, name).await?;
    let entry = sources.dotenv()?.entry(name).await?;
    let as_dotenv = match (&found, &entry.fingerprint) {
        (_, None) => None,
        (Some(found), Some(wanted)) => Some(found.fingerprint == *wanted),
        (None, Some(_)) => Some(false),
    };
    Ok(json!({
        "is_set": found.is_some(),
        "is_empty": found.is_some_and(|v| v.is_empty),
        "as_dotenv": as_dotenv,
        "made_at": facts.created_at,
    }))
}
