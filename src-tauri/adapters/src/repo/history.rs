//! What was done to the checkout, and how it differs from what it was.

use std::time::Duration;

use jiff::Timestamp;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{Read, RepoHistory},
};

use super::{GitCheckout, git};

const DEADLINE: Duration = Duration::from_secs(5);
/// Moves that are told.
const MOVES: &str = "30";
/// Files of a difference that are told.
const FILES: usize = 40;

impl GitCheckout {
    pub(super) async fn history_since(
        &self,
        base: Option<&str>,
        before: Option<Timestamp>,
        paths: &[String],
    ) -> Read<RepoHistory> {
        let head = self.said(&["rev-parse", "--short=12", "HEAD"]).await?.trim().to_owned();
        let (branch, moves, base) = tokio::join!(
            self.said(&["rev-parse", "--abbrev-ref", "HEAD"]),
            self.said(&["reflog", "show", "--format=%gd%x09%gs", "--date=iso-strict", "-n", MOVES, "HEAD"]),
            self.base(base, before),
        );
        let base = base?;
        let diff_stat = match &base {
            Some(base) => self.diff_stat(base, paths).await?,
            None => Vec::new(),
        };
        let branch = branch?.trim().to_owned();
        Ok(RepoHistory {
            head,
            branch: if branch == "HEAD" { String::new() } else { branch },
            // A checkout without a reflog is no trouble: then nothing is known of its moves.
            moves: moves.map(|text| text.lines().filter_map(one_move).collect()).unwrap_or_default(),
            base,
            diff_stat,
        })
    }

    /// The commit to begin with, in full.
    async fn base(&self, base: Option<&str>, before: Option<Timestamp>) -> Read<Option<String>> {
        if let Some(base) = base {
            let named = format!("{base}^{{commit}}");
            // One that is gone, as after a rebase, is nothing to begin with.
            if let Ok(found) =
                self.said(&["rev-parse", "--verify", "--quiet", "--end-of-options", &named]).await
            {
                return Ok(Some(found.trim().to_owned()));
            }
        }
        let Some(before) = before else { return Ok(None) };
        let before = format!("--before={before}");
        let found = self.said(&["rev-list", "-1", &before, "HEAD"]).await?;
        Ok(Some(found.trim().to_owned()).filter(|commit| !commit.is_empty()))
    }

    async fn diff_stat(&self, base: &str, paths: &[String]) -> Read<Vec<String>> {
        let mut args = vec!["--no-pager", "diff", "--no-color", "--no-ext-diff", "--stat=100", base, "--"];
        args.extend(paths.iter().map(String::as_str));
        let said = self.said(&args).await?;
        let mut lines: Vec<String> = said.lines().map(|line| line.trim().to_owned()).collect();
        if lines.len() > FILES + 1 {
            let last = lines.pop();
            let more = lines.len() - FILES;
            lines.truncate(FILES);
            lines.push(format!("and {more} more files"));
            lines.extend(last);
        }
        Ok(lines)
    }

    async fn said(&self, args: &[&str]) -> Read<String> {
        let attempted = format!("look what was done to {}", self.path.display());
        let mut command = git::in_checkout(&self.path);
        command.args(args);
        let answer = git::answer(command, &attempted, b"", DEADLINE).await?;
        answer.printed().map_err(|happened| SourceError {
            source_name: SourceName::Repo,
            kind: SourceErrorKind::Missing,
            attempted,
            happened,
            hint: "Correct [repo] path: it must be a git checkout with a commit.".into(),
        })
    }
}

/// `HEAD@{2026-11-26T10:00:00+03:00}<tab>pull: Fast-forward`
fn one_move(line: &str) -> Option<(Timestamp, String)> {
    let (at, what) = line.split_once('\t')?;
    let at = at.split_once("@{")?.1.strip_suffix('}')?;
    Some((at.parse().ok()?, what.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::{path::Path, process::Command, sync::Arc};

    use ratiba_core::ports::Repo as _;

    use super::*;
    use crate::fingerprint::FingerprintKey;

    fn run(dir: &Path, date: &str, args: &[&str]) {
        let done = Command::new("git")
            .arg("-C")
            .arg(dir)
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
            .args(args)
            .env("GIT_COMMITTER_DATE", date)
            .env("GIT_AUTHOR_DATE", date)
            .output()
            .unwrap();
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    #[tokio::test]
    async fn moves_and_the_difference_since_a_time_or_a_commit_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let (early, late) = ("2026-11-26T08:00:00Z", "2026-11-26T10:00:00Z");
        run(dir.path(), early, &["init", "-q", "-b", "main"]);
        for (name, date) in [("backend", early), ("docs", late)] {
            std::fs::write(dir.path().join(format!("{name}.txt")), "one\n").unwrap();
            run(dir.path(), date, &["add", "."]);
            run(dir.path(), date, &["commit", "-q", "-m", name]);
        }
        run(dir.path(), late, &["checkout", "-q", "-b", "feature"]);
        std::fs::write(dir.path().join("backend.txt"), "one\ntwo\n").unwrap();
        let checkout =
            GitCheckout::new(dir.path().into(), Arc::new(FingerprintKey::new(dir.path().join("key"))));
        let paths = ["backend.txt".to_owned()];
        let told = checkout.history(None, "2026-11-26T09:00:00Z".parse().ok(), &paths).await.unwrap();
        assert_eq!((told.branch.as_str(), told.moves.len()), ("feature", 3));
        assert!(told.moves[0].1.contains("checkout: moving from main to feature"), "{:?}", told.moves);
        assert_eq!(told.moves[0].0, late.parse().unwrap());
        assert!(
            told.diff_stat[0].starts_with("backend.txt"),
            "an edit without a commit: {:?}",
            told.diff_stat
        );
        let all = checkout.history(told.base.as_deref(), None, &[]).await.unwrap();
        assert_eq!(all.diff_stat.len(), 3, "{:?}", all.diff_stat);

        let touched = std::fs::File::options().write(true).open(dir.path().join("docs.txt")).unwrap();
        touched.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        let index = || std::fs::metadata(dir.path().join(".git/index")).unwrap().modified().unwrap();
        let before = index();
        let again = checkout.history(told.base.as_deref(), None, &[]).await.unwrap();
        assert_eq!(again.diff_stat, all.diff_stat, "a new time alone is no change");
        assert_eq!(index(), before, "git's own index is not written");

        let gone = checkout.history(Some("0123456789abcdef"), None, &[]).await.unwrap();
        assert_eq!((gone.base, gone.diff_stat.len()), (None, 0));
        let odd = checkout.history(Some("--output=/tmp/x"), None, &[]).await.unwrap();
        assert_eq!(odd.base, None, "an option is no commit");
    }
}
