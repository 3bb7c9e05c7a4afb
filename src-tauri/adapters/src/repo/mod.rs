//! The git checkout the stack runs from.

mod patch;

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use async_trait::async_trait;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{FileFacts, PatchFacts, Read, Repo},
};
use tokio::process::Command;

use crate::{deadline::within, fingerprint::FingerprintKey};

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

    async fn patch(&self, diff: &str, reverse: bool) -> Read<PatchFacts> {
        self.patch_facts(diff, reverse).await
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
        within(SourceName::Repo, &attempted, Duration::from_secs(5), async {
            let output = Command::new("git")
                .arg("-C")
                .arg(&self.path)
                // The format is the console's own; the user's aliases and pagers are not.
                .args(["--no-pager", "log", "--no-color", "--format=%h %cI %s", "-n", &count.to_string()])
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .output()
                .await
                .map_err(|e| trouble(e.to_string()))?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                return Err(trouble(said.lines().next().unwrap_or("git failed").to_owned()));
            }
            Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
        })
        .await
    }
}
