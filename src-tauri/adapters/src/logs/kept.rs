//! Containers' logs, kept in files: what the engine was asked for once it is not asked for again, and a container
//! that is gone leaves its last words.
//!
//! Each container has `ID.log`, lines behind the engine's time and `o` or `e` for the stream, and `ID.json`, which
//! says how much of that file counts. A file is only ever appended to, or replaced; both are done under a lock. What
//! the container wrote stands there as it is, as in the engine's own files: only their owner can read them, and a week
//! after the last question they go.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read as _, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt;
use jiff::Timestamp;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{Containers, EngineLine, Read},
};
use serde::{Deserialize, Serialize};

use super::trouble;

/// How long the engine may be silent within an answer.
const SILENT: Duration = Duration::from_secs(20);
/// The last lines by which the place is found where an answer goes on.
const SEAM: usize = 32;
/// How many lines are asked for first, to go on.
const FIRST_TAIL: u64 = 256;
/// A log that is larger, in bytes, is cut to its latest half.
const LARGEST: u64 = 512 << 20;
/// What all of them may take, in bytes: those that nobody asked for the longest go first.
const ALL_TOGETHER: u64 = 2 << 30;
/// How long a log is kept that nobody asks for.
const KEPT_FOR: Duration = Duration::from_secs(7 * 86_400);

/// How much of a log is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    All,
    /// At least its last lines.
    Lines(u64),
    /// What the engine got from then on.
    Since(Timestamp),
}

/// The folder of kept logs.
#[derive(Clone)]
pub(super) struct Keeper {
    pub containers: Arc<dyn Containers>,
    pub dir: PathBuf,
}

/// What `ID.json` says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Told {
    bytes: u64,
    lines: u64,
    /// The engine's time for the first line.
    first: String,
    /// From the log's own beginning.
    whole: bool,
    service: String,
    name: String,
}

/// A kept log, as it is now.
pub(super) struct KeptLog {
    pub file: File,
    pub length: u64,
    /// What is not in it, in a sentence.
    pub note: Option<String>,
    /// Why the engine could not be asked: what is here is what was kept before.
    pub unasked: Option<SourceError>,
    /// Its last lines, as they stand in it.
    pub last: Vec<Vec<u8>>,
}

impl Keeper {
    /// Brings what is kept of a container's log up to now, and as far back as is needed.
    pub async fn up_to_now(&self, id: &str, service: &str, name: &str, need: Need) -> Read<KeptLog> {
        let attempted = format!("keep the log of {name}");
        let failed = |e: io::Error| SourceError {
            hint: "Check the space and the rights of ~/.cache/ratiba-console.".into(),
            ..trouble(&attempted, &e.to_string())
        };
        let place = Place::new(&self.dir, id).map_err(failed)?;
        let waiting = place.lock.try_clone().map_err(failed)?;
        let locked = tokio::task::spawn_blocking(move || waiting.lock()).await;
        locked.map_err(|e| failed(io::Error::other(e)))?.map_err(failed)?;
        let told = place.told();
        let told = Told { service: service.to_owned(), name: name.to_owned(), ..told.unwrap_or_default() };
        let outcome = match told.has(need) {
            true => self.go_on(id, &place, told).await,
            false => self.begin(id, &place, told, need).await,
        };
        let mut unasked = None;
        let (told, note) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => match place.told().filter(|told| told.bytes > 0) {
                // Gone, or its engine is: what was kept is what is left.
                Some(told) => {
                    let note = format!("{name}: only what was kept of its log is shown. {error}");
                    unasked = Some(error);
                    (told, Some(note))
                }
                None => return Err(error),
            },
        };
        let told = if told.bytes > LARGEST { place.cut(told).map_err(failed)? } else { told };
        place.tell(&told).map_err(failed)?;
        self.make_room(id);
        let file = File::open(&place.log).map_err(failed)?;
        let last = last_lines(&file, told.bytes).map_err(failed)?;
        let beginning = (!told.whole && need == Need::All).then(|| {
            format!("{name}: of its log what was written before {} is not there any more", told.first)
        });
        Ok(KeptLog { file, length: told.bytes, note: note.or(beginning), unasked, last })
    }

    /// Reads from the engine anew.
    async fn begin(&self, id: &str, place: &Place, told: Told, need: Need) -> Read<(Told, Option<String>)> {
        let mut tail = match need {
            Need::All => None,
            Need::Lines(lines) => Some(lines.max(FIRST_TAIL)),
            Need::Since(_) => Some(FIRST_TAIL * 8),
        };
        loop {
            let mut new = Writing::new(place)?;
            let mut lines = self.containers.log_lines(id, tail, false).await?;
            while let Some(batch) = next(&mut lines).await? {
                new.add(&batch)?;
            }
            drop(lines);
            let is_whole = tail.is_none_or(|tail| new.lines < tail);
            let reaches = match need {
                Need::Since(since) => new.first.parse().is_ok_and(|first: Timestamp| first < since),
                Need::All | Need::Lines(_) => true,
            };
            if is_whole || reaches {
                let told = Told {
                    bytes: new.bytes,
                    lines: new.lines,
                    first: new.first.clone(),
                    whole: is_whole,
                    ..told
                };
                new.replace(place)?;
                return Ok((told, None));
            }
            tail = tail.map(|tail| tail.saturating_mul(8)).filter(|tail| *tail < 5_000_000);
        }
    }

    /// Reads what was written since.
    async fn go_on(&self, id: &str, place: &Place, told: Told) -> Read<(Told, Option<String>)> {
        let file = place.open().map_err(io_trouble)?;
        let last = last_lines(&file, told.bytes).map_err(io_trouble)?;
        let mut tail = FIRST_TAIL;
        loop {
            let mut lines = self.containers.log_lines(id, Some(tail), false).await?;
            let mut got: Vec<EngineLine> = Vec::new();
            while let Some(batch) = next(&mut lines).await? {
                got.extend(batch);
            }
            let is_all = (got.len() as u64) < tail;
            match seam(&last, &got) {
                Some(at) => {
                    return place.append(told, got.get(at..).unwrap_or_default()).map(|told| (told, None));
                }
                None if last.is_empty() && is_all => {
                    return place.append(told, &got).map(|told| (told, None));
                }
                None if is_all => return lost(place, told, &last, &got),
                // What was written meanwhile is much: all that is kept would be read twice.
                None if tail > 1_000_000 => return self.begin(id, place, told, Need::All).await,
                None => tail = tail.saturating_mul(8),
            }
        }
    }

    /// Removes what nobody asked for in a long time, and, where all takes too much, what nobody asked for the longest.
    fn make_room(&self, but: &str) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        // When it was asked for last, which is when its `.json` was written last; and how large it is.
        let mut logs: Vec<_> = entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let is_other = path.extension()? == "json" && path.file_stem()? != but;
                let asked = fs::metadata(&path).ok().filter(|_| is_other)?.modified().ok()?;
                Some((asked, fs::metadata(path.with_extension("log")).map_or(0, |facts| facts.len()), path))
            })
            .collect();
        logs.sort();
        let mut all: u64 = logs.iter().map(|(_, bytes, _)| bytes).sum();
        for (asked, bytes, path) in logs {
            let is_old = asked.elapsed().is_ok_and(|age| age > KEPT_FOR);
            if all <= ALL_TOGETHER && !is_old {
                return;
            }
            all = all.saturating_sub(bytes);
            for extension in ["json", "log", "lock"] {
                // Another console may have it open: it reads on what it has.
                let _left = fs::remove_file(path.with_extension(extension));
            }
        }
    }
}

/// The rotated log begins behind what is kept: what was between is gone.
fn lost(place: &Place, told: Told, last: &[Vec<u8>], got: &[EngineLine]) -> Read<(Told, Option<String>)> {
    let until = last.last().and_then(|line| stamp_of(line)).unwrap_or_default().to_owned();
    let from = got.first().map(|line| line.stamp.clone()).unwrap_or_default();
    let is_behind =
        until.parse::<Timestamp>().ok().zip(from.parse::<Timestamp>().ok()).is_some_and(|(a, b)| a < b);
    if is_behind {
        let name = told.name.clone();
        let told = place.append(told, got)?;
        return Ok((
            told,
            Some(format!("{name}: what was written between {until} and {from} was rotated away unread")),
        ));
    }
    // The engine has another past than what is kept: its word counts.
    let mut new = Writing::new(place)?;
    new.add(got)?;
    let told = Told { bytes: new.bytes, lines: new.lines, first: new.first.clone(), whole: true, ..told };
    new.replace(place)?;
    Ok((told, None))
}

/// Where in an answer what is new begins; `None`: the answer does not reach back to what is kept.
pub(super) fn seam(last: &[Vec<u8>], got: &[EngineLine]) -> Option<usize> {
    let (newest, before) = last.split_last()?;
    let is = |line: &EngineLine, kept: &[u8]| as_kept(line) == kept;
    // Of lines that are the same the context decides; without one, the latest is meant.
    (1..=got.len()).rev().find(|end| {
        let (Some(here), Some(earlier)) = (got.get(end - 1), got.get(..end - 1)) else { return false };
        is(here, newest) && earlier.iter().rev().zip(before.iter().rev()).all(|(line, kept)| is(line, kept))
    })
}

/// A line as it stands in a kept log.
pub(super) fn as_kept(line: &EngineLine) -> Vec<u8> {
    let mut kept = Vec::with_capacity(line.stamp.len() + 4 + line.bytes.len());
    kept.extend_from_slice(line.stamp.as_bytes());
    kept.extend_from_slice(if line.stderr { b" e " } else { b" o " });
    kept.extend_from_slice(&line.bytes);
    kept
}

fn stamp_of(kept: &[u8]) -> Option<&str> {
    str::from_utf8(kept.split(|b| *b == b' ').next()?).ok()
}

/// The next lines of an answer; `None`: it is over.
pub(super) async fn next(
    lines: &mut futures_util::stream::BoxStream<'static, Read<Vec<EngineLine>>>,
) -> Read<Option<Vec<EngineLine>>> {
    match tokio::time::timeout(SILENT, lines.next()).await {
        Ok(batch) => batch.transpose(),
        Err(_) => Err(SourceError {
            source_name: SourceName::Logs,
            kind: SourceErrorKind::TimedOut,
            attempted: "read a container's log".into(),
            happened: format!("the engine was silent for {} s within its answer", SILENT.as_secs()),
            hint: "The engine hangs: restart Docker, and look at its log.".into(),
        }),
    }
}

fn io_trouble(e: io::Error) -> SourceError {
    SourceError {
        hint: "Check the space and the rights of ~/.cache/ratiba-console.".into(),
        ..trouble("keep a container's log", &e.to_string())
    }
}

/// The last lines of a kept log.
fn last_lines(file: &File, length: u64) -> io::Result<Vec<Vec<u8>>> {
    let mut back: u64 = 64 << 10;
    loop {
        let from = length.saturating_sub(back);
        let mut bytes = vec![0; usize::try_from(length - from).unwrap_or(0)];
        file.read_exact_at(&mut bytes, from)?;
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let mut lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
        if from > 0 {
            lines.remove(0);
        } else if text.is_empty() {
            lines.clear();
        }
        // At least one whole line, however long.
        if from == 0 || !lines.is_empty() {
            let skipped = lines.len().saturating_sub(SEAM);
            return Ok(lines.into_iter().skip(skipped).map(<[u8]>::to_vec).collect());
        }
        back = back.saturating_mul(8);
    }
}

impl Told {
    fn has(&self, need: Need) -> bool {
        let is_there = self.bytes > 0 || self.whole;
        is_there
            && (self.whole
                || match need {
                    Need::All => false,
                    Need::Lines(lines) => self.lines >= lines,
                    Need::Since(since) => self.first.parse().is_ok_and(|first: Timestamp| first < since),
                })
    }
}

/// A container's files.
struct Place {
    log: PathBuf,
    told: PathBuf,
    lock: File,
}

impl Place {
    fn new(dir: &Path, id: &str) -> io::Result<Self> {
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(io::Error::other(format!("{id:?} is no container's id")));
        }
        crate::private::folder(dir)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join(format!("{id}.lock")))?;
        Ok(Self { log: dir.join(format!("{id}.log")), told: dir.join(format!("{id}.json")), lock })
    }

    /// What is kept; `None`: nothing that can be used.
    fn told(&self) -> Option<Told> {
        let told: Told = serde_json::from_slice(&fs::read(&self.told).ok()?).ok()?;
        (fs::metadata(&self.log).ok()?.len() >= told.bytes).then_some(told)
    }

    fn tell(&self, told: &Told) -> io::Result<()> {
        let beside = self.told.with_extension("json.new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(serde_json::to_string(told)?.as_bytes())?;
        fs::rename(beside, &self.told)
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&self.log)
    }

    fn append(&self, told: Told, lines: &[EngineLine]) -> Read<Told> {
        if lines.is_empty() {
            return Ok(told);
        }
        let write = || {
            let mut file = self.open()?;
            // What stands behind what counts was written by somebody who did not come to its end.
            file.set_len(told.bytes)?;
            file.seek(SeekFrom::End(0))?;
            let mut writing = Writing {
                out: BufWriter::new(file),
                bytes: told.bytes,
                lines: told.lines,
                first: told.first.clone(),
            };
            writing.write(lines)?;
            writing.out.flush()?;
            Ok((writing.bytes, writing.lines, writing.first))
        };
        let (bytes, lines, first) = write().map_err(io_trouble)?;
        Ok(Told { bytes, lines, first, ..told })
    }

    /// Leaves the latest half.
    fn cut(&self, told: Told) -> io::Result<Told> {
        let mut file = self.open()?;
        file.seek(SeekFrom::Start(told.bytes - LARGEST / 2))?;
        let mut rest = Vec::new();
        file.take(LARGEST / 2).read_to_end(&mut rest)?;
        let begin = memchr::memchr(b'\n', &rest).map_or(rest.len(), |at| at + 1);
        let kept = rest.get(begin..).unwrap_or_default();
        let beside = self.log.with_extension("log.new");
        let mut new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        new.write_all(kept)?;
        fs::rename(beside, &self.log)?;
        let first = stamp_of(kept).unwrap_or_default().to_owned();
        let lines = memchr::memchr_iter(b'\n', kept).count() as u64;
        Ok(Told { bytes: kept.len() as u64, lines, first, whole: false, ..told })
    }
}

/// A log that is being written.
struct Writing {
    out: BufWriter<File>,
    bytes: u64,
    lines: u64,
    first: String,
}

impl Writing {
    fn new(place: &Place) -> Read<Self> {
        let beside = place.log.with_extension("log.new");
        let open = || OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside);
        let file = open().map_err(io_trouble)?;
        Ok(Self { out: BufWriter::with_capacity(256 << 10, file), bytes: 0, lines: 0, first: String::new() })
    }

    fn add(&mut self, lines: &[EngineLine]) -> Read<()> {
        self.write(lines).map_err(io_trouble)
    }

    fn write(&mut self, lines: &[EngineLine]) -> io::Result<()> {
        for line in lines {
            if self.lines == 0 {
                self.first.clone_from(&line.stamp);
            }
            self.out.write_all(line.stamp.as_bytes())?;
            self.out.write_all(if line.stderr { b" e " } else { b" o " })?;
            self.out.write_all(&line.bytes)?;
            self.out.write_all(b"\n")?;
            self.bytes += (line.stamp.len() + 4 + line.bytes.len()) as u64;
            self.lines += 1;
        }
        Ok(())
    }

    fn replace(mut self, place: &Place) -> Read<()> {
        self.out.flush().map_err(io_trouble)?;
        fs::rename(place.log.with_extension("log.new"), &place.log).map_err(io_trouble)
    }
}
