//! A log file's entries, found piece by piece on all cores, told in order.

use std::{
    fs::File,
    io,
    ops::{ControlFlow, Range},
    os::unix::fs::FileExt,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use jiff::{Timestamp, tz::TimeZone};
use ratiba_core::{
    logs::{Filter, LONGEST_LINE, Layout, LogEntry, Piece, sift, times},
    ports::{EngineLine, LogPart},
};

use super::kept::KeptLog;

/// How much one look takes, in bytes. Of each core one, and one result that waits.
pub(super) const PIECE: u64 = 4 << 20;
/// How much is read around a piece, to see what belongs together.
const AROUND: usize = 64 << 10;
/// How far back a time is looked for, for lines that tell none.
const BACK: u64 = 4 << 20;

/// A part of a file that does not change: what is written behind it is not looked at.
pub(super) struct Part {
    pub file: File,
    /// Its length in bytes.
    pub length: u64,
    pub layout: Layout,
    pub zone: TimeZone,
    /// How much one look takes, in bytes.
    pub piece: u64,
}

/// A piece with what stands around it, in a buffer.
pub(super) struct Around {
    /// Where in the file the buffer begins.
    pub from: u64,
    /// Where in the file it ends.
    pub to: u64,
    /// The buffer's whole lines.
    pub kept: Range<usize>,
    /// What of them the piece owns.
    pub owned: Range<usize>,
    /// The last line that is owned goes on behind the buffer.
    pub is_cut: bool,
}

/// What a piece has.
struct Found {
    entries: Vec<Placed>,
    untimed: usize,
}

struct Placed {
    at: u64,
    end: u64,
    entry: LogEntry,
}

/// Tells the entries to `tell`, in order, as long as it wants more; how many tell no time and were left out for it.
pub(super) fn search(
    part: &Part,
    filter: &Filter,
    which: &[u64],
    tell: &mut dyn FnMut(Vec<LogEntry>) -> ControlFlow<()>,
) -> io::Result<usize> {
    let mut untimed = 0;
    // Where an entry that goes on over a piece's end was told to, by its stream.
    let mut told = [0_u64; 2];
    each(part, filter, which, &mut |found| {
        untimed += found.untimed;
        let mut entries = Vec::with_capacity(found.entries.len());
        for one in found.entries {
            let Some(told) = told.get_mut(usize::from(one.entry.stderr)) else { continue };
            if one.at >= *told {
                *told = one.end;
                entries.push(one.entry);
            }
        }
        if entries.is_empty() { ControlFlow::Continue(()) } else { tell(entries) }
    })?;
    Ok(untimed)
}

/// The last `count` entries that are wanted, in order; and how many tell no time and were left out for it.
pub(super) fn last(
    part: &Part,
    filter: &Filter,
    which: &[u64],
    count: usize,
) -> io::Result<(Vec<LogEntry>, usize)> {
    let backwards: Vec<u64> = which.iter().rev().copied().collect();
    let (mut entries, mut untimed) = (Vec::new(), 0);
    each(part, filter, &backwards, &mut |found| {
        untimed += found.untimed;
        entries.extend(found.entries.into_iter().rev());
        if entries.len() > count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    entries.truncate(count);
    entries.reverse();
    Ok((entries.into_iter().map(|one: Placed| one.entry).collect(), untimed))
}

/// The numbers of all pieces of a file of this length.
pub(super) fn all(length: u64) -> Vec<u64> {
    (0..length.div_ceil(PIECE)).collect()
}

/// Reads pieces on all cores, and gives each to `take` in the order of `which`.
fn each(
    part: &Part,
    filter: &Filter,
    which: &[u64],
    take: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> io::Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from).min(8).min(which.len());
    if cores < 2 {
        let mut buffer = Vec::new();
        for number in which {
            if take(part.piece(*number, filter, &mut buffer)?).is_break() {
                break;
            }
        }
        return Ok(());
    }
    thread::scope(|scope| {
        let mut ends: Vec<Receiver<io::Result<Found>>> = Vec::new();
        for core in 0..cores {
            let (give, end) = sync_channel(1);
            ends.push(end);
            let numbers = which.iter().skip(core).step_by(cores);
            scope.spawn(move || work(part, filter, numbers, &give));
        }
        for turn in 0..which.len() {
            let Some(end) = ends.get(turn % cores) else { break };
            // A worker that is gone has told why before.
            let Ok(found) = end.recv() else { break };
            if take(found?).is_break() {
                break;
            }
        }
        // Dropping the ends lets the workers go.
        Ok(())
    })
}

fn work<'n>(
    part: &Part,
    filter: &Filter,
    numbers: impl Iterator<Item = &'n u64>,
    give: &SyncSender<io::Result<Found>>,
) {
    let mut buffer = Vec::new();
    for number in numbers {
        let found = part.piece(*number, filter, &mut buffer);
        let is_end = found.is_err();
        if give.send(found).is_err() || is_end {
            return;
        }
    }
}

impl Part {
    /// A kept log.
    pub fn stamped(kept: &KeptLog) -> Option<Self> {
        let file = kept.file.try_clone().ok()?;
        Some(Self { file, length: kept.length, layout: Layout::Stamped, zone: TimeZone::UTC, piece: PIECE })
    }

    /// All pieces; of a stamped log those in which the engine's time is not before `since`.
    pub fn which(&self, since: Option<Timestamp>) -> io::Result<Vec<u64>> {
        let mut numbers = all(self.length);
        if let (Some(since), Layout::Stamped) = (since, self.layout) {
            // The engine's times only grow: what is before the last piece that begins before then is too old.
            let mut bytes = Vec::new();
            let begins_before = |number: &u64| {
                let from = number.saturating_mul(PIECE);
                self.read(from, from.saturating_add(AROUND as u64).min(self.length), &mut bytes)?;
                let skipped = if from == 0 {
                    0
                } else {
                    memchr::memchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1)
                };
                let stamp =
                    bytes.get(skipped..).unwrap_or_default().split(|b| *b == b' ').next().unwrap_or_default();
                let at = str::from_utf8(stamp).ok().and_then(|at| at.parse::<Timestamp>().ok());
                Ok::<bool, io::Error>(at.is_some_and(|at| at < since))
            };
            let before: Vec<bool> = numbers.iter().map(begins_before).collect::<io::Result<_>>()?;
            let first = before.iter().rposition(|is| *is).unwrap_or(0);
            numbers.drain(..first);
        }
        Ok(numbers)
    }

    /// The lines of a stamped log that begin in its last so many bytes.
    pub fn last_bytes(&self, back: u64) -> io::Result<Vec<EngineLine>> {
        let mut bytes = Vec::new();
        let from = self.length.saturating_sub(back);
        self.read(from, self.length, &mut bytes)?;
        let skipped =
            if from == 0 { 0 } else { memchr::memchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1) };
        let lines = bytes.get(skipped..).unwrap_or_default().split(|b| *b == b'\n');
        Ok(lines.filter(|line| !line.is_empty()).map(unkept).collect())
    }

    /// What stands between two places, and around it: all of the last line that begins there, if it is not too long.
    pub fn around(&self, begin: u64, end: u64, buffer: &mut Vec<u8>) -> io::Result<Around> {
        let mut behind = AROUND;
        loop {
            let around = self.around_by(begin, end, behind, buffer)?;
            if !around.is_cut || behind >= LONGEST_LINE {
                return Ok(around);
            }
            behind = behind.saturating_mul(16);
        }
    }

    fn around_by(&self, begin: u64, end: u64, behind: usize, buffer: &mut Vec<u8>) -> io::Result<Around> {
        let from = begin.saturating_sub(AROUND as u64);
        let to = end.saturating_add(behind as u64).min(self.length);
        self.read(from, to, buffer)?;
        let (start, stop) = (as_len(begin - from), as_len(end - from));
        let (skipped, kept) = whole_lines(buffer, start, stop, from == 0, to == self.length);
        let owned = start.max(skipped) - skipped..(stop.max(skipped) - skipped).min(kept - skipped);
        let owned = owned.start.min(owned.end)..owned.end;
        let is_cut = to < self.length && kept == buffer.len() && buffer.last() != Some(&b'\n');
        Ok(Around { from, to, kept: skipped..kept, owned, is_cut })
    }

    fn piece(&self, number: u64, filter: &Filter, buffer: &mut Vec<u8>) -> io::Result<Found> {
        let start = number.saturating_mul(self.piece);
        let end = start.saturating_add(self.piece).min(self.length);
        let mut behind = AROUND;
        loop {
            let Around { from, to, kept, owned, is_cut } = self.around_by(start, end, behind, buffer)?;
            let bytes = buffer.get(kept.clone()).unwrap_or_default();
            let piece = Piece { bytes, owned, layout: self.layout, zone: &self.zone };
            let sift = sift(&piece, filter);
            let has_more = to < self.length;
            if has_more && (sift.is_open || is_cut) && behind < LONGEST_LINE {
                behind = behind.saturating_mul(16);
                continue;
            }
            let place = |at: usize| from + (kept.start + at) as u64;
            let mut found = Found { entries: Vec::with_capacity(sift.found.len()), untimed: 0 };
            let mut before = None;
            for mut one in sift.found {
                if one.entry.at.is_none() {
                    one.entry.at = *before.get_or_insert_with(|| self.time_before(place(one.at)));
                }
                if one.by_time {
                    match one.entry.at {
                        Some(at) if filter.wants_at(at) => {}
                        Some(_) => continue,
                        None => {
                            found.untimed += 1;
                            continue;
                        }
                    }
                }
                if is_cut && one.end >= bytes.len() {
                    one.entry.left_out += self.rest_of_line(to)?;
                }
                found.entries.push(Placed { at: place(one.at), end: place(one.end), entry: one.entry });
            }
            return Ok(found);
        }
    }

    pub fn read(&self, from: u64, to: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
        let length = as_len(to - from);
        buffer.resize(length, 0);
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, from + done as u64) {
                // Cut short meanwhile.
                Ok(0) => break,
                Ok(read) => done += read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        buffer.truncate(done);
        Ok(())
    }

    /// The latest time that is told before a place.
    fn time_before(&self, place: u64) -> Option<Timestamp> {
        let mut back = AROUND as u64;
        while back <= BACK {
            let from = place.saturating_sub(back);
            let mut bytes = Vec::new();
            self.read(from, place, &mut bytes).ok()?;
            let skipped =
                if from == 0 { 0 } else { memchr::memchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1) };
            let bytes = bytes.get(skipped..).unwrap_or_default();
            let piece = Piece { bytes, owned: 0..bytes.len(), layout: self.layout, zone: &self.zone };
            if let Some((_, last)) = times(&piece) {
                return Some(last);
            }
            if from == 0 {
                return None;
            }
            back *= 8;
        }
        None
    }

    /// How many bytes a line goes on behind a place.
    fn rest_of_line(&self, place: u64) -> io::Result<u64> {
        let mut bytes = Vec::new();
        let mut at = place;
        while at < self.length {
            self.read(at, at.saturating_add(PIECE).min(self.length), &mut bytes)?;
            if bytes.is_empty() {
                break;
            }
            if let Some(end) = memchr::memchr(b'\n', &bytes) {
                return Ok(at - place + end as u64);
            }
            at += bytes.len() as u64;
        }
        Ok(at - place)
    }
}

/// The part of a buffer that holds whole lines: where it begins and ends. What is owned stays in it.
fn whole_lines(buffer: &[u8], start: usize, end: usize, is_first: bool, is_last: bool) -> (usize, usize) {
    let lead = buffer.get(..start).unwrap_or_default();
    // Where no line begins, one byte of the line that goes on tells that what is owned begins within it.
    let within = start.saturating_sub(1);
    let skipped = if is_first { 0 } else { memchr::memchr(b'\n', lead).map_or(within, |at| at + 1) };
    let tail = buffer.get(end.saturating_sub(1)..).unwrap_or_default();
    let kept = if is_last {
        buffer.len()
    } else {
        memchr::memrchr(b'\n', tail).map_or(buffer.len(), |at| end.saturating_sub(1) + at + 1)
    };
    (skipped.min(buffer.len()), kept.max(skipped.min(buffer.len())))
}

fn as_len(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// A line of a kept log.
fn unkept(line: &[u8]) -> EngineLine {
    let mut parts = line.splitn(3, |b| *b == b' ');
    let stamp = parts.next().and_then(|stamp| str::from_utf8(stamp).ok()).unwrap_or_default().to_owned();
    let stderr = parts.next() == Some(b"e");
    EngineLine { stamp, stderr, bytes: parts.next().unwrap_or_default().to_vec(), left_out: 0 }
}

/// What part of a log is asked for.
pub(super) fn told(
    part: &Part,
    filter: &Filter,
    which: &[u64],
    how_much: LogPart,
    tell: &mut dyn FnMut(Vec<LogEntry>) -> ControlFlow<()>,
) -> io::Result<usize> {
    match how_much {
        LogPart::All => search(part, filter, which, tell),
        LogPart::Last(count) => {
            let (entries, untimed) = last(part, filter, which, count)?;
            if !entries.is_empty() {
                let _enough = tell(entries);
            }
            Ok(untimed)
        }
    }
}
