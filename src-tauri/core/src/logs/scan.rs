//! The fields of a JSON object, found without recursion and without reading what stands inside them: a line
//! may be nested 100,000 deep, and bytes that are no UTF-8 make no line unreadable.

use std::ops::Range;

use memchr::memchr2;

/// A field of the object itself: its key between the quotes, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub key: Range<usize>,
    pub value: Range<usize>,
}

/// The fields of the object that the line is, in their order; `None`: the line is no object, or something stands
/// before or behind it. Control characters inside a text, `NaN` and `Infinity` are taken, as Python writes them.
pub(super) fn fields(line: &[u8]) -> Option<Vec<Field>> {
    let mut cursor = Cursor { line, at: 0 };
    cursor.blanks();
    cursor.expect(b'{')?;
    let mut found = Vec::new();
    cursor.blanks();
    if cursor.take(b'}') {
        return cursor.is_done().then_some(found);
    }
    loop {
        let key = cursor.key()?;
        let begin = cursor.at;
        cursor.value()?;
        found.push(Field { key, value: begin..cursor.at });
        cursor.blanks();
        if cursor.take(b'}') {
            return cursor.is_done().then_some(found);
        }
        cursor.expect(b',')?;
        cursor.blanks();
    }
}

/// What a text of JSON says, without its quotes. Bytes that are no UTF-8, and halves of surrogate pairs, become
/// U+FFFD.
pub(super) fn unescaped(text: &[u8]) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let (said, length) = escaped(escape);
        let mut buffer = [0; 4];
        out.extend_from_slice(said.encode_utf8(&mut buffer).as_bytes());
        rest = escape.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    String::from_utf8_lossy(&out).into_owned()
}

/// What the escape that `text` begins with says, and its length.
fn escaped(text: &[u8]) -> (char, usize) {
    let said = match text.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return unicode(text),
        Some(other) => char::from(*other),
        None => return (char::REPLACEMENT_CHARACTER, 1),
    };
    (said, 2)
}

fn unicode(text: &[u8]) -> (char, usize) {
    let Some(first) = hex(text, 2) else { return (char::REPLACEMENT_CHARACTER, 2) };
    if let Some(said) = char::from_u32(first) {
        return (said, 6);
    }
    let second = (text.get(6..8) == Some(b"\\u")).then(|| hex(text, 8)).flatten();
    match second.filter(|low| (0xDC00..0xE000).contains(low) && first < 0xDC00) {
        Some(low) => {
            let code = 0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
        }
        None => (char::REPLACEMENT_CHARACTER, 6),
    }
}

fn hex(text: &[u8], from: usize) -> Option<u32> {
    let digits = text.get(from..from + 4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

struct Cursor<'l> {
    line: &'l [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn is_done(&mut self) -> bool {
        self.blanks();
        self.at == self.line.len()
    }

    /// A key with its colon, and the blanks before the value.
    fn key(&mut self) -> Option<Range<usize>> {
        let key = self.text()?;
        self.blanks();
        self.expect(b':')?;
        self.blanks();
        Some(key)
    }

    /// A text; what stands between its quotes.
    fn text(&mut self) -> Option<Range<usize>> {
        self.expect(b'"')?;
        let begin = self.at;
        loop {
            let rest = self.line.get(self.at..)?;
            self.at += memchr2(b'"', b'\\', rest)?;
            if self.take(b'"') {
                return Some(begin..self.at - 1);
            }
            match self.line.get(self.at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
                b'u' => {
                    hex(self.line, self.at + 2)?;
                    self.at += 6;
                }
                _ => return None,
            }
        }
    }

    /// Any value, however deep.
    fn value(&mut self) -> Option<()> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            match self.peek()? {
                b'{' => {
                    self.at += 1;
                    self.blanks();
                    if !self.take(b'}') {
                        open.push(b'}');
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.blanks();
                    if !self.take(b']') {
                        open.push(b']');
                        continue;
                    }
                }
                b'"' => {
                    self.text()?;
                }
                _ => self.scalar()?,
            }
            loop {
                let Some(closer) = open.last().copied() else { return Some(()) };
                self.blanks();
                if self.take(closer) {
                    open.pop();
                    continue;
                }
                self.expect(b',')?;
                self.blanks();
                if closer == b'}' {
                    self.key()?;
                }
                break;
            }
        }
    }

    fn scalar(&mut self) -> Option<()> {
        let rest = self.line.get(self.at..)?;
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
        let word = rest.get(..rest.iter().position(ends).unwrap_or(rest.len()))?;
        let is_one = matches!(word, b"true" | b"false" | b"null" | b"NaN" | b"Infinity" | b"-Infinity");
        if !is_one && !is_number(word) {
            return None;
        }
        self.at += word.len();
        Some(())
    }
}

fn is_number(word: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = word.strip_prefix(b"-").unwrap_or(word);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.first() == Some(&b'0')) {
        return false;
    }
    rest = rest.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = fraction.get(length..).unwrap_or_default();
    }
    if let Some(power) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let power = power.strip_prefix(b"+").or_else(|| power.strip_prefix(b"-")).unwrap_or(power);
        return !power.is_empty() && digits(power) == power.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[u8]) -> Option<Vec<(String, String)>> {
        let of = |range: &Range<usize>| String::from_utf8_lossy(&line[range.clone()]).into_owned();
        Some(fields(line)?.iter().map(|f| (of(&f.key), of(&f.value))).collect())
    }

    #[test]
    fn what_json_reads_is_read_and_nothing_else() {
        // Beside a parser that everybody trusts; where this one takes more, the last column says so.
        for (line, takes_more) in [
            (r#"{"a": 1, "b": [1, {"c": []}], "a": "x\"y"}"#, false),
            (r#" { } "#, false),
            (r#"{"a":-0.5e+3,"b":true,"c":null}"#, false),
            (r#"{"a":01}"#, false),
            (r#"{"a":1.}"#, false),
            (r#"{"a":.5}"#, false),
            (r#"{"a":1e}"#, false),
            (r#"{"a":"\x"}"#, false),
            (r#"{"a":"\u12g4"}"#, false),
            (r#"{"a":1,}"#, false),
            (r#"{"a":[1,]}"#, false),
            (r#"{"a" 1}"#, false),
            (r#"{"a":{"b":1}"#, false),
            (r#"{"a":[1}]}"#, false),
            (r#"{"a":1}{"b":2}"#, false),
            (r#"{"a":1} x"#, false),
            (r#"{a:1}"#, false),
            (r#"[1]"#, false),
            ("", false),
            ("{\"a\":\"\u{1b}[1m\"}", true),
            (r#"{"a":NaN,"b":-Infinity}"#, true),
        ] {
            let is_read = fields(line.as_bytes()).is_some();
            let expected = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).is_ok();
            assert_eq!(is_read, expected || takes_more, "{line}");
        }
    }

    #[test]
    fn only_the_object_itself_has_its_fields() {
        let line = br#"{"x": {"thread_id": "inner"}, "thread_id" : "outer", "l": [{"thread_id": 1}]}"#;
        let names: Vec<String> = read(line).unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(names, ["x", "thread_id", "l"]);
        assert_eq!(read(line).unwrap()[1].1, "\"outer\"");
    }

    #[test]
    fn depth_and_bytes_that_are_no_text_hide_no_field() {
        let deep =
            [b"{\"d\":".as_slice(), &b"[".repeat(100_000), &b"]".repeat(100_000), b",\"t\":\"x\"}"].concat();
        assert_eq!(fields(&deep).unwrap().len(), 2);
        let maps =
            [b"{\"d\":".as_slice(), &b"{\"a\":".repeat(100_000), b"1", &b"}".repeat(100_000), b"}"].concat();
        assert_eq!(fields(&maps).unwrap().len(), 1);
        assert!(fields(&deep[..150_000]).is_none(), "cut");
        assert_eq!(read(b"{\"m\":\"\xff\xfe\",\"t\":\"x\"}").unwrap()[1], ("t".into(), "\"x\"".into()));
    }

    #[test]
    fn escapes_say_what_they_say() {
        for (text, says) in [
            (r"0\u0031K", "01K"),
            (r#"a\"b\\c\/d\n\t"#, "a\"b\\c/d\n\t"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\ud83d!", "\u{fffd}!"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
            ("plain", "plain"),
        ] {
            assert_eq!(unescaped(text.as_bytes()), says);
        }
        assert_eq!(unescaped(b"x\xffy\\"), "x\u{fffd}y\u{fffd}");
    }

    #[test]
    fn no_bytes_at_all_are_too_much_for_it() {
        let mut seed = 0x2545_F491_4F6C_DD1D_u64;
        let parts: &[&[u8]] = &[
            b"{", b"}", b"[", b"]", b"\"", b"\\", b"\\u00", b":", b",", b"1", b"-", b"e", b".", b"true",
            b" ", b"\xff", b"\0", b"a",
        ];
        for _ in 0..200_000 {
            let mut line = Vec::new();
            for _ in 0..12 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                line.extend_from_slice(parts[usize::try_from(seed % parts.len() as u64).unwrap()]);
            }
            let strict = str::from_utf8(&line).ok().is_some_and(|text| {
                serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok()
            });
            let is_read = fields(&line).is_some();
            assert!(is_read || !strict, "{}", String::from_utf8_lossy(&line));
            unescaped(&line);
        }
    }
}
