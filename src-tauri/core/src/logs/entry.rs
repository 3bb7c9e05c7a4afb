//! A line of a log with what belongs to it.

use jiff::{Timestamp, tz::TimeZone};

use super::record::{LineForm, LogRecord, read_bytes};

/// The longest line that is read, in bytes. Of a longer one the beginning is kept, and its length is told.
pub const LONGEST_LINE: usize = 16 << 20;

/// A line, and the lines of a traceback that explain it.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// When: by the line's own words, else by the engine's; else that of the line before it. `None`: nobody says.
    pub at: Option<Timestamp>,
    /// The engine's time for it.
    pub written_at: Option<Timestamp>,
    /// Whether it came on standard error.
    pub stderr: bool,
    /// Its bytes as they were written, without the last line end.
    pub raw: Vec<u8>,
    /// How many bytes of it were left out, because it is longer than [`LONGEST_LINE`].
    pub left_out: u64,
    /// The zone of times in it that say none.
    pub zone: TimeZone,
}

impl LogEntry {
    /// The first of its lines.
    pub fn head(&self) -> &[u8] {
        self.raw.split(|b| *b == b'\n').next().unwrap_or_default()
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        1 + memchr::memchr_iter(b'\n', &self.raw).count()
    }

    /// What its first line says, and in which form.
    pub fn record(&self) -> (LogRecord, LineForm) {
        read_bytes(self.head(), self.written_at, &self.zone)
    }
}
