//! What stands where in a `.env`, by the rules that Compose v1 (python-dotenv) and v2 (godotenv) share:
//! a quoted value may go over several lines.

/// `KEY=value`.
pub(super) struct Statement {
    /// The first byte of its first line, and the one behind its last line's end.
    pub lines: (usize, usize),
    /// Its key's first byte, and the one behind it.
    pub key: (usize, usize),
    /// Its value's first byte, quotes included, and the one behind it.
    pub value: (usize, usize),
    /// How the value is quoted.
    pub quote: Option<u8>,
    /// Why the versions of Compose do not read it the same, where that is so.
    pub unclear: Option<&'static str>,
}

impl Statement {
    pub fn text<'b>(&self, bytes: &'b [u8], (from, to): (usize, usize)) -> &'b [u8] {
        bytes.get(from..to).unwrap_or_default()
    }
}

/// All statements, in order.
pub(super) fn statements(bytes: &[u8]) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut at = if bytes.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    while at < bytes.len() {
        let statement = statement(bytes, at);
        at = statement.as_ref().map_or_else(|| behind_line(bytes, at), |s| s.lines.1);
        found.extend(statement);
    }
    found
}

fn statement(bytes: &[u8], start: usize) -> Option<Statement> {
    let line_end = behind_line(bytes, start);
    let mut at = skip_blanks(bytes, start);
    let rest = bytes.get(at..line_end).unwrap_or_default();
    if rest.first() == Some(&b'#') {
        return None;
    }
    if rest.starts_with(b"export ") || rest.starts_with(b"export\t") {
        at = skip_blanks(bytes, at + 7);
    }
    let equals = at + bytes.get(at..line_end)?.iter().position(|b| *b == b'=')?;
    let key = (at, behind_text(bytes, at, equals));
    let from = skip_blanks(bytes, equals + 1);
    let quote = bytes.get(from).copied().filter(|b| matches!(b, b'"' | b'\''));
    // Neither version takes a key with a blank in it, nor therefore the lines of its value.
    let is_key = !bytes.get(key.0..key.1)?.iter().any(|b| b.is_ascii_whitespace() || *b == b'#');
    let closed = quote.filter(|_| is_key).map(|quote| closing(bytes, from, quote));
    let (to, unclear) = match closed {
        Some(Some(end)) if is_alone(bytes, end) => (end, None),
        Some(Some(end)) => (end, Some("has something behind the quote that ends its value")),
        Some(None) => {
            (behind_text(bytes, from, line_end), Some("opens a quote and it is not clear where it ends"))
        }
        None => (behind_unquoted(bytes, from, line_end), None),
    };
    let is_quoted = matches!(closed, Some(Some(_)));
    Some(Statement {
        lines: (start, behind_line(bytes, to.saturating_sub(1).max(start))),
        key,
        value: (from, to),
        quote: quote.filter(|_| is_quoted),
        unclear,
    })
}

/// The byte behind the quote that closes the one at `from`. A quote behind a backslash does not.
fn closing(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut backslashes = 0;
    for (i, byte) in bytes.iter().enumerate().skip(from + 1) {
        match byte {
            b'\\' => backslashes += 1,
            _ if *byte == quote && backslashes == 0 => return Some(i + 1),
            // Some versions take two for one that escapes nothing, others don't.
            _ if *byte == quote && backslashes % 2 == 0 => return None,
            _ => backslashes = 0,
        }
    }
    None
}

/// Whether nothing but a comment stands in the rest of a line. Without a blank before it, it would be a
/// part of a value that is written without quotes.
fn is_alone(bytes: &[u8], from: usize) -> bool {
    let rest = bytes.get(from..behind_line(bytes, from)).unwrap_or_default();
    let behind_blanks = rest.get(skip_blanks(rest, 0)..).unwrap_or_default();
    rest.iter().all(u8::is_ascii_whitespace)
        || rest.len() > behind_blanks.len() && behind_blanks.starts_with(b"#")
}

/// A comment begins at a blank followed by #.
fn behind_unquoted(bytes: &[u8], from: usize, line_end: usize) -> usize {
    let text = bytes.get(from..line_end).unwrap_or_default();
    let comment = text.windows(2).position(|w| matches!(w, [b' ' | b'\t', b'#']));
    behind_text(bytes, from, from + comment.unwrap_or(text.len()))
}

fn behind_text(bytes: &[u8], from: usize, to: usize) -> usize {
    let text = bytes.get(from..to).unwrap_or_default();
    from + text.iter().rposition(|b| !b.is_ascii_whitespace()).map_or(0, |last| last + 1)
}

fn skip_blanks(bytes: &[u8], from: usize) -> usize {
    from + bytes.get(from..).unwrap_or_default().iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

fn behind_line(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1)
}
