//! A container's log: what is kept of it, brought up to now, and what is written from then on.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use ratiba_core::{
    logs::{Assembler, Filter, LogEntry},
    model::SourceErrorKind,
    ports::{EngineLine, LogBatch, LogPart, Read},
};
use tokio::{sync::mpsc::Sender, time::Instant};

use super::{
    file::left_out_for_time,
    kept::{Keeper, KeptLog, Need, as_kept, next, seam},
    pieces::{self, Part},
};

/// How far a program's clock may be from the engine's.
const CLOCKS: SignedDuration = SignedDuration::from_secs(60);
/// Lines read beyond what is asked for: a traceback has many.
const BEYOND: u64 = 1_000;
/// The lines by which the place is found where the engine's stream goes on.
const TAIL: u64 = 256;
/// How long a stream may be silent before what it gave is all that was there.
const QUIET: Duration = Duration::from_millis(400);
/// How long is waited before a log that ended is opened again: at first a restart is likely, and its first lines may
/// soon be rotated away; later nothing is.
const AGAIN_FIRST: Duration = Duration::from_millis(200);
const AGAIN_LAST: Duration = Duration::from_secs(3);

type Give = Sender<Read<LogBatch>>;

/// What is asked of a container's log.
pub(super) struct Question {
    pub keeper: Keeper,
    pub id: String,
    pub service: String,
    pub name: String,
    pub filter: Arc<Filter>,
    pub part: LogPart,
}

impl Question {
    fn need(&self) -> Need {
        let query = self.filter.query();
        let is_plain = query.thread.is_none()
            && query.tenant.is_none()
            && query.level.is_none()
            && query.grep.is_none()
            && query.until.is_none();
        match (query.since, self.part) {
            (Some(since), _) => Need::Since(since.saturating_sub(CLOCKS).unwrap_or(since)),
            (None, LogPart::Last(count)) if is_plain => Need::Lines((count as u64).saturating_add(BEYOND)),
            _ => Need::All,
        }
    }

    async fn up_to_now(&self, need: Need) -> Read<KeptLog> {
        self.keeper.up_to_now(&self.id, &self.service, &self.name, need).await
    }
}

/// Reads what is there, and with `follow` goes on until the container is gone or nobody listens.
pub(super) async fn read(question: Question, give: Give, follow: bool) {
    let kept = match question.up_to_now(question.need()).await {
        Ok(kept) => kept,
        Err(error) => {
            let _gone = give.send(Err(error)).await;
            return;
        }
    };
    let (last, note) = (kept.last.clone(), kept.note.clone());
    if tell(&question, kept, &give, note).await.is_break() || !follow {
        return;
    }
    follow_on(&question, &give, Seen { last }).await;
}

/// Tells what stands in a kept log.
async fn tell(question: &Question, kept: KeptLog, give: &Give, note: Option<String>) -> ControlFlow<()> {
    let (filter, name, give) = (question.filter.clone(), question.name.clone(), give.clone());
    let how_much = question.part;
    let told = tokio::task::spawn_blocking(move || {
        let Some(part) = Part::stamped(&kept) else { return Ok(false) };
        let since = filter.query().since.map(|since| since.saturating_sub(CLOCKS).unwrap_or(since));
        let which = part.which(since)?;
        let untimed = pieces::told(&part, &filter, &which, how_much, &mut |entries| {
            let batch = LogBatch { entries, ..LogBatch::default() };
            if give.blocking_send(Ok(batch)).is_ok() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        let notes = note.into_iter().chain(left_out_for_time(&name, untimed)).collect();
        Ok::<bool, std::io::Error>(
            give.blocking_send(Ok(LogBatch { notes, is_live: true, ..LogBatch::default() })).is_ok(),
        )
    });
    match told.await {
        Ok(Ok(true)) => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    }
}

/// How far a log was told.
struct Seen {
    /// Its last lines, as they are kept.
    last: Vec<Vec<u8>>,
}

async fn follow_on(question: &Question, give: &Give, mut seen: Seen) {
    let mut assembler = Assembler::new(TimeZone::UTC);
    let mut again = AGAIN_FIRST;
    loop {
        let before = seen.last.last().cloned();
        let over = tokio::select! {
            over = one_stream(question, give, &mut seen, &mut assembler) => over,
            () = give.closed() => return,
        };
        if over.is_break() {
            return;
        }
        again = if seen.last.last() == before.as_ref() { (again * 2).min(AGAIN_LAST) } else { AGAIN_FIRST };
        tokio::select! {
            () = tokio::time::sleep(again) => {}
            () = give.closed() => return,
        }
        // What was written between two streams, or before the first: the kept log has it.
        match question.up_to_now(Need::Lines(1)).await {
            Ok(kept) if kept.unasked.as_ref().is_some_and(|e| e.kind == SourceErrorKind::Invalid) => {
                // The engine answers, and has no such container any more.
                let rest = assembler.flush(&question.filter);
                let notes = vec![format!("{}: the container is gone, and its log ends here", question.name)];
                let _told = send(give, rest, notes).await;
                return;
            }
            // The engine is away: it may come back.
            Ok(kept) if kept.unasked.is_some() => {}
            Ok(kept) => {
                let mut notes: Vec<String> = kept.note.clone().into_iter().collect();
                let lines = behind(&kept, &seen).unwrap_or_else(|| {
                    notes.push(format!("{}: lines may be missing here: the log was rotated", question.name));
                    Vec::new()
                });
                let take = |line: EngineLine| {
                    assembler.line(line.stderr, line.stamp.parse().ok(), line.bytes, 0, &question.filter)
                };
                let entries: Vec<LogEntry> = lines.into_iter().filter_map(take).collect();
                seen.last = kept.last;
                let is_news = !entries.is_empty() || !notes.is_empty();
                if is_news && send(give, entries, notes).await.is_break() {
                    return;
                }
            }
            Err(error) if error.kind == SourceErrorKind::Invalid => {
                // The engine answers, and has no such container any more.
                let notes = vec![format!("{}: {error}", question.name)];
                let _told = send(give, Vec::new(), notes).await;
                return;
            }
            // The engine is away: it may come back.
            Err(_) => {}
        }
    }
}

/// The lines of a kept log behind what was seen of it; `None`: what was seen is not in it.
fn behind(kept: &KeptLog, seen: &Seen) -> Option<Vec<EngineLine>> {
    let part = Part::stamped(kept)?;
    // Mostly little was written since.
    for back in [256 << 10, 16 << 20, u64::MAX] {
        let mut lines = part.last_bytes(back).ok()?;
        if let Some(at) = seen.place_in(&lines) {
            return Some(lines.split_off(at));
        }
        if back >= kept.length {
            break;
        }
    }
    None
}

async fn send(give: &Give, entries: Vec<LogEntry>, notes: Vec<String>) -> ControlFlow<()> {
    match give.send(Ok(LogBatch { entries, notes, is_live: true })).await {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// Follows the engine's stream until it ends. `Break`: nobody listens.
async fn one_stream(
    question: &Question,
    give: &Give,
    seen: &mut Seen,
    assembler: &mut Assembler,
) -> ControlFlow<()> {
    let opened = question.keeper.containers.log_lines(&question.id, Some(TAIL), true).await;
    let Ok(mut lines) = opened else { return ControlFlow::Continue(()) };
    // First come lines that were there: what of them was told is found by what was told last.
    let mut first: Vec<EngineLine> = Vec::new();
    let is_found = loop {
        if let Some(at) = seen.place_in(&first) {
            first.drain(..at);
            break true;
        }
        match tokio::time::timeout(QUIET, next(&mut lines)).await {
            Ok(Ok(Some(batch))) => first.extend(batch),
            Ok(Ok(None)) | Ok(Err(_)) | Err(_) => break false,
        }
        if first.len() as u64 > TAIL * 64 {
            break false;
        }
    };
    if !is_found {
        return ControlFlow::Continue(());
    }
    let mut came = first;
    let mut told_at = Instant::now();
    loop {
        let mut entries = Vec::new();
        for line in came.drain(..) {
            // Docker 20.10 sends the last line before a rotation twice. Its time is to the nanosecond: what is the
            // same in everything is the same line.
            if !seen.take(&line) {
                continue;
            }
            let at: Option<Timestamp> = line.stamp.parse().ok();
            entries.extend(assembler.line(line.stderr, at, line.bytes, line.left_out, &question.filter));
        }
        if told_at.elapsed() >= QUIET {
            entries.extend(assembler.flush(&question.filter));
        }
        if !entries.is_empty() {
            if send(give, entries, Vec::new()).await.is_break() {
                return ControlFlow::Break(());
            }
            told_at = Instant::now();
        }
        match tokio::time::timeout(QUIET, futures_util::StreamExt::next(&mut lines)).await {
            Ok(Some(Ok(batch))) => {
                came = batch;
                told_at = Instant::now();
            }
            Ok(Some(Err(_)) | None) => {
                let rest = assembler.flush(&question.filter);
                return if rest.is_empty() {
                    ControlFlow::Continue(())
                } else {
                    send(give, rest, Vec::new()).await
                };
            }
            Err(_) => {}
        }
    }
}

impl Seen {
    /// Behind which of these lines what is new begins; `None`: what was seen is not among them.
    fn place_in(&self, lines: &[EngineLine]) -> Option<usize> {
        if self.last.is_empty() { Some(0) } else { seam(&self.last, lines) }
    }

    /// Remembers a line; whether it is another one than the last.
    fn take(&mut self, line: &EngineLine) -> bool {
        let kept = as_kept(line);
        if !line.stamp.is_empty() && self.last.last() == Some(&kept) {
            return false;
        }
        self.last.push(kept);
        if self.last.len() > 64 {
            self.last.drain(..32);
        }
        true
    }
}
