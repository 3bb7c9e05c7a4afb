//! Acts on the lab.

use std::{collections::BTreeMap, fs, process::Stdio, sync::Arc};

use futures_util::{FutureExt, future::pending};
use ratiba_core::{
    playbook::step::{ComposeAction, HttpCall},
    ports::CommandLimits,
    wire::WireError,
};
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::{
    super::{Console, failed, unreachable},
    dotenv,
    fill::Scene,
    visible::Visible,
};
use crate::lab_stores;

/// One act on the lab. What may stand in braces in its texts is in `tests/lab/README.md`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Act {
    /// `docker` with these arguments.
    Docker(Vec<String>),
    /// The same, where failing is fine: what it removes may not be there.
    TryDocker(Vec<String>),
    /// Create and start a service through compose; a failure is part of some faults.
    TryUp(String),
    /// Makes a service's container anew from the present configuration; a failure is part of some
    /// faults.
    TryRecreate(String),
    /// The same with variables in compose's own environment, which beat those of `.env`.
    RecreateWith {
        /// The service.
        service: String,
        /// The variables.
        environment: BTreeMap<String, String>,
    },
    /// A command in a service's running container.
    Exec(Command),
    /// The same, where failing is fine.
    TryExec(Command),
    /// A command in a container of its own, made from the lab's image, with volumes of the project
    /// mounted: what can be done to data while their service is stopped.
    InVolumes {
        /// Each `name:/path`, the name as in the compose file.
        volumes: Vec<String>,
        /// The command.
        argv: Vec<String>,
    },
    /// Statements in Postgres, as the lab's own user.
    Sql(String),
    /// One command in Redis.
    Redis(Vec<String>),
    /// Sets a key of the checkout's `.env`: `["KEY", "value"]`.
    Env(String, String),
    /// The same with the whole line as it stands there, quotes, blanks and a `\r` included.
    EnvLine(String),
    /// Adds a line at the end of `.env`, also where its key has one.
    EnvAppend(String),
    /// Removes all lines of a key.
    EnvRemove(String),
    /// A call of a stand-in or a service.
    Http(Request),
    /// Writes a file of the checkout.
    Write {
        /// Its path there.
        path: String,
        /// The whole of it.
        text: String,
    },
    /// Changes a file of the checkout.
    Edit {
        /// Its path there.
        path: String,
        /// What must be in it, once.
        from: String,
        /// What it becomes.
        to: String,
    },
    /// Removes a file of the checkout.
    Remove(String),
    /// `git` in the checkout, always as the same author at the same time: the same commits each time.
    Git(Vec<String>),
    /// Waits until this can be seen.
    Wait(Visible),
    /// Still to be written: this. A drill that has one fails before anything is done.
    Unwritten(String),
}

/// A command in a service's container.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The service.
    pub service: String,
    /// Program and arguments; no shell reads them.
    pub argv: Vec<String>,
    /// Left running, not waited for.
    #[serde(default)]
    pub background: bool,
}

impl Command {
    /// The arguments of `docker`.
    pub(super) async fn args(&self, scene: &Scene<'_>) -> Result<Vec<String>, WireError> {
        let mut args = vec!["exec".to_owned()];
        args.extend(self.background.then(|| "-d".to_owned()));
        args.push(scene.container(&self.service).await?);
        args.extend(scene.fill_all(&self.argv).await?);
        Ok(args)
    }
}

/// A call of a stand-in or a service, by the lab's name of its port.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// `daraja`, `elevenlabs`, `meta`, `ngrok`, `livekit` or `backend`.
    pub to: String,
    /// The method; default: `POST` with a body, else `GET`.
    pub method: Option<String>,
    /// Path and query; default: where a stand-in is told to misbehave.
    #[serde(default = "control")]
    pub path: String,
    /// The JSON to send.
    pub body: Option<toml::Value>,
}

fn control() -> String {
    "/_control".into()
}

impl Request {
    pub(super) async fn call(&self, scene: &Scene<'_>) -> Result<HttpCall, WireError> {
        let body = match &self.body {
            Some(body) => Box::pin(filled(scene, body)).await?,
            None => Value::Null,
        };
        let method = self.method.clone();
        Ok(HttpCall::Endpoint {
            endpoint: self.to.clone(),
            method: method.unwrap_or_else(|| if body.is_null() { "GET" } else { "POST" }.into()),
            path: scene.fill(&self.path).await?,
            body,
        })
    }
}

/// A value of the drill's file as JSON, its texts filled in.
pub(super) async fn filled(scene: &Scene<'_>, value: &toml::Value) -> Result<Value, WireError> {
    Ok(match value {
        toml::Value::String(text) => Value::String(scene.fill(text).await?),
        toml::Value::Integer(n) => Value::from(*n),
        toml::Value::Float(n) => Value::from(*n),
        toml::Value::Boolean(flag) => Value::from(*flag),
        toml::Value::Datetime(at) => Value::String(at.to_string()),
        toml::Value::Array(items) => {
            let mut all = Vec::new();
            for item in items {
                all.push(Box::pin(filled(scene, item)).await?);
            }
            Value::Array(all)
        }
        // A TOML table has no null: a text `null` is one, for settings that count down.
        toml::Value::Table(entries) => {
            let mut all = serde_json::Map::new();
            for (key, item) in entries {
                let value = Box::pin(filled(scene, item)).await?;
                all.insert(key.clone(), if value == "null" { Value::Null } else { value });
            }
            Value::Object(all)
        }
    })
}

pub(super) async fn perform(scene: &Scene<'_>, act: &Act) -> Result<(), WireError> {
    let console = scene.console;
    match act {
        Act::Docker(args) => docker(scene, args).await,
        Act::TryDocker(args) => {
            // Not there: nothing to remove.
            let _absent = docker(scene, args).await;
            Ok(())
        }
        Act::TryUp(service) => {
            compose(console, &ComposeAction::Up { service: service.clone() }).await;
            Ok(())
        }
        Act::TryRecreate(service) => {
            compose(console, &ComposeAction::Recreate { service: service.clone() }).await;
            Ok(())
        }
        Act::RecreateWith { service, environment } => {
            let mut argv = vec!["env".to_owned()];
            for (key, value) in environment {
                argv.push(format!("{key}={}", scene.fill(value).await?));
            }
            argv.extend(console.sources.compose.argv(&ComposeAction::Recreate { service: service.clone() }));
            compose_argv(console, &argv).await;
            Ok(())
        }
        Act::Exec(command) => succeeded("docker", &command.args(scene).await?).await.map(|_| ()),
        Act::TryExec(command) => {
            let args = command.args(scene).await?;
            let _failed = succeeded("docker", &args).await;
            Ok(())
        }
        Act::InVolumes { volumes, argv } => in_volumes(scene, volumes, argv).await,
        Act::Sql(statements) => sql(scene, &scene.fill(statements).await?).await.map(|_| ()),
        Act::Redis(command) => redis(scene, &scene.fill_all(command).await?).await.map(|_| ()),
        Act::Env(key, value) => {
            dotenv::set(console, key, Some(&format!("{key}={}", scene.fill(value).await?)))
        }
        Act::EnvLine(line) => {
            let line = scene.fill(line).await?;
            let key = line.split_once('=').map_or("", |(key, _)| key.trim()).to_owned();
            dotenv::set(console, &key, Some(&line))
        }
        Act::EnvAppend(line) => dotenv::append(console, &scene.fill(line).await?),
        Act::EnvRemove(key) => dotenv::set(console, key, None),
        Act::Http(request) => http(scene, request).await,
        Act::Write { path, text } => {
            let (file, text) = (dotenv::file_in(console, path)?, scene.fill(text).await?);
            let dir = file.parent().map_or(Ok(()), fs::create_dir_all);
            dir.and_then(|()| fs::write(&file, text)).map_err(dotenv::trouble(format!("write {path}")))
        }
        Act::Edit { path, from, to } => {
            let file = dotenv::file_in(console, path)?;
            let (from, to) = (scene.fill(from).await?, scene.fill(to).await?);
            let old = fs::read_to_string(&file).map_err(dotenv::trouble(format!("read {path}")))?;
            match old.matches(&from).count() {
                // In place: what is mounted into a container is this very file.
                1 => fs::write(&file, old.replace(&from, &to))
                    .map_err(dotenv::trouble(format!("write {path}"))),
                n => Err(failed(format!("change {path}: it has `{from}` {n} times"), "Correct the drill.")),
            }
        }
        Act::Remove(path) => fs::remove_file(dotenv::file_in(console, path)?)
            .map_err(dotenv::trouble(format!("remove {path}"))),
        Act::Git(args) => git(scene, &scene.fill_all(args).await?).await,
        Act::Unwritten(what) => Err(failed(
            format!("do what the drill says: not written yet: {what}"),
            "Write it in the drill's file.",
        )),
        Act::Wait(visible) => {
            let waited = super::wait_visible(scene, std::slice::from_ref(visible)).await;
            waited.map_err(|seen| {
                failed(
                    format!("wait for what can't be seen: {seen}"),
                    "Heal, and look with `ratibactl status`.",
                )
            })
        }
    }
}

/// A compose action that may fail: a start that fails is what a port clash is, and whoever calls
/// looks at what came of it.
pub(super) async fn compose(console: &Arc<Console>, action: &ComposeAction) {
    compose_argv(console, &console.sources.compose.argv(action)).await;
}

async fn compose_argv(console: &Arc<Console>, argv: &[String]) {
    let limits = CommandLimits { deadline: super::VISIBLE_WITHIN, stop: pending().boxed() };
    if let Ok(acts) = console.acts() {
        let _clash = acts.compose.run(argv, limits, &mut |_| {}).await;
    }
}

/// Makes these services' containers anew where they are missing or of another configuration; all in one.
pub(super) async fn up_anew(console: &Arc<Console>, services: &[String]) {
    if services.is_empty() {
        return;
    }
    let mut argv = console.sources.compose.argv(&ComposeAction::Up { service: services.join(" ") });
    // One service is its last word; here there are several.
    argv.pop();
    argv.extend(services.iter().cloned());
    compose_argv(console, &argv).await;
}

/// How a program ended.
pub(super) struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
    /// What it printed, as it is.
    pub bytes: Vec<u8>,
}

impl Said {
    /// The failure of what was attempted with it.
    pub fn failed(&self, attempted: &str) -> WireError {
        let why =
            self.err.trim().lines().last().map_or_else(|| format!("exit code {}", self.code), str::to_owned);
        failed(
            format!("{attempted}: {why}"),
            "`ratibactl drill heal` brings the lab back; `ratibactl doctor` looks at the engine.",
        )
    }
}

/// Runs a program, with this as its standard input.
pub(super) async fn run_with(
    program: &str,
    args: &[String],
    input: Option<&[u8]>,
) -> Result<Said, WireError> {
    let trouble = |error: std::io::Error| {
        failed(
            format!("run {program}: {error}"),
            "The lab needs the docker command; `ratibactl doctor` looks at the engine.",
        )
    };
    let mut child = tokio::process::Command::new(program)
        .args(args)
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(trouble)?;
    let pipe = child.stdin.take();
    let write = async {
        if let (Some(mut pipe), Some(input)) = (pipe, input) {
            // One that ended before it read all says why itself.
            let _closed = pipe.write_all(input).await;
        }
    };
    let ((), output) = tokio::join!(write, child.wait_with_output());
    let output = output.map_err(trouble)?;
    Ok(Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        bytes: output.stdout,
    })
}

/// Runs it; it must succeed. Gives what it printed.
pub(super) async fn succeeded(program: &str, args: &[String]) -> Result<String, WireError> {
    let said = run_with(program, args, None).await?;
    if said.code == 0 { Ok(said.out) } else { Err(said.failed(&format!("{program} {}", args.join(" ")))) }
}

async fn docker(scene: &Scene<'_>, args: &[String]) -> Result<(), WireError> {
    succeeded("docker", &scene.fill_all(args).await?).await.map(|_| ())
}

/// What psql would print, unaligned.
pub(super) async fn sql(scene: &Scene<'_>, statements: &str) -> Result<String, WireError> {
    let said = lab_stores::sql(scene.postgres()?.at(), statements).await;
    said.map_err(|why| {
        failed(
            format!("run in the lab's Postgres `{statements}`: {why}"),
            "`ratibactl drill heal` brings the lab back; `ratibactl status` looks at it.",
        )
    })
}

/// What redis-cli prints.
pub(super) async fn redis(scene: &Scene<'_>, command: &[String]) -> Result<String, WireError> {
    // The password stays inside the container: it is never an argument.
    let script = "REDISCLI_AUTH=\"$REDIS_PASSWORD\" exec redis-cli -e \"$@\"";
    let mut args = vec!["exec".to_owned(), scene.container("redis").await?];
    args.extend(["sh", "-c", script, "sh"].map(str::to_owned));
    args.extend(command.iter().cloned());
    succeeded("docker", &args).await
}

async fn in_volumes(scene: &Scene<'_>, volumes: &[String], argv: &[String]) -> Result<(), WireError> {
    let mut args = ["run", "--rm", "--network", "none", "--label"].map(str::to_owned).to_vec();
    args.push(scene.fill("drill={project}").await?);
    for volume in volumes {
        args.extend(["-v".to_owned(), scene.fill(&format!("{{project}}_{volume}")).await?]);
    }
    let argv = scene.fill_all(argv).await?;
    let mut words = argv.into_iter();
    args.extend(["--entrypoint".to_owned(), words.next().unwrap_or_default(), scene.fill("{image}").await?]);
    args.extend(words);
    succeeded("docker", &args).await.map(|_| ())
}

async fn http(scene: &Scene<'_>, request: &Request) -> Result<(), WireError> {
    let call = request.call(scene).await?;
    let answer = scene.console.acts()?.http.call(&call).await.map_err(|e| unreachable(&e))?;
    if (200..300).contains(&answer.status) {
        return Ok(());
    }
    Err(failed(
        format!("call {} at {}: it answered {}: {}", request.path, request.to, answer.status, answer.body),
        "Correct the drill.",
    ))
}

async fn git(scene: &Scene<'_>, words: &[String]) -> Result<(), WireError> {
    let checkout = dotenv::checkout(scene.console)?;
    let mut args = vec!["-C".to_owned(), checkout.display().to_string()];
    for setting in [
        "user.name=Ratiba lab",
        "user.email=lab@ratiba.example",
        "commit.gpgsign=false",
        "core.hooksPath=/dev/null",
    ] {
        args.extend(["-c".to_owned(), setting.to_owned()]);
    }
    args.extend(words.iter().cloned());
    let at = "2026-11-20T09:00:00 +0300";
    let mut dated =
        vec![format!("GIT_AUTHOR_DATE={at}"), format!("GIT_COMMITTER_DATE={at}"), "git".to_owned()];
    dated.extend(args);
    succeeded("env", &dated).await.map(|_| ())
}
