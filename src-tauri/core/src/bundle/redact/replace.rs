//! Putting notes and pseudonyms where something was found.

use std::collections::BTreeMap;

use super::{
    everywhere::Everywhere,
    hits::{Hit, Put},
    pseudonyms::Pseudonyms,
};

/// A text in which everything that was found is replaced.
#[derive(Default)]
pub(super) struct Replaced {
    pub(super) text: String,
    pub(super) counts: BTreeMap<String, usize>,
    pub(super) lines: Vec<usize>,
}

/// Replaces all hits, which are in order. New values get their names in that order.
pub(super) fn replaced(text: &str, hits: Vec<Hit>, names: &mut Pseudonyms) -> Replaced {
    let mut out = Replaced { text: String::with_capacity(text.len()), ..Replaced::default() };
    let (mut done, mut line) = (0, 1);
    for hit in hits {
        let between = text.get(done..hit.range.start).unwrap_or_default();
        line += line_ends(between);
        out.text.push_str(between);
        out.found(&hit.rule, line);
        let name;
        let shown: &[&str] = match &hit.put {
            Put::Note(note) => &["‹", note, "›"],
            Put::Name(kind, value) => {
                name = names.name(*kind, value);
                &[&name]
            }
            Put::Payer(value) => {
                name = names.payer(value);
                &[&name]
            }
        };
        let quote = if hit.bare { "\"" } else { "" };
        out.text.push_str(quote);
        out.text.extend(shown.iter().copied());
        out.text.push_str(quote);
        line += line_ends(text.get(hit.range.clone()).unwrap_or_default());
        done = hit.range.end;
    }
    out.text.push_str(text.get(done..).unwrap_or_default());
    out
}

fn line_ends(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

impl Replaced {
    fn found(&mut self, rule: &str, line: usize) {
        match self.counts.get_mut(rule) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(rule.to_owned(), 1)),
        }
        if self.lines.last() != Some(&line) {
            self.lines.push(line);
        }
    }

    /// What has a name is hidden wherever else it stands, whatever is around it.
    pub(super) fn hide(mut self, named: &Everywhere) -> Self {
        let places = named.places_in(&self.text);
        if places.is_empty() {
            return self;
        }
        let text = std::mem::take(&mut self.text);
        self.text = String::with_capacity(text.len());
        let (mut done, mut line) = (0, 1);
        for place in places {
            let between = text.get(done..place.range.start).unwrap_or_default();
            line += line_ends(between);
            self.text.extend([between, place.name]);
            self.found(place.kind.id(), line);
            done = place.range.end;
        }
        self.text.push_str(text.get(done..).unwrap_or_default());
        self.lines.sort_unstable();
        self.lines.dedup();
        self
    }
}
