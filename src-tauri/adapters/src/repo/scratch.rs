//! What a patch makes of files, found out beside the checkout: in a folder of the console's own,
//! where no setting and no attribute of anybody changes a byte.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::PermissionsExt,
    path::{Component, Path},
};

use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{PatchOf, Read},
};
use tempfile::TempDir;

use super::git::{DEADLINE, answer, on_its_own};

/// Of a file's mode: who may do what, and as whom it runs.
pub(super) const MODE: u32 = 0o7777;

/// A file's bytes, and its mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub bytes: Vec<u8>,
    pub mode: u32,
}

/// Above every `.gitattributes`: what is in a patch is what is written.
const ATTRIBUTES: &str = "* -text !eol -filter -ident !working-tree-encoding -whitespace\n";

/// An empty repository that is gone again when it is dropped.
pub(super) struct Scratch {
    dir: TempDir,
}

fn trouble(attempted: &str, happened: String) -> SourceError {
    SourceError {
        source_name: SourceName::Repo,
        kind: SourceErrorKind::Invalid,
        attempted: attempted.to_owned(),
        happened,
        hint: "Check that there is room in the folder for temporary files ($TMPDIR, or /tmp).".into(),
    }
}

impl Scratch {
    pub async fn new() -> Read<Self> {
        let attempted = "make a folder to try a patch in";
        let failed = |e: io::Error| trouble(attempted, e.to_string());
        let dir = tempfile::Builder::new().prefix("ratiba-patch-").tempdir().map_err(failed)?;
        let scratch = Self { dir };
        scratch.git(&["init", "-q", "--template="], "").await?.map_err(|why| trouble(attempted, why))?;
        let info = scratch.dir.path().join(".git/info");
        fs::create_dir_all(&info).map_err(failed)?;
        fs::write(info.join("attributes"), ATTRIBUTES).map_err(failed)?;
        Ok(scratch)
    }

    async fn git(&self, args: &[&str], input: &str) -> Read<Result<String, String>> {
        let mut command = on_its_own(self.dir.path());
        command.args(args);
        let verb = args.first().unwrap_or(&"");
        Ok(answer(command, &format!("git {verb} beside the checkout"), input.as_bytes(), DEADLINE)
            .await?
            .printed())
    }

    /// The paths that a patch names, by git's own reading of it; or why it can't be used.
    pub async fn paths(&self, diff: &str) -> Read<Result<Vec<String>, String>> {
        let listed = match self.git(&["apply", "-p1", "--numstat", "-z", "-"], diff).await? {
            Ok(listed) => listed,
            Err(why) => return Ok(Err(why)),
        };
        let mut paths: Vec<String> = Vec::new();
        for path in listed.split('\0').filter_map(|row| row.splitn(3, '\t').nth(2)) {
            if let Some(why) = no_path(path) {
                return Ok(Err(why));
            }
            if !paths.iter().any(|known| known == path) {
                paths.push(path.to_owned());
            }
        }
        if paths.is_empty() {
            return Ok(Err("it names no file".into()));
        }
        let summary = match self.git(&["apply", "-p1", "--summary", "-"], diff).await? {
            Ok(summary) => summary,
            Err(why) => return Ok(Err(why)),
        };
        if summary.lines().any(|line| line.starts_with(" rename ") || line.starts_with(" copy ")) {
            return Ok(Err(
                "it renames or copies a file; write that as one file removed and one added".into()
            ));
        }
        if summary.lines().any(makes_no_file) {
            return Ok(Err("it makes a link or a submodule, and a patch is only of files".into()));
        }
        Ok(Ok(paths))
    }

    /// Puts a file there as it is before the patch.
    pub fn put(&self, path: &str, content: &Content) -> Read<()> {
        let whole = self.dir.path().join(path);
        let put = (|| {
            if let Some(dir) = whole.parent() {
                fs::create_dir_all(dir)?;
            }
            fs::write(&whole, &content.bytes)?;
            let mode = if content.mode & 0o100 == 0 { 0o644 } else { 0o755 };
            fs::set_permissions(&whole, fs::Permissions::from_mode(mode))
        })();
        put.map_err(|e| trouble(&format!("copy {path} to try a patch"), e.to_string()))
    }

    /// Applies a patch to what was put there; or why it does not apply.
    pub async fn apply(&self, of: &PatchOf<'_>) -> Read<Result<(), String>> {
        let mut command = on_its_own(self.dir.path());
        command.args(of.arguments()).args(["-v", "-p1", "-"]);
        let applied = answer(command, "git apply beside the checkout", of.diff.as_bytes(), DEADLINE).await?;
        // What is taken out again is compared with what was there.
        let is_moved = |line: &&str| line.contains("(offset ") && !of.reverse;
        let moved = applied.err.lines().find(is_moved).map(str::to_owned);
        Ok(match (applied.printed(), moved) {
            (Ok(_), Some(moved)) => Err(format!(
                "{moved} That is not where the patch says: make it anew from the files as they are"
            )),
            (applied, _) => applied.map(|_| ()),
        })
    }

    /// A file as it is then; `None`: it is not there.
    pub fn take(&self, path: &str) -> Read<Option<Content>> {
        content(&self.dir.path().join(path))
            .map_err(|e| trouble(&format!("read what a patch makes of {path}"), e.to_string()))
    }
}

/// What is at a path; `None`: nothing.
pub(super) fn content(path: &Path) -> io::Result<Option<Content>> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if !meta.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    Ok(Some(Content { bytes: fs::read(path)?, mode: meta.permissions().mode() & MODE }))
}

/// Git's word for something else than a file: its mode begins otherwise than a file's.
fn makes_no_file(line: &str) -> bool {
    let words = line.strip_prefix(" create mode ").or_else(|| line.strip_prefix(" delete mode "));
    let change = line.strip_prefix(" mode change ").and_then(|rest| rest.split(" => ").nth(1));
    words.or(change).is_some_and(|mode| !mode.starts_with("100"))
}

/// Why this is no path of a file inside a checkout, where that is so.
fn no_path(path: &str) -> Option<String> {
    let refused = |why: &str| Some(format!("invalid path '{}': {why}", path.escape_debug()));
    if path.contains('\u{fffd}') {
        return refused("it is not UTF-8");
    }
    let is_inside = |part: Component<'_>| match part {
        Component::Normal(name) => !name.eq_ignore_ascii_case(".git"),
        _ => false,
    };
    if path.is_empty() || !Path::new(path).components().all(is_inside) {
        return refused("it is not inside the checkout");
    }
    None
}
