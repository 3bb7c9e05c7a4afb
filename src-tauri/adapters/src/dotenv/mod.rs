//! A `.env` file: reading it the way compose does: `KEY=value`, quotes, `export`, comments, CRLF.

mod edit;
mod file;
mod spelling;
mod statements;

use std::{fs, io, path::Path};

use ratiba_core::ports::DotenvShape;

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

/// What the value that counts of `key` looks like, without saying it.
fn shape(bytes: &[u8], key: &str) -> Option<DotenvShape> {
    let statement = statements(bytes).into_iter().rev().find(|s| s.text(bytes, s.key) == key.as_bytes())?;
    let value = value_of(&String::from_utf8_lossy(bytes), key)?;
    let last_line = statement.text(bytes, statement.lines);
    Some(DotenvShape {
        length: u64::try_from(value.chars().count()).unwrap_or(u64::MAX),
        is_hex: !value.is_empty() && value.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
        is_quoted: statement.quote.is_some(),
        has_blank: value.contains([' ', '\t']),
        has_quote: value.contains(['"', '\'', '“', '”', '‘', '’']),
        has_line_end: value.contains('\n'),
        has_carriage_return: value.contains('\r')
            || last_line.ends_with(b"\r\n")
            || last_line.ends_with(b"\r"),
        is_access_token: value.starts_with("EAA"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_value_says_what_is_wrong_with_it_and_not_the_value() {
        let of = |text: &str| shape(text.as_bytes(), "S").unwrap();
        let well = of("A=1\nS=0123456789abcdef0123456789abcdef\n");
        assert_eq!(
            (well.length, well.is_hex, well.is_quoted, well.has_carriage_return),
            (32, true, false, false)
        );
        assert!(of("S=0123\r\n").has_carriage_return && of("S=0123\r\n").is_hex);
        assert!(of("S=\"0123\\r\"\n").has_carriage_return && !of("S=\"0123\\r\"\n").is_hex);
        assert!(!of("S='0123'\n").has_quote && of("S='0123'\n").is_hex);
        assert!(of("S=\"'0123'\"\n").has_quote && of("S=“0123”\n").has_quote && of("S=0123\"\n").has_quote);
        assert!(of("S='01 23'\n").is_quoted && of("S='01 23'\n").has_blank);
        assert!(of("S='0123\nT='\n").has_line_end && !of("S='0123'\nT='\n").has_line_end);
        assert!(of("S=EAAxyz\n").is_access_token);
        assert_eq!(of("S=\n").length, 0);
        assert!(shape(b"A=1\n", "S").is_none());
    }

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
