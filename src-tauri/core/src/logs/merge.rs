//! Several logs as one, by time.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::LogEntry;

/// How many entries of a log are waited for before its earliest goes on: what was written out of order by fewer
/// is put in order.
const WINDOW: usize = 512;

/// Puts entries of several logs in order of their times. Of the same time, the log that was named first comes first;
/// in one log, what was written first. What tells no time goes on when its turn in its own log comes.
///
/// One log alone is told as it was written.
pub struct Merge {
    logs: Vec<Waiting>,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<LogEntry>,
    /// Nothing more of what was there is to come.
    is_done: bool,
}

impl Merge {
    /// Of so many logs.
    pub fn new(logs: usize) -> Self {
        Self { logs: (0..logs).map(|_| Waiting::default()).collect() }
    }

    /// Entries of one log, in the order in which they were written.
    pub fn add(&mut self, log: usize, entries: Vec<LogEntry>) {
        let is_alone = self.logs.len() == 1;
        let Some(waiting) = self.logs.get_mut(log) else { return };
        let from = waiting.entries.len().saturating_sub(WINDOW);
        waiting.entries.extend(entries);
        if !is_alone {
            let all = waiting.entries.make_contiguous();
            if let Some(unsettled) = all.get_mut(from..) {
                unsettled.sort_by_key(|entry| entry.at);
            }
        }
    }

    /// Nothing more of what was there is to come of this log.
    pub fn done(&mut self, log: usize) {
        if let Some(waiting) = self.logs.get_mut(log) {
            waiting.is_done = true;
        }
    }

    /// Which log must tell more before anything can go on.
    pub fn waits_for(&self) -> Option<usize> {
        let window = if self.logs.len() == 1 { 1 } else { WINDOW };
        self.logs.iter().position(|waiting| !waiting.is_done && waiting.entries.len() < window)
    }

    /// The next entry and its log's number; `None`: something has to come first, or nothing is left.
    pub fn pop(&mut self) -> Option<(usize, LogEntry)> {
        if self.waits_for().is_some() {
            return None;
        }
        let times = self.logs.iter().enumerate().filter_map(|(log, w)| Some((log, w.entries.front()?.at)));
        let (log, _) = times.min_by_key(|(_, at)| at.unwrap_or(Timestamp::MIN))?;
        Some((log, self.logs.get_mut(log)?.entries.pop_front()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn entry(text: &str, second: Option<i64>) -> LogEntry {
        LogEntry {
            at: second.map(|s| Timestamp::from_second(s).unwrap()),
            written_at: None,
            stderr: false,
            raw: text.into(),
            left_out: 0,
            zone: TimeZone::UTC,
        }
    }

    fn told(merge: &mut Merge) -> Vec<String> {
        std::iter::from_fn(|| merge.pop()).map(|(_, e)| String::from_utf8(e.raw).unwrap()).collect()
    }

    #[test]
    fn logs_are_told_by_time_and_of_one_time_in_their_order() {
        let mut merge = Merge::new(2);
        merge.add(1, vec![entry("b1", Some(1)), entry("b2", Some(5))]);
        assert_eq!(merge.waits_for(), Some(0));
        assert!(merge.pop().is_none());
        merge.add(0, vec![entry("a0", None), entry("a2", Some(5)), entry("a1", Some(3))]);
        merge.done(0);
        merge.done(1);
        assert_eq!(told(&mut merge), ["a0", "b1", "a1", "a2", "b2"]);
    }

    #[test]
    fn one_log_alone_is_told_as_it_was_written() {
        let mut merge = Merge::new(1);
        merge.add(0, vec![entry("late", Some(9)), entry("early", Some(1))]);
        assert_eq!(told(&mut merge), ["late", "early"]);
        merge.done(0);
        assert!(merge.pop().is_none());
    }

    #[test]
    fn nothing_is_lost_however_the_entries_come() {
        let mut merge = Merge::new(3);
        for round in 0..400 {
            for log in 0..3 {
                let of = |n: i64| entry("x", Some((round * 7 + n) % 911));
                merge.add(log, (0..7).map(of).collect());
            }
        }
        let mut count = told(&mut merge).len();
        (0..3).for_each(|log| merge.done(log));
        count += told(&mut merge).len();
        assert_eq!(count, 400 * 3 * 7);
    }
}
