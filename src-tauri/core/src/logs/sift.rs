//! What a piece of a log has for a query. Pure: whoever has the bytes calls it, on as many cores as there are.

use std::ops::Range;

use jiff::{Timestamp, tz::TimeZone};
use memchr::memchr;

use super::{
    entry::{LONGEST_LINE, LogEntry},
    join::{Joiner, may_join},
    query::{Filter, Sieve, Wanted},
    record::time_and_level,
};

/// How lines stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As the program wrote them.
    Plain,
    /// Each behind the engine's time and `o` or `e` for its stream, with a blank behind both.
    Stamped,
}

/// A piece of a log. It begins where a line begins.
#[derive(Debug, Clone)]
pub struct Piece<'b> {
    /// Its bytes: before `owned` some that tell what its first lines belong to, behind it some that may belong to
    /// its last ones.
    pub bytes: &'b [u8],
    /// What begins in here is answered for.
    pub owned: Range<usize>,
    /// How its lines stand there.
    pub layout: Layout,
    /// The zone of times that say none.
    pub zone: &'b TimeZone,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Sifted {
    /// Where its first line begins in the piece.
    pub at: usize,
    /// Where its last line ends.
    pub end: usize,
    /// The lines.
    pub entry: LogEntry,
    /// It is wanted if the time of the line before it is, and no line of the piece before it tells one.
    pub by_time: bool,
}

/// All that was found in a piece.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sift {
    /// In their order.
    pub found: Vec<Sifted>,
    /// Something goes on to the piece's very end, and may go on behind it.
    pub is_open: bool,
}

/// How much is looked at at once, so that the second look finds it in the processor's cache, in bytes.
const PASS: usize = 128 << 10;

/// The entries of the piece that the filter wants.
pub fn sift(piece: &Piece<'_>, filter: &Filter) -> Sift {
    let mut sift = Sift::default();
    match candidates(piece, filter) {
        // Any of them may belong to a line before it, which then is the one that is wanted.
        Some(lines) if !filter.is_about_heads() && lines.iter().any(|l| may_join(piece.body(l))) => {
            all(piece, filter, &mut sift);
        }
        Some(lines) => {
            for line in lines {
                alone(piece, filter, line, &mut sift);
            }
        }
        None => all(piece, filter, &mut sift),
    }
    let mut before = Before::default();
    for one in &mut sift.found {
        if one.entry.at.is_none() {
            one.entry.at = before.time(piece, one.at);
        }
        one.by_time &= one.entry.at.is_none();
    }
    sift.found.retain(|one| one.by_time || filter.wants_time(one.entry.at) != Wanted::No);
    sift
}

/// The latest time that is told before a place: nothing is looked at twice.
#[derive(Default)]
struct Before {
    place: usize,
    at: Option<Timestamp>,
}

impl Before {
    fn time(&mut self, piece: &Piece<'_>, place: usize) -> Option<Timestamp> {
        let mut end = place;
        while end > self.place {
            let start = piece.line_start(end - 1);
            let told = piece.lines(start).next().and_then(|line| piece.time(&line));
            if told.is_some() {
                self.at = told;
                break;
            }
            end = start;
        }
        self.place = place;
        self.at
    }
}

/// The time that the first line of the piece which tells one tells, and that of the last one: for a reader that
/// looks for a time. `None`: none does.
pub fn times(piece: &Piece<'_>) -> Option<(Timestamp, Timestamp)> {
    let of = |line: &Line| piece.time(line);
    let first =
        piece.lines(piece.first_start()).take_while(|l| l.start < piece.owned.end).find_map(|l| of(&l))?;
    let mut end = piece.owned.end.min(piece.bytes.len());
    while end > piece.owned.start {
        let start = piece.line_start(end - 1);
        if let Some(last) = piece.lines(start).next().and_then(|line| of(&line)) {
            return Some((first, last));
        }
        end = start;
    }
    Some((first, first))
}

/// A line: where it begins, where its text does, where it ends.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    start: usize,
    body: usize,
    end: usize,
    stderr: bool,
    written_at: Option<Timestamp>,
}

impl Piece<'_> {
    fn body(&self, line: &Line) -> &[u8] {
        self.bytes.get(line.body..line.end).unwrap_or_default()
    }

    fn time(&self, line: &Line) -> Option<Timestamp> {
        time_and_level(self.body(line), line.written_at, self.zone).0
    }

    fn line_start(&self, at: usize) -> usize {
        let before = self.bytes.get(..at.min(self.bytes.len())).unwrap_or_default();
        memchr::memrchr(b'\n', before).map_or(0, |end| end + 1)
    }

    /// From the first line that begins in what is owned to the end of the last one.
    pub(super) fn owned_lines(&self) -> (usize, usize) {
        let begin = self.first_start();
        if begin >= self.owned.end {
            return (begin, begin);
        }
        let last = self.owned.end.saturating_sub(1);
        let behind = self.bytes.get(last..).unwrap_or_default();
        (begin, memchr(b'\n', behind).map_or(self.bytes.len(), |length| last + length + 1))
    }

    /// Where the first line begins that begins in what is owned.
    fn first_start(&self) -> usize {
        let Some(before) = self.owned.start.checked_sub(1) else { return 0 };
        let rest = self.bytes.get(before..).unwrap_or_default();
        memchr(b'\n', rest).map_or(self.bytes.len(), |length| before + length + 1)
    }

    /// The lines from one that begins at `start`.
    fn lines(&self, start: usize) -> impl Iterator<Item = Line> + use<'_> {
        let mut start = start;
        std::iter::from_fn(move || {
            let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            let line = self.line(start, start + length);
            start += length + 1;
            Some(line)
        })
    }

    fn line(&self, start: usize, end: usize) -> Line {
        let plain = Line { start, body: start, end, stderr: false, written_at: None };
        let text = self.bytes.get(start..end).unwrap_or_default();
        let Some(stamp) = (self.layout == Layout::Stamped).then(|| memchr(b' ', text)).flatten() else {
            return plain;
        };
        let stderr = match text.get(stamp + 1..stamp + 3) {
            Some(b"o ") => false,
            Some(b"e ") => true,
            _ => return plain,
        };
        let at = text.get(..stamp).and_then(|at| str::from_utf8(at).ok()).and_then(|at| at.parse().ok());
        Line { body: start + stamp + 3, stderr, written_at: at, ..plain }
    }
}

/// The lines beside which every wanted one is; `None`: that can't be told.
fn candidates(piece: &Piece<'_>, filter: &Filter) -> Option<Vec<Line>> {
    let sieve = filter.sieve();
    if matches!(sieve, Sieve::None) {
        return None;
    }
    // The last line that is owned may end behind what is owned.
    let (_, line_end) = piece.owned_lines();
    let end = if filter.is_about_heads() { line_end } else { piece.bytes.len() };
    let mut starts = Vec::new();
    let mut from = piece.owned.start;
    while from < end {
        let to = if sieve.takes_pieces() { end.min(from + PASS) } else { end };
        let bytes = piece.bytes.get(from..end.min(to + sieve.overlap())).unwrap_or_default();
        sieve.places(bytes, |at| {
            let at = from + at;
            // Most lines have several places.
            let known = starts.last().is_some_and(|(start, end)| (*start..=*end).contains(&at));
            if !known {
                let start = piece.line_start(at);
                let rest = piece.bytes.get(at..).unwrap_or_default();
                starts.push((start, at + memchr(b'\n', rest).unwrap_or(rest.len())));
            }
        });
        from = to;
    }
    starts.sort_unstable();
    starts.dedup();
    let owned = starts.into_iter().map(|(start, end)| piece.line(start, end));
    if filter.is_about_heads() {
        return Some(owned.filter(|line| piece.owned.contains(&line.start)).collect());
    }
    Some(owned.collect())
}

/// The entry that a line begins, if it begins one that is wanted.
fn alone(piece: &Piece<'_>, filter: &Filter, line: Line, sift: &mut Sift) {
    if !piece.owned.contains(&line.start) {
        return;
    }
    let head = piece.body(&line);
    if !asks_of_all(filter) && filter.wants(&[head], line.written_at, piece.zone) == Wanted::No {
        return;
    }
    let mut open = Open::begun(line);
    if head.first() != Some(&b'{') {
        let mut joiner = Joiner::default();
        joiner.joins(head);
        let mut behind = piece.lines(open.first.end + 1).filter(|next| next.stderr == open.first.stderr);
        let joined: Vec<Line> = behind.by_ref().take_while(|next| joiner.joins(piece.body(next))).collect();
        // The line that does not join was taken too; where there was none, the piece ended.
        sift.is_open |= joined.last().map_or(open.first.end, |line| line.end) + 1 >= piece.bytes.len();
        open.lines.extend(joined);
    }
    sift.found.extend(open.sifted(piece, filter));
}

/// Whether lines that belong to the first may answer too.
fn asks_of_all(filter: &Filter) -> bool {
    filter.query().grep.is_some()
}

/// Lines that belong together, as far as they were read.
struct Open {
    first: Line,
    lines: Vec<Line>,
}

impl Open {
    fn begun(line: Line) -> Self {
        Self { first: line, lines: Vec::new() }
    }

    fn sifted(&self, piece: &Piece<'_>, filter: &Filter) -> Option<Sifted> {
        let bodies: Vec<&[u8]> =
            std::iter::once(&self.first).chain(&self.lines).map(|line| piece.body(line)).collect();
        let wanted = filter.wants(&bodies, self.first.written_at, piece.zone);
        if wanted == Wanted::No {
            return None;
        }
        let mut raw = bodies.join(&b'\n');
        let left_out = raw.len().saturating_sub(LONGEST_LINE);
        raw.truncate(LONGEST_LINE);
        let mut entry = LogEntry {
            at: None,
            written_at: self.first.written_at,
            stderr: self.first.stderr,
            raw,
            left_out: left_out as u64,
            zone: piece.zone.clone(),
        };
        entry.at = time_and_level(entry.head(), entry.written_at, &entry.zone).0;
        let end = self.lines.last().map_or(self.first.end, |line| line.end);
        Some(Sifted { at: self.first.start, end, entry, by_time: wanted == Wanted::ByTime })
    }
}

/// Looks at every line.
fn all(piece: &Piece<'_>, filter: &Filter, sift: &mut Sift) {
    let owned = &piece.owned;
    let first = piece.first_start();
    let begins_alone = piece.lines(first).next().is_none_or(|line| !may_join(piece.body(&line)));
    // Standard output and standard error: what stands on one does not belong to what stands on the other.
    let mut streams: [(Joiner, Option<Open>); 2] = Default::default();
    let mut lines = piece.lines(if begins_alone { first } else { 0 });
    loop {
        let is_over = |line: &Line| line.start >= owned.end && streams.iter().all(|(_, open)| open.is_none());
        let Some(line) = lines.next() else {
            sift.is_open = true;
            break;
        };
        if is_over(&line) {
            break;
        }
        let [out, err] = &mut streams;
        let (joiner, open) = if line.stderr { err } else { out };
        if joiner.joins(piece.body(&line)) {
            if let Some(open) = open {
                open.lines.push(line);
            }
            continue;
        }
        sift.found.extend(open.take().and_then(|open| open.sifted(piece, filter)));
        *open = owned.contains(&line.start).then(|| Open::begun(line));
    }
    for (_, open) in streams {
        sift.found.extend(open.and_then(|open| open.sifted(piece, filter)));
    }
    sift.found.sort_by_key(|one| one.at);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::LogQuery;

    fn filter(query: LogQuery) -> Filter {
        Filter::new(query).unwrap()
    }

    fn sifted(text: &[u8], owned: Range<usize>, query: LogQuery) -> Vec<String> {
        let piece = Piece { bytes: text, owned, layout: Layout::Plain, zone: &TimeZone::UTC };
        sift(&piece, &filter(query))
            .found
            .into_iter()
            .map(|s| String::from_utf8_lossy(&s.entry.raw).into_owned())
            .collect()
    }

    const MIXED: &str = "\
{\"event\":\"a\",\"thread_id\":\"T1\",\"level\":\"info\"}
2026-11-26T00:00:01Z [error    ] failed  thread_id=T1
Traceback (most recent call last):
  File \"x\"
ValueError: wanted
{\"event\":\"about T1\",\"thread_id\":\"T2\",\"level\":\"error\"}
INFO:     plain T1
2026-11-26T00:00:02Z [info     ] fine  thread_id=T2
";

    fn queries() -> Vec<(LogQuery, Vec<usize>)> {
        let query = LogQuery::default;
        let text = |text: &str| Some(text.to_owned());
        // By the numbers of the entries' first lines.
        vec![
            (query(), vec![0, 1, 5, 6, 7]),
            (LogQuery { thread: text("T1"), ..query() }, vec![0, 1]),
            (LogQuery { thread: text("T2"), ..query() }, vec![5, 7]),
            (LogQuery { thread: text("T1"), grep: text("wanted"), ..query() }, vec![1]),
            (LogQuery { grep: text("wanted"), ..query() }, vec![1]),
            (LogQuery { grep: text("^ValueError"), ..query() }, vec![1]),
            (LogQuery { grep: text("T1"), ..query() }, vec![0, 1, 5, 6]),
            (LogQuery { grep: text("nowhere"), ..query() }, vec![]),
            (LogQuery { grep: text("a[^x]*Trace"), ..query() }, vec![]),
            (LogQuery { level: text("error"), ..query() }, vec![1, 5]),
            (LogQuery { level: text("info"), thread: text("T2"), ..query() }, vec![5, 7]),
            (LogQuery { until: "2026-11-26T00:00:02Z".parse().ok(), ..query() }, vec![0, 1, 5, 6]),
            (LogQuery { until: "2026-11-26T00:00:01Z".parse().ok(), grep: text("T1"), ..query() }, vec![0]),
        ]
    }

    fn heads(numbers: &[usize]) -> Vec<&'static str> {
        numbers.iter().map(|n| MIXED.lines().nth(*n).unwrap()).collect()
    }

    #[test]
    fn wherever_a_log_is_cut_into_pieces_each_entry_is_found_once() {
        for (query, expected) in queries() {
            for cut in 0..=MIXED.len() {
                let mut found = sifted(MIXED.as_bytes(), 0..cut, query.clone());
                found.extend(sifted(MIXED.as_bytes(), cut..MIXED.len(), query.clone()));
                let first: Vec<&str> = found.iter().map(|entry| entry.lines().next().unwrap()).collect();
                assert_eq!(first, heads(&expected), "{query:?} cut at {cut}");
                assert!(
                    found
                        .iter()
                        .filter(|e| e.starts_with("2026-11-26T00:00:01Z"))
                        .all(|e| e.ends_with("ValueError: wanted"))
                );
            }
        }
    }

    #[test]
    fn streams_are_kept_apart_and_the_engine_s_stamps_are_no_part_of_a_line() {
        let text = "\
2026-11-26T00:00:01.5Z e 2026-11-26T00:00:01Z [error    ] failed  thread_id=T1
2026-11-26T00:00:01.6Z e Traceback (most recent call last):
2026-11-26T00:00:01.6Z o {\"event\":\"between\",\"thread_id\":\"T1\"}
2026-11-26T00:00:01.7Z e   File \"x\"
2026-11-26T00:00:01.7Z e ValueError: no
2026-11-26T00:00:01.8Z o o e Z
no stamp
";
        for thread in [None, Some("T1".to_owned())] {
            let query = LogQuery { thread: thread.clone(), ..LogQuery::default() };
            let piece = Piece {
                bytes: text.as_bytes(),
                owned: 0..text.len(),
                layout: Layout::Stamped,
                zone: &TimeZone::UTC,
            };
            let found = sift(&piece, &filter(query)).found;
            let raw: Vec<String> =
                found.iter().map(|s| String::from_utf8_lossy(&s.entry.raw).into_owned()).collect();
            let failed = "2026-11-26T00:00:01Z [error    ] failed  thread_id=T1\nTraceback (most recent call last):\n  File \"x\"\nValueError: no";
            let between = "{\"event\":\"between\",\"thread_id\":\"T1\"}";
            match thread {
                None => assert_eq!(raw, [failed, between, "o e Z", "no stamp"]),
                Some(_) => assert_eq!(raw, [failed, between]),
            }
            assert!(found[0].entry.stderr && !found[1].entry.stderr);
            assert_eq!(found[1].entry.at.unwrap().to_string(), "2026-11-26T00:00:01.6Z");
            assert_eq!(found[0].entry.at.unwrap().to_string(), "2026-11-26T00:00:01Z", "its own words");
        }
    }

    #[test]
    fn lines_without_a_time_are_left_to_whoever_knows_the_line_before() {
        let since = LogQuery { since: "2026-11-26T00:00:00Z".parse().ok(), ..LogQuery::default() };
        let piece = Piece {
            bytes: MIXED.as_bytes(),
            owned: 0..MIXED.len(),
            layout: Layout::Plain,
            zone: &TimeZone::UTC,
        };
        let found = sift(&piece, &filter(since)).found;
        let open: Vec<bool> = found.iter().map(|s| s.by_time).collect();
        assert_eq!(open, [true, false, false, false, false]);
        assert_eq!(found[2].entry.at.unwrap().to_string(), "2026-11-26T00:00:01Z", "that of the line before");
        let (first, last) = times(&piece).unwrap();
        assert_eq!(
            (first.to_string().as_str(), last.to_string().as_str()),
            ("2026-11-26T00:00:01Z", "2026-11-26T00:00:02Z")
        );
    }
}
