//! How far around its keyword a rule has to look.

use std::ops::Range;

/// What a rule over several lines may take before and behind its keyword, in bytes.
const BEFORE: usize = 512;
const BEHIND: usize = 96 << 10;
/// No match over several lines is longer.
pub(super) const OVERLAP: usize = 40 << 10;

/// How far a rule's matches go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// They end with the line.
    Line,
    /// They go over line ends.
    Lines,
}

/// Part of a text around a line, on character boundaries.
pub(super) fn around(text: &str, line: &Range<usize>) -> Range<usize> {
    let down = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    down(line.start.saturating_sub(BEFORE))..down((line.end + BEHIND).min(text.len()))
}
