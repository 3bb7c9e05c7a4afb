//! A long log, read on a thread of its own.
//!
//! The engine sends each line in an HTTP chunk of its own, and each chunk goes from the connection's task to
//! whoever reads. Between two threads that is two wakes for a line, which takes longer than the engine does.

use std::{
    io,
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt, stream, stream::BoxStream};
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{EngineLine, Read},
};
use tokio::sync::mpsc::{self, Sender};

/// How many lines are handed on at once, and within which time what there is.
const AT_ONCE: usize = 2_048;
const SOON: Duration = Duration::from_millis(50);
/// How many times as many are read ahead.
const AHEAD: usize = 4;

type Lines = BoxStream<'static, Read<Vec<EngineLine>>>;

/// `None` at the end: a reader that is gone without it has not read to the end.
type Handed = Option<Read<Vec<EngineLine>>>;

/// The lines that `open` gives, which is called on that thread: a connection belongs to the runtime that it was
/// made in. It ends when nobody takes them any more.
pub(super) fn read(
    open: impl FnOnce() -> Read<Lines> + Send + 'static,
) -> impl Stream<Item = Read<Vec<EngineLine>>> + Send + 'static {
    let (give, take) = mpsc::channel::<Handed>(AHEAD);
    tokio::task::spawn_blocking(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(e) => return drop(give.blocking_send(Some(Err(failed(&e))))),
        };
        runtime.block_on(async {
            // Where nobody takes it, nobody waits for it.
            let _gone = hand_on(open, &give).await;
        });
    });
    stream::unfold(Some(take), |take| async move {
        let mut take = take?;
        match take.recv().await {
            Some(Some(Ok(lines))) => Some((Ok(lines), Some(take))),
            Some(Some(Err(error))) => Some((Err(error), None)),
            Some(None) => None,
            None => Some((Err(failed(&io::Error::other("its reader ended early"))), None)),
        }
    })
}

async fn hand_on(
    open: impl FnOnce() -> Read<Lines>,
    give: &Sender<Handed>,
) -> Result<(), mpsc::error::SendError<Handed>> {
    let mut lines = match open() {
        Ok(lines) => lines,
        Err(error) => return give.send(Some(Err(error))).await,
    };
    let (mut gathered, mut handed) = (Vec::new(), Instant::now());
    loop {
        let next = tokio::select! {
            next = lines.next() => next,
            () = give.closed() => return Ok(()),
        };
        match next {
            Some(Ok(more)) => gathered.extend(more),
            over => {
                give.send(Some(Ok(gathered))).await?;
                return give.send(over).await;
            }
        }
        if gathered.len() >= AT_ONCE || handed.elapsed() >= SOON {
            give.send(Some(Ok(std::mem::take(&mut gathered)))).await?;
            handed = Instant::now();
        }
    }
}

fn failed(error: &io::Error) -> SourceError {
    SourceError {
        source_name: SourceName::Logs,
        kind: SourceErrorKind::Unreachable,
        attempted: "read a container's log".into(),
        happened: error.to_string(),
        hint: "Try again; where it stays so, look at the engine's own log.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> EngineLine {
        EngineLine { stamp: String::new(), stderr: false, bytes: text.into(), left_out: 0 }
    }

    #[tokio::test]
    async fn every_line_comes_in_order_and_then_the_end() {
        let batches: Vec<_> = (0..5_000).map(|n| Ok(vec![line(&n.to_string())])).collect();
        let read: Vec<_> = read(move || Ok(stream::iter(batches).boxed())).collect().await;
        let lines: Vec<EngineLine> = read.into_iter().flat_map(Result::unwrap).collect();
        assert_eq!(lines.len(), 5_000);
        assert!(lines.iter().enumerate().all(|(n, l)| l.bytes == n.to_string().as_bytes()));
    }

    #[tokio::test]
    async fn what_breaks_is_told_and_a_reader_that_dies_has_not_read_to_the_end() {
        let broken = || vec![Ok(vec![line("a")]), Err(failed(&io::Error::other("reset")))];
        let told: Vec<_> = read(move || Ok(stream::iter(broken()).boxed())).collect().await;
        assert_eq!(told.first().unwrap().as_ref().unwrap().len(), 1);
        assert!(told.last().unwrap().is_err());
        let none: Vec<_> = read(|| Err(failed(&io::Error::other("no engine")))).collect().await;
        assert!(none.first().unwrap().is_err());
        let dies = stream::iter([1]).map(|n| if n > 0 { panic!("died") } else { Ok(Vec::new()) });
        let died: Vec<_> = read(move || Ok(dies.boxed())).collect().await;
        assert!(died.last().unwrap().as_ref().unwrap_err().to_string().contains("early"));
    }
}
