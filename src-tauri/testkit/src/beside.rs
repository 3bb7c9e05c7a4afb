//! What else the stack in memory holds: Redis values, a `.env`, files of the checkout, endpoints,
//! volumes; and the ports that change them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    playbook::step::{BackupOf, DotenvValue, HttpCall},
    ports::{
        BackupError, BackupMade, Backups, ChangeError, CommandEnd, CommandLimits, ContainerCommands, Dotenv,
        DotenvChange, DotenvChanges, DotenvEntry, DotenvKept, DotenvShape, ExecCommand, FileFacts,
        HttpAnswer, HttpCalls, HttpLooks, LogLine, PatchChange, PatchFacts, PatchOf, PytestCache, PythonFile,
        Read, RedisChange, RedisChanges, RedisValue, Repo, RepoChanges, RepoEntry, RepoHistory, Webhook,
    },
};
use serde_json::{Value, json};

use crate::Stack;

/// Everything beside containers, rows and threads.
#[derive(Default)]
pub(crate) struct Beside {
    pub(crate) webhook_tries: Vec<Timestamp>,
    redis: BTreeMap<(String, Option<String>), String>,
    /// What somebody writes as soon as a change was made.
    redis_next: Option<String>,
    dotenv: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    answers: BTreeMap<String, HttpAnswer>,
    /// Lines of containers, by id.
    pub(crate) logs: BTreeMap<String, Vec<LogLine>>,
    pub(crate) configuration: String,
    pub(crate) volumes: BTreeMap<String, String>,
    pub(crate) going_on: Vec<Vec<String>>,
    pub(crate) orphan: Option<Vec<String>>,
    command_ends: Option<CommandEnd>,
    backup: Option<BackupError>,
    /// What was done to the checkout.
    pub(crate) history: RepoHistory,
    /// Texts by the pattern that leads to them.
    pub(crate) texts: BTreeMap<String, Vec<(String, String)>>,
    /// What each service needs.
    pub(crate) needs: BTreeMap<String, Vec<String>>,
}

impl Beside {
    pub(crate) fn redis_value(&self, key: &str, field: Option<&str>) -> RedisValue {
        let value = self.redis.get(&(key.to_owned(), field.map(str::to_owned))).cloned();
        let kind = match (&value, field) {
            (None, _) => "none",
            (Some(_), None) => "string",
            (Some(_), Some(_)) => "hash",
        };
        RedisValue { kind: kind.into(), value, ttl_ms: None }
    }
}

/// Not a fingerprint that hides anything: tests read it.
fn print_of(text: &str) -> String {
    format!("fingerprint of {text}")
}

impl Stack {
    /// Sets a string, or a field of a hash.
    pub fn set_redis(&self, key: &str, field: Option<&str>, value: &str) {
        self.held().beside.redis.insert((key.to_owned(), field.map(str::to_owned)), value.to_owned());
    }

    /// Somebody overwrites whatever is set next, before anybody else looks.
    pub fn somebody_overwrites_redis(&self, with: &str) {
        self.held().beside.redis_next = Some(with.to_owned());
    }

    /// Lets a compose command go on whose console is gone; `None`: it has ended.
    pub fn orphan(&self, argv: Option<Vec<String>>) {
        self.held().beside.orphan = argv;
    }

    /// Sets a key of the `.env`.
    pub fn set_dotenv(&self, key: &str, value: &str) {
        self.held().beside.dotenv.insert(key.to_owned(), value.to_owned());
    }

    /// The value of a key of the `.env`.
    pub fn dotenv_value(&self, key: &str) -> Option<String> {
        self.held().beside.dotenv.get(key).cloned()
    }

    /// Sets a file of the checkout.
    pub fn set_file(&self, path: &str, text: &str) {
        self.held().beside.files.insert(path.to_owned(), text.to_owned());
    }

    /// Sets what was done to the checkout.
    pub fn set_history(&self, history: RepoHistory) {
        self.held().beside.history = history;
    }

    /// Sets the texts that a pattern leads to.
    pub fn set_texts(&self, pattern: &str, texts: Vec<(String, String)>) {
        self.held().beside.texts.insert(pattern.to_owned(), texts);
    }

    /// Sets what a service needs.
    pub fn set_needs(&self, service: &str, needs: &[&str]) {
        self.held().beside.needs.insert(service.to_owned(), needs.iter().map(|n| (*n).to_owned()).collect());
    }

    /// A console tried the webhook at that time.
    pub fn tried_webhook(&self, at: Timestamp) {
        self.held().beside.webhook_tries.push(at);
    }

    /// Sets what a container has written.
    pub fn set_log(&self, container_id: &str, lines: Vec<LogLine>) {
        self.held().beside.logs.insert(container_id.to_owned(), lines);
    }

    /// What calls of this line, such as `POST backend/rooms`, are answered.
    pub fn answer_http(&self, line: &str, status: u16, body: Value) {
        self.held().beside.answers.insert(line.to_owned(), HttpAnswer { status, body });
    }

    /// Makes a volume.
    pub fn make_volume(&self, name: &str, created_at: &str) {
        self.held().beside.volumes.insert(name.to_owned(), created_at.to_owned());
    }

    /// How commands in containers end from now on.
    pub fn commands_end(&self, end: CommandEnd) {
        self.held().beside.command_ends = Some(end);
    }

    /// Changes what compose would make of every service.
    pub fn reconfigure(&self, to: &str) {
        self.held().beside.configuration = to.to_owned();
    }

    /// Lets a command go on in every container.
    pub fn goes_on(&self, argv: &[&str]) {
        self.held().beside.going_on.push(argv.iter().map(|a| (*a).to_owned()).collect());
    }

    /// Lets backups fail.
    pub fn backups_fail(&self, error: BackupError) {
        self.held().beside.backup = Some(error);
    }

    fn dotenv_facts(&self) -> FileFacts {
        let text = format!("{:?}", self.held().beside.dotenv);
        FileFacts { path: ".env".into(), fingerprint: Some(print_of(&text)), mode: Some("600".into()) }
    }

    fn answered(&self, call: &HttpCall) -> Read<HttpAnswer> {
        let line = self.line(call)?;
        self.ask(SourceName::Http, &line)?;
        self.held().beside.answers.get(&line).cloned().ok_or_else(|| SourceError {
            source_name: SourceName::Http,
            kind: SourceErrorKind::TimedOut,
            attempted: line,
            happened: "no answer".into(),
            hint: "Is it up?".into(),
        })
    }
}

#[async_trait]
impl RedisChanges for Stack {
    async fn set(&self, change: &RedisChange) -> Result<RedisValue, ChangeError> {
        self.ask(SourceName::Redis, &format!("set {}", change.key))?;
        let mut held = self.held();
        let now = held.beside.redis_value(&change.key, change.field.as_deref());
        if now.value != change.expect.value {
            let (planned, now) = (vec![json!(change.expect.value)], vec![json!(now.value)]);
            return Err(ChangeError::GuardChanged { what: change.key.clone(), planned, now });
        }
        let at = (change.key.clone(), change.field.clone());
        match &change.value {
            Some(value) => drop(held.beside.redis.insert(at.clone(), value.clone())),
            None => drop(held.beside.redis.remove(&at)),
        }
        let written = held.beside.redis_value(&change.key, change.field.as_deref());
        if let Some(next) = held.beside.redis_next.take() {
            held.beside.redis.insert(at, next);
        }
        Ok(written)
    }
}

#[async_trait]
impl Dotenv for Stack {
    async fn file(&self) -> Read<FileFacts> {
        Ok(self.dotenv_facts())
    }
    async fn written_at(&self) -> Read<Option<Timestamp>> {
        Ok(None)
    }
    async fn entry(&self, key: &str) -> Read<DotenvEntry> {
        let value = self.dotenv_value(key);
        Ok(DotenvEntry { count: value.is_some().into(), fingerprint: value.as_deref().map(print_of) })
    }
    async fn secret(&self, from: &str) -> Read<String> {
        Ok(print_of(from))
    }
    async fn obstacle(&self, _change: &DotenvChange) -> Read<Option<String>> {
        Ok(None)
    }
    async fn shape(&self, _key: &str) -> Read<Option<DotenvShape>> {
        Err(unset("a key's shape"))
    }
}

#[async_trait]
impl DotenvChanges for Stack {
    async fn keep(&self, name: &str, _change: &DotenvChange) -> Result<DotenvKept, ChangeError> {
        let fingerprint = self.dotenv_facts().fingerprint.unwrap_or_default();
        Ok(DotenvKept { copy: name.to_owned(), fingerprint, becomes: String::new() })
    }
    async fn set(&self, change: &DotenvChange) -> Result<FileFacts, ChangeError> {
        let now = self.dotenv_facts();
        if now != change.expect {
            let (planned, now) = (vec![json!(change.expect)], vec![json!(now)]);
            return Err(ChangeError::GuardChanged { what: ".env".into(), planned, now });
        }
        match &change.to {
            DotenvValue::Plain(value) => self.set_dotenv(&change.key, value),
            DotenvValue::Secret(secret) => self.set_dotenv(&change.key, &secret.from),
            DotenvValue::Removed | DotenvValue::AsKept { .. } => {
                self.held().beside.dotenv.remove(&change.key);
            }
        }
        Ok(self.dotenv_facts())
    }
}

#[async_trait]
impl Repo for Stack {
    async fn recent_commits(&self, _count: u32) -> Read<Vec<String>> {
        self.ask(SourceName::Repo, "recent commits")?;
        Ok(Vec::new())
    }
    async fn history(
        &self,
        base: Option<&str>,
        _before: Option<Timestamp>,
        _paths: &[String],
    ) -> Read<RepoHistory> {
        self.ask(SourceName::Repo, "history")?;
        Ok(RepoHistory {
            head: "0123456789ab".into(),
            base: base.map(str::to_owned),
            ..self.held().beside.history.clone()
        })
    }
    async fn file(&self, path: &str) -> Read<FileFacts> {
        let text = self.held().beside.files.get(path).cloned();
        let mode = text.is_some().then(|| "644".to_owned());
        Ok(FileFacts { path: path.to_owned(), fingerprint: text.as_deref().map(print_of), mode })
    }
    async fn patch(&self, patch: &PatchOf<'_>) -> Read<PatchFacts> {
        let names = patch.diff.lines().filter_map(|l| l.strip_prefix("+++ b/"));
        let mut files = Vec::new();
        for name in names {
            files.push(Repo::file(self, name).await?);
        }
        let refused = files.is_empty().then(|| "no valid patches in input".to_owned());
        Ok(PatchFacts { files, unclean: Vec::new(), refused })
    }
    async fn entry(&self, _path: &str) -> Read<Option<RepoEntry>> {
        Err(unset("a file of the checkout"))
    }
    async fn list(&self, _path: &str) -> Read<Vec<RepoEntry>> {
        Err(unset("a folder of the checkout"))
    }
    async fn text(&self, _path: &str) -> Read<Option<String>> {
        Err(unset("a file's text"))
    }
    async fn python(&self, _paths: &[String]) -> Read<Vec<PythonFile>> {
        Err(unset("Python files"))
    }
    async fn elsewhere(&self, _name: &str) -> Read<Vec<String>> {
        Err(unset("other branches"))
    }
    async fn pytest_cache(&self, _folder: &str) -> Read<Option<PytestCache>> {
        Err(unset("pytest's cache"))
    }
}

/// What a test looks at and has not set, by [`Stack::answer`](crate::Stack::answer).
pub(crate) fn unset(what: &str) -> SourceError {
    SourceError {
        source_name: SourceName::Host,
        kind: SourceErrorKind::NotConfigured,
        attempted: format!("look at {what}"),
        happened: "the test has not set it".into(),
        hint: "Set it with Stack::answer.".into(),
    }
}

fn patched(of: &PatchOf<'_>) -> String {
    format!("{}{}", if of.reverse { "taken out: " } else { "" }, of.diff)
}

#[async_trait]
impl RepoChanges for Stack {
    async fn becomes(&self, change: &PatchChange<'_>) -> Result<Vec<FileFacts>, ChangeError> {
        let patched = |facts: &FileFacts| match change.of.leaves(&facts.path) {
            true => facts.clone(),
            false => FileFacts {
                fingerprint: Some(print_of(&patched(&change.of))),
                mode: Some("644".to_owned()),
                ..facts.clone()
            },
        };
        Ok(change.expect.iter().map(patched).collect())
    }

    async fn apply(&self, change: &PatchChange<'_>) -> Result<Vec<FileFacts>, ChangeError> {
        for planned in change.expect {
            let now = Repo::file(self, &planned.path).await?;
            if now != *planned {
                let (planned_now, now) = (vec![json!(planned)], vec![json!(now)]);
                return Err(ChangeError::GuardChanged {
                    what: planned.path.clone(),
                    planned: planned_now,
                    now,
                });
            }
            self.ask(SourceName::Repo, &format!("patch {}", planned.path))?;
            if !change.of.leaves(&planned.path) {
                self.set_file(&planned.path, &patched(&change.of));
            }
        }
        Ok(Repo::patch(self, &change.of).await?.files)
    }
}

#[async_trait]
impl ContainerCommands for Stack {
    async fn exec(
        &self,
        command: &ExecCommand,
        _limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError> {
        self.ask(SourceName::Docker, &format!("exec {}", command.argv.join(" ")))?;
        line(format!("{} …", command.argv.join(" ")));
        Ok(self.held().beside.command_ends.clone().unwrap_or(CommandEnd::Exited { code: 0 }))
    }
    async fn remove(&self, name: &str) -> Result<(), SourceError> {
        self.ask(SourceName::Docker, &format!("remove {name}"))
    }
    async fn with_volumes(
        &self,
        _name: &str,
        _like: &str,
        _volumes: &[String],
        _argv: &[String],
        _limits: CommandLimits<'_>,
        _line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError> {
        Ok(CommandEnd::Exited { code: 0 })
    }
}

#[async_trait]
impl HttpLooks for Stack {
    async fn look(&self, call: &HttpCall) -> Read<HttpAnswer> {
        self.answered(call)
    }
    fn line(&self, call: &HttpCall) -> Read<String> {
        Ok(match call {
            HttpCall::Livekit { service, method, .. } => format!("POST livekit/{service}/{method}"),
            HttpCall::StkQuery { checkout_request_id } => format!("POST daraja/query {checkout_request_id}"),
            HttpCall::Elevenlabs { path } => format!("GET elevenlabs{path}"),
            HttpCall::Endpoint { endpoint, method, path, .. } => format!("{method} {endpoint}{path}"),
        })
    }
    async fn stk_query(&self, checkout_request_id: &str) -> Read<HttpAnswer> {
        self.answered(&HttpCall::StkQuery { checkout_request_id: checkout_request_id.to_owned() })
    }
    async fn webhook(&self) -> Read<Webhook> {
        Err(unset("the webhook"))
    }
    async fn webhook_tries(&self) -> Vec<Timestamp> {
        self.held().beside.webhook_tries.clone()
    }
}

#[async_trait]
impl HttpCalls for Stack {
    async fn call(&self, call: &HttpCall) -> Result<HttpAnswer, SourceError> {
        self.answered(call)
    }
}

#[async_trait]
impl Backups for Stack {
    async fn make(
        &self,
        of: &BackupOf,
        name: &str,
        _limits: CommandLimits<'_>,
        _line: &mut (dyn FnMut(String) + Send),
    ) -> Result<BackupMade, BackupError> {
        if let Some(error) = self.held().beside.backup.clone() {
            return Err(error);
        }
        Ok(BackupMade {
            place: format!("/backups/{name}"),
            bytes: 1,
            sha256: "00".into(),
            holds: format!("{of:?}"),
            trial: "restored for trial".into(),
            restore: "restore it".into(),
            also: Vec::new(),
        })
    }
    async fn check(&self, _of: &BackupOf, _made: &BackupMade) -> Result<(), String> {
        Ok(())
    }
}
