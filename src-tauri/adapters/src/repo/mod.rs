//! The git checkout the stack runs from.

mod git;
mod history;
mod look;
mod patch;
mod pytest;
mod python;
mod replaced;
mod scratch;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{FileFacts, PatchFacts, PatchOf, PytestCache, PythonFile, Read, Repo, RepoEntry, RepoHistory},
};

use crate::fingerprint::FingerprintKey;

/// A checkout.
pub struct GitCheckout {
    path: PathBuf,
    key: Arc<FingerprintKey>,
}

impl GitCheckout {
    /// The checkout at `path`.
    pub fn new(path: PathBuf, key: Arc<FingerprintKey>) -> Self {
        Self { path, key }
    }
}

#[async_trait]
impl Repo for GitCheckout {
    async fn file(&self, path: &str) -> Read<FileFacts> {
        self.facts(path)
    }

    async fn patch(&self, patch: &PatchOf<'_>) -> Read<PatchFacts> {
        self.patch_facts(patch).await
    }

    async fn entry(&self, path: &str) -> Read<Option<RepoEntry>> {
        self.entry_at(path).await
    }

    async fn list(&self, path: &str) -> Read<Vec<RepoEntry>> {
        self.entries_of(path).await
    }

    async fn text(&self, path: &str) -> Read<Option<String>> {
        self.text_of(path).await
    }

    async fn python(&self, paths: &[String]) -> Read<Vec<PythonFile>> {
        self.python_of(paths).await
    }

    async fn elsewhere(&self, name: &str) -> Read<Vec<String>> {
        self.elsewhere_of(name).await
    }

    async fn history(
        &self,
        base: Option<&str>,
        before: Option<Timestamp>,
        paths: &[String],
    ) -> Read<RepoHistory> {
        self.history_since(base, before, paths).await
    }

    async fn pytest_cache(&self, folder: &str) -> Read<Option<PytestCache>> {
        self.pytest_cache_in(folder)
    }

    async fn recent_commits(&self, count: u32) -> Read<Vec<String>> {
        let attempted = format!("read the commits of {}", self.path.display());
        let trouble = |happened: String| SourceError {
            source_name: SourceName::Repo,
            kind: SourceErrorKind::Missing,
            attempted: attempted.clone(),
            happened,
            hint: "Correct [repo] path: it must be a git checkout.".into(),
        };
        let mut command = git::in_checkout(&self.path);
        // The format is the console's own; the user's aliases and pagers are not.
        command.args(["--no-pager", "log", "--no-color", "--format=%h %cI %s", "-n", &count.to_string()]);
        let answer = git::answer(command, &attempted, b"", Duration::from_secs(5)).await?;
        if answer.code != Some(0) {
            return Err(trouble(answer.err.lines().next().unwrap_or("git failed").to_owned()));
        }
        Ok(answer.out.lines().map(str::to_owned).collect())
    }
}
