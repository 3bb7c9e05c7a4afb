//! Which lines belong together: a traceback is part of the line that it explains.

use jiff::tz::TimeZone;

use super::{console, plain, record::severity};

/// What was read so far of one stream, as far as the next line's place depends on it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Joiner {
    state: State,
}

#[derive(Debug, Clone, Default, PartialEq)]
enum State {
    /// Nothing joins.
    #[default]
    Closed,
    /// A line that a traceback may explain.
    Explained,
    /// A line of text, behind which a JavaScript stack may stand.
    Text,
    /// A line of Postgres, of the backend process with this id.
    Postgres(u32),
    /// Inside of a traceback's frames.
    Frames,
    /// Behind the line that names the exception.
    Named,
    /// Behind the sentence that leads from one exception to the next.
    Chained,
    /// Inside of a traceback that Rich drew.
    Drawn,
    /// Inside of a JavaScript stack.
    Stack,
}

const TRACEBACK: &str = "Traceback (most recent call last):";
const CHAINS: &[&str] = &[
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
];
/// What SQLAlchemy and psycopg write below an exception's first line.
const BELOW_NAME: &[&str] =
    &["[SQL: ", "[parameters: ", "(Background on this error", "DETAIL:", "HINT:", "LINE "];
/// Postgres's words for lines that belong to the one before.
const BELOW_POSTGRES: &[&str] = &["DETAIL", "HINT", "QUERY", "CONTEXT", "STATEMENT", "LOCATION"];

/// Whether a line could belong to the one before, whatever that is: cheap, and never wrongly `false`.
pub(super) fn may_join(line: &[u8]) -> bool {
    match line.first() {
        None | Some(b' ' | b'\t' | b'\r' | b'[' | b'(') => true,
        Some(b'{') => false,
        // A drawn box begins with bytes of U+2500 and on.
        Some(0xE2) => true,
        Some(byte) => byte.is_ascii_alphanumeric() || *byte == b'_',
    }
}

impl Joiner {
    /// Takes the next line; whether it belongs to the line before.
    pub fn joins(&mut self, line: &[u8]) -> bool {
        if line.first() == Some(&b'{') {
            self.state = State::Closed;
            return false;
        }
        let text = String::from_utf8_lossy(line.get(..line.len().min(512)).unwrap_or_default());
        let text = console::without_colours(text.trim_end_matches('\r'));
        let text = text.as_str();
        if let Some(next) = self.next(text) {
            self.state = next;
            return true;
        }
        self.state = begun(text);
        false
    }

    /// The state behind a line that joins; `None`: it does not.
    fn next(&self, line: &str) -> Option<State> {
        let indented = line.starts_with([' ', '\t']);
        let trimmed = line.trim_start();
        let is_frame = indented && trimmed.starts_with("at ");
        match &self.state {
            State::Explained
                if line == TRACEBACK
                    || trimmed.ends_with("Exception Group Traceback (most recent call last):") =>
            {
                Some(State::Frames)
            }
            State::Explained if line.starts_with('╭') => Some(State::Drawn),
            State::Explained | State::Text | State::Stack if is_frame => Some(State::Stack),
            State::Postgres(pid) if line.starts_with('\t') => Some(State::Postgres(*pid)),
            State::Postgres(pid) => {
                let (by, word) = plain::read(line, &TimeZone::UTC).postgres?;
                (by == *pid && BELOW_POSTGRES.contains(&word.as_str())).then_some(State::Postgres(by))
            }
            State::Frames if indented => Some(State::Frames),
            State::Frames if names_an_exception(line) => Some(State::Named),
            State::Named if indented || BELOW_NAME.iter().any(|start| line.starts_with(start)) => {
                Some(State::Named)
            }
            State::Named if line.is_empty() => Some(State::Named),
            State::Named if CHAINS.contains(&line) => Some(State::Chained),
            State::Chained if line.is_empty() => Some(State::Chained),
            State::Chained if line == TRACEBACK => Some(State::Frames),
            State::Drawn if line.starts_with(['│', '╰', '╭', '├']) => Some(State::Drawn),
            State::Drawn if names_an_exception(line) => Some(State::Named),
            _ => None,
        }
    }
}

/// The state behind a line that begins something.
fn begun(line: &str) -> State {
    if line == TRACEBACK {
        return State::Frames;
    }
    if console::fields(line).is_some() {
        return State::Explained;
    }
    let told = plain::read(line, &TimeZone::UTC);
    match told.postgres {
        Some((pid, _)) => State::Postgres(pid),
        // A traceback behind a line that reports nothing bad is somebody else's.
        None if severity(told.level) >= 3 => State::Explained,
        None => State::Text,
    }
}

/// `ValueError: no`, `asyncpg.exceptions.UndefinedTableError: …`, `KeyboardInterrupt`.
fn names_an_exception(line: &str) -> bool {
    let name = line.split_once(':').map_or(line, |(name, _)| name);
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    !name.is_empty() && name.split('.').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines, those that join marked with `+`.
    fn joined(text: &str) -> Vec<bool> {
        let mut joiner = Joiner::default();
        text.lines()
            .map(|line| {
                let joins = joiner.joins(line.as_bytes());
                assert!(!joins || may_join(line.as_bytes()), "{line:?} joins and could not");
                joins
            })
            .collect()
    }

    #[test]
    fn a_traceback_belongs_to_the_line_that_it_explains() {
        let text = "\
2026-11-26T00:00:01Z [error    ] daraja.callback failed  thread_id=T
Traceback (most recent call last):
  File \"/app/x.py\", line 3, in handle
    raise ValueError(\"no\")
ValueError: no

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File \"/app/x.py\", line 5, in handle
sqlalchemy.exc.ProgrammingError: (psycopg.errors.UndefinedTable) relation \"x\" does not exist
LINE 1: SELECT 1
               ^
[SQL: SELECT 1]
(Background on this error at: https://sqlalche.me/e/20/f405)
2026-11-26T00:00:02Z [info     ] next
Traceback (most recent call last):
  File \"/app/y.py\", line 1
KeyboardInterrupt
{\"event\": \"after\"}
Traceback (most recent call last):
  File \"/app/z.py\", line 1
KeyError: 'a'
INFO:     Shutting down";
        let joins = joined(text);
        let heads: Vec<&str> =
            text.lines().zip(&joins).filter(|(_, joins)| !**joins).map(|(line, _)| line).collect();
        assert_eq!(
            heads,
            [
                "2026-11-26T00:00:01Z [error    ] daraja.callback failed  thread_id=T",
                "2026-11-26T00:00:02Z [info     ] next",
                "{\"event\": \"after\"}",
                "Traceback (most recent call last):",
                "INFO:     Shutting down",
            ]
        );
    }

    #[test]
    fn lines_of_postgres_belong_to_the_one_of_the_same_backend() {
        let text = "\
2026-11-26 10:00:01.250 UTC [44] ratiba@ratiba ERROR:  relation \"x\" does not exist at character 15
2026-11-26 10:00:01.250 UTC [44] ratiba@ratiba STATEMENT:  SELECT *
\tFROM x
2026-11-26 10:00:01.251 UTC [45] ratiba@ratiba STATEMENT:  SELECT 2
2026-11-26 10:00:01.252 UTC [1] LOG:  checkpoint starting: time";
        assert_eq!(joined(text), [false, true, true, false, false]);
    }

    #[test]
    fn javascript_stacks_and_drawn_tracebacks_stay_with_their_line() {
        let text =
            " ⨯ Error: no\n    at render (app/page.tsx:3:9)\n    at async main (x.js:1:1)\n ✓ Compiled";
        assert_eq!(joined(text), [false, true, true, false]);
        let text =
            "2026-11-26T00:00:01Z [error    ] failed\n╭─ Traceback ─╮\n│ x │\n╰────╯\nValueError: no\nplain";
        assert_eq!(joined(text), [false, true, true, true, true, false]);
    }

    #[test]
    fn lines_that_only_look_like_it_stand_alone() {
        for text in [
            "a line\n  indented\n\tand again",
            "INFO:     fine\nTraceback (most recent call last):",
            "{\"event\": 1}\n    at y",
            "\n\n",
            "Traceback (most recent call last):\n{\"event\": 1}",
        ] {
            assert!(joined(text).iter().all(|joins| !joins), "{text:?}");
        }
    }
}
