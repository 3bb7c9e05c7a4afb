//! Running git: in the checkout, to look, with its user's own settings; and in a folder of the
//! console's own, where nobody's settings count.

use std::{io, path::Path, process::Stdio, time::Duration};

use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::Read,
};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::deadline::within;

/// Within this time git answers, or is ended.
pub(super) const DEADLINE: Duration = Duration::from_secs(15);

/// What leads git to another repository, or makes it read paths otherwise.
const ELSEWHERE: [&str; 16] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_ATTR_SOURCE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

/// What gives git settings.
const SETTINGS: [&str; 5] =
    ["GIT_CONFIG", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_SYSTEM", "GIT_TEMPLATE_DIR"];

/// What would change the bytes that a patch makes, or what git takes them for.
const PLAIN: [&str; 8] = [
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.fileMode=true",
    "core.symlinks=true",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "apply.whitespace=nowarn",
    "apply.ignoreWhitespace=no",
];

/// What git answered.
pub(super) struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Answer {
    /// What it printed, or why it refused.
    pub fn printed(self) -> Result<String, String> {
        if self.code == Some(0) {
            return Ok(self.out);
        }
        let said = self.err.lines().filter(|l| !l.starts_with("Checking patch "));
        let said: Vec<&str> = said.map(|l| l.trim_start_matches("error: ")).collect();
        Err(if said.is_empty() { format!("git ended with {:?}", self.code) } else { said.join("; ") })
    }
}

fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    // Not this user's settings: a hook, an alias or a watcher is no part of the plan.
    command.arg("-C").arg(dir).args(["-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"]);
    command.args(["-c", "core.fsmonitor=false"]).env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
    // `git diff` writes a refreshed index in spite of GIT_OPTIONAL_LOCKS (2.47).
    command.args(["-c", "diff.autoRefreshIndex=false"]);
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    command
}

/// Git in the checkout at `dir`, to look. What its user has set says what counts as changed there.
pub(super) fn in_checkout(dir: &Path) -> Command {
    git(dir)
}

/// Git in a folder of the console's own: what it does depends on nothing else.
pub(super) fn on_its_own(dir: &Path) -> Command {
    let mut command = git(dir);
    for name in SETTINGS {
        command.env_remove(name);
    }
    for setting in PLAIN {
        command.args(["-c", setting]);
    }
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    // A git older than 2.32 knows only these.
    command.env("GIT_ATTR_NOSYSTEM", "1").env("HOME", dir).env("XDG_CONFIG_HOME", dir);
    command
}

/// Runs it with `input` and waits for its end.
pub(super) async fn answer(
    mut command: Command,
    attempted: &str,
    input: &[u8],
    deadline: Duration,
) -> Read<Answer> {
    let failed = |e: io::Error| SourceError {
        source_name: SourceName::Repo,
        kind: SourceErrorKind::Invalid,
        attempted: attempted.to_owned(),
        happened: e.to_string(),
        hint: "Check that git is installed, and that there is room on the disk.".into(),
    };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    within(SourceName::Repo, attempted, deadline, async {
        let mut child = command.spawn().map_err(failed)?;
        let pipe = child.stdin.take();
        let written = async {
            if let Some(mut pipe) = pipe {
                // A git that refuses early closes its end; its answer says why.
                let _refused = pipe.write_all(input).await;
            }
        };
        let (output, ()) = tokio::join!(child.wait_with_output(), written);
        let output = output.map_err(failed)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Answer { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) })
    })
    .await
}
