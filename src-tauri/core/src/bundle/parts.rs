//! What was collected for a bundle, before anything of it is cleaned.

use std::borrow::Cow;

use super::{manifest::LogOf, redact::Content};

/// One file to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its path in the archive.
    pub path: String,
    /// What collected it.
    pub collector: &'static str,
    /// Where its content comes from, in words.
    pub origin: String,
    /// The command that printed it, where it was one.
    pub argv: Option<Vec<String>>,
    /// How that command ended.
    pub exit_code: Option<i32>,
    /// How long its collector took, in milliseconds.
    pub duration_ms: u64,
    /// What was cut off, in words.
    pub truncated: Option<String>,
    /// Whose log it is.
    pub log: Option<LogOf>,
    /// Its content, or why there is none.
    pub taken: Taken,
}

/// What was collected.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// These bytes.
    Bytes(Content, Vec<u8>),
    /// There was nothing to collect, or it was not wanted: why.
    Skipped(String),
    /// It could not be: why.
    Failed(String),
}

impl Part {
    /// A file whose content is there.
    pub fn new(
        path: impl Into<String>,
        collector: &'static str,
        origin: impl Into<String>,
        taken: Taken,
    ) -> Self {
        Self {
            path: path.into(),
            collector,
            origin: origin.into(),
            argv: None,
            exit_code: None,
            duration_ms: 0,
            truncated: None,
            log: None,
            taken,
        }
    }

    /// Its length, in bytes.
    pub fn len(&self) -> usize {
        match &self.taken {
            Taken::Bytes(_, bytes) => bytes.len(),
            Taken::Skipped(_) | Taken::Failed(_) => 0,
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The last `most` bytes from a line's beginning on, and what was cut, in words. A cut at a line's end
/// leaves no half of a secret that nobody would recognise.
pub fn cut_to(most: usize, bytes: &[u8]) -> (Cow<'_, [u8]>, Option<String>) {
    let Some(over) = bytes.len().checked_sub(most).filter(|over| *over > 0) else {
        return (Cow::Borrowed(bytes), None);
    };
    let rest = bytes.get(over.saturating_sub(1)..).unwrap_or_default();
    let kept = memchr::memchr(b'\n', rest).and_then(|end| rest.get(end + 1..)).unwrap_or_default();
    let lines = memchr::memchr_iter(b'\n', bytes).count() - memchr::memchr_iter(b'\n', kept).count();
    let cut = format!("the oldest {lines} lines ({} bytes)", bytes.len() - kept.len());
    (Cow::Borrowed(kept), Some(cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_falls_between_two_lines_and_says_what_it_took() {
        let (kept, cut) = cut_to(7, b"first\nsecond\nthird\n");
        assert_eq!((&*kept, cut.as_deref()), (&b"third\n"[..], Some("the oldest 2 lines (13 bytes)")));
        assert_eq!(cut_to(6, b"first\nsecond\nthird\n").0.as_ref(), b"third\n");
        assert_eq!(cut_to(5, b"first\nsecond\nthird\n").0.as_ref(), b"", "half a line is none");
        assert_eq!(cut_to(19, b"first\nsecond\nthird\n").1, None);
        assert_eq!(cut_to(3, b"no end of line").0.as_ref(), b"");
    }
}
