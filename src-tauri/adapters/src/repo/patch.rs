//! Patches of the checkout, by git itself: it knows what applies, and writes all files or none.

use std::{fs, io::ErrorKind, os::unix::fs::PermissionsExt, process::Stdio, time::Duration};

use async_trait::async_trait;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{ChangeError, FileFacts, PatchFacts, Read, RepoChanges},
};
use serde_json::json;
use tokio::{io::AsyncWriteExt, process::Command};

use super::GitCheckout;
use crate::deadline::within;

const DEADLINE: Duration = Duration::from_secs(15);

impl GitCheckout {
    fn error(&self, attempted: &str, happened: String) -> SourceError {
        SourceError {
            source_name: SourceName::Repo,
            kind: SourceErrorKind::Invalid,
            attempted: format!("{attempted} in {}", self.path.display()),
            happened,
            hint: "Look at the checkout with git status.".into(),
        }
    }

    /// Runs git with `input`; its standard output, or what it said when it refused.
    async fn git(&self, args: &[&str], input: &str) -> Read<Result<String, String>> {
        let attempted = format!("git {}", args.first().unwrap_or(&""));
        let failed = |e: std::io::Error| self.error(&attempted, e.to_string());
        within(SourceName::Repo, &attempted, DEADLINE, async {
            let mut child = Command::new("git")
                .arg("-C")
                .arg(&self.path)
                // Not this user's settings: a hook or an alias is no part of the plan.
                .args(["-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"])
                .args(args)
                .env("LC_ALL", "C")
                .env("GIT_OPTIONAL_LOCKS", "0")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .map_err(failed)?;
            if let Some(mut pipe) = child.stdin.take() {
                // A git that refuses early closes its end; its answer says why.
                let _refused = pipe.write_all(input.as_bytes()).await;
            }
            let output = child.wait_with_output().await.map_err(failed)?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            if output.status.success() {
                return Ok(Ok(text(&output.stdout)));
            }
            let said = text(&output.stderr);
            Ok(Err(said.lines().map(|l| l.trim_start_matches("error: ")).collect::<Vec<_>>().join("; ")))
        })
        .await
    }

    /// The paths a patch names, from git's own reading of it.
    async fn paths_of(&self, diff: &str) -> Read<Result<Vec<String>, String>> {
        let listed = self.git(&["apply", "--numstat", "-z", "-"], diff).await?;
        Ok(listed.map(|text| {
            let paths = text.split('\0').filter_map(|row| row.rsplit('\t').next());
            paths.filter(|path| !path.is_empty()).map(str::to_owned).collect()
        }))
    }

    pub(super) fn facts(&self, path: &str) -> Read<FileFacts> {
        let whole = self.path.join(path);
        let bytes = match fs::read(&whole) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(FileFacts { path: path.to_owned(), fingerprint: None, mode: None });
            }
            Err(error) => return Err(self.error(&format!("read {path}"), error.to_string())),
        };
        let mode = fs::metadata(&whole).map(|m| format!("{:o}", m.permissions().mode() & 0o777)).ok();
        let fingerprint = self.key.of(&bytes).map_err(|e| self.error("make a fingerprint", e.to_string()))?;
        Ok(FileFacts { path: path.to_owned(), fingerprint: Some(fingerprint), mode })
    }

    fn all_facts(&self, paths: &[String]) -> Read<Vec<FileFacts>> {
        paths.iter().map(|path| self.facts(path)).collect()
    }

    pub(super) async fn patch_facts(&self, diff: &str, reverse: bool) -> Read<PatchFacts> {
        let paths = match self.paths_of(diff).await? {
            Ok(paths) => paths,
            Err(why) => return Ok(PatchFacts { files: Vec::new(), unclean: Vec::new(), refused: Some(why) }),
        };
        let check: &[&str] =
            if reverse { &["apply", "--check", "-R", "-"] } else { &["apply", "--check", "-"] };
        // A path out of the checkout is refused here, before anything at it is looked at.
        let refused = self.git(check, diff).await?.err();
        if let Some(why) = refused.as_ref().filter(|why| why.contains("invalid path")) {
            let refused = Some(why.clone());
            return Ok(PatchFacts { files: Vec::new(), unclean: Vec::new(), refused });
        }
        let mut status = vec!["status", "--porcelain=v1", "-z", "--no-renames", "--"];
        status.extend(paths.iter().map(String::as_str));
        let unclean = self.git(&status, "").await?.map_err(|why| self.error("git status", why))?;
        let unclean = unclean.split('\0').filter_map(|row| row.get(3..)).map(str::to_owned).collect();
        Ok(PatchFacts { files: self.all_facts(&paths)?, unclean, refused })
    }
}

#[async_trait]
impl RepoChanges for GitCheckout {
    async fn apply(
        &self,
        diff: &str,
        reverse: bool,
        expect: &[FileFacts],
    ) -> Result<Vec<FileFacts>, ChangeError> {
        let paths: Vec<String> = expect.iter().map(|f| f.path.clone()).collect();
        for (planned, now) in expect.iter().zip(self.all_facts(&paths)?) {
            if *planned != now {
                return Err(ChangeError::GuardChanged {
                    what: planned.path.clone(),
                    planned: vec![json!(planned)],
                    now: vec![json!(now)],
                });
            }
        }
        let args: &[&str] = if reverse { &["apply", "-R", "-"] } else { &["apply", "-"] };
        let applied = self.git(args, diff).await?;
        applied.map_err(|why| self.error("git apply", why))?;
        Ok(self.all_facts(&paths)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::FingerprintKey;
    use ratiba_core::ports::Repo;
    use std::{path::Path, sync::Arc};

    const DIFF: &str =
        "--- a/app/names.py\n+++ b/app/names.py\n@@ -1,2 +1,2 @@\n-name = 'old'\n+name = 'new'\n other = 1\n";

    fn checkout(dir: &Path) -> GitCheckout {
        let git = |args: &[&str]| {
            let done = std::process::Command::new("git").arg("-C").arg(dir).args(args).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        git(&["init", "-q"]);
        fs::create_dir(dir.join("app")).unwrap();
        fs::write(dir.join("app/names.py"), "name = 'old'\nother = 1\n").unwrap();
        git(&["add", "."]);
        git(&["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "first"]);
        GitCheckout::new(dir.into(), Arc::new(FingerprintKey::new(dir.join(".git/key"))))
    }

    #[tokio::test]
    async fn a_patch_is_applied_and_taken_out_again_byte_for_byte() {
        let dir = tempfile::tempdir().unwrap();
        let repo = checkout(dir.path());
        let names = || fs::read_to_string(dir.path().join("app/names.py")).unwrap();
        let facts = repo.patch(DIFF, false).await.unwrap();
        assert_eq!((facts.refused.as_deref(), facts.unclean.len()), (None, 0));
        let after = repo.apply(DIFF, false, &facts.files).await.unwrap();
        assert_eq!(names(), "name = 'new'\nother = 1\n");
        assert!(repo.patch(DIFF, false).await.unwrap().refused.is_some());
        let back = repo.apply(DIFF, true, &after).await.unwrap();
        assert_eq!((names().as_str(), back), ("name = 'old'\nother = 1\n", facts.files));
    }

    #[tokio::test]
    async fn a_file_with_changes_of_its_own_is_named_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let repo = checkout(dir.path());
        let planned = repo.patch(DIFF, false).await.unwrap().files;
        fs::write(dir.path().join("app/names.py"), "name = 'old'\nother = 1\nmine = 2\n").unwrap();
        let facts = repo.patch(DIFF, false).await.unwrap();
        assert_eq!(facts.unclean, ["app/names.py"]);
        let refused = repo.apply(DIFF, false, &planned).await;
        assert!(matches!(refused, Err(ChangeError::GuardChanged { .. })), "{refused:?}");
        assert!(fs::read_to_string(dir.path().join("app/names.py")).unwrap().ends_with("mine = 2\n"));
    }

    #[tokio::test]
    async fn a_path_outside_the_checkout_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let repo = checkout(dir.path());
        let evil = DIFF.replace("app/names.py", "../../etc/motd");
        assert!(repo.patch(&evil, false).await.unwrap().refused.is_some());
    }
}
