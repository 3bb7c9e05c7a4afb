//! A `.env` file: reading it the way compose does: `KEY=value`, quotes, `export`, comments, CRLF.

mod edit;
mod file;
mod spelling;
mod statements;

use std::{fs, io, path::Path};

use spelling::unescaped;
use statements::{Statement, statements};

pub use file::{DotenvFile, FindSecret};

/// The value of `key`, the last one where it is given twice; `None` when it is not there.
pub fn read(path: &Path, key: &str) -> io::Result<Option<String>> {
    Ok(value_of(&fs::read_to_string(path)?, key))
}

/// All keys with their values, in order.
pub(crate) fn entries(text: &str) -> Vec<(String, String)> {
    let bytes = text.as_bytes();
    let entry = |s: Statement| {
        let part = |span| String::from_utf8_lossy(s.text(bytes, span)).into_owned();
        let value = match s.quote {
            Some(quote) => unescaped(&part((s.value.0 + 1, s.value.1 - 1)), quote),
            None => part(s.value),
        };
        (part(s.key), value)
    };
    statements(bytes).into_iter().map(entry).collect()
}

fn value_of(text: &str, key: &str) -> Option<String> {
    entries(text).into_iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
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
        let text = "PEM=\"-----BEGIN\nA=inside==\n-----END\" # c\nB=\"a\\\\b \\\"c\\\"\"\n";
        assert_eq!(value_of(text, "A"), None);
        assert_eq!(value_of(text, "PEM").as_deref(), Some("-----BEGIN\nA=inside==\n-----END"));
        assert_eq!(value_of(text, "B").as_deref(), Some("a\\b \"c\""));
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
