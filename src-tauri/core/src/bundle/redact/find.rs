//! Everything that is to be hidden in a text, without hiding it yet: pure, so that several texts can be
//! looked at at once.

use std::{borrow::Cow, ops::Range};

use crate::ports::SecretFinder;

use super::{
    assigned,
    encoded::{self, View},
    hits::{Hit, one_for_each_place},
    json,
    names::Names,
    people,
    rules::Rules,
};

/// So many forms within each other are undone.
const DEEPEST: usize = 5;

/// What a text is searched with.
#[derive(Clone, Copy)]
pub(super) struct Finder<'a> {
    pub(super) rules: &'static Rules,
    pub(super) known: &'a dyn SecretFinder,
}

impl Finder<'_> {
    /// All of it, in order, none over another.
    pub(super) fn all(&self, text: &str, more: Vec<Hit>) -> Vec<Hit> {
        let mut hits = more;
        let bare = self.into(text, 0, &mut hits);
        let mut hits = one_for_each_place(hits);
        quoted(&mut hits, &bare);
        hits
    }

    /// Adds what is in a text; gives its JSON's values without quotes.
    fn into(&self, text: &str, depth: usize, hits: &mut Vec<Hit>) -> Vec<Range<usize>> {
        for at in self.known.places_in(text.as_bytes()) {
            hits.push(known(text, at.range, &at.name));
        }
        self.rules.find(text, hits);
        people::find(text, hits);
        let mut names = Names::of(text);
        assigned::find(text, &mut names, hits);
        let mut read = json::Read::default();
        let outside = json_in(text, &mut names, &mut read, hits);
        if depth < DEEPEST {
            for range in read.escaped.drain(..).chain(outside) {
                let view = View::unescaped(text.get(range.clone()).unwrap_or_default());
                self.view(range.start, &view, depth, hits);
            }
            for (range, view) in encoded::percents(text) {
                self.view(range.start, &view, depth, hits);
            }
            for (range, how, decoded) in encoded::runs(text) {
                let mut inner = Vec::new();
                self.into(&decoded, depth + 1, &mut inner);
                if let Some(first) = one_for_each_place(inner).first() {
                    hits.push(Hit::secret(range, format!("{how}-{}", first.rule)));
                }
            }
        }
        read.bare
    }

    fn view(&self, start: usize, view: &View, depth: usize, hits: &mut Vec<Hit>) {
        let mut inner = Vec::new();
        self.into(&view.text, depth + 1, &mut inner);
        hits.extend(inner.into_iter().map(|hit| {
            let raw = view.raw(hit.range);
            // Within a text, quotes would end it.
            Hit { range: start + raw.start..start + raw.end, bare: false, ..hit }
        }));
    }
}

/// Reads the JSON in a text; gives what is outside of it and has a backslash.
fn json_in<'t>(
    text: &'t str,
    names: &mut Names<'t>,
    read: &mut json::Read,
    hits: &mut Vec<Hit>,
) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut outside = Vec::new();
    let mut leave_out = |range: Range<usize>| {
        if memchr::memchr(b'\\', bytes.get(range.clone()).unwrap_or_default()).is_some() {
            outside.push(range);
        }
    };
    let (mut done, mut at) = (0, 0);
    while let Some(open) = memchr::memchr2(b'{', b'[', bytes.get(at..).unwrap_or_default()) {
        let start = at + open;
        let behind = bytes.get(start + 1..).unwrap_or_default().trim_ascii_start().first();
        let begins = match bytes.get(start) {
            Some(b'{') => matches!(behind, Some(b'"')),
            _ => matches!(behind, Some(b'{' | b'[' | b'"')),
        };
        at = start + 1;
        if begins {
            leave_out(done..start);
            at = json::find(text, start, names, read, hits);
            done = at;
        }
    }
    leave_out(done..bytes.len());
    outside
}

/// A known secret. Its bytes may end within a character.
fn known(text: &str, range: Range<usize>, name: &str) -> Hit {
    let (mut start, mut end) = (range.start, range.end);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-_./ ".contains(*c);
    let name: String = name.chars().filter(is_plain).take(64).collect();
    let note: Cow<'static, str> = if name.is_empty() { "known-secret".into() } else { name.into() };
    Hit::note(start..end, "known-secret", note)
}

/// What is hidden within a value of JSON without quotes hides all of it, and it becomes a text.
fn quoted(hits: &mut [Hit], bare: &[Range<usize>]) {
    for hit in hits.iter_mut().filter(|hit| !hit.bare) {
        let n = bare.partition_point(|value| value.end <= hit.range.start);
        if let Some(value) = bare.get(n)
            && value.start <= hit.range.start
            && hit.range.end <= value.end
        {
            hit.range = value.clone();
            hit.bare = true;
        }
    }
}
