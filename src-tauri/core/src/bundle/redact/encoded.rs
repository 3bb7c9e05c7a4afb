//! What stands in a text in another form, decoded: escapes of JSON, percent signs, base64, hex.

use std::{borrow::Cow, ops::Range};

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Reads base64 as it is found in texts: with or without padding, cut anywhere.
pub(super) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Shorter runs of base64 or hex hold no secret.
const SHORTEST: usize = 16;
/// A line of base64 this long may go on in the next one.
const WRAPPED: usize = 40;

/// Part of a text decoded, and where each byte of it comes from.
pub(super) struct View {
    pub(super) text: String,
    /// Places where one and another differ: in the view, its length there; in the raw text, its length there.
    turns: Vec<[usize; 4]>,
}

impl View {
    fn new() -> Self {
        Self { text: String::new(), turns: Vec::new() }
    }

    fn turn(&mut self, decoded: &str, raw: Range<usize>) {
        self.turns.push([self.text.len(), decoded.len(), raw.start, raw.end - raw.start]);
        self.text.push_str(decoded);
    }

    /// Without one level of JSON's escapes. What is no escape stays.
    pub(super) fn unescaped(raw: &str) -> Self {
        let mut view = Self::new();
        let mut done = 0;
        while let Some(slash) = raw.get(done..).and_then(|rest| memchr::memchr(b'\\', rest.as_bytes())) {
            let at = done + slash;
            view.text.push_str(raw.get(done..at).unwrap_or_default());
            let rest = raw.get(at + 1..).unwrap_or_default();
            let (decoded, length) = escape(rest);
            view.turn(decoded.encode_utf8(&mut [0; 4]), at..at + length);
            done = at + length;
        }
        view.text.push_str(raw.get(done..).unwrap_or_default());
        view
    }

    /// Without percent signs.
    fn percent_decoded(raw: &str) -> Self {
        let mut view = Self::new();
        let mut done = 0;
        while let Some(sign) = raw.get(done..).and_then(|rest| memchr::memchr(b'%', rest.as_bytes())) {
            let at = done + sign;
            view.text.push_str(raw.get(done..at).unwrap_or_default());
            let mut bytes = Vec::new();
            let mut end = at;
            while let Some(byte) = percent(raw, end) {
                bytes.push(byte);
                end += 3;
            }
            if bytes.is_empty() {
                view.turn("%", at..at + 1);
                end = at + 1;
            } else {
                // One turn for each byte where that is possible: a secret may begin within the run.
                match std::str::from_utf8(&bytes) {
                    Ok(text) if text.is_ascii() => {
                        for n in 0..text.len() {
                            let one = text.get(n..n + 1).unwrap_or_default();
                            view.turn(one, at + 3 * n..at + 3 * n + 3);
                        }
                    }
                    _ => view.turn(&String::from_utf8_lossy(&bytes), at..end),
                }
            }
            done = end;
        }
        view.text.push_str(raw.get(done..).unwrap_or_default());
        view
    }

    /// Where a range of the view is in the raw text.
    pub(super) fn raw(&self, range: Range<usize>) -> Range<usize> {
        let start = self.place(range.start).start;
        let end = range.end.checked_sub(1).map_or(start, |last| self.place(last).end);
        start..end.max(start)
    }

    fn place(&self, at: usize) -> Range<usize> {
        let before = self.turns.partition_point(|[view, ..]| *view <= at);
        match before.checked_sub(1).and_then(|n| self.turns.get(n)) {
            Some([view, length, raw, raw_length]) if at < view + length => *raw..raw + raw_length,
            Some([view, length, raw, raw_length]) => {
                let start = raw + raw_length + (at - view - length);
                start..start + 1
            }
            None => at..at + 1,
        }
    }
}

/// What stands behind a backslash, and how long both are.
fn escape(rest: &str) -> (char, usize) {
    let plain = |c: char| (c, 2);
    match rest.chars().next() {
        Some('n') => plain('\n'),
        Some('r') => plain('\r'),
        Some('t') => plain('\t'),
        Some('b') => plain('\u{8}'),
        Some('f') => plain('\u{c}'),
        Some(c @ ('"' | '\\' | '/' | '\'')) => plain(c),
        Some('u') => unicode(rest).unwrap_or(('\\', 1)),
        _ => ('\\', 1),
    }
}

fn unicode(rest: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let hex = rest.get(at..at + 5)?.strip_prefix('u')?;
        u16::from_str_radix(hex, 16).ok()
    };
    let first = unit(0)?;
    if let Some(c) = char::from_u32(u32::from(first)) {
        return Some((c, 6));
    }
    let second = rest.get(5..)?.starts_with('\\').then(|| unit(6)).flatten()?;
    let pair = char::decode_utf16([first, second]).next()?.ok()?;
    Some((pair, 12))
}

fn percent(raw: &str, at: usize) -> Option<u8> {
    let hex = raw.get(at..at + 3)?.strip_prefix('%')?;
    u8::from_str_radix(hex, 16).ok()
}

/// Runs with percent signs: place and view.
pub(super) fn percents(text: &str) -> Vec<(Range<usize>, View)> {
    let mut found: Vec<(Range<usize>, View)> = Vec::new();
    let bytes = text.as_bytes();
    let is_part = |b: &u8| b.is_ascii_graphic() && !b"\"'`<>\\".contains(b);
    let mut done = 0;
    for at in memchr::memchr_iter(b'%', bytes) {
        if at < done || percent(text, at).is_none() {
            continue;
        }
        let head = bytes.get(done..at).unwrap_or_default();
        let start = at - head.iter().rev().take_while(|b| is_part(b)).count();
        let end = at + bytes.get(at..).unwrap_or_default().iter().take_while(|b| is_part(b)).count();
        let range = start..end;
        found.push((range.clone(), View::percent_decoded(text.get(range).unwrap_or_default())));
        done = end;
    }
    found
}

/// Runs of base64 or hex which are text when they are decoded.
pub(super) fn runs(text: &str) -> Vec<(Range<usize>, &'static str, String)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    // `at` begins a run or is within none. Shorter runs don't count, so the window is read from its end: most
    // bytes of a text are never looked at.
    while let Some(window) = bytes.get(at..at + SHORTEST) {
        if let Some(last) = window.iter().rposition(|b| !is_base64(*b)) {
            at += last + 1;
            continue;
        }
        let length = bytes.get(at..).unwrap_or_default().iter().take_while(|b| is_base64(**b)).count();
        let range = at..wrapped(bytes, at, at + length);
        let run = text.get(range.clone()).unwrap_or_default();
        match decoded(run) {
            Some((how, decoded)) => {
                // Its padding goes with it: what stays must read the same when it is cleaned once more.
                let rest = bytes.get(range.end..).unwrap_or_default();
                let padding = rest.iter().take(2).take_while(|b| **b == b'=').count();
                found.push((range.start..range.end + padding, how, decoded));
            }
            None if run.contains('/') => found.extend(in_path(run, range.start)),
            None => {}
        }
        at = range.end;
    }
    found
}

/// Of a run that is none as a whole, what stands behind one of its slashes: it may be a path with such a name in it.
fn in_path(run: &str, start: usize) -> Vec<(Range<usize>, &'static str, String)> {
    let mut found = Vec::new();
    let mut done = 0;
    for (slash, _) in run.match_indices('/') {
        let (Some(rest), true) = (run.get(slash + 1..), slash >= done) else { continue };
        let part = rest.split('/').next().unwrap_or_default();
        for one in [rest, part] {
            if one.len() >= SHORTEST
                && let Some((how, decoded)) = decoded(one)
            {
                done = slash + 1 + one.len();
                found.push((start + slash + 1..start + done, how, decoded));
                break;
            }
        }
    }
    found
}

/// What each byte is worth as a digit of base64, for URLs too; [`NO_DIGIT`]: it is none.
const SIX_BITS: [u8; 256] = six_bits();
const NO_DIGIT: u8 = 64;

#[expect(clippy::indexing_slicing, reason = "when it is compiled, beside a table of all bytes")]
const fn six_bits() -> [u8; 256] {
    let mut table = [NO_DIGIT; 256];
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut n = 0;
    while n < 64 {
        table[digits[n] as usize] = n as u8;
        n += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
}

fn six(byte: u8) -> u8 {
    SIX_BITS.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT)
}

fn is_base64(byte: u8) -> bool {
    six(byte) != NO_DIGIT
}

/// Where a run ends that goes on over line ends.
fn wrapped(bytes: &[u8], start: usize, mut end: usize) -> usize {
    let mut length = end - start;
    while length >= WRAPPED {
        let rest = bytes.get(end..).unwrap_or_default();
        let gap = rest.iter().take_while(|b| matches!(b, b'\\' | b'\r' | b'\n' | b' ' | b'\t')).count();
        if !rest.get(..gap).is_some_and(|gap| gap.contains(&b'\n')) {
            break;
        }
        length = rest.get(gap..).unwrap_or_default().iter().take_while(|b| is_base64(**b)).count();
        // A word that happens to stand below is not part of it.
        if length == 0 || (length < WRAPPED && !ends_line(rest.get(gap + length..).unwrap_or_default())) {
            break;
        }
        end += gap + length;
    }
    end
}

fn ends_line(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"==").or_else(|| rest.strip_prefix(b"=")).unwrap_or(rest);
    rest.first().is_none_or(|b| !b.is_ascii_graphic() || b"\"'".contains(b))
}

fn decoded(run: &str) -> Option<(&'static str, String)> {
    let is_whole = run.bytes().all(is_base64);
    let run = match is_whole {
        true => Cow::Borrowed(run),
        false => Cow::Owned(run.chars().filter(|c| c.is_ascii() && is_base64(*c as u8)).collect()),
    };
    if run.len().is_multiple_of(2) && run.bytes().all(|b| b.is_ascii_hexdigit()) {
        let nibble = |b: u8| char::from(b).to_digit(16).unwrap_or_default() as u8;
        let byte = |pair: &[u8]| pair.iter().fold(0, |byte, b| byte << 4 | nibble(*b));
        if let Some(text) = readable(run.as_bytes().chunks(2).map(byte).collect()) {
            return Some(("hex", text));
        }
    }
    // It may stand behind something that is in the alphabet too.
    (0..4).find_map(|skip| {
        let rest = run.get(skip..)?;
        let head = nine(rest.as_bytes().first_chunk()?)?;
        // Cut within a character is no fault.
        let begins =
            std::str::from_utf8(&head).err().is_none_or(|e| e.error_len().is_none() && e.valid_up_to() > 5);
        if !begins {
            return None;
        }
        let whole = rest.get(..rest.len() - usize::from(rest.len() % 4 == 1))?;
        let whole = whole.replace('-', "+").replace('_', "/");
        Some(("base64", readable(LENIENT.decode(whole).ok()?)?))
    })
}

/// The first bytes of a run, without asking for memory: nearly no run is text. `None`: it surely is none.
fn nine(digits: &[u8; 12]) -> Option<[u8; 9]> {
    let mut bytes = [0; 9];
    let mut fours = digits.chunks_exact(4);
    for three in bytes.chunks_exact_mut(3) {
        let bits = fours.next()?.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(six(*digit)));
        let [_, decoded @ ..] = bits.to_be_bytes();
        if !decoded.iter().all(|b| is_readable(*b)) {
            return None;
        }
        three.copy_from_slice(&decoded);
    }
    Some(bytes)
}

fn is_readable(byte: u8) -> bool {
    byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n' | b'\r' | b'\t') || byte >= 0x80
}

/// The bytes as a text, where they are one: what is cut or not UTF-8 may be a twentieth.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
    };
    let all = text.chars().count();
    let odd = text.chars().filter(|c| *c == '\u{fffd}' || (c.is_control() && !c.is_whitespace())).count();
    (odd * 20 <= all).then_some(text)
}
