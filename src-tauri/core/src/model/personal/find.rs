//! Where a text has something that belongs to a person: the one recogniser of it.

use std::ops::Range;

/// A number this long may be somebody's.
pub(super) const LONG: usize = 9;

/// Nobody's number is longer, with its country's prefix.
const LONGEST: usize = 15;

/// What belongs to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Personal {
    /// Nine or more digits, as they stand or with spaces and dashes between; only the digits.
    Number(String),
    /// The end of a checkout request's id, which is the payer's number.
    Payer,
    /// What stands behind `wamid.`: base64 with a number in it.
    Message,
    /// An e-mail address's part before the `@`.
    Address,
}

/// One place: bytes of the text, on character boundaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalAt {
    /// What is to be hidden.
    pub range: Range<usize>,
    /// What it is.
    pub what: Personal,
}

/// All places, in order, none over another. UUIDs, hashes, ULIDs and fractions of a second are nobody's.
/// What [`super::masked`] or a redactor (`‹…›`) left behind is not found again.
pub fn personal_in(text: &str) -> Vec<PersonalAt> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut marks = Marks::default();
    let mut start = 0;
    // Nothing of it goes over a line end.
    while start < bytes.len() {
        let rest = bytes.get(start..).unwrap_or_default();
        let end = start + memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1);
        if marks.are_in(bytes, start, end) || has_digits(bytes.get(start..end).unwrap_or_default()) {
            line(text, start, end, &mut found);
        }
        start = end;
    }
    found
}

/// Where the next of each mark is without which there is nothing but numbers.
#[derive(Default)]
struct Marks {
    sign: Option<usize>,
    checkout: Option<usize>,
    message: Option<usize>,
}

impl Marks {
    fn are_in(&mut self, bytes: &[u8], start: usize, end: usize) -> bool {
        let next = |known: &mut Option<usize>, find: fn(&[u8]) -> Option<usize>| match known {
            Some(at) if *at >= start => *at,
            _ => {
                let rest = bytes.get(start..).unwrap_or_default();
                *known.insert(find(rest).map_or(bytes.len(), |n| start + n))
            }
        };
        next(&mut self.sign, |rest| memchr::memchr2(b'@', b'+', rest)) < end
            || next(&mut self.checkout, |rest| memchr::memmem::find(rest, b"ws_CO_")) < end
            || next(&mut self.message, |rest| memchr::memmem::find(rest, b"wamid.")) < end
    }
}

/// Whether there is a stretch with enough digits, with or without spaces and dashes between. Where two bytes side
/// by side are no digits, no number goes on: most bytes are never looked at.
fn has_digits(line: &[u8]) -> bool {
    let is_part = |b: &&u8| b.is_ascii_digit() || matches!(b, b' ' | b'-');
    let mut at = 0;
    while let Some((head, [one, two])) = line.get(at..at + LONG).and_then(<[u8]>::split_last_chunk) {
        let pivot = match (one.is_ascii_digit(), two.is_ascii_digit()) {
            (false, false) => {
                at += LONG - 1;
                continue;
            }
            (true, false) => head,
            _ => line.get(at..at + LONG - 1).unwrap_or_default(),
        };
        let before = pivot.iter().rev().take_while(is_part).count();
        let (from, end) = (at + pivot.len() - before, at + pivot.len());
        let end = end + line.get(end..).unwrap_or_default().iter().take_while(is_part).count();
        let stretch = line.get(from..end).unwrap_or_default();
        if stretch.len() >= LONG && stretch.iter().filter(|b| b.is_ascii_digit()).count() >= LONG {
            return true;
        }
        at = end;
    }
    false
}

/// Looks at one line.
fn line(text: &str, start: usize, end: usize, found: &mut Vec<PersonalAt>) {
    let bytes = text.as_bytes();
    let mut at = start;
    while let Some(byte) = bytes.get(at).filter(|_| at < end) {
        if byte.is_ascii_alphanumeric() || *byte == b'+' {
            let plus = usize::from(*byte == b'+');
            let end = at + plus + run(bytes, at + plus, |b| b.is_ascii_alphanumeric());
            at = match uuid_end(bytes, at, end) {
                Some(past) => past,
                None => word(text, at, end, found),
            };
        } else {
            if *byte == b'@' {
                address(text, at, found);
            }
            at += 1;
        }
    }
}

fn is_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_digit)
}

/// How many bytes from `at` on are of a kind.
fn run(bytes: &[u8], at: usize, is: impl Fn(u8) -> bool) -> usize {
    bytes.get(at..).unwrap_or_default().iter().take_while(|b| is(**b)).count()
}

/// Past the UUID that begins with the word at `at`: whatever digits it has, they are nobody's number.
fn uuid_end(bytes: &[u8], at: usize, end: usize) -> Option<usize> {
    if end != at + 8 || bytes.get(end) != Some(&b'-') {
        return None;
    }
    let mut here = at;
    for (n, group) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if n > 0 {
            if bytes.get(here) != Some(&b'-') {
                return None;
            }
            here += 1;
        }
        if !bytes.get(here..here + group)?.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        here += group;
    }
    let goes_on = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
    let is_inside = at.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(goes_on);
    (!is_inside && !bytes.get(here).is_some_and(goes_on)).then_some(here)
}

/// Looks at the word from `at` to `end`, or the spaced number that begins with it; gives where it goes on from.
fn word(text: &str, at: usize, end: usize, found: &mut Vec<PersonalAt>) -> usize {
    let bytes = text.as_bytes();
    let word = bytes.get(at..end).unwrap_or_default();
    let behind = bytes.get(end..).unwrap_or_default();
    if word.len() < LONG && !plus_or_digit(word) && word != b"ws" && word != b"wamid" {
        return end;
    }
    if word == b"ws" && behind.starts_with(b"_CO_") {
        return checkout_id(text, at, end, found);
    }
    if word == b"wamid" && behind.first() == Some(&b'.') {
        let length = run(bytes, end + 1, |b| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b));
        let range = end + 1..end + 1 + length;
        at_end(found, range.clone(), (length > 0).then_some(Personal::Message));
        return range.end;
    }
    if plus_or_digit(word)
        && let Some((past, digits)) = spaced_number(bytes, at)
    {
        found.push(PersonalAt { range: at..past, what: Personal::Number(digits) });
        return past;
    }
    if has_long_run(word) && !is_hash(word) && !is_fraction(bytes, at, word) {
        long_runs(text, at, end, found);
    }
    end
}

fn plus_or_digit(word: &[u8]) -> bool {
    word.first().is_some_and(|b| *b == b'+' || b.is_ascii_digit())
}

fn at_end(found: &mut Vec<PersonalAt>, range: Range<usize>, what: Option<Personal>) {
    found.extend(what.map(|what| PersonalAt { range, what }));
}

/// `ws_CO_` and what belongs to it: its last nine characters are the payer's number.
fn checkout_id(text: &str, at: usize, end: usize, found: &mut Vec<PersonalAt>) -> usize {
    let past = end + run(text.as_bytes(), end, |b| b.is_ascii_alphanumeric() || b == b'_');
    let is_left_out = text.get(past..).is_some_and(|rest| rest.starts_with(['•', '‹']));
    let kept = (past - at).saturating_sub(LONG).max("ws_CO_".len());
    at_end(found, at + kept..past, (!is_left_out).then_some(Personal::Payer));
    past
}

/// A number as people write theirs: `+254 712 345 678`, `0712-345-678`. Past it, and its digits.
fn spaced_number(bytes: &[u8], at: usize) -> Option<(usize, String)> {
    let plus = bytes.get(at) == Some(&b'+');
    let first = at + usize::from(plus);
    // Not a column of small numbers, nor a time: a subscriber's number begins with a group of three or four.
    let rest = bytes.get(first..).unwrap_or_default();
    let is_local = rest.first() == Some(&b'0') && rest.get(1) != Some(&b'0');
    let is_group = |rest: &[u8]| rest.get(..3).is_some_and(|group| group.iter().all(u8::is_ascii_digit));
    let begins = plus || rest.starts_with(b"254") || (is_local && is_group(rest));
    if !begins {
        return None;
    }
    let mut digits = String::new();
    let mut here = first;
    while let Some(byte) = bytes.get(here) {
        if byte.is_ascii_digit() {
            digits.push(char::from(*byte));
            // No number is that long: a column of them is not read to its end from each of them.
            if digits.len() > LONGEST {
                return None;
            }
        } else if !(b" -".contains(byte)
            && is_digit(bytes, here.saturating_sub(1))
            && is_digit(bytes, here + 1))
        {
            break;
        }
        here += 1;
    }
    let is_a_word = bytes.get(here).is_some_and(u8::is_ascii_alphanumeric);
    ((LONG..=LONGEST).contains(&digits.len()) && !is_a_word && here > first).then_some((here, digits))
}

/// Whether there are enough digits one after the other. Read from the end of each stretch: in most words one
/// byte tells.
fn has_long_run(word: &[u8]) -> bool {
    let mut at = 0;
    while let Some(stretch) = word.get(at..at + LONG) {
        match stretch.iter().rposition(|b| !b.is_ascii_digit()) {
            Some(last) => at += last + 1,
            None => return true,
        }
    }
    false
}

/// A container's, a commit's or another id that is a hash, or a ULID: its digits are nobody's number.
fn is_hash(word: &[u8]) -> bool {
    let has_letter = word.iter().any(u8::is_ascii_alphabetic);
    let is_hex = word.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b));
    let is_ulid = word.len() == 26 && word.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    has_letter && ((is_hex && word.len() >= 12) || is_ulid)
}

/// The nanoseconds of a time, as in `06:00:00.123456789Z`.
fn is_fraction(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    let before = |n: usize| at.checked_sub(n).and_then(|i| bytes.get(i));
    let is_z = |b: &u8| *b == b'Z';
    let length = word.len() - word.iter().rev().take_while(|b| is_z(b)).count();
    before(1) == Some(&b'.')
        && before(4) == Some(&b':')
        && before(3).is_some_and(u8::is_ascii)
        && length <= LONG
        && word.iter().take(length).all(u8::is_ascii_digit)
}

/// The word's long runs of digits.
fn long_runs(text: &str, at: usize, end: usize, found: &mut Vec<PersonalAt>) {
    let bytes = text.as_bytes();
    let mut here = at;
    while here < end {
        let length = run(bytes, here, |b| b.is_ascii_digit());
        if length >= LONG {
            let range = here..here + length;
            let digits = text.get(range.clone()).unwrap_or_default().to_owned();
            found.push(PersonalAt { range, what: Personal::Number(digits) });
        }
        here += length.max(1);
    }
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "._%+-'".contains(c)
}

/// The local part before the `@` at `at`, where a domain with a dot is behind it. What was found within
/// the local part belongs to it.
fn address(text: &str, at: usize, found: &mut Vec<PersonalAt>) {
    let part = |c: char| is_local(c) || c == '•';
    let before = text.get(..at).unwrap_or_default();
    let domain = text.get(at + 1..).unwrap_or_default();
    let length = domain.find(|c: char| !(c.is_alphanumeric() || ".-".contains(c))).unwrap_or(domain.len());
    let mut labels = domain.get(..length).unwrap_or_default().trim_end_matches('.').split('.');
    let is_domain = labels.clone().count() > 1 && labels.all(|label| !label.is_empty());
    if !before.ends_with(part) || !is_domain {
        return;
    }
    let mut start = before.trim_end_matches(part).len();
    while let Some(inside) = found.pop_if(|last| last.range.end > start) {
        start = start.min(inside.range.start);
        start = before.get(..start).unwrap_or_default().trim_end_matches(part).len();
    }
    found.push(PersonalAt { range: start..at, what: Personal::Address });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_left_out_that_has_something() {
        let parts = [
            "0712 345 678",
            "254712345678",
            "07",
            "12",
            "-",
            " ",
            "3",
            "45",
            "6789",
            "+",
            "a",
            "T",
            ".",
            ":",
            "@",
            "x.ke",
            "ws_CO_",
            "ws",
            "wamid.",
            "HBg",
            "\n",
            "é",
            "0",
            "254",
            "deadbeef-0000-4000-8000-123456789012",
            "abcdefghij",
        ];
        // A small generator of its own: the same texts each time.
        let mut state = 1_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut all = 0;
        for _ in 0..60_000 {
            let text: String = (0..1 + next(14)).map(|_| parts[next(parts.len())]).collect();
            let mut whole = Vec::new();
            line(&text, 0, text.len(), &mut whole);
            assert_eq!(personal_in(&text), whole, "{text:?}");
            all += whole.len();
        }
        assert!(all > 10_000, "{all}");
    }
}
