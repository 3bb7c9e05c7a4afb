//! A stack in memory: containers that compose actions really change, and answers a test sets.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use ratiba_core::{
    model::{
        ContainerFacts, ContainerState, SourceError, SourceErrorKind, SourceName, TenantRef, TenantSlug,
        ThreadRecord,
    },
    playbook::{
        CallContext, Env, Names,
        host::{Answer, Answered, Asker, ObservationPass, Question, answer},
        step::{ComposeAction, ProjectAction},
    },
    ports::{
        Acts, BeforeCommit, ChangeError, Clock, CommandEnd, CommandLimits, Compose, ComposeCommands,
        ContainerChange, Containers, Database, DatabaseChanges, EngineLine, EnvironmentVariable, LogLine,
        Memory, NoSecrets, Process, Publisher, Read, RedisKey, RedisScore, RedisServer, RedisValue, Sources,
        SqlChange, SqlRead, TenantRows, Threads, TransactionFate, VolumeWriter,
    },
    profile::{SchemaSection, Thresholds, parse},
};
use serde_json::Value;

use crate::beside::{Beside, unset};

/// A clock that only moves when somebody sleeps, or the test says so.
pub struct TestClock {
    start: Timestamp,
    elapsed_ms: AtomicU64,
    ids: AtomicU64,
}

impl TestClock {
    /// Lets time pass.
    pub fn pass(&self, how_long: Duration) {
        self.elapsed_ms.fetch_add(u64::try_from(how_long.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let ms = i64::try_from(self.monotonic_ms()).unwrap_or(0);
        self.start.saturating_add(SignedDuration::from_millis(ms)).unwrap_or(self.start)
    }
    fn monotonic_ms(&self) -> u64 {
        self.elapsed_ms.load(Ordering::SeqCst)
    }
    async fn sleep(&self, how_long: Duration) {
        self.pass(how_long);
    }
    fn new_id(&self) -> String {
        format!("{:026}", self.ids.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

/// What the stack in memory holds. A test sets what it is about; every question is counted.
#[derive(Default)]
pub(crate) struct Held {
    containers: Vec<ContainerFacts>,
    declared: Vec<String>,
    tenants: Vec<TenantRef>,
    rows: BTreeMap<String, Vec<Value>>,
    tenant_rows: BTreeMap<String, Vec<Value>>,
    /// Of the next each-tenant statements, which ones time out.
    time_out: Vec<bool>,
    threads: Vec<ThreadRecord>,
    pub(crate) ports: BTreeMap<u16, String>,
    published: BTreeMap<u16, Publisher>,
    down: Vec<SourceName>,
    asked: Vec<String>,
    ran: Vec<Vec<String>>,
    /// Exit code of the next compose command.
    exit_code: i32,
    exit_codes: Vec<i32>,
    change: Option<Result<Vec<Value>, ChangeError>>,
    fate: Option<TransactionFate>,
    memory: u64,
    grows_by: u64,
    answers: Vec<(String, Result<Value, SourceError>)>,
    pub(crate) beside: Beside,
}

/// The stack in memory.
#[derive(Clone)]
pub struct Stack {
    held: Arc<Mutex<Held>>,
    /// Its clock.
    pub clock: Arc<TestClock>,
}

impl Default for Stack {
    fn default() -> Self {
        let clock = TestClock {
            start: Timestamp::from_second(1_795_500_000).unwrap_or_default(),
            elapsed_ms: AtomicU64::new(0),
            ids: AtomicU64::new(0),
        };
        Self { held: Arc::default(), clock: Arc::new(clock) }
    }
}

impl Stack {
    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the containers; their services are declared too.
    ///
    /// They are as compose would make them now; [`Stack::reconfigure`] changes that.
    pub fn with_containers(self, containers: Vec<ContainerFacts>) -> Self {
        if let Some(first) = containers.first() {
            self.held().beside.configuration = first.config_hash.clone();
        }
        self.held().declared = containers.iter().map(|c| c.service.clone()).collect();
        self.held().containers = containers;
        self
    }

    /// Changes one service's container.
    pub fn change_container(&self, service: &str, change: impl FnOnce(&mut ContainerFacts)) {
        if let Some(facts) = self.held().containers.iter_mut().find(|c| c.service == service) {
            change(facts);
        }
    }

    /// Declares one more service.
    pub fn declare(&self, service: &str) {
        self.held().declared.push(service.to_owned());
    }

    /// Sets the tenants; all have a schema and are registered.
    pub fn with_tenants(self, slugs: &[&str]) -> Self {
        let tenant = |slug: &&str| {
            let slug = TenantSlug::parse(slug).ok()?;
            Some(TenantRef {
                name: slug.to_string(),
                slug,
                vertical: "salon".into(),
                registered: true,
                has_schema: true,
            })
        };
        self.held().tenants = slugs.iter().filter_map(tenant).collect();
        self
    }

    /// Adds a schema of a tenant that nobody registered.
    pub fn with_stray_schema(self, slug: &str) -> Self {
        let slug = TenantSlug::parse(slug).ok();
        let stray = slug.map(|slug| TenantRef {
            slug,
            name: String::new(),
            vertical: String::new(),
            registered: false,
            has_schema: true,
        });
        self.held().tenants.extend(stray);
        self
    }

    /// Rows of one tenant for every each-tenant statement.
    pub fn answer_tenant(&self, slug: &str, rows: Vec<Value>) {
        self.held().tenant_rows.insert(slug.to_owned(), rows);
    }

    /// Lets the next each-tenant statements answer, or time out, in turn; what comes later answers.
    pub fn time_out_in_turn(&self, times_out: Vec<bool>) {
        self.held().time_out = times_out;
    }

    /// Rows for every single statement that contains `part`.
    pub fn answer_sql(&self, part: &str, rows: Vec<Value>) {
        self.held().rows.insert(part.to_owned(), rows);
    }

    /// Answers every question whose JSON contains `part`, before the stack itself is asked: the latest
    /// set first.
    pub fn answer(&self, part: &str, value: Value) {
        self.held().answers.push((part.to_owned(), Ok(value)));
    }

    /// Refuses every question whose JSON contains `part`.
    pub fn refuse(&self, part: &str, error: SourceError) {
        self.held().answers.push((part.to_owned(), Err(error)));
    }

    /// Sets the threads.
    pub fn with_threads(self, threads: Vec<ThreadRecord>) -> Self {
        self.held().threads = threads;
        self
    }

    /// Lets somebody hold a port.
    pub fn hold_port(&self, port: u16, holder: &str) {
        self.held().ports.insert(port, holder.to_owned());
    }

    /// Lets a container of this name publish a port, for a compose project and service.
    pub fn publish_port(&self, port: u16, container: &str, compose: Option<(&str, &str)>) {
        let compose = compose.map(|(project, service)| (project.to_owned(), service.to_owned()));
        self.held().published.insert(port, Publisher { container: container.to_owned(), compose });
    }

    /// Makes a source unreachable.
    pub fn take_down(&self, source: SourceName) {
        self.held().down.push(source);
    }

    /// What the next change in Postgres gives.
    pub fn next_change(&self, outcome: Result<Vec<Value>, ChangeError>) {
        self.held().change = Some(outcome);
    }

    /// Exit code of the compose commands from now on.
    pub fn compose_exits(&self, code: i32) {
        self.held().exit_code = code;
    }

    /// Exit codes of the next compose commands, one each.
    pub fn compose_exits_in_turn(&self, codes: Vec<i32>) {
        self.held().exit_codes = codes;
    }

    /// The compose commands that were run.
    pub fn commands(&self) -> Vec<Vec<String>> {
        self.held().ran.clone()
    }

    /// Lets the process hold this much more memory at each look.
    pub fn grows_by(&self, bytes: u64) {
        self.held().grows_by = bytes;
    }

    /// The questions that reached the sources.
    pub fn asked(&self) -> Vec<String> {
        self.held().asked.clone()
    }

    /// What became of a transaction, for whoever asks.
    pub fn transaction_was(&self, fate: TransactionFate) {
        self.held().fate = Some(fate);
    }

    /// The ports that change something.
    pub fn acts(&self) -> Acts {
        let this = Arc::new(self.clone());
        Acts {
            compose: this.clone(),
            containers: this.clone(),
            database: Some(this.clone()),
            redis: Some(this.clone()),
            dotenv: Some(this.clone()),
            repo: Some(this.clone()),
            http: this.clone(),
            backups: this,
        }
    }

    /// The ports that read.
    pub fn sources(&self) -> Sources {
        let this = Arc::new(self.clone());
        Sources {
            containers: this.clone(),
            compose: this.clone(),
            database: Some(this.clone()),
            threads: Some(this.clone()),
            logs: this.clone(),
            host: this.clone(),
            repo: Some(this.clone()),
            dotenv: Some(this.clone()),
            http: this.clone(),
            clock: self.clock.clone(),
            memory: this,
        }
    }

    /// A fresh observation pass on this stack.
    pub fn call_context(&self) -> CallContext {
        CallContext {
            pass: Arc::new(ObservationPass::new(Box::new(BlockingAsker(self.clone())))),
            env: Env {
                now: self.clock.now(),
                project: "lab".into(),
                thresholds: Thresholds::default(),
                schema: SchemaSection::default(),
                names: names(),
            },
            clock: self.clock.clone(),
            memory: Arc::new(self.clone()),
            known: Arc::new(NoSecrets),
        }
    }

    pub(crate) fn ask(&self, source: SourceName, what: &str) -> Read<()> {
        let mut held = self.held();
        held.asked.push(what.to_owned());
        if held.down.contains(&source) {
            return Err(SourceError {
                source_name: source,
                kind: SourceErrorKind::Unreachable,
                attempted: what.to_owned(),
                happened: "connection refused".into(),
                hint: format!("Is {source} up?"),
            });
        }
        Ok(())
    }
}

impl Memory for Stack {
    fn used_bytes(&self) -> Option<u64> {
        let mut held = self.held();
        held.memory += held.grows_by;
        Some(held.memory)
    }
}

/// The names of a profile that says nothing about them.
fn names() -> Names {
    let least = "name = \"lab\"\nkind = \"lab\"\n[compose]\nproject = \"lab\"\n[logs]\nfiles = [\"/lab/backend/.uvicorn.log\"]\n\
                 [postgres]\nurl = \"postgres://ratiba@127.0.0.1:5434/ratiba\"\n";
    Names::of(&parse("lab.toml", least).expect("a profile"))
}

struct BlockingAsker(Stack);

impl Asker for BlockingAsker {
    fn ask(&self, question: &Question) -> Answered {
        let text = serde_json::to_string(question).unwrap_or_default();
        let set = self.0.held().answers.iter().rev().find(|(part, _)| text.contains(part)).cloned();
        match set {
            Some((_, Ok(value))) => {
                let source = question.source();
                Ok(Arc::new(Answer { value, as_of: self.0.clock.now(), source }))
            }
            Some((_, Err(error))) => Err(error),
            None => futures_executor::block_on(answer(&self.0.sources(), question)),
        }
    }
}

#[async_trait]
impl Containers for Stack {
    async fn list(&self) -> Read<Vec<ContainerFacts>> {
        self.ask(SourceName::Docker, "list containers")?;
        Ok(self.held().containers.clone())
    }
    async fn changes(&self) -> Read<BoxStream<'static, Read<ContainerChange>>> {
        Ok(Box::pin(futures_util::stream::pending()))
    }
    async fn log_tail(&self, container_id: &str, _lines: u32) -> Read<Vec<LogLine>> {
        self.ask(SourceName::Logs, "log tail")?;
        if let Some(lines) = self.held().beside.logs.get(container_id) {
            return Ok(lines.clone());
        }
        Ok(vec![LogLine { at: None, stderr: true, text: "last words".into() }])
    }
    async fn log_lines(
        &self,
        id: &str,
        tail: Option<u64>,
        _follow: bool,
    ) -> Read<BoxStream<'static, Read<Vec<EngineLine>>>> {
        let mut lines = self.log_tail(id, u32::MAX).await?;
        let wanted = tail.and_then(|tail| usize::try_from(tail).ok()).unwrap_or(usize::MAX);
        lines.drain(..lines.len().saturating_sub(wanted));
        let line = |l: LogLine| EngineLine {
            stamp: l.at.map(|at| at.to_string()).unwrap_or_default(),
            stderr: l.stderr,
            bytes: l.text.into_bytes(),
            left_out: 0,
        };
        let lines = lines.into_iter().map(line).collect();
        Ok(Box::pin(futures_util::stream::iter([Ok(lines)])))
    }
    async fn memory(&self, _container_ids: &[String]) -> Read<Vec<(String, u64)>> {
        Ok(Vec::new())
    }
    async fn engine_id(&self) -> Read<String> {
        Ok("engine-1".into())
    }
    async fn volume(&self, name: &str) -> Read<Option<String>> {
        Ok(self.held().beside.volumes.get(name).cloned())
    }
    async fn writers(&self, _volume: &str) -> Read<Vec<VolumeWriter>> {
        let held = self.held();
        let running = held.containers.iter().filter(|c| c.is_running());
        let writer =
            |c: &ContainerFacts| VolumeWriter { container: c.name.clone(), service: Some(c.service.clone()) };
        Ok(running.map(writer).collect())
    }
    async fn publisher(&self, port: u16) -> Read<Option<Publisher>> {
        Ok(self.held().published.get(&port).cloned())
    }
    async fn execs(&self, _container_id: &str) -> Read<Vec<Vec<String>>> {
        Ok(self.held().beside.going_on.clone())
    }
    async fn named(&self, name: &str) -> Read<Option<String>> {
        let held = self.held();
        Ok(held.containers.iter().find(|c| c.name == name).map(|c| c.state.as_str().to_owned()))
    }
    async fn processes(&self, _container_id: &str) -> Read<Vec<Process>> {
        Err(unset("a container's processes"))
    }
    async fn variable(&self, _container_id: &str, _name: &str) -> Read<Option<EnvironmentVariable>> {
        Err(unset("a container's variable"))
    }
}

#[async_trait]
impl Compose for Stack {
    async fn declared_services(&self) -> Read<Vec<String>> {
        self.ask(SourceName::Compose, "compose config --services")?;
        Ok(self.held().declared.clone())
    }
    async fn dependencies(&self) -> Read<BTreeMap<String, Vec<String>>> {
        Ok(self.held().beside.needs.clone())
    }
    async fn config_hashes(&self) -> Read<BTreeMap<String, String>> {
        self.ask(SourceName::Compose, "compose config --hash")?;
        let held = self.held();
        let hash = |service: &String| (service.clone(), held.beside.configuration.clone());
        Ok(held.declared.iter().map(hash).collect())
    }
    fn argv(&self, action: &ComposeAction) -> Vec<String> {
        let verb = action.title().split(' ').next().unwrap_or_default().to_lowercase();
        ["docker-compose", "-p", "lab", &verb, action.service()].map(str::to_owned).to_vec()
    }
    fn project_argv(&self, action: &ProjectAction) -> Vec<String> {
        let head = ["docker-compose", "-p", "lab"].map(str::to_owned);
        match action {
            ProjectAction::Down { .. } => [head.to_vec(), vec!["down".into()]].concat(),
            ProjectAction::Up { services } => [head.to_vec(), vec!["up".into()], services.clone()].concat(),
        }
    }
    fn oneoff_argv(&self, service: &str, name: &str, mark: &str, argv: &[String]) -> Vec<String> {
        let head = ["docker-compose", "-p", "lab", "run", "--name", name, "-e", mark, service];
        [head.map(str::to_owned).to_vec(), argv.to_vec()].concat()
    }
    async fn going_on(&self, words: &[String]) -> Read<Option<String>> {
        let held = self.held();
        let found = held.beside.orphan.as_ref().filter(|argv| argv.windows(words.len()).any(|w| w == words));
        Ok(found.map(|_| "process 7".into()))
    }
}

#[async_trait]
impl ComposeCommands for Stack {
    async fn run(
        &self,
        argv: &[String],
        _limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError> {
        let mut held = self.held();
        held.ran.push(argv.to_vec());
        let code = if held.exit_codes.is_empty() { held.exit_code } else { held.exit_codes.remove(0) };
        line(format!("{} …", argv.join(" ")));
        if code == 0 {
            let (verb, service) = (argv.get(3).cloned().unwrap_or_default(), argv.get(4).cloned());
            let facts = held.containers.iter_mut().find(|c| Some(&c.service) == service.as_ref());
            if let Some(facts) = facts {
                facts.oom_killed = false;
                facts.state = match verb.as_str() {
                    "stop" => ContainerState::Exited,
                    "pause" => ContainerState::Paused,
                    _ => ContainerState::Running,
                };
                facts.started_at = Some(self.clock.now());
            }
        }
        Ok(CommandEnd::Exited { code })
    }
}

#[async_trait]
impl Database for Stack {
    async fn tenants(&self) -> Read<Vec<TenantRef>> {
        self.ask(SourceName::Postgres, "tenants")?;
        Ok(self.held().tenants.clone())
    }
    async fn query(&self, read: &SqlRead) -> Read<Vec<Value>> {
        self.ask(SourceName::Postgres, &read.sql)?;
        let held = self.held();
        Ok(held
            .rows
            .iter()
            .find(|(part, _)| read.sql.contains(*part))
            .map(|(_, rows)| rows.clone())
            .unwrap_or_default())
    }
    async fn each_tenant(&self, tenants: &[TenantSlug], sql: &str) -> Read<Vec<TenantRows>> {
        self.ask(SourceName::Postgres, sql)?;
        let mut held = self.held();
        if !held.time_out.is_empty() && held.time_out.remove(0) {
            return Err(SourceError {
                source_name: SourceName::Postgres,
                kind: SourceErrorKind::TimedOut,
                attempted: "read all tenants".into(),
                happened: "no answer within 8 s".into(),
                hint: "Look at the postgres service itself.".into(),
            });
        }
        let rows_of = |slug: &TenantSlug| match held.tenant_rows.get(slug.as_str()) {
            Some(rows) => Ok(rows.clone()),
            None => Err(format!("{}.staff is not there; map it in the profile", slug.schema())),
        };
        Ok(tenants.iter().map(|slug| (slug.clone(), rows_of(slug))).collect())
    }
    async fn identity(&self) -> Read<(String, String)> {
        self.ask(SourceName::Postgres, "identity")?;
        Ok(("7000000000000000001".into(), "ratiba".into()))
    }
    async fn transaction(&self, xid: &str) -> Read<TransactionFate> {
        self.ask(SourceName::Postgres, &format!("transaction {xid}"))?;
        Ok(self.held().fate.unwrap_or(TransactionFate::Forgotten))
    }
}

#[async_trait]
impl DatabaseChanges for Stack {
    async fn change(&self, change: &SqlChange, before: &dyn BeforeCommit) -> Result<Vec<Value>, ChangeError> {
        self.ask(SourceName::Postgres, &change.sql)?;
        let outcome = self.held().change.take().unwrap_or_else(|| Ok(Vec::new()));
        if let Ok(rows) | Err(ChangeError::Unknown { rows, .. }) = &outcome {
            before.prepared("777", rows).await.map_err(ChangeError::NotRecorded)?;
        }
        outcome
    }
}

#[async_trait]
impl Threads for Stack {
    async fn all(&self) -> Read<Vec<ThreadRecord>> {
        self.ask(SourceName::Redis, "threads")?;
        Ok(self.held().threads.clone())
    }
    async fn one(&self, ulid: &str) -> Read<Option<ThreadRecord>> {
        self.ask(SourceName::Redis, "one thread")?;
        let held = self.held();
        let is_it = |record: &&ThreadRecord| match record {
            ThreadRecord::Thread(thread) => thread.id == ulid,
            ThreadRecord::Unreadable { key, .. } => key.ends_with(ulid),
        };
        Ok(held.threads.iter().find(is_it).cloned())
    }
    async fn value(&self, key: &str, field: Option<&str>) -> Read<RedisValue> {
        self.ask(SourceName::Redis, &format!("value of {key}"))?;
        Ok(self.held().beside.redis_value(key, field))
    }
    async fn server(&self) -> Read<RedisServer> {
        Ok(RedisServer { run_id: "redis-run-1".into(), up_for: Duration::from_secs(86_400) })
    }
    async fn key(&self, _key: &str) -> Read<RedisKey> {
        Err(unset("a key"))
    }
    async fn fields(&self, _key: &str) -> Read<Vec<String>> {
        Err(unset("a hash's fields"))
    }
    async fn lowest(&self, _key: &str, _count: u32) -> Read<Vec<RedisScore>> {
        Err(unset("a sorted set"))
    }
    async fn there(&self, _keys: &[String]) -> Read<Vec<bool>> {
        Err(unset("which keys are there"))
    }
}
