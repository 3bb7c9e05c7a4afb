//! Which blocks of a log hold lines of a thread: what an index keeps, so that a question reads only those.
//!
//! A block may be named for a thread that has no line there, never the other way round: who reads it looks.

use memchr::{memchr, memmem, memrchr};

use super::sift::Piece;

/// How large a block is, in bytes.
pub const BLOCK: u64 = 256 << 10;

/// What is known of the lines that begin in a piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThreadMarks {
    /// The mark of a thread, and where in the piece a line of it begins.
    pub marks: Vec<(u32, usize)>,
    /// Where lines begin that spell something in a way that only a reader understands: they may be anybody's.
    pub odd: Vec<usize>,
}

/// A thread's mark. Two threads may have the same.
pub fn mark_of(thread: &str) -> u32 {
    // FNV-1a, folded: the same in every version, for it is kept in files.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in thread.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    (hash ^ (hash >> 32)) as u32
}

/// The marks of all lines that begin in what the piece owns.
pub fn thread_marks(piece: &Piece<'_>) -> ThreadMarks {
    let mut found = ThreadMarks::default();
    let (begin, end) = piece.owned_lines();
    let bytes = piece.bytes.get(begin..end).unwrap_or_default();
    for at in memmem::find_iter(bytes, b"thread_id") {
        let Some(behind) = bytes.get(at + 9..) else { continue };
        match value(behind) {
            Value::Text(text) => found.marks.push((mark_of(text), begin + line_start(bytes, at))),
            Value::Odd => found.odd.push(begin + line_start(bytes, at)),
            Value::None => {}
        }
    }
    // A name or a value that is spelt with escapes.
    for at in memmem::find_iter(bytes, b"\\u00") {
        if matches!(bytes.get(at + 4), Some(b'2'..=b'7')) {
            found.odd.push(begin + line_start(bytes, at));
        }
    }
    found.odd.sort_unstable();
    found.odd.dedup();
    found
}

fn line_start(bytes: &[u8], at: usize) -> usize {
    memrchr(b'\n', bytes.get(..at).unwrap_or_default()).map_or(0, |end| end + 1)
}

enum Value<'b> {
    /// A text that stands there as it is.
    Text(&'b str),
    /// It can't be told here.
    Odd,
    /// It is no field with a text.
    None,
}

/// What stands behind the name: `": "VALUE"`, `=VALUE`, `='VALUE'`, with colours between.
fn value(behind: &[u8]) -> Value<'_> {
    let line = behind.get(..memchr(b'\n', behind).unwrap_or(behind.len())).unwrap_or_default();
    if let Some(rest) = line.strip_prefix(b"\"") {
        let rest = rest.trim_ascii_start();
        let Some(rest) = rest.strip_prefix(b":") else { return Value::None };
        let Some(rest) = rest.trim_ascii_start().strip_prefix(b"\"") else { return Value::None };
        let Some(text) = memchr(b'"', rest).and_then(|end| rest.get(..end)) else { return Value::None };
        return plain(text);
    }
    let Some(rest) = without_colour(line).strip_prefix(b"=") else { return Value::None };
    let rest = without_colour(rest);
    let ends = |b: &u8| b.is_ascii_whitespace() || *b == 0x1b;
    let text = rest.get(..rest.iter().position(ends).unwrap_or(rest.len())).unwrap_or_default();
    match text.first() {
        Some(quote @ (b'\'' | b'"')) => match text.get(1..).and_then(|t| t.strip_suffix(&[*quote])) {
            Some(inside) => plain(inside),
            None => Value::Odd,
        },
        _ => plain(text),
    }
}

fn plain(text: &[u8]) -> Value<'_> {
    match str::from_utf8(text) {
        Ok(text) if !text.contains(['\\', '\'', '"']) => Value::Text(text),
        _ => Value::Odd,
    }
}

fn without_colour(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let Some(behind) = rest.strip_prefix(b"\x1b[") {
        let end = behind.iter().position(|b| !(b.is_ascii_digit() || *b == b';'));
        match end.and_then(|end| behind.get(end..)?.strip_prefix(b"m")) {
            Some(behind) => rest = behind,
            None => return rest,
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::{Filter, Layout, LogQuery, sift};
    use jiff::tz::TimeZone;

    #[test]
    fn no_line_of_a_thread_is_without_its_mark() {
        let lines: &[&[u8]] = &[
            br#"{"event":"e","thread_id":"01K"}"#,
            br#"{"event":"e","thread_id" : "01K"}"#,
            br#"{"event":"e","thread_id":"0\u0031K"}"#,
            br#"{"event":"e","\u0074hread_id":"01K"}"#,
            br#"{"event":"e","thread_id":"x","thread_id":"01K"}"#,
            b"{\"event\":\"\xff\",\"thread_id\":\"01K\"}",
            b"2026-11-26T00:00:01Z [info     ] e                  thread_id=01K",
            b"2026-11-26T00:00:01Z [info     ] e                  thread_id='01K' a=1",
            b"2026-11-26T00:00:01Z [info     ] e \x1b[36mthread_id\x1b[0m=\x1b[35m01K\x1b[0m",
        ];
        let filter = Filter::new(LogQuery { thread: Some("01K".into()), ..LogQuery::default() }).unwrap();
        for line in lines {
            let bytes = [b"{}\n".as_slice(), line, b"\n{}\n"].concat();
            let piece =
                Piece { bytes: &bytes, owned: 0..bytes.len(), layout: Layout::Plain, zone: &TimeZone::UTC };
            assert_eq!(sift(&piece, &filter).found.len(), 1, "{}", String::from_utf8_lossy(line));
            let marks = thread_marks(&piece);
            let is_marked = marks.marks.contains(&(mark_of("01K"), 3)) || marks.odd.contains(&3);
            assert!(is_marked, "{}: {marks:?}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn a_line_is_marked_in_the_piece_in_which_it_begins() {
        let bytes = b"{\"event\":\"long before the name\",\"thread_id\":\"A\"}\n{\"thread_id\":\"B\"}\n";
        for cut in 1..bytes.len() {
            let marks = |owned| {
                let piece = Piece { bytes, owned, layout: Layout::Plain, zone: &TimeZone::UTC };
                thread_marks(&piece).marks
            };
            let all = [marks(0..cut), marks(cut..bytes.len())].concat();
            assert_eq!(all, [(mark_of("A"), 0), (mark_of("B"), 49)], "cut at {cut}");
        }
    }
}
