//! A text without its line ends, so that what was split over one is found as a whole.

use std::ops::Range;

/// Bytes without line ends, without a `\` before them and the blank bytes behind them.
pub struct Joined {
    bytes: Vec<u8>,
    /// Where bytes were left out: place in `bytes`, and how many were left out up to there.
    seams: Vec<(usize, usize)>,
}

impl Joined {
    /// Joins the lines of `raw`.
    pub fn of(raw: &[u8]) -> Self {
        let mut bytes: Vec<u8> = Vec::with_capacity(raw.len());
        let mut seams = Vec::new();
        let mut rest = raw;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(end);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            bytes.extend_from_slice(line.strip_suffix(b"\\").unwrap_or(line));
            rest = behind.get(1..).unwrap_or_default().trim_ascii_start();
            seams.push((bytes.len(), raw.len() - rest.len() - bytes.len()));
        }
        bytes.extend_from_slice(rest);
        Self { bytes, seams }
    }

    /// The joined bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a range of the joined bytes is in the raw ones, with the line ends inside it and none around.
    pub fn raw(&self, joined: Range<usize>) -> Range<usize> {
        let end = joined.end.checked_sub(1).map_or(0, |last| self.raw_at(last) + 1);
        self.raw_at(joined.start)..end
    }

    fn raw_at(&self, at: usize) -> usize {
        let before = self.seams.partition_point(|(seam, _)| *seam <= at);
        at + before.checked_sub(1).and_then(|n| self.seams.get(n)).map_or(0, |(_, left_out)| *left_out)
    }
}
