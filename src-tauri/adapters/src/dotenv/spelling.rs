//! How a value is written so that Compose v1 (python-dotenv) and v2 (godotenv) read the same.

use super::edit::CantEdit;

/// The value as both read it back, quoted where it must be.
pub(super) fn spelled(value: &str) -> Result<Vec<u8>, CantEdit> {
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(CantEdit("the new value has a line break or another control character in it".into()));
    }
    // Both take these as they are, the backslash too.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=~\\".contains(c);
    if value.chars().all(is_plain) {
        return Ok(value.as_bytes().to_vec());
    }
    // v1 fills in ${…} whatever the quotes.
    if value.contains("${") {
        return Err(CantEdit(
            "the new value has ${ in it, which Compose v1 takes for a variable; choose another value".into(),
        ));
    }
    // In single quotes v1 makes one backslash of two, v2 does not; at the end one would hide the quote.
    if !value.contains('\'') && !value.contains("\\\\") && !value.ends_with('\\') {
        return Ok(format!("'{value}'").into_bytes());
    }
    // In double quotes v2 fills in $NAME, and takes quotes off the end.
    if !value.contains('$') && !value.ends_with(['\\', '"']) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        return Ok(format!("\"{escaped}\"").into_bytes());
    }
    Err(CantEdit(
        "there is no way to write the new value that Compose v1 and v2 read the same: beside blanks or quotes it has \
         $, or a backslash or quote at its end; choose another value"
            .into(),
    ))
}

/// What stands between quotes, as it is read.
pub(super) fn unescaped(inner: &str, quote: u8) -> String {
    if quote == b'\'' {
        return inner.replace("\\'", "'");
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(plain @ ('\\' | '"' | '\'' | '$')) => out.push(plain),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
