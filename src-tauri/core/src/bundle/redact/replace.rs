//! Putting notes and pseudonyms where something was found.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;

use super::{
    hits::{Hit, Put},
    pseudonyms::{Kind, Pseudonyms},
};

/// Of anything but an e-mail address, less than this says nothing.
const SHORTEST: usize = 9;

/// A text in which everything that was found is replaced.
pub(super) struct Replaced {
    pub(super) text: String,
    pub(super) counts: BTreeMap<String, usize>,
    pub(super) lines: Vec<usize>,
}

/// Replaces all hits, which are in order. New values get their names in that order.
pub(super) fn replaced(text: &str, hits: Vec<Hit>, names: &mut Pseudonyms) -> Replaced {
    let mut out =
        Replaced { text: String::with_capacity(text.len()), counts: BTreeMap::new(), lines: Vec::new() };
    let (mut done, mut line) = (0, 1);
    for hit in hits {
        let between = text.get(done..hit.range.start).unwrap_or_default();
        line += memchr::memchr_iter(b'\n', between.as_bytes()).count();
        out.text.push_str(between);
        out.found(&hit.rule, line);
        let shown = match hit.put {
            Put::Note(note) => format!("‹{note}›"),
            Put::Name(kind, value) => names.name(kind, &value),
            Put::Payer(value) => names.payer(&value),
        };
        match hit.bare {
            true => out.text.extend(["\"", &shown, "\""]),
            false => out.text.push_str(&shown),
        }
        let hidden = text.get(hit.range.clone()).unwrap_or_default();
        line += memchr::memchr_iter(b'\n', hidden.as_bytes()).count();
        done = hit.range.end;
    }
    out.text.push_str(text.get(done..).unwrap_or_default());
    out.everywhere(names);
    out
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

    /// What has a name by now is hidden wherever else it stands, whatever is around it.
    fn everywhere(&mut self, names: &Pseudonyms) {
        let all: Vec<(String, Kind, String)> = names
            .iter()
            .filter_map(|one| Some((literal(one.kind, one.original)?.to_owned(), one.kind, one.name)))
            .collect();
        let finder = AhoCorasick::builder().ascii_case_insensitive(true).build(all.iter().map(|(l, ..)| l));
        // Without a finder the second look at the archive still finds them.
        let Some(finder) = finder.ok().filter(|_| !all.is_empty()) else { return };
        let text = std::mem::take(&mut self.text);
        let (mut done, mut line) = (0, 1);
        for found in finder.find_iter(&text) {
            let Some((_, kind, name)) = all.get(found.pattern().as_usize()) else { continue };
            let between = text.get(done..found.start()).unwrap_or_default();
            line += memchr::memchr_iter(b'\n', between.as_bytes()).count();
            self.text.push_str(between);
            self.text.push_str(name);
            self.found(kind.id(), line);
            done = found.end();
        }
        self.text.push_str(text.get(done..).unwrap_or_default());
        self.lines.sort_unstable();
        self.lines.dedup();
    }
}

/// What of a value is looked for: of a Kenyan number what all its spellings have. `None`: too short to be
/// told from other text.
pub(super) fn literal(kind: Kind, original: &str) -> Option<&str> {
    let literal = match kind {
        Kind::Phone if original.len() == 12 => original.strip_prefix("254").unwrap_or(original),
        _ => original,
    };
    (kind == Kind::Email || literal.len() >= SHORTEST).then_some(literal)
}
