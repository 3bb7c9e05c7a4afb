//! Patches of the checkout: git says what a patch makes of the files, beside the checkout, and all of
//! them are put in their places or none.

use std::{collections::BTreeMap, fs, path::Path};

use async_trait::async_trait;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{ChangeError, FileFacts, PatchChange, PatchFacts, PatchOf, Read, RepoChanges},
};
use serde_json::json;

use crate::for_a_shell;

use super::{
    GitCheckout,
    git::{Answer, DEADLINE, answer, in_checkout},
    replaced::{NotReplaced, Wanted, remove_empty_above, staged},
    scratch::{Content, Scratch, content},
};

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

    /// Git's answer about the checkout.
    async fn git(&self, args: &[&str], input: &str) -> Read<Answer> {
        let verb = args.iter().find(|arg| !arg.starts_with("--")).unwrap_or(&"");
        let attempted = format!("git {verb} in {}", self.path.display());
        let mut command = in_checkout(&self.path);
        command.args(args);
        answer(command, &attempted, input.as_bytes(), DEADLINE).await
    }

    /// Why these are not files that git tracks and knows as they are, where that is so.
    async fn untracked(&self, paths: &[String]) -> Read<Option<String>> {
        let failed = |why: String| self.error("look at the files of the patch", why);
        let listed = [&["--literal-pathspecs", "ls-files", "-v", "-z", "--"][..], &as_args(paths)].concat();
        let listed = self.git(&listed, "").await?.printed().map_err(failed)?;
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
        let ignored = self.git(&["check-ignore", "--stdin", "-z"], &new.join("\0")).await?;
        // It ends with 1 where none is ignored.
        let ignored =
            if ignored.code == Some(1) { String::new() } else { ignored.printed().map_err(failed)? };
        Ok(ignored.split('\0').find(|path| !path.is_empty()).map(not_tracked))
    }

    /// Those that are not as git last knew them.
    async fn unclean(&self, paths: &[String]) -> Read<Vec<String>> {
        let status = [
            "--literal-pathspecs",
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--",
        ];
        let status = [&status[..], &as_args(paths)].concat();
        let unclean = self.git(&status, "").await?.printed().map_err(|why| self.error("git status", why))?;
        Ok(unclean.split('\0').filter_map(|row| row.get(3..)).map(str::to_owned).collect())
    }

    /// Why what is at these paths, or above them, can't be patched: git writes through no link, and
    /// neither does this.
    fn no_file(&self, paths: &[String]) -> Option<String> {
        for path in paths {
            let mut whole = self.path.clone();
            let mut parts = Path::new(path).components().peekable();
            while let Some(part) = parts.next() {
                whole.push(part);
                let Ok(meta) = fs::symlink_metadata(&whole) else { break };
                let fits = if parts.peek().is_none() { meta.is_file() } else { meta.is_dir() };
                if !fits {
                    let is = if meta.is_symlink() { "a link" } else { "something else" };
                    let what = whole.strip_prefix(&self.path).unwrap_or(&whole).display();
                    return Some(format!(
                        "{what} is {is}, and a patch is only onto files, with folders above them"
                    ));
                }
            }
        }
        None
    }

    fn content(&self, path: &str) -> Read<Option<Content>> {
        content(&self.path.join(path)).map_err(|e| self.error(&format!("read {path}"), e.to_string()))
    }

    fn facts_of(&self, path: &str, content: Option<&Content>) -> Read<FileFacts> {
        let of =
            |bytes: &[u8]| self.key.of(bytes).map_err(|e| self.error("make a fingerprint", e.to_string()));
        let fingerprint = content.map(|c| of(&c.bytes)).transpose()?;
        Ok(FileFacts { path: path.to_owned(), fingerprint, mode: content.map(|c| format!("{:o}", c.mode)) })
    }

    pub(super) fn facts(&self, path: &str) -> Read<FileFacts> {
        let meta = fs::symlink_metadata(self.path.join(path));
        if let Some(meta) = meta.ok().filter(|meta| !meta.is_file()) {
            let mode = Some(if meta.is_symlink() { "link" } else { "no file" }.to_owned());
            return Ok(FileFacts { path: path.to_owned(), fingerprint: None, mode });
        }
        self.facts_of(path, self.content(path)?.as_ref())
    }

    fn contents(&self, paths: &[String]) -> Read<BTreeMap<String, Content>> {
        let mut found = BTreeMap::new();
        for path in paths {
            if let Some(content) = self.content(path)? {
                found.insert(path.clone(), content);
            }
        }
        Ok(found)
    }

    pub(super) async fn patch_facts(&self, of: &PatchOf<'_>) -> Read<PatchFacts> {
        let refused =
            |why: String| Ok(PatchFacts { files: Vec::new(), unclean: Vec::new(), refused: Some(why) });
        let scratch = Scratch::new().await?;
        // A path out of the checkout is refused here, before anything at it is looked at.
        let paths = match scratch.paths(of.diff).await? {
            Ok(paths) => paths,
            Err(why) => return refused(why),
        };
        if let Some(why) = self.no_file(&paths) {
            return refused(why);
        }
        let changed = changed(&paths, of);
        // What an undo meets was put there by this console: a file that it made is not tracked.
        if !of.reverse
            && let Some(why) = self.untracked(&changed).await?
        {
            return refused(why);
        }
        let before = self.contents(&changed)?;
        let patched = patched(&scratch, of, &before).await?;
        let facts = |path: &String| match before.get(path) {
            Some(content) => self.facts_of(path, Some(content)),
            None => self.facts(path),
        };
        Ok(PatchFacts {
            files: paths.iter().map(facts).collect::<Read<_>>()?,
            unclean: self.unclean(&changed).await?,
            refused: patched.err(),
        })
    }

    /// Files that are not as they must be.
    fn still(&self, expect: &[FileFacts]) -> Result<(), ChangeError> {
        for planned in expect {
            let now = self.facts(&planned.path)?;
            if *planned != now {
                return Err(ChangeError::GuardChanged {
                    what: planned.path.clone(),
                    planned: vec![json!(planned)],
                    now: vec![json!(now)],
                });
            }
        }
        Ok(())
    }

    fn not_replaced(&self, trouble: NotReplaced) -> SourceError {
        let name = |path: &Path| path.strip_prefix(&self.path).unwrap_or(path).display().to_string();
        match trouble {
            NotReplaced::Untouched { path, why } => SourceError {
                hint: "Make room, or correct the rights there, then make the plan again.".into(),
                ..self.error(&format!("patch {}", name(&path)), format!("{why}; all files are as before"))
            },
            NotReplaced::Half { why, cut, kept } => {
                let files: Vec<String> = cut.iter().map(|path| for_a_shell::quoted(&name(path))).collect();
                let hint = "Correct what is in the way there, then go on with the run or take it back: it \
                            is known of each file whether it has the patch.";
                SourceError {
                    hint: hint.into(),
                    ..self.error(
                        "apply the patch",
                        format!(
                            "{why}; these are patched already and could not be put back: {}. What they were is \
                             also in {}",
                            files.join(", "),
                            kept.display()
                        ),
                    )
                }
            }
        }
    }
}

/// Lets git apply the patch to these files, beside the checkout; or why it does not apply.
async fn patched(
    scratch: &Scratch,
    of: &PatchOf<'_>,
    before: &BTreeMap<String, Content>,
) -> Read<Result<(), String>> {
    for (path, content) in before {
        scratch.put(path, content)?;
    }
    let applied = scratch.apply(of).await?;
    let has_crlf = |content: &Content| content.bytes.windows(2).any(|w| w == b"\r\n");
    Ok(applied.map_err(|why| {
        if !of.diff.contains('\r') && before.values().any(has_crlf) {
            return format!("{why}; the file has CRLF line ends and the patch has not");
        }
        why
    }))
}

/// Those of a patch's files that it changes.
fn changed(paths: &[String], of: &PatchOf<'_>) -> Vec<String> {
    paths.iter().filter(|path| !of.leaves(path)).cloned().collect()
}

fn as_args(paths: &[String]) -> Vec<&str> {
    paths.iter().map(String::as_str).collect()
}

fn not_tracked(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
    let instead = if name.starts_with(".env") { "; a key of it is set with step::dotenv" } else { "" };
    format!("git does not track {path}, and a patch is only onto files that it tracks{instead}")
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

impl GitCheckout {
    /// What a patch makes of the files that it changes, by path. Nothing of the checkout is changed.
    async fn made(&self, change: &PatchChange<'_>) -> Result<Vec<(String, Option<Content>)>, ChangeError> {
        let refused = |why: String| self.error("apply the patch", format!("{why}; nothing was changed"));
        self.still(change.expect)?;
        let scratch = Scratch::new().await?;
        let paths = scratch.paths(change.of.diff).await?.map_err(refused)?;
        let is_unplanned = |path: &&String| !change.expect.iter().any(|facts| facts.path == **path);
        if let Some(path) = paths.iter().find(is_unplanned) {
            return Err(
                refused(format!("it patches {path}, of which the plan does not say how it must be")).into()
            );
        }
        if let Some(why) = self.no_file(&paths) {
            return Err(refused(why).into());
        }
        let paths = changed(&paths, &change.of);
        let before = self.contents(&paths)?;
        patched(&scratch, &change.of, &before).await?.map_err(refused)?;
        let mut all = Vec::new();
        for path in paths {
            let given = change.modes.and_then(|modes| modes.get(&path));
            let given = given.and_then(|mode| u32::from_str_radix(mode, 8).ok());
            let had = given.or(before.get(&path).map(|content| content.mode));
            let made = scratch.take(&path)?;
            if let Some(contents) = change.contents
                && self.facts_of(&path, made.as_ref())?.fingerprint.as_ref() != contents.get(&path)
            {
                let why = format!("taken out, it does not leave {path} as it was before the run");
                return Err(refused(format!("{why}; correct that file by hand")).into());
            }
            let becomes = made
                .map(|made| Content { mode: had.map_or(made.mode, |had| kept_mode(had, made.mode)), ..made });
            all.push((path, becomes));
        }
        Ok(all)
    }
}

#[async_trait]
impl RepoChanges for GitCheckout {
    async fn becomes(&self, change: &PatchChange<'_>) -> Result<Vec<FileFacts>, ChangeError> {
        let made = self.made(change).await?;
        let becomes = |facts: &FileFacts| match made.iter().find(|(path, _)| *path == facts.path) {
            Some((path, content)) => self.facts_of(path, content.as_ref()),
            None => Ok(facts.clone()),
        };
        Ok(change.expect.iter().map(becomes).collect::<Read<_>>()?)
    }

    async fn apply(&self, change: &PatchChange<'_>) -> Result<Vec<FileFacts>, ChangeError> {
        let made = self.made(change).await?;
        let wanted = made.into_iter().map(|(path, becomes)| Wanted { path: self.path.join(path), becomes });
        let git_dir = self.git(&["rev-parse", "--absolute-git-dir"], "").await?.printed();
        let git_dir = git_dir.map_err(|why| self.error("find git's folder", why))?;
        let git_dir = Path::new(git_dir.trim_end_matches('\n'));
        let ready =
            staged(&self.path, git_dir, wanted.collect()).map_err(|trouble| self.not_replaced(trouble))?;
        // What was patched beside is what is replaced.
        self.still(change.expect)?;
        ready.put().map_err(|trouble| self.not_replaced(trouble))?;
        let after: Vec<FileFacts> =
            change.expect.iter().map(|facts| self.facts(&facts.path)).collect::<Read<_>>()?;
        // A run that was killed half-way has made and emptied folders.
        for gone in after.iter().filter(|facts| facts.mode.is_none() && !change.of.in_place.is_empty()) {
            remove_empty_above(&self.path, &self.path.join(&gone.path));
        }
        Ok(after)
    }
}
