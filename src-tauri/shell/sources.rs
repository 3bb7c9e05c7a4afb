//! The adapters of one profile: second half of the wiring.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ratiba_adapters::{
    clock::SystemClock,
    compose::{ComposeCli, KeptAnswers, SearchPath, find_compose},
    docker::{Engine, Surroundings, VolumeCopies},
    dotenv::DotenvFile,
    fingerprint::FingerprintKey,
    for_a_shell::ForAShell,
    host::ThisMachine,
    http::{Daraja, Elevenlabs, Endpoints, Livekit, Tries, WhatsApp},
    journal::SqliteJournal,
    logs::StackLogs,
    memory::ThisProcess,
    postgres::{Postgres, PostgresBackups, Registry},
    redis::{Redis, RedisBackups},
    repo::GitCheckout,
    sightings::SightingsFile,
};
use ratiba_core::{
    model::{SourceError, SourceName},
    playbook::sql_template::{expand, quoted},
    ports::{
        Acts, Backups, ComposeCommands, ContainerCommands, Containers, Database, DatabaseChanges, Dotenv,
        DotenvChanges, JournalStore, KnownSecrets, Logs, RedisChanges, Repo, RepoChanges, SightingStore,
        Sources, Threads,
    },
    profile::{PostgresSection, Profile, SecretRef},
    wire::WireError,
};

use crate::{
    backups::AllBackups, broken::Broken, hidden::HidingJournal, hidden_output::Hiding, paths,
    secrets::Secrets,
};

/// What a profile leads to.
pub struct Built {
    /// The stack.
    pub sources: Sources,
    /// The stack, to act on.
    pub acts: Acts,
    /// The profile's journal.
    pub store: Arc<dyn JournalStore>,
    /// The stack's secrets.
    pub known: Arc<dyn KnownSecrets>,
    /// When rows were last seen.
    pub sightings: Arc<dyn SightingStore>,
}

/// Builds all adapters. Nothing is connected, and nothing that is missing is a reason to stop: it
/// becomes its own source's error.
pub async fn build(profile: &Profile, profile_file: &Path) -> Result<Built, WireError> {
    let state = paths::state_dir();
    let key = Arc::new(FingerprintKey::new(state.join("fingerprint.key")));
    let engine =
        Engine::new(&profile.compose.project, profile.docker.host.as_deref(), &Surroundings::of_process());
    let engine = Arc::new(engine.with_fingerprints(key.clone()));
    let docker_host = engine.docker_host();
    let files = profile.compose.file.iter().chain(&profile.compose.overrides).map(PathBuf::from).collect();
    let program = find_compose(&SearchPath::of_process());
    let kept = KeptAnswers { dir: state.join("compose"), key: key.clone() };
    let compose = ComposeCli::new(program, &profile.compose.project, files, docker_host);
    let compose = Arc::new(compose.with_kept_answers(kept));
    let name =
        profile_file.file_stem().map_or_else(|| profile.name.clone(), |s| s.to_string_lossy().into_owned());
    let backups_dir = state.join("backups").join(&name);
    let secrets = Arc::new(Secrets::of(profile));

    let postgres = profile.postgres.as_ref().map(|section| postgres(section, profile, &secrets));
    let redis = profile.redis.as_ref().map(|section| {
        let password =
            secrets.resolve(SourceName::Redis, "the password of redis", section.password.as_ref())?;
        Ok(Arc::new(Redis::new(&section.url, password.as_deref(), &section.thread_prefix)))
    });
    let repo = profile.repo.path.as_ref().map(|path| Arc::new(GitCheckout::new(path.into(), key.clone())));
    let dotenv = secrets.dotenv().map(|path| {
        let find = secrets.clone();
        let find = Arc::new(move |from: &str| find.named(from));
        Arc::new(DotenvFile::new(path.to_owned(), key, backups_dir.join("dotenv"), find))
    });
    let tries = Tries { dir: state.join("webhook").join(&name) };
    let http = Arc::new(endpoints(profile, &secrets, tries));
    let shell = ForAShell { docker_host: engine.docker_host(), project: profile.compose.project.clone() };
    let backups = AllBackups {
        postgres: postgres.clone().map(|found| {
            found.map(|postgres| PostgresBackups {
                postgres,
                service: profile.postgres.as_ref().map(|s| s.service.clone()).unwrap_or_default(),
                containers: engine.clone() as Arc<dyn Containers>,
                commands: engine.clone(),
                shell: shell.clone(),
                dir: backups_dir.clone(),
            })
        }),
        redis: redis.clone().map(|found| {
            found.map(|redis| RedisBackups {
                redis,
                service: profile.redis.as_ref().map(|s| s.service.clone()).unwrap_or_default(),
                containers: engine.clone() as Arc<dyn Containers>,
                commands: engine.clone(),
                shell: shell.clone(),
                dir: backups_dir.clone(),
            })
        }),
        volumes: VolumeCopies { engine: engine.clone(), shell },
    };
    let sources = Sources {
        containers: engine.clone(),
        compose: compose.clone(),
        database: postgres.clone().map(|found| match found {
            Ok(postgres) => postgres as Arc<dyn Database>,
            Err(error) => Arc::new(Broken(error)),
        }),
        threads: redis.clone().map(|found| match found {
            Ok(redis) => redis as Arc<dyn Threads>,
            Err(error) => Arc::new(Broken(error)),
        }),
        logs: Arc::new(StackLogs::new(engine.clone(), paths::kept_logs_dir())),
        host: Arc::new(ThisMachine),
        repo: repo.clone().map(|repo| repo as Arc<dyn Repo>),
        dotenv: dotenv.clone().map(|dotenv| dotenv as Arc<dyn Dotenv>),
        http: http.clone(),
        clock: Arc::new(SystemClock::default()),
        memory: Arc::new(ThisProcess),
    };
    let known: Arc<dyn KnownSecrets> = secrets.known();
    let acts = Acts {
        compose: Arc::new(Hiding { inner: compose as Arc<dyn ComposeCommands>, known: known.clone() }),
        containers: Arc::new(Hiding { inner: engine as Arc<dyn ContainerCommands>, known: known.clone() }),
        database: postgres.map(|found| match found {
            Ok(postgres) => postgres as Arc<dyn DatabaseChanges>,
            Err(error) => Arc::new(Broken(error)),
        }),
        redis: redis.map(|found| match found {
            Ok(redis) => redis as Arc<dyn RedisChanges>,
            Err(error) => Arc::new(Broken(error)),
        }),
        dotenv: dotenv.map(|dotenv| dotenv as Arc<dyn DotenvChanges>),
        repo: repo.map(|repo| repo as Arc<dyn RepoChanges>),
        http,
        backups: Arc::new(Hiding { inner: Arc::new(backups) as Arc<dyn Backups>, known: known.clone() }),
    };
    let inner = Arc::new(SqliteJournal::new(&state, &name));
    let store = Arc::new(HidingJournal { inner, known: known.clone() });
    let sightings = Arc::new(SightingsFile::new(&state, &name));
    Ok(Built { sources, acts, store, known, sightings })
}

fn postgres(
    section: &PostgresSection,
    profile: &Profile,
    secrets: &Secrets,
) -> Result<Arc<Postgres>, SourceError> {
    let column = |name: &str| {
        let key = format!("tenants.{name}");
        quoted(profile.schema.columns.get(&key).map_or(name, String::as_str))
    };
    let table = expand("{tenants}", &profile.schema).unwrap_or_else(|_| "\"public\".\"tenants\"".into());
    let registry =
        Registry { table, slug: column("slug"), name: column("name"), vertical: column("vertical") };
    let password =
        secrets.resolve(SourceName::Postgres, "the password of postgres", section.password.as_ref())?;
    Ok(Arc::new(Postgres::new(&section.url, password.as_deref(), registry)))
}

fn endpoints(profile: &Profile, secrets: &Arc<Secrets>, tries: Tries) -> Endpoints {
    let later = |what: &'static str, secret: &SecretRef| {
        let (secrets, secret) = (secrets.clone(), secret.clone());
        Arc::new(move || secrets.found(SourceName::Http, what, &secret)) as ratiba_adapters::http::Secret
    };
    Endpoints {
        named: profile.all_endpoints(),
        livekit: profile.livekit.as_ref().map(|section| Livekit {
            url: section.url.clone(),
            key: later("LiveKit's API key", &section.key),
            secret: later("LiveKit's API secret", &section.secret),
        }),
        daraja: profile.daraja.as_ref().map(|section| Daraja {
            url: section.url.clone(),
            consumer_key: later("Daraja's consumer key", &section.consumer_key),
            consumer_secret: later("Daraja's consumer secret", &section.consumer_secret),
            shortcode: section.shortcode.clone(),
            passkey: later("Daraja's passkey", &section.passkey),
        }),
        elevenlabs: profile.elevenlabs.as_ref().map(|section| Elevenlabs {
            url: section.url.clone(),
            key: later("ElevenLabs' API key", &section.key),
        }),
        // From the .env, for that is what the backend is made with.
        whatsapp: profile.whatsapp.as_ref().map(|section| WhatsApp {
            url: section.url.clone(),
            app_secret: later("WhatsApp's app secret", &SecretRef::Dotenv(section.app_secret.clone())),
            verify_token: later("WhatsApp's verify token", &SecretRef::Dotenv(section.verify_token.clone())),
            tries,
        }),
    }
}

/// Reads log files alone, where there is no profile.
pub fn log_files() -> Arc<dyn Logs> {
    Arc::new(StackLogs::of_files(paths::kept_logs_dir()))
}
