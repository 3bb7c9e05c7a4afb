//! What was found in a text and what is put there instead, until nothing is over anything else.

use std::{borrow::Cow, ops::Range};

use super::pseudonyms::Kind;

/// What stands in the place of what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Put {
    /// These words, between `‹` and `›`.
    Note(Cow<'static, str>),
    /// The pseudonym of this value.
    Name(Kind, String),
    /// The pseudonym of this number, as the payer's.
    Payer(String),
}

/// One place in a text, on character boundaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) range: Range<usize>,
    /// Which rule found it.
    pub(super) rule: Cow<'static, str>,
    pub(super) put: Put,
    /// It is a whole value of JSON without quotes, and gets some.
    pub(super) bare: bool,
}

impl Hit {
    /// A secret: the rule's id is what stands there.
    pub(super) fn secret(range: Range<usize>, rule: impl Into<Cow<'static, str>>) -> Self {
        let rule = rule.into();
        Self { range, put: Put::Note(rule.clone()), rule, bare: false }
    }

    pub(super) fn note(range: Range<usize>, rule: &'static str, note: impl Into<Cow<'static, str>>) -> Self {
        Self { range, rule: rule.into(), put: Put::Note(note.into()), bare: false }
    }

    pub(super) fn name(range: Range<usize>, kind: Kind, value: String) -> Self {
        Self { range, rule: kind.id().into(), put: Put::Name(kind, value), bare: false }
    }

    pub(super) fn bare(self) -> Self {
        Self { bare: true, ..self }
    }

    fn length(&self) -> usize {
        self.range.end - self.range.start
    }

    /// Of two over each other the longer one says what it was; of two equal ones the one that knows that
    /// it needs quotes, then a secret.
    fn is_better_than(&self, other: &Self) -> bool {
        let rank = |hit: &Self| (hit.length(), hit.bare, matches!(hit.put, Put::Note(_)));
        rank(self) > rank(other)
    }
}

/// In order, none over another: of overlapping ones all bytes are hidden, by the better one.
pub(super) fn one_for_each_place(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.retain(|hit| hit.range.start < hit.range.end);
    hits.sort_by_key(|hit| (hit.range.start, hit.range.end));
    let mut kept: Vec<Hit> = Vec::with_capacity(hits.len());
    for hit in hits {
        match kept.last_mut() {
            Some(last) if hit.range.start < last.range.end => {
                let range = last.range.start..last.range.end.max(hit.range.end);
                if hit.is_better_than(last) {
                    *last = hit;
                }
                last.range = range;
            }
            _ => kept.push(hit),
        }
    }
    kept
}
