//! The adapters of one profile: second half of the wiring.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use ratiba_adapters::{
    clock::SystemClock,
    compose::{ComposeCli, SearchPath, find_compose},
    docker::{Engine, Surroundings},
    dotenv,
    host::ThisMachine,
    journal::SqliteJournal,
    postgres::{Postgres, Registry},
    redis::Redis,
    repo::GitCheckout,
};
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName, TenantRef, TenantSlug, ThreadRecord},
    playbook::sql_template::{expand, quoted},
    ports::{
        Acts, BeforeCommit, ChangeError, Database, DatabaseChanges, JournalStore, Read, Repo, Sources,
        SqlChange, SqlRead, TenantRows, Threads, TransactionFate,
    },
    profile::{PostgresSection, Profile, RedisSection, SecretRef},
    wire::WireError,
};
use serde_json::Value;

use crate::paths;

/// What a profile leads to.
pub struct Built {
    /// The stack.
    pub sources: Sources,
    /// The stack, to act on.
    pub acts: Acts,
    /// The profile's journal.
    pub store: Arc<dyn JournalStore>,
}

/// Builds all adapters. Nothing is connected, and nothing that is missing is a reason to stop: it
/// becomes its own source's error.
pub async fn build(profile: &Profile, profile_file: &Path) -> Result<Built, WireError> {
    let engine =
        Engine::new(&profile.compose.project, profile.docker.host.as_deref(), &Surroundings::of_process());
    let docker_host = engine.docker_host();
    let files = profile.compose.file.iter().chain(&profile.compose.overrides).map(PathBuf::from).collect();
    let program = find_compose(&SearchPath::of_process());
    let compose = Arc::new(ComposeCli::new(program, &profile.compose.project, files, docker_host));
    let secrets = Secrets::of(profile);
    let postgres = profile.postgres.as_ref().map(|section| postgres(section, profile, &secrets));
    let (database, changes) = match postgres {
        Some((database, changes)) => (Some(database), Some(changes)),
        None => (None, None),
    };
    let sources = Sources {
        containers: Arc::new(engine),
        compose: compose.clone(),
        database,
        threads: profile.redis.as_ref().map(|section| redis(section, &secrets)),
        host: Arc::new(ThisMachine),
        repo: profile.repo.path.as_ref().map(|path| Arc::new(GitCheckout::new(path.into())) as Arc<dyn Repo>),
        clock: Arc::new(SystemClock::default()),
    };
    let acts = Acts { compose, database: changes };
    let name =
        profile_file.file_stem().map_or_else(|| profile.name.clone(), |s| s.to_string_lossy().into_owned());
    let state = paths::state_dir();
    let store = Arc::new(SqliteJournal::new(
        state.join("journals").join(format!("{name}.sqlite")),
        state.join("locks"),
    ));
    Ok(Built { sources, acts, store })
}

/// Where the profile's references to secrets lead.
struct Secrets {
    dotenv: Option<PathBuf>,
}

impl Secrets {
    fn of(profile: &Profile) -> Self {
        let dotenv = profile.repo.dotenv.clone().map(PathBuf::from);
        let in_repo = profile.repo.path.as_ref().map(|path| Path::new(path).join(".env"));
        Self { dotenv: dotenv.or(in_repo) }
    }

    /// The secret itself. It goes into a connection and nowhere else.
    fn resolve(&self, source: SourceName, secret: Option<&SecretRef>) -> Result<Option<String>, SourceError> {
        let missing = |happened: String, hint: String| SourceError {
            source_name: source,
            kind: SourceErrorKind::Missing,
            attempted: format!("find the password of {source}"),
            happened,
            hint,
        };
        match secret {
            None => Ok(None),
            Some(SecretRef::Env(name)) => match std::env::var(name) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(missing(
                    format!("the environment has no variable {name}"),
                    format!("Set {name} where the console is started, or refer to the .env: dotenv:{name}."),
                )),
            },
            Some(SecretRef::Dotenv(name)) => {
                let Some(file) = &self.dotenv else {
                    return Err(missing(
                        format!("dotenv:{name} needs a .env, and the profile names none"),
                        "Add [repo] path or [repo] dotenv to the profile.".into(),
                    ));
                };
                match dotenv::read(file, name) {
                    Ok(Some(value)) => Ok(Some(value)),
                    Ok(None) => Err(missing(
                        format!("{} has no {name}", file.display()),
                        format!("Add {name} to it, or correct the reference in the profile."),
                    )),
                    Err(error) => Err(missing(
                        format!("{} can't be read: {error}", file.display()),
                        "Correct [repo] path or [repo] dotenv in the profile.".into(),
                    )),
                }
            }
        }
    }
}

fn postgres(
    section: &PostgresSection,
    profile: &Profile,
    secrets: &Secrets,
) -> (Arc<dyn Database>, Arc<dyn DatabaseChanges>) {
    let column = |name: &str| {
        let key = format!("tenants.{name}");
        quoted(profile.schema.columns.get(&key).map_or(name, String::as_str))
    };
    let table = expand("{tenants}", &profile.schema).unwrap_or_else(|_| "\"public\".\"tenants\"".into());
    let registry =
        Registry { table, slug: column("slug"), name: column("name"), vertical: column("vertical") };
    match secrets.resolve(SourceName::Postgres, section.password.as_ref()) {
        Ok(password) => {
            let postgres = Arc::new(Postgres::new(&section.url, password.as_deref(), registry));
            (postgres.clone(), postgres)
        }
        Err(error) => {
            let broken = Arc::new(Broken(error));
            (broken.clone(), broken)
        }
    }
}

fn redis(section: &RedisSection, secrets: &Secrets) -> Arc<dyn Threads> {
    match secrets.resolve(SourceName::Redis, section.password.as_ref()) {
        Ok(password) => Arc::new(Redis::new(&section.url, password.as_deref(), &section.thread_prefix)),
        Err(error) => Arc::new(Broken(error)),
    }
}

/// A source whose secret could not be found: it answers every question with why.
struct Broken(SourceError);

#[async_trait]
impl Database for Broken {
    async fn tenants(&self) -> Read<Vec<TenantRef>> {
        Err(self.0.clone())
    }
    async fn query(&self, _read: &SqlRead) -> Read<Vec<Value>> {
        Err(self.0.clone())
    }
    async fn each_tenant(&self, _tenants: &[TenantSlug], _sql: &str) -> Read<Vec<TenantRows>> {
        Err(self.0.clone())
    }
    async fn identity(&self) -> Read<(String, String)> {
        Err(self.0.clone())
    }
    async fn transaction(&self, _xid: &str) -> Read<TransactionFate> {
        Err(self.0.clone())
    }
}

#[async_trait]
impl DatabaseChanges for Broken {
    async fn change(
        &self,
        _change: &SqlChange,
        _before: &dyn BeforeCommit,
    ) -> Result<Vec<Value>, ChangeError> {
        Err(ChangeError::Source(self.0.clone()))
    }
}

#[async_trait]
impl Threads for Broken {
    async fn all(&self) -> Read<Vec<ThreadRecord>> {
        Err(self.0.clone())
    }
    async fn one(&self, _ulid: &str) -> Read<Option<ThreadRecord>> {
        Err(self.0.clone())
    }
    async fn run_id(&self) -> Read<String> {
        Err(self.0.clone())
    }
}
