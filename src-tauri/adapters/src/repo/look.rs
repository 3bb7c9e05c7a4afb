//! Files and folders of the checkout, as they are in the working tree.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{PythonFile, Read, RepoEntry},
};

use super::{GitCheckout, git, python};

const DEADLINE: Duration = Duration::from_secs(5);
/// The longest file that is read, in bytes.
const LARGEST: u64 = 256 * 1_024;
/// The most entries of a folder that are told.
const MOST: usize = 2_000;

impl GitCheckout {
    pub(super) fn trouble(&self, path: &str, kind: SourceErrorKind, happened: impl ToString) -> SourceError {
        SourceError {
            source_name: SourceName::Repo,
            kind,
            attempted: format!("look at {path} in {}", self.path.display()),
            happened: happened.to_string(),
            hint: "Correct [repo] path in the profile, or look by hand.".into(),
        }
    }

    /// Where a path of the checkout leads; `None`: nowhere. One that leads out of it is refused.
    pub(super) fn inside(&self, path: &str) -> Read<Option<PathBuf>> {
        let plain =
            Path::new(path).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        if !plain {
            return Err(self.trouble(path, SourceErrorKind::Denied, "it leads out of the checkout"));
        }
        let unreadable = |e: io::Error| self.trouble(path, SourceErrorKind::Invalid, e);
        let root = fs::canonicalize(&self.path).map_err(unreadable)?;
        match fs::canonicalize(root.join(path)) {
            Ok(found) if found.starts_with(&root) => Ok(Some(found)),
            Ok(_) => Err(self.trouble(path, SourceErrorKind::Denied, "it leads out of the checkout")),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(e) => Err(unreadable(e)),
        }
    }

    /// The paths that git tracks among these and below them, as the checkout's folder sees them.
    async fn tracked(&self, paths: &[String]) -> Read<BTreeSet<String>> {
        self.listed(&["ls-files", "-z"], paths).await
    }

    /// Those that git tracks and that are not as the newest commit has them.
    async fn edited(&self, paths: &[String]) -> Read<BTreeSet<String>> {
        let mut all = self.listed(&["ls-files", "-z", "--modified"], paths).await?;
        let staged = ["diff", "-z", "--cached", "--name-only", "--no-renames", "--relative"];
        all.extend(self.listed(&staged, paths).await?);
        Ok(all)
    }

    async fn listed(&self, what: &[&str], paths: &[String]) -> Read<BTreeSet<String>> {
        let attempted = "ask git which files it knows";
        let mut command = git::in_checkout(&self.path);
        command.arg("--literal-pathspecs").args(what).arg("--").args(paths);
        let answer = git::answer(command, attempted, b"", DEADLINE).await?;
        let known = answer.printed().map_err(|why| self.trouble("", SourceErrorKind::Invalid, why))?;
        Ok(known.split('\0').filter(|p| !p.is_empty()).map(str::to_owned).collect())
    }

    pub(super) async fn entry_at(&self, path: &str) -> Read<Option<RepoEntry>> {
        let Some(found) = self.inside(path)? else { return Ok(None) };
        let tracked = self.tracked(&[path.to_owned()]).await?;
        self.told(path, &found, &tracked).map(Some)
    }

    pub(super) async fn entries_of(&self, path: &str) -> Read<Vec<RepoEntry>> {
        let Some(dir) = self.inside(path)? else { return Ok(Vec::new()) };
        let tracked = self.tracked(&[path.to_owned()]).await?;
        let read = fs::read_dir(&dir).map_err(|e| self.trouble(path, SourceErrorKind::Invalid, e))?;
        let mut names: Vec<String> =
            read.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        if names.len() > MOST {
            let what = format!("it holds more than {MOST} entries");
            return Err(self.trouble(path, SourceErrorKind::Invalid, what));
        }
        let under = path.trim_end_matches('/');
        let at =
            |name: &String| if matches!(under, "" | ".") { name.clone() } else { format!("{under}/{name}") };
        names.iter().map(|name| self.told(&at(name), &dir.join(name), &tracked)).collect()
    }

    fn told(&self, path: &str, found: &Path, tracked: &BTreeSet<String>) -> Read<RepoEntry> {
        let facts =
            fs::symlink_metadata(found).map_err(|e| self.trouble(path, SourceErrorKind::Invalid, e))?;
        let kind = match (facts.is_dir(), facts.is_symlink()) {
            (true, _) => "folder",
            (_, true) => "link",
            _ => "file",
        };
        let below = format!("{}/", path.trim_end_matches('/'));
        Ok(RepoEntry {
            path: path.to_owned(),
            name: path.rsplit('/').next().unwrap_or(path).to_owned(),
            kind: kind.to_owned(),
            modified: facts.modified().ok().and_then(|at| Timestamp::try_from(at).ok()),
            tracked: tracked.contains(path) || tracked.iter().any(|known| known.starts_with(&below)),
        })
    }

    /// A file's text. What git ignores may hold secrets, and so may any `.env`.
    pub(super) async fn text_of(&self, path: &str) -> Read<Option<String>> {
        let Some(found) = self.inside(path)? else { return Ok(None) };
        let secret = "it may hold secrets: git ignores it, or it is a .env";
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.starts_with(".env") || self.is_ignored(path).await? {
            return Err(self.trouble(path, SourceErrorKind::Denied, secret));
        }
        self.read_text(path, &found).map(Some)
    }

    fn read_text(&self, path: &str, found: &Path) -> Read<String> {
        let failed = |e: io::Error| self.trouble(path, SourceErrorKind::Invalid, e);
        let facts = fs::metadata(found).map_err(failed)?;
        if !facts.is_file() || facts.len() > LARGEST {
            let what = format!("it is no file of at most {} KiB", LARGEST >> 10);
            return Err(self.trouble(path, SourceErrorKind::Invalid, what));
        }
        Ok(String::from_utf8_lossy(&fs::read(found).map_err(failed)?).into_owned())
    }

    async fn is_ignored(&self, path: &str) -> Read<bool> {
        let mut command = git::in_checkout(&self.path);
        command.args(["check-ignore", "--quiet", "--", path]);
        let answer = git::answer(command, "ask git what it ignores", b"", DEADLINE).await?;
        match answer.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(self.trouble(path, SourceErrorKind::Invalid, answer.err.trim())),
        }
    }

    pub(super) async fn python_of(&self, paths: &[String]) -> Read<Vec<PythonFile>> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let tracked = self.tracked(paths).await?;
        let edited = self.edited(paths).await?;
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let Some(found) = self.inside(path)? else { continue };
            let read = python::constants(&self.read_text(path, &found)?);
            files.push(PythonFile {
                path: path.clone(),
                tracked: tracked.contains(path),
                edited: edited.contains(path),
                names: read.names,
                lines: read.lines,
                error: read.error,
            });
        }
        Ok(files)
    }

    /// All branches, those of remotes too. Git's own list is asked once a branch: there are few.
    pub(super) async fn elsewhere_of(&self, name: &str) -> Read<Vec<String>> {
        let attempted = "look for a file on other branches";
        let mut command = git::in_checkout(&self.path);
        command.args(["for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes"]);
        let listed = git::answer(command, attempted, b"", DEADLINE).await?.printed();
        let listed = listed.map_err(|why| self.trouble("", SourceErrorKind::Invalid, why))?;
        let mut found = Vec::new();
        for branch in listed.lines().filter(|b| !b.is_empty()).take(200) {
            let mut command = git::in_checkout(&self.path);
            command.args(["ls-tree", "-r", "-z", "--name-only", branch]);
            let Ok(paths) = git::answer(command, attempted, b"", DEADLINE).await?.printed() else { continue };
            let with = paths.split('\0').filter(|p| p.rsplit('/').next().is_some_and(|n| n.contains(name)));
            found.extend(with.map(|path| format!("{branch}:{path}")));
        }
        Ok(found)
    }
}
