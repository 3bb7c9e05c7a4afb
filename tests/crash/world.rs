//! A console on the lab with a place of its own: the adapters that are shipped, their ports wrapped.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use ratiba_adapters::{
    clock::SystemClock,
    compose::{ComposeCli, SearchPath, find_compose},
    docker::{Engine, Surroundings},
    dotenv::DotenvFile,
    fingerprint::FingerprintKey,
    for_a_shell::ForAShell,
    host::ThisMachine,
    http::Endpoints,
    journal::SqliteJournal,
    known_secrets::Known,
    logs::StackLogs,
    memory::ThisProcess,
    postgres::{Postgres, PostgresBackups, Registry},
    redis::Redis,
    repo::GitCheckout,
};
use ratiba_console::api::{Console, Parts};
use ratiba_core::{
    playbook::{Catalog, Proven, Trust, step::BackupOf},
    ports::{
        Acts, BackupError, BackupMade, Backups, Clock, CommandLimits, ComposeCommands, ContainerCommands,
        Containers, DatabaseChanges, DotenvChanges, JournalStore, RedisChanges, Repo, RepoChanges, Sources,
    },
    profile::Profile,
};
use ratiba_testkit::{MemorySightings, lab, playbook_file};
use serde::{Deserialize, Serialize};

use super::{
    cases::Kind,
    points::{Marked, Points},
};

/// Where one run and its recovery happen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place {
    /// The journal, the locks, the copies and the `.env`.
    pub dir: PathBuf,
    /// Postgres: the lab's own port, or the proxy's.
    pub postgres_port: u16,
    /// Which plan.
    pub kind: Kind,
    /// What tells this run's rows, keys and lines from all others'.
    pub key: String,
    /// One apply at a time for each playbook and database: workers are told apart by it.
    pub worker: usize,
}

impl Place {
    pub fn checkout(&self) -> PathBuf {
        self.dir.join("checkout")
    }

    pub fn dotenv(&self) -> PathBuf {
        self.checkout().join(".env")
    }

    pub fn playbook(&self) -> String {
        format!("{}-crash", 91 + self.worker)
    }

    pub fn journal(&self) -> Arc<dyn JournalStore> {
        Arc::new(SqliteJournal::new(&self.dir, "journal"))
    }
}

/// What the lab's profile and `.env` say.
pub struct Lab {
    pub profile: Profile,
    pub postgres: u16,
    postgres_password: String,
    redis_password: String,
}

pub fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let profile = lab::profile();
        let text = fs::read_to_string(format!("{}/.env", profile.repo.path.as_ref().unwrap())).unwrap();
        let of = |key: &str| {
            let line = text.lines().find_map(|l| l.strip_prefix(&format!("{key}=")));
            line.unwrap_or_else(|| panic!("the lab's .env has {key}")).to_owned()
        };
        let url = &profile.postgres.as_ref().unwrap().url;
        let port = url.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
        Lab {
            postgres: port,
            postgres_password: of("POSTGRES_PASSWORD"),
            redis_password: of("REDIS_PASSWORD"),
            profile,
        }
    })
}

impl Lab {
    fn database(&self, port: u16) -> Arc<Postgres> {
        let url = self
            .profile
            .postgres
            .as_ref()
            .unwrap()
            .url
            .replace(&self.postgres.to_string(), &port.to_string());
        let registry = Registry {
            table: "\"public\".\"tenants\"".into(),
            slug: "\"slug\"".into(),
            name: "\"name\"".into(),
            vertical: "\"vertical\"".into(),
        };
        Arc::new(Postgres::new(&url, Some(&self.postgres_password), registry))
    }

    fn redis(&self) -> Arc<Redis> {
        let section = self.profile.redis.as_ref().unwrap();
        Arc::new(Redis::new(&section.url, Some(&self.redis_password), &section.thread_prefix))
    }

    fn engine(&self) -> Arc<Engine> {
        let project = &self.profile.compose.project;
        Arc::new(Engine::new(project, self.profile.docker.host.as_deref(), &Surroundings::of_process()))
    }
}

/// The system's clock, in a hurry: what it does not wait for does not matter here.
#[derive(Default)]
struct Hurried(SystemClock);

#[async_trait]
impl Clock for Hurried {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic_ms(&self) -> u64 {
        self.0.monotonic_ms()
    }

    async fn sleep(&self, how_long: Duration) {
        self.0.sleep(how_long / 20).await;
    }

    fn new_id(&self) -> String {
        self.0.new_id()
    }
}

/// `pg_dump` alone: the plans here back up nothing else.
struct OnlyPostgres(PostgresBackups);

#[async_trait]
impl Backups for OnlyPostgres {
    async fn make(
        &self,
        of: &BackupOf,
        name: &str,
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<BackupMade, BackupError> {
        self.0.make(of, name, limits, line).await
    }

    async fn check(&self, _of: &BackupOf, made: &BackupMade) -> Result<(), String> {
        self.0.check(made)
    }
}

/// The connections of one process, or of one worker: consoles that follow each other share them.
#[derive(Clone)]
pub struct Engines {
    pub postgres: Arc<Postgres>,
    pub redis: Arc<Redis>,
    pub docker: Arc<Engine>,
}

impl Engines {
    pub fn at(postgres_port: u16) -> Self {
        let lab = lab();
        Self { postgres: lab.database(postgres_port), redis: lab.redis(), docker: lab.engine() }
    }
}

/// Opens the console of a place: as it is shipped, with points in its ports.
pub fn console(place: &Place, points: &Arc<Points>, engines: &Engines) -> Arc<Console> {
    let lab = lab();
    let mut profile = lab.profile.clone();
    profile.repo.path = None;
    let Engines { postgres, redis, docker: engine } = engines.clone();
    let files = profile.compose.file.iter().map(PathBuf::from).collect();
    let program = find_compose(&SearchPath::of_process());
    let compose = Arc::new(ComposeCli::new(program, &profile.compose.project, files, engine.docker_host()));
    let key = Arc::new(FingerprintKey::new(place.dir.join("fingerprint.key")));
    let has_checkout = place.kind == Kind::Files;
    let checkout = || Arc::new(GitCheckout::new(place.checkout(), key.clone()));
    let repo = has_checkout.then(checkout);
    let find = Arc::new(|from: &str| panic!("no plan here has a secret, and {from} is asked for"));
    let dotenv = Arc::new(DotenvFile::new(place.dotenv(), key.clone(), place.dir.join("kept"), find));
    let http = Arc::new(Endpoints { named: profile.endpoints.clone(), ..Endpoints::default() });
    let commands = Marked::new(engine.clone() as Arc<dyn ContainerCommands>, points);
    let backups = OnlyPostgres(PostgresBackups {
        postgres: postgres.clone(),
        service: profile.postgres.as_ref().unwrap().service.clone(),
        containers: engine.clone() as Arc<dyn Containers>,
        commands: commands.clone(),
        shell: ForAShell::default(),
        dir: place.dir.join("backups"),
    });
    let sources = Sources {
        logs: Arc::new(StackLogs::new(engine.clone(), place.dir.join("logs"))),
        containers: engine,
        compose: compose.clone(),
        database: Some(postgres.clone()),
        threads: Some(redis.clone()),
        host: Arc::new(ThisMachine),
        repo: repo.clone().map(|repo| repo as Arc<dyn Repo>),
        dotenv: Some(dotenv.clone()),
        http: http.clone(),
        memory: Arc::new(ThisProcess),
        clock: Arc::new(Hurried::default()),
    };
    let acts = Acts {
        compose: Marked::new(compose as Arc<dyn ComposeCommands>, points),
        containers: commands,
        database: Some(Marked::new(postgres as Arc<dyn DatabaseChanges>, points)),
        redis: Some(Marked::new(redis as Arc<dyn RedisChanges>, points)),
        dotenv: Some(Marked::new(dotenv as Arc<dyn DotenvChanges>, points)),
        repo: repo.map(|repo| Marked::new(repo as Arc<dyn RepoChanges>, points) as Arc<dyn RepoChanges>),
        http,
        backups: Marked::new(Arc::new(backups) as Arc<dyn Backups>, points),
    };
    let store: Arc<dyn JournalStore> = Marked::new(place.journal(), points);
    let script = playbook_file(&place.playbook(), &place.kind.script(91 + place.worker));
    let catalog = Catalog::judged(vec![script], Vec::new(), &|_| Trust::Trusted);
    let known = Arc::new(Known::default());
    Console::new(Parts {
        profile,
        sources,
        acts: Some(acts),
        recorded: None,
        store,
        known,
        sightings: Arc::new(MemorySightings::default()),
        catalog: Box::new(move || catalog),
        drills: Vec::new(),
        proven: Ok(Proven::default()),
        operator: "crash@lab".into(),
    })
}
