//! The second look: whether anything that is known is still there, in whatever form.

use std::{collections::BTreeSet, sync::Arc};

use aho_corasick::AhoCorasick;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use crate::{model::Joined, ports::SecretFinder};

use super::{
    encoded::{self, View},
    everywhere::literal,
    pseudonyms::Pseudonyms,
    stamps::Unstamped,
};

/// So many forms within each other are undone.
const DEEPEST: usize = 5;
/// Base64 or hex of less than this is nothing that can be told from other text.
const SHORTEST: usize = 8;

/// Something that should not be there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// Where it begins, in bytes; of what is encoded, where that begins.
    pub offset: usize,
    /// Its secret's name or its pseudonym.
    pub what: String,
}

/// Looks for known secrets and for what has pseudonyms. Making it takes longer than most files take it.
pub struct Scanner {
    known: Arc<dyn SecretFinder>,
    finder: Option<AhoCorasick>,
    names: Vec<String>,
}

impl Scanner {
    pub(super) fn new(known: Arc<dyn SecretFinder>, pseudonyms: &Pseudonyms) -> Self {
        let (mut forms, mut names) = (Vec::new(), Vec::new());
        for one in pseudonyms.iter() {
            for form in literal(one.kind, one.original).map(forms_of).unwrap_or_default() {
                forms.push(form);
                names.push(one.name.clone());
            }
        }
        let finder = AhoCorasick::builder().ascii_case_insensitive(true).build(&forms).ok();
        Self { known, finder: finder.filter(|_| !forms.is_empty()), names }
    }

    /// The same in a log whose lines stand behind the engine's time: also without those.
    pub fn leaks_in_log(&self, bytes: &[u8]) -> Vec<Leak> {
        let mut found = self.leaks(bytes);
        let plain = Unstamped::of(&String::from_utf8_lossy(bytes));
        for leak in self.leaks(plain.text.as_bytes()) {
            let offset = plain.raw(&(leak.offset..leak.offset + 1)).start;
            found.push(Leak { offset, ..leak });
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whatever of it is in a finished file, or in its name.
    pub fn leaks(&self, bytes: &[u8]) -> Vec<Leak> {
        let mut scan = Scan { by: self, found: BTreeSet::new() };
        scan.look(bytes, 0, None);
        let text = String::from_utf8_lossy(bytes);
        scan.within(&text, 0, None);
        scan.found.into_iter().collect()
    }
}

/// One file's.
struct Scan<'s> {
    by: &'s Scanner,
    found: BTreeSet<Leak>,
}

impl Scan<'_> {
    /// Adds what is in these bytes. Of decoded ones all stands where they come from.
    fn look(&mut self, bytes: &[u8], start: usize, all_at: Option<usize>) {
        let at = |offset: usize| all_at.unwrap_or(start + offset);
        for place in self.by.known.places_in(bytes) {
            self.found.insert(Leak { offset: at(place.range.start), what: place.name });
        }
        let Some(finder) = &self.by.finder else { return };
        let joined = Joined::of(bytes);
        let places = finder.find_iter(joined.bytes()).map(|m| (m.pattern(), joined.raw(m.range()).start));
        for (pattern, offset) in places {
            let what = self.by.names.get(pattern.as_usize()).cloned().unwrap_or_default();
            self.found.insert(Leak { offset: at(offset), what });
        }
    }

    fn within(&mut self, text: &str, depth: usize, all_at: Option<usize>) {
        if depth >= DEEPEST {
            return;
        }
        let mut views: Vec<(usize, String)> = Vec::new();
        if text.contains('\\') {
            let lines = text.split_inclusive('\n').scan(0, |at, line| {
                let start = *at;
                *at += line.len();
                Some((start, line))
            });
            views
                .extend(lines.filter(|(_, l)| l.contains('\\')).map(|(at, l)| (at, View::unescaped(l).text)));
        }
        views.extend(encoded::percents(text).into_iter().map(|(range, view)| (range.start, view.text)));
        views.extend(encoded::runs(text).into_iter().map(|(range, _, decoded)| (range.start, decoded)));
        for (start, view) in views {
            let at = Some(all_at.unwrap_or(start));
            self.look(view.as_bytes(), 0, at);
            self.within(&view, depth + 1, at);
        }
    }
}

/// A value as it is, within base64 at each of its three places, and in hex.
fn forms_of(value: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::from([value.to_owned()]);
    for before in 0..3_usize {
        let padded = [vec![0; before], value.as_bytes().to_vec()].concat();
        // Six bits a digit: the first ones mix with what is before, the last with what comes after.
        let (from, to) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            forms.extend(encoded.get(from..to).map(str::to_owned));
        }
    }
    forms.insert(value.bytes().map(|b| format!("{b:02x}")).collect());
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}
