//! Finding what has a pseudonym wherever else it stands, by nothing but its value.

use std::{collections::HashMap, ops::Range};

use aho_corasick::AhoCorasick;

use super::pseudonyms::{Kind, NOT_KNOWN, Pseudonyms};

/// Of anything but an e-mail address, less than this says nothing. A subscriber's number has just as many digits.
const SHORTEST: usize = 9;

/// Knows the values that had a pseudonym when it was made.
pub(super) struct Everywhere {
    all: Vec<(Kind, String)>,
    /// Which of them a subscriber's number is. Nearly all are such, and one look at long runs of digits finds
    /// thousands of them.
    numbers: HashMap<u32, usize>,
    /// The others. Without it the second look at the archive still finds them.
    finder: Option<AhoCorasick>,
    /// Which of them each pattern of the finder is.
    found_by: Vec<usize>,
}

/// One place of one of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place<'e> {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
    /// Its pseudonym.
    pub(super) name: &'e str,
}

impl Everywhere {
    pub(super) fn new(names: &Pseudonyms) -> Self {
        let (mut all, mut numbers) = (Vec::new(), HashMap::new());
        let (mut found_by, mut patterns) = (Vec::new(), Vec::new());
        for one in names.iter() {
            let Some(literal) = literal(one.kind, one.original) else { continue };
            match number(literal.as_bytes()) {
                Some(number) => drop(numbers.insert(number, all.len())),
                None => {
                    found_by.push(all.len());
                    patterns.push(literal);
                }
            }
            all.push((one.kind, one.name));
        }
        let finder = AhoCorasick::builder().ascii_case_insensitive(true).build(&patterns).ok();
        Self { all, numbers, finder: finder.filter(|_| !patterns.is_empty()), found_by }
    }

    /// In order, none over another: of places over each other all bytes, under the first one's name.
    pub(super) fn places_in(&self, text: &str) -> Vec<Place<'_>> {
        let mut found = Vec::new();
        if let Some(finder) = &self.finder {
            let which = |pattern: usize| self.found_by.get(pattern).copied();
            found.extend(
                finder.find_iter(text).filter_map(|m| Some((m.range(), which(m.pattern().as_usize())?))),
            );
        }
        if !self.numbers.is_empty() {
            self.numbers_in(text.as_bytes(), &mut found);
        }
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut places: Vec<Place<'_>> = Vec::with_capacity(found.len());
        for (range, which) in found {
            match (places.last_mut(), self.all.get(which)) {
                (Some(last), _) if range.start < last.range.end => {
                    last.range.end = last.range.end.max(range.end)
                }
                (_, Some((kind, name))) => places.push(Place { range, kind: *kind, name }),
                _ => {}
            }
        }
        places
    }

    fn numbers_in(&self, bytes: &[u8], found: &mut Vec<(Range<usize>, usize)>) {
        let mut at = 0;
        while let Some(window) = bytes.get(at..at + SHORTEST) {
            // Read from its end: in most windows one byte tells.
            if let Some(last) = window.iter().rposition(|b| !b.is_ascii_digit()) {
                at += last + 1;
                continue;
            }
            at += match number(window).and_then(|number| self.numbers.get(&number)) {
                Some(which) => {
                    found.push((at..at + SHORTEST, *which));
                    SHORTEST
                }
                None => 1,
            };
        }
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    let is_one = digits.len() == SHORTEST && digits.iter().all(u8::is_ascii_digit);
    is_one.then(|| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

/// What of a value is looked for: of a Kenyan number what all its spellings have. `None`: too short to be
/// told from other text.
pub(super) fn literal(kind: Kind, original: &str) -> Option<&str> {
    if original.starts_with(NOT_KNOWN) {
        return None;
    }
    let literal = match kind {
        Kind::Phone if original.len() == 12 => original.strip_prefix("254").unwrap_or(original),
        _ => original,
    };
    (kind == Kind::Email || literal.len() >= SHORTEST).then_some(literal)
}
