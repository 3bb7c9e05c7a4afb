//! The compose CLI, v2 plugin or v1 program: reading the file, and acting on one service.

mod find;
mod kept;
mod needs;
mod processes;
mod run;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use futures_util::{FutureExt, future::pending};
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    playbook::step::{ComposeAction, ProjectAction},
    ports::{CommandEnd, CommandLimits, Compose, ComposeCommands, Read},
};

pub use find::{ComposeProgram, SearchPath, find_compose};
pub use kept::KeptAnswers;

/// One project's compose CLI.
pub struct ComposeCli {
    program: ComposeProgram,
    project: String,
    files: Vec<PathBuf>,
    docker_host: Option<String>,
    said: Mutex<Said>,
    /// One asks at a time: the next one has the answer by then.
    asking: tokio::sync::Mutex<()>,
    kept: Option<KeptAnswers>,
}

/// What it said so far, by option, and what the files were then.
#[derive(Default)]
struct Said {
    stamp: Stamp,
    answers: BTreeMap<String, Vec<String>>,
}

/// What the answers depend on: as long as it is the same, they are.
type Stamp = BTreeMap<PathBuf, Option<(u64, SystemTime)>>;

impl ComposeCli {
    /// The CLI for `project` with `files`, talking to the engine at `docker_host`.
    pub fn new(
        program: ComposeProgram,
        project: &str,
        files: Vec<PathBuf>,
        docker_host: Option<String>,
    ) -> Self {
        Self {
            program,
            project: project.to_owned(),
            files,
            docker_host,
            said: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            kept: None,
        }
    }

    /// The same, with answers that outlive this process.
    #[must_use]
    pub fn with_kept_answers(self, kept: KeptAnswers) -> Self {
        Self { kept: Some(kept), ..self }
    }

    fn base(&self) -> Vec<String> {
        let mut argv = self.program.argv();
        argv.extend(["-p".to_owned(), self.project.clone()]);
        for file in &self.files {
            argv.extend(["-f".to_owned(), file.display().to_string()]);
        }
        argv
    }

    fn dotenv(&self) -> Option<PathBuf> {
        self.dir().map(|dir| dir.join(".env"))
    }

    fn stamp(&self) -> Stamp {
        let looked = self.files.iter().cloned().chain(self.dotenv());
        looked
            .map(|path| {
                let facts = std::fs::metadata(&path).ok().and_then(|m| Some((m.len(), m.modified().ok()?)));
                (path, facts)
            })
            .collect()
    }

    fn dir(&self) -> Option<PathBuf> {
        self.files.first().and_then(|f| f.parent()).map(PathBuf::from)
    }

    /// The lines that `config` says with this option: those it said to this process before, or to one
    /// before it, as long as nothing changed that they depend on.
    async fn config(&self, attempted: &str, option: &str) -> Read<Vec<String>> {
        let _alone = self.asking.lock().await;
        let stamp = self.stamp();
        {
            let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.stamp == stamp
                && let Some(lines) = said.answers.get(option)
            {
                return Ok(lines.clone());
            }
        }
        let kept = self.kept.as_ref().and_then(|kept| {
            let cause = kept::cause(kept, &self.base(), &self.files, self.dotenv().as_deref())?;
            Some((kept, cause))
        });
        let before = kept.as_ref().and_then(|(kept, cause)| kept.answer(&self.project, cause, option));
        let lines = match before {
            Some(lines) => lines,
            None => {
                let lines = self.asked(attempted, option).await?;
                // A file that changed while it was read belongs to no answer.
                if let Some((kept, cause)) = kept.filter(|_| self.stamp() == stamp) {
                    kept.keep(&self.project, &cause, option, &lines);
                }
                lines
            }
        };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.stamp != stamp {
            *said = Said { stamp, answers: BTreeMap::new() };
        }
        said.answers.insert(option.to_owned(), lines.clone());
        Ok(lines)
    }

    async fn asked(&self, attempted: &str, option: &str) -> Read<Vec<String>> {
        if self.files.is_empty() {
            return Err(SourceError {
                source_name: SourceName::Compose,
                kind: SourceErrorKind::NotConfigured,
                attempted: attempted.into(),
                happened: "the profile names no compose file".into(),
                hint: "Add [compose] file to the profile; without it a service that has no container can't be missed.".into(),
            });
        }
        let mut argv = self.base();
        argv.extend(["config".to_owned(), option.to_owned()]);
        let mut lines = Vec::new();
        let end = run::run(
            &argv,
            self.dir(),
            self.docker_host.as_deref(),
            self.dotenv().as_deref(),
            CommandLimits { deadline: Duration::from_secs(20), stop: pending().boxed() },
            &mut |line, is_error| {
                // Compose v2 and v1 write warnings as these; they are not why it failed.
                if !(is_error && (line.contains("level=warning") || line.starts_with("WARNING"))) {
                    lines.push((is_error, line));
                }
            },
        )
        .await?;
        let failed = |happened: String| SourceError {
            source_name: SourceName::Compose,
            kind: SourceErrorKind::Invalid,
            attempted: attempted.into(),
            happened,
            hint: "Check [compose] file, and run `config` on it by hand.".into(),
        };
        match end {
            CommandEnd::Exited { code: 0 } => Ok(lines
                .into_iter()
                .filter(|(is_error, line)| !is_error && !line.trim().is_empty())
                .map(|(_, line)| line.trim().to_owned())
                .collect()),
            CommandEnd::Exited { code } => {
                // The place in the file comes on the last lines.
                let errors: Vec<&str> =
                    lines.iter().filter(|(is_error, _)| *is_error).map(|(_, line)| line.trim()).collect();
                let said = errors.get(errors.len().saturating_sub(4)..).unwrap_or_default().join(" ");
                Err(failed(format!("compose ended with exit code {code}: {said}")))
            }
            CommandEnd::TimedOut { .. } | CommandEnd::Stopped { .. } => {
                Err(failed("compose did not answer within 20 s".into()))
            }
        }
    }
}

#[async_trait]
impl Compose for ComposeCli {
    async fn declared_services(&self) -> Read<Vec<String>> {
        self.config("read the services of the compose file", "--services").await
    }

    async fn config_hashes(&self) -> Read<BTreeMap<String, String>> {
        let attempted = "read what compose would make of the services";
        let lines = self.config(attempted, "--hash=*").await?;
        let of = |line: &String| line.split_once(' ').map(|(name, hash)| (name.to_owned(), hash.to_owned()));
        Ok(lines.iter().filter_map(of).collect())
    }

    async fn dependencies(&self) -> Read<BTreeMap<String, Vec<String>>> {
        let mut found = BTreeMap::new();
        for file in &self.files {
            needs::take(file, &mut found)?;
        }
        Ok(found)
    }

    fn argv(&self, action: &ComposeAction) -> Vec<String> {
        let mut argv = self.base();
        let is_v2 = self.program.is_v2();
        let (words, service): (&[&str], &String) = match action {
            ComposeAction::Start { service } => (&["start"], service),
            ComposeAction::Up { service } => (&["up", "-d", "--no-deps", "--no-build"], service),
            ComposeAction::Recreate { service } => {
                (&["up", "-d", "--no-deps", "--no-build", "--force-recreate"], service)
            }
            ComposeAction::Restart { service } if is_v2 => (&["restart", "--no-deps"], service),
            ComposeAction::Restart { service } => (&["restart"], service),
            ComposeAction::Unpause { service } => (&["unpause"], service),
            ComposeAction::Pause { service } => (&["pause"], service),
            ComposeAction::Stop { service } => (&["stop"], service),
            ComposeAction::Remove { service } => (&["rm", "--stop", "--force"], service),
        };
        argv.extend(words.iter().map(|w| (*w).to_owned()));
        argv.push(service.clone());
        argv
    }

    fn project_argv(&self, action: &ProjectAction) -> Vec<String> {
        let mut argv = self.base();
        match action {
            ProjectAction::Down { .. } => argv.push("down".into()),
            ProjectAction::Up { services } => {
                argv.extend(["up", "-d", "--no-build"].map(str::to_owned));
                argv.extend(services.iter().cloned());
            }
        }
        argv
    }

    fn oneoff_argv(&self, service: &str, name: &str, mark: &str, command: &[String]) -> Vec<String> {
        let mut argv = self.base();
        // -T: without a terminal, even where the console itself has one.
        argv.extend(["run", "--rm", "--no-deps", "-T", "--name", name, "-e"].map(str::to_owned));
        argv.extend([format!("RATIBA_STEP={mark}"), service.to_owned()]);
        argv.extend(command.iter().cloned());
        argv
    }

    async fn going_on(&self, words: &[String]) -> Read<Option<String>> {
        processes::with_arguments(words).map_err(|error| SourceError {
            source_name: SourceName::Compose,
            kind: SourceErrorKind::Unreachable,
            attempted: "look whether a compose command still goes on".into(),
            happened: error.to_string(),
            hint: "Look at the processes of this machine by hand.".into(),
        })
    }
}

#[async_trait]
impl ComposeCommands for ComposeCli {
    async fn run(
        &self,
        argv: &[String],
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError> {
        let dotenv = self.dotenv();
        run::run(argv, self.dir(), self.docker_host.as_deref(), dotenv.as_deref(), limits, &mut |text, _| {
            line(text)
        })
        .await
    }
}
