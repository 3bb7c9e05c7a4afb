//! Values behind a name, in whatever syntax: `name=value`, `"name": "value"`, `'name': 'value'`,
//! `\"name\": \"value\"` at any depth, YAML, headers, `.env`, a URL's query, structlog's console form.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::{
    encoded::View,
    hits::Hit,
    names::{Class, Names},
    people,
    pseudonyms::Kind,
    values::{is_no_secret, is_note},
};

/// How much stands between a name and its separator, or that and the value.
const BLANKS: usize = 8;
/// No number or receipt is longer.
const SHORT: usize = 64;
/// How far the end of a quoted value is looked for over line ends.
const LONGEST: usize = 64 << 10;

/// Everything that a name in this text tells.
pub(super) fn find<'t>(text: &'t str, names: &mut Names<'t>, hits: &mut Vec<Hit>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    let mut programs = Programs::default();
    for sep in memchr::memchr2_iter(b'=', b':', bytes) {
        // Within a value that is hidden as a whole there is nothing more to tell.
        let Some(name) = (sep >= done).then(|| Name::before(text, sep)).flatten() else { continue };
        let class = names.class(name.text);
        let counts = match class {
            Class::Open | Class::Locals => false,
            Class::Query => name.is_query,
            Class::Message => name.is_field(bytes.get(sep)) && !programs.has(text, name.start),
            Class::Words => name.is_field(bytes.get(sep)),
            _ => true,
        };
        if counts {
            let before = hits.len();
            Value::behind(text, sep, &name, class).hide(text, class, &name, hits);
            done = hits.get(before..).and_then(|new| new.last()).map_or(done, |hit| hit.range.end);
        }
    }
}

/// How far around a name its line is looked at.
const NEAR: usize = 2 << 10;

struct Name<'t> {
    text: &'t str,
    start: usize,
    /// The quote around it, and how many backslashes are before that.
    quote: Option<(u8, usize)>,
    /// It is a parameter of a URL.
    is_query: bool,
}

impl<'t> Name<'t> {
    /// Words in a sentence or in code are no fields.
    fn is_field(&self, sep: Option<&u8>) -> bool {
        self.quote.is_some() || sep == Some(&b'=')
    }

    /// It begins its line, but for blanks, a list's dash and `export`.
    fn is_first(&self, text: &str) -> bool {
        // No name that begins its line stands further in.
        let near = floor(text, self.start.saturating_sub(64));
        let before = text.get(near..self.start).unwrap_or_default();
        let line = match memchr::memrchr(b'\n', before.as_bytes()) {
            Some(end) => before.get(end + 1..).unwrap_or_default(),
            None if near == 0 => before,
            None => return false,
        };
        let lead = line.trim_start().trim_start_matches("- ");
        let lead = lead.strip_prefix("export ").unwrap_or(lead);
        lead.trim_matches(['"', '\'', ' ']).is_empty()
    }

    fn before(text: &'t str, sep: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        let at = |n: usize| bytes.get(n).copied();
        let mut end = back(bytes, sep, |b| matches!(b, b' ' | b'\t' | b':' | b'?' | b'+'), BLANKS);
        end = before_colour(bytes, end);
        if end > 0 && at(end - 1) == Some(b']') {
            end -= 1;
        }
        let mut quote = None;
        if end > 0
            && let Some(q @ (b'"' | b'\'' | b'`')) = at(end - 1)
        {
            let slashes = back(bytes, end - 1, |b| b == b'\\', 16);
            quote = Some((q, end - 1 - slashes));
            end = slashes;
        }
        let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let start = back(bytes, end, is_part, 65);
        let start = start.max(behind_colour(bytes, start.saturating_sub(2)).min(end));
        let name = text.get(start..end)?.trim_start_matches(['-', '.']);
        let start = end - name.len();
        if name.len() < 2 || !name.bytes().any(|b| b.is_ascii_alphabetic()) {
            return None;
        }
        let is_query = start > 0 && matches!(at(start - 1), Some(b'?' | b'&'));
        Some(Self { text: name, start, quote, is_query })
    }
}

/// Back over so many bytes of a kind at most.
fn back(bytes: &[u8], end: usize, is: impl Fn(u8) -> bool, most: usize) -> usize {
    let head = bytes.get(..end).unwrap_or_default();
    end - head.iter().rev().take(most).take_while(|b| is(**b)).count()
}

/// Before the escape sequence of a colour that ends here.
fn before_colour(bytes: &[u8], end: usize) -> usize {
    let head = bytes.get(..end).unwrap_or_default();
    let Some(rest) = head.strip_suffix(b"m") else { return end };
    let code = rest.iter().rev().take_while(|b| b.is_ascii_digit() || **b == b';').count();
    let esc = rest.len() - code;
    if rest.get(..esc).is_some_and(|r| r.ends_with(b"\x1b[")) { before_colour(bytes, esc - 2) } else { end }
}

/// Behind the escape sequences of colours that begin here.
fn behind_colour(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(code) = rest.strip_prefix(b"\x1b[") else { return at };
    let length = code.iter().take_while(|b| b.is_ascii_digit() || **b == b';').count();
    if code.get(length) == Some(&b'm') { behind_colour(bytes, at + length + 3) } else { at }
}

struct Value {
    range: Range<usize>,
    /// It has brackets of its own.
    is_bracketed: bool,
    is_colon: bool,
}

impl Value {
    fn behind(text: &str, sep: usize, name: &Name<'_>, class: Class) -> Self {
        let bytes = text.as_bytes();
        let at = |n: usize| bytes.get(n).copied();
        let is_colon = at(sep) == Some(b':');
        let mut start = sep + 1;
        while matches!(at(start), Some(b'=' | b'>' | b'~')) && start < sep + 3 {
            start += 1;
        }
        let most = start + BLANKS;
        while start < most && matches!(at(start), Some(b' ' | b'\t')) {
            start += 1;
        }
        start = behind_colour(bytes, start);
        let slashes = bytes.get(start..).unwrap_or_default().iter().take_while(|b| **b == b'\\').count();
        let mut open = start + slashes;
        // Python's `b'…'`, `u'…'`, `r'…'`, `SecretStr('…')`.
        if matches!(at(open), Some(b'b' | b'u' | b'r')) && matches!(at(open + 1), Some(b'\'' | b'"')) {
            open += 1;
        }
        let made = |range| Self { range, is_bracketed: false, is_colon };
        if let Some(quote @ (b'"' | b'\'' | b'`')) = at(open) {
            let inner = open + 1;
            return made(inner..closing(text, inner, quote, slashes));
        }
        if matches!(at(start), Some(b'[' | b'{' | b'(')) {
            return Self { is_bracketed: true, ..made(start..bracketed(text, start)) };
        }
        if is_colon && name.quote.is_none() && matches!(at(start), Some(b'|' | b'>')) {
            return made(block(text, name.start, start));
        }
        let is_short = matches!(class, Class::Number | Class::Receipt);
        let line = line_from(text, start, if is_short { SHORT } else { LONGEST });
        let is_first = name.is_first(text);
        let whole_line = class == Class::Header
            || (is_first && name.quote.is_none() && (is_colon || is_env(name.text)) && !is_command(line));
        let length = match whole_line {
            true if is_first => line.trim_end().len(),
            true => to_quote(line),
            false => bare(line, name.is_query),
        };
        // Name and value are one quoted text together, as in a list of such: the value ends with it.
        let quote = name.start.checked_sub(1).and_then(at).filter(|b| matches!(b, b'"' | b'\''));
        let length = match quote.filter(|_| name.quote.is_none()) {
            Some(quote) => length.min(closing(line, 0, quote, 0)),
            None => length,
        };
        made(start..start + length)
    }

    fn hide(self, text: &str, class: Class, name: &Name<'_>, hits: &mut Vec<Hit>) {
        let Some(value) = text.get(self.range.clone()).filter(|value| !value.is_empty()) else { return };
        let is_field = name.is_field(self.is_colon.then_some(&b':').or(Some(&b'=')));
        let range = self.range;
        match class {
            Class::Secret | Class::Query | Class::Header if is_no_secret(value) => {}
            Class::Secret | Class::Query => {
                let hit = Hit::secret(range, "named-secret");
                // In JSON it was a value, and is one afterwards.
                let is_json = self.is_bracketed && name.quote == Some((b'"', 0));
                hits.push(if is_json { hit.bare() } else { hit });
            }
            Class::Header => {
                let scheme = scheme(value);
                if !is_no_secret(value.get(scheme..).unwrap_or_default()) {
                    hits.push(Hit::secret(range.start + scheme..range.end, "header"));
                }
            }
            Class::Words | Class::Message => hits.extend(words(range, value)),
            Class::Number => {
                if let Some(number) = people::number_of(value).filter(|_| is_field) {
                    hits.push(Hit::name(range, Kind::Phone, number));
                }
            }
            Class::Receipt if people::is_receipt(value) => {
                hits.push(Hit::name(range, Kind::Receipt, value.to_owned()));
            }
            Class::Open | Class::Receipt | Class::Locals => {}
        }
    }
}

/// The note that stands for what a person said; `None`: it stands there already, or nothing was said.
pub(super) fn words(range: Range<usize>, value: &str) -> Option<Hit> {
    let is_done = is_note(value) && (value.ends_with(" characters›") || value.ends_with(" character›"));
    // What is JSON itself is looked at field by field.
    let is_done = is_done || is_json(value);
    let is_blank = value.trim().is_empty() || matches!(value, "None" | "null" | "True" | "False");
    let count = value.chars().count();
    let note = if count == 1 { "1 character".into() } else { format!("{count} characters") };
    (!is_done && !is_blank).then(|| Hit::note(range, "words", note))
}

fn is_json(value: &str) -> bool {
    let value = value.trim();
    let is_like = value.len() <= LONGEST && value.starts_with(['{', '[']) && value.contains('"');
    is_like && serde_json::from_str::<IgnoredAny>(&View::unescaped(value).text).is_ok()
}

/// `message` is what happened where the line names a level as programs do. A line is looked at once, a very
/// long one part by part, whatever many such names it has.
#[derive(Default)]
struct Programs {
    within: Range<usize>,
    is_program: bool,
}

impl Programs {
    fn has(&mut self, text: &str, at: usize) -> bool {
        if !self.within.contains(&at) {
            let part = at - at % NEAR;
            let near = floor(text, part.saturating_sub(NEAR));
            let start = text.get(near..at).and_then(|t| t.rfind('\n')).map_or(near, |n| near + n + 1);
            let line = line_from(text, start, part + 2 * NEAR - start);
            self.within = part.max(start)..(part + NEAR).min(start + line.len());
            let has_level = ["level=", "severity", "\"level\"", "'level'", "\"status\"", "\"code\""]
                .iter()
                .any(|l| line.contains(l));
            self.is_program = has_level && !line.contains("\"event\"") && !line.contains("event=");
        }
        self.is_program
    }
}

/// Where a quoted value ends: at the same quote behind as many backslashes, or with its line.
fn closing(text: &str, start: usize, quote: u8, slashes: usize) -> usize {
    let bytes = text.as_bytes();
    let limit = (start + LONGEST).min(bytes.len());
    let rest = bytes.get(start..limit).unwrap_or_default();
    for at in memchr::memchr_iter(quote, rest) {
        let before = rest.get(..at).unwrap_or_default().iter().rev().take_while(|b| **b == b'\\').count();
        let is_end = before <= slashes && (slashes > 0 || before == 0)
            || before > slashes && (before - slashes).is_multiple_of(2 * (slashes + 1));
        if is_end {
            return start + at - before.min(slashes);
        }
    }
    start + memchr::memchr(b'\n', rest).unwrap_or(rest.len()).min(floor(text, limit) - start)
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The rest of a line, of a very long one its beginning.
fn line_from(text: &str, start: usize, most: usize) -> &str {
    let near = text.get(start..floor(text, (start + most).min(text.len()))).unwrap_or_default();
    near.split('\n').next().unwrap_or_default()
}

/// Past the bracket that closes this one, or to the line's end.
fn bracketed(text: &str, start: usize) -> usize {
    let line = line_from(text, start, NEAR * 4);
    let mut depth = 0_usize;
    for (at, c) in line.char_indices() {
        match c {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return start + at + 1;
        }
    }
    start
        + memchr::memchr(b'\n', text.as_bytes().get(start..).unwrap_or_default())
            .unwrap_or(text.len() - start)
}

/// A block of YAML: the lines below that stand further in than the name.
fn block(text: &str, name: usize, start: usize) -> Range<usize> {
    let line_start = text.get(..name).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let own = indent(text.get(line_start..).unwrap_or_default());
    let first = text.get(start..).and_then(|t| t.find('\n')).map_or(text.len(), |n| start + n + 1);
    let mut end = first;
    for line in text.get(first..).unwrap_or_default().split_inclusive('\n') {
        if !line.trim().is_empty() && indent(line) <= own {
            break;
        }
        end += line.len();
    }
    let inner = text.get(first..end).unwrap_or_default();
    let lead = inner.len() - inner.trim_start().len();
    first + lead..first + inner.trim_end().len().max(lead)
}

/// A variable's name as in an `.env`.
fn is_env(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// `PGPASSWORD=x psql -h …`: what is behind the value is a command with its flags.
fn is_command(line: &str) -> bool {
    let mut rest = line.split(' ').skip(1).skip_while(|word| word.contains('='));
    let program = rest.next().unwrap_or_default();
    let is_program = program.starts_with(|c: char| c.is_ascii_lowercase() || c == '/' || c == '.');
    is_program && rest.any(|word| word.starts_with('-') && word.len() > 1)
}

/// A header within a quoted argument ends with the quote, one within a text of JSON with its line.
fn to_quote(line: &str) -> usize {
    let line = line.split(['"', '\'']).next().unwrap_or(line);
    let line = line.split("\\n").next().unwrap_or(line).split("\\r").next().unwrap_or(line);
    line.trim_end_matches(['\\', ' ', '\t', '\r']).len()
}

/// An unquoted value: to the next blank, quote or escape; in a query to the next parameter.
fn bare(line: &str, is_query: bool) -> usize {
    let mut end = line.len();
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        let is_end = c.is_whitespace()
            || c.is_control()
            || "\"'`<>".contains(c)
            || (c == '\\' && next.is_none_or(|n| "\"'nrt\\".contains(n)))
            || (is_query && "&#".contains(c));
        if is_end {
            end = at;
            break;
        }
    }
    line.get(..end).unwrap_or_default().trim_end_matches([',', ';', ')', ']', '}']).len()
}

/// How long the scheme before a header's secret is.
fn scheme(value: &str) -> usize {
    ["Bearer ", "Basic ", "Digest ", "Token "]
        .iter()
        .find(|s| value.get(..s.len()).is_some_and(|head| head.eq_ignore_ascii_case(s)))
        .map_or(0, |s| s.len())
}
