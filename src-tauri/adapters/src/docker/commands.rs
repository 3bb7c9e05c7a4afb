//! Commands in containers, over the Engine's API. A command that is ended by force is ended where
//! it runs: closing the connection alone would leave it running.

use std::{collections::HashMap, io, path::Path, time::Duration};

use async_trait::async_trait;
use bollard::{
    Docker,
    container::LogOutput,
    errors::Error,
    exec::{StartExecOptions, StartExecResults},
    models::{ContainerCreateBody, ExecConfig, HostConfig},
    query_parameters::{
        CreateContainerOptionsBuilder, InspectContainerOptions, LogsOptionsBuilder,
        RemoveContainerOptionsBuilder, StartContainerOptions, WaitContainerOptions,
    },
};
use futures_util::StreamExt;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{CommandEnd, CommandLimits, ContainerCommands, ExecCommand, LONGEST_RAW_LINE},
};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{DEADLINE, Engine, error};
use crate::private;

/// Time between TERM and KILL.
const GRACE: Duration = Duration::from_secs(5);
/// The variable that marks a step's process.
const MARK: &str = "RATIBA_STEP";

/// Ends every process that has the mark in its environment, with the signal `$1`. Written for the
/// plainest shell there is; prints how many there were.
const END_MARKED: &str = r#"n=0
for p in /proc/[0-9]*; do
  [ "${p#/proc/}" = "$$" ] && continue
  if tr '\0' '\n' < "$p/environ" 2>/dev/null | grep -qx "RATIBA_STEP=$2"; then
    kill "-$1" "${p#/proc/}" 2>/dev/null && n=$((n+1))
  fi
done
echo "$n""#;

fn disk(attempted: &str, error: &io::Error) -> SourceError {
    SourceError {
        source_name: SourceName::Host,
        kind: SourceErrorKind::Invalid,
        attempted: attempted.to_owned(),
        happened: error.to_string(),
        hint: "Check the disk and the rights of ~/.local/state/ratiba-console.".into(),
    }
}

/// Cuts a stream of bytes into lines.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn take(&mut self, bytes: &[u8], line: &mut (dyn FnMut(String) + Send)) {
        for &byte in bytes {
            if byte == b'\n' {
                self.end(line);
            } else if self.0.len() < LONGEST_RAW_LINE {
                self.0.push(byte);
            }
        }
    }

    fn end(&mut self, line: &mut (dyn FnMut(String) + Send)) {
        let text = String::from_utf8_lossy(&self.0).trim_end().to_owned();
        self.0.clear();
        if !text.is_empty() {
            line(text);
        }
    }
}

enum Followed {
    Ended,
    TimedOut,
    Stopped,
}

impl Engine {
    /// Whether the exec goes on, and its exit code.
    async fn exec_state(&self, docker: &Docker, exec: &str) -> Result<(bool, i32), SourceError> {
        let attempted = "ask how the command ended";
        let state = timeout(DEADLINE, docker.inspect_exec(exec)).await;
        let state = state.map_err(|_| error::timed_out(attempted, DEADLINE))?;
        let state = state.map_err(|e| error::of(attempted, &e))?;
        let code = state.exit_code.and_then(|c| i32::try_from(c).ok()).unwrap_or(-1);
        Ok((state.running.unwrap_or(false), code))
    }

    /// Sends a signal to the processes with this mark.
    async fn signal(&self, docker: &Docker, container: &str, signal: &str, mark: &str) {
        let argv = ["sh", "-c", END_MARKED, "sh", signal, mark].map(str::to_owned).to_vec();
        let config = ExecConfig {
            cmd: Some(argv),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let sent = async {
            let exec = docker.create_exec(container, config).await?;
            if let StartExecResults::Attached { mut output, .. } = docker.start_exec(&exec.id, None).await? {
                while output.next().await.is_some() {}
            }
            Ok::<_, Error>(())
        };
        // Whether it worked is seen by looking, not by this answer.
        let _answer = timeout(DEADLINE, sent).await;
    }

    /// TERM, wait, KILL; then what is left, in words.
    async fn end_exec(&self, docker: &Docker, exec: &str, command: &ExecCommand) -> Option<String> {
        for (signal, wait) in [("TERM", GRACE), ("KILL", Duration::from_secs(2))] {
            self.signal(docker, &command.container, signal, &command.mark).await;
            let ends = Instant::now() + wait;
            loop {
                match self.exec_state(docker, exec).await {
                    Ok((false, _)) => return None,
                    Ok((true, _)) if Instant::now() < ends => sleep(Duration::from_millis(100)).await,
                    Ok((true, _)) => break,
                    Err(error) => return Some(format!("it can't be seen whether it ended ({error})")),
                }
            }
        }
        let id = command.container.get(..12).unwrap_or(&command.container);
        Some(format!("it still runs in container {id}, marked {MARK}={}", command.mark))
    }
}

/// Feeds a file to a command's standard input.
async fn feed(
    path: &Path,
    mut input: std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>>,
) -> io::Result<()> {
    let mut file = File::open(path).await?;
    let mut buffer = vec![0; 64 * 1_024];
    loop {
        let n = file.read(&mut buffer).await?;
        if n == 0 {
            return input.shutdown().await;
        }
        input.write_all(buffer.get(..n).unwrap_or_default()).await?;
    }
}

#[async_trait]
impl ContainerCommands for Engine {
    async fn exec(
        &self,
        command: &ExecCommand,
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError> {
        let docker = self.docker().await?;
        let attempted = format!("run {} in a container", command.argv.first().map_or("", String::as_str));
        let of = |e: Error| error::of(&attempted, &e);
        let ends = Instant::now() + limits.deadline;
        let config = ExecConfig {
            cmd: Some(command.argv.clone()),
            env: Some(vec![format!("{MARK}={}", command.mark)]),
            attach_stdin: Some(command.input.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let late = || error::timed_out(&attempted, DEADLINE);
        let made = timeout(DEADLINE, docker.create_exec(&command.container, config)).await;
        let exec = made.map_err(|_| late())?.map_err(of)?.id;
        let options = StartExecOptions { output_capacity: Some(1 << 20), ..StartExecOptions::default() };
        let started = timeout(DEADLINE, docker.start_exec(&exec, Some(options))).await;
        let StartExecResults::Attached { mut output, input } = started.map_err(|_| late())?.map_err(of)?
        else {
            return Err(late());
        };
        let mut file = match &command.output {
            Some(path) => Some(File::from_std(private::file(path).map_err(|e| disk(&attempted, &e))?)),
            None => None,
        };
        let feeding = async {
            match &command.input {
                Some(path) => feed(path, input).await,
                None => {
                    drop(input);
                    Ok(())
                }
            }
        };
        // Each stream has its own lines: what comes on one does not end the other's.
        let (mut lines, mut errors) = (Lines::default(), Lines::default());
        let follow = async {
            while let Some(chunk) = output.next().await {
                match (chunk.map_err(of)?, &mut file) {
                    (LogOutput::StdOut { message } | LogOutput::Console { message }, Some(file)) => {
                        file.write_all(&message).await.map_err(|e| disk(&attempted, &e))?;
                    }
                    (LogOutput::StdErr { message }, _) => errors.take(&message, line),
                    (other, _) => lines.take(&other.into_bytes(), line),
                }
            }
            Ok::<_, SourceError>(())
        };
        let both = async {
            let (followed, fed) = futures_util::future::join(follow, feeding).await;
            followed?;
            // A command that ends before it has read everything breaks the pipe: its code tells.
            let _fed = fed;
            Ok::<_, SourceError>(())
        };
        let followed = tokio::select! {
            done = both => done.map(|()| Followed::Ended),
            () = sleep_until(ends) => Ok(Followed::TimedOut),
            () = limits.stop => Ok(Followed::Stopped),
        };
        lines.end(line);
        errors.end(line);
        if let Some(file) = &mut file {
            file.sync_all().await.map_err(|e| disk(&attempted, &e))?;
        }
        match followed {
            Ok(Followed::Ended) => {
                // The streams may close a moment before the engine knows the exit code.
                for _ in 0..50 {
                    let (is_running, code) = self.exec_state(&docker, &exec).await?;
                    if !is_running {
                        return Ok(CommandEnd::Exited { code });
                    }
                    sleep(Duration::from_millis(100)).await;
                }
                Ok(CommandEnd::TimedOut { left: self.end_exec(&docker, &exec, command).await })
            }
            Ok(Followed::TimedOut) => {
                Ok(CommandEnd::TimedOut { left: self.end_exec(&docker, &exec, command).await })
            }
            Ok(Followed::Stopped) => {
                Ok(CommandEnd::Stopped { left: self.end_exec(&docker, &exec, command).await })
            }
            Err(error) => {
                let left = self.end_exec(&docker, &exec, command).await;
                Err(SourceError {
                    happened: format!(
                        "{}{}",
                        error.happened,
                        left.map(|l| format!("; {l}")).unwrap_or_default()
                    ),
                    ..error
                })
            }
        }
    }

    async fn remove(&self, name: &str) -> Result<(), SourceError> {
        let docker = self.docker().await?;
        let attempted = format!("remove the container {name}");
        let options = RemoveContainerOptionsBuilder::new().force(true).build();
        match timeout(GRACE + DEADLINE, docker.remove_container(name, Some(options))).await {
            Ok(Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. })) => Ok(()),
            Ok(Err(e)) => Err(error::of(&attempted, &e)),
            Err(_) => Err(error::timed_out(&attempted, GRACE + DEADLINE)),
        }
    }

    async fn with_volumes(
        &self,
        name: &str,
        like: &str,
        volumes: &[String],
        argv: &[String],
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<CommandEnd, SourceError> {
        let docker = self.docker().await?;
        let attempted = "run a command beside a volume";
        let of = |e: Error| error::of(attempted, &e);
        let image = docker.inspect_container(like, None::<InspectContainerOptions>).await.map_err(of)?.image;
        let body = ContainerCreateBody {
            image,
            entrypoint: Some(argv.iter().take(1).cloned().collect()),
            cmd: Some(argv.iter().skip(1).cloned().collect()),
            network_disabled: Some(true),
            user: Some("0".into()),
            labels: Some(HashMap::from([("ratiba-console".to_owned(), "backup".to_owned())])),
            host_config: Some(HostConfig { binds: Some(volumes.to_vec()), ..HostConfig::default() }),
            ..ContainerCreateBody::default()
        };
        // What a console that was killed left behind would go on beside this one.
        self.remove(name).await?;
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        let made = docker.create_container(Some(options), body).await.map_err(of)?.id;
        let work = async {
            docker.start_container(&made, None::<StartContainerOptions>).await.map_err(of)?;
            let options = LogsOptionsBuilder::new().follow(true).stdout(true).stderr(true).build();
            let mut logs = docker.logs(&made, Some(options));
            let mut lines = Lines::default();
            while let Some(chunk) = logs.next().await {
                lines.take(&chunk.map_err(of)?.into_bytes(), line);
            }
            lines.end(line);
            let mut ended = docker.wait_container(&made, None::<WaitContainerOptions>);
            match ended.next().await {
                Some(Ok(answer)) => Ok(i32::try_from(answer.status_code).unwrap_or(-1)),
                Some(Err(Error::DockerContainerWaitError { code, .. })) => {
                    Ok(i32::try_from(code).unwrap_or(-1))
                }
                Some(Err(e)) => Err(of(e)),
                None => Ok(-1),
            }
        };
        let ended = tokio::select! {
            code = work => code.map(|code| CommandEnd::Exited { code }),
            () = sleep(limits.deadline) => Ok(CommandEnd::TimedOut { left: None }),
            () = limits.stop => Ok(CommandEnd::Stopped { left: None }),
        };
        let removed = self.remove(&made).await;
        match (ended?, removed) {
            (CommandEnd::TimedOut { .. }, Err(e)) => Ok(CommandEnd::TimedOut { left: Some(e.to_string()) }),
            (CommandEnd::Stopped { .. }, Err(e)) => Ok(CommandEnd::Stopped { left: Some(e.to_string()) }),
            (ended, _) => Ok(ended),
        }
    }
}
