//! All rules by shape behind one search for their keywords: a line is only shown to the rules whose
//! keyword is in it.

use std::{ops::Range, sync::OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{
    hits::Hit,
    own::{Own, rules as own_rules},
    span::{OVERLAP, Span, around},
    vendored::{Rule, Vendored},
};

/// So many times 64 rules there may be.
const DUE: usize = 8;

/// The rules; patterns in them are compiled when they are first needed.
pub(super) struct Rules {
    vendored: Vendored,
    own: Vec<Own>,
    keywords: AhoCorasick,
    /// For each keyword the rules that it belongs to.
    by_keyword: Vec<Vec<usize>>,
}

enum Either<'r> {
    Vendored(&'r Rule),
    Own(&'r Own),
}

impl Rules {
    /// The one set, read when it is first needed. `None`: it can't be read, and nothing can be cleaned.
    pub(super) fn get() -> Option<&'static Self> {
        static RULES: OnceLock<Option<Rules>> = OnceLock::new();
        RULES.get_or_init(Self::read).as_ref()
    }

    fn read() -> Option<Self> {
        let vendored = Vendored::read().ok()?;
        let own = own_rules();
        let mut keywords: Vec<String> = Vec::new();
        let mut by_keyword: Vec<Vec<usize>> = Vec::new();
        let theirs = vendored.rules.iter().map(|rule| rule.keywords.clone());
        let ours = own.iter().map(|rule| rule.triggers.iter().map(|t| (*t).to_owned()).collect());
        for (rule, words) in theirs.chain(ours).enumerate() {
            for word in words {
                let known = keywords.iter().position(|keyword| *keyword == word).unwrap_or(keywords.len());
                if known == keywords.len() {
                    keywords.push(word);
                    by_keyword.push(Vec::new());
                }
                by_keyword.get_mut(known)?.push(rule);
            }
        }
        // A rule beyond would never be asked.
        if vendored.rules.len() + own.len() > 64 * DUE {
            return None;
        }
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(keywords)
            .ok()?;
        Some(Self { vendored, own, keywords, by_keyword })
    }

    fn rule(&self, n: usize) -> Option<Either<'_>> {
        let theirs = self.vendored.rules.get(n).map(Either::Vendored);
        theirs.or_else(|| self.own.get(n - self.vendored.rules.len()).map(Either::Own))
    }

    /// What the shapes of this text tell.
    pub(super) fn find(&self, text: &str, hits: &mut Vec<Hit>) {
        let mut asked =
            Asked { rules: self, text, line: 0..0, due: [0; DUE], list: Vec::new(), done: Vec::new() };
        for found in self.keywords.find_overlapping_iter(text) {
            if found.start() >= asked.line.end {
                asked.flush(hits);
                asked.line = line_of(text, asked.line.end, found.start());
            }
            for rule in self.by_keyword.get(found.pattern().as_usize()).into_iter().flatten() {
                asked.ask(*rule);
            }
        }
        asked.flush(hits);
    }
}

/// The line around a place, which does not begin before another.
fn line_of(text: &str, from: usize, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let head = bytes.get(from..at).unwrap_or_default();
    let start = memchr::memrchr(b'\n', head).map_or(from, |n| from + n + 1);
    let end = memchr::memchr(b'\n', bytes.get(at..).unwrap_or_default()).map_or(bytes.len(), |n| at + n);
    start..end
}

/// The rules that one line is shown to.
struct Asked<'a> {
    rules: &'a Rules,
    text: &'a str,
    line: Range<usize>,
    /// A bit for each rule on the list, which has each once.
    due: [u64; DUE],
    list: Vec<usize>,
    /// For each rule over several lines, how far it has looked.
    done: Vec<(usize, usize)>,
}

impl Asked<'_> {
    fn ask(&mut self, rule: usize) {
        let bit = 1_u64 << (rule % 64);
        if let Some(due) = self.due.get_mut(rule / 64).filter(|due| **due & bit == 0) {
            *due |= bit;
            self.list.push(rule);
        }
    }

    fn flush(&mut self, hits: &mut Vec<Hit>) {
        self.due = [0; DUE];
        let mut list = std::mem::take(&mut self.list);
        for n in list.drain(..) {
            let Some(rule) = self.rules.rule(n) else { continue };
            let span = match &rule {
                Either::Vendored(rule) => rule.span,
                Either::Own(rule) => rule.span,
            };
            let range = match span {
                Span::Line => self.line.clone(),
                Span::Lines => {
                    let looked = self.done.iter().find(|(rule, _)| *rule == n).map_or(0, |(_, done)| *done);
                    // What begins here was within an earlier look as a whole.
                    if self.line.end + OVERLAP <= looked || (looked == self.text.len() && looked > 0) {
                        continue;
                    }
                    let range = around(self.text, &self.line);
                    self.done.retain(|(rule, _)| *rule != n);
                    self.done.push((n, range.end));
                    range
                }
            };
            let part = self.text.get(range.clone()).unwrap_or_default();
            match rule {
                Either::Vendored(rule) => self.rules.vendored.find(rule, part, range.start, hits),
                Either::Own(rule) => rule.find(part, range.start, hits),
            }
        }
        self.list = list;
    }
}
