//! Patches of the checkout, by git itself: it knows what applies, and writes all files or none.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Stdio,
    time::Duration,
};

use async_trait::async_trait;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{ChangeError, FileFacts, PatchChange, PatchFacts, Read, RepoChanges},
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
        let verb = args.iter().find(|arg| !arg.starts_with("--")).unwrap_or(&"");
        let attempted = format!("git {verb}");
        let failed = |e: io::Error| self.error(&attempted, e.to_string());
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

    /// Why these are not files that git tracks and knows as they are, where that is so.
    async fn untracked(&self, diff: &str, paths: &[String]) -> Read<Option<String>> {
        let failed = |why: String| self.error("look at the files of the patch", why);
        let summary = self.git(&["apply", "--summary", "-"], diff).await?.map_err(failed)?;
        if summary.lines().any(|line| line.starts_with(" rename ") || line.starts_with(" copy ")) {
            return Ok(Some(
                "it renames or copies a file; write that as one file removed and one added".into(),
            ));
        }
        let listed = [&["--literal-pathspecs", "ls-files", "-v", "-z", "--"][..], &as_args(paths)].concat();
        let listed = self.git(&listed, "").await?.map_err(failed)?;
        let tracked: BTreeMap<&str, &str> =
            listed.split('\0').filter_map(|row| row.split_once(' ')).map(|(tag, path)| (path, tag)).collect();
        let mut new = Vec::new();
        for path in paths {
            match tracked.get(path.as_str()) {
                Some(&"H") => {}
                Some(_) => {
                    return Ok(Some(format!(
                        "git is told to overlook changes of {path}, or it is in a conflict"
                    )));
                }
                None if fs::symlink_metadata(self.path.join(path)).is_ok() => {
                    return Ok(Some(not_tracked(path)));
                }
                None => new.push(path.clone()),
            }
        }
        if new.is_empty() {
            return Ok(None);
        }
        // It ends with 1 where none is ignored.
        let ignored =
            self.git(&["check-ignore", "--stdin", "-z"], &new.join("\0")).await?.unwrap_or_default();
        Ok(ignored.split('\0').find(|path| !path.is_empty()).map(not_tracked))
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
        // What an undo meets was put there by this console: a file that it made is not tracked.
        if !reverse
            && refused.is_none()
            && let Some(why) = self.untracked(diff, &paths).await?
        {
            return Ok(PatchFacts { files: Vec::new(), unclean: Vec::new(), refused: Some(why) });
        }
        let status = [
            "--literal-pathspecs",
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--",
        ];
        let status = [&status[..], &as_args(&paths)].concat();
        let unclean = self.git(&status, "").await?.map_err(|why| self.error("git status", why))?;
        let unclean = unclean.split('\0').filter_map(|row| row.get(3..)).map(str::to_owned).collect();
        Ok(PatchFacts { files: self.all_facts(&paths)?, unclean, refused })
    }
}

fn as_args(paths: &[String]) -> Vec<&str> {
    paths.iter().map(String::as_str).collect()
}

fn not_tracked(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
    let instead = if name.starts_with(".env") { "; a key of it is set with step::dotenv" } else { "" };
    format!("git does not track {path}, and a patch is only onto files that it tracks{instead}")
}

fn mode_of(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|meta| meta.permissions().mode() & 0o777)
}

/// The mode that a file had before git made it anew by the umask; git's own word on whether it is a
/// program holds.
fn kept_mode(before: u32, made: u32) -> u32 {
    match (before & 0o100 != 0, made & 0o100 != 0) {
        (false, true) => before | ((before & 0o444) >> 2),
        (true, false) => before & !0o111,
        _ => before,
    }
}

#[async_trait]
impl RepoChanges for GitCheckout {
    async fn apply(&self, change: &PatchChange<'_>) -> Result<Vec<FileFacts>, ChangeError> {
        let paths: Vec<String> = change.expect.iter().map(|f| f.path.clone()).collect();
        for (planned, now) in change.expect.iter().zip(self.all_facts(&paths)?) {
            if *planned != now {
                return Err(ChangeError::GuardChanged {
                    what: planned.path.clone(),
                    planned: vec![json!(planned)],
                    now: vec![json!(now)],
                });
            }
        }
        let before: Vec<Option<u32>> = paths.iter().map(|path| mode_of(&self.path.join(path))).collect();
        let args: &[&str] = if change.reverse { &["apply", "-R", "-"] } else { &["apply", "-"] };
        let applied = self.git(args, change.diff).await?;
        applied.map_err(|why| self.error("git apply", why))?;
        for (path, before) in paths.iter().zip(before) {
            let whole = self.path.join(path);
            let Some(made) = mode_of(&whole) else { continue };
            let wanted = change
                .modes
                .and_then(|modes| modes.get(path))
                .and_then(|mode| u32::from_str_radix(mode, 8).ok());
            let Some(wanted) = wanted.or(before).map(|mode| kept_mode(mode, made)) else { continue };
            let kept = keep_mode(&whole, made, wanted);
            kept.map_err(|e| self.error(&format!("give {path} its mode back"), e.to_string()))?;
        }
        Ok(self.all_facts(&paths)?)
    }
}

fn keep_mode(path: &Path, made: u32, wanted: u32) -> io::Result<()> {
    if made == wanted || fs::symlink_metadata(path)?.is_symlink() {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(wanted))
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

    fn change<'a>(diff: &'a str, reverse: bool, expect: &'a [FileFacts]) -> PatchChange<'a> {
        PatchChange { diff, reverse, expect, modes: None }
    }

    #[tokio::test]
    async fn what_git_does_not_track_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let repo = checkout(dir.path());
        fs::write(dir.path().join(".gitignore"), ".env*\n").unwrap();
        fs::write(dir.path().join(".env"), "A=1\n").unwrap();
        fs::write(dir.path().join("mine.txt"), "A=1\n").unwrap();
        let edit = |name: &str| format!("--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-A=1\n+A=2\n");
        let new = |name: &str| format!("--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+A=1\n");
        let moved =
            "diff --git a/.env b/app/env\nsimilarity index 100%\nrename from .env\nrename to app/env\n";
        let refused = async |diff: &str| repo.patch(diff, false).await.unwrap().refused.unwrap_or_default();
        let said = refused(&edit(".env")).await;
        assert!(said.contains("does not track .env") && said.contains("step::dotenv"), "{said}");
        assert!(refused(&edit("mine.txt")).await.contains("does not track mine.txt"));
        assert!(refused(&new(".env.local")).await.contains("does not track .env.local"));
        assert!(refused(moved).await.contains("renames"), "{}", refused(moved).await);
        assert_eq!(refused(&new("app/fine.txt")).await, "");
    }

    #[tokio::test]
    async fn a_file_keeps_its_mode_and_git_decides_whether_it_is_a_program() {
        let dir = tempfile::tempdir().unwrap();
        let repo = checkout(dir.path());
        let path = dir.path().join("app/names.py");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let program = DIFF.replace(
            "--- a/",
            "diff --git a/app/names.py b/app/names.py\nold mode 100644\nnew mode 100755\n--- a/",
        );
        for (diff, patched) in [(DIFF, 0o640), (&program, 0o750)] {
            let facts = repo.patch(diff, false).await.unwrap();
            let after = repo.apply(&change(diff, false, &facts.files)).await.unwrap();
            assert_eq!(mode_of(&path), Some(patched));
            repo.apply(&change(diff, true, &after)).await.unwrap();
            assert_eq!(mode_of(&path), Some(0o640));
        }
    }

    #[tokio::test]
    async fn a_patch_is_applied_and_taken_out_again_byte_for_byte() {
        let dir = tempfile::tempdir().unwrap();
        let repo = checkout(dir.path());
        let names = || fs::read_to_string(dir.path().join("app/names.py")).unwrap();
        let facts = repo.patch(DIFF, false).await.unwrap();
        assert_eq!((facts.refused.as_deref(), facts.unclean.len()), (None, 0));
        let after = repo.apply(&change(DIFF, false, &facts.files)).await.unwrap();
        assert_eq!(names(), "name = 'new'\nother = 1\n");
        assert!(repo.patch(DIFF, false).await.unwrap().refused.is_some());
        let back = repo.apply(&change(DIFF, true, &after)).await.unwrap();
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
        let refused = repo.apply(&change(DIFF, false, &planned)).await;
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
