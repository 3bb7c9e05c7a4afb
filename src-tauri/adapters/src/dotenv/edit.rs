//! Setting one key in a `.env`'s bytes: every other byte stays.

use super::{
    spelling::spelled,
    statements::{Statement, statements},
};

/// What keeps a key from being set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CantEdit(pub String);

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
    let written = value.map(spelled).transpose()?;
    if only_one || written.is_none() {
        cuts.extend(earlier.iter().map(|p| (p.lines.0, p.lines.1, Vec::new())));
    }
    match (last, &written) {
        (Some(last), Some(written)) => cuts.push((last.value.0, last.value.1, written.clone())),
        (Some(last), None) => cuts.push((last.lines.0, last.lines.1, Vec::new())),
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
    statements(bytes).iter().filter(|s| s.text(bytes, s.key) == key.as_bytes()).count()
}

/// The statements that set the key. A file that the versions of Compose read differently is not edited.
fn places(bytes: &[u8], key: &str) -> Result<Vec<Statement>, CantEdit> {
    let all = statements(bytes);
    let line = |at: usize| bytes.iter().take(at).filter(|b| **b == b'\n').count() + 1;
    if let Some((at, why)) = all.iter().find_map(|s| Some((s.lines.0, s.unclear?))) {
        return Err(CantEdit(format!("line {} {why}; correct it", line(at))));
    }
    // A line ends there for v1 and goes on for v2.
    let ends = bytes.iter().enumerate().filter(|(_, b)| **b == b'\r').map(|(at, _)| at);
    if let Some(at) = ends.into_iter().find(|at| bytes.get(at + 1) != Some(&b'\n')) {
        return Err(CantEdit(format!(
            "line {} has a carriage return (CR) that no line feed follows; correct it",
            line(at)
        )));
    }
    let is_it = |s: &Statement| s.text(bytes, s.key) == key.as_bytes();
    let places: Vec<Statement> = all.into_iter().filter(is_it).collect();
    if places.iter().any(|place| place.text(bytes, place.value).contains(&b'\n')) {
        return Err(CantEdit(format!("the value of {key} goes over several lines; edit it by hand")));
    }
    Ok(places)
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
    fn a_line_inside_another_value_is_no_key() {
        let pem = "A=1\nPEM=\"-----BEGIN\nKEY=inside==\n-----END\"\n";
        assert_eq!(set(pem, Some("new"), false), format!("{pem}KEY=new\n"));
        assert_eq!(set(pem, None, false), pem);
        assert_eq!(count(pem.as_bytes(), "KEY"), 0);
        let single = "PEM='\\'\nKEY=inside\n' # why\nKEY=1\n";
        assert_eq!(set(single, Some("2"), false), "PEM='\\'\nKEY=inside\n' # why\nKEY=2\n");
    }

    #[test]
    fn a_file_that_is_not_clear_is_not_edited() {
        for text in ["A='open\nKEY=1\n", "A=\"a\\\\\"\nKEY=1\nB=\"x\"\n"] {
            let CantEdit(why) = edited(text.as_bytes(), "KEY", Some("2"), false).unwrap_err();
            assert!(why.contains("line 1 opens a quote"), "{why}");
        }
        for text in
            ["KEY=\"old\" junk\nB=1\n", "B=1\nKEY='old'junk\n", "KEY=\"old\"\"x\"\n", "A='1'b\nKEY=1\n"]
        {
            for value in [Some("2"), None] {
                let CantEdit(why) = edited(text.as_bytes(), "KEY", value, false).unwrap_err();
                assert!(why.contains("behind the quote"), "{text}: {why}");
            }
        }
        for text in ["KEY=old\rB=1\r", "B=1\nKEY=old\r", "# a\rKEY=1\n"] {
            let CantEdit(why) = edited(text.as_bytes(), "KEY", Some("2"), false).unwrap_err();
            assert!(why.contains("(CR)"), "{text}: {why}");
        }
        assert!(edited(b"KEY='old'#c\n", "KEY", Some("2"), false).is_err(), "KEY=2#c is another value");
        assert_eq!(set("KEY='old' \t#c\r\nB=1", Some("2"), false), "KEY=2 \t#c\r\nB=1");
        assert_eq!(set("KEY='old' \r\nB=1", Some("2"), false), "KEY=2 \r\nB=1");
        assert!(edited(b"KEY='one\ntwo'\n", "KEY", Some("x"), false).is_err());
    }

    #[test]
    fn what_is_written_is_what_is_read_back() {
        let values = [
            "a b",
            "a#b",
            "p$x",
            "it's",
            "a\"b",
            "=",
            "",
            "a\\\\b",
            "a\\\\b c",
            "a\\b c",
            "it's \\n \"x\" y",
            "end\\",
        ];
        for value in values {
            let text = set("KEY=old\n", Some(value), false);
            assert_eq!(super::super::value_of(&text, "KEY").as_deref(), Some(value), "{text}");
        }
        for value in ["a\nB=2", "a${HOME}", "a b\\", "it's $x", "it's \"so\"", "\u{1}"] {
            assert!(edited(b"KEY=1\n", "KEY", Some(value), false).is_err(), "{value}");
        }
    }
}
