//! How many lines there are in each span of time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LogRecord, severity};

/// Spans at most.
const SPANS: i64 = 60;
/// Lengths that a span may have, in seconds: such as a person reads off a clock.
const LENGTHS: &[i64] =
    &[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400];

/// Lines by time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct Histogram {
    /// How long a span is, in seconds; 0: there are no lines with a time.
    #[cfg_attr(test, ts(type = "number"))]
    pub span_s: i64,
    /// The spans, without gaps.
    pub spans: Vec<HistogramSpan>,
    /// Lines of which nobody knows when.
    #[cfg_attr(test, ts(type = "number"))]
    pub untimed: u64,
}

/// The lines of one span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "wire.ts"))]
pub struct HistogramSpan {
    /// When it begins.
    #[cfg_attr(test, ts(type = "string"))]
    pub at: Timestamp,
    /// All lines.
    pub lines: u32,
    /// Of these, warnings.
    pub warnings: u32,
    /// Of these, errors and worse.
    pub errors: u32,
}

/// Counts lines as they go by.
#[derive(Debug, Default)]
pub struct HistogramCounter {
    seconds: BTreeMap<i64, [u32; 3]>,
    untimed: u64,
}

impl HistogramCounter {
    /// Takes the next line.
    pub fn take(&mut self, record: &LogRecord, at: Option<Timestamp>) {
        let Some(at) = at else {
            self.untimed += 1;
            return;
        };
        let [lines, warnings, errors] = self.seconds.entry(at.as_second()).or_default();
        *lines += 1;
        match severity(&record.level) {
            3 => *warnings += 1,
            4.. => *errors += 1,
            _ => {}
        }
    }

    /// What was counted.
    pub fn histogram(self) -> Histogram {
        let (first, last) = match (self.seconds.keys().next(), self.seconds.keys().next_back()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => return Histogram { untimed: self.untimed, ..Histogram::default() },
        };
        let fits = |length: &&i64| last.div_euclid(**length) - first.div_euclid(**length) < SPANS;
        let day = 86_400;
        let length = LENGTHS.iter().find(fits).copied().unwrap_or_else(|| {
            // Months: as many whole days as are needed.
            ((last - first) / (SPANS - 1) / day + 1) * day
        });
        let begin = first.div_euclid(length);
        let mut spans: Vec<HistogramSpan> = (begin..=last.div_euclid(length))
            .filter_map(|n| {
                let at = Timestamp::from_second(n.checked_mul(length)?).ok()?;
                Some(HistogramSpan { at, lines: 0, warnings: 0, errors: 0 })
            })
            .collect();
        for (second, [lines, warnings, errors]) in self.seconds {
            let number = usize::try_from(second.div_euclid(length) - begin).unwrap_or(usize::MAX);
            if let Some(span) = spans.get_mut(number) {
                span.lines += lines;
                span.warnings += warnings;
                span.errors += errors;
            }
        }
        Histogram { span_s: length, spans, untimed: self.untimed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::record;

    fn of(seconds: &[i64]) -> Histogram {
        let mut counter = HistogramCounter::default();
        for second in seconds {
            let read = record(r#"{"level":"error","event":"e"}"#, Timestamp::from_second(*second).ok());
            counter.take(&read, read.at);
        }
        counter.histogram()
    }

    #[test]
    fn spans_are_such_as_are_read_off_a_clock_and_hold_every_line() {
        for (seconds, span, spans) in [
            (&[100][..], 1, 1),
            (&[0, 59], 1, 60),
            (&[0, 60], 2, 31),
            (&[10, 3_610], 120, 31),
            (&[0, 400 * 86_400], 7 * 86_400, 58),
            (&[-5, 5], 1, 11),
        ] {
            let histogram = of(seconds);
            assert_eq!((histogram.span_s, histogram.spans.len()), (span, spans), "{seconds:?}");
            let lines: u32 = histogram.spans.iter().map(|s| s.errors).sum();
            assert_eq!(lines as usize, seconds.len());
        }
        assert_eq!(of(&[]), Histogram::default());
    }

    #[test]
    fn a_time_that_is_far_off_is_counted_and_no_harm() {
        let histogram = of(&[-62_135_596_800, 1_764_000_000, 253_402_207_200]);
        assert!(histogram.spans.len() <= 60);
        assert_eq!(histogram.spans.iter().map(|s| s.lines).sum::<u32>(), 3);
    }
}
