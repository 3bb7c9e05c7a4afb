//! Setting one key in a `.env`'s bytes: every other byte stays.

/// What keeps a key from being set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CantEdit(pub String);

/// A line of the file that sets the key.
struct Place {
    /// Its first byte, and the one behind its end of line.
    line: (usize, usize),
    /// Its value's first byte, and the one behind it.
    value: (usize, usize),
}

/// The bytes with `key` set to `value`, or without it. With `only_one`, earlier lines that set the
/// same key go; without, the last one is changed, as that is the one that counts.
pub(super) fn edited(
    bytes: &[u8],
    key: &str,
    value: Option<&str>,
    only_one: bool,
) -> Result<Vec<u8>, CantEdit> {
    let places = places(bytes, key)?;
    let mut cuts: Vec<(usize, usize, Vec<u8>)> = Vec::new();
    let (last, earlier) = match places.split_last() {
        Some((last, earlier)) => (Some(last), earlier),
        None => (None, &[][..]),
    };
    let written = value.map(quoted).transpose()?;
    if only_one || written.is_none() {
        cuts.extend(earlier.iter().map(|p| (p.line.0, p.line.1, Vec::new())));
    }
    match (last, &written) {
        (Some(last), Some(written)) => cuts.push((last.value.0, last.value.1, written.clone())),
        (Some(last), None) => cuts.push((last.line.0, last.line.1, Vec::new())),
        (None, Some(written)) => {
            let eol: &[u8] = if bytes.windows(2).any(|w| w == b"\r\n") { b"\r\n" } else { b"\n" };
            let mut line = Vec::new();
            if !bytes.is_empty() && !bytes.ends_with(b"\n") {
                line.extend(eol);
            }
            line.extend([key.as_bytes(), b"=", written, eol].concat());
            cuts.push((bytes.len(), bytes.len(), line));
        }
        (None, None) => {}
    }
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let mut at = 0;
    for (from, to, with) in cuts {
        out.extend(bytes.get(at..from).unwrap_or_default());
        out.extend(with);
        at = to;
    }
    out.extend(bytes.get(at..).unwrap_or_default());
    Ok(out)
}

/// How often the key stands there.
pub(super) fn count(bytes: &[u8], key: &str) -> usize {
    places(bytes, key).map_or(0, |places| places.len())
}

fn places(bytes: &[u8], key: &str) -> Result<Vec<Place>, CantEdit> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        if let Some(value) = value_in(line, key)? {
            found
                .push(Place { line: (start, start + line.len()), value: (start + value.0, start + value.1) });
        }
        start += line.len();
    }
    Ok(found)
}

/// Where the value stands in a line that sets `key`.
fn value_in(line: &[u8], key: &str) -> Result<Option<(usize, usize)>, CantEdit> {
    let skip = |from: usize| {
        from + line.get(from..).unwrap_or_default().iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
    };
    let mut at = if line.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    at = skip(at);
    if line.get(at..).unwrap_or_default().starts_with(b"export ") {
        at = skip(at + 7);
    }
    if !line.get(at..).unwrap_or_default().starts_with(key.as_bytes()) {
        return Ok(None);
    }
    at = skip(at + key.len());
    if line.get(at) != Some(&b'=') {
        return Ok(None);
    }
    at = skip(at + 1);
    let rest = line.get(at..).unwrap_or_default();
    let end = match rest.first() {
        Some(quote @ (b'"' | b'\'')) => {
            let mut is_escaped = false;
            let closes = |b: &u8| {
                let closes = b == quote && !is_escaped;
                is_escaped = *b == b'\\' && !is_escaped && *quote == b'"';
                closes
            };
            let close = rest.iter().skip(1).position(closes);
            let close = close.ok_or_else(|| {
                CantEdit(format!("the value of {key} goes over several lines; edit it by hand"))
            })?;
            at + close + 2
        }
        _ => {
            // A comment begins at a blank followed by #.
            let comment = rest.windows(2).position(|w| w == b" #").unwrap_or(rest.len());
            let value = rest.get(..comment).unwrap_or_default();
            at + value.iter().rposition(|b| !b.is_ascii_whitespace()).map_or(0, |last| last + 1)
        }
    };
    Ok(Some((at, end)))
}

/// The value as compose reads it back, quoted where it must be.
fn quoted(value: &str) -> Result<Vec<u8>, CantEdit> {
    if value.contains(['\n', '\r', '\0']) {
        return Err(CantEdit("the new value has a line break or a NUL in it".into()));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=~".contains(c);
    if value.chars().all(is_plain) {
        return Ok(value.as_bytes().to_vec());
    }
    // Nothing is interpolated in single quotes.
    if !value.contains('\'') && !value.ends_with('\\') {
        return Ok(format!("'{value}'").into_bytes());
    }
    if value.contains(['$', '\\', '"']) {
        return Err(CantEdit("the new value has quotes of both kinds, $ or \\: edit it by hand".into()));
    }
    Ok(format!("\"{value}\"").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, value: Option<&str>, only_one: bool) -> String {
        String::from_utf8(edited(text.as_bytes(), "KEY", value, only_one).unwrap()).unwrap()
    }

    #[test]
    fn only_the_value_changes() {
        let text = "# KEY=no\r\nA=1\r\n  export KEY = old # why\r\nKEYS=2\r\nB='x y'";
        assert_eq!(
            set(text, Some("new"), false),
            "# KEY=no\r\nA=1\r\n  export KEY = new # why\r\nKEYS=2\r\nB='x y'"
        );
        assert_eq!(set(text, None, false), "# KEY=no\r\nA=1\r\nKEYS=2\r\nB='x y'");
        assert_eq!(set("\u{feff}KEY=1\n", Some("2"), false), "\u{feff}KEY=2\n");
        assert_eq!(set("KEY=\"a \\\" b\" # c\n", Some("2"), false), "KEY=2 # c\n");
        assert_eq!(set("KEY=\nA=1\n", Some("2"), false), "KEY=2\nA=1\n");
    }

    #[test]
    fn a_new_key_comes_last_with_the_files_own_line_ends() {
        assert_eq!(set("A=1", Some("2"), false), "A=1\nKEY=2\n");
        assert_eq!(set("A=1\r\n", Some("2"), false), "A=1\r\nKEY=2\r\n");
        assert_eq!(set("", Some("2"), false), "KEY=2\n");
    }

    #[test]
    fn of_several_the_last_counts_and_the_others_stay_or_go() {
        let text = "KEY=1\nA=1\nKEY=2\nB=1\n";
        assert_eq!(set(text, Some("3"), false), "KEY=1\nA=1\nKEY=3\nB=1\n");
        assert_eq!(set(text, Some("3"), true), "A=1\nKEY=3\nB=1\n");
        assert_eq!(set(text, None, false), "A=1\nB=1\n");
        assert_eq!(count(text.as_bytes(), "KEY"), 2);
    }

    #[test]
    fn what_is_written_is_what_is_read_back() {
        for value in ["a b", "a#b", "p$x", "it's", "a\"b", "=", ""] {
            let text = set("KEY=old\n", Some(value), false);
            assert_eq!(super::super::value_of(&text, "KEY").as_deref(), Some(value), "{text}");
        }
        assert!(edited(b"KEY=1\n", "KEY", Some("a\nB=2"), false).is_err());
        assert!(edited(b"KEY='one\ntwo'\n", "KEY", Some("x"), false).is_err());
    }
}
