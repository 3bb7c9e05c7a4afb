//! A container's log, line by line, byte for byte.

use std::collections::VecDeque;

use bollard::{container::LogOutput, errors::Error, query_parameters::LogsOptionsBuilder};
use futures_util::{Stream, StreamExt, stream, stream::BoxStream};
use ratiba_core::{
    logs::LONGEST_LINE,
    model::{SourceError, SourceName},
    ports::{EngineLine, Read},
};

use super::{Engine, apart, error};

/// How many messages are taken at once, as far as they are there.
const AT_ONCE: usize = 512;
/// From so many lines on a log is read on a thread of its own.
const MANY: u64 = 5_000;
const ATTEMPTED: &str = "read a container's log";

impl Engine {
    pub(super) async fn lines_of(
        &self,
        id: &str,
        tail: Option<u64>,
        follow: bool,
    ) -> Read<BoxStream<'static, Read<Vec<EngineLine>>>> {
        let docker = self.docker().await?;
        // By tail: `since` alone would make the engine read the whole file.
        let is_long = !follow && tail.is_none_or(|lines| lines >= MANY);
        let tail = tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string());
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .follow(follow)
            .tail(&tail)
            .build();
        if !is_long {
            // The stream outlives this connection's other users.
            return Ok(lines(docker.logs(id, Some(options))).boxed());
        }
        let endpoint = self.endpoint.clone()?;
        let version = docker.client_version();
        let id = id.to_owned();
        Ok(apart::read(move || {
            let own = endpoint.connect_as(&version).map_err(|e| trouble(&e))?;
            Ok(lines(own.logs(&id, Some(options))).boxed())
        })
        .boxed())
    }
}

pub(super) fn trouble(error: &Error) -> SourceError {
    SourceError { source_name: SourceName::Logs, ..error::of(ATTEMPTED, error) }
}

fn lines(
    messages: impl Stream<Item = Result<LogOutput, Error>> + Send + 'static,
) -> impl Stream<Item = Read<Vec<EngineLine>>> + Send + 'static {
    let chunks = messages.ready_chunks(AT_ONCE).boxed();
    stream::unfold(Some((chunks, Joining::default(), None)), |reading| async move {
        let (mut chunks, mut joining, broken) = reading?;
        if let Some(error) = broken {
            return Some((Err(error), None));
        }
        let Some(messages) = chunks.next().await else {
            return Some((Ok(joining.rest()), None));
        };
        let mut ended = Vec::new();
        for message in messages {
            match message {
                Ok(message) => joining.take(message, &mut ended),
                // Behind what came before it: without it, what is missing would look like the log's end.
                Err(e) => return Some((Ok(ended), Some((chunks, joining, Some(trouble(&e)))))),
            }
        }
        Some((Ok(ended), Some((chunks, joining, None))))
    })
}

/// The engine cuts long lines into messages, each with a time; a terminal's come as they please.
#[derive(Default)]
struct Joining {
    open: [Option<EngineLine>; 2],
    terminal: VecDeque<u8>,
    is_multiplexed: bool,
}

impl Joining {
    fn take(&mut self, message: LogOutput, ended: &mut Vec<EngineLine>) {
        match message {
            LogOutput::StdErr { message } => self.part(true, &message, ended),
            LogOutput::StdOut { message } | LogOutput::StdIn { message } => self.part(false, &message, ended),
            // What is left of a message when the connection breaks arrives as if a terminal had written it.
            LogOutput::Console { .. } if self.is_multiplexed => {}
            LogOutput::Console { message } => {
                self.terminal.extend(message.iter());
                while let Some(at) = self.terminal.iter().position(|b| *b == b'\n') {
                    let line: Vec<u8> = self.terminal.drain(..=at).collect();
                    ended.push(stamped(false, line.strip_suffix(b"\n").unwrap_or(&line)));
                }
            }
        }
    }

    fn part(&mut self, stderr: bool, message: &[u8], ended: &mut Vec<EngineLine>) {
        self.is_multiplexed = true;
        let Some(open) = self.open.get_mut(usize::from(stderr)) else { return };
        let (text, is_end) = match message.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (message, false),
        };
        let part = stamped(stderr, text);
        let line = match open.take() {
            None => part,
            Some(mut line) => {
                let room = LONGEST_LINE.saturating_sub(line.bytes.len());
                let kept = part.bytes.get(..room).unwrap_or(&part.bytes);
                line.left_out += (part.bytes.len() - kept.len()) as u64;
                line.bytes.extend_from_slice(kept);
                line
            }
        };
        if is_end {
            ended.push(line);
        } else {
            *open = Some(line);
        }
    }

    /// What has no end when the log ends: a program died within a line.
    fn rest(&mut self) -> Vec<EngineLine> {
        let mut rest: Vec<EngineLine> = self.open.iter_mut().filter_map(Option::take).collect();
        if !self.terminal.is_empty() {
            let line: Vec<u8> = self.terminal.drain(..).collect();
            rest.push(stamped(false, &line));
        }
        rest
    }
}

/// The engine's time and a blank stand before what was written.
fn stamped(stderr: bool, text: &[u8]) -> EngineLine {
    let blank = memchr::memchr(b' ', text.get(..40.min(text.len())).unwrap_or_default());
    let stamp = blank.and_then(|at| text.get(..at)).and_then(|stamp| str::from_utf8(stamp).ok());
    match (stamp, blank) {
        (Some(stamp), Some(at)) if stamp.starts_with(|c: char| c.is_ascii_digit()) && stamp.contains('T') => {
            EngineLine {
                stamp: stamp.to_owned(),
                stderr,
                bytes: text.get(at + 1..).unwrap_or_default().to_vec(),
                left_out: 0,
            }
        }
        _ => EngineLine { stamp: String::new(), stderr, bytes: text.to_vec(), left_out: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &str) -> Result<LogOutput, Error> {
        Ok(LogOutput::StdOut { message: text.to_owned().into() })
    }

    fn err(text: &str) -> Result<LogOutput, Error> {
        Ok(LogOutput::StdErr { message: text.to_owned().into() })
    }

    async fn read(messages: Vec<Result<LogOutput, Error>>) -> Vec<String> {
        let read: Vec<_> = lines(stream::iter(messages)).collect().await;
        let all = read.into_iter().flat_map(|lines| lines.unwrap_or_default());
        all.map(|l| format!("{} {} {}", l.stamp, u8::from(l.stderr), String::from_utf8_lossy(&l.bytes)))
            .collect()
    }

    #[tokio::test]
    async fn a_line_that_the_engine_cut_is_one_line_whatever_stands_between_its_parts() {
        let messages = vec![
            out("2026-11-26T00:00:01.000000001Z first half, "),
            err("2026-11-26T00:00:01.000000002Z between\n"),
            out("2026-11-26T00:00:01.000000003Z second half\n"),
            out("2026-11-26T00:00:02.000000000Z \n"),
            out("2026-11-26T00:00:03.000000000Z died within"),
        ];
        assert_eq!(
            read(messages).await,
            [
                "2026-11-26T00:00:01.000000002Z 1 between",
                "2026-11-26T00:00:01.000000001Z 0 first half, second half",
                "2026-11-26T00:00:02.000000000Z 0 ",
                "2026-11-26T00:00:03.000000000Z 0 died within",
            ]
        );
    }

    #[tokio::test]
    async fn what_a_broken_connection_leaves_is_no_line() {
        let torn = Ok(LogOutput::Console { message: "-26T00:00:02Z half".to_owned().into() });
        assert_eq!(read(vec![out("2026-11-26T00:00:01Z a\n"), torn]).await, ["2026-11-26T00:00:01Z 0 a"]);
    }

    #[tokio::test]
    async fn a_connection_that_breaks_is_told_behind_what_came_before() {
        let broken = Err(Error::RequestTimeoutError);
        let mut read: Vec<_> =
            lines(stream::iter(vec![out("2026-11-26T00:00:01Z a\n"), broken])).collect().await;
        assert!(read.pop().unwrap().is_err());
        assert_eq!(read.into_iter().map(|lines| lines.unwrap().len()).sum::<usize>(), 1);
    }

    #[tokio::test]
    async fn a_terminal_s_lines_come_in_any_pieces() {
        let piece = |text: &str| Ok(LogOutput::Console { message: text.to_owned().into() });
        let messages =
            vec![piece("2026-11-26T00:00:01Z a\r\n2026-11-26T0"), piece("0:00:02Z b\n"), piece("no time")];
        assert_eq!(
            read(messages).await,
            ["2026-11-26T00:00:01Z 0 a\r", "2026-11-26T00:00:02Z 0 b", " 0 no time"]
        );
    }
}
