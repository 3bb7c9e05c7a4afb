//! Searching a text for all forms of all secrets at once, without a lock.

use std::{cmp::Reverse, collections::BTreeMap, sync::OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind, PatternID};
use ratiba_core::{
    model::Joined,
    ports::{SecretAt, SecretFinder},
};

use super::SHORTEST;

/// From this length on a text is worth a search that is slow to build.
const LONG: usize = 256 << 10;

/// Finds what was known when it was made.
#[derive(Default)]
pub(super) struct Finder {
    /// The forms, and for each of them its secret's name.
    forms: Vec<String>,
    names: Vec<String>,
    search: Option<AhoCorasick>,
    /// The same, several times as fast and slow to build: for megabytes.
    fast: OnceLock<Option<AhoCorasick>>,
    /// Whether there is a form that a text without line ends no longer has.
    has_line_ends: bool,
}

impl Finder {
    /// For these forms, each with its secret's name.
    pub(super) fn new(forms: &BTreeMap<String, String>, has_line_ends: bool) -> Self {
        let (forms, names): (Vec<_>, Vec<_>) = forms.clone().into_iter().unzip();
        let search = if forms.is_empty() { None } else { built(&forms, None) };
        Self { forms, names, search, fast: OnceLock::new(), has_line_ends }
    }

    /// The text with each secret replaced by its name; `None`: there is none in it.
    pub(super) fn hide(&self, text: &str) -> Option<String> {
        let search = self.search.as_ref().filter(|search| search.is_match(text))?;
        let mut out = String::with_capacity(text.len());
        search.replace_all_with(text, &mut out, |found, _, out| {
            out.push_str(&format!("‹{}›", self.name_of(found.pattern())));
            true
        });
        Some(out)
    }

    /// The names that [`Self::hide`] puts there.
    pub(super) fn names_in(&self, text: &str) -> Vec<String> {
        let Some(search) = &self.search else { return Vec::new() };
        search.find_iter(text).map(|found| self.name_of(found.pattern()).to_owned()).collect()
    }

    fn name_of(&self, pattern: PatternID) -> &str {
        self.names.get(pattern.as_usize()).map_or("secret", String::as_str)
    }

    /// The fast search where it is worth it or there already.
    fn search_for(&self, length: usize) -> Option<&AhoCorasick> {
        let fast = match length {
            LONG.. => self.fast.get_or_init(|| built(&self.forms, Some(AhoCorasickKind::DFA))).as_ref(),
            _ => self.fast.get().and_then(Option::as_ref),
        };
        fast.or(self.search.as_ref())
    }
}

impl SecretFinder for Finder {
    fn places_in(&self, bytes: &[u8]) -> Vec<SecretAt> {
        if bytes.len() < SHORTEST || self.search.is_none() {
            return Vec::new();
        }
        let Some(search) = self.search_for(bytes.len()) else { return Vec::new() };
        let joined = bytes.contains(&b'\n').then(|| Joined::of(bytes));
        let mut found: Vec<SecretAt> = Vec::new();
        let named = |pattern| self.name_of(pattern).to_owned();
        if self.has_line_ends || joined.is_none() {
            let places = search.find_iter(bytes);
            found.extend(places.map(|at| SecretAt { range: at.range(), name: named(at.pattern()) }));
        }
        if let Some(joined) = &joined {
            let places = search.find_iter(joined.bytes());
            found.extend(
                places.map(|at| SecretAt { range: joined.raw(at.range()), name: named(at.pattern()) }),
            );
        }
        one_for_each_place(found)
    }
}

fn built(forms: &[String], kind: Option<AhoCorasickKind>) -> Option<AhoCorasick> {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).kind(kind).build(forms).ok()
}

/// Of places over another one place, with the name of the first.
fn one_for_each_place(mut found: Vec<SecretAt>) -> Vec<SecretAt> {
    found.sort_by_key(|at| (at.range.start, Reverse(at.range.end)));
    found.dedup_by(|next, kept| {
        let is_over = next.range.start < kept.range.end;
        if is_over {
            kept.range.end = kept.range.end.max(next.range.end);
        }
        is_over
    });
    found
}
