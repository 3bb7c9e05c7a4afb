//! structlog's JSON: one object a line.

use serde_json::{Map, Value};

use super::scan::{self, Field, unescaped};

/// Its fields; `None`: it is no object. Of a key that stands there twice the last one counts.
pub(super) fn fields(line: &[u8]) -> Option<Map<String, Value>> {
    let found = scan::fields(line)?;
    let of = |range| line.get::<std::ops::Range<usize>>(range).unwrap_or_default();
    Some(found.into_iter().map(|field| (unescaped(of(field.key)), value(of(field.value)))).collect())
}

/// The values of some of its fields, and nothing else; `None`: it is no object.
pub(super) fn picked<const N: usize>(line: &[u8], names: [&str; N]) -> Option<[Option<Value>; N]> {
    let found = scan::fields(line)?;
    Some(names.map(|name| {
        let field = last_named(line, &found, name)?;
        line.get(field.value.clone()).map(value)
    }))
}

/// The text of a field of the line's own object, if the line is one; the last one of that name.
pub(super) fn text_of(line: &[u8], names: &[&str]) -> Option<String> {
    let found = scan::fields(line)?;
    names.iter().find_map(|name| {
        let value = line.get(last_named(line, &found, name)?.value.clone())?;
        value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).map(unescaped)
    })
}

fn last_named<'f>(line: &[u8], fields: &'f [Field], name: &str) -> Option<&'f Field> {
    fields.iter().rev().find(|field| {
        let key = line.get(field.key.clone()).unwrap_or_default();
        key == name.as_bytes() || (key.contains(&b'\\') && unescaped(key) == name)
    })
}

fn value(json: &[u8]) -> Value {
    if let Some(text) = json.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) {
        return unescaped(text).into();
    }
    let text = String::from_utf8_lossy(json);
    // What is nested too deep, or no JSON by the letter (NaN), stays as it was written.
    serde_json::from_str(&text).unwrap_or_else(|_| text.into())
}
