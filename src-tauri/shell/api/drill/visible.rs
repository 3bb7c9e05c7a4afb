//! How a fault is known to be there, before the console looks for it.

use std::time::Duration;

use ratiba_core::{model::counted, observe::worst_container, playbook::step::HttpCall, ports::SqlRead};
use serde::Deserialize;
use serde_json::Value;

use super::{
    VISIBLE_WITHIN,
    act::{self, Command, Request},
    dotenv,
    fill::Scene,
};

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
    /// The engine restarted the service's container by itself, so often at least.
    Restarts {
        /// The service.
        service: String,
        /// How often.
        at_least: u32,
    },
    /// A statement gives no row.
    NoRows(String),
    /// A statement gives rows.
    Rows {
        /// The statement.
        sql: String,
        /// How many at least.
        #[serde(default = "one")]
        at_least: usize,
    },
    /// Redis has this key.
    RedisHas(String),
    /// Redis has no such key.
    RedisLacks(String),
    /// An answer over HTTP.
    Http {
        /// What is asked.
        ask: Request,
        /// The status; 0: nobody answers.
        status: u16,
        /// Part of the body; JSON is written without blanks.
        has: Option<String>,
    },
    /// A service wrote this to its log since the fault was caused.
    Log {
        /// The service.
        service: String,
        /// Part of a line.
        has: String,
    },
    /// A command in a service's container ends so.
    Exec {
        /// The command.
        run: Command,
        /// Its exit code.
        #[serde(default)]
        code: i32,
        /// Part of what it prints.
        has: Option<String>,
    },
    /// A file of the checkout holds this text.
    File {
        /// Its path in the checkout.
        path: String,
        /// Part of it.
        has: String,
    },
    /// The checkout has no such file.
    NoFile(String),
    /// Still to be written: this. It is never seen, and the drill fails before anything is done.
    Unwritten(String),
}

fn one() -> usize {
    1
}

/// Who does not answer within this time is taken for one that never does.
const NOBODY_WITHIN: Duration = Duration::from_secs(2);

/// Whether it is there; if not, what is seen instead.
pub(super) async fn is_visible(scene: &Scene<'_>, visible: &Visible) -> Result<(), String> {
    let filled = async |text: &str| scene.fill(text).await.map_err(|e| e.message);
    match visible {
        Visible::State { service, is } => {
            let containers = scene.console.sources.containers.list().await.map_err(|e| e.to_string())?;
            let now = worst_container(&containers, service).map_or("missing", |f| f.state.as_str());
            same(service, now, is)
        }
        Visible::Health { service, is } => {
            let containers = scene.console.sources.containers.list().await.map_err(|e| e.to_string())?;
            let health = worst_container(&containers, service).and_then(|f| f.live_health());
            same(service, health.map_or("none", |h| h.as_str()), is)
        }
        Visible::OomKilled { service } => {
            let containers = scene.console.sources.containers.list().await.map_err(|e| e.to_string())?;
            let killed = worst_container(&containers, service).is_some_and(|f| f.oom_killed);
            same(service, if killed { "killed for memory" } else { "not killed" }, "killed for memory")
        }
        Visible::Restarts { service, at_least } => {
            let containers = scene.console.sources.containers.list().await.map_err(|e| e.to_string())?;
            let n = worst_container(&containers, service).map_or(0, |f| f.restart_count);
            if n >= *at_least { Ok(()) } else { Err(format!("{service} was restarted {n} times")) }
        }
        Visible::NoRows(sql) => match rows(scene, &filled(sql).await?).await? {
            0 => Ok(()),
            n => Err(format!("{} there", counted(n, "row"))),
        },
        Visible::Rows { sql, at_least } => match rows(scene, &filled(sql).await?).await? {
            n if n >= *at_least => Ok(()),
            n => Err(format!("{} there, not {at_least}", counted(n, "row"))),
        },
        Visible::RedisHas(key) => exists(scene, &filled(key).await?, true).await,
        Visible::RedisLacks(key) => exists(scene, &filled(key).await?, false).await,
        Visible::Http { ask, status, has } => answer(scene, ask, *status, has.as_deref()).await,
        Visible::Log { service, has } => {
            let id = scene.container(service).await.map_err(|e| e.message)?;
            let args = ["logs", "--since", &scene.since.to_string(), &id].map(str::to_owned);
            let said = act::run_with("docker", &args, None).await.map_err(|e| e.message)?;
            holds(&format!("the log of {service}"), &format!("{}{}", said.out, said.err), &filled(has).await?)
        }
        Visible::Exec { run, code, has } => {
            let args = run.args(scene).await.map_err(|e| e.message)?;
            let said = act::run_with("docker", &args, None).await.map_err(|e| e.message)?;
            let printed = format!("{}{}", said.out, said.err);
            if said.code != *code {
                return Err(format!("the command ended with {}, not {code}: {}", said.code, printed.trim()));
            }
            has.as_ref().map_or(Ok(()), |has| holds("what the command printed", &printed, has))
        }
        Visible::File { path, has } => {
            let file = dotenv::file_in(scene.console, path).map_err(|e| e.message)?;
            let text = std::fs::read_to_string(&file).map_err(|e| format!("{path}: {e}"))?;
            holds(path, &text, &filled(has).await?)
        }
        Visible::Unwritten(what) => Err(format!("not written yet: {what}")),
        Visible::NoFile(path) => {
            let file = dotenv::file_in(scene.console, path).map_err(|e| e.message)?;
            if file.exists() { Err(format!("{path} is there")) } else { Ok(()) }
        }
    }
}

fn same(service: &str, now: &str, wanted: &str) -> Result<(), String> {
    if now == wanted { Ok(()) } else { Err(format!("{service} is {now}, not {wanted}")) }
}

fn holds(what: &str, text: &str, part: &str) -> Result<(), String> {
    if text.contains(part) {
        return Ok(());
    }
    let last: Vec<&str> = text.trim().lines().rev().take(3).collect();
    Err(format!("{what} has no `{part}`; its last lines: {}", last.join(" | ")))
}

async fn rows(scene: &Scene<'_>, sql: &str) -> Result<usize, String> {
    let read = SqlRead { sql: sql.to_owned(), params: Vec::new() };
    let database = scene.console.sources.database().map_err(|e| e.to_string())?;
    database.query(&read).await.map(|rows| rows.len()).map_err(|e| e.to_string())
}

async fn exists(scene: &Scene<'_>, key: &str, wanted: bool) -> Result<(), String> {
    let said = act::redis(scene, &["EXISTS".to_owned(), key.to_owned()]).await.map_err(|e| e.message)?;
    match (said.trim() == "1", wanted) {
        (is, wanted) if is == wanted => Ok(()),
        (true, _) => Err(format!("Redis has {key}")),
        (false, _) => Err(format!("Redis has no {key}")),
    }
}

async fn answer(scene: &Scene<'_>, ask: &Request, status: u16, has: Option<&str>) -> Result<(), String> {
    let call: HttpCall = ask.call(scene).await.map_err(|e| e.message)?;
    let asked = scene.console.acts().map_err(|e| e.message)?.http.call(&call);
    let within = if status == 0 { NOBODY_WITHIN } else { VISIBLE_WITHIN };
    let answer = match tokio::time::timeout(within, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) | Err(_) if status == 0 => return Ok(()),
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("{} does not answer within {} s", ask.to, within.as_secs())),
    };
    let body = match &answer.body {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if answer.status != status {
        return Err(format!("{} answers {}, not {status}: {body}", ask.to, answer.status));
    }
    has.map_or(Ok(()), |has| holds(&format!("the answer of {}", ask.to), &body, has))
}
