//! A log file: what is there, and what is written to it from then on.

use std::{
    collections::VecDeque,
    fs::{self, File, Metadata},
    io::{self, ErrorKind},
    ops::ControlFlow,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use memchr::memchr;
use ratiba_core::{
    logs::{Assembler, BLOCK, Filter, LONGEST_LINE, Layout, LogEntry},
    ports::{LogBatch, LogPart, Read},
};
use tokio::sync::mpsc::Sender;

use super::{
    index,
    pieces::{self, Part},
    trouble,
};

/// How often a file is looked at for more.
const EVERY: Duration = Duration::from_millis(200);
/// How long a file that was replaced is read on: who writes to it may notice later.
const REPLACED_FOR: Duration = Duration::from_secs(5);
/// After how long without a line the last one is told, though more may belong to it.
const QUIET: Duration = Duration::from_millis(400);
/// How much is read at once.
const READ: usize = 256 << 10;

type Give = Sender<Read<LogBatch>>;

/// What is asked of a file.
pub(super) struct Question {
    pub path: String,
    pub filter: Arc<Filter>,
    pub part: LogPart,
    pub zone: TimeZone,
    /// Where indexes are kept.
    pub indexes: PathBuf,
}

/// What comes behind what was there.
pub(super) enum Then {
    /// Nothing: it could not be read.
    Nothing,
    /// What is written behind this; `None`: there is no such file yet.
    More(Option<Opened>),
}

/// Reads what is there, on a thread that may block.
pub(super) fn existing(question: &Question, give: &Give, follow: bool) -> Then {
    let attempted = format!("read the log file {}", question.path);
    let opened = match Opened::new(Path::new(&question.path)) {
        Ok(opened) => opened,
        // What is followed may come later.
        Err(e) if e.kind() == ErrorKind::NotFound && follow => {
            let notes = vec![format!("{} is not there yet", question.path)];
            let _gone = give.blocking_send(Ok(LogBatch { notes, is_live: true, ..LogBatch::default() }));
            return Then::More(None);
        }
        Err(e) => {
            let _gone = give.blocking_send(Err(trouble(&attempted, &e.to_string())));
            return Then::Nothing;
        }
    };
    let outcome = tell_existing(question, &opened, give, follow);
    match outcome {
        Ok(read_to) => Then::More(Some(Opened { at: read_to, ..opened })),
        Err(e) => {
            let _gone = give.blocking_send(Err(trouble(&attempted, &e.to_string())));
            Then::Nothing
        }
    }
}

fn tell_existing(question: &Question, opened: &Opened, give: &Give, follow: bool) -> io::Result<u64> {
    let length = opened.file.metadata()?.len();
    let mut part = Part {
        // A line that is not ended yet is read once it is.
        length: if follow { opened.ended_lines(length)? } else { length },
        file: opened.file.try_clone()?,
        layout: Layout::Plain,
        zone: question.zone.clone(),
        piece: pieces::PIECE,
    };
    let index = index::of(&question.indexes, Path::new(&question.path), &part);
    let blocks = index.map(|index| index.blocks(&question.filter, part.length)).transpose()?.flatten();
    let which = match blocks {
        Some(blocks) => {
            part.piece = BLOCK;
            blocks
        }
        None => pieces::all(part.length),
    };
    let untimed = pieces::told(&part, &question.filter, &which, question.part, &mut |entries| {
        let batch = LogBatch { entries, ..LogBatch::default() };
        if give.blocking_send(Ok(batch)).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let notes = left_out_for_time(&question.path, untimed).into_iter().collect();
    let _gone = give.blocking_send(Ok(LogBatch { notes, is_live: true, ..LogBatch::default() }));
    Ok(part.length)
}

/// Makes the index of a file, or brings it up to its end; how many bytes it covers.
pub(super) fn make_index(path: &str, indexes: &Path) -> io::Result<u64> {
    let opened = Opened::new(Path::new(path))?;
    let part = Part {
        length: opened.file.metadata()?.len(),
        file: opened.file,
        layout: Layout::Plain,
        zone: TimeZone::UTC,
        piece: pieces::PIECE,
    };
    index::make(indexes, Path::new(path), &part)
}

/// That some lines could not be asked for their time.
pub(super) fn left_out_for_time(of: &str, count: usize) -> Option<String> {
    (count > 0).then(|| {
        format!(
            "{of}: {count} lines tell no time, nor do those before them: --since and --until left them out"
        )
    })
}

/// An open file, and up to where it was read.
pub(super) struct Opened {
    file: File,
    id: (u64, u64),
    at: u64,
    lines: Lines,
}

impl Opened {
    fn new(path: &Path) -> io::Result<Self> {
        let facts = fs::metadata(path)?;
        // Opening a pipe would wait for whoever writes to it.
        if !facts.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let file = File::open(path)?;
        let id = id_of(&file.metadata()?);
        Ok(Self { file, id, at: 0, lines: Lines::default() })
    }

    /// Where the last line that is ended ends.
    fn ended_lines(&self, length: u64) -> io::Result<u64> {
        let mut end = length;
        let mut buffer = vec![0; READ];
        while end > 0 {
            let from = end.saturating_sub(READ as u64);
            let wanted = usize::try_from(end - from).unwrap_or(READ);
            let read = self.file.read_at(buffer.get_mut(..wanted).unwrap_or_default(), from)?;
            if let Some(at) = memchr::memrchr(b'\n', buffer.get(..read).unwrap_or_default()) {
                return Ok(from + at as u64 + 1);
            }
            end = from;
        }
        Ok(0)
    }

    /// What was written since; empty: nothing.
    fn more(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; READ];
        let read = self.file.read_at(&mut bytes, self.at)?;
        bytes.truncate(read);
        self.at += read as u64;
        Ok(bytes)
    }
}

fn id_of(facts: &Metadata) -> (u64, u64) {
    (facts.dev(), facts.ino())
}

/// Goes on with what is written, until nobody listens.
pub(super) async fn follow(question: Question, opened: Option<Opened>, give: Give) {
    let mut following = Following {
        path: question.path.clone().into(),
        current: opened,
        replaced: VecDeque::new(),
        assembler: Assembler::new(question.zone.clone()),
        filter: question.filter.clone(),
    };
    let mut ticks = tokio::time::interval(EVERY);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = give.closed() => return,
        }
        // A disk may hang.
        let looked = tokio::task::spawn_blocking(move || {
            let batch = following.look();
            (following, batch)
        });
        let Ok((next, looked)) = looked.await else { return };
        following = next;
        let mut batch = looked;
        if batch.entries.is_empty() && heard.elapsed() >= QUIET {
            batch.entries = following.assembler.flush(&following.filter);
        }
        if !batch.entries.is_empty() {
            heard = Instant::now();
        }
        if (!batch.entries.is_empty() || !batch.notes.is_empty()) && give.send(Ok(batch)).await.is_err() {
            return;
        }
    }
}

struct Following {
    path: PathBuf,
    current: Option<Opened>,
    replaced: VecDeque<(Opened, Instant)>,
    assembler: Assembler,
    filter: Arc<Filter>,
}

impl Following {
    /// Takes what was written since the last look.
    fn look(&mut self) -> LogBatch {
        let mut batch = LogBatch { is_live: true, ..LogBatch::default() };
        let path = self.path.display().to_string();
        for (mut old, since) in std::mem::take(&mut self.replaced) {
            self.take_all(&mut old, &mut batch);
            if since.elapsed() < REPLACED_FOR {
                self.replaced.push_back((old, since));
            } else {
                self.end_line(&mut old, &mut batch);
            }
        }
        let now = fs::metadata(&self.path).ok().filter(Metadata::is_file);
        let Some(mut current) = self.current.take() else {
            if now.is_some()
                && let Ok(opened) = Opened::new(&self.path)
            {
                self.current = Some(opened);
                return self.look();
            }
            return batch;
        };
        if current.file.metadata().is_ok_and(|facts| facts.len() < current.at) {
            batch
                .notes
                .push(format!("{path} was cut short: what was written since is read from its beginning"));
            self.end_line(&mut current, &mut batch);
            current.at = 0;
        }
        self.take_all(&mut current, &mut batch);
        match now {
            Some(facts) if id_of(&facts) != current.id => {
                batch.notes.push(format!("{path} was replaced by a new file"));
                self.replaced.push_back((current, Instant::now()));
                self.current = Opened::new(&self.path).ok();
                if let Some(mut opened) = self.current.take() {
                    self.take_all(&mut opened, &mut batch);
                    self.current = Some(opened);
                }
            }
            _ => self.current = Some(current),
        }
        batch
    }

    fn take_all(&mut self, opened: &mut Opened, batch: &mut LogBatch) {
        loop {
            match opened.more() {
                Ok(bytes) if bytes.is_empty() => return,
                Ok(bytes) => {
                    for (line, left_out) in opened.lines.take(&bytes) {
                        batch.entries.extend(self.assembler.line(false, None, line, left_out, &self.filter));
                    }
                }
                Err(e) => {
                    batch.notes.push(format!("{} could not be read: {e}", self.path.display()));
                    return;
                }
            }
        }
    }

    /// What has no end yet gets none any more.
    fn end_line(&mut self, opened: &mut Opened, batch: &mut LogBatch) {
        if let Some((line, left_out)) = opened.lines.rest() {
            batch.entries.extend(self.assembler.line(false, None, line, left_out, &self.filter));
        }
        let open: Vec<LogEntry> = self.assembler.flush(&self.filter);
        batch.entries.extend(open);
    }
}

/// Lines of bytes that come in parts.
#[derive(Default)]
pub(super) struct Lines {
    open: Vec<u8>,
    left_out: u64,
}

impl Lines {
    /// The lines that end in these bytes, without their ends, and how many bytes of each were left out.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<(Vec<u8>, u64)> {
        let mut ended = Vec::new();
        let mut rest = bytes;
        while let Some(at) = memchr(b'\n', rest) {
            let (line, behind) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            self.add(line);
            ended.push((std::mem::take(&mut self.open), std::mem::take(&mut self.left_out)));
            rest = behind.get(1..).unwrap_or_default();
        }
        self.add(rest);
        ended
    }

    /// What has not ended.
    pub fn rest(&mut self) -> Option<(Vec<u8>, u64)> {
        let line = std::mem::take(&mut self.open);
        (!line.is_empty()).then(|| (line, std::mem::take(&mut self.left_out)))
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.open.len());
        let kept = bytes.get(..room).unwrap_or(bytes);
        self.open.extend_from_slice(kept);
        self.left_out += (bytes.len() - kept.len()) as u64;
    }
}
