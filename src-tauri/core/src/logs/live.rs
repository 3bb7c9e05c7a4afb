//! Entries made of lines as they are written.

use jiff::{Timestamp, tz::TimeZone};

use super::{
    entry::{LONGEST_LINE, LogEntry},
    join::Joiner,
    query::{Filter, Wanted},
    record::time_and_level,
};

/// Puts lines together that belong together, of both streams, and lets wanted entries through.
///
/// An entry is told when the next one begins: whoever waits for lines calls [`Self::flush`] when none came for a
/// while.
pub struct Assembler {
    zone: TimeZone,
    streams: [(Joiner, Option<Open>); 2],
    last: Option<Timestamp>,
}

struct Open {
    written_at: Option<Timestamp>,
    lines: Vec<Vec<u8>>,
    bytes: usize,
    left_out: u64,
}

impl Assembler {
    /// Of a log whose times without a zone are of this one.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, streams: Default::default(), last: None }
    }

    /// Takes a line, without its end; `left_out` of its bytes are not there. The entry before it, where that is
    /// wanted and the line does not belong to it.
    pub fn line(
        &mut self,
        stderr: bool,
        written_at: Option<Timestamp>,
        line: Vec<u8>,
        left_out: u64,
        filter: &Filter,
    ) -> Option<LogEntry> {
        let [out, err] = &mut self.streams;
        let (joiner, open) = if stderr { err } else { out };
        if joiner.joins(&line)
            && let Some(open) = open
        {
            if open.bytes < LONGEST_LINE {
                open.bytes += line.len() + 1;
                open.lines.push(line);
            } else {
                open.left_out += line.len() as u64 + 1;
            }
            open.left_out += left_out;
            return None;
        }
        let before = open.replace(Open { written_at, bytes: line.len(), lines: vec![line], left_out });
        before.and_then(|open| self.entry(stderr, open, filter))
    }

    /// Tells what is there: what comes next begins something.
    pub fn flush(&mut self, filter: &Filter) -> Vec<LogEntry> {
        let [(_, out), (_, err)] = &mut self.streams;
        let open = [(false, out.take()), (true, err.take())];
        open.into_iter().filter_map(|(stderr, open)| self.entry(stderr, open?, filter)).collect()
    }

    fn entry(&mut self, stderr: bool, open: Open, filter: &Filter) -> Option<LogEntry> {
        let lines: Vec<&[u8]> = open.lines.iter().map(Vec::as_slice).collect();
        let wanted = filter.wants(&lines, open.written_at, &self.zone);
        let mut entry = LogEntry {
            at: None,
            written_at: open.written_at,
            stderr,
            raw: lines.join(&b'\n'),
            left_out: open.left_out,
            zone: self.zone.clone(),
        };
        entry.at = time_and_level(entry.head(), entry.written_at, &entry.zone).0.or(self.last);
        self.last = entry.at;
        let is_wanted = match wanted {
            Wanted::No => false,
            Wanted::Yes => true,
            Wanted::ByTime => entry.at.is_some_and(|at| filter.wants_at(at)),
        };
        is_wanted.then_some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::LogQuery;

    #[test]
    fn a_traceback_that_comes_line_by_line_is_one_entry_and_the_other_stream_s_lines_are_none_of_it() {
        let filter = Filter::new(LogQuery::default()).unwrap();
        let mut assembler = Assembler::new(TimeZone::UTC);
        let mut told = Vec::new();
        for (stderr, line) in [
            (true, "2026-11-26T00:00:01Z [error    ] failed"),
            (true, "Traceback (most recent call last):"),
            (false, "{\"event\": \"between\"}"),
            (true, "ValueError: no"),
            (false, "{\"event\": \"after\"}"),
        ] {
            told.extend(assembler.line(stderr, None, line.into(), 0, &filter));
        }
        assert_eq!(told.len(), 1);
        told.extend(assembler.flush(&filter));
        let raw: Vec<String> = told.iter().map(|e| String::from_utf8_lossy(&e.raw).into_owned()).collect();
        let failed =
            "2026-11-26T00:00:01Z [error    ] failed\nTraceback (most recent call last):\nValueError: no";
        assert_eq!(raw, ["{\"event\": \"between\"}", "{\"event\": \"after\"}", failed]);
        assert_eq!(told[1].at, told[2].at.filter(|_| false), "nobody said when");
        assert!(assembler.flush(&filter).is_empty());
    }
}
