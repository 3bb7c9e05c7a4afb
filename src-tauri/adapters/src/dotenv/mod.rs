//! A `.env` file: reading it the way compose does: `KEY=value`, quotes, `export`, comments, CRLF.

mod edit;
mod file;

use std::{fs, io, path::Path};

pub use file::{DotenvFile, FindSecret};

/// The value of `key`, the last one where it is given twice; `None` when it is not there.
pub fn read(path: &Path, key: &str) -> io::Result<Option<String>> {
    Ok(value_of(&fs::read_to_string(path)?, key))
}

/// All keys with their values, in order.
pub(crate) fn entries(text: &str) -> Vec<(String, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().filter_map(entry).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn value_of(text: &str, key: &str) -> Option<String> {
    entries(text).into_iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
}

fn entry(line: &str) -> Option<(&str, String)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let value = value.trim();
    let quoted =
        |quote: char| value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)).map(|(v, _)| v);
    let value = match (quoted('"'), quoted('\'')) {
        (Some(inner), _) => inner.replace("\\n", "\n").replace("\\\"", "\""),
        (None, Some(inner)) => inner.to_owned(),
        // A comment begins at a blank followed by #.
        (None, None) => value.split(" #").next().unwrap_or("").trim_end().to_owned(),
    };
    Some((name.trim(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_compose_reads_them() {
        let text = "# A=no\r\nexport A=one\r\nB=\"two # not a comment\" # a comment\nC='it'\nD=a#b # c\nE=\nA=last\n";
        let of = |key| value_of(text, key);
        assert_eq!(of("A").as_deref(), Some("last"));
        assert_eq!(of("B").as_deref(), Some("two # not a comment"));
        assert_eq!(of("C").as_deref(), Some("it"));
        assert_eq!(of("D").as_deref(), Some("a#b"));
        assert_eq!(of("E").as_deref(), Some(""));
        assert_eq!(of("F"), None);
    }
}
