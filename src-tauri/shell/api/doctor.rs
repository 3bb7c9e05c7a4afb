//! Doctor: every part of the profile, whether it can be satisfied, and what to do if not.

use std::{path::Path, sync::Arc};

use ratiba_core::{
    model::{SourceError, SourceErrorKind, counted},
    playbook::{ScriptError, ScriptErrorKind},
};
use serde::Serialize;

use super::{CHANGED_JOURNAL, Console};

const UNUSABLE_JOURNAL: &str = "Correct the disk or the rights, or move the journal and its anchor away, and keep \
both: nothing can be applied without a journal.";

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// It works, with a limit.
    Warn,
    /// It does not.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// How it went.
    pub status: CheckStatus,
    /// What was found.
    pub detail: String,
    /// What to do; empty when there is nothing.
    pub hint: String,
}

/// `ratibactl doctor --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoctorView {
    /// All checks.
    pub checks: Vec<Check>,
}

impl Check {
    /// It is as it should be.
    pub fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.into(), status: CheckStatus::Ok, detail: detail.into(), hint: String::new() }
    }
    /// It works, with a limit.
    pub fn warn(name: &str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name: name.into(), status: CheckStatus::Warn, detail: detail.into(), hint: hint.into() }
    }
    /// It does not work.
    pub fn fail(name: &str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name: name.into(), status: CheckStatus::Fail, detail: detail.into(), hint: hint.into() }
    }

    /// A source that is not in the profile is a limit, not a fault.
    fn from_source(name: &str, outcome: Result<Self, SourceError>) -> Self {
        match outcome {
            Ok(check) => check,
            Err(error) if error.kind == SourceErrorKind::NotConfigured => {
                Self::warn(name, error.to_string(), error.hint)
            }
            Err(error) => Self::fail(name, error.to_string(), error.hint),
        }
    }
}

impl Console {
    /// Checks everything the profile names, all at the same time.
    pub async fn doctor(self: &Arc<Self>) -> DoctorView {
        let profile = Check::ok(
            "profile",
            format!(
                "`{}`, kind {:?}, project {}",
                self.profile.name, self.profile.kind, self.environment.project
            )
            .to_lowercase(),
        );
        let (docker, compose, postgres, redis, repo) = tokio::join!(
            self.check_docker(),
            self.check_compose(),
            self.check_postgres(),
            self.check_redis(),
            self.check_repo(),
        );
        let mut checks = vec![
            profile,
            Check::from_source("docker", docker),
            Check::from_source("compose", compose),
            Check::from_source("postgres", postgres),
            Check::from_source("redis", redis),
            self.check_logs(),
            Check::from_source("repo", repo),
            self.check_playbooks(),
        ];
        checks.push(match self.store.history().await {
            Ok(history) => match history.first_bad() {
                None => Check::ok(
                    "journal",
                    format!(
                        "{}, the chain holds and ends at its anchor",
                        counted(history.rows.len(), "entry")
                    ),
                ),
                Some(bad) => Check::fail("journal", bad, CHANGED_JOURNAL),
            },
            Err(error) => Check::fail("journal", error.to_string(), UNUSABLE_JOURNAL),
        });
        DoctorView { checks }
    }

    async fn check_docker(&self) -> Result<Check, SourceError> {
        let containers = self.sources.containers.list().await?;
        let project = &self.environment.project;
        if containers.is_empty() {
            return Ok(Check::warn(
                "docker",
                format!("reached, but project `{project}` has no containers"),
                "Check [compose] project against `docker ps -a --format '{{.Label \"com.docker.compose.project\"}}'`.",
            ));
        }
        let running = containers.iter().filter(|c| c.is_running()).count();
        Ok(Check::ok("docker", format!("{running} of {} containers of `{project}` run", containers.len())))
    }

    async fn check_compose(&self) -> Result<Check, SourceError> {
        let services = self.sources.compose.declared_services().await?;
        Ok(Check::ok("compose", format!("{} services declared", services.len())))
    }

    async fn check_postgres(&self) -> Result<Check, SourceError> {
        let tenants = self.sources.database()?.tenants().await?;
        if tenants.is_empty() {
            return Ok(Check::warn(
                "postgres",
                "reached, but no tenant was found",
                "Check the database in [postgres] url, and [schema] tables for another name of `tenants`.",
            ));
        }
        self.read_tenants().await;
        let limits: Vec<String> = self.state().readings.tenants.last.as_ref().map_or_else(Vec::new, |last| {
            last.value
                .iter()
                .flat_map(|t| t.limits.iter().map(|l| format!("{}: {l}", t.tenant.slug)))
                .collect()
        });
        match limits.first() {
            None => Ok(Check::ok("postgres", format!("{} tenants, all readable", tenants.len()))),
            Some(first) => Ok(Check::warn(
                "postgres",
                format!(
                    "{} of {} tenants can't be read in full; first: {first}",
                    limits.len(),
                    tenants.len()
                ),
                "Map other names of tables and columns under [schema].",
            )),
        }
    }

    async fn check_redis(&self) -> Result<Check, SourceError> {
        let threads = self.sources.threads()?.all().await?;
        let unreadable = threads
            .iter()
            .filter(|t| matches!(t, ratiba_core::model::ThreadRecord::Unreadable { .. }))
            .count();
        if unreadable > 0 {
            return Ok(Check::warn(
                "redis",
                format!("{} threads, {unreadable} of them can't be read", threads.len()),
                "The overview names the keys. They are counted, and never dropped.",
            ));
        }
        Ok(Check::ok("redis", format!("{} threads", threads.len())))
    }

    async fn check_repo(&self) -> Result<Check, SourceError> {
        let commits = self.sources.repo()?.recent_commits(1).await?;
        Ok(Check::ok("repo", commits.first().cloned().unwrap_or_else(|| "no commits".into())))
    }

    fn check_logs(&self) -> Check {
        let missing: Vec<&String> =
            self.profile.logs.files.iter().filter(|f| !Path::new(f).is_file()).collect();
        if let Some(first) = missing.first() {
            return Check::warn(
                "logs",
                format!("{first} is not there"),
                "Correct [logs] files, or start what writes it.",
            );
        }
        match self.profile.logs.files.len() {
            0 => Check::ok("logs", "container logs only; [logs] files names none"),
            n => Check::ok("logs", format!("container logs and {}", counted(n, "file"))),
        }
    }

    fn check_playbooks(&self) -> Check {
        let catalog = self.catalog();
        let is_untrusted = |error: &&ScriptError| error.kind == ScriptErrorKind::Untrusted;
        let errors = || catalog.all().iter().filter_map(|p| p.error.as_ref());
        let broken = errors().find(|error| !is_untrusted(error));
        let untrusted: Vec<String> = errors().filter(is_untrusted).map(ToString::to_string).collect();
        match broken.map(ToString::to_string) {
            None if catalog.all().is_empty() => Check::fail(
                "playbooks",
                "there are none",
                "Reinstall the console, or correct RATIBA_PLAYBOOKS.",
            ),
            None if let Some(first) = untrusted.first() => Check::warn(
                "playbooks",
                format!("{} of {} not trusted yet: {first}", untrusted.len(), catalog.all().len()),
                "Read it; `ratibactl playbooks show ID` prints what trusts it. The others work.",
            ),
            None => Check::ok("playbooks", format!("{} playbooks, all usable", catalog.all().len())),
            Some(first) => Check::fail("playbooks", first, "Fix that playbook; the others work."),
        }
    }
}
