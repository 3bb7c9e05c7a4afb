//! A child process: its own group, its lines as they come, and an end in time.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{CommandEnd, CommandLimits, LONGEST_RAW_LINE},
};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

/// Time between TERM and KILL.
const GRACE: Duration = Duration::from_secs(5);

/// Ends the whole process group when dropped before the child ended: TERM, wait, KILL.
struct Group {
    pid: Option<Pid>,
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(pid) = self.pid.take() else { return };
        let _gone = kill_process_group(pid, Signal::TERM);
        // The future that ran it is being dropped: the rest happens beside it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                sleep(GRACE).await;
                let _gone = kill_process_group(pid, Signal::KILL);
            });
        }
    }
}

/// What a program needs of its surroundings, whatever a `.env` says.
const NEEDED: [&str; 6] = ["PATH", "HOME", "USER", "TMPDIR", "LANG", "SHELL"];

/// The names that a `.env` sets.
fn keys_of(dotenv: &Path) -> Vec<String> {
    let text = std::fs::read(dotenv).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let name = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let (name, _) = line.split_once('=')?;
        let name = name.trim_end();
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        (is_name && !NEEDED.contains(&name)).then(|| name.to_owned())
    };
    text.trim_start_matches('\u{feff}').lines().filter_map(name).collect()
}

/// Runs `argv`, giving each line and whether it came on standard error.
pub(super) async fn run(
    argv: &[String],
    dir: Option<PathBuf>,
    docker_host: Option<&str>,
    dotenv: Option<&Path>,
    limits: CommandLimits<'_>,
    line: &mut (dyn FnMut(String, bool) + Send),
) -> Result<CommandEnd, SourceError> {
    let shown = argv.join(" ");
    let trouble = |happened: String, hint: &str| SourceError {
        source_name: SourceName::Compose,
        kind: SourceErrorKind::Unreachable,
        attempted: format!("run {shown}"),
        happened,
        hint: hint.into(),
    };
    let Some((program, args)) = argv.split_first() else {
        return Err(trouble("there is nothing to run".into(), "Please report it."));
    };
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    if let Some(dir) = dir {
        if !dir.is_dir() {
            let happened = format!("there is no folder {}", dir.display());
            return Err(trouble(happened, "Correct [compose] file in the profile."));
        }
        command.current_dir(dir);
    }
    // What the .env says counts, and not what the shell happened to have set in which the console was started:
    // compose would take that first, and each console would make another stack of the same files.
    for name in dotenv.map(keys_of).unwrap_or_default() {
        command.env_remove(name);
    }
    if let Some(host) = docker_host {
        command.env("DOCKER_HOST", host);
    }
    // No progress bars and colours: the output is kept and shown as text.
    command.env("COMPOSE_ANSI", "never").env("NO_COLOR", "1").env("COMPOSE_PROGRESS", "plain");
    let mut child = command.spawn().map_err(|error| {
        trouble(
            error.to_string(),
            "Install Docker Compose (the docker-compose plugin or program), or check [compose] file.",
        )
    })?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let mut group = Group { pid };
    let followed = follow(&mut child, limits, line).await;
    match followed {
        Followed::Ended(Ok(status)) => {
            group.pid = None;
            Ok(CommandEnd::Exited { code: status.code().unwrap_or(-1) })
        }
        Followed::Ended(Err(error)) => Err(trouble(error.to_string(), "Try again.")),
        Followed::TimedOut => Ok(CommandEnd::TimedOut { left: end(&mut group, &mut child).await }),
        Followed::Stopped => Ok(CommandEnd::Stopped { left: end(&mut group, &mut child).await }),
    }
}

/// TERM, wait, KILL; then whether anything of the group is left.
async fn end(group: &mut Group, child: &mut Child) -> Option<String> {
    let pid = group.pid.take()?;
    let _gone = kill_process_group(pid, Signal::TERM);
    if timeout(GRACE, child.wait()).await.is_err() {
        let _gone = kill_process_group(pid, Signal::KILL);
        let _reaped = timeout(GRACE, child.wait()).await;
    }
    // Signal 0 only asks: a group that is gone gives an error.
    let is_left = test_kill_process_group(pid).is_ok();
    is_left.then(|| format!("process group {} does not end", pid.as_raw_nonzero()))
}

/// How following a child ended.
enum Followed {
    Ended(std::io::Result<std::process::ExitStatus>),
    TimedOut,
    Stopped,
}

/// Passes lines on until the child ended, the deadline passed or somebody stops it.
async fn follow(
    child: &mut Child,
    limits: CommandLimits<'_>,
    line: &mut (dyn FnMut(String, bool) + Send),
) -> Followed {
    let (sender, mut lines) = mpsc::channel(64);
    if let Some(out) = child.stdout.take() {
        tokio::spawn(read_lines(out, false, sender.clone()));
    }
    if let Some(err) = child.stderr.take() {
        tokio::spawn(read_lines(err, true, sender.clone()));
    }
    drop(sender);
    let ends = Instant::now() + limits.deadline;
    let mut stop = limits.stop;
    // Lines end when both pipes are closed; a grandchild may hold them open past the child's end.
    let mut status = None;
    loop {
        tokio::select! {
            next = lines.recv() => match next {
                Some((text, is_error)) => line(text, is_error),
                None => return Followed::Ended(match status { Some(status) => status, None => child.wait().await }),
            },
            ended = child.wait(), if status.is_none() => status = Some(ended),
            () = sleep(Duration::from_millis(500)), if status.is_some() => {
                if let Some(status) = status {
                    return Followed::Ended(status);
                }
            }
            () = tokio::time::sleep_until(ends) => return Followed::TimedOut,
            () = &mut stop => return Followed::Stopped,
        }
    }
}

async fn read_lines(pipe: impl AsyncRead + Unpin, is_error: bool, to: mpsc::Sender<(String, bool)>) {
    let mut reader = BufReader::new(pipe);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match reader.read_until(b'\n', &mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                bytes.truncate(LONGEST_RAW_LINE);
                let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                if !text.is_empty() && to.send((text, is_error)).await.is_err() {
                    return;
                }
            }
        }
    }
}
