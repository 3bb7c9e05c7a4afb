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
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let assigned = line.split_once('=').filter(|_| !line.trim_start().starts_with('#'));
        let Some((name, _)) = assigned else {
            rest = after;
            continue;
        };
        let behind_name = rest.get(name.len() + 1..).unwrap_or_default().trim_start_matches([' ', '\t']);
        let value = match quoted(behind_name) {
            Some((value, behind)) => {
                rest = behind.split_once('\n').map_or("", |(_, next)| next);
                value
            }
            None => {
                rest = after;
                unquoted(behind_name)
            }
        };
        let name = name.trim();
        found.push((name.strip_prefix("export ").unwrap_or(name).trim().to_owned(), value));
    }
    found
}

fn value_of(text: &str, key: &str) -> Option<String> {
    entries(text).into_iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// A value in quotes, which may go over several lines, and what stands behind it. `None`: it is not in
/// quotes, or they are never closed.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut chars = text.chars();
    let quote = chars.next().filter(|c| matches!(c, '"' | '\''))?;
    let mut value = String::new();
    while let Some(c) = chars.next() {
        if c == quote {
            return Some((value.replace("\r\n", "\n"), chars.as_str()));
        }
        if c != '\\' {
            value.push(c);
            continue;
        }
        match (chars.next()?, quote) {
            ('\'', '\'') => value.push('\''),
            (escaped @ ('\\' | '"' | '$'), '"') => value.push(escaped),
            ('n', '"') => value.push('\n'),
            ('r', '"') => value.push('\r'),
            ('t', '"') => value.push('\t'),
            (other, _) => value.extend(['\\', other]),
        }
    }
    None
}

fn unquoted(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    // A comment begins at a blank followed by #.
    line.split(" #").next().unwrap_or_default().trim().to_owned()
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

    #[test]
    fn a_value_in_quotes_may_go_over_several_lines() {
        let text = r#"A="-----BEGIN KEY-----
abc=
B=def # no comment
-----END KEY-----
" # one
B='two
lines'
C='it\'s'
D="q\"\n\$"
E="never closed
F=5
"#;
        let of = |key| value_of(text, key);
        let key = "-----BEGIN KEY-----\nabc=\nB=def # no comment\n-----END KEY-----\n";
        assert_eq!(of("A").as_deref(), Some(key));
        assert_eq!(of("B").as_deref(), Some("two\nlines"));
        assert_eq!(of("C").as_deref(), Some("it's"));
        assert_eq!(of("D").as_deref(), Some("q\"\n$"));
        assert_eq!(of("E").as_deref(), Some("\"never closed"));
        assert_eq!(of("F").as_deref(), Some("5"), "and swallows nothing");
    }
}
